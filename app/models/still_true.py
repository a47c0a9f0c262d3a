"""Asking members whether their profile is still true: one question at a time, until answered."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, Moment, Opaque, new_id
from app.models.member import Member


class StillTrue(Base):
    """A question that waits for its answer; it is gone with it."""

    __tablename__ = "still_true"

    member_id: Mapped[int] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), primary_key=True
    )
    ref: Mapped[str] = mapped_column(Opaque, unique=True, default=new_id)
    """What the link in the letter stands for."""

    asked_at: Mapped[datetime] = mapped_column(Moment)
    """Since when their own page asks, whether or not they get letters."""

    handed_at: Mapped[datetime | None] = mapped_column(Moment)
    """When the letter that asks was handed over, or was about to be: no second one goes out."""

    told_at: Mapped[datetime | None] = mapped_column(Moment)
    """The same for the letter which says that the profile left the neighbours."""

    member: Mapped[Member] = relationship()
