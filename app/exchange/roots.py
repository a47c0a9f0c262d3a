"""The Merkle sets of our own views and of our copies, kept from one root to the next.

They live in the memory of one process and are never asked whether they are right: each says what
it was made from, and the database says whether that still stands. What does not is made anew.

* A view of ours is kept as the state of a checkpoint, known by position and root. While that
  checkpoint is in the database, all that has changed since has a higher position, and what has
  expired since is found by its date.
* A copy is kept under the stamp on its neighbour's row: a word drawn by chance with each
  transaction that writes into the copy. One that is undone takes its stamp along; one of another
  process leaves a stamp that is not known here.

Whoever adds or deletes a neighbour's profile by a statement says here which, in the same
transaction, and the set follows. A row that is written in any other way only changes the stamp.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from threading import RLock
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, event, select, update
from sqlalchemy.orm import Session

from app.models.base import new_id
from app.models.feed import FeedEntry, OwnCheckpoint
from app.models.peer import MirroredProfile, Peer
from federation import tree
from federation.documents import PEERS, PUBLIC
from federation.tree import MerkleSet

#: Leaves kept in memory for one database, at about 140 bytes each: what was used least goes first.
LEAVES_KEPT = 500_000

#: What belongs into each view, by audience.
AUDIENCES = {PUBLIC: (PUBLIC,), PEERS: (PUBLIC, PEERS)}


@dataclass(slots=True)
class _Kept:
    leaves: MerkleSet
    at: datetime
    """What had expired by then is not in it."""

    stamp: str
    """What the database has to say so that the set holds: a copy's stamp, or a view's root."""

    epoch: str = ""
    seq: int = 0
    """Of a view: the position that it covers."""


_shelves: WeakKeyDictionary[Engine, OrderedDict[str, _Kept]] = WeakKeyDictionary()
_turn = RLock()


def of_view(session: Session, view: str, epoch: str, now: datetime) -> MerkleSet:
    """Return what is live in a view of ours ``now``; :func:`keep_view` keeps it for the next time.

    Whoever asks has locked the feed.
    """
    with _turn:
        # Taken away until it is known what it became: this transaction may be undone.
        kept = _shelf(session).pop(view, None)
    if kept is None or kept.epoch != epoch or kept.at > now or not _signed(session, view, kept):
        return MerkleSet(_live_in(session, view, now))
    columns = FeedEntry.subject, FeedEntry.revision, FeedEntry.digest
    changed = select(*columns, FeedEntry.kind, FeedEntry.audience, FeedEntry.expires_at).where(
        FeedEntry.seq > kept.seq
    )
    for subject, revision, digest, kind, audience, expires_at in session.execute(changed):
        if kind == "profile" and audience in AUDIENCES[view] and expires_at > now:
            kept.leaves.put(_leaf(subject, revision, digest))
        else:
            kept.leaves.drop(subject)
    expired = select(FeedEntry.subject).where(
        FeedEntry.expires_at > kept.at, FeedEntry.expires_at <= now
    )
    for subject in session.scalars(expired):
        kept.leaves.drop(subject)
    return kept.leaves


def keep_view(
    session: Session, view: str, leaves: MerkleSet, epoch: str, seq: int, now: datetime
) -> None:
    """Keep ``leaves``, for whose root at ``seq`` a checkpoint is signed by now."""
    _keep(session, view, _Kept(leaves, now, leaves.root().hex(), epoch, seq))


def of_copy(session: Session, peer: Peer, at: datetime) -> MerkleSet:
    """Return what we hold of ``peer`` and is live ``at``. Not to be changed but by this module."""
    with _turn:
        kept = _shelf(session).get(_name(peer))
        stamp = _stamp(session, peer)
        if kept is None or kept.stamp != stamp or kept.at > at:
            kept = _Kept(MerkleSet(_held_of(session, peer, at)), at, stamp)
        elif kept.at < at:
            expired = select(MirroredProfile.subject).where(
                MirroredProfile.peer_id == peer.id,
                MirroredProfile.expires_at > kept.at,
                MirroredProfile.expires_at <= at,
            )
            for subject in session.scalars(expired):
                kept.leaves.drop(subject)
            kept.at = at
        # Settled before others may read it.
        kept.leaves.root()
        _keep(session, _name(peer), kept)
        return kept.leaves


def taken_in(session: Session, peer: Peer, rows: Iterable[tuple[str, int, str, datetime]]) -> None:
    """Say which profiles were added or replaced: ``(subject, revision, digest, expires_at)``."""
    kept = _follow(session, peer)
    if kept is None:
        return
    for subject, revision, digest, expires_at in rows:
        if expires_at > kept.at:
            kept.leaves.put(_leaf(subject, revision, digest))
        else:
            kept.leaves.drop(subject)


def taken_out(session: Session, peer: Peer, subjects: Iterable[str]) -> None:
    """Say which profiles were deleted."""
    kept = _follow(session, peer)
    if kept is None:
        return
    for subject in subjects:
        kept.leaves.drop(subject)


def forget(session: Session) -> None:
    """Forget all sets of this database, as a process that starts knows none."""
    with _turn:
        _shelf(session).clear()


def _follow(session: Session, peer: Peer) -> _Kept | None:
    """Give the copy another stamp, and return the set that is to follow it, if there is one."""
    before, peer.copy_stamp = _stamp(session, peer), new_id()
    with _turn:
        kept = _shelf(session).get(_name(peer))
        if kept is None or kept.stamp != before:
            return None
        kept.stamp = peer.copy_stamp
        return kept


@event.listens_for(MirroredProfile, "after_insert")
@event.listens_for(MirroredProfile, "after_update")
@event.listens_for(MirroredProfile, "after_delete")
def _written_otherwise(_mapper: object, connection: Connection, row: MirroredProfile) -> None:
    connection.execute(update(Peer).where(Peer.id == row.peer_id).values(copy_stamp=new_id()))


def _stamp(session: Session, peer: Peer) -> str:
    # Asked of the database: the row in memory does not know of a stamp given by a statement.
    return session.scalars(select(Peer.copy_stamp).where(Peer.id == peer.id)).one()


def _signed(session: Session, view: str, kept: _Kept) -> bool:
    """Say whether the state that was kept is one that the database knows."""
    found = select(OwnCheckpoint.id).filter_by(
        view=view, epoch=kept.epoch, seq=kept.seq, root=kept.stamp
    )
    return session.scalar(found.limit(1)) is not None


def _live_in(session: Session, view: str, now: datetime) -> Iterable[bytes]:
    live = select(FeedEntry.subject, FeedEntry.revision, FeedEntry.digest).where(
        FeedEntry.kind == "profile",
        FeedEntry.audience.in_(AUDIENCES[view]),
        FeedEntry.expires_at > now,
    )
    return (_leaf(*row) for row in session.execute(live))


def _held_of(session: Session, peer: Peer, at: datetime) -> Iterable[bytes]:
    live = select(MirroredProfile.subject, MirroredProfile.revision, MirroredProfile.digest).where(
        MirroredProfile.peer_id == peer.id, MirroredProfile.expires_at > at
    )
    return (_leaf(*row) for row in session.execute(live))


def _leaf(subject: str, revision: int, digest: str) -> bytes:
    return tree.leaf_from_digest(subject, revision, bytes.fromhex(digest))


def _keep(session: Session, name: str, kept: _Kept) -> None:
    with _turn:
        shelf = _shelf(session)
        shelf[name] = kept
        shelf.move_to_end(name)
        while len(shelf) > 1 and sum(len(each.leaves) for each in shelf.values()) > LEAVES_KEPT:
            shelf.popitem(last=False)


def _shelf(session: Session) -> OrderedDict[str, _Kept]:
    bind = session.get_bind()
    engine = bind.engine if isinstance(bind, Connection) else bind
    return _shelves.setdefault(engine, OrderedDict())


def _name(peer: Peer) -> str:
    # The reference is drawn by chance: a number may be given to another neighbour later.
    return peer.ref
