"""Finding the people who answer a query, among those whom the reader may see.

In this order: who may be seen now (rows of members and peers), what the question means (the
vocabulary), who holds any of it (the index), who answers it surely, who passes the filters, one
page of them in order, and for that page the cards and the reasons. The cards are read through the
scope once more: whatever the index remembers, nobody is shown whom the reader may not see.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.peer import Peer
from app.models.scope import Reader, shown_peers
from app.models.space import Space
from app.search.answers import Expansion, Found, Group, Hit
from app.search.evidence import Index, worth_of
from app.search.facets import facets, filtered, sets_of
from app.search.index import ensure_usable
from app.search.people import NOBODY, People, union
from app.search.places import NEAR_KM, Places, places
from app.search.postings import LAST
from app.search.query import Query
from app.search.ranking import FEW, Scores, ordered, scores
from app.search.reading import Part, read
from app.search.sight import cards_of, visible_rows
from app.search.snapshot import Snapshot, snapshot
from app.search.tables import doc
from app.search.text import stem
from app.search.tongues import TONGUES
from app.search.why import Wanted, explain

_PEERS = select(Peer).where(shown_peers())

#: People on one page of an answer.
PAGE = 20
#: People shown as perhaps meant.
PERHAPS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class _Search:
    """One search on its way: what was asked, where, and what everybody is worth."""

    query: Query
    held: Snapshot
    where: Places
    peers: Sequence[Peer]
    parts: tuple[Part, ...]
    scores: Scores
    day: int


def find(
    session: Session, query: Query, reader: Reader, here: Space, now: datetime, *, limit: int = PAGE
) -> Found:
    """Return one page of the people who fit ``query``, best first, with why and with facets.

    :param limit: people on a page.
    """
    ensure_usable(session)
    search = _looked_up(session, query, reader, here, now)
    sets = sets_of(search.held, search.where, reader, now.date())
    surely, perhaps = _who(search)
    scope = search.held.members if query.scope == "here" else search.where.visible
    fit = filtered(surely, query, sets)
    first = (query.page - 1) * limit
    in_scope = fit & scope
    total = len(in_scope)
    page = _sorted(session, search, in_scope, first, limit)
    rest: list[int] = []
    if query.page == 1:
        weak = filtered(perhaps, query, sets) & scope
        rest = _sorted(session, search, weak, 0, PERHAPS_SHOWN)
    hits = _hits(session, search, reader, here, now, [*page, *rest])
    return Found(
        query=query,
        hits=tuple(hits[row] for row in page if row in hits),
        total=total,
        perhaps=tuple(hits[row] for row in rest if row in hits),
        facets=facets(surely & scope, query, sets, search.where.names),
        expansions=_expansions(search.parts),
        pages=max(1, -(-total // limit)),
        spaces=sum(people.intersect(in_scope) for people in search.where.people.values()),
        here=in_scope.intersection_cardinality(search.held.members),
        everywhere=len(fit),
        origin=search.where.origin,
        namesakes=search.where.namesakes,
    )


def _looked_up(
    session: Session, query: Query, reader: Reader, here: Space, now: datetime
) -> _Search:
    connection = session.connection()
    held = snapshot(session)
    peers = session.scalars(_PEERS).all()
    visible = visible_rows(session, held, peers, reader, now)
    where = places(held, here, peers, visible, query.near)
    index = Index(connection, held)
    parts = read(query.words, index, here.labels)
    index.look_up(parts)
    worths = [worth_of(part, index, _placed(part, where, held, parts)) for part in parts]
    return _Search(query, held, where, peers, parts, scores(parts, worths), now.date().toordinal())


def _placed(part: Part, where: Places, held: Snapshot, parts: Sequence[Part]) -> People:
    """Return who is where ``part`` says, or speaks what it names beside another part."""
    said = " ".join(part.terms[0].stems) if part.terms else ""
    spoken = held.facets["language"].get(_TAGS.get(said, ""), NOBODY)
    there = union(where.words.get(said, ()))
    return there | spoken & where.visible if len(parts) > 1 else there


_TAGS = {stem(name): tag for name, tag in TONGUES.items()}


def _who(search: _Search) -> tuple[People, People]:
    """Return who surely answers, and who perhaps does, among the visible."""
    if not search.query.words.strip():
        return search.where.visible, NOBODY
    visible = search.where.visible
    if not search.parts:
        return NOBODY, NOBODY
    return search.scores.sure & visible, search.scores.perhaps & visible


def _sorted(session: Session, search: _Search, people: People, first: int, limit: int) -> list[int]:
    """Return ``limit`` of ``people`` from the ``first`` on, in the order that was asked for."""
    if search.query.sort == "name":
        return _by_name(session, search.held, people, first, limit)
    most, groups = first + limit, _groups(search)
    if search.query.sort != "distance":
        return ordered(people, search.scores.levels, groups, search.day, most)[first:]
    found: list[int] = []
    for equally_far in _by_distance(search):
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
    names = select(doc.c.id).order_by(doc.c.sorted_as, doc.c.id)
    if len(people) <= FEW:
        return iter(session.scalars(names.where(doc.c.id.in_(list(people)))))
    alike = names.where(doc.c.sorted_as >= letters, doc.c.sorted_as < letters + LAST)
    found = session.scalars(alike.execution_options(yield_per=FEW))
    return (number for number in found if number in people)


def _groups(search: _Search) -> tuple[People, People, People]:
    """Return who is here, who is near, and who is elsewhere."""
    held = search.held
    near = union([_those_of(held, at) for at, km in search.where.km.items() if _is_near(km)])
    here = NOBODY if search.where.origin else held.members
    return here, near - here, held.everybody - here - near


def _by_distance(search: _Search) -> list[People]:
    """Return the sets of people who are equally far, the closest first."""
    far: dict[float, People] = defaultdict(People)
    for number, km in search.where.km.items():
        far[float("inf") if km is None else km] |= _those_of(search.held, number)
    return [far[km] for km in sorted(far)]


def _those_of(held: Snapshot, number: int | None) -> People:
    """Return the people of a peer, or of this space for None."""
    return held.members if number is None else held.of_peer.get(number, NOBODY)


def _is_near(km: float | None) -> bool:
    return km is not None and km <= NEAR_KM


def _group(search: _Search, peer_id: int | None) -> Group:
    if peer_id is None and search.where.origin is None:
        return "here"
    return "near" if _is_near(search.where.km.get(peer_id)) else "elsewhere"


def _hits(
    session: Session,
    search: _Search,
    reader: Reader,
    here: Space,
    now: datetime,
    wanted: Sequence[int],
) -> dict[int, Hit]:
    """Read the cards of ``wanted`` through the scope and say why each is in the answer."""
    found = {}
    asked = [Wanted.of(part) for part in search.parts]
    for row, (peer_id, card) in cards_of(session, reader, here, now, wanted, search.peers).items():
        reasons, highlights = explain(card, asked)
        found[row] = Hit(
            card=card,
            score=search.scores.of(row) if search.parts else 1.0,
            confident=not search.parts or row in search.scores.sure,
            why=reasons,
            highlights=highlights,
            distance_km=search.where.km.get(peer_id),
            group=_group(search, peer_id),
        )
    return found


def _expansions(parts: Iterable[Part]) -> tuple[Expansion, ...]:
    """What else was looked for, a few for each part of the question."""
    return tuple(
        Expansion(part.said, meaning.code, meaning.how)  # type: ignore[arg-type]  # meanings say how as reasons do
        for part in parts
        for meaning in part.meanings[:3]
        if meaning.sure >= 0.5
    )
