"""Testing a neighbour step by step, so that an admin learns which of them fails.

Everything is asked of the neighbour that the exchange asks: its name, its door, a page, the state
that it signed, and whether it hears us. Nothing is stored but the report. What is sent does no
harm however often it is sent: a notice without content, and the acknowledgement that it has.

Steps that stand on one that failed are not tried, and are said to be so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.exchange import checkpoints, copies, deliveries, entities, outbox
from app.exchange.feeds import Page, read_page
from app.exchange.identity import Identity
from app.models.peer import MirroredProfile, Peer
from app.models.watch import Trial
from federation import client, limits, signing
from federation.documents import PEERS, PUBLIC, Checkpoint
from federation.entity import MEDIA_TYPE, EntityConfiguration
from federation.errors import (
    DocumentError,
    EpochChangedError,
    ExpiredError,
    FederationError,
    ForbiddenAddressError,
    KeyUnknownError,
    NameUnknownError,
    NotPeeredError,
    SuspendedError,
    UnknownIssuerError,
    UnreachableError,
    WrongAudienceError,
)
from federation.identifiers import EntityId
from federation.replica import progress
from federation.transport import Transport

PASSED, FAILED, UNTRIED = "passed", "failed", "untried"

#: Our half-states in which an admin said yes to the space once, so that it may be asked.
TESTABLE = ("approved", "suspended", "key_hold")

#: How long a report is kept.
KEPT = timedelta(days=30)

#: What a neighbour answers that does not let us in.
_SHUT = (
    NotPeeredError,
    SuspendedError,
    UnknownIssuerError,
    KeyUnknownError,
    WrongAudienceError,
    ExpiredError,
)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a test, by its stable name, and what became of it."""

    name: str
    verdict: str
    """``passed``, ``failed`` or ``untried``."""

    code: str = ""
    """Why it failed or was not tried, for the words of the page; stable."""

    detail: str = ""
    """The same as a program says it, in English."""


class RootsDifferError(FederationError):
    """Our copy is not what the neighbour's checkpoint states."""

    code = "roots-differ"


class _UntriedError(Exception):
    """The step does not apply, or what it stands on is missing; the text is the code."""


@dataclass(slots=True)
class _Visit:
    """What is known so far; later steps stand on earlier ones."""

    session: Session
    peer: Peer
    transport: Transport
    identity: Identity
    now: datetime
    address: EntityId | None = None
    reached: FederationError | bool = False
    """True once something answered; else why nothing did."""

    found: EntityConfiguration | None = None
    page: Page | None = None
    refusal: FederationError | None = None
    """Why there is no page although we were let in."""

    checkpoint: Checkpoint | None = None

    def there(self) -> EntityId:
        if self.address is None:
            raise _UntriedError("needs-earlier")
        return self.address

    def plate(self) -> EntityConfiguration:
        if self.found is None:
            raise _UntriedError("needs-earlier")
        return self.found

    def listening(self) -> EntityConfiguration:
        if self.plate().static:
            raise _UntriedError("plain-files")
        return self.plate()


def ask(session: Session, peer: Peer, now: datetime) -> None:
    """Let a worker test ``peer``; asking while it does is asking once. The caller commits."""
    waiting = session.get(Trial, peer.id)
    if waiting is None or waiting.done_at is not None:
        session.merge(Trial(peer_id=peer.id, asked_at=now, done_at=None, steps=[]))
    outbox.request(session, outbox.TRIAL, str(peer.id), now, peer_id=peer.id)


def report(session: Session, peer: Peer) -> Trial | None:
    """Return the last test of ``peer``, done or still to be done."""
    return session.get(Trial, peer.id)


def steps_of(trial: Trial) -> list[Step]:
    """Return the steps that were written down."""
    return [Step(*each) for each in trial.steps]


def perform(
    session: Session, peer: Peer, transport: Transport, identity: Identity, now: datetime
) -> list[Step]:
    """Test ``peer`` and write the report down; the caller commits it."""
    peer_id = peer.id
    steps = run(session, peer, transport, identity, now)
    asked = session.get(Trial, peer_id)
    written = [[step.name, step.verdict, step.code, step.detail[:300]] for step in steps]
    session.merge(
        Trial(
            peer_id=peer_id, asked_at=asked.asked_at if asked is not None else now, done_at=now,
            steps=written,
        )
    )  # fmt: skip
    return steps


def run(
    session: Session, peer: Peer, transport: Transport, identity: Identity, now: datetime
) -> list[Step]:
    """Return what became of each step, in their order; never raises for what ``peer`` does.

    Ends the session's transaction before each request, so that nobody waits for the network.
    """
    visit = _Visit(session, peer, transport, identity, now)
    return [_taken(name, step, visit) for name, step in STEPS.items()]


def forget_old(session: Session, now: datetime) -> None:
    """Delete reports that nobody looks at any more; the caller commits."""
    session.execute(delete(Trial).where(Trial.done_at <= now - KEPT))


def _taken(name: str, step: Callable[[_Visit], None], visit: _Visit) -> Step:
    try:
        step(visit)
    except _UntriedError as reason:
        return Step(name, UNTRIED, str(reason))
    except FederationError as error:
        return Step(name, FAILED, error.code, str(error))
    return Step(name, PASSED)


