"""What we hold of one peer's directory, and which documents may change it.

No clock, no network, no database, no signatures: the caller passes documents whose signature is
verified and ``now``, and stores the outcome.

The rules for a record, in the order in which they are applied:

1. it is by the peer (``iss``), and not merely signed with its key;
2. it speaks of one of the peer's own members (``sub`` under ``iss``);
3. the member's consent (``aud``) names us: anybody, approved peers, or our identifier;
4. it is valid at ``now``; a withdrawal is heard even late, since it only takes away;
5. its revision is higher than the one held. The same bytes again change nothing; other bytes under
   the same revision are equivocation, of which both documents are the evidence;
6. a withdrawal is remembered until no copy of what it withdraws can be valid any more. Whoever has
   room for so many only may forget the oldest, and from then on refuses every profile that was
   signed before them, unless something is held about its subject: a replay gains nothing by it.

A record that is refused changes nothing, and says nothing about the rest of its page.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from federation import tree
from federation.documents import PEERS, PUBLIC, Checkpoint, Profile, Withdrawal
from federation.errors import (
    EquivocationError,
    ExpiredError,
    ForeignSubjectError,
    ForkError,
    FrozenError,
    RollbackError,
    StaleError,
    WrongAudienceError,
)
from federation.identifiers import owns
from federation.limits import CLOCK_SKEW, DROP_RECORDS, DROP_SHARE


class Outcome(StrEnum):
    """What a record did to the copy."""

    NEW = "new"
    """A profile of a subject that was not shown before."""

    CHANGED = "changed"
    """A profile that takes the place of an older one."""

    WITHDRAWN = "withdrawn"
    """A profile that was held is to be dropped, and the tombstone kept."""

    REMEMBERED = "remembered"
    """A tombstone of something we never held; kept, so that it cannot arrive later."""

    UNCHANGED = "unchanged"
    """The very bytes that are held."""


@dataclass(frozen=True, slots=True)
class Held:
    """What is known of one subject: its profile's, or its tombstone's, place in time."""

    rev: int
    digest: str
    """SHA-256 of the JWS, hexadecimal (:func:`federation.signing.digest`)."""

    expires_at: datetime
    """Past it a profile is not shown, and a tombstone may be forgotten."""

    withdrawn: bool = False


@dataclass(slots=True)
class Replica:
    """The copy of ``entity_id``'s directory at ``audience_id``, ourselves.

    :param held: by subject; kept up to date by :meth:`admit`. It may hold only the subjects that a
        page speaks of, as long as the root is not asked for.
    """

    entity_id: str
    audience_id: str
    held: dict[str, Held] = field(default_factory=dict)
    forgotten_until: datetime | None = None
    """Withdrawals that were signed up to then may have been forgotten."""

    def admit(self, record: Profile | Withdrawal, digest: str, now: datetime) -> Outcome:
        """Take ``record`` in, or refuse it and change nothing.

        :param digest: SHA-256 of the JWS it was read from, hexadecimal.
        :raises UnknownIssuerError: by somebody else.
        :raises ForeignSubjectError: about somebody else's member.
        :raises WrongAudienceError: the member did not agree to be shown to us.
        :raises ExpiredError: past ``exp``, or dated ahead of us.
        :raises StaleError: a newer revision is held, or its withdrawal may have been forgotten.
        :raises EquivocationError: another document of the same revision is held.
        """
        self._require_ours_to_believe(record, now)
        held = self.held.get(record.subject)
        if held is not None:
            if record.revision < held.rev:
                raise StaleError(f"revision {record.revision}, where {held.rev} is held")
            if record.revision == held.rev:
                if digest != held.digest:
                    raise EquivocationError(f"two documents of revision {held.rev}")
                return Outcome.UNCHANGED
        elif self._may_be_withdrawn(record):
            raise StaleError("signed before withdrawals that were too many to remember")
        self.held[record.subject] = _held(record, digest, held)
        return _outcome(record, held)

    def expired(self, now: datetime) -> Iterator[str]:
        """Return the subjects whose profile, or tombstone, has reached its ``exp``."""
        return (sub for sub, held in self.held.items() if held.expires_at <= now)

    def root(self, at: datetime) -> bytes:
        """Return the Merkle root over the profiles live ``at`` (a checkpoint's ``iat``)."""
        return tree.root(self.leaves(at).values())

    def count(self, at: datetime) -> int:
        """Return the number of profiles that are live ``at``."""
        return len(self.leaves(at))

    def leaves(self, at: datetime) -> dict[str, bytes]:
        """Return the leaf of each profile that is live ``at``, by subject."""
        return {
            sub: tree.leaf_from_digest(sub, held.rev, bytes.fromhex(held.digest))
            for sub, held in self.held.items()
            if not held.withdrawn and held.expires_at > at
        }

    def agrees_with(self, checkpoint: Checkpoint) -> bool:
        """Say whether the copy is exactly what ``checkpoint`` states."""
        leaves = self.leaves(checkpoint.issued_at)
        return (
            len(leaves) == checkpoint.count and tree.root(leaves.values()).hex() == checkpoint.root
        )

    def _may_be_withdrawn(self, record: Profile | Withdrawal) -> bool:
        return (
            isinstance(record, Profile)
            and self.forgotten_until is not None
            and record.issued_at <= self.forgotten_until
        )

    def _require_ours_to_believe(self, record: Profile | Withdrawal, now: datetime) -> None:
        record.require_issuer(self.entity_id)
        if not owns(self.entity_id, record.subject):
            raise ForeignSubjectError(f"{self.entity_id} may not speak for {record.subject}")
        if isinstance(record, Profile):
            if record.audience not in (PUBLIC, PEERS, self.audience_id):
                raise WrongAudienceError("the member did not agree to be shown here")
            record.require_now(now)
        elif record.issued_at > now + CLOCK_SKEW:
            raise ExpiredError(f"dated {record.issued_at:%Y-%m-%d %H:%M}, which is yet to come")


def _held(record: Profile | Withdrawal, digest: str, before: Held | None) -> Held:
    withdrawn = isinstance(record, Withdrawal)
    until = record.expires_at
    if withdrawn and before is not None:
        # A tombstone that ends before the copy it withdraws would let a replay bring it back.
        until = max(until, before.expires_at)
    return Held(record.revision, digest, until, withdrawn)


def _outcome(record: Profile | Withdrawal, before: Held | None) -> Outcome:
    was_shown = before is not None and not before.withdrawn
    if isinstance(record, Withdrawal):
        return Outcome.WITHDRAWN if was_shown else Outcome.REMEMBERED
    return Outcome.CHANGED if was_shown else Outcome.NEW


class Progress(StrEnum):
    """What a checkpoint that may be believed says about the one before."""

    FIRST = "first"
    SAME = "same"
    """The same state, perhaps signed again."""

    ADVANCED = "advanced"
    NEW_EPOCH = "new_epoch"
    """Restored or restarted: the feed has to be read again from the beginning."""


def progress(
    checkpoint: Checkpoint, previous: Checkpoint | None, *, entity_id: str, now: datetime
) -> Progress:
    """Say how ``checkpoint`` follows ``previous``, the last one believed of the same view.

    :raises UnknownIssuerError: by somebody else.
    :raises FrozenError: past its ``exp``: nobody vouches for the state any more.
    :raises ExpiredError: dated ahead of us.
    :raises RollbackError: an older state than the one before.
    :raises ForkError: another state under the same number; both documents are the evidence.
    """
    checkpoint.require_issuer(entity_id)
    if checkpoint.issued_at > now + CLOCK_SKEW:
        raise ExpiredError(f"dated {checkpoint.issued_at:%Y-%m-%d %H:%M}, which is yet to come")
    if previous is not None:
        _refuse_going_back(checkpoint, previous)
    if checkpoint.expires_at <= now:
        raise FrozenError(f"nothing newer than {checkpoint.issued_at:%Y-%m-%d %H:%M} can be had")
    if previous is None:
        return Progress.FIRST
    if checkpoint.epoch != previous.epoch:
        return Progress.NEW_EPOCH
    return Progress.SAME if checkpoint.seq == previous.seq else Progress.ADVANCED


def _refuse_going_back(checkpoint: Checkpoint, previous: Checkpoint) -> None:
    if checkpoint.epoch != previous.epoch:
        # An epoch is random: only its date tells a restored space from a replayed one.
        if checkpoint.issued_at < previous.issued_at:
            raise RollbackError("an earlier epoch than the one before")
        return
    if checkpoint.seq < previous.seq:
        raise RollbackError(f"position {checkpoint.seq}, after {previous.seq}")
    same = (checkpoint.root, checkpoint.count) == (previous.root, previous.count)
    if checkpoint.seq == previous.seq and not same:
        raise ForkError(f"two different states at position {checkpoint.seq}")


def drops_many(before: int, after: int) -> bool:
    """Say whether so many records would go at once that an admin should look first.

    :param before: profiles held; :param after: profiles that would remain.
    """
    lost = before - after
    return lost > DROP_RECORDS and lost > before * DROP_SHARE
