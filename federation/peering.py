"""How two spaces come to exchange profiles, and how they stop. Pure: values in, values out.

A peering has two halves, each decided by one space's admin and told to the other in a signed
statement that carries the whole half and a counter; a lost, repeated, reordered or late statement
therefore does no harm. The peering is *active* only while both halves say ``approved`` and each
side has confirmed the root key that the other really uses. Nothing is ever approved by a machine.

Our half (``ours``):

===========  =================================================================================
none         nothing is decided; there may never have been a word between the two
requested    they approved us and wait; our admin has not decided
approved     our admin said yes; a knock is exactly this, said first
suspended    our admin paused it: their records are hidden, kept, and come back with a resume
ended        our admin declined or ended it; remembered, and never proposed again
blocked      as ended, and silent: nothing they send is heard
key_hold     approved once, but their root key changed unannounced: frozen until an admin confirms
===========  =================================================================================

Their half (``theirs``) is what they last told us: none, requested, approved, suspended or ended.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from federation.documents import PeeringStatement, StatedHalf
from federation.errors import DecisionNotAllowedError
from federation.identifiers import EntityId
from federation.limits import STATEMENT_LIFETIME


class Half(StrEnum):
    """Where one side of a peering stands."""

    NONE = "none"
    REQUESTED = "requested"
    APPROVED = "approved"
    SUSPENDED = "suspended"
    ENDED = "ended"
    BLOCKED = "blocked"
    KEY_HOLD = "key_hold"


class Decision(StrEnum):
    """What our admin may decide."""

    APPROVE = "approve"
    """Say yes, or knock: also the only way back from ``ended``."""

    DECLINE = "decline"
    SUSPEND = "suspend"
    RESUME = "resume"
    END = "end"
    BLOCK = "block"
    UNBLOCK = "unblock"
    """Hear them again; the peering stays ended."""

    CONFIRM_KEY = "confirm_key"
    """The words were compared again and match the new root key."""


@dataclass(frozen=True, slots=True)
class Peering:
    """Both halves, and what each side knows of the other."""

    ours: Half = Half.NONE
    our_n: int = 0
    """Counter of our last statement; 0 before the first."""

    theirs: Half = Half.NONE
    their_n: int = 0
    """Counter of their last statement that was accepted."""

    their_kid_seen: str = ""
    """The root key of ours that they say they confirmed."""

    root_kid: str = ""
    """The root key of theirs that we confirmed, or, while nothing is approved, last read."""


@dataclass(frozen=True, slots=True)
class Received:
    """What a statement of theirs changed."""

    peering: Peering
    news: bool = False
    """It was newer than what we had; False for a repetition or a latecomer."""

    answer: bool = False
    """They miss our last statement: send it (again)."""

    asks: bool = False
    """A request now waits for our admin that did not wait before."""

    over: bool = False
    """They ended it: what we hold of them is to be purged, and what they hold was."""


#: Where each decision leads from each of our halves; what is not here makes no sense.
_NEXT: dict[Half, dict[Decision, Half]] = {
    Half.NONE: {Decision.APPROVE: Half.APPROVED, Decision.BLOCK: Half.BLOCKED},
    Half.REQUESTED: {
        Decision.APPROVE: Half.APPROVED,
        Decision.DECLINE: Half.ENDED,
        Decision.BLOCK: Half.BLOCKED,
    },
    Half.APPROVED: {
        Decision.SUSPEND: Half.SUSPENDED,
        Decision.END: Half.ENDED,
        Decision.BLOCK: Half.BLOCKED,
    },
    Half.SUSPENDED: {
        Decision.RESUME: Half.APPROVED,
        Decision.END: Half.ENDED,
        Decision.BLOCK: Half.BLOCKED,
    },
    Half.ENDED: {Decision.APPROVE: Half.APPROVED, Decision.BLOCK: Half.BLOCKED},
    Half.BLOCKED: {Decision.UNBLOCK: Half.ENDED},
    Half.KEY_HOLD: {
        Decision.CONFIRM_KEY: Half.APPROVED,
        Decision.END: Half.ENDED,
        Decision.BLOCK: Half.BLOCKED,
    },
}

#: What they are told of our half. Being blocked looks like an end. While a key is held nothing is
#: said: the last statement names the old key, which makes the peering inactive over there.
_STATED: dict[Half, StatedHalf] = {
    Half.NONE: "none",
    Half.REQUESTED: "requested",
    Half.APPROVED: "approved",
    Half.SUSPENDED: "suspended",
    Half.ENDED: "ended",
    Half.BLOCKED: "ended",
}


def decide(
    peering: Peering, decision: Decision, now: datetime, *, root_kid: str | None = None
) -> Peering:
    """Return the peering after our admin's ``decision``; it has to be stated, so its counter rises.

    :param root_kid: with ``APPROVE`` and ``CONFIRM_KEY`` the root key whose words the admin saw,
        which becomes the only one believed; the last one read, when not given.
    :raises DecisionNotAllowedError: it makes no sense where our half stands, or no key is known.
    """
    after = _NEXT[peering.ours].get(decision)
    if after is None:
        raise DecisionNotAllowedError(f"cannot {decision} what is {peering.ours}")
    confirms = decision in (Decision.APPROVE, Decision.CONFIRM_KEY)
    kid = root_kid if confirms and root_kid is not None else peering.root_kid
    if confirms and not kid:
        raise DecisionNotAllowedError("no key of theirs is known that could be approved")
    if decision is Decision.CONFIRM_KEY and root_kid is None:
        raise DecisionNotAllowedError("confirming a new key takes the key")
    return replace(peering, ours=after, root_kid=kid, our_n=next_n(peering.our_n, now))


def allowed(ours: Half) -> tuple[Decision, ...]:
    """Return what an admin can decide where our half stands, in the order of the page."""
    return tuple(_NEXT[ours])


def receive(peering: Peering, statement: PeeringStatement, now: datetime) -> Received:
    """Return the peering after their ``statement``, whose signature and addressee are checked.

    A statement older than the last one changes nothing, and neither does the last one again, except
    that it may ask for an answer. A blocked space is not heard at all.
    """
    if peering.ours is Half.BLOCKED or statement.n < peering.their_n:
        return Received(peering)
    answer = peering.our_n > statement.seen_n
    if statement.seen_n > peering.our_n:
        # They heard something that we do not remember saying: our database was lost since. Only a
        # higher counter can tell them where we stand now.
        peering = replace(peering, our_n=next_n(statement.seen_n, now))
        answer = True
    if statement.n == peering.their_n:
        return Received(peering, answer=answer)
    heard = replace(
        peering,
        theirs=Half(statement.state),
        their_n=statement.n,
        their_kid_seen=statement.kid_seen,
    )
    if heard.theirs is Half.ENDED:
        return _ended(heard, answer, now)
    if heard.theirs is Half.APPROVED and heard.ours is Half.NONE:
        return Received(replace(heard, ours=Half.REQUESTED), True, answer, asks=True)
    return Received(heard, True, answer)


def _ended(heard: Peering, answer: bool, now: datetime) -> Received:
    """Return what their end does to our half: a yes of ours does not outlive it."""
    if heard.ours is Half.ENDED:
        return Received(heard, True, answer)
    had_said_yes = heard.ours in (Half.APPROVED, Half.SUSPENDED, Half.KEY_HOLD)
    if not had_said_yes:
        return Received(replace(heard, ours=Half.NONE), True, answer)
    # They still hold our "approved": without an answer they would think it active if they came
    # back, and our admin would never have been asked.
    undone = replace(heard, ours=Half.NONE, our_n=next_n(heard.our_n, now))
    return Received(undone, True, True, over=True)


def key_changed(peering: Peering) -> Peering:
    """Return the peering after their root key changed unannounced: an approved half is held.

    A suspended half stays suspended; the key is met again, and held, when it is resumed.
    """
    if peering.ours is Half.APPROVED:
        return replace(peering, ours=Half.KEY_HOLD)
    return peering


def key_rolled(peering: Peering, new_kid: str, now: datetime) -> Peering:
    """Return the peering after their root key followed the announced way; they must be told."""
    return replace(peering, root_kid=new_kid, our_n=next_n(peering.our_n, now))


def statement(
    peering: Peering, *, issuer: str, audience: str, now: datetime, note: str = ""
) -> PeeringStatement | None:
    """Return our half as they must be told it, or ``None`` when there is nothing to tell.

    It may be signed as often as needed; the same counter says the same thing.
    """
    stated = _STATED.get(peering.ours)
    if stated is None or peering.our_n == 0 or not peering.root_kid:
        return None
    return PeeringStatement(
        issuer=EntityId(issuer),
        audience=EntityId(audience),
        n=peering.our_n,
        state=stated,
        kid_seen=peering.root_kid,
        seen_n=peering.their_n,
        note=note,
        issued_at=now,
        expires_at=now + STATEMENT_LIFETIME,
    )


def active(peering: Peering, our_kids: Collection[str]) -> bool:
    """Say whether profiles may cross: both admins said yes, each to the key in use.

    :param our_kids: our root key's thumbprint, and those it replaced while peers catch up.
    """
    return (
        peering.ours is Half.APPROVED
        and peering.theirs is Half.APPROVED
        and bool(peering.root_kid)
        and peering.their_kid_seen in our_kids
    )


def shown(peering: Peering) -> bool:
    """Say whether what we hold of them may be seen: a held key leaves the last good copy."""
    return peering.ours in (Half.APPROVED, Half.KEY_HOLD) and peering.theirs is Half.APPROVED


def next_n(last: int, now: datetime) -> int:
    """Return the counter of a new statement: higher than ``last`` and than any lost one's.

    Seconds since 1970, or one more than the last: a space that lost its database still counts
    above what it said before.
    """
    return max(last + 1, int(now.timestamp()))
