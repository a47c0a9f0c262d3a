"""What is swept away every day: everything a peer can make grow has an end here."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.exchange import awaiting, conversations, copies, deliveries, peers, photos, trial
from app.exchange.identity import Identity
from app.models import passkey, provider, report, sign_in
from app.models.feed import FeedEntry, OwnCheckpoint
from app.models.job import SeenAssertion
from app.models.journal import KINDS, JournalEntry
from app.models.peer import Peer

#: How long a request waits for an answer of our admin.
REQUEST_LIFETIME = timedelta(days=30)

#: How long the journal is kept, and how many lines of each kind at most: what others cause never
#: pushes out what was decided here.
JOURNAL_LIFETIME = timedelta(days=365)
JOURNAL_LINES = 20_000

#: How long our own past checkpoints are kept: longer than anybody may hold one back.
CHECKPOINT_MEMORY = timedelta(days=30)


def purge(session: Session, identity: Identity, now: datetime) -> str:
    """Delete what has reached its end, and say what; the caller commits."""
    expired = sum(
        len(copies.remove_expired(session, peer_id, now))
        for peer_id in session.scalars(select(Peer.id)).all()
    )
    over = list(session.scalars(select(Peer).where(Peer.purge_at <= now)))
    for peer in over:
        if peer.epoch:
            # Its members may wait for a word of ours: whoever holds nothing says so.
            deliveries.acknowledge_nothing(session, peer, identity, now)
        copies.purge(session, peer)
    unanswered = list(
        session.scalars(
            select(Peer).where(peers.undecided(), Peer.asked_at <= now - REQUEST_LIFETIME)
        )
    )
    for peer in unanswered:
        conversations.give_up(session, peer, now)
        peers.forget(session, peer)
    _sweep_own(session, now)
    awaiting.doubt_unconfirmed(session, now)
    photos.request_all(session, now)
    return f"{expired} expired, {len(over)} copies over, {len(unanswered)} requests unanswered"


def _sweep_own(session: Session, now: datetime) -> None:
    sign_in.sweep(session, now)
    passkey.sweep(session, now)
    provider.sweep(session, now)
    conversations.sweep(session, now)
    report.sweep(session, now)
    trial.forget_old(session, now)
    session.execute(delete(SeenAssertion).where(SeenAssertion.expires_at <= now))
    session.execute(
        delete(FeedEntry).where(FeedEntry.kind == "withdrawal", FeedEntry.expires_at <= now)
    )
    newest = select(func.max(OwnCheckpoint.id)).group_by(OwnCheckpoint.view)
    session.execute(
        delete(OwnCheckpoint).where(
            OwnCheckpoint.signed_at <= now - CHECKPOINT_MEMORY, OwnCheckpoint.id.not_in(newest)
        )
    )
    session.execute(delete(JournalEntry).where(JournalEntry.at <= now - JOURNAL_LIFETIME))
    for kind in KINDS:
        of_kind = select(JournalEntry.id).filter_by(kind=kind).order_by(JournalEntry.id.desc())
        last = session.scalar(of_kind.offset(JOURNAL_LINES).limit(1))
        if last is not None:
            session.execute(
                delete(JournalEntry).where(JournalEntry.kind == kind, JournalEntry.id <= last)
            )
