"""Telling the admins of this space what is wrong with a profile or a conversation.

What was reported is kept as it stood. No neighbour learns of it, and nobody who is reported: an
admin who is reported does not see the report, and is told of none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from app.exchange import outbox
from app.members.moderation import Person
from app.models.account import ADMIN, Account
from app.models.conversation import Conversation
from app.models.journal import note
from app.models.peer import MirroredProfile
from app.models.report import PROFILE, REPORT_LIFETIME, Report
from app.search.cards import Card
from app.search.versions import Version

#: What the keys of these letters' jobs begin with.
LETTER = "report"

#: What is kept of a profile, if it says it.
FIELDS = (
    "name", "profession", "headline", "bio", "location", "availability", "languages", "interests",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reported:
    """What somebody reports, as it stands now."""

    person: Person
    space: str
    """Name of the person's space; empty for this one."""

    about: str = PROFILE
    context: dict[str, Any] = field(default_factory=dict)
    digest: str = ""
    messages: list[dict[str, Any]] = field(default_factory=list)


def as_shown(card: Card) -> dict[str, Any]:
    """Return what ``card`` shows of a person to whoever reports them, as JSON values."""
    said = {name: getattr(card, name) for name in FIELDS}
    services = [
        {
            "title": one.title,
            "description": one.description,
            "label": one.label,
            "translations": _further(one.translations, "title", "description"),
        }
        for one in card.services
    ]
    translations = _further(card.translations, "headline", "bio")
    plain = {
        name: list(value) if isinstance(value, tuple) else value for name, value in said.items()
    }
    kept = {**plain, "translations": translations, "services": services}
    return {name: value for name, value in kept.items() if value}


def _further(versions: Sequence[Version], short: str, long: str) -> list[dict[str, str]]:
    return [{"lang": one.lang, short: one.short, long: one.long} for one in versions]


def said_in(conversation: Conversation) -> list[dict[str, Any]]:
    """Return the words of ``conversation``, as JSON values; ``mine`` is whoever reports it."""
    return [
        {"mine": one.mine, "at": one.at.isoformat(), "text": one.text}
        for one in conversation.messages
        if one.text
    ]


def digest_of(session: Session, subject: str) -> str:
    """Return the digest of the record that we hold about a neighbour's person, if we do."""
    return session.scalar(select(MirroredProfile.digest).filter_by(subject=subject)) or ""


def report(
    session: Session, account: Account, what: Reported, kind: str, text: str, now: datetime
) -> Report:
    """Keep a report and let the admins know that there is one; the caller commits."""
    made = Report(
        account=account,
        about=what.about,
        subject=what.person.subject,
        name=what.person.name,
        space=what.space,
        member=what.person.member,
        peer=what.person.peer,
        kind=kind,
        text=text,
        context=what.context,
        digest=what.digest,
        messages=what.messages,
        at=now,
        expires_at=now + REPORT_LIFETIME,
    )
    session.add(made)
    session.flush()
    admins = select(Account).where(Account.role == ADMIN, Account.id != account.id)
    for admin in session.scalars(admins):
        if made.member_id is None or admin.member_id != made.member_id:
            outbox.request(session, outbox.MAIL, f"{LETTER}/{made.ref}.{admin.ref}", now)
    return made


def shown_to(admin: Account) -> ColumnElement[bool]:
    """Return the condition on :class:`Report` under which ``admin`` reads it."""
    return or_(Report.member_id.is_(None), Report.member_id != (admin.member_id or 0))


def waiting(session: Session, admin: Account) -> int:
    """Return how many reports nobody has looked at yet, of those that ``admin`` reads."""
    unread = select(func.count(Report.id)).where(Report.closed_at.is_(None), shown_to(admin))
    return session.scalar(unread) or 0


def made_by(session: Session, account: Account) -> Sequence[Report]:
    """Return what ``account`` reported, the newest first."""
    mine = select(Report).filter_by(account_id=account.id)
    return session.scalars(mine.order_by(Report.at.desc(), Report.id.desc())).all()


def close(session: Session, made: Report, by: Account, now: datetime) -> None:
    """Say that an admin has looked at a report; the caller commits."""
    if made.closed_at is None:
        made.closed_at = now
        # Neither who reported nor whom: the line outlives the report.
        note(session, now, "decision", "report.closed", actor=by.ref)
