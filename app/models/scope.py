"""Who may be seen by whom: the only way in which pages, search and exchange read people.

Visibility is computed from the peer's row and the member's choice each time, never copied:
suspending a peer or withdrawing a profile hides it in the same moment.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BindParameter, ColumnElement, Select, and_, select

from app.models.measure import hidden_subjects
from app.models.member import AUDIENCES, ME, NEIGHBOURS, SPACE, WEB, Member, Service, reaches
from app.models.peer import SHOWN_WHEN_OURS, MirroredProfile, Peer


class Reader(StrEnum):
    """Who is looking: the person themselves, somebody signed in here, a neighbour, or anybody."""

    SELF = "self"
    MEMBER = "member"
    NEIGHBOUR = "neighbour"
    VISITOR = "visitor"


#: How far something has to go for a reader to see it.
CIRCLE_OF = {
    Reader.SELF: ME,
    Reader.MEMBER: SPACE,
    Reader.NEIGHBOUR: NEIGHBOURS,
    Reader.VISITOR: WEB,
}


def may_see(reader: Reader, member: Member, block: str | Service) -> bool:
    """Tell whether ``reader`` may see ``block`` of ``member``: the one place where it is decided.

    :param block: a key of :data:`app.models.member.FIELDS_OF`, or one of the member's services.
    """
    shown = member.left_at is None and member.hidden_at is None
    return (shown or reader is Reader.SELF) and goes_as_far(member, block, reader)


def goes_as_far(member: Member, block: str | Service, reader: Reader) -> bool:
    """Tell whether the member chose to show ``block`` to people like ``reader``."""
    return reaches(member.circle_of(block), CIRCLE_OF[reader])


def visible_members(reader: Reader) -> Select[Member]:
    """Select the members of this space whom ``reader`` may see."""
    return select(Member).where(seen_by(reader))


def seen_by(reader: Reader) -> ColumnElement[bool]:
    """Return the condition on :class:`Member` under which ``reader`` may see them."""
    circles = [circle for circle in AUDIENCES if reaches(circle, CIRCLE_OF[reader])]
    shown = and_(Member.left_at.is_(None), Member.hidden_at.is_(None))
    if reader is Reader.NEIGHBOUR:
        shown = and_(shown, Member.resting_at.is_(None))
    return and_(Member.audience.in_(circles), shown)


def visible_mirrored(reader: Reader, now: datetime) -> Select[MirroredProfile]:
    """Select the neighbours' profiles whom ``reader`` may see at ``now``; joined to their peer."""
    return select(MirroredProfile).join(MirroredProfile.peer).where(mirrored_seen_by(reader, now))


def mirrored_seen_by(
    reader: Reader, now: datetime | BindParameter[datetime]
) -> ColumnElement[bool]:
    """Return the condition on :class:`MirroredProfile` joined to :class:`Peer`."""
    seen = and_(
        shown_peers(),
        MirroredProfile.expires_at > now,
        MirroredProfile.subject.not_in(hidden_subjects()),
    )
    return seen if reader is Reader.MEMBER else and_(seen, MirroredProfile.public)


def shown_peers() -> ColumnElement[bool]:
    """Return the condition on :class:`Peer` under which anything of it is shown here."""
    return and_(Peer.ours.in_(SHOWN_WHEN_OURS), Peer.theirs == "approved")
