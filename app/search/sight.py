"""Who may be seen, as rows of the index: everybody at once, and the cards of a few.

The index never keeps it. Sets of people are made from the rows of members and peers as they are
now, and cards are read through the scope once more: whatever the index remembers, nobody is shown
whom the reader may not see.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, load_only, selectinload
from sqlalchemy.orm.interfaces import ORMOption

from app.models.measure import hidden_subjects
from app.models.member import Member
from app.models.peer import MirroredProfile, Peer
from app.models.scope import Reader, seen_by, visible_members, visible_mirrored
from app.models.space import Space
from app.search.cards import Card, card_of_member, card_of_mirrored, for_visitors
from app.search.index import FACE, FRONT, MEMBER, MIRRORED
from app.search.people import People, union
from app.search.snapshot import Snapshot
from app.search.tables import doc


def visible_rows(
    session: Session, held: Snapshot, peers: Iterable[Peer], reader: Reader, now: datetime
) -> People:
    """Return everybody whom ``reader`` may see at ``now``, from the rows as they are now."""
    seen = select(Member.id).where(seen_by(reader))
    hidden = MirroredProfile.subject.in_(hidden_subjects())
    gone = select(MirroredProfile.id).where(or_(MirroredProfile.expires_at <= now, hidden))
    theirs = union([held.of_peer[peer.id] for peer in peers if peer.id in held.of_peer])
    theirs = theirs & held.public if reader is Reader.VISITOR else theirs - held.fronts
    unseen = _rows(session, gone, MIRRORED, FRONT)
    ours = _rows(session, seen, MEMBER, FACE) & held.members
    ours = ours & held.public if reader is Reader.VISITOR else ours - held.faces
    return ours | theirs - unseen


def _rows(session: Session, owners: Select[int], *kinds: str) -> People:
    """Return the rows of these kinds that stand for ``owners``."""
    # Not joined: a planner without statistics would begin with everybody in the index.
    those = select(doc.c.id).where(doc.c.kind.in_(kinds), doc.c.owner.in_(owners))
    return People(session.scalars(those))


def cards_of(
    session: Session,
    reader: Reader,
    here: Space,
    now: datetime,
    wanted: Sequence[int],
    peers: Iterable[Peer],
) -> dict[int, tuple[int | None, Card]]:
    """Read the people of these rows through the scope; whom ``reader`` may not see is left out.

    :param peers: those whose people may be seen.
    :return: by row, the id of the peer (None for people of this space) and the card.
    """
    ids: dict[str, dict[int, int]] = {MEMBER: {}, MIRRORED: {}}
    owners = select(doc.c.id, doc.c.kind, doc.c.owner).where(doc.c.id.in_(wanted))
    for row, kind, number in session.execute(owners):
        ids[MEMBER if kind in (MEMBER, FACE) else MIRRORED][number] = row
    cards: dict[int, tuple[int | None, Card]] = {}
    if ids[MEMBER]:
        members = visible_members(reader).where(Member.id.in_(ids[MEMBER]))
        for member in session.scalars(members.options(selectinload(Member.services))):
            cards[ids[MEMBER][member.id]] = None, card_of_member(member, here, now.date(), reader)
    if ids[MIRRORED]:
        theirs = visible_mirrored(reader, now).where(MirroredProfile.id.in_(ids[MIRRORED]))
        by_id = {peer.id: peer for peer in peers}
        for profile in session.scalars(theirs.options(_shown())):
            # Whose standing has just changed is shown from the next search on.
            if (peer := by_id.get(profile.peer_id)) is None:
                continue
            card = card_of_mirrored(profile, now, peer)
            if reader is Reader.VISITOR:
                card = for_visitors(card, profile.document)
            cards[ids[MIRRORED][profile.id]] = profile.peer_id, card
    return cards


def _shown() -> ORMOption:
    """What a card shows of a copy: the letter that it came in is long, and read by nobody here."""
    return load_only(
        MirroredProfile.peer_id,
        MirroredProfile.subject,
        MirroredProfile.document,
        MirroredProfile.name,
        MirroredProfile.photo,
        MirroredProfile.issued_at,
    )
