"""Who may come in: accounts, and the links that open the door once."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint, ForeignKey, String, select, true
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from app.models.base import Base, Moment, Opaque, new_id
from app.models.member import Member

#: How long a sign-in link opens the door.
LINK_LIFETIME = timedelta(minutes=15)

MEMBER = "member"
ADMIN = "admin"


class LinkNotValidError(Exception):
    """The link opens nothing; ``reason`` is ``unknown``, ``used`` or ``expired``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Account(Base):
    """A person who may sign in; usually also a member with a profile."""

    __tablename__ = "account"
    __table_args__ = (CheckConstraint("role IN ('member', 'admin')", name="role"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    ref: Mapped[str] = mapped_column(Opaque, unique=True, default=new_id)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    """Lower case; never shown to anybody else, never sent to a peer."""

    role: Mapped[str] = mapped_column(String(6), default=MEMBER)
    locale: Mapped[str] = mapped_column(String(5), default="")
    """The language this person reads, empty to follow their browser."""

    letters: Mapped[bool] = mapped_column(default=True, server_default=true())
    """Whether they are told by mail when somebody writes to them."""

    member_id: Mapped[int | None] = mapped_column(
        ForeignKey("member.id", ondelete="SET NULL"), unique=True
    )
    created_at: Mapped[datetime] = mapped_column(Moment)
    came_at: Mapped[datetime | None] = mapped_column(Moment)
    """When they last came in through the door; null for whoever never did."""

    banned_at: Mapped[datetime | None] = mapped_column(Moment)
    """Since when the door stays shut to them, by an admin's decision."""

    member: Mapped[Member | None] = relationship(back_populates="account")

    @property
    def is_admin(self) -> bool:
        return self.role == ADMIN

    @property
    def is_shut_out(self) -> bool:
        """True when the membership ended, or an admin banned this person."""
        gone = self.member is not None and self.member.left_at is not None
        return self.banned_at is not None or gone


class SignInLink(Base):
    """A link sent to an account; only the digest of its secret is kept."""

    __tablename__ = "sign_in_link"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    expires_at: Mapped[datetime] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)

    account: Mapped[Account] = relationship()


def issue_link(
    session: Session, account: Account, now: datetime, lifetime: timedelta = LINK_LIFETIME
) -> str:
    """Add a link for ``account`` and return its secret (256 bits, base64url)."""
    secret = secrets.token_urlsafe(32)
    session.add(
        SignInLink(
            digest=link_digest(secret), account=account, expires_at=now + lifetime, used_at=None
        )
    )
    return secret


def look_at_link(session: Session, secret: str, now: datetime) -> SignInLink:
    """Return the link that ``secret`` stands for, unspent.

    :raises LinkNotValidError: unknown, used or expired.
    """
    link = session.get(SignInLink, link_digest(secret))
    if link is None:
        raise LinkNotValidError("unknown")
    if link.used_at is not None:
        raise LinkNotValidError("used")
    if link.expires_at <= now:
        raise LinkNotValidError("expired")
    return link


def spend_link(session: Session, secret: str, now: datetime) -> Account:
    """Use the link up and return whom it lets in.

    :raises LinkNotValidError: unknown, used or expired.
    """
    link = look_at_link(session, secret, now)
    link.used_at = now
    return link.account


def account_of(session: Session, email: str) -> Account | None:
    return session.scalars(select(Account).filter_by(email=email.strip().lower())).one_or_none()


def link_digest(secret: str) -> str:
    """Return what the database keeps of a link's secret: SHA-256, hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()
