"""What an admin did to keep the place decent: hide, warn or ban, with a reason; it can be undone.

A neighbour's person is known by the subject that their space signs: so what was hidden stays
hidden, however often the profile is read again, also after the two spaces parted and met anew.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Select, String, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, Moment, Opaque, new_id
from app.models.member import Member
from app.models.peer import Peer

HIDE, WARN, BAN = "hide", "warn", "ban"
MEASURES = (HIDE, WARN, BAN)

#: Characters of a reason.
REASON_CHARACTERS = 500


class Measure(Base):
    """One decision about one person, here or at a neighbour's."""

    __tablename__ = "measure"
    __table_args__ = (CheckConstraint("kind IN ('hide', 'warn', 'ban')", name="kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    ref: Mapped[str] = mapped_column(Opaque, unique=True, default=new_id)
    kind: Mapped[str] = mapped_column(String(4))
    subject: Mapped[str] = mapped_column(String(320), index=True)
    """Whom it is about, as their space signs them."""

    name: Mapped[str] = mapped_column(String(120))
    member_id: Mapped[int | None] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), index=True
    )
    """The member of this space; ``None`` for a neighbour's."""

    peer_id: Mapped[int | None] = mapped_column(
        ForeignKey("peer.id", ondelete="SET NULL"), index=True
    )
    reason: Mapped[str] = mapped_column(String(REASON_CHARACTERS))
    """What a member of this space is told."""

    decided_by: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime] = mapped_column(Moment)
    undone_at: Mapped[datetime | None] = mapped_column(Moment)

    member: Mapped[Member | None] = relationship()
    peer: Mapped[Peer | None] = relationship()


def hidden_subjects() -> Select[str]:
    """Select the subjects of neighbours' people who are shown to nobody here."""
    return select(Measure.subject).where(
        Measure.kind == HIDE, Measure.undone_at.is_(None), Measure.member_id.is_(None)
    )
