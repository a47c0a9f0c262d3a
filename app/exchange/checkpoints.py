"""What we sign about the whole of our directory, and what others sign about theirs.

A checkpoint states the Merkle root of a view at a position of its feed. Ours is made when
something changed and at least daily; theirs is believed when it follows the one before, and
compared with the copy that we hold.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from app.exchange import copies, lag, outbox, roots, standing
from app.exchange.identity import Identity
from app.models.feed import FeedEntry, FeedState, OwnCheckpoint
from app.models.journal import JournalEntry, note
from app.models.peer import Peer
from federation import limits, signing
from federation.documents import PEERS, PUBLIC, Checkpoint, View
from federation.envelope import moment
from federation.errors import (
    DocumentError,
    FederationError,
    ForkError,
    FrozenError,
    RollbackError,
)
from federation.keys import Keyring, kid
from federation.replica import drops_many, progress

VIEWS: tuple[View, ...] = ("public", "peers")

#: A checkpoint that still holds is signed again after so long.
RENEWED_AFTER = timedelta(hours=20)


def in_view(view: str) -> ColumnElement[bool]:
    """Return the condition under which a row of the feed belongs to ``view``."""
    return FeedEntry.audience.in_(roots.AUDIENCES[view])


def live_in(view: str, now: datetime) -> ColumnElement[bool]:
    """Return the condition under which a row is a live record of ``view``."""
    return and_(in_view(view), FeedEntry.kind == "profile", FeedEntry.expires_at > now)


def newest(session: Session, view: str, epoch: str) -> OwnCheckpoint | None:
    """Return our last checkpoint of ``view`` in this epoch of the feed."""
    return session.scalars(
        select(OwnCheckpoint)
        .filter_by(view=view, epoch=epoch)
        .order_by(OwnCheckpoint.id.desc())
        .limit(1)
    ).one_or_none()


def make(session: Session, identity: Identity, now: datetime) -> bool:
    """Sign the state of both views as it is now, and make notices due when it is another one.

    The caller commits.

    :returns: whether there is another state, or position, than in the last checkpoint.
    """
    state = session.get_one(FeedState, 1, with_for_update=True, populate_existing=True)
    changed = [_make_view(session, state, view, identity, now) for view in VIEWS]
    if any(changed):
        for peer in session.scalars(select(Peer).where(Peer.ours == "approved")):
            if standing.is_active(peer, identity):
                outbox.request(session, outbox.NOTICE, str(peer.id), now, peer_id=peer.id)
    return any(changed)


def believe(session: Session, peer: Peer, token: str, keys: Keyring, now: datetime) -> list[str]:
    """Take in a checkpoint of ``peer`` and compare it with our copy; the caller commits.

    Our copy must cover the feed to its end.

    :returns: the subjects that were deleted, because a restarted feed has them no more.
    :raises FederationError: it is not one to be believed; the journal keeps it.
    """
    try:
        _accept(peer, token, keys, now)
    except FederationError as error:
        told_two_stories = isinstance(error, ForkError | RollbackError)
        if told_two_stories:
            peer.roots_agree = False
        _doubt(session, peer, error, now, token, peer.their_checkpoint if told_two_stories else "")
        raise
    if peer.their_seq < peer.held_seq:
        # Made before the last records that we read; the next one will cover them.
        return []
    return compare(session, peer, now)


def believe_unchanged(session: Session, peer: Peer, now: datetime) -> None:
    """Take the word of ``peer`` that nothing changed, as long as what it signed still holds.

    :raises FrozenError: its last checkpoint is past its end, so somebody holds newer ones back.
    """
    held = believed(peer)
    if held is not None and held.expires_at <= now:
        error = FrozenError(f"nothing newer than {held.issued_at:%Y-%m-%d %H:%M} can be had")
        _doubt(session, peer, error, now, peer.their_checkpoint)
        raise error
    if peer.roots_agree:
        lag.confirm(peer, True, now)
    # An acknowledgement that never arrived is a receipt that somebody waits for.
    acknowledge(session, peer, now)


def acknowledge(session: Session, peer: Peer, now: datetime) -> None:
    """Make our word due that our copy of ``peer`` has its root, unless it has arrived."""
    if peer.roots_agree and peer.acked_root != peer.their_root:
        outbox.request(session, outbox.ACK, str(peer.id), now, peer_id=peer.id)


def _doubt(
    session: Session, peer: Peer, error: FederationError, now: datetime, *evidence: str
) -> None:
    """Keep what speaks against ``peer``, once however often it is shown, and doubt our copy."""
    lag.confirm(peer, False, now)
    shown = "\n".join(filter(None, evidence))
    known = select(JournalEntry.id).where(
        JournalEntry.peer_id == peer.id,
        JournalEntry.code == error.code,
        JournalEntry.evidence == shown,
    )
    if session.scalar(known.limit(1)) is None:
        note(
            session, now, "refusal", error.code, actor="worker", peer=peer,
            detail=str(error), evidence=shown,
        )  # fmt: skip


def _make_view(
    session: Session, state: FeedState, view: View, identity: Identity, now: datetime
) -> bool:
    leaves = roots.of_view(session, view, state.epoch, now)
    root = leaves.root().hex()
    last = newest(session, view, state.epoch)
    if last is not None and last.seq == state.seq:
        if last.root == root:
            roots.keep_view(session, view, leaves, state.epoch, state.seq, now)
            by_another_key = last.kid != kid(identity.operational_key)
            if by_another_key or last.signed_at <= now - RENEWED_AFTER:
                _sign(last, view, identity, now)
            return False
        # A record expired: another state needs another position, or it would look like a fork.
        state.seq += 1
    made = OwnCheckpoint(view=view, epoch=state.epoch, seq=state.seq, count=len(leaves), root=root)
    _sign(made, view, identity, now)
    session.add(made)
    session.flush()
    roots.keep_view(session, view, leaves, state.epoch, state.seq, now)
    # Also with the root of before: what came and went in between has to be confirmed as gone.
    return True


def _sign(row: OwnCheckpoint, view: View, identity: Identity, now: datetime) -> None:
    checkpoint = Checkpoint(
        issuer=identity.space,
        view=view,
        epoch=row.epoch,
        seq=row.seq,
        count=row.count,
        root=row.root,
        issued_at=moment(now),
        expires_at=moment(now) + limits.CHECKPOINT_LIFETIME,
    )
    row.jws = signing.issue(checkpoint, identity.operational_key)
    row.kid = kid(identity.operational_key)
    row.signed_at, row.expires_at = checkpoint.issued_at, checkpoint.expires_at


def _accept(peer: Peer, token: str, keys: Keyring, now: datetime) -> None:
    checkpoint = signing.read(token, keys, Checkpoint).document
    asked = PUBLIC if peer.static else PEERS
    if checkpoint.view != asked:
        raise DocumentError(
            f"a checkpoint of the {checkpoint.view} view, where {asked} was asked for"
        )
    progress(checkpoint, believed(peer), entity_id=peer.url, now=now)
    if checkpoint.epoch != peer.epoch:
        raise DocumentError("a checkpoint of another epoch than the page it came with")
    if checkpoint.seq != peer.their_seq:
        # A root that returns at a later position is acknowledged again: it is the receipt for
        # what was published and withdrawn in between.
        peer.acked_root = ""
    peer.their_checkpoint = token
    peer.their_seq, peer.their_root = checkpoint.seq, checkpoint.root


def believed(peer: Peer) -> Checkpoint | None:
    """Return the last checkpoint of ``peer`` that was believed."""
    if not peer.their_checkpoint:
        return None
    # Verified when it was stored; the key that signed it may have been retired since.
    claims = signing.unverified_claims(peer.their_checkpoint, Checkpoint.typ)
    return Checkpoint.from_claims(claims)


def compare(session: Session, peer: Peer, now: datetime) -> list[str]:
    """Compare our copy of ``peer`` with the last checkpoint that was believed.

    :returns: the subjects that were deleted, because a restarted feed has them no more.
    """
    checkpoint = believed(peer)
    if checkpoint is None:
        return []
    agreed_before = peer.roots_agree
    session.flush()
    gone = _drop_left_out(session, peer, checkpoint, now)
    peer.roots_agree = copies.agrees(session, peer, checkpoint)
    lag.confirm(peer, peer.roots_agree, now)
    acknowledge(session, peer, now)
    if not peer.roots_agree and agreed_before is not False:
        note(
            session, now, "event", "roots-differ", actor="worker", peer=peer,
            detail="our copy is not what its checkpoint states", evidence=peer.their_checkpoint,
        )  # fmt: skip
    return gone


def _drop_left_out(
    session: Session, peer: Peer, checkpoint: Checkpoint, now: datetime
) -> list[str]:
    """Delete what a restarted feed left out, if its signed root proves that nothing is missing."""
    left_out = copies.of_earlier_epochs(session, peer)
    if not left_out or not copies.agrees(session, peer, checkpoint, epoch=peer.epoch):
        return []
    held = copies.count(session, peer)
    if drops_many(held, held - len(left_out)) and not peer.drop_accepted:
        peer.drop_waiting = len(left_out)
        note(
            session, now, "event", "drop-waits", actor="worker", peer=peer,
            detail=f"its restarted feed lacks {len(left_out)} profiles; they stay until an "
            "admin agrees",
        )  # fmt: skip
        return []
    copies.remove(session, left_out)
    return left_out
