"""Coming back from a backup: what was signed after it is unknown here, and known to neighbours.

A new epoch makes them read the feed from the beginning instead of distrusting one that went back.
Revisions go on far above those that were lost, so that what a member says next counts as newer.
Nothing is signed anew by itself: who took a profile back after the backup was made stays withdrawn
among the neighbours, until the member decides otherwise.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.exchange import outbox
from app.models.base import new_id
from app.models.feed import FeedEntry, FeedState
from app.models.member import Member

#: More documents than one member signs between a backup and the loss of what came after it.
REVISIONS_SKIPPED = 10_000


def begin_again(session: Session, now: datetime) -> int:
    """Start a new epoch of the feed; the caller commits.

    :returns: how many profiles are published.
    """
    state = session.get_one(FeedState, 1, with_for_update=True, populate_existing=True)
    state.epoch = new_id()
    session.execute(
        update(Member)
        .where(Member.revision > 0)
        .values(revision=Member.revision + REVISIONS_SKIPPED)
        .execution_options(synchronize_session=False)
    )
    outbox.request(session, outbox.CHECKPOINT, "", now)
    published = select(func.count()).select_from(FeedEntry).where(FeedEntry.kind == "profile")
    return session.scalar(published) or 0
