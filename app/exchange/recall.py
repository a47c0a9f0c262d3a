"""Asking a neighbour what it holds of us, and taking home what we do not know any more.

What comes is verified with our own keys and nothing else: a neighbour can withhold, or show what
is old, and invent nothing. What each document makes of our rows is done by
:mod:`app.exchange.homecoming`, page by page, in one commit each.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from app.exchange import entities, homecoming, outbox, publish, restoring
from app.exchange.feeds import assertion_for
from app.exchange.homecoming import Taken
from app.exchange.identity import Identity
from app.models.feed import FeedState
from app.models.job import Job
from app.models.journal import note
from app.models.peer import Peer
from federation import client, signing
from federation.client import HeldPage
from federation.documents import Profile, Withdrawal
from federation.entity import EntityConfiguration
from federation.errors import FederationError
from federation.keys import Keyring
from federation.signing import Signed
from federation.transport import Transport

#: Pages taken in by one job; more go on in the next, so that other jobs get a turn.
PAGES_AT_ONCE = 20

#: The pause in between: a neighbour that tells without end costs no more than this.
REST = timedelta(seconds=30)

#: Refusals that are written down one by one; of further ones the number is.
LINES_KEPT = 20


@dataclass(slots=True)
class Recalled:
    """What one asking brought, and where to go on."""

    withdrawn: int = 0
    profiles: int = 0
    unknown: int = 0
    """People whom the database does not know any more, and who were withdrawn."""

    refused: int = 0
    cursor: str = ""
    """Where the rest begins; empty when everything was told."""

    began_again: bool = False
    """It showed that we are back from a backup, which nobody had noticed."""

    silent: bool = False
    """Its software does not tell."""

    def count(self, taken: Taken) -> None:
        """Count what came of one document."""
        self.withdrawn += taken is Taken.WITHDRAWAL
        self.profiles += taken is Taken.PROFILE
        self.unknown += taken is Taken.UNKNOWN

    def told(self) -> str:
        """Return what came, in words, for the log and the journal."""
        if self.silent:
            return "it does not tell what it holds"
        counts = {
            "withdrawals": self.withdrawn,
            "profiles": self.profiles,
            "of people not known here any more": self.unknown,
            "refused": self.refused,
        }
        words = ", ".join(f"{number} {word}" for word, number in counts.items() if number)
        return words or "nothing that is not known here"


def doubt(
    session: Session,
    peer: Peer,
    transport: Transport,
    identity: Identity,
    now: datetime,
    since: str = "",
) -> Recalled:
    """Look whether ``peer`` can show our own signature on something that we do not know.

    If it can, the feed begins anew; nothing else is changed. The caller commits.

    :raises FederationError: nothing usable was answered.
    """
    found = Recalled(cursor=since)
    plate = _plate(session, peer, transport, identity, now)
    found.silent = not plate.endpoints.held
    for _ in range(0 if found.silent else PAGES_AT_ONCE):
        first = not found.cursor
        page = _page(session, plate, transport, identity, now, found.cursor)
        found.cursor = page.next if page.more else ""
        shown = first and _began_again(session, peer, page, identity, now)
        found.began_again = shown or any(
            _unknown(session, peer, token, identity, now) for token in page.items
        )
        if found.began_again or not page.more:
            found.cursor = ""
            break
    return found


def ask(
    session: Session,
    peer: Peer,
    transport: Transport,
    identity: Identity,
    now: datetime,
    since: str = "",
) -> Recalled:
    """Read what ``peer`` holds of us from cursor ``since`` on; commits page by page.

    :raises FederationError: nothing usable was answered; what was taken in before stays.
    """
    found = Recalled(cursor=since)
    plate = _plate(session, peer, transport, identity, now)
    if not plate.endpoints.held:
        found.silent, found.cursor = True, ""
        return found
    for _ in range(PAGES_AT_ONCE):
        page = _page(session, plate, transport, identity, now, found.cursor)
        if not found.cursor and _began_again(session, peer, page, identity, now):
            found.began_again = True
            return found
        _take_in(session, peer, page, identity, now, found)
        found.cursor = page.next if page.more else ""
        session.commit()
        if not page.more:
            break
    return found


def close(session: Session, peer: Peer, found: Recalled, now: datetime) -> None:
    """Write down that ``peer`` has told everything; the caller commits and ends the job."""
    peer.recalled_at = now
    note(
        session, now, "event", "recalled", actor="worker", peer=peer, detail=found.told(),
    )  # fmt: skip
    others = exists().where(Job.kind == outbox.RECALL, Job.peer_id != peer.id)
    if not session.scalar(select(others)):
        # Nobody is awaited any more: what was left alone meanwhile is signed now.
        for kind in (outbox.CATCH_UP, outbox.RENEW):
            outbox.request(session, kind, "", now)


def go_on_from(session: Session, job_id: int, cursor: str) -> None:
    """Remember in the job where the next asking begins."""
    session.execute(
        update(Job)
        .where(Job.id == job_id)
        .values(body=cursor)
        .execution_options(synchronize_session=False)
    )


def _plate(
    session: Session, peer: Peer, transport: Transport, identity: Identity, now: datetime
) -> EntityConfiguration:
    plate = entities.current_configuration(session, peer, transport, identity, now)
    if not plate.endpoints.held:
        # Perhaps its software was renewed since we last looked at its door.
        plate = entities.refresh(session, peer, transport, identity, now)
    return plate


def _page(
    session: Session,
    plate: EntityConfiguration,
    transport: Transport,
    identity: Identity,
    now: datetime,
    since: str,
) -> HeldPage:
    session.commit()
    word = assertion_for(plate.endpoints.held, plate, identity, now)
    return client.read_held(transport, plate, since, assertion=word)


def _began_again(
    session: Session, peer: Peer, page: HeldPage, identity: Identity, now: datetime
) -> bool:
    if not page.checkpoint:
        return False
    try:
        proof = restoring.is_proof(session, page.checkpoint, identity, now)
    except FederationError as error:
        note(
            session, now, "refusal", error.code, actor="worker", peer=peer,
            detail=f"shown as our own checkpoint: {error}", evidence=page.checkpoint,
        )  # fmt: skip
        return False
    return proof and _begin_again(session, peer, now)


def _unknown(session: Session, peer: Peer, token: str, identity: Identity, now: datetime) -> bool:
    try:
        proof = restoring.is_later(session, token, identity, now)
    except FederationError:
        # Nobody's proof; what is wrong with it is written down when its documents are asked for.
        return False
    return proof and _begin_again(session, peer, now)


def _begin_again(session: Session, peer: Peer, now: datetime) -> bool:
    told = f"{peer.name or peer.url} holds our signature under something later"
    restoring.begin_again(session, now, actor="worker", detail=told)
    return True


def _take_in(
    session: Session,
    peer: Peer,
    page: HeldPage,
    identity: Identity,
    now: datetime,
    found: Recalled,
) -> None:
    keys = restoring.own_keys(identity)
    back = session.scalar(select(FeedState.restored_at))
    before = (found.withdrawn, found.profiles, found.unknown)
    for token in page.items:
        try:
            found.count(homecoming.take(session, _read(token, keys), identity, back, now))
        except FederationError as error:
            found.refused += 1
            if found.refused <= LINES_KEPT:
                note(
                    session, now, "refusal", error.code, actor="worker", peer=peer,
                    detail=f"shown as our own document: {error}", evidence=token,
                )  # fmt: skip
    if before != (found.withdrawn, found.profiles, found.unknown):
        publish.ask_for_checkpoint(session, now)


def _read(token: str, keys: Keyring) -> Signed[Profile | Withdrawal]:
    read: Signed[Profile | Withdrawal] = signing.read(token, keys, Profile, Withdrawal)
    return read
