"""Whom a member does not want to hear: blocked, so that nothing arrives, or muted.

Here and across the wall the person is known by the subject that their space signs. They are told
nothing, and nothing answers them otherwise than before.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, delete, select, update
from sqlalchemy.orm import Session

from app.models.conversation import (
    BLOCK,
    CLOSED,
    MUTE,
    TALKING,
    WAITING,
    Conversation,
    Silence,
)
from app.models.member import Member


def of(session: Session, member: Member) -> Sequence[Silence]:
    """Return whom ``member`` does not want to hear, the newest first."""
    mine = select(Silence).filter_by(member_id=member.id)
    return session.scalars(mine.order_by(Silence.since.desc(), Silence.other)).all()


def keep(
    session: Session, member: Member, other: str, name: str, space: str, kind: str, now: datetime
) -> None:
    """Let ``member`` block or mute somebody; the caller commits.

    :param other: the person's subject.
    :param space: the name of their space, empty for this one.
    :param kind: :data:`BLOCK`, which ends what they talk about as well, or :data:`MUTE`.
    """
    session.merge(
        Silence(member_id=member.id, other=other, since=now, kind=kind, name=name, space=space)
    )
    if kind == BLOCK:
        session.execute(
            update(Conversation)
            .filter_by(member_id=member.id, other=other)
            .where(Conversation.state.in_((WAITING, TALKING)))
            .values(state=CLOSED)
        )


def end(session: Session, member: Member, other: str) -> bool:
    """Let ``member`` hear somebody again, and tell whether they did not; the caller commits."""
    mine = delete(Silence).where(Silence.member_id == member.id, Silence.other == other)
    return bool(session.scalars(mine.returning(Silence.other)).all())


def forget(session: Session, other: str) -> None:
    """Delete what members decided about somebody of this space who is gone; the caller commits."""
    session.execute(delete(Silence).where(Silence.other == other))


def is_blocked(session: Session, member_id: int, other: str) -> bool:
    """Say whether nothing of ``other`` reaches the member."""
    return _kind(session, member_id, other) == BLOCK


def is_muted(session: Session, member_id: int, other: str) -> bool:
    """Say whether the member is not told when ``other`` writes."""
    return _kind(session, member_id, other) == MUTE


def muted(member_id: int) -> Select[str]:
    """Select the subjects of those of whose words the member is not told."""
    return select(Silence.other).filter_by(member_id=member_id, kind=MUTE)


def _kind(session: Session, member_id: int, other: str) -> str:
    found = session.get(Silence, (member_id, other))
    return "" if found is None else found.kind
