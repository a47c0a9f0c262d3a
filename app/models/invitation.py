"""Who was asked to come in, and what became of the letter.

An invitation is a sign-in link with a longer life, in a letter that the worker sends. There is one
per account: asking again takes the place of the letter before, whose link then opens nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, String, delete
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from app.models.account import Account, SignInLink
from app.models.base import Base, Moment, Opaque, new_id

#: How long an invitation opens the door: somebody may be on holiday.
INVITATION_LIFETIME = timedelta(days=14)


class Invitation(Base):
    """A letter to somebody who has an account and has never come in."""

    __tablename__ = "invitation"

    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    ref: Mapped[str] = mapped_column(Opaque, unique=True, default=new_id)
    invited_by: Mapped[str] = mapped_column(String(120))
    """Who invited: an account's reference, or ``command``."""

    asked_at: Mapped[datetime] = mapped_column(Moment)
    digest: Mapped[str] = mapped_column(String(64), default="")
    """Of the link in the letter; empty while none was written."""

    handed_at: Mapped[datetime | None] = mapped_column(Moment)
    """When the letter was about to be given to the mail server; null again if it took nothing."""

    sent_at: Mapped[datetime | None] = mapped_column(Moment)
    """When the mail server had taken the letter."""

    account: Mapped[Account] = relationship()

    @property
    def expires_at(self) -> datetime | None:
        """Return until when the link works; ``None`` while no letter is known to have gone out."""
        return None if self.sent_at is None else self.sent_at + INVITATION_LIFETIME

    @property
    def is_unsure(self) -> bool:
        """True when the worker was killed while the letter was being handed over."""
        return self.handed_at is not None and self.sent_at is None


def close_links(session: Session, account: Account) -> None:
    """Let no link that was sent to ``account`` open anything any more; the caller commits."""
    session.execute(delete(SignInLink).where(SignInLink.account_id == account.id))
