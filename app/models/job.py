"""What is still to be done: an outbox whose rows workers lease.

A worker takes a due row by moving ``leased_until`` into the future, in one conditional update;
if the worker is killed, the lease runs out and another takes the row. A finished row is deleted,
or made due again if something changed meanwhile.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Moment


class Job(Base):
    """One thing to do, at most once at a time, as often as it takes."""

    __tablename__ = "job"
    __table_args__ = (UniqueConstraint("kind", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    key: Mapped[str] = mapped_column(String(320), default="")
    """What it is about; one row per kind and key, so that asking twice is asking once."""

    peer_id: Mapped[int | None] = mapped_column(
        ForeignKey("peer.id", ondelete="CASCADE"), index=True
    )
    body: Mapped[str] = mapped_column(Text, default="")
    """What is to be delivered, already signed; empty when it is made at the time."""

    version: Mapped[int] = mapped_column(default=0)
    """Rises when the row is asked for again, so that finishing an older one does not end it."""

    due_at: Mapped[datetime] = mapped_column(Moment, index=True)
    leased_until: Mapped[datetime | None] = mapped_column(Moment)
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str] = mapped_column(String(500), default="")
    created_at: Mapped[datetime] = mapped_column(Moment)


class SeenAssertion(Base):
    """A request assertion that was used, remembered until it expires anyway."""

    __tablename__ = "seen_assertion"

    jti: Mapped[str] = mapped_column(String(320), primary_key=True)
    """Issuer and ``jti``, joined by a space."""

    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)
