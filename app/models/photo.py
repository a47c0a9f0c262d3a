"""Members' photos, and our own copies of those of neighbours' people.

In the database and not beside it: a photo is backed up, taken back and deleted with whom it shows,
in one transaction (docs/decisions/0045-photos.md). Who may see one is who may see the person.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Moment


class Photo(Base):
    """The photo of one of our members, as it is served: drawn anew from what was sent in."""

    __tablename__ = "photo"

    member_id: Mapped[int] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), primary_key=True
    )
    digest: Mapped[str] = mapped_column(String(64), index=True)
    """SHA-256 of ``image``, hexadecimal; the same as in ``Member.photo``."""

    image: Mapped[bytes] = mapped_column(LargeBinary)
    changed_at: Mapped[datetime] = mapped_column(Moment)


class MirroredPhoto(Base):
    """What became of the photo that a neighbour's profile claims."""

    __tablename__ = "mirrored_photo"

    profile_id: Mapped[int] = mapped_column(
        ForeignKey("mirrored_profile.id", ondelete="CASCADE"), primary_key=True
    )
    peer_id: Mapped[int] = mapped_column(ForeignKey("peer.id", ondelete="CASCADE"), index=True)
    claimed: Mapped[str] = mapped_column(String(64))
    """The digest that the profile was signed with; another one is another photo."""

    digest: Mapped[str] = mapped_column(String(64), default="")
    """SHA-256 of ``image``; empty for one that was refused."""

    image: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    """Drawn anew here from what its space sent; empty for one that was refused."""

    refused: Mapped[str] = mapped_column(String(40), default="")
    """The code of the reason; it is asked for again when the profile claims another one, or
    after a while."""

    fetched_at: Mapped[datetime] = mapped_column(Moment)
