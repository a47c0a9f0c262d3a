"""Finding out in what our copy of a neighbour differs from what it signed, and mending only that.

Asked for when the whole feed was read and the roots still differ. The index is signed by nobody:
it counts only while its own root is the one in the checkpoint, and then proves for each person
whether they are in the directory. What is missing is asked for by name and goes through the same
door as everything else; who is too many goes.

A difference may last, because a document was refused here for good reasons. So the same root is
looked into once a day and no more, any other at most every quarter of an hour, one whose index
was wrong tomorrow; and a refusal that the journal has is not written down again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.exchange import checkpoints, copies, feeds, outbox, standing
from app.exchange.feeds import Page, Record
from app.exchange.identity import Identity
from app.exchange.intake import Intake
from app.models.journal import JournalEntry, note
from app.models.peer import MirroredProfile, MirroredWithdrawal, Peer
from federation import client, tree
from federation.client import IndexEntry
from federation.documents import Checkpoint
from federation.entity import EntityConfiguration
from federation.errors import FederationError, IndexDiffersError, MalformedAnswerError
from federation.identifiers import owns
from federation.limits import ASKED_REFS, PEER_PROFILES
from federation.replica import Outcome, drops_many
from federation.transport import Transport

#: How soon the index of a neighbour may be read again; and for a root that was looked into already.
REST, REST_IN_VAIN = timedelta(minutes=15), timedelta(days=1)

#: People asked for by name; when more are missing, the feed is read from its beginning instead.
ASKED_BY_NAME = 1_000


class MovedOnError(FederationError):
    """Something was decided or read meanwhile; the next reading compares again."""

    code = "moved-on"
    permanent = False


@dataclass(slots=True)
class Reconciled:
    """What was different, and what became of it, by subject."""

    missing: list[str] = field(default_factory=list)
    surplus: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    waiting: int = 0
    """How many would go at once, and wait for an admin."""

    def told(self, *, agree: bool) -> str:
        """Return it in a sentence for the journal."""
        gone = len(self.dropped) + len(self.withdrawn)
        return (
            f"{len(self.missing)} missing, {len(self.surplus)} too many; "
            f"{len(self.taken)} taken in, {gone} dropped; "
            f"the roots {'agree now' if agree else 'still differ'}"
        )


def is_due(peer: Peer, now: datetime) -> bool:
    """Say whether the index of ``peer``, whose feed was read to its end, is worth reading."""
    covered = bool(peer.their_checkpoint) and peer.their_seq >= peer.held_seq
    if peer.roots_agree is not False or peer.last_error or not covered:
        return False
    if peer.drop_accepted or peer.index_rest_until is None:
        return True
    more = REST_IN_VAIN if peer.index_root == peer.their_root else timedelta()
    return now >= peer.index_rest_until + more


def reconcile(
    session: Session,
    peer: Peer,
    plate: EntityConfiguration,
    transport: Transport,
    identity: Identity,
    now: datetime,
) -> Reconciled | None:
    """Bring our copy of ``peer`` to what its checkpoint states, as far as it may; commits.

    Never raises for what ``peer`` answers: its feed was read, and that stays.

    :returns: ``None`` when its index could not be had or used.
    """
    peer.index_rest_until, peer.index_root = now + REST, ""
    checkpoint = checkpoints.believed(peer)
    session.commit()
    if checkpoint is None:
        return None
    try:
        index = _index(session, peer, plate, transport, identity, checkpoint, now)
        if index is None:
            return None
        return _mend(session, peer, plate, transport, identity, checkpoint, index, now)
    except FederationError as error:
        session.rollback()
        if error.permanent or isinstance(error, MalformedAnswerError):
            # It answers, and wrongly: tomorrow is soon enough.
            peer.index_rest_until = now + REST_IN_VAIN
            _journal(session, peer, error, now, peer.their_checkpoint)
        session.commit()
        return None


def _index(
    session: Session,
    peer: Peer,
    plate: EntityConfiguration,
    transport: Transport,
    identity: Identity,
    checkpoint: Checkpoint,
    now: datetime,
) -> tuple[IndexEntry, ...] | None:
    """Return the index, if it is what ``checkpoint`` states; ``None`` if the space moved on.

    :raises IndexDiffersError: it is not, and nothing has changed since.
    """
    word = feeds.assertion_for(plate.endpoints.index, plate, identity, now)
    index = client.read_index(transport, plate, assertion="" if plate.static else word)
    foreign = (entry.sub for entry in index if not owns(peer.url, entry.sub))
    if next(foreign, None) is None and client.index_agrees(index, checkpoint):
        return index
    since, etag = peer.cursor, peer.feed_etag
    session.commit()
    page = feeds.read_page(transport, plate, identity, since, etag, now)
    news = bool(page.records) and not plate.static
    if page.unchanged or (page.checkpoint == peer.their_checkpoint and not news):
        raise IndexDiffersError("its index is not the state that it signed for")
    return None


def _mend(
    session: Session,
    peer: Peer,
    plate: EntityConfiguration,
    transport: Transport,
    identity: Identity,
    checkpoint: Checkpoint,
    index: tuple[IndexEntry, ...],
    now: datetime,
) -> Reconciled:
    held = copies.leaves_by_subject(session, peer, checkpoint.issued_at)
    stated = {
        entry.sub: tree.leaf_from_digest(entry.sub, entry.rev, bytes.fromhex(entry.digest))
        for entry in index
    }
    found = tree.difference(held, stated)
    done = Reconciled(list(found.missing), list(found.surplus))
    wanted = _worth_asking(session, peer, index, found.missing)
    session.commit()
    if len(wanted) > ASKED_BY_NAME and not plate.static:
        _read_again(session, peer, now)
    elif not plate.static:
        # Files answer no question, and are read whole each time.
        for refs in _refs(wanted):
            records = feeds.read_records(transport, plate, identity, refs, now)
            _lock(session, peer, identity, checkpoint)
            _take_in(session, peer, records, identity, len(held), done, now)
            session.commit()
    _lock(session, peer, identity, checkpoint)
    _drop(session, peer, len(held), done, now)
    session.flush()
    checkpoints.compare(session, peer, now)
    peer.index_root = checkpoint.root
    note(
        session, now, "event", "reconciled", actor="worker", peer=peer,
        detail=done.told(agree=bool(peer.roots_agree)), evidence=peer.their_checkpoint,
    )  # fmt: skip
    session.commit()
    return done


def _worth_asking(
    session: Session, peer: Peer, index: Iterable[IndexEntry], missing: Iterable[str]
) -> list[str]:
    """Return those of ``missing`` whose document could be taken in: we may hold a newer one."""
    newer = {
        subject: revision
        for kind in (MirroredProfile, MirroredWithdrawal)
        for subject, revision in session.execute(
            select(kind.subject, kind.revision).where(kind.peer_id == peer.id)
        )
    }
    stated = {entry.sub: entry.rev for entry in index}
    return [subject for subject in missing if newer.get(subject, 0) <= stated[subject]]


def _refs(subjects: list[str]) -> Iterator[list[str]]:
    refs = [subject.rpartition("/")[2] for subject in subjects]
    for start in range(0, len(refs), ASKED_REFS):
        yield refs[start : start + ASKED_REFS]


def _read_again(session: Session, peer: Peer, now: datetime) -> None:
    peer.cursor = peer.feed_etag = ""
    outbox.request(session, outbox.PULL, str(peer.id), now, peer_id=peer.id)


def _lock(session: Session, peer: Peer, identity: Identity, checkpoint: Checkpoint) -> None:
    """Begin the writing transaction, and make sure that nothing was decided or read meanwhile.

    :raises MovedOnError: something was.
    """
    session.refresh(peer, with_for_update=True)
    same = (peer.their_root, peer.epoch) == (checkpoint.root, checkpoint.epoch)
    if not standing.is_active(peer, identity) or not same:
        raise MovedOnError("the peering changed while its index was read")


def _take_in(
    session: Session,
    peer: Peer,
    records: tuple[Record, ...],
    identity: Identity,
    before: int,
    done: Reconciled,
    now: datetime,
) -> None:
    page = Page(peer.epoch, records, peer.cursor, False, "", peer.feed_etag)
    room = PEER_PROFILES - copies.count(session, peer)
    intake = Intake(session, peer, page, identity, now, room=room)
    losses = len(done.withdrawn) + intake.losses()
    if drops_many(before, before - losses) and not peer.drop_accepted:
        _wait(session, peer, losses, done, now)
        return
    for record in records:
        try:
            outcome = intake.admit(record)
        except FederationError as refusal:
            _journal(session, peer, refusal, now, record.jws, record.subject)
            continue
        if outcome is Outcome.WITHDRAWN:
            done.withdrawn.append(record.subject)
        elif outcome in (Outcome.NEW, Outcome.CHANGED):
            done.taken.append(record.subject)
    intake.write()


def _drop(session: Session, peer: Peer, before: int, done: Reconciled, now: datetime) -> None:
    """Let those go whom the signed root proves not to be in the directory."""
    going = [subject for subject in done.surplus if subject not in done.withdrawn]
    if done.waiting or not going:
        return
    if drops_many(before, before - len(going) - len(done.withdrawn)) and not peer.drop_accepted:
        _wait(session, peer, len(going), done, now)
        return
    copies.remove(session, going)
    done.dropped = going


def _wait(session: Session, peer: Peer, losses: int, done: Reconciled, now: datetime) -> None:
    done.waiting = losses
    if peer.drop_waiting != losses:
        note(
            session, now, "event", "drop-waits", actor="worker", peer=peer,
            detail=f"its directory lacks {losses} profiles; they stay until an admin agrees",
        )  # fmt: skip
    peer.drop_waiting = losses


def _journal(
    session: Session,
    peer: Peer,
    error: FederationError,
    now: datetime,
    evidence: str,
    subject: str = "",
) -> None:
    """Write a refusal down, unless the journal has the very same."""
    known = select(JournalEntry.id).where(
        JournalEntry.peer_id == peer.id,
        JournalEntry.code == error.code,
        JournalEntry.subject == subject,
        JournalEntry.evidence == evidence,
    )
    if session.scalar(known.limit(1)) is None:
        note(
            session, now, "refusal", error.code, actor="worker", peer=peer,
            subject=subject, detail=str(error), evidence=evidence,
        )  # fmt: skip
