"""Telling people that the lock of their door was changed, or their part in running the space.

Whoever did it knows. If it was somebody else, who sat down at an open computer or runs an account
of theirs elsewhere, this letter is how they learn of it: so it is sent whoever did it, and nobody
can stop it. What the letter is made of is read when it is written; here it is asked for, in the
transaction of the change.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from app.exchange import outbox
from app.models.account import Account
from app.models.base import new_id

#: What the keys of these letters' jobs begin with.
LETTER = "lock"

PASSKEY_ADDED, PASSKEY_REMOVED = "passkey-added", "passkey-removed"
LINKED, UNLINKED = "linked", "unlinked"
ADMIN_GIVEN, ADMIN_TAKEN = "admin-given", "admin-taken"


@dataclass(frozen=True, slots=True)
class Change:
    """What was changed for whom, and when."""

    what: str
    account: str
    about: str
    """The reference of the passkey or of the account elsewhere; else of nothing."""

    at: datetime

    @classmethod
    def read(cls, reference: str) -> Change:
        """Return what the rest of a job's key says."""
        what, account, about, at = reference.split(".")
        return cls(what, account, about, datetime.fromtimestamp(int(at), UTC))


def tell(session: Session, account: Account, what: str, now: datetime, about: str = "") -> None:
    """Make a letter to ``account`` due; the caller commits."""
    reference = f"{what}.{account.ref}.{about or new_id()}.{int(now.timestamp())}"
    outbox.request(session, outbox.MAIL, f"{LETTER}/{reference}", now)
