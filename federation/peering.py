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

Their half (``theirs``) is what they last told us: none, approved, suspended or ended.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from federation.documents import PeeringStatement


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


def decide(peering: Peering, decision: Decision, now: datetime) -> Peering:
    """Return the peering after our admin's ``decision``, its counter raised if they must be told.

    :raises DecisionNotAllowedError: it makes no sense where our half stands.
    """
    raise NotImplementedError


def allowed(ours: Half) -> tuple[Decision, ...]:
    """Return what an admin can decide where our half stands, in the order of the page."""
    raise NotImplementedError


def receive(peering: Peering, statement: PeeringStatement, now: datetime) -> Received:
    """Return the peering after their ``statement``, whose signature and addressee are checked."""
    raise NotImplementedError


def key_changed(peering: Peering) -> Peering:
    """Return the peering after their root key changed unannounced: an approved half is held."""
    raise NotImplementedError


def key_rolled(peering: Peering, new_kid: str, now: datetime) -> Peering:
    """Return the peering after their root key followed the announced way; they must be told."""
    raise NotImplementedError


def statement(
    peering: Peering, *, issuer: str, audience: str, now: datetime, note: str = ""
) -> PeeringStatement | None:
    """Return our half as they must be told it, or ``None`` when there is nothing to tell."""
    raise NotImplementedError


def active(peering: Peering, our_kids: Collection[str]) -> bool:
    """Say whether profiles may cross.

    :param our_kids: our root key's thumbprint, and those it replaced while peers catch up.
    """
    raise NotImplementedError


def shown(peering: Peering) -> bool:
    """Say whether what we hold of them may be seen: a held key leaves the last good copy."""
    raise NotImplementedError


def next_n(last: int, now: datetime) -> int:
    """Return the counter of a new statement: higher than ``last`` and than any lost one's.

    Seconds since 1970, or one more than the last: a space that lost its database still counts
    above what it said before.
    """
    return max(last + 1, int(now.timestamp()))
