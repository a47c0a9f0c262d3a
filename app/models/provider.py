"""Accounts at identity providers with which people come in, and the ways there and back.

A person is known by what a provider calls them, ``iss`` and ``sub`` together (OpenID Connect Core
1.0 section 5.7), never by an address: that may change hands. Who is who is decided elsewhere.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from app.models.account import Account
from app.models.base import Base, Moment, Opaque, new_id

#: The longest ``sub`` (OpenID Connect Core 1.0 section 2), and what we take of an ``iss``.
SUBJECT_CHARACTERS = 255
ISSUER_CHARACTERS = 255

#: Accounts elsewhere of one person, those that were unlinked included.
IDENTITIES = 20

#: How long somebody may take to sign in over there, perhaps with a new password.
ATTEMPT_LIFETIME = timedelta(minutes=15)


class ProviderIdentity(Base):
    """One account at a provider, linked to one person here."""

    __tablename__ = "provider_identity"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    ref: Mapped[str] = mapped_column(Opaque, unique=True, default=new_id)
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    issuer: Mapped[str] = mapped_column(String(ISSUER_CHARACTERS))
    subject: Mapped[str] = mapped_column(String(SUBJECT_CHARACTERS))
    added_at: Mapped[datetime] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)
    unlinked_at: Mapped[datetime | None] = mapped_column(Moment)
    """Since when it opens nothing, by the person's decision: a confirmed address alone must not
    link it again."""

    account: Mapped[Account] = relationship()


class ProviderAttempt(Base):
    """Somebody who was sent to a provider and is expected back, once, in the same browser."""

    __tablename__ = "provider_attempt"

    state: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of ``state`` (RFC 6749 section 10.12), hexadecimal."""

    browser: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the secret of the browser that was sent, hexadecimal."""

    provider: Mapped[str] = mapped_column(String(40))
    """The key of the provider they were sent to."""

    nonce: Mapped[str] = mapped_column(String(64))
    verifier: Mapped[str] = mapped_column(String(128))
    """The secret of RFC 7636, which the browser never sees."""

    wanted: Mapped[str] = mapped_column(Text, default="")
    """The page to go on to, a path of ours."""

    again: Mapped[bool] = mapped_column(default=False)
    """They were signed in, and have to show once more that it is they."""

    account_id: Mapped[int | None] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    """Who wants to link an account over there; null when somebody comes in."""

    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)


@dataclass(frozen=True, slots=True)
class Departure:
    """The secrets of one way to a provider and back: 256 random bits each, base64url."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Way:
    """A way that came to its end, and on which nobody can come again."""

    nonce: str
    verifier: str
    wanted: str
    again: bool
    account_id: int | None


def depart(
    session: Session,
    provider: str,
    browser: str,
    now: datetime,
    *,
    wanted: str = "",
    again: bool = False,
    linking: Account | None = None,
) -> Departure:
    """Expect somebody back from the provider with this key.

    :param browser: a secret that the browser holds, which alone may come back.
    """
    fresh = Departure(*(secrets.token_urlsafe(32) for _each in range(3)))
    session.add(
        ProviderAttempt(
            state=_digest(fresh.state),
            browser=_digest(browser),
            provider=provider,
            nonce=fresh.nonce,
            verifier=fresh.verifier,
            wanted=wanted,
            again=again,
            account_id=None if linking is None else linking.id,
            expires_at=now + ATTEMPT_LIFETIME,
        )
    )
    return fresh


def arrive(session: Session, state: str, browser: str, provider: str, now: datetime) -> Way | None:
    """Return the way that ends here, and forget it; ``None`` when there is no such way.

    Another browser, or a return by another provider's address, ends nothing: it would let a
    stranger use up somebody's way by its ``state`` alone. The caller commits, whatever follows.
    """
    found = session.get(
        ProviderAttempt, _digest(state), with_for_update=True, populate_existing=True
    )
    if (
        found is None
        or found.expires_at <= now
        or found.provider != provider
        or not secrets.compare_digest(found.browser, _digest(browser))
    ):
        return None
    way = Way(found.nonce, found.verifier, found.wanted, found.again, found.account_id)
    session.delete(found)
    session.flush()
    return way


def identity_of(session: Session, issuer: str, subject: str) -> ProviderIdentity | None:
    """Return what is known of the account that ``issuer`` calls ``subject``, also if unlinked."""
    return session.scalars(
        select(ProviderIdentity).filter_by(issuer=issuer, subject=subject)
    ).one_or_none()


def identities(session: Session, account: Account) -> Sequence[ProviderIdentity]:
    """Return the accounts elsewhere of ``account``, the newest first, also those unlinked."""
    return session.scalars(
        select(ProviderIdentity)
        .where(ProviderIdentity.account_id == account.id)
        .order_by(ProviderIdentity.added_at.desc(), ProviderIdentity.ref.desc())
    ).all()


def link(
    session: Session, account: Account, issuer: str, subject: str, now: datetime
) -> ProviderIdentity:
    """Let the account that ``issuer`` calls ``subject`` open the door to ``account``.

    :raises IntegrityError: it is somebody else's; the caller has looked.
    """
    known = identity_of(session, issuer, subject)
    if known is not None and known.account_id == account.id:
        known.unlinked_at = None
        return known
    fresh = ProviderIdentity(account=account, issuer=issuer, subject=subject, added_at=now)
    session.add(fresh)
    session.flush()
    return fresh


def unlink(session: Session, account: Account, ref: str, now: datetime) -> bool:
    """Let one account elsewhere open the door no more, and tell whether there was such a one."""
    found = session.scalars(
        select(ProviderIdentity).where(
            ProviderIdentity.account_id == account.id,
            ProviderIdentity.ref == ref,
            ProviderIdentity.unlinked_at.is_(None),
        )
    ).one_or_none()
    if found is None:
        return False
    found.unlinked_at = now
    return True


def sweep(session: Session, now: datetime) -> None:
    """Forget those who were not back in time."""
    session.execute(delete(ProviderAttempt).where(ProviderAttempt.expires_at <= now))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
