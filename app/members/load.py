"""Carrying a plan out: rows, accounts, what neighbours receive and the index, in one transaction.

The caller commits. A row that changes nothing writes nothing.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.exchange import photos
from app.exchange.identity import Identity
from app.exchange.publish import publish_members
from app.members.plan import Outcome, Plan, Progress
from app.members.writing import write
from app.models.account import Account
from app.models.invitation import close_links
from app.models.journal import note
from app.models.member import Member
from app.search.index import ensure_current, index_members


def load(
    session: Session,
    plan: Plan,
    identity: Identity,
    now: datetime,
    *,
    actor: str = "command",
    source: str = "",
    progress: Progress | None = None,
) -> None:
    """Write what ``plan`` says, and let neighbours and the index know.

    :param actor: who decided, for the journal.
    :param source: which list it is, for the log of consents that an operator gave on its word.
    :param progress: told now and then, in steps: publishing a member is one, finding them another.
    """
    to_do = [outcome for outcome in plan.outcomes if outcome.to_do]
    if not to_do:
        return
    # An index that is not there yet is made now, while the new members are not in it.
    ensure_current(session)
    # All rows first, in few statements; only then what needs their numbers.
    with session.no_autoflush:
        accounts = {account.email: account for account in session.scalars(select(Account))}
        for outcome in to_do:
            outcome.change.source = source
        written = [_write(session, outcome, accounts, now) for outcome in to_do]
    session.flush()
    for outcome, member in zip(to_do, written, strict=True):
        if outcome.change.photo is not None:
            photos.show(session, member, outcome.change.photo, now)
    session.flush()
    steps = 2 * len(written)

    def tell(done: int) -> None:
        if progress is not None:
            progress(done, steps)

    publish_members(session, written, identity, now, tell)
    index_members(session, written, lambda done: tell(len(written) + done))
    counted = ", ".join(f"{count} {verdict}" for verdict, count in plan.counts.items())
    note(session, now, "decision", "members.imported", actor=actor, detail=f"A list: {counted}.")


def _write(
    session: Session, outcome: Outcome, accounts: dict[str, Account], now: datetime
) -> Member:
    member = outcome.member
    if member is None:
        member = Member(created_at=now, revision=0)
        session.add(member)
    write(member, outcome.change, now)
    if outcome.email:
        _address(session, member, outcome.email, accounts, now)
    return member


def _address(
    session: Session, member: Member, email: str, accounts: dict[str, Account], now: datetime
) -> None:
    """Give ``member`` an account with this address, or their account this address."""
    account = member.account or accounts.get(email)
    if account is None:
        account = Account(email=email, created_at=now)
        session.add(account)
    if account.email != email:
        # A link that went to the old address must not open the door of the new one's owner.
        close_links(session, account)
    account.email = email
    account.member = member
