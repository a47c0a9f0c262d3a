"""Who may be seen, as rows of the index: everybody at once, and the cards of a few.

The index never keeps it. Sets of people are made from the rows of members and peers as they are
now, and cards are read through the scope once more: whatever the index remembers, nobody is shown
whom the reader may not see.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple, Self

from sqlalchemy import BindParameter, Select, bindparam, or_, select
from sqlalchemy.orm import Session, selectinload

from app.models.base import Moment
from app.models.measure import hidden_subjects
from app.models.member import Member
from app.models.peer import MirroredProfile
from app.models.scope import Reader, mirrored_seen_by, seen_by, visible_members
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
from app.search.index import FACE, FRONT, MEMBER, MIRRORED
from app.search.neighbours import Neighbour, neighbours
from app.search.people import People, union
from app.search.snapshot import Snapshot
from app.search.tables import doc

# What statements are given; made once, because making them takes as long as asking.
_MOMENT = bindparam("moment", type_=Moment)
_WANTED: BindParameter[int] = bindparam("wanted", expanding=True)


class Sight(NamedTuple):
    """Whom one reader may see at one moment, as the rows of members and peers say it then.

    Two that are equal show the same people of one snapshot.
    """

    reader: Reader
    peers: tuple[Neighbour, ...]
    """Those whose people may be shown."""

    ours: tuple[int, ...]
    """Rows of our members who may be seen."""

    unseen: tuple[int, ...]
    """Rows of neighbours' people who are expired, or hidden."""

    @classmethod
    def of(cls, session: Session, reader: Reader, now: datetime) -> Self:
        """Read the rows as they are for ``session``."""
        # What is changed and not yet written counts as well.
        session.flush()
        connection = session.connection()
        ours = connection.scalars(_ours(reader)).all()
        unseen = connection.scalars(_unseen(), {"moment": now}).all()
        return cls(reader, neighbours(connection), tuple(ours), tuple(unseen))

    def rows(self, held: Snapshot) -> People:
        """Return everybody who may be seen."""
        theirs = union([held.of_peer[peer.id] for peer in self.peers if peer.id in held.of_peer])
        ours = People(self.ours) & held.members
        if self.reader is Reader.VISITOR:
            theirs, ours = theirs & held.public, ours & held.public
        else:
            theirs, ours = theirs - held.fronts, ours - held.faces
        return ours | theirs - People(self.unseen)


@cache
def _ours(reader: Reader) -> Select[int]:
    """Select the rows of those of our members whom ``reader`` may see."""
    return _rows(select(Member.id).where(seen_by(reader)), MEMBER, FACE)


@cache
def _unseen() -> Select[int]:
    """Select the rows of neighbours' people who are expired at ``moment``, or hidden."""
    hidden = MirroredProfile.subject.in_(hidden_subjects())
    gone = or_(MirroredProfile.expires_at <= _MOMENT, hidden)
    return _rows(select(MirroredProfile.id).where(gone), MIRRORED, FRONT)


def _rows(owners: Select[int], *kinds: str) -> Select[int]:
    """Select the rows of these kinds that stand for ``owners``."""
    # Not joined: a planner without statistics would begin with everybody in the index.
    return select(doc.c.id).where(doc.c.kind.in_(kinds), doc.c.owner.in_(owners))


def cards_of(
    session: Session,
    reader: Reader,
    here: Space,
    now: datetime,
    wanted: Sequence[int],
    peers: Iterable[Neighbour],
) -> dict[int, tuple[int | None, Card]]:
    """Read the people of these rows through the scope; whom ``reader`` may not see is left out.

    :param peers: those whose people may be seen.
    :return: by row, the id of the peer (None for people of this space) and the card.
    """
    connection, today = session.connection(), now.date()
    ids: dict[str, dict[int, int]] = {MEMBER: {}, MIRRORED: {}}
    for row, kind, number in connection.execute(_OWNERS, {"wanted": list(wanted)}):
        ids[MEMBER if kind in (MEMBER, FACE) else MIRRORED][number] = row
    cards: dict[int, tuple[int | None, Card]] = {}
    if ids[MEMBER]:
        members = visible_members(reader).where(Member.id.in_(ids[MEMBER]))
        for member in session.scalars(members.options(selectinload(Member.services))):
            cards[ids[MEMBER][member.id]] = None, card_of_member(member, here, today, reader)
    if ids[MIRRORED]:
        standings: dict[int, Standing] = {}
        known = {peer.id: peer for peer in peers}
        given = {"wanted": list(ids[MIRRORED]), "moment": now}
        for number, peer_id, *shown in connection.execute(_copies(reader), given):
            # Whose standing has just changed is shown from the next search on.
            if peer_id not in known:
                continue
            if peer_id not in standings:
                standings[peer_id] = standing_of(known[peer_id], now)
            copy = Copy(*shown)
            card = card_of_copy(copy, today, standings[peer_id])
            if reader is Reader.VISITOR:
                card = for_visitors(card, copy.document)
            cards[ids[MIRRORED][number]] = peer_id, card
    return cards


_OWNERS = select(doc.c.id, doc.c.kind, doc.c.owner).where(doc.c.id.in_(_WANTED))


@cache
def _copies(reader: Reader) -> Select[int, int, str, str, dict[str, Any], str, datetime]:
    """Select what a card shows of copies: the letter they came in is long, and read by nobody."""
    return (
        select(
            MirroredProfile.id,
            MirroredProfile.peer_id,
            MirroredProfile.subject,
            MirroredProfile.name,
            MirroredProfile.document,
            MirroredProfile.photo,
            MirroredProfile.issued_at,
        )
        .join(MirroredProfile.peer)
        .where(
            mirrored_seen_by(reader, _MOMENT),
            MirroredProfile.id.in_(_WANTED),
        )
    )
