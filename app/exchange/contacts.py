"""How many new people may be written to: what a member may send, and what a space may send us.

Counted on both sides, since a space that does not count its members' letters would make ours read
them. Letters to nobody count like those that reach somebody: a refusal must tell nothing else.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.models.conversation import TALKING, Conversation, Introduced
from app.models.member import Member
from federation.errors import RateLimitedError
from federation.introductions import Introduction
from federation.limits import INTRODUCTION_LIFETIME

#: People whom a member may write to for the first time within a day.
NEW_CONTACTS, A_DAY = 5, timedelta(days=1)

#: How long it is known that an introduction came: as long as it can be signed and sent again.
#: Forgotten sooner, it would be counted once more, unless it had reached somebody who is there.
REMEMBERED = INTRODUCTION_LIFETIME + A_DAY

#: Introductions that one space may send us within a day.
FROM_ONE_SPACE = 200

#: Seconds after which a letter that was too many is tried again.
ASK_AGAIN = 6 * 3600


class TooManyContactsError(Exception):
    """The member wrote to so many new people that the next has to wait until ``again_at``."""

    def __init__(self, again_at: datetime) -> None:
        super().__init__(again_at)
        self.again_at = again_at


def require_room(session: Session, member: Member, subject: str, now: datetime) -> None:
    """Count whom ``member`` wrote to by themselves, and who was there to read it.

    Who was proposed by somebody who was asked is not counted: there is at most one of them for
    each who was, and it takes that person's word. Nor is a door that turned out to be closed.

    :raises TooManyContactsError: no new person may be written to yet.
    """
    known = select(Conversation.other).where(
        Conversation.member_id == member.id, Conversation.state == TALKING
    )
    if subject in set(session.scalars(known)):
        return
    new = session.execute(
        select(Conversation.other, func.min(Conversation.created_at))
        .where(
            Conversation.member_id == member.id,
            Conversation.mine,
            Conversation.passed_by == "",
            Conversation.reopens_on.is_(None),
            Conversation.created_at > now - A_DAY,
            Conversation.other.not_in(known),
        )
        .group_by(Conversation.other)
        .order_by(func.min(Conversation.created_at))
    ).all()
    if len(new) >= NEW_CONTACTS and subject not in {other for other, _first in new}:
        raise TooManyContactsError(new[0][1] + A_DAY)


def is_known(session: Session, letter: Introduction) -> bool:
    """Say whether the letter came before, whatever became of it."""
    return session.get(Introduced, (letter.issuer, letter.id)) is not None


def require_patience(session: Session, letter: Introduction, now: datetime) -> None:
    """Count letters to nobody too: or a refusal would tell that the others reached somebody.

    :raises RateLimitedError: too many conversations by this sender, or by this space.
    """
    lately = select(func.count()).select_from(Introduced).where(Introduced.at > now - A_DAY)
    by_sender = lately.where(Introduced.sender == letter.sender.sub)
    if (session.scalar(by_sender) or 0) >= NEW_CONTACTS:
        raise RateLimitedError("this member wrote to enough people today", ASK_AGAIN)
    by_space = lately.where(Introduced.opened_by == letter.issuer)
    if (session.scalar(by_space) or 0) >= FROM_ONE_SPACE:
        raise RateLimitedError("this space wrote enough today", ASK_AGAIN)


def count(session: Session, letter: Introduction, now: datetime) -> None:
    """Write down that ``letter`` came, whoever it reaches; the caller commits."""
    session.add(
        Introduced(opened_by=letter.issuer, wire_id=letter.id, sender=letter.sender.sub, at=now)
    )


def sweep(session: Session, now: datetime) -> None:
    """Forget what counts no more; the caller commits."""
    session.execute(delete(Introduced).where(Introduced.at <= now - REMEMBERED))
