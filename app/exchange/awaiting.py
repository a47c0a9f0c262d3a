"""Neighbours that may know better than we do what we signed, because we are back from a backup.

Each space that may hold documents of ours is asked by a job of its own, which is never given up.
As long as one of these jobs waits, what was signed before the return is not signed again by
itself: the withdrawal of it may be known to that neighbour alone. Its answer ends the waiting, and
so does the end of the peering, since nothing of ours is held there any more.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from app.exchange import outbox
from app.models.feed import FeedState, OwnCheckpoint, PeerAck
from app.models.job import Job
from app.models.peer import Peer

#: Halves of a peering under which the other side may hold a copy of our directory.
HOLDING = ("approved", "suspended", "key_hold")


def since(session: Session) -> datetime | None:
    """Return the moment of the return while a neighbour has not told what it knows, else none."""
    waits = exists().where(Job.kind == outbox.RECALL)
    moment: datetime | None = session.scalar(select(FeedState.restored_at).where(waits))
    return moment


def awaited(session: Session) -> list[Peer]:
    """Return the neighbours that have not told yet, by name."""
    jobs = exists().where(Job.kind == outbox.RECALL, Job.peer_id == Peer.id)
    return list(session.scalars(select(Peer).where(jobs).order_by(Peer.name, Peer.url)))


def ask_all(session: Session, now: datetime) -> int:
    """Ask every space that may hold documents of ours, and return how many; the caller commits."""
    asked = [peer for peer in session.scalars(select(Peer)).all() if may_hold(peer, now)]
    for peer in asked:
        outbox.request(session, outbox.RECALL, str(peer.id), now, peer_id=peer.id)
    # What lists say of members meanwhile is published afterwards.
    outbox.request(session, outbox.CATCH_UP, "", now)
    return len(asked)


def ask_when_active(session: Session, peer: Peer, now: datetime) -> None:
    """Ask ``peer``, with whom documents cross again, unless it told since our last return."""
    restored_at = session.scalar(select(FeedState.restored_at))
    if restored_at is None or peer.static:
        return
    if peer.recalled_at is None or peer.recalled_at < restored_at:
        outbox.request(session, outbox.RECALL, str(peer.id), now, peer_id=peer.id)


def release(session: Session, peer: Peer) -> None:
    """Wait for ``peer`` no longer: the peering is over."""
    for kind in (outbox.RECALL, outbox.DOUBT):
        outbox.drop(session, kind, str(peer.id))


def doubt(session: Session, peer: Peer, now: datetime, *, due_at: datetime | None = None) -> None:
    """Have ``peer`` asked for our own signature on a state that it knows and we do not."""
    outbox.request(session, outbox.DOUBT, str(peer.id), now, due_at=due_at, peer_id=peer.id)


def doubt_unconfirmed(session: Session, now: datetime) -> None:
    """Have those asked who read us and do not confirm our newest state; called once a day.

    Most are merely late. One whose copy can never agree may hold what we forgot to have signed.
    """
    newest = session.scalars(
        select(OwnCheckpoint).filter_by(view="peers").order_by(OwnCheckpoint.id.desc()).limit(1)
    ).one_or_none()
    if newest is None:
        return
    confirmed = select(PeerAck.peer_id).where(
        PeerAck.view == "peers", PeerAck.epoch == newest.epoch, PeerAck.seq >= newest.seq
    )
    late = select(Peer).where(
        Peer.ours == "approved", Peer.theirs == "approved", Peer.id.not_in(confirmed)
    )
    for peer in session.scalars(late):
        if not peer.static:
            doubt(session, peer, now)


def may_hold(peer: Peer, now: datetime) -> bool:
    """Say whether ``peer`` may hold documents of ours: a copy outlives a pause by its days only."""
    if peer.static or peer.ours not in HOLDING or peer.theirs not in HOLDING:
        return False
    paused = "suspended" in (peer.ours, peer.theirs)
    return not paused or (peer.purge_at is not None and peer.purge_at > now)
