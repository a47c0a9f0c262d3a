"""Who may be seen, as rows of the index: everybody at once, and the cards of a few.

The index never keeps it. Sets of people are made from the rows of members and peers as they are
now, and cards are read through the scope once more: whatever the index remembers, nobody is shown
whom the reader may not see.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from app.models.member import Member
from app.models.peer import MirroredProfile, Peer
from app.models.scope import Reader, seen_by, visible_members, visible_mirrored
from app.models.space import Space
from app.search.cards import Card, card_of_member, card_of_mirrored, for_visitors
from app.search.index import FRONT, MEMBER, MIRRORED
from app.search.snapshot import Snapshot, as_set


def visible_rows(
    session: Session, held: Snapshot, peers: Iterable[Peer], reader: Reader, now: datetime
) -> int:
    """Return everybody whom ``reader`` may see at ``now``, from the rows as they are now."""
    members = session.scalars(select(Member.id).where(seen_by(reader)))
    expired = session.scalars(select(MirroredProfile.id).where(MirroredProfile.expires_at <= now))
    theirs = 0
    for peer in peers:
        theirs |= held.of_peer.get(peer.id, 0)
    theirs &= held.public if reader is Reader.VISITOR else ~held.fronts
    gone = list(expired)
    for kind in (MIRRORED, FRONT) if gone else ():
        theirs &= ~_rows_of(held, kind, gone)
    return _rows_of(held, MEMBER, members) | theirs


def cards_of(
    session: Session,
    held: Snapshot,
    reader: Reader,
    here: Space,
    now: datetime,
    wanted: Sequence[int],
) -> dict[int, Card]:
    """Read the people of these rows through the scope; whom ``reader`` may not see is left out."""
    ids: dict[str, dict[int, int]] = {MEMBER: {}, MIRRORED: {}}
    for row in wanted:
        kind, number, _ = held.owner[row]
        ids[MEMBER if kind == MEMBER else MIRRORED][number] = row
    cards: dict[int, Card] = {}
    members = visible_members(reader).where(Member.id.in_(ids[MEMBER]))
    for member in session.scalars(members.options(selectinload(Member.services))):
        cards[ids[MEMBER][member.id]] = card_of_member(member, here, now.date())
    theirs = visible_mirrored(reader, now).where(MirroredProfile.id.in_(ids[MIRRORED]))
    for profile in session.scalars(theirs.options(joinedload(MirroredProfile.peer))):
        card = card_of_mirrored(profile, now)
        if reader is Reader.VISITOR:
            card = for_visitors(card, profile.document)
        cards[ids[MIRRORED][profile.id]] = card
    return cards


def _rows_of(held: Snapshot, kind: str, ids: Iterable[int]) -> int:
    found = as_set(row for number in ids if (row := held.row_of.get((kind, number))) is not None)
    return found & held.everybody
