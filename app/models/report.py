"""What members find wrong, as it stood when they said so, for the admins of this space alone.

A report leaves this space in no way: neither the other space nor the person learns of it, nor who
made it. It is deleted with its context after :data:`REPORT_LIFETIME`, and before that when
whoever made it or the member whom it is about leaves.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text, delete
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from app.models.account import Account
from app.models.base import Base, Moment, Opaque, new_id
from app.models.member import Member
from app.models.peer import Peer

#: How long a report is kept, answered or not.
REPORT_LIFETIME = timedelta(days=180)

#: What a report may be called by who makes it; nothing is fine too.
SPAM, RUDE, FALSE, OTHER = "spam", "rude", "false", "other"
KINDS = (SPAM, RUDE, FALSE, OTHER)

PROFILE, CONVERSATION = "profile", "conversation"

#: Characters of what is said about it.
TEXT_CHARACTERS = 2000


class Report(Base):
    """Somebody's word about a profile or a conversation."""

    __tablename__ = "report"

    id: Mapped[int] = mapped_column(primary_key=True)
    ref: Mapped[str] = mapped_column(Opaque, unique=True, default=new_id)
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    """Who made it; shown to the admins of this space and to nobody else."""

    about: Mapped[str] = mapped_column(String(12))
    """:data:`PROFILE` or :data:`CONVERSATION`."""

    subject: Mapped[str] = mapped_column(String(320))
    name: Mapped[str] = mapped_column(String(120))
    space: Mapped[str] = mapped_column(String(120), default="")
    """The name of the other person's space; empty for this one."""

    member_id: Mapped[int | None] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), index=True
    )
    peer_id: Mapped[int | None] = mapped_column(
        ForeignKey("peer.id", ondelete="SET NULL"), index=True
    )
    kind: Mapped[str] = mapped_column(String(10), default="")
    text: Mapped[str] = mapped_column(Text)
    context: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """The profile as whoever reports it saw it, by field."""

    digest: Mapped[str] = mapped_column(String(64), default="")
    """SHA-256 of the signed record of a neighbour's profile, hexadecimal."""

    messages: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    """The conversation, if whoever reports it chose to show it."""

    at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)
    """When an admin had looked at it."""

    account: Mapped[Account] = relationship()
    member: Mapped[Member | None] = relationship()
    peer: Mapped[Peer | None] = relationship()


def sweep(session: Session, now: datetime) -> None:
    """Delete reports that have reached their end; the caller commits."""
    session.execute(delete(Report).where(Report.expires_at <= now))
