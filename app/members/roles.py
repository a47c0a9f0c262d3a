"""Who runs the space: giving and taking the role, so that somebody always does.

Writers take turns in both databases (``app/models/engine.py``): what is counted here still holds
when it is committed, also when two admins take the role from each other in the same moment.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.members import locks
from app.models.account import ADMIN, MEMBER, Account
from app.models.journal import note
from app.models.member import Member


class LastAdminError(ValueError):
    """Nobody would be left to run the space."""


class NoAdminError(ValueError):
    """Whoever decides is no admin any more, or whom it is about cannot come in."""


def give(session: Session, account: Account, by: str, now: datetime) -> None:
    """Make ``account`` an admin; the caller commits.

    :param by: an admin's reference, or ``command``.
    :raises NoAdminError: the door is shut to this person.
    """
    if account.is_admin:
        return
    if account.is_shut_out:
        raise NoAdminError("the door is shut to this person")
    account.role = ADMIN
    locks.tell(session, account, locks.ADMIN_GIVEN, now)
    note(session, now, "decision", "account.admin", actor=by, detail=f"Account {account.ref}.")


def take(session: Session, account: Account, by: str, now: datetime) -> None:
    """Make an admin a member like all others; the caller commits.

    :raises LastAdminError: nothing was changed.
    """
    if not account.is_admin:
        return
    require_another(session, account)
    account.role = MEMBER
    locks.tell(session, account, locks.ADMIN_TAKEN, now)
    note(session, now, "decision", "account.member", actor=by, detail=f"Account {account.ref}.")


def require_another(session: Session, account: Account) -> None:
    """Look whether somebody else can run the space.

    :raises LastAdminError: ``account`` is the last admin who can come in.
    """
    if account.is_admin and not account.is_shut_out and not _others(session, account):
        raise LastAdminError("a space needs an admin")


def _others(session: Session, account: Account) -> int:
    others = (
        select(func.count(Account.id))
        .outerjoin(Account.member)
        .where(Account.role == ADMIN, Account.id != account.id, Account.banned_at.is_(None))
        .where(or_(Account.member_id.is_(None), Member.left_at.is_(None)))
    )
    return session.scalar(others) or 0
