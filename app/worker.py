"""The round of due work, and the loop around it. Any number of workers may run.

A worker that is killed loses nothing: what it held is taken again when its lease has run out. One
that is asked to end finishes the job in its hands first.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.exchange import outbox, restoring
from app.exchange.identity import Identity, Keyholder, KeysMissingError, KeysUnsafeError
from app.exchange.jobs import Mailer, Round
from app.exchange.rekeying import Schedule
from app.exchange.work import Outcome, greet_neighbours, perform, schedule_upkeep
from app.models.engine import reading
from federation.transport import Transport

#: Seconds without looking for work, at least and at most; another process may ask for something.
SHORTEST_SLEEP, LONGEST_SLEEP = 0.2, 0.5

#: Seconds until the database is tried again after it failed.
SLEEP_AFTER_FAILURE = 2.0

#: Jobs of one round: a bound for a round that makes work for itself.
JOBS_PER_ROUND = 1000

#: The file whose age tells ``mitoyen doctor`` when a worker was last alive.
HEARTBEAT = "worker.alive"

#: A space whose worker rested for longer reads its neighbours at once, and says that it is back.
AWAY = timedelta(seconds=20)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Summary:
    """What one round did."""

    outcomes: tuple[Outcome, ...] = ()
    broken: int = 0
    """Jobs that met a bug of ours; each is in the log, and will be tried again."""


def run_round(
    new_session: Callable[[], Session],
    transport: Transport,
    identity: Identity,
    now: datetime,
    *,
    jobs: int = JOBS_PER_ROUND,
    clock: Callable[[], float] = monotonic,
    schedule: Schedule | None = None,
    mailer: Mailer | None = None,
) -> Summary:
    """Do what is due at ``now``, one job after the other, at most ``jobs`` of them."""
    outcomes: list[Outcome] = []
    broken = 0
    with new_session() as session:
        for _ in range(jobs):
            held = outbox.claim(session, now)
            if held is None:
                break
            try:
                outcome = perform(
                    Round(session, transport, identity, now, clock, schedule, mailer), held
                )
            except Exception:
                # One job's bug must not keep the other neighbours from being read.
                log.exception("job", kind=held.kind, key=held.key)
                broken += 1
                continue
            outcomes.append(outcome)
            say = log.info if outcome.done else log.warning
            say("job", kind=outcome.kind, key=outcome.key, told=outcome.told)
    return Summary(tuple(outcomes), broken)


def run(
    new_session: Callable[[], Session],
    transport: Transport,
    keyholder: Keyholder,
    heartbeat: Path,
    *,
    schedule: Schedule | None = None,
    mailer: Mailer | None = None,
    stop: threading.Event | None = None,
) -> None:
    """Work until SIGTERM or SIGINT.

    Keys that somebody changes meanwhile are taken up before the next job; while they cannot be
    read, nothing is done with older ones.
    """
    stop = stop or _stop_on_signals()
    log.info("worker started", space=keyholder.identity.entity_id)
    position = heartbeat.with_name(restoring.POSITION)
    with new_session() as session:
        schedule_upkeep(session, datetime.now(UTC))
        if _was_away(heartbeat):
            told = greet_neighbours(session, keyholder.identity, datetime.now(UTC))
            log.info("back", told=f"{told} neighbours are read and told")
        if restoring.notice(session, position, datetime.now(UTC)):
            log.warning("restored", told="the database is older than what this space has signed")
        session.commit()
    while not stop.is_set():
        try:
            heartbeat.touch()
            if keyholder.look():
                log.info("keys", told="read again")
            pause = _pause(new_session)
            if pause <= 0:
                # One job at a time: each gets its own moment, and SIGTERM waits for one at most.
                done = run_round(
                    new_session,
                    transport,
                    keyholder.identity,
                    datetime.now(UTC),
                    jobs=1,
                    schedule=schedule,
                    mailer=mailer,
                )
                if any(outcome.kind == outbox.CHECKPOINT for outcome in done.outcomes):
                    with reading(), new_session() as session:
                        restoring.remember(session, position)
        except OperationalError as error:
            # A full disk or a database being moved: say so, and look again.
            log.error("database", problem=str(error.orig))
            pause = SLEEP_AFTER_FAILURE
        except (KeysMissingError, KeysUnsafeError) as error:
            log.error("keys", problem=str(error))
            pause = SLEEP_AFTER_FAILURE
        except OSError as error:
            log.error("heartbeat", problem=str(error))
            pause = SLEEP_AFTER_FAILURE
        if pause > 0:
            stop.wait(pause)
    log.info("worker ended")


def _was_away(heartbeat: Path) -> bool:
    """Say whether no worker was there for so long that notices may have been missed.

    Where none ever was, the database may have been put back on another machine.
    """
    if not heartbeat.exists():
        return True
    alive = datetime.fromtimestamp(heartbeat.stat().st_mtime, UTC)
    return datetime.now(UTC) - alive > AWAY


def _pause(new_session: Callable[[], Session]) -> float:
    with reading(), new_session() as session:
        due = outbox.next_due(session)
    if due is None:
        return LONGEST_SLEEP
    wait = (due - datetime.now(UTC)).total_seconds()
    return min(max(wait, 0 if wait <= 0 else SHORTEST_SLEEP), LONGEST_SLEEP)


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
