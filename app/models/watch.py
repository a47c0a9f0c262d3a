"""How the exchange with each neighbour goes over a day, and what its last test found.

Neither grows: samples are deleted after a day, and of tests only the last is kept.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Moment


class LagSample(Base):
    """How far behind our copy of a neighbour was at one moment; taken every hour."""

    __tablename__ = "lag_sample"

    peer_id: Mapped[int] = mapped_column(
        ForeignKey("peer.id", ondelete="CASCADE"), primary_key=True
    )
    at: Mapped[datetime] = mapped_column(Moment, primary_key=True, index=True)
    seconds: Mapped[int] = mapped_column(BigInteger)
    """Since the copy was last known to be what the neighbour states."""


class Trial(Base):
    """The last test of a neighbour: asked for on a page, done by a worker."""

    __tablename__ = "trial"

    peer_id: Mapped[int] = mapped_column(
        ForeignKey("peer.id", ondelete="CASCADE"), primary_key=True
    )
    asked_at: Mapped[datetime] = mapped_column(Moment)
    done_at: Mapped[datetime | None] = mapped_column(Moment, index=True)
    """Null while a worker has still to do it."""

    steps: Mapped[list[list[str]]] = mapped_column(JSON, default=list)
    """``[name, verdict, code, detail]`` of each step, in the order in which they were tried."""
