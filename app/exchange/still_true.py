"""Keeping profiles true: members are asked, and who does not answer rests from the neighbours.

The rules:

* asked is who shows something to neighbours or the web, and neither changed nor confirmed it for
  90 days; once, until they answer;
* who does not answer until 180 days after the last word of theirs, nor within 90 days of the
  question (a worker may have been away), leaves the federation: a withdrawal is signed, as if they
  had chosen a smaller circle, and the people of this space still see them;
* any word of theirs, a saved profile too, is the answer, and brings them back;
* a member without an account cannot be asked, and stays: it is the space's list that speaks for
  them, and ends their membership; a list that changes them counts as a word, for everybody.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from app.exchange import outbox
from app.exchange.identity import Identity
from app.exchange.publish import publish_member
from app.models.account import Account
from app.models.member import NEIGHBOURS, WEB, Member
from app.models.still_true import StillTrue

#: How long a word of a member is good before they are asked, and before their profile rests.
ASKED_AFTER, RESTS_AFTER = timedelta(days=90), timedelta(days=180)

#: What somebody who was asked has at least.
ANSWERED_WITHIN = RESTS_AFTER - ASKED_AFTER

#: Time between two letters of many: mail servers refuse whoever sends hundreds at once.
PACE = timedelta(seconds=2)

#: Members looked at in one go, so that other jobs get a turn.
AT_ONCE = 500

#: What the keys of the letters' jobs begin with: the question, and what came of its silence.
QUESTION, FAREWELL = "still-true", "resting"


def look(session: Session, identity: Identity, now: datetime) -> tuple[int, int]:
    """Ask who is to be asked and let rest who did not answer; the caller commits.

    :returns: how many of each, at most :data:`AT_ONCE`.
    """
    # Who spoke meanwhile is neither asked nor rested; their question is over.
    _forget_answered(session)
    return _ask(session, now), _let_rest(session, identity, now)


def question_of(session: Session, member: Member) -> StillTrue | None:
    """Return the question that waits for ``member``."""
    return session.get(StillTrue, member.id)


def confirm(session: Session, member: Member, identity: Identity, now: datetime) -> bool:
    """Note that ``member`` says it is true, and bring them back; the caller commits.

    :returns: whether they had been resting.
    :raises NotPublishableError: what they say cannot be signed any more.
    """
    rested = heard(session, member, now)
    if rested:
        publish_member(session, member, identity, now)
    return rested


def heard(session: Session, member: Member, now: datetime) -> bool:
    """Note a word of ``member``, who is about to be published; tell whether they were resting."""
    rested = member.resting_at is not None
    member.confirmed_at, member.resting_at = now, None
    if member.id is not None and (waiting := question_of(session, member)) is not None:
        _forget(session, waiting)
    return rested


def _forget_answered(session: Session) -> None:
    spoken = (
        select(StillTrue)
        .join(StillTrue.member)
        .where(
            or_(
                Member.updated_at > StillTrue.asked_at,
                Member.audience.not_in((NEIGHBOURS, WEB)),
                Member.left_at.is_not(None),
            )
        )
    )
    for waiting in session.scalars(spoken).all():
        # A list may have spoken for them: then they are back with the next word of their own.
        if waiting.member.resting_at is None:
            _forget(session, waiting)


def _ask(session: Session, now: datetime) -> int:
    limit = now - ASKED_AFTER
    due = (
        select(Member)
        .join(Member.account)
        .outerjoin(StillTrue, StillTrue.member_id == Member.id)
        .where(
            Member.audience.in_((NEIGHBOURS, WEB)),
            and_(Member.left_at.is_(None), Member.hidden_at.is_(None)),
            Member.updated_at <= limit,
            or_(Member.confirmed_at.is_(None), Member.confirmed_at <= limit),
            Account.banned_at.is_(None),
            StillTrue.member_id.is_(None),
        )
        .order_by(Member.id)
        .limit(AT_ONCE)
    )
    asked = [StillTrue(member=member, asked_at=now) for member in session.scalars(due)]
    session.add_all(asked)
    session.flush()
    for place, one in enumerate(asked):
        due_at = now + place * PACE
        outbox.request(session, outbox.MAIL, f"{QUESTION}/{one.ref}", now, due_at=due_at)
    return len(asked)


def _let_rest(session: Session, identity: Identity, now: datetime) -> int:
    limit = now - RESTS_AFTER
    silent = (
        select(StillTrue)
        .join(StillTrue.member)
        .where(
            StillTrue.asked_at <= now - ANSWERED_WITHIN,
            Member.resting_at.is_(None),
            Member.updated_at <= limit,
            or_(Member.confirmed_at.is_(None), Member.confirmed_at <= limit),
        )
        .order_by(Member.id)
        .limit(AT_ONCE)
    )
    resting = session.scalars(silent).all()
    for place, one in enumerate(resting):
        one.member.resting_at = now
        publish_member(session, one.member, identity, now)
        due_at = now + place * PACE
        outbox.request(session, outbox.MAIL, f"{FAREWELL}/{one.ref}", now, due_at=due_at)
    return len(resting)


def _forget(session: Session, waiting: StillTrue) -> None:
    for letter in (QUESTION, FAREWELL):
        outbox.drop(session, outbox.MAIL, f"{letter}/{waiting.ref}")
    session.delete(waiting)
    session.flush()
