"""Who may be seen by whom: the only way in which pages, search and exchange read people.

Visibility is computed from the peer's row and the member's choice each time, never copied:
suspending a peer or withdrawing a profile hides it in the same moment.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, and_, select

from app.models.member import NEIGHBOURS, SPACE, WEB, Member
from app.models.peer import SHOWN_WHEN_OURS, MirroredProfile, Peer


class Reader(StrEnum):
    """Who is looking: somebody signed in here, or anybody."""

    MEMBER = "member"
    VISITOR = "visitor"


def visible_members(reader: Reader) -> Select[Member]:
    """Select the members of this space whom ``reader`` may see."""
    return select(Member).where(seen_by(reader))


def seen_by(reader: Reader) -> ColumnElement[bool]:
    """Return the condition on :class:`Member` under which ``reader`` may see them."""
    circles = (SPACE, NEIGHBOURS, WEB) if reader is Reader.MEMBER else (WEB,)
    return and_(Member.audience.in_(circles), Member.left_at.is_(None))


def visible_mirrored(reader: Reader, now: datetime) -> Select[MirroredProfile]:
    """Select the neighbours' profiles whom ``reader`` may see at ``now``; joined to their peer."""
    return select(MirroredProfile).join(MirroredProfile.peer).where(mirrored_seen_by(reader, now))


def mirrored_seen_by(reader: Reader, now: datetime) -> ColumnElement[bool]:
    """Return the condition on :class:`MirroredProfile` joined to :class:`Peer`."""
    seen = and_(shown_peers(), MirroredProfile.expires_at > now)
    return seen if reader is Reader.MEMBER else and_(seen, MirroredProfile.public)


def shown_peers() -> ColumnElement[bool]:
    """Return the condition on :class:`Peer` under which anything of it is shown here."""
    return and_(Peer.ours.in_(SHOWN_WHEN_OURS), Peer.theirs == "approved")
