"""Asking people to come in: one by one, or everybody of a list at once.

Asking writes rows; the worker sends the letters (``app/web/invitation_letters.py``), one every few
seconds, since mail servers refuse whoever sends hundreds at once, and so that other letters are
not kept waiting.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, delete, func, insert, or_, select
from sqlalchemy.orm import Session

from app.exchange import outbox
from app.models.account import MEMBER, Account, SignInLink, account_of
from app.models.base import new_id
from app.models.invitation import Invitation
from app.models.job import Job
from app.models.journal import note
from app.models.member import ME, Member
from app.search.index import index_member

#: Time between two letters of many.
PACE = timedelta(seconds=2)

#: What the keys of these letters' jobs begin with.
LETTER = "invitation"


class NotInvitedError(ValueError):
    """This person is not invited; ``reason`` is ``in`` or ``shut``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Letters:
    """How far invitations have come."""

    waiting: int
    """Not sent yet."""

    sent: int
    unsure: int
    """Perhaps sent: the worker was killed in the middle."""


def uninvited() -> Select[Account]:
    """Select everybody who has an address, has never come in, and was not asked to yet."""
    asked = select(Invitation.account_id)
    return (
        select(Account)
        .outerjoin(Account.member)
        .where(Account.came_at.is_(None), _welcome(), Account.id.not_in(asked))
        .order_by(Account.id)
    )


def without_address(session: Session) -> int:
    """Return how many members can not be written to: their list had no address for them."""
    known = select(Account.member_id).where(Account.member_id.is_not(None))
    nameless = select(func.count(Member.id)).where(
        Member.left_at.is_(None), Member.id.not_in(known)
    )
    return session.scalar(nameless) or 0


def progress(session: Session) -> Letters:
    """Return how many letters wait, went out, or perhaps went out."""
    asked = select(func.count(Invitation.account_id))
    sent = session.scalar(asked.where(Invitation.sent_at.is_not(None))) or 0
    unsent = asked.where(Invitation.sent_at.is_(None))
    waiting = session.scalar(unsent.where(Invitation.handed_at.is_(None))) or 0
    unsure = session.scalar(unsent.where(Invitation.handed_at.is_not(None))) or 0
    return Letters(waiting, sent, unsure)


def newcomer(session: Session, name: str, email: str, now: datetime) -> Account:
    """Return the account with this address; one for somebody new, whom nobody sees, if need be."""
    account = account_of(session, email)
    if account is None:
        account = Account(email=email.strip().lower(), role=MEMBER, created_at=now)
        session.add(account)
    if account.member is None and name:
        member = Member(name=name, audience=ME, revision=0, created_at=now, updated_at=now)
        session.add(member)
        session.flush()
        account.member = member
        index_member(session, member)
    session.flush()
    return account


def invite(session: Session, account: Account, by: str, now: datetime) -> None:
    """Ask one person to come in, or ask once more with another letter; the caller commits.

    :param by: an account's reference, or ``command``.
    :raises NotInvitedError: they came in already, or the door is shut to them.
    """
    if account.came_at is not None:
        raise NotInvitedError("in")
    if account.is_shut_out:
        raise NotInvitedError("shut")
    _forget(session, account)
    asked = Invitation(account_id=account.id, ref=new_id(), invited_by=by, asked_at=now)
    session.add(asked)
    session.flush()
    outbox.request(session, outbox.MAIL, f"{LETTER}/{asked.ref}", now)
    note(session, now, "decision", "account.invited", actor=by, detail=f"Account {account.ref}.")


def invite_all(session: Session, by: str, now: datetime) -> int:
    """Ask everybody who was not asked yet, and return how many; the caller commits."""
    asked: Sequence[int] = session.scalars(uninvited().with_only_columns(Account.id)).all()
    if not asked:
        return 0
    refs = [new_id() for _each in asked]
    session.execute(
        insert(Invitation),
        [
            {"account_id": number, "ref": ref, "invited_by": by, "asked_at": now, "digest": ""}
            for number, ref in zip(asked, refs, strict=True)
        ],
    )
    session.execute(
        insert(Job),
        [
            {"kind": outbox.MAIL, "key": f"{LETTER}/{ref}", "due_at": now + place * PACE,
             "created_at": now}
            for place, ref in enumerate(refs)
        ],
    )  # fmt: skip
    note(
        session, now, "decision", "members.invited", actor=by, detail=f"{len(asked)} letters."
    )  # fmt: skip
    return len(asked)


def cancel(session: Session, account: Account, by: str, now: datetime) -> bool:
    """Take an invitation back: a letter that is out opens nothing; the caller commits.

    :returns: whether there was one.
    """
    if not _forget(session, account):
        return False
    note(
        session, now, "decision", "account.uninvited", actor=by, detail=f"Account {account.ref}."
    )  # fmt: skip
    return True


def fulfil(session: Session, account: Account, now: datetime) -> None:
    """Say that ``account`` came in: its invitation is over, however it did; the caller commits."""
    account.came_at = now
    _forget(session, account)


def _forget(session: Session, account: Account) -> bool:
    asked = session.get(Invitation, account.id, populate_existing=True)
    if asked is None:
        return False
    outbox.drop(session, outbox.MAIL, f"{LETTER}/{asked.ref}")
    # A link that was used stays, to say so to whoever opens it again.
    session.execute(
        delete(SignInLink).where(SignInLink.digest == asked.digest, SignInLink.used_at.is_(None))
    )
    session.delete(asked)
    session.flush()
    return True


def _welcome() -> ColumnElement[bool]:
    """Return the condition on accounts joined to members: the door is not shut to them."""
    return and_(
        Account.banned_at.is_(None), or_(Account.member_id.is_(None), Member.left_at.is_(None))
    )
