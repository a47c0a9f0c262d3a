"""What is to be done later, and who is doing it now.

A job is a row: asking twice for the same kind and key is asking once. A worker takes a due job by
moving ``leased_until`` forward in one conditional update, so that no two workers hold the same
one; a worker that is killed loses its lease, and the job is taken again. ``version`` rises with
each asking: finishing a job that was asked for again meanwhile leaves it due.

What is done first: what concerns ourselves and neighbours that answer quickly, before what concerns
those that lately took long and strangers who knock; among these what somebody waits for; then what
has been due longest. So neighbours that drip make the others wait for one turn, however many drip.

No clock and no work is done here: ``now`` is an argument, and ``app.worker`` knows the kinds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import ColumnElement, Delete, Update, and_, case, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from app.models.job import Job
from app.models.peer import Peer

PULL, STATEMENT, NOTICE, ACK, KNOCK = "pull", "statement", "notice", "ack", "knock"
CHECKPOINT, RENEW, ENTITY, PURGE = "checkpoint", "renew", "entity", "purge"
RECALL, DOUBT, CATCH_UP = "recall", "doubt", "catch-up"
TRIAL, LAG, ROTATE = "trial", "lag", "rotate"
STILL_TRUE = "still-true"
LETTER, MAIL = "letter", "mail"
ARRIVAL, ANSWER = "arrival", "answer"
PHOTOS = "photos"

#: What somebody waits for: a member who took a profile back, a neighbour who wants to know it.
#: Done before all that is merely due, such as reading a hundred neighbours, some of them away.
URGENT = (CHECKPOINT, NOTICE, ACK, RECALL, TRIAL, LETTER, MAIL, ARRIVAL, ANSWER)

#: Longer than any job should take; a killed worker's job waits at most this long.
LEASE = timedelta(minutes=5)

#: The wait after the first failure; it doubles up to the longest.
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=24)

#: Part of a wait that is left to chance, so that spaces do not return all at once.
JITTER = 0.2

# Not a secret: only meant to spread the load.
_chance = Random()  # noqa: S311  # spreads waiting times, no secret


class NotNowError(Exception):
    """Something of our own that a job needs, such as the mail server, does not answer."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A job in the hands of one worker: what it was when it was taken."""

    id: int
    kind: str
    key: str
    peer_id: int | None
    body: str
    version: int
    attempts: int
    leased_until: datetime


def request(
    session: Session,
    kind: str,
    key: str,
    now: datetime,
    *,
    due_at: datetime | None = None,
    peer_id: int | None = None,
    body: str = "",
) -> None:
    """Make one job due, at ``due_at`` or now, in the caller's transaction.

    A job that already waits becomes due at the earlier of the two moments; one that is being
    worked on will be done once more afterwards.
    """
    insert = _insert_for(session)
    asked = insert(Job).values(
        kind=kind, key=key, peer_id=peer_id, body=body, due_at=due_at or now, created_at=now
    )
    earlier = case((asked.excluded.due_at < Job.due_at, asked.excluded.due_at), else_=Job.due_at)
    again = {"version": Job.version + 1, "due_at": earlier, "body": body, "peer_id": peer_id}
    session.execute(
        asked.on_conflict_do_update(index_elements=["kind", "key"], set_=again),
        execution_options={"synchronize_session": False},
    )


def claim(session: Session, now: datetime, *, lease: timedelta = LEASE) -> Claim | None:
    """Take the job that comes first among those that are due, and commit.

    :returns: ``None`` when nothing is due.
    """
    free = or_(Job.leased_until.is_(None), Job.leased_until <= now)
    return _take(session, and_(Job.due_at <= now, free), now, now + lease)


def claim_one(
    session: Session, kind: str, key: str, now: datetime, *, lease: timedelta = LEASE
) -> Claim | None:
    """Take this job, due or not, and commit; ``None`` when a worker holds it or it is unknown."""
    free = or_(Job.leased_until.is_(None), Job.leased_until <= now)
    return _take(session, and_(Job.kind == kind, Job.key == key, free), now, now + lease)


