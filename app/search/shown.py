"""The people of a few rows of the index, read through the scope: who is shown, and as what.

Whatever the index remembers, nobody is shown whom the reader may not see: rows of members and peers
say it once more, in the statement that reads their texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from typing import NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, selectinload

from app.models.base import Moment
from app.models.member import Member
from app.models.peer import MirroredProfile
from app.models.scope import Reader, mirrored_seen_by, visible_members
from app.models.space import Space
from app.search.cards import (
    Card,
    Copy,
    Standing,
    card_of_copy,
    card_of_member,
    for_visitors,
    standing_of,
)
from app.search.neighbours import Neighbour
from app.search.rows import FACE, FRONT, MEMBER, MIRRORED
from app.search.snapshot import Snapshot
from app.search.statements import Statement
from app.search.tables import doc
from app.search.writing import COLUMNS

#: Rows that one statement asks for: a page of an answer, and who was perhaps meant.
AT_ONCE = 32
# What statements are given; made once, because making them takes as long as asking. As many as
# there can be, the last one again: a list of another length would be another statement.
_MOMENT = bindparam("moment", type_=Moment)
_NAMES = tuple(f"wanted_{at}" for at in range(AT_ONCE))
_WANTED = doc.c.id.in_([bindparam(name) for name in _NAMES])
_TEXTS = tuple(doc.c[name] for name in COLUMNS)


class Shown(NamedTuple):
    """Somebody whom the reader may see."""

    peer_id: int | None
    """None for people of this space."""

    card: Card
    columns: Sequence[str]
    """What the index keeps of the card's texts."""


def shown(
    session: Session,
    held: Snapshot,
    reader: Reader,
    here: Space,
    now: datetime,
    wanted: Sequence[int],
    peers: Iterable[Neighbour],
) -> dict[int, Shown]:
    """Read the people of these rows through the scope; whom ``reader`` may not see is left out.

    :param peers: those whose people may be seen.
    """
    ours = [row for row in wanted if row in held.members]
    theirs = [row for row in wanted if row not in held.members]
    found = _ours(session, reader, here, now.date(), ours) if ours else {}
    for start in range(0, len(theirs), AT_ONCE):
        found |= _theirs(session, reader, now, theirs[start : start + AT_ONCE], peers)
    return found


def _ours(
    session: Session, reader: Reader, here: Space, today: date, wanted: Sequence[int]
) -> dict[int, Shown]:
    rows = {
        owner: (number, texts)
        for start in range(0, len(wanted), AT_ONCE)
        for number, kind, owner, *texts in _OURS.rows(
            session.connection(), _given(wanted[start : start + AT_ONCE])
        )
        if kind in _MEMBERS
    }
    members = visible_members(reader).where(Member.id.in_(rows))
    found = {}
    for member in session.scalars(members.options(selectinload(Member.services))):
        number, texts = rows[member.id]
        found[number] = Shown(None, card_of_member(member, here, today, reader), texts)
    return found


def _theirs(
    session: Session,
    reader: Reader,
    now: datetime,
    wanted: Sequence[int],
    peers: Iterable[Neighbour],
) -> dict[int, Shown]:
    known = {peer.id: peer for peer in peers}
    standings: dict[int, Standing] = {}
    today = now.date()
    found = {}
    given: dict[str, object] = {"moment": now, **_given(wanted)}
    for number, kind, peer_id, *more in _copies(reader).rows(session.connection(), given):
        # Whose standing has just changed is shown from the next search on.
        if kind not in _COPIES or peer_id not in known:
            continue
        if peer_id not in standings:
            standings[peer_id] = standing_of(known[peer_id], now)
        copy = Copy(*more[: len(Copy._fields)])
        card = card_of_copy(copy, today, standings[peer_id])
        if reader is Reader.VISITOR:
            card = for_visitors(card, copy.document)
        found[number] = Shown(peer_id, card, more[len(Copy._fields) :])
    return found


def _given(wanted: Sequence[int]) -> Mapping[str, int]:
    return dict(zip(_NAMES, _filled(wanted), strict=True))


def _filled(wanted: Sequence[int]) -> Iterator[int]:
    yield from wanted
    for _ in range(AT_ONCE - len(wanted)):
        yield wanted[-1]


# No condition on the kind: a planner without statistics would begin with all rows of these kinds.
_OURS = Statement(select(doc.c.id, doc.c.kind, doc.c.owner, *_TEXTS).where(_WANTED), *_NAMES)
#: What stands for people of this space, and for those of others; not for who is gone.
_MEMBERS, _COPIES = (MEMBER, FACE), (MIRRORED, FRONT)


@cache
def _copies(reader: Reader) -> Statement:
    """Select what a card shows of copies: the letter they came in is long, and read by nobody."""
    copies = (
        select(
            doc.c.id,
            doc.c.kind,
            MirroredProfile.peer_id,
            MirroredProfile.subject,
            MirroredProfile.name,
            MirroredProfile.document,
            MirroredProfile.photo,
            MirroredProfile.issued_at,
            *_TEXTS,
        )
        .join_from(doc, MirroredProfile, MirroredProfile.id == doc.c.owner)
        .join(MirroredProfile.peer)
        .where(mirrored_seen_by(reader, _MOMENT), _WANTED)
    )
    return Statement(copies, "moment", *_NAMES)
