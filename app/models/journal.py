"""What was decided and what was refused, so that an admin can read why."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from app.models.base import Base, Moment
from app.models.peer import Peer

#: Characters of evidence kept with a refusal; a whole document fits.
EVIDENCE_CHARACTERS = 24 * 1024


class JournalEntry(Base):
    """One decision or refusal."""

    __tablename__ = "journal"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment, index=True)
    kind: Mapped[str] = mapped_column(String(10))
    """``decision``, ``refusal`` or ``event``."""

    code: Mapped[str] = mapped_column(String(40))
    """Stable, for machines: ``peer.approved``, ``stale-rev``, ..."""

    actor: Mapped[str] = mapped_column(String(120), default="")
    """Who decided: an account's reference, ``command`` or ``worker``."""

    peer_id: Mapped[int | None] = mapped_column(ForeignKey("peer.id", ondelete="SET NULL"))
    subject: Mapped[str] = mapped_column(String(320), default="")
    detail: Mapped[str] = mapped_column(String(500), default="")
    """A sentence for people."""

    evidence: Mapped[str] = mapped_column(Text, default="")
    """The refused document, so that it can be shown to its author."""

    peer: Mapped[Peer | None] = relationship()


def note(
    session: Session,
    now: datetime,
    kind: str,
    code: str,
    *,
    actor: str = "",
    peer: Peer | None = None,
    subject: str = "",
    detail: str = "",
    evidence: str = "",
) -> None:
    """Write one line into the journal; long texts are cut, never refused."""
    session.add(
        JournalEntry(
            at=now,
            kind=kind,
            code=code,
            actor=actor,
            peer=peer,
            subject=subject[:320],
            detail=detail[:500],
            evidence=evidence[:EVIDENCE_CHARACTERS],
        )
    )
