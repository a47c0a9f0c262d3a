"""What was decided and what was refused, so that an admin can read why."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, String, Text, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from app.models.base import Base, Moment
from app.models.peer import Peer

#: What a line may be about.
KINDS = ("decision", "refusal", "event")

#: Characters of evidence kept with a refusal; a whole document fits.
EVIDENCE_CHARACTERS = 24 * 1024

#: Lines that one space may cause within an hour under one code: a pull writes at most 21. All that
#: strangers cause is counted together.
LINES_AN_HOUR, STRANGERS_LINES_AN_HOUR = 25, 100


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
    """Write one line into the journal; long texts are cut, never refused.

    What others cause is written so often an hour and no more: whoever fills the journal with one
    thing neither pushes another out of it nor fills the disk. Decisions are always written.
    """
    if kind != "decision":
        most = STRANGERS_LINES_AN_HOUR if peer is None else LINES_AN_HOUR
        lately = _lines_of_the_hour(session, now, kind, code, peer)
        if lately > most:
            return
        if lately == most:
            detail, evidence = "further ones of this hour are not written down", ""
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


def _lines_of_the_hour(
    session: Session, now: datetime, kind: str, code: str, peer: Peer | None
) -> int:
    lately = select(func.count()).where(
        JournalEntry.at > now - timedelta(hours=1),
        JournalEntry.kind == kind,
        JournalEntry.code == code,
        JournalEntry.peer == peer,
    )
    return session.scalar(lately) or 0