def finish(session: Session, held: Claim, *, next_due: datetime | None = None) -> bool:
    """Remove the job, or make it due again at ``next_due``; the caller commits.

    A job that was asked for again since it was taken stays, due as it was asked for.

    :returns: False if the lease had run out and another worker holds the job now.
    """
    mine = and_(Job.id == held.id, Job.leased_until == held.leased_until)
    unchanged = and_(mine, Job.version == held.version)
    clean = {"leased_until": None, "attempts": 0, "last_error": ""}
    ended: Update | Delete = delete(Job).where(unchanged)
    if next_due is not None:
        ended = update(Job).where(unchanged).values(due_at=next_due, **clean)
    if _touched(session, ended):
        return True
    return _touched(session, update(Job).where(mine).values(**clean))


def fail(
    session: Session,
    held: Claim,
    now: datetime,
    problem: str,
    *,
    at_least: timedelta = timedelta(0),
) -> datetime:
    """Give the job back after a failure and return when it is tried again; the caller commits.

    If it was asked for again meanwhile, there is news: the first wait applies, not a longer one.

    :param at_least: how long the other side asked us to wait.
    """
    mine = and_(Job.id == held.id, Job.leased_until == held.leased_until)
    given_back = {"leased_until": None, "last_error": problem[:500]}
    again = now + max(wait_after(held.attempts), at_least)
    unchanged = update(Job).where(mine, Job.version == held.version)
    if _touched(session, unchanged.values(due_at=again, **given_back)):
        return again
    soon = now + max(wait_after(1), at_least)
    _touched(session, update(Job).where(mine).values(due_at=soon, attempts=1, **given_back))
    return soon


def drop(session: Session, kind: str, key: str) -> None:
    """Forget a job that makes no sense any more."""
    session.execute(
        delete(Job).filter_by(kind=kind, key=key).execution_options(synchronize_session=False)
    )


def next_due(session: Session) -> datetime | None:
    """Return the earliest moment at which a worker may find something to do."""
    ready = case((Job.leased_until > Job.due_at, Job.leased_until), else_=Job.due_at)
    moment: datetime | None = session.scalar(select(ready).order_by(ready).limit(1))
    return moment


def chance() -> float:
    """Return a number from 0 to 1, to spread what would else happen at once."""
    return _chance.random()


def wait_after(failures: int) -> timedelta:
    """Return how long to wait after that many failures in a row: doubling, bounded, uneven."""
    wait: timedelta = min(FIRST_WAIT * 2 ** min(max(failures, 1) - 1, 20), LONGEST_WAIT)
    return timedelta(seconds=wait.total_seconds() * (1 - JITTER * chance()))


def _take(
    session: Session, condition: ColumnElement[bool], now: datetime, until: datetime
) -> Claim | None:
    order = (_behind(now), Job.kind.not_in(URGENT), Job.due_at, Job.id)
    first = select(Job.id).where(condition).order_by(*order).limit(1)
    taken = session.execute(
        update(Job)
        # The condition is repeated: on PostgreSQL the subquery may have seen an older row.
        .where(Job.id == first.scalar_subquery(), condition)
        .values(leased_until=until, attempts=Job.attempts + 1)
        .returning(Job.id, Job.kind, Job.key, Job.peer_id, Job.body, Job.version, Job.attempts),
        execution_options={"synchronize_session": False},
    ).one_or_none()
    session.commit()
    return None if taken is None else Claim(*taken, leased_until=until)


def _behind(now: datetime) -> ColumnElement[bool]:
    """Return the condition under which a job comes after those of everybody else."""
    took_long = select(Peer.id).where(Peer.id == Job.peer_id, Peer.behind_until > now).exists()
    # Nobody here has chosen to wait for a stranger's door.
    return or_(Job.kind == KNOCK, took_long)


def _insert_for(session: Session) -> Any:
    # INSERT ... ON CONFLICT is the same on both, but SQLAlchemy has one function for each.
    dialect = session.get_bind().dialect.name
    return sqlite_insert if dialect == "sqlite" else postgresql_insert


def _touched(session: Session, statement: Update | Delete) -> bool:
    done = session.execute(statement, execution_options={"synchronize_session": False})
    return bool(getattr(done, "rowcount", 0))
