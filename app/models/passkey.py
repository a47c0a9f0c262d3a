"""The passkeys with which people come in, and the challenges that were answered.

What is kept of a passkey opens nothing: the private half never leaves the authenticator, a
telephone or a key on a key ring (WebAuthn Level 3, section 4). Whether an answer is to be believed
is decided elsewhere; here is what must be true of a passkey from one time to the next.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from app.models.account import Account
from app.models.base import Base, Moment, Opaque, new_id

#: Passkeys of one person; people have a few devices.
PASSKEYS = 20

#: Characters of the name that a person gives to one.
NAME_CHARACTERS = 60

#: The longest identifier that an authenticator may give (WebAuthn Level 3, section 4).
CREDENTIAL_BYTES = 1023


class CounterBackError(Exception):
    """The passkey counts less than it did before: there may be a copy of it."""


class Passkey(Base):
    """One passkey of one person."""

    __tablename__ = "passkey"

    id: Mapped[int] = mapped_column(primary_key=True)
    ref: Mapped[str] = mapped_column(Opaque, unique=True, default=new_id)
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str] = mapped_column(String(NAME_CHARACTERS))
    """What its owner calls it, such as "My telephone"."""

    credential_id: Mapped[bytes] = mapped_column(LargeBinary(CREDENTIAL_BYTES), unique=True)
    """Chosen by the authenticator; bytes that say nothing."""

    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    """As a COSE key (RFC 9052 section 7)."""

    counter: Mapped[int] = mapped_column(BigInteger, default=0)
    """How often the authenticator says that it signed; 0 for ever when it does not count."""

    synced: Mapped[bool]
    """Whether it may lie on several devices, as its owner's password manager copies it."""

    added_at: Mapped[datetime] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)
    doubted_at: Mapped[datetime | None] = mapped_column(Moment)
    """When it last counted backwards and was refused."""

    account: Mapped[Account] = relationship()

    def use(self, counter: int, now: datetime) -> None:
        """Note that the passkey signed once more.

        :param counter: what the authenticator signed, which nobody else can have changed.
        :raises CounterBackError: it has to rise if it counts at all (WebAuthn Level 3, section
            7.2, step 22); ``doubted_at`` was set.
        """
        if (counter or self.counter) and counter <= self.counter:
            self.doubted_at = now
            raise CounterBackError(f"the counter went from {self.counter} to {counter}")
        self.counter = counter
        self.used_at = now


class AnsweredChallenge(Base):
    """A challenge that was answered, rightly or not: it is not good for a second answer."""

    __tablename__ = "answered_challenge"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of the challenge, hexadecimal."""

    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)


def passkeys(session: Session, account: Account) -> Sequence[Passkey]:
    """Return the passkeys of ``account``, the newest first."""
    return session.scalars(
        select(Passkey)
        .where(Passkey.account_id == account.id)
        .order_by(Passkey.added_at.desc(), Passkey.ref.desc())
    ).all()


def passkey_of(session: Session, credential_id: bytes) -> Passkey | None:
    """Return the passkey that an authenticator calls ``credential_id``."""
    return session.scalars(select(Passkey).filter_by(credential_id=credential_id)).one_or_none()


def remove(session: Session, account: Account, ref: str) -> bool:
    """Delete one passkey of ``account``, and tell whether there was such a one."""
    mine = delete(Passkey).where(Passkey.account_id == account.id, Passkey.ref == ref)
    return bool(session.scalars(mine.returning(Passkey.ref)).all())


def spend(session: Session, challenge: bytes, expires_at: datetime) -> bool:
    """Use ``challenge`` up, and tell whether this was its first answer.

    Whoever writes is alone with that (app/models/engine.py), so two answers cannot both be first.
    """
    digest = hashlib.sha256(challenge).hexdigest()
    if session.get(AnsweredChallenge, digest) is not None:
        return False
    session.add(AnsweredChallenge(digest=digest, expires_at=expires_at))
    session.flush()
    return True


def sweep(session: Session, now: datetime) -> None:
    """Forget challenges that are too old to be answered again."""
    session.execute(delete(AnsweredChallenge).where(AnsweredChallenge.expires_at <= now))
