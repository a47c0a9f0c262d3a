"""Taking in what a neighbour has published since we last asked.

Network and signatures come first, outside any transaction; then documents, tombstones, index,
cursor and the comparison of roots are written in one commit for a few pages. A crash in between
repeats pages and never skips one.

* One bad document is its author's problem: it goes into the journal, the rest is taken in.
* Nothing is deleted because an answer did not come: only on a signed withdrawal, on expiry, when
  the peering ends, or when the signed root proves that the directory does not have a record.
* A neighbour that loses many records at once has to wait for our admin.
* One pull reads so many pages, and takes so much time, and no more (``app.exchange.turn``); a feed
  that is longer goes on behind the others, and one that leads in circles, or has no end, is none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.exchange import checkpoints, copies, entities, lag, outbox, reconcile, standing
from app.exchange.calm import calm
from app.exchange.feeds import Page, Record
from app.exchange.identity import Identity
from app.exchange.intake import Intake, Preparations, prepare
from app.exchange.several import PAGES_PER_PULL, Reader
from app.exchange.turn import TurnOverError
from app.models.engine import reading
from app.models.journal import note
from app.models.peer import Peer
from federation.entity import EntityConfiguration
from federation.errors import (
    EndlessFeedError,
    EpochChangedError,
    FederationError,
    NotPeeredError,
    SuspendedError,
    UnknownIssuerError,
)
from federation.limits import DROP_RECORDS, FEED_RECORDS, PEER_PROFILES
from federation.replica import Outcome, drops_many
from federation.transport import Transport

#: How often a neighbour that says we are none is told our half again.
STATED_AGAIN_AFTER = timedelta(days=1)

#: Refusals of one pull that are kept with the document; of further ones only the number is.
REFUSALS_KEPT = 20


@dataclass(slots=True)
class Pulled:
    """What one pull changed, by subject, and what it refused, by code."""

    admitted: list[str] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    expired: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    """``(code, subject)``; the subject is empty when the document could not be read."""

    more: bool = False
    """The feed goes on: pull again soon."""

    problem: str = ""
    """The code of what is wrong with the whole, such as ``rollback``; empty when nothing is."""

    waiting: int = 0
    """Records whose deletion waits for an admin."""

    gained: int = field(default=0, compare=False)
    """How many more profiles are held than before."""

    quiet: bool = field(default=False, compare=False)
    """Nothing is new there, nothing is due here, and nothing was written."""


def pull(
    session: Session, peer: Peer, transport: Transport, identity: Identity, now: datetime
) -> Pulled:
    """Read the feed of ``peer`` from where we stopped, and commit page by page.

    :raises FederationError: nothing more could be read; it is said on the row of ``peer``, and
        what was committed before stays.
    :raises OperationalError: the database could not be written; likewise.
    """
    peer_id = peer.id
    pulled = Pulled()
    try:
        with calm():
            _pull(session, peer, transport, identity, now, pulled)
    except (FederationError, OperationalError) as error:
        session.rollback()
        _say_failure(session, peer_id, error, now)
        raise
    return pulled


def _pull(
    session: Session,
    peer: Peer,
    transport: Transport,
    identity: Identity,
    now: datetime,
    pulled: Pulled,
) -> None:
    if not standing.is_active(peer, identity):
        raise NotPeeredError("the two spaces have not both approved each other")
    plate = entities.current_configuration(session, peer, transport, identity, now)
    before = copies.count(session, peer)
    looked_again = began_again = False
    reader = Reader(transport, identity, now)
    while reader.pages < PAGES_PER_PULL:
        since, etag, epoch = peer.cursor, peer.feed_etag, peer.epoch
        left = FEED_RECORDS - peer.since_end
        # Nothing of ours is asked for until the pages are here: that would begin a transaction,
        # and all other writers would wait as long as the neighbour takes.
        session.commit()
        try:
            page = reader.read(plate, since, etag, epoch, left)
        except TurnOverError:
            break
        except EpochChangedError as error:
            if began_again:
                raise EndlessFeedError("its feed begins anew with each request") from error
            began_again = True
            _begin_again(session, peer)
            continue
        if page.names_unknown_key and not looked_again:
            # Perhaps it rotated its operational key since we last looked at its door.
            looked_again = True
            plate = entities.refresh(session, peer, transport, identity, now)
            if peer.cursor != since:
                # What a withdrawn key had signed is gone: read everything again.
                continue
            page = page.verified_with(plate.operational_keys)
        if page.unchanged and _is_as_it_was(session, peer, identity, since, now):
            pulled.quiet = True
            return
        prepared = prepare(session, page, now)
        _lock(session, peer, identity, since)
        if not page.unchanged and not _take_in(
            session, peer, page, identity, now, pulled, before, prepared
        ):
            return
        if not page.more:
            _complete(session, peer, page, plate, now, pulled)
            session.commit()
            if reconcile.is_due(peer, now):
                _reconcile(session, peer, plate, transport, identity, now, pulled)
            return
        if peer.since_end > FEED_RECORDS:
            raise EndlessFeedError(f"more than {FEED_RECORDS} records, and no end")
        session.commit()
        reader.raise_what_came_between()
    pulled.more = True


def _is_as_it_was(
    session: Session, peer: Peer, identity: Identity, since: str, now: datetime
) -> bool:
    """Say whether an answer that nothing is new leaves nothing to write. Reads only."""
    with reading():
        session.refresh(peer)
        believed = checkpoints.believed(peer)
        as_it_was = (
            standing.is_active(peer, identity)
            and peer.cursor == since
            and (peer.failures, peer.since_end, peer.last_error) == (0, 0, "")
            and peer.roots_agree is True
            and peer.unconfirmed_since is None
            and (peer.static or peer.acked_root == peer.their_root)
            and believed is not None
            and believed.expires_at > now
            and not copies.has_expired(session, peer, now)
        )
        session.commit()
    return as_it_was


def _begin_again(session: Session, peer: Peer) -> None:
    peer.cursor = peer.feed_etag = ""
    session.commit()


def _lock(session: Session, peer: Peer, identity: Identity, since: str) -> None:
    """Begin the writing transaction, and make sure that nothing was decided meanwhile.

    :raises NotPeeredError: an admin ended or suspended the peering while we were reading.
    """
    session.refresh(peer, with_for_update=True)
    if not standing.is_active(peer, identity) or peer.cursor != since:
        raise NotPeeredError("the peering changed while its feed was read")


def _take_in(
    session: Session,
    peer: Peer,
    page: Page,
    identity: Identity,
    now: datetime,
    pulled: Pulled,
    before: int,
    prepared: Preparations,
) -> bool:
    """Write one page; False when it has to wait for an admin, and nothing was written."""
    if page.epoch != peer.epoch:
        peer.epoch, peer.held_seq, peer.their_seq = page.epoch, 0, 0
    room = PEER_PROFILES - before - pulled.gained
    intake = Intake(session, peer, page, identity, now, room=room, prepared=prepared)
    losses = len(pulled.withdrawn) + intake.losses()
    # What waits goes on waiting: by the next reading it would be a smaller share of fewer.
    still = peer.drop_waiting is not None and intake.losses() > DROP_RECORDS
    if (still or drops_many(before, before - losses)) and not peer.drop_accepted:
        session.rollback()
        _wait_for_admin(session, peer, losses, now)
        pulled.waiting = losses
        return False
    for record in page.records:
        try:
            _count(pulled, intake.admit(record), record.subject)
        except FederationError as refusal:
            _refuse(session, peer, record, refusal, now, pulled)
    intake.write()
    peer.since_end += len(page.records)
    peer.cursor, peer.feed_etag = page.next, page.etag
    peer.held_seq = max([peer.held_seq, *(record.seq for record in page.records)])
    return True


def _count(pulled: Pulled, outcome: Outcome, subject: str) -> None:
    if outcome in (Outcome.NEW, Outcome.CHANGED):
        pulled.admitted.append(subject)
        pulled.gained += outcome is Outcome.NEW
    elif outcome is Outcome.WITHDRAWN:
        pulled.withdrawn.append(subject)
        pulled.gained -= 1


def _refuse(
    session: Session,
    peer: Peer,
    record: Record,
    refusal: FederationError,
    now: datetime,
    pulled: Pulled,
) -> None:
    pulled.refused.append((refusal.code, record.subject))
    if len(pulled.refused) <= REFUSALS_KEPT:
        note(
            session, now, "refusal", refusal.code, actor="worker", peer=peer,
            subject=record.subject, detail=str(refusal), evidence=record.jws,
        )  # fmt: skip


def _complete(
    session: Session,
    peer: Peer,
    page: Page,
    plate: EntityConfiguration,
    now: datetime,
    pulled: Pulled,
) -> None:
    """Close a pull that reached the end of the feed: expiry, roots, and how it went."""
    session.flush()
    if len(pulled.refused) > REFUSALS_KEPT:
        note(
            session, now, "refusal", "many-refusals", actor="worker", peer=peer,
            detail=f"{len(pulled.refused)} documents of one pull were refused",
        )  # fmt: skip
    peer.last_success_at, peer.failures, peer.since_end = now, 0, 0
    if not page.unchanged or peer.unconfirmed_since is None:
        # What spoke against it still does, as long as nothing newer is said.
        peer.last_error = peer.last_error_text = ""
    _compare(session, peer, page, plate, now, pulled)
    # Afterwards: the checkpoint may still count what expired since it was signed.
    pulled.expired += copies.remove_expired(session, peer.id, now)


def _compare(
    session: Session,
    peer: Peer,
    page: Page,
    plate: EntityConfiguration,
    now: datetime,
    pulled: Pulled,
) -> None:
    waiting = peer.drop_waiting
    if not page.unchanged:
        peer.drop_waiting = None
    try:
        if page.unchanged:
            checkpoints.believe_unchanged(session, peer, now)
        elif page.checkpoint:
            pulled.expired += checkpoints.believe(
                session, peer, page.checkpoint, plate.operational_keys, now
            )
    except FederationError as error:
        pulled.problem = error.code
        peer.last_error, peer.last_error_at = error.code, now
        peer.last_error_text = sentence_for(error)
    due = reconcile.is_due(peer, now)
    if peer.roots_agree is False and not due and peer.drop_waiting is None:
        # What its index showed to be too many still waits.
        peer.drop_waiting = waiting
    pulled.waiting = peer.drop_waiting or 0
    if not page.unchanged and not due:
        peer.drop_accepted = False


def _reconcile(
    session: Session,
    peer: Peer,
    plate: EntityConfiguration,
    transport: Transport,
    identity: Identity,
    now: datetime,
    pulled: Pulled,
) -> None:
    """Mend what differs although the whole feed was read."""
    done = reconcile.reconcile(session, peer, plate, transport, identity, now)
    if done is not None:
        pulled.admitted += done.taken
        pulled.withdrawn += done.withdrawn
        pulled.expired += done.dropped
        pulled.waiting = done.waiting
    peer.drop_accepted = False
    session.commit()


def _wait_for_admin(session: Session, peer: Peer, losses: int, now: datetime) -> None:
    session.refresh(peer)
    if peer.drop_waiting != losses:
        note(
            session, now, "event", "drop-waits", actor="worker", peer=peer,
            detail=f"it withdraws {losses} profiles at once; they stay until an admin agrees",
        )  # fmt: skip
    peer.drop_waiting = losses
    lag.confirm(peer, False, now)
    peer.last_success_at, peer.failures = now, 0
    session.commit()


def _say_failure(
    session: Session, peer_id: int, error: FederationError | OperationalError, now: datetime
) -> None:
    """Write on the row of the peer, in words, why its pull failed."""
    try:
        peer = session.get(Peer, peer_id, populate_existing=True)
        if peer is None:
            return
        peer.failures += 1
        peer.last_error = error.code if isinstance(error, FederationError) else "database"
        peer.last_error_text = sentence_for(error)
        peer.last_error_at = now
        if isinstance(error, NotPeeredError | UnknownIssuerError) and peer.ours == "approved":
            # Perhaps our yes never arrived, names a key of theirs that was replaced, or was lost
            # with their database: look at their door and say it again, at most daily.
            due = now if peer.failures == 1 else now + STATED_AGAIN_AFTER
            for kind in (outbox.ENTITY, outbox.STATEMENT):
                outbox.request(session, kind, str(peer_id), now, due_at=due, peer_id=peer_id)
        session.commit()
    except OperationalError:
        # The disk is as full for this line as for the pull: the caller raises, the log has it.
        session.rollback()


#: What an admin reads about a failure, by its code.
SENTENCES = {
    "unreachable": "It does not answer. What it shared before stays, with its age.",
    "malformed-answer": "It answers, but not as a space does.",
    "endless-feed": "Its feed has no end, or leads in circles.",
    "slow": "It answers so slowly that its turn was over; the others are read first.",
    "redirect-refused": "It answers with a redirect, which is not followed.",
    "forbidden-address": "Its address leads into a private network.",
    "not-peered": "It has not approved you, or not the key you use now.",
    "suspended": "It has paused the exchange.",
    "rate-limited": "It asks us to wait.",
    "key-hold": "It signs with a new key: compare the six words again.",
    "key-unknown": "It signs with a key that it does not publish.",
    "rollback": "It shows an older state than one it signed before.",
    "fork": "It signed two different states under one number.",
    "frozen": "Nothing newer than a week can be had: somebody may be holding news back.",
    "too-large": "It sends more than the protocol allows.",
    "database": "This space's own computer could not save what came: its disk may be full.",
}


def sentence_for(error: FederationError | OperationalError) -> str:
    """Return what went wrong, in a sentence for the admin."""
    if isinstance(error, OperationalError):
        return SENTENCES["database"]
    if isinstance(error, SuspendedError):
        return SENTENCES["suspended"]
    return SENTENCES.get(error.code, f"What it sent cannot be used: {error}"[:500])
