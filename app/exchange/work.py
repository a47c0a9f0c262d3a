"""How one job after the other is done: claimed, performed, and given back.

What a kind of job does, :mod:`app.exchange.jobs` knows, and nothing of leases; what fails is given
back to the outbox, said on the peer's row, and never stops the next job.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.exchange import (
    awaiting,
    outbox,
    standing,
)
from app.exchange.identity import Identity
from app.exchange.jobs import WORK, Round
from app.exchange.outbox import Claim, NotNowError
from app.exchange.turn import BEHIND, Turn
from app.models.job import Job
from app.models.journal import note
from app.models.peer import Peer
from federation.errors import (
    FederationError,
    KeyChangedError,
    RateLimitedError,
    UnreachableError,
)

#: The kinds that are there once, always, and come again by themselves.
UPKEEP = (
    outbox.CHECKPOINT,
    outbox.RENEW,
    outbox.PURGE,
    outbox.LAG,
    outbox.ROTATE,
    outbox.STILL_TRUE,
)

#: Attempts after which a message is let go. Notices and acknowledgements are made again with the
#: next change; a statement is tried for a month (the waits double up to a day).
MESSAGE_ATTEMPTS = 5
STATEMENT_ATTEMPTS = 40

#: How long what has to be known first has been due, on paper: longer than any job may have waited.
BEFORE_ALL = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one job, for the log and for ``mitoyen sync``."""

    kind: str
    key: str
    done: bool
    told: str = ""
    """What changed, or what went wrong, in words."""


def perform(round_: Round, held: Claim) -> Outcome:
    """Do one job that was claimed, give the lease back, and commit.

    A refusal or a silence of the other side is an outcome; a bug is raised, after the job was
    given back.
    """
    session = round_.session
    turn = Turn(round_.transport, round_.clock)
    try:
        told, next_due = WORK[held.kind](replace(round_, transport=turn), held)
        outbox.finish(session, held, next_due=next_due)
        _keep_time(round_, held, turn)
        session.commit()
        return Outcome(held.kind, held.key, True, told)
    except (FederationError, OperationalError, NotNowError) as error:
        session.rollback()
        again = _give_back(round_, held, turn, error)
        return Outcome(held.kind, held.key, False, f"{error} ({again})"[:300])
    except Exception as error:
        session.rollback()
        outbox.fail(session, held, round_.now, f"{type(error).__name__}: {error}")
        session.commit()
        raise


def schedule_upkeep(session: Session, now: datetime) -> None:
    """Make sure that the jobs which always exist do; the caller commits."""
    there = set(session.scalars(select(Job.kind).where(Job.kind.in_(UPKEEP))))
    for kind in UPKEEP:
        if kind not in there:
            outbox.request(session, kind, "", now)


def greet_neighbours(session: Session, identity: Identity, now: datetime) -> int:
    """Read every neighbour now and tell it that we are back, and return how many there are.

    For a space that was away: what it was told meanwhile was lost, and a neighbour that found
    nobody here would come back only after a while that grew up to a day. And perhaps it is back
    with an older database, which shows who took their profile back since: before all that is due,
    each neighbour is asked for our own signature on something later. The caller commits.
    """
    active = [
        peer
        for peer in session.scalars(select(Peer).where(Peer.ours == "approved"))
        if standing.is_active(peer, identity)
    ]
    for peer in active:
        if not peer.static:
            awaiting.doubt(session, peer, now, due_at=now - BEFORE_ALL)
        for kind in (outbox.PULL, outbox.NOTICE):
            outbox.request(session, kind, str(peer.id), now, peer_id=peer.id)
    return len(active)


def _keep_time(round_: Round, held: Claim, turn: Turn) -> None:
    """Let a neighbour that held the worker up come after the others from now on."""
    if held.peer_id is not None and turn.is_long:
        round_.session.execute(
            update(Peer)
            .where(Peer.id == held.peer_id)
            .values(behind_until=round_.now + BEHIND)
            .execution_options(synchronize_session=False)
        )


def _give_back(
    round_: Round, held: Claim, turn: Turn, error: FederationError | OperationalError | NotNowError
) -> str:
    """Return the job to the outbox, or let it go when trying again is pointless; say which."""
    session = round_.session
    try:
        _keep_time(round_, held, turn)
        if isinstance(error, FederationError) and _pointless(held, error):
            if held.kind == outbox.KNOCK:
                note(
                    session, round_.now, "refusal", error.code,
                    actor="worker", subject=held.key, detail=str(error), evidence=held.body,
                )  # fmt: skip
            outbox.finish(session, held)
            session.commit()
            return "given up"
        again = outbox.fail(session, held, round_.now, str(error), at_least=_asked_to_wait(error))
        if held.kind == outbox.PULL:
            peer = session.get(Peer, held.peer_id)
            if peer is not None:
                peer.next_pull_at = again
        if held.kind == outbox.NOTICE and isinstance(error, UnreachableError):
            _look_after(session, held, round_.now)
        session.commit()
        return f"again at {again:%Y-%m-%d %H:%M:%S}"
    except OperationalError:
        # Nothing can be written: the lease runs out by itself, and the job is taken again.
        session.rollback()
        return "again when the database can be written"


def _look_after(session: Session, held: Claim, now: datetime) -> None:
    """Read the neighbour that did not hear us: whether it is there is said on its row."""
    peer = session.get(Peer, held.peer_id)
    if peer is not None and not peer.failures:
        outbox.request(session, outbox.PULL, str(peer.id), now, peer_id=peer.id)


def _asked_to_wait(error: FederationError | OperationalError | NotNowError) -> timedelta:
    asked = error.retry_after if isinstance(error, RateLimitedError) else None
    return timedelta(seconds=asked or 0)


def _pointless(held: Claim, error: FederationError) -> bool:
    if held.kind == outbox.PULL:
        # Frozen until an admin has looked; whatever else, an active peer is never given up.
        return isinstance(error, KeyChangedError)
    if held.kind == outbox.RECALL:
        # What it alone knows may be that somebody took their profile back.
        return False
    if held.kind == outbox.STATEMENT:
        # A refusal may have its reason on their side: a key not known yet, a request too many.
        return held.attempts >= STATEMENT_ATTEMPTS
    if held.kind == outbox.ACK and held.body:
        # The last word about an end: nothing that comes later would say it again.
        return held.attempts >= STATEMENT_ATTEMPTS
    if held.kind == outbox.ANSWER:
        # For a month, as a statement: somebody waits for it.
        return held.attempts >= STATEMENT_ATTEMPTS
    if held.kind == outbox.LETTER:
        # Somebody waits for an answer; `correspondence.deliver` gives up after a month.
        return False
    return error.permanent or held.attempts >= MESSAGE_ATTEMPTS
