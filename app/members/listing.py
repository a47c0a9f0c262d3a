"""The list of everybody, for the admins: who was asked to come in, who did, and who is seen.

Names only. Addresses are looked for and never shown: an admin who knows one finds its owner.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from app.members.texts import folded
from app.models.account import ADMIN, Account
from app.models.invitation import INVITATION_LIFETIME, Invitation
from app.models.member import ME, Member

EVERYBODY, UNINVITED, INVITED, IN, PUBLISHED = "all", "uninvited", "invited", "in", "published"

#: What the list can be narrowed to.
KINDS = (EVERYBODY, UNINVITED, INVITED, IN, PUBLISHED)


@dataclass(frozen=True, slots=True)
class Person:
    """One line of the list."""

    name: str
    """Empty for an account without a profile."""

    ref: str
    """The account's; empty for a member without an address."""

    member_ref: str
    is_admin: bool
    audience: str
    hidden: bool
    banned: bool
    came_at: datetime | None
    asked_at: datetime | None
    """When they were invited, if they were and have not come in."""

    sent_at: datetime | None
    unsure: bool
    late: bool
    """The invitation does not open the door any more."""

    def is_of(self, kind: str) -> bool:
        """Tell whether the list that is narrowed to ``kind`` names this person."""
        return {
            UNINVITED: self.came_at is None and self.asked_at is None,
            INVITED: self.asked_at is not None,
            IN: self.came_at is not None,
            PUBLISHED: self.audience != ME and not self.hidden,
        }.get(kind, True)


def people(session: Session, words: str, now: datetime) -> list[Person]:
    """Return the people of the space whose name has ``words``, or whose address they are."""
    wanted, address = folded(words), words.strip().lower()
    found = [
        (folded(row.name or ""), row.member_ref or row.ref, row)
        for rows in _selects()
        for row in session.execute(rows)
        if wanted in folded(row.name or "") or row.email == address
    ]
    return [_person(row, now) for _name, _ref, row in sorted(found, key=lambda one: one[:2])]


def _selects() -> tuple[Select[*tuple[Any, ...]], Select[*tuple[Any, ...]]]:
    """Return what selects the members, and the accounts of people without a profile."""
    columns = (
        Account.ref, Account.email, Account.role, Account.came_at, Account.banned_at,
        Member.ref.label("member_ref"), Member.name, Member.audience, Member.hidden_at,
        Invitation.asked_at, Invitation.sent_at, Invitation.handed_at,
    )  # fmt: skip
    asked = Invitation.account_id == Account.id
    # Not one FULL JOIN: SQLite has it since 3.39 only.
    members = select(*columns).select_from(Member).outerjoin(Member.account)
    accounts = select(*columns).select_from(Account).outerjoin(Account.member)
    return (
        members.outerjoin(Invitation, asked).where(Member.left_at.is_(None)),
        accounts.outerjoin(Invitation, asked).where(Account.member_id.is_(None)),
    )


def _person(row: Row[*tuple[Any, ...]], now: datetime) -> Person:
    return Person(
        name=row.name or "",
        ref=row.ref or "",
        member_ref=row.member_ref or "",
        is_admin=row.role == ADMIN,
        audience=row.audience or ME,
        hidden=row.hidden_at is not None,
        banned=row.banned_at is not None,
        came_at=row.came_at,
        asked_at=row.asked_at,
        sent_at=row.sent_at,
        unsure=row.handed_at is not None and row.sent_at is None,
        late=row.sent_at is not None and row.sent_at + INVITATION_LIFETIME <= now,
    )
