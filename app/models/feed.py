"""What this space has published, in the order peers read it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Moment


class FeedState(Base):
    """The one row that hands out feed positions.

    A position comes from here and not from an auto-increment: on PostgreSQL a lower number may
    commit after a reader has passed it. Whoever publishes locks this row first.
    """

    __tablename__ = "feed_state"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    epoch: Mapped[str] = mapped_column(String(64))
    """Changes when the space is restored from a backup."""

    seq: Mapped[int] = mapped_column(default=0)
    """The last position given out."""

    restored_at: Mapped[datetime | None] = mapped_column(Moment)
    """When this epoch began, if it began with a backup: what was signed until then may have been
    followed by something that only neighbours know."""


class FeedEntry(Base):
    """The latest document about one subject: its profile, or its withdrawal."""

    __tablename__ = "feed_entry"
    __table_args__ = (CheckConstraint("kind IN ('profile', 'withdrawal')", name="kind"),)

    subject: Mapped[str] = mapped_column(String(320), primary_key=True)
    member_id: Mapped[int | None] = mapped_column(
        ForeignKey("member.id", ondelete="SET NULL"), unique=True
    )
    seq: Mapped[int] = mapped_column(unique=True)
    kind: Mapped[str] = mapped_column(String(10))
    revision: Mapped[int]
    audience: Mapped[str] = mapped_column(String(255))
    """``public``, ``peers`` or an entity identifier, as signed; a withdrawal keeps the last one."""

    jws: Mapped[str] = mapped_column(Text)
    """The signed document, exactly as it is sent."""

    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of ``jws``, hexadecimal, so that a root is computed without reading all texts."""

    kid: Mapped[str] = mapped_column(String(64), default="")
    """Which of our operational keys signed it."""

    fingerprint: Mapped[str] = mapped_column(String(64), default="")
    """Digest of the content without dates: an edit that changes nothing signs nothing."""

    signed_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)
    latest_expiry: Mapped[datetime] = mapped_column(Moment)
    """The latest expiry ever signed for this subject; its withdrawal must outlive every copy."""


class OwnCheckpoint(Base):
    """What we last said, signed, about the whole of a view."""

    __tablename__ = "own_checkpoint"
    __table_args__ = (UniqueConstraint("view", "epoch", "seq", "root"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    view: Mapped[str] = mapped_column(String(10), index=True)
    """``public`` or ``peers``."""

    epoch: Mapped[str] = mapped_column(String(64))
    seq: Mapped[int]
    count: Mapped[int]
    root: Mapped[str] = mapped_column(String(64))
    jws: Mapped[str] = mapped_column(Text)
    kid: Mapped[str] = mapped_column(String(64), default="")
    """Which of our operational keys signed it."""

    signed_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)


class PeerAck(Base):
    """A peer's signed word that its copy of our view equals a root we signed."""

    __tablename__ = "peer_ack"

    peer_id: Mapped[int] = mapped_column(
        ForeignKey("peer.id", ondelete="CASCADE"), primary_key=True
    )
    view: Mapped[str] = mapped_column(String(10), primary_key=True)
    epoch: Mapped[str] = mapped_column(String(64))
    seq: Mapped[int] = mapped_column(BigInteger)
    root: Mapped[str] = mapped_column(String(64))
    count: Mapped[int] = mapped_column(BigInteger)
    jws: Mapped[str] = mapped_column(Text)
    received_at: Mapped[datetime] = mapped_column(Moment)


class Receipt(Base):
    """One space that may hold a copy of a withdrawn profile, and its word that it has none."""

    __tablename__ = "receipt"

    subject: Mapped[str] = mapped_column(
        ForeignKey("feed_entry.subject", ondelete="CASCADE"), primary_key=True
    )
    peer_id: Mapped[int] = mapped_column(
        ForeignKey("peer.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    seq: Mapped[int] = mapped_column(BigInteger)
    """The position of the withdrawal; a root at or after it does not contain the profile."""

    asked_at: Mapped[datetime] = mapped_column(Moment)
    confirmed_at: Mapped[datetime | None] = mapped_column(Moment)
    """Null while the space is silent."""

    jws: Mapped[str] = mapped_column(Text, default="")
    """Its acknowledgement, as signed: what can be shown to whoever doubts."""
