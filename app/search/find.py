"""Finding the people who answer a query, among those whom the reader may see.

In this order: who may be seen now (rows of members and peers), what the question means (the
vocabulary), who holds any of it (the index), who answers it surely, who passes the filters, one
page of them in order, and for that page the cards and the reasons. The cards are read through the
scope once more: whatever the index remembers, nobody is shown whom the reader may not see.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
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
from app.search.index import MEMBER, ensure_usable
from app.search.places import NEAR_KM, Places, places
from app.search.query import Query
from app.search.ranking import Scores, ordered, scores
from app.search.reading import Part, read
from app.search.sight import cards_of, visible_rows
from app.search.snapshot import Snapshot, snapshot
from app.search.text import stem
from app.search.tongues import TONGUES
from app.search.why import explain

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
    total = (fit & scope).bit_count()
    page = _sorted(search, fit & scope, first + limit)[first : first + limit]
    rest: list[int] = []
    if query.page == 1:
        weak = filtered(perhaps, query, sets) & scope
        rest = _sorted(search, weak, PERHAPS_SHOWN)[:PERHAPS_SHOWN]
    hits = _hits(session, search, reader, here, now, [*page, *rest])
    return Found(
        query=query,
        hits=tuple(hits[row] for row in page if row in hits),
        total=total,
        perhaps=tuple(hits[row] for row in rest if row in hits),
        facets=facets(surely & scope, query, search.held, sets, search.where.names),
        expansions=_expansions(search.parts),
        pages=max(1, -(-total // limit)),
        spaces=sum(bool(people & fit & scope) for people in search.where.people.values()),
        here=(fit & scope & search.held.members).bit_count(),
        everywhere=fit.bit_count(),
        origin=search.where.origin,
        namesakes=search.where.namesakes,
    )


def _looked_up(
    session: Session, query: Query, reader: Reader, here: Space, now: datetime
) -> _Search:
    connection = session.connection()
    held = snapshot(session)
    peers = session.scalars(select(Peer).where(shown_peers())).all()
    visible = visible_rows(session, held, peers, reader, now)
    where = places(held, here, peers, visible, query.near)
    index = Index(connection, held)
    parts = read(query.words, index)
    named = where.words | _tongues(held, visible) if len(parts) > 1 else where.words
    worths = [worth_of(part, index, named) for part in parts]
    return _Search(query, held, where, parts, scores(parts, worths), now.date().toordinal())


def _tongues(held: Snapshot, visible: int) -> dict[str, int]:
    """Return who speaks a language, by the stem of each of its names."""
    spoken = held.facets["language"]
    return {stem(name): spoken.get(tag, 0) & visible for name, tag in TONGUES.items()}


def _who(search: _Search) -> tuple[int, int]:
    """Return who surely answers, and who perhaps does, among the visible."""
    if not search.query.words.strip():
        return search.where.visible, 0
    visible = search.where.visible
    if not search.parts:
        return 0, 0
    return search.scores.sure & visible, search.scores.perhaps & visible


def _sorted(search: _Search, people: int, most: int) -> list[int]:
    """Return the first ``most`` of ``people`` in the order that was asked for."""
    if search.query.sort == "name":
        return _by_name(search.held, people, most)
    groups = _groups(search)
    if search.query.sort != "distance":
        return ordered(people, search.scores.levels, groups, search.day, most)
    found: list[int] = []
    for equally_far in _by_distance(search):
        there = people & equally_far
        if there and len(found) < most:
            found += ordered(there, search.scores.levels, groups, search.day, most - len(found))
    return found


def _by_name(held: Snapshot, people: int, most: int) -> list[int]:
    inside = people.to_bytes(held.size // 8 + 1, "little")
    named = (row for row in held.by_name() if inside[row >> 3] >> (row & 7) & 1)
    return list(islice(named, most))


def _groups(search: _Search) -> tuple[int, int, int]:
    """Return who is here, who is near, and who is elsewhere."""
    near = 0
    for number, km in search.where.km.items():
        if km is not None and km <= NEAR_KM:
            near |= search.held.members if number is None else search.held.of_peer.get(number, 0)
    here = 0 if search.where.origin else search.held.members
    near &= ~here
    return here, near, search.held.everybody & ~(here | near)


def _by_distance(search: _Search) -> list[int]:
    """Return the sets of people who are equally far, the closest first."""
    far: dict[float, int] = defaultdict(int)
    for number, km in search.where.km.items():
        there = search.held.members if number is None else search.held.of_peer.get(number, 0)
        far[float("inf") if km is None else km] |= there
    return [far[km] for km in sorted(far)]


def _group(search: _Search, row: int) -> Group:
    if search.held.owner[row][0] == MEMBER and search.where.origin is None:
        return "here"
    km = _km(search, row)
    return "near" if km is not None and km <= NEAR_KM else "elsewhere"


def _km(search: _Search, row: int) -> float | None:
    return search.where.km.get(search.held.owner[row][2])


def _hits(
    session: Session,
    search: _Search,
    reader: Reader,
    here: Space,
    now: datetime,
    wanted: Sequence[int],
) -> dict[int, Hit]:
    """Read the cards of ``wanted`` through the scope and say why each is in the answer."""
    cards = cards_of(session, search.held, reader, here, now, wanted)
    found = {}
    for row, card in cards.items():
        reasons, highlights = explain(card, search.parts)
        found[row] = Hit(
            card=card,
            score=search.scores.of(row) if search.parts else 1.0,
            confident=not search.parts or bool(search.scores.sure >> row & 1),
            why=reasons,
            highlights=highlights,
            distance_km=_km(search, row),
            group=_group(search, row),
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