def _address(visit: _Visit) -> None:
    visit.address = EntityId.parse(visit.peer.url, development=visit.identity.development)


def _name(visit: _Visit) -> None:
    url = visit.there().configuration_url
    visit.session.commit()
    try:
        visit.transport.get(url, max_bytes=limits.ENTITY_BYTES, headers={"Accept": MEDIA_TYPE})
        visit.reached = True
    except (ForbiddenAddressError, NameUnknownError):
        raise
    except UnreachableError as error:
        visit.reached = error
    except FederationError:
        # Something answers, in whatever words: the door is looked at below.
        visit.reached = True


def _connection(visit: _Visit) -> None:
    if visit.reached is False:
        raise _UntriedError("needs-earlier")
    if isinstance(visit.reached, FederationError):
        raise visit.reached


def _door(visit: _Visit) -> None:
    if visit.reached is not True:
        raise _UntriedError("needs-earlier")
    held = entities.stored_configuration(visit.peer)
    pinned = visit.peer.root_kid
    visit.session.commit()
    visit.found = client.read_entity(
        visit.transport,
        visit.there(),
        visit.now,
        pinned_kid=pinned,
        announced=held.next_kids,
        newer_than=held.issued_at,
    )


def _keys(visit: _Visit) -> None:
    """Compare the keys on the door with those that signed what is held."""
    published = visit.plate().operational_keys
    signers = select(MirroredProfile.kid).where(MirroredProfile.peer_id == visit.peer.id).distinct()
    unknown = [kid for kid in visit.session.scalars(signers) if kid not in published]
    if unknown:
        raise KeyUnknownError(f"it publishes {unknown[0]} no more, with which it signed")


def _authorisation(visit: _Visit) -> None:
    plate, since = visit.plate(), visit.peer.cursor
    visit.session.commit()
    try:
        visit.page = _page(visit, plate, since)
    except _SHUT as error:
        if plate.static:
            visit.refusal = error
            return
        raise
    except FederationError as error:
        visit.refusal = error


def _page(visit: _Visit, plate: EntityConfiguration, since: str) -> Page:
    try:
        return read_page(visit.transport, plate, visit.identity, since, "", visit.now)
    except EpochChangedError:
        # It began its feed again: the next reading does so, too.
        return read_page(visit.transport, plate, visit.identity, "", "", visit.now)


def _feed(visit: _Visit) -> None:
    if visit.refusal is not None:
        raise visit.refusal
    if visit.page is None:
        raise _UntriedError("needs-earlier")
    for record in visit.page.records:
        if record.error is not None:
            raise record.error


def _checkpoint(visit: _Visit) -> None:
    if visit.page is None:
        raise _UntriedError("needs-earlier")
    plate = visit.plate()
    token = visit.page.checkpoint
    if not token:
        raise _UntriedError("no-checkpoint")
    found = signing.read(token, plate.operational_keys, Checkpoint).document
    if found.view != (PUBLIC if plate.static else PEERS):
        raise DocumentError(f"a checkpoint of the {found.view} view")
    progress(found, checkpoints.believed(visit.peer), entity_id=visit.peer.url, now=visit.now)
    visit.checkpoint = found


def _root(visit: _Visit) -> None:
    if visit.checkpoint is None or visit.page is None:
        raise _UntriedError("needs-earlier")
    if not _read_to_its_end(visit.peer, visit.page, visit.checkpoint):
        raise _UntriedError("still-to-read")
    if not copies.agrees(visit.session, visit.peer, visit.checkpoint):
        raise RootsDifferError("our copy is not what its checkpoint states")


def _read_to_its_end(peer: Peer, page: Page, checkpoint: Checkpoint) -> bool:
    """Say whether our copy covers ``checkpoint``, so that the two can be compared."""
    if checkpoint.epoch != peer.epoch:
        return False
    nothing_new = not page.more and all(record.seq <= peer.held_seq for record in page.records)
    # Files are always read from the beginning: what is on the page says nothing of what is new.
    return nothing_new or (peer.static and checkpoint.seq == peer.their_seq)


def _notice(visit: _Visit) -> None:
    plate = visit.listening()
    notice = deliveries.notice_for(visit.session, visit.peer, visit.identity)
    signed = signing.issue(notice, visit.identity.operational_key)
    visit.session.commit()
    client.deliver(visit.transport, plate.endpoints.notify, signed)


def _receipt(visit: _Visit) -> None:
    plate = visit.listening()
    compared = checkpoints.believed(visit.peer)
    if compared is None or not deliveries.acknowledgeable(visit.peer, visit.identity):
        raise _UntriedError("nothing-to-confirm")
    signed = deliveries.ack_for(visit.peer, compared, visit.identity, visit.now)
    visit.session.commit()
    client.deliver(visit.transport, plate.endpoints.ack, signed)


#: The steps by name, in the order in which they are taken.
STEPS: dict[str, Callable[[_Visit], None]] = {
    "address": _address,
    "name": _name,
    "connection": _connection,
    "door": _door,
    "keys": _keys,
    "authorisation": _authorisation,
    "feed": _feed,
    "checkpoint": _checkpoint,
    "root": _root,
    "notice": _notice,
    "receipt": _receipt,
}
