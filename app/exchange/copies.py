"""What we hold of one peer: its rows, its root, and how they are deleted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session

from app.exchange import roots
from app.models.peer import MirroredProfile, MirroredWithdrawal, Peer
from app.search.index import remove_mirrored
from federation import signing, tree
from federation.documents import Checkpoint
from federation.keys import Keyring
from federation.limits import CLOCK_SKEW, PEER_WITHDRAWALS
from federation.tree import MerkleSet

#: Profiles looked up in one statement; a database binds a limited number of values.
REMOVED_AT_ONCE = 500


def count(session: Session, peer: Peer) -> int:
    """Return how many profiles of ``peer`` are held."""
    return session.scalar(select(func.count()).where(MirroredProfile.peer_id == peer.id)) or 0


def of_earlier_epochs(session: Session, peer: Peer) -> list[str]:
    """Return the subjects that were not met again since the feed of ``peer`` was restarted."""
    return list(
        session.scalars(
            select(MirroredProfile.subject).where(
                MirroredProfile.peer_id == peer.id, MirroredProfile.epoch != peer.epoch
            )
        )
    )


def agrees(
    session: Session, peer: Peer, checkpoint: Checkpoint, *, epoch: str | None = None
) -> bool:
    """Say whether our copy of ``peer`` is exactly what ``checkpoint`` states.

    :param epoch: take only what was met in this epoch of the feed.
    """
    if epoch is None:
        found = roots.of_copy(session, peer, checkpoint.issued_at)
    else:
        met = _live(peer, checkpoint.issued_at).where(MirroredProfile.epoch == epoch)
        found = MerkleSet(leaf for _, leaf in _leaves(session, met))
    return len(found) == checkpoint.count and found.root().hex() == checkpoint.root


def leaves_by_subject(session: Session, peer: Peer, at: datetime) -> dict[str, bytes]:
    """Return the Merkle leaf of each profile of ``peer`` that we hold and that is live ``at``."""
    return dict(_leaves(session, _live(peer, at)))


def _live(peer: Peer, at: datetime) -> Select[str, int, str]:
    return select(MirroredProfile.subject, MirroredProfile.revision, MirroredProfile.digest).where(
        MirroredProfile.peer_id == peer.id, MirroredProfile.expires_at > at
    )


def _leaves(session: Session, wanted: Select[str, int, str]) -> Iterator[tuple[str, bytes]]:
    for subject, revision, digest in session.execute(wanted):
        yield subject, tree.leaf_from_digest(subject, revision, bytes.fromhex(digest))


def remove(session: Session, subjects: Sequence[str]) -> None:
    """Delete profiles, and what the index says of them."""
    gone: dict[int, list[str]] = defaultdict(list)
    for start in range(0, len(subjects), REMOVED_AT_ONCE):
        some = MirroredProfile.subject.in_(subjects[start : start + REMOVED_AT_ONCE])
        for peer_id, subject in session.execute(
            select(MirroredProfile.peer_id, MirroredProfile.subject).where(some)
        ):
            remove_mirrored(session, subject)
            gone[peer_id].append(subject)
        session.execute(delete(MirroredProfile).where(some))
    for peer_id, theirs in gone.items():
        roots.taken_out(session, session.get_one(Peer, peer_id), theirs)


def has_expired(session: Session, peer: Peer, now: datetime) -> bool:
    """Say whether :func:`remove_expired` has anything to do."""
    over = [
        select(kind.id).where(kind.peer_id == peer.id, kind.expires_at <= now).limit(1)
        for kind in (MirroredProfile, MirroredWithdrawal)
    ]
    return any(session.scalar(each) is not None for each in over)


def remove_expired(session: Session, peer_id: int, now: datetime) -> list[str]:
    """Delete the profiles and tombstones of one peer that are past their end."""
    gone = list(
        session.scalars(
            select(MirroredProfile.subject).where(
                MirroredProfile.peer_id == peer_id, MirroredProfile.expires_at <= now
            )
        )
    )
    remove(session, gone)
    over = (MirroredWithdrawal.peer_id == peer_id, MirroredWithdrawal.expires_at <= now)
    # Looked for first: a neighbour who has nothing new makes us write nothing.
    if session.scalar(select(MirroredWithdrawal.id).where(*over).limit(1)) is not None:
        session.execute(delete(MirroredWithdrawal).where(*over))
    return gone


def forget_oldest_withdrawals(session: Session, peer: Peer) -> bool:
    """Keep no more tombstones of ``peer`` than there is room for; the caller commits.

    What may have been withdrawn by one of those that go is refused from now on by its date.

    :returns: whether it is the first time that there were too many.
    """
    mine = MirroredWithdrawal.peer_id == peer.id
    surplus = (session.scalar(select(func.count()).where(mine)) or 0) - PEER_WITHDRAWALS
    if surplus <= 0:
        return False
    oldest = session.execute(
        select(MirroredWithdrawal.id, MirroredWithdrawal.received_at)
        .where(mine)
        .order_by(MirroredWithdrawal.received_at, MirroredWithdrawal.id)
        .limit(surplus)
    ).all()
    session.execute(
        delete(MirroredWithdrawal).where(MirroredWithdrawal.id.in_([row.id for row in oldest]))
    )
    first = peer.forgotten_until is None
    # Its clock may be ahead of ours by as much.
    peer.forgotten_until = oldest[-1].received_at + CLOCK_SKEW
    return first


def disown(session: Session, peer: Peer, keys: Keyring) -> int:
    """Delete what none of ``keys`` signed, and return how much; the caller commits.

    Of a key that its space withdrew nothing is believed any more, neither profile nor tombstone.
    The feed is read again from the beginning: what is still true is signed anew by then.
    """
    profiles = select(MirroredProfile.subject).where(
        MirroredProfile.peer_id == peer.id, MirroredProfile.kid.not_in(list(keys))
    )
    gone = list(session.scalars(profiles))
    remove(session, gone)
    held = select(MirroredWithdrawal).where(MirroredWithdrawal.peer_id == peer.id)
    tombstones = [row for row in session.scalars(held) if signing.kid_of(row.jws) not in keys]
    for row in tombstones:
        session.delete(row)
    if gone or tombstones:
        peer.cursor = peer.feed_etag = ""
    return len(gone) + len(tombstones)


def purge(session: Session, peer: Peer) -> None:
    """Delete all that is held of ``peer``; a later peering begins from nothing."""
    if peer.id is None:
        return
    session.flush()
    remove(
        session,
        list(
            session.scalars(
                select(MirroredProfile.subject).where(MirroredProfile.peer_id == peer.id)
            )
        ),
    )
    session.execute(delete(MirroredWithdrawal).where(MirroredWithdrawal.peer_id == peer.id))
    peer.epoch = peer.cursor = peer.feed_etag = ""
    peer.their_root = peer.their_checkpoint = peer.acked_root = ""
    peer.held_seq = peer.their_seq = peer.since_end = 0
    peer.roots_agree = peer.drop_waiting = peer.last_success_at = peer.purge_at = None
    peer.forgotten_until = None
    peer.unconfirmed_since = None
    peer.drop_accepted = False
