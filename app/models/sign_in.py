"""Where people are signed in, and the six digits that let another device in.

A browser holds a secret, the database its digest: who copies the database can come in nowhere.
Signing out deletes the row, so that a cookie which somebody copied opens nothing afterwards.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, String, delete, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from app.models.account import LINK_LIFETIME, Account, SignInLink
from app.models.base import Base, Moment, Opaque, new_id

#: How long somebody stays signed in on one device.
SIGN_IN_LIFETIME = timedelta(days=30)

#: How recent a sign-in is for what cannot be undone, such as trusting another space.
FRESH = timedelta(hours=1)

#: Wrong codes after which the right one opens nothing either.
CODE_TRIES = 5

#: How long a link that opens nothing any more is remembered, to say why it does not.
LINK_MEMORY = timedelta(days=30)

#: Characters kept of what a browser says of itself.
AGENT_CHARACTERS = 200


class SignIn(Base):
    """One browser in which one person is signed in."""

    __tablename__ = "sign_in"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of the secret in the browser's cookie, hexadecimal."""

    ref: Mapped[str] = mapped_column(Opaque, unique=True, default=new_id)
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    agent: Mapped[str] = mapped_column(String(AGENT_CHARACTERS), default="")
    """What the browser said of itself (RFC 9110 section 10.1.5); no network address is kept."""

    started_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    proved_at: Mapped[datetime | None] = mapped_column(Moment)
    """When the person last proved who they are; earlier than ``started_at`` when a provider
    vouches for them from a session of its own, and null when it does not say since when."""

    account: Mapped[Account] = relationship()

    def is_fresh(self, now: datetime) -> bool:
        """Tell whether the person proved just now who they are."""
        return self.proved_at is not None and self.proved_at > now - FRESH


class SignInCode(Base):
    """Six digits in a letter, good only in the browser that asked for the letter.

    A row is made for addresses of nobody too, so that wrong codes are counted alike and a
    stranger learns nothing.
    """

    __tablename__ = "sign_in_code"

    asking: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of the secret of the browser that asked, hexadecimal."""

    code: Mapped[str] = mapped_column(String(64))
    """HMAC-SHA-256 of the digits under that secret: six digits alone would be guessed at once."""

    link_digest: Mapped[str | None] = mapped_column(
        ForeignKey("sign_in_link.digest", ondelete="CASCADE")
    )
    """The link of the same letter: one of the two is used, then neither opens."""

    tries: Mapped[int] = mapped_column(default=0)
    expires_at: Mapped[datetime] = mapped_column(Moment)

    link: Mapped[SignInLink | None] = relationship()


def begin(
    session: Session, account: Account, agent: str, now: datetime, proved_at: datetime | None
) -> tuple[SignIn, str]:
    """Sign ``account`` in, and return the secret for its browser too (256 bits, base64url).

    :param proved_at: when the person proved who they are; ``None`` when nobody can tell.
    """
    secret = secrets.token_urlsafe(32)
    started = SignIn(
        digest=_digest(secret),
        account=account,
        agent=agent[:AGENT_CHARACTERS],
        started_at=now,
        expires_at=now + SIGN_IN_LIFETIME,
        proved_at=proved_at,
    )
    session.add(started)
    return started, secret


def current(session: Session, secret: str, now: datetime) -> SignIn | None:
    """Return the sign-in that ``secret`` stands for, ``None`` when it was ended or is over."""
    found = session.get(SignIn, _digest(secret))
    return found if found is not None and found.expires_at > now else None


def sign_ins(session: Session, account: Account, now: datetime) -> Sequence[SignIn]:
    """Return where ``account`` is signed in, the newest first."""
    return session.scalars(
        select(SignIn)
        .where(SignIn.account_id == account.id, SignIn.expires_at > now)
        .order_by(SignIn.started_at.desc(), SignIn.ref.desc())
    ).all()


def end(session: Session, secret: str) -> None:
    """Sign out the browser that holds ``secret``."""
    session.execute(delete(SignIn).where(SignIn.digest == _digest(secret)))


def end_one(session: Session, account: Account, ref: str) -> bool:
    """End one sign-in of ``account``, and tell whether there was such a one."""
    mine = delete(SignIn).where(SignIn.account_id == account.id, SignIn.ref == ref)
    return bool(session.scalars(mine.returning(SignIn.ref)).all())


def end_others(session: Session, account: Account, kept: SignIn) -> int:
    """End every sign-in of ``account`` but ``kept``, and return how many."""
    others = delete(SignIn).where(SignIn.account_id == account.id, SignIn.digest != kept.digest)
    return len(session.scalars(others.returning(SignIn.ref)).all())


def issue_code(session: Session, link_secret: str | None, now: datetime) -> tuple[str, str]:
    """Add a code to a letter that is about to be sent.

    :param link_secret: of the link in the same letter; ``None`` when the address is nobody's.
    :returns: ``(asking, digits)``: the secret for the browser that asked, and the six digits.
    """
    asking, digits = secrets.token_urlsafe(32), f"{secrets.randbelow(10**6):06}"
    session.add(
        SignInCode(
            asking=_digest(asking),
            code=_keyed(asking, digits),
            link_digest=None if link_secret is None else _digest(link_secret),
            tries=0,
            expires_at=now + LINK_LIFETIME,
        )
    )
    return asking, digits


def spend_code(session: Session, asking: str, digits: str, now: datetime) -> Account | None:
    """Use the code up, and return whom it lets in; ``None``, and one try less, if it is wrong."""
    row = session.get(SignInCode, _digest(asking), with_for_update=True, populate_existing=True)
    if row is None or row.tries >= CODE_TRIES or row.expires_at <= now:
        return None
    row.tries += 1
    right = hmac.compare_digest(row.code, _keyed(asking, digits))
    link = row.link
    if not right or link is None or link.used_at is not None:
        return None
    link.used_at = now
    session.delete(row)
    return link.account


def sweep(session: Session, now: datetime) -> None:
    """Delete sign-ins, codes and links that are over."""
    session.execute(delete(SignIn).where(SignIn.expires_at <= now))
    session.execute(delete(SignInCode).where(SignInCode.expires_at <= now))
    long_over = now - LINK_MEMORY
    session.execute(
        delete(SignInLink).where(
            or_(SignInLink.expires_at <= long_over, SignInLink.used_at <= long_over)
        )
    )


def _keyed(asking: str, digits: str) -> str:
    return hmac.new(asking.encode(), digits.encode(), hashlib.sha256).hexdigest()


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
