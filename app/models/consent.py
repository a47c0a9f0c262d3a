"""To what a member agreed, and when they took it back: a log that is only ever added to.

A line says of one block of a profile that other spaces, or the whole web, may see it from then on,
or not any more. Consents for the two are separate: the web is never implied by the neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Moment

#: Whose word a line is: the member's own; a list's, published by an operator; the one choice of
#: before blocks had their own; a document of ours that came home after a backup.
BY_MEMBER, BY_LIST, BY_EARLIER, BY_RESTORED = "member", "list", "earlier", "restored"

#: Characters of what is said beside a line.
DETAIL_CHARACTERS = 160


class Consent(Base):
    """One line of the log."""

    __tablename__ = "consent"
    __table_args__ = (
        CheckConstraint("circle IN ('neighbours', 'web')", name="circle"),
        CheckConstraint("said_by IN ('member', 'list', 'earlier', 'restored')", name="said_by"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(Moment)
    circle: Mapped[str] = mapped_column(String(10))
    """Who may see it: ``neighbours`` or ``web``."""

    block: Mapped[str] = mapped_column(String(40))
    """One of the blocks of a profile, or ``service:`` and the reference of a service."""

    given: Mapped[bool]
    """False where it was taken back."""

    said_by: Mapped[str] = mapped_column(String(10), default=BY_MEMBER)
    detail: Mapped[str] = mapped_column(String(DETAIL_CHARACTERS), default="")
    """Which list, or whatever else tells where the word came from."""


def standing(log: Iterable[Consent], circle: str) -> dict[str, datetime]:
    """Return the blocks that ``circle`` may see by this log, each with the day it was agreed to.

    :param log: of one member, the oldest line first.
    """
    found: dict[str, datetime] = {}
    for line in log:
        if line.circle == circle:
            if line.given:
                found[line.block] = line.at
            else:
                found.pop(line.block, None)
    return found
