"""What each kind of job does, and when it is due again.

Only this module knows all kinds: each leads to the module that does the work and knows nothing of
jobs. Whatever the other side refuses or leaves unanswered is raised, for :mod:`app.exchange.work`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

from sqlalchemy.orm import Session

from app.exchange import (
    arrivals,
    awaiting,
    checkpoints,
    correspondence,
    deliveries,
    entities,
    lag,
    outbox,
    peers,
    photos,
    publish,
    recall,
    rekeying,
    standing,
    still_true,
    trial,
    upkeep,
)
from app.exchange.identity import Identity
from app.exchange.outbox import Claim
from app.exchange.pull import Pulled, pull
from app.models.peer import Peer
from federation.transport import Transport

#: How often a neighbour is asked when it sends no notice.
PULL_EVERY = timedelta(hours=1)

#: When a feed that was not read to its end goes on: after those that became due meanwhile, and not
#: within the same round.
GOES_ON_AFTER = timedelta(seconds=1)

#: How often the upkeep runs: a little under the life of what it renews.
DAILY = timedelta(days=1)

#: When mail is looked at again by whoever cannot send any.
MAILED_LATER = timedelta(hours=1)

#: Tells a member by mail that somebody wrote, given the reference of the conversation; raises
#: :class:`outbox.NotNowError` when the mail server takes nothing.
Mailer = Callable[[Session, str, datetime], str]


@dataclass(frozen=True, slots=True)
class Round:
    """What a job works with; one per round of the worker."""

    session: Session
    transport: Transport
    identity: Identity
    now: datetime
    clock: Callable[[], float] = monotonic
    """Seconds that only rise, to measure how long a job takes."""

    schedule: rekeying.Schedule | None = None
    """When the operational key is changed by itself; never, when not given."""

    mailer: Mailer | None = None
    """Sends what members are told by mail; nothing is sent, and it waits, when not given."""


Work = Callable[[Round, Claim], tuple[str, datetime | None]]


def _pull(round_: Round, held: Claim) -> tuple[str, datetime | None]:
    peer = _peer(round_, held)
    if peer is None or not standing.is_active(peer, round_.identity):
        return "no neighbour any more", None
    pulled = pull(round_.session, peer, round_.transport, round_.identity, round_.now)
    spread = PULL_EVERY * (1 + outbox.JITTER * (outbox.chance() - 0.5))
    due = round_.now + (GOES_ON_AFTER if pulled.more else spread)
    peer.next_pull_at = due
    if pulled.quiet:
        # Nothing else is written then: said here, with the next time, which has to be.
        peer.last_success_at = round_.now
    return _told(pulled), due


def _told(pulled: Pulled) -> str:
    counts = {
        "taken in": len(pulled.admitted),
        "withdrawn": len(pulled.withdrawn),
        "expired": len(pulled.expired),
        "refused": len(pulled.refused),
        "waiting for an admin": pulled.waiting,
    }
    told = [f"{number} {word}" for word, number in counts.items() if number]
    return ", ".join([*told, *filter(None, [pulled.problem])]) or "nothing new"


def _statement(round_: Round, held: Claim) -> tuple[str, datetime | None]:
    return _sent(deliveries.send_statement, round_, held)


def _notice(round_: Round, held: Claim) -> tuple[str, datetime | None]:
    return _sent(deliveries.send_notice, round_, held)


def _ack(round_: Round, held: Claim) -> tuple[str, datetime | None]:
    peer = _peer(round_, held)
    if peer is None:
        return "unknown", None
    told = deliveries.send_ack(
        round_.session, peer, round_.transport, round_.identity, round_.now, held.body
    )
    return told, None


def _knock(round_: Round, held: Claim) -> tuple[str, datetime | None]:
    waits = peers.introduce(
        round_.session, held.key, held.body, round_.identity, round_.transport, round_.now
    )
    return "waits for an answer" if waits else "nothing new", None


def _entity(round_: Round, held: Claim) -> tuple[str, datetime | None]:
    peer = _peer(round_, held)
    if peer is None:
        return "unknown", None
    if peer.ours == "blocked":
        # Asked for before it was: from now on it hears nothing of us.
        return "blocked", None
    entities.refresh(round_.session, peer, round_.transport, round_.identity, round_.now)
    return "read", None


def _checkpoint(round_: Round, _held: Claim) -> tuple[str, datetime | None]:
    changed = checkpoints.make(round_.session, round_.identity, round_.now)
    return "another state" if changed else "the same state", round_.now + DAILY


def _renew(round_: Round, _held: Claim) -> tuple[str, datetime | None]:
    renewed = publish.renew(round_.session, round_.identity, round_.now)
    due = round_.now if renewed >= publish.RENEWED_AT_ONCE else round_.now + DAILY
    return f"{renewed} signed again", due


def _trial(round_: Round, held: Claim) -> tuple[str, datetime | None]:
    peer = _peer(round_, held)
    if peer is None:
        return "unknown", None
    steps = trial.perform(round_.session, peer, round_.transport, round_.identity, round_.now)
    failed = [step.name for step in steps if step.verdict == trial.FAILED]
    return (f"fails at: {', '.join(failed)}" if failed else "nothing fails"), None


def _lag(round_: Round, _held: Claim) -> tuple[str, datetime | None]:
    sampled = lag.sample(round_.session, round_.now)
    return f"{sampled} copies looked at", round_.now + lag.SAMPLED_EVERY


def _rotate(round_: Round, _held: Claim) -> tuple[str, datetime | None]:
    told = rekeying.keep_schedule(round_.session, round_.schedule, round_.identity, round_.now)
    return told, round_.now + DAILY


def _still_true(round_: Round, _held: Claim) -> tuple[str, datetime | None]:
    asked, rest = still_true.look(round_.session, round_.identity, round_.now)
    more = max(asked, rest) >= still_true.AT_ONCE
    due = round_.now if more else round_.now + DAILY
    return f"{asked} are asked, {rest} rest", due


def _purge(round_: Round, _held: Claim) -> tuple[str, datetime | None]:
    return upkeep.purge(round_.session, round_.identity, round_.now), round_.now + DAILY


def _recall(round_: Round, held: Claim) -> tuple[str, datetime | None]:
    """Ask a neighbour what it holds of us; while it does not tell, others wait for it."""
    session, now, peer = round_.session, round_.now, _peer(round_, held)
    if peer is None or not awaiting.may_hold(peer, now):
        return "it holds nothing of ours", None
    if not standing.is_active(peer, round_.identity):
        return "asked when documents cross again", now + DAILY
    found = recall.ask(session, peer, round_.transport, round_.identity, now, held.body)
    if found.began_again:
        return "it shows that this space is back from a backup", None
    if found.cursor:
        recall.go_on_from(session, held.id, found.cursor)
        return f"{found.told()}, and more", now + recall.REST
    recall.close(session, peer, found, now)
    return found.told(), None


def _doubt(round_: Round, held: Claim) -> tuple[str, datetime | None]:
    peer = _peer(round_, held)
    if peer is None or not standing.is_active(peer, round_.identity):
        return "no neighbour any more", None
    found = recall.doubt(
        round_.session, peer, round_.transport, round_.identity, round_.now, held.body
    )
    if found.cursor:
        recall.go_on_from(round_.session, held.id, found.cursor)
        return "nothing so far that proves it", round_.now + recall.REST
    shown = "this space is back from a backup"
    return (shown if found.began_again else "nothing that proves it"), None


def _catch_up(round_: Round, _held: Claim) -> tuple[str, datetime | None]:
    if awaiting.since(round_.session) is not None:
        return "neighbours are awaited", round_.now + PULL_EVERY
    return f"{publish.catch_up(round_.session, round_.identity, round_.now)} published", None


def _letter(round_: Round, held: Claim) -> tuple[str, datetime | None]:
    told = correspondence.deliver(
        round_.session, held.key, round_.transport, round_.identity, round_.now
    )
    return told, None


def _arrival(round_: Round, held: Claim) -> tuple[str, datetime | None]:
    return arrivals.open_waiting(round_.session, held.key, round_.identity, round_.now), None


def _answer(round_: Round, held: Claim) -> tuple[str, datetime | None]:
    peer = _peer(round_, held)
    if peer is None:
        return "no neighbour any more", None
    told = correspondence.deliver_answer(
        round_.session, peer, held.body, round_.transport, round_.identity, round_.now
    )
    return told, None


def _mail(round_: Round, held: Claim) -> tuple[str, datetime | None]:
    if round_.mailer is None:
        return "nobody here sends mail", round_.now + MAILED_LATER
    return round_.mailer(round_.session, held.key, round_.now), None


def _photos(round_: Round, held: Claim) -> tuple[str, datetime | None]:
    peer = _peer(round_, held)
    if peer is None or not standing.is_active(peer, round_.identity):
        return "no neighbour any more", None
    found = photos.fetch(round_.session, peer, round_.transport, round_.identity, round_.now)
    return found.told(), round_.now + GOES_ON_AFTER if found.more else None


WORK: dict[str, Work] = {
    outbox.LETTER: _letter,
    outbox.ARRIVAL: _arrival,
    outbox.ANSWER: _answer,
    outbox.MAIL: _mail,
    outbox.PULL: _pull,
    outbox.STATEMENT: _statement,
    outbox.NOTICE: _notice,
    outbox.ACK: _ack,
    outbox.KNOCK: _knock,
    outbox.ENTITY: _entity,
    outbox.CHECKPOINT: _checkpoint,
    outbox.RENEW: _renew,
    outbox.PURGE: _purge,
    outbox.STILL_TRUE: _still_true,
    outbox.RECALL: _recall,
    outbox.DOUBT: _doubt,
    outbox.CATCH_UP: _catch_up,
    outbox.TRIAL: _trial,
    outbox.LAG: _lag,
    outbox.ROTATE: _rotate,
    outbox.PHOTOS: _photos,
}


def _peer(round_: Round, held: Claim) -> Peer | None:
    return None if held.peer_id is None else round_.session.get(Peer, held.peer_id)


def _sent(
    send: Callable[[Session, Peer, Transport, Identity, datetime], str], round_: Round, held: Claim
) -> tuple[str, datetime | None]:
    peer = _peer(round_, held)
    if peer is None:
        return "unknown", None
    return send(round_.session, peer, round_.transport, round_.identity, round_.now), None
