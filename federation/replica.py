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
6. a withdrawal is remembered until no copy of what it withdraws can be valid any more.

A record that is refused changes nothing, and says nothing about the rest of its page.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from federation.documents import Checkpoint, Profile, Withdrawal


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

    def admit(self, record: Profile | Withdrawal, digest: str, now: datetime) -> Outcome:
        """Take ``record`` in, or refuse it and change nothing.

        :param digest: SHA-256 of the JWS it was read from, hexadecimal.
        :raises UnknownIssuerError: by somebody else.
        :raises ForeignSubjectError: about somebody else's member.
        :raises WrongAudienceError: the member did not agree to be shown to us.
        :raises ExpiredError: past ``exp``, or dated ahead of us.
        :raises StaleError: a newer revision is held.
        :raises EquivocationError: another document of the same revision is held.
        """
        raise NotImplementedError

    def expired(self, now: datetime) -> Iterator[str]:
        """Subjects whose profile, or tombstone, has reached its ``exp``."""
        raise NotImplementedError

    def root(self, at: datetime) -> bytes:
        """Return the Merkle root over the profiles live ``at`` (a checkpoint's ``iat``)."""
        raise NotImplementedError

    def count(self, at: datetime) -> int:
        """Return the number of profiles that are live ``at``."""
        raise NotImplementedError

    def agrees_with(self, checkpoint: Checkpoint) -> bool:
        """Say whether the copy is exactly what ``checkpoint`` states."""
        raise NotImplementedError


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
    raise NotImplementedError


def drops_many(before: int, after: int) -> bool:
    """Say whether so many records would go at once that an admin should look first.

    :param before: profiles held; :param after: profiles that would remain.
    """
    raise NotImplementedError
