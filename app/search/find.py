"""Finding the people who answer a query, among those whom the reader may see.

In this order: who may be seen now (rows of members and peers), what the question means (the
vocabulary), who holds any of it (the index), who answers it surely, who passes the filters, one
page of them in order, and for that page the cards and the reasons. The cards are read through the
scope once more: whatever the index remembers, nobody is shown whom the reader may not see.

Everything but the cards is remembered until something changes that it was read from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.scope import Reader
from app.models.space import Space
from app.search.answers import Expansion, Facet, Found, Group, Hit, Reason, Span
from app.search.bulk import read_on
from app.search.cards import Card
from app.search.clues import Clues
from app.search.evidence import Index, begun_in_long_texts, worth_of
from app.search.facets import facets, filtered
from app.search.index import ensure_usable
from app.search.levels import at_least
from app.search.outlook import Outlook, is_near, outlook
from app.search.parts import Part
from app.search.people import NOBODY, People, union
from app.search.places import Places
from app.search.postings import LAST
from app.search.query import Query
from app.search.ranking import FEW, Scores, next_step, ordered, scores
from app.search.reading import read
from app.search.shown import Shown, shown
from app.search.snapshot import Snapshot, snapshot
from app.search.tables import doc
from app.search.text import stem
from app.search.tongues import TONGUES
from app.search.translations import for_reader
from app.search.why import Wanted, explain

#: People on one page of an answer.
PAGE = 20
#: People shown as perhaps meant.
PERHAPS_SHOWN = 10

#: Bytes that an answer takes in memory, about, for itself, each value offered and each person.
ITSELF, FOR_VALUE, FOR_PERSON = 4000, 250, 4500


@dataclass(frozen=True, slots=True)
class _Search:
    """One search on its way: what was asked, where, and what everybody is worth."""

    query: Query
    held: Snapshot
    view: Outlook
    parts: tuple[Part, ...]
    scores: Scores
    day: int
    whole: Callable[[], Scores] | None
    """Weighs once more, with who has a beginning in long texts; None where that is done already."""

    @property
    def surely_above(self) -> int:
        """Thousandths that nobody reaches who is not weighed yet."""
        return max(map(begun_in_long_texts, self.parts)) if self.whole else 0


@dataclass(frozen=True, slots=True)
class _Answer:
    """All of an answer but the cards, which are read anew each time."""

    page: tuple[int, ...]
    perhaps: tuple[int, ...]
    worth: Mapping[int, float]
    """By row of the index, whoever is shown."""

    wanted: tuple[Wanted, ...]
    total: int
    facets: tuple[Facet, ...]
    expansions: tuple[Expansion, ...]
    spaces: int
    here: int
    everywhere: int
    said: dict[int, _Said] = field(default_factory=dict)
    """By row, what was said of a card."""

    @property
    def size(self) -> int:
        """Bytes that it takes, about."""
        values = sum(len(facet.options) for facet in self.facets)
        return ITSELF + values * FOR_VALUE + len(self.worth) * FOR_PERSON


#: The card, why it is in the answer, and what to mark.
_Said = tuple[Card, tuple[Reason, ...], Mapping[str, tuple[Span, ...]]]


def find(
    session: Session,
    query: Query,
    reader: Reader,
    here: Space,
    now: datetime,
    *,
    limit: int = PAGE,
    ranges: Sequence[str] = (),
) -> Found:
    """Return one page of the people who fit ``query``, best first, with why and with facets.

    :param limit: people on a page.
    :param ranges: languages that the reader reads (RFC 4647), the best first; who answers, and in
        which order, does not depend on them.
    """
    ensure_usable(session)
    held = snapshot(session)
    view = outlook(session, held, reader, here, now, query.near)
    asked = (view, query, limit, tuple(sorted((here.labels or {}).items())))
    answer = held.answers.get(asked)
    if answer is None:
        answer = _answer(session, _looked_up(session, query, held, view, here, now), limit)
        held.answers.keep(asked, answer, answer.size)
    hits = _hits(session, held, view, answer, here, now, ranges)
    return Found(
        query=query,
        hits=tuple(hits[row] for row in answer.page if row in hits),
        total=answer.total,
        perhaps=tuple(hits[row] for row in answer.perhaps if row in hits),
        facets=answer.facets,
        expansions=answer.expansions,
        pages=max(1, -(-answer.total // limit)),
        spaces=answer.spaces,
        here=answer.here,
        everywhere=answer.everywhere,
        origin=view.where.origin,
        namesakes=view.where.namesakes,
    )


def _looked_up(
    session: Session, query: Query, held: Snapshot, view: Outlook, here: Space, now: datetime
) -> _Search:
    index = Index(session.connection(), held)
    parts = read(query.words, index, here.labels)
    index.look_up(parts)
    named = [_placed(part, view.where, held, parts) for part in parts]

    def weighed(*, long_texts: bool = True) -> Scores:
        worths = [
            worth_of(part, index, there, long_texts=long_texts)
            for part, there in zip(parts, named, strict=True)
        ]
        return scores(parts, worths)

    # A beginning is found in thousands of long texts, and for that alone nobody surely answers: of
    # a question of one part they need not be read while there are enough others.
    later = len(parts) == 1 and begun_in_long_texts(parts[0]) > 0
    first = weighed(long_texts=not later)
    today = now.date().toordinal()
    return _Search(query, held, view, parts, first, today, weighed if later else None)


def _placed(part: Part, where: Places, held: Snapshot, parts: Sequence[Part]) -> People:
    """Return who is where ``part`` says, or speaks what it names beside another part."""
    said = " ".join(part.terms[0].stems) if part.terms else ""
    spoken = held.facets["language"].get(_TAGS.get(said, ""), NOBODY)
    there = union(where.words.get(said, ()))
    return there | spoken & where.visible if len(parts) > 1 else there


_TAGS = {stem(name): tag for name, tag in TONGUES.items()}


def _answer(session: Session, search: _Search, limit: int) -> _Answer:
    query, where, sets = search.query, search.view.where, search.view.sets
    surely, _ = _who(search)
    scope = search.held.members if query.scope == "here" else where.visible
    fit = filtered(surely, query, sets)
    in_scope = fit & scope
    page = _sorted(session, search, in_scope, (query.page - 1) * limit, limit)
    rest: list[int] = []
    if query.page == 1:
        search, weak = _weak(search, scope)
        rest = _sorted(session, search, weak, 0, PERHAPS_SHOWN)
    return _Answer(
        page=tuple(page),
        perhaps=tuple(rest),
        worth={row: search.scores.of(row) if search.parts else 1.0 for row in (*page, *rest)},
        wanted=tuple(Wanted.of(part) for part in search.parts),
        total=len(in_scope),
        facets=facets(surely & scope, query, sets, where.names),
        expansions=_expansions(search.parts),
        spaces=sum(people.intersect(in_scope) for people in where.people.values()),
        here=in_scope.intersection_cardinality(search.held.members),
        everywhere=len(fit),
    )


def _weak(search: _Search, scope: People) -> tuple[_Search, People]:
    """Return who perhaps answers in ``scope`` and passes the filters, and the search as weighed.

    All of them, or as many as are shown when these are better than all others.
    """
    query, sets = search.query, search.view.sets
    if search.whole and query.sort == "match":
        better = at_least(search.scores.levels, next_step(search.surely_above))
        found = filtered(_who(search)[1] & better, query, sets) & scope
        if len(found) >= PERHAPS_SHOWN:
            return search, found
    if search.whole:
        search = replace(search, scores=search.whole(), whole=None)
    return search, filtered(_who(search)[1], query, sets) & scope


def _who(search: _Search) -> tuple[People, People]:
    """Return who surely answers, and who perhaps does, among the visible."""
    visible = search.view.where.visible
    if not search.query.words.strip():
        return visible, NOBODY
    if not search.parts:
        return NOBODY, NOBODY
    return search.scores.sure & visible, search.scores.perhaps & visible


def _sorted(session: Session, search: _Search, people: People, first: int, limit: int) -> list[int]:
    """Return ``limit`` of ``people`` from the ``first`` on, in the order that was asked for."""
    if search.query.sort == "name":
        return _by_name(session, search.held, people, first, limit)
    most, groups = first + limit, search.view.groups
    if search.query.sort != "distance":
        return ordered(people, search.scores.levels, groups, search.day, most)[first:]
    found: list[int] = []
    for equally_far in search.view.rings:
        there = people & equally_far
        if there and len(found) < most:
            found += ordered(there, search.scores.levels, groups, search.day, most - len(found))
    return found[first:]


def _by_name(session: Session, held: Snapshot, people: People, first: int, limit: int) -> list[int]:
    """Compare only the names that begin with the letters which the page reaches."""
    found: list[int] = []
    for letters, so_named in sorted(held.initials.items()):
        those = so_named & people
        if first >= len(those):
            first -= len(those)
            continue
        wanted = limit - len(found)
        found += islice(_named(session, letters, those), first, first + wanted)
        first = 0
        if len(found) == limit:
            break
    return found


def _named(session: Session, letters: str, people: People) -> Iterator[int]:
    """Return ``people``, whose names begin with ``letters``, in the order of their names."""
    connection = session.connection()
    if len(people) <= FEW:
        names = select(doc.c.id).order_by(doc.c.sorted_as, doc.c.id)
        return iter(connection.scalars(names.where(doc.c.id.in_(list(people)))))
    rows = read_on(connection, _ALIKE, (letters, letters + LAST), FEW)
    return (number for (number,) in rows if number in people)


_ALIKE = "SELECT id FROM search_doc WHERE sorted_as >= {} AND sorted_as < {} ORDER BY sorted_as, id"


def _hits(
    session: Session,
    held: Snapshot,
    view: Outlook,
    answer: _Answer,
    here: Space,
    now: datetime,
    ranges: Sequence[str],
) -> dict[int, Hit]:
    """Read the cards through the scope and say why each is in the answer."""
    found = {}
    sight, km = view.sight, view.where.km
    people = shown(session, held, sight.reader, here, now, list(answer.worth), sight.peers)
    for row, one in people.items():
        card = for_reader(one.card, ranges)
        reasons, highlights = _why(answer, row, card, one)
        found[row] = Hit(
            card=card,
            score=answer.worth[row],
            confident=row in answer.page,
            why=reasons,
            highlights=highlights,
            distance_km=km.get(one.peer_id),
            group=_group(view.where, one.peer_id),
        )
    return found


def _why(
    answer: _Answer, row: int, card: Card, one: Shown
) -> tuple[tuple[Reason, ...], Mapping[str, tuple[Span, ...]]]:
    """Say it as it was said before, as long as nothing about the card is different."""
    if not answer.wanted:
        return (), {}
    said = answer.said.get(row)
    if said is None or said[0] != card:
        answer.said[row] = said = (card, *explain(card, answer.wanted, Clues.of(one.columns)))
    return said[1], said[2]


def _group(where: Places, peer_id: int | None) -> Group:
    if peer_id is None and where.origin is None:
        return "here"
    return "near" if is_near(where.km.get(peer_id)) else "elsewhere"


def _expansions(parts: Iterable[Part]) -> tuple[Expansion, ...]:
    """What else was looked for, a few for each part of the question."""
    return tuple(
        Expansion(part.said, meaning.code, meaning.how)  # type: ignore[arg-type]  # meanings say how as reasons do
        for part in parts
        for meaning in part.meanings[:3]
        if meaning.sure >= 0.5
    )
