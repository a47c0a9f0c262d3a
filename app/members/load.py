"""Carrying a plan out: rows, accounts, what neighbours receive and the index, in one transaction.

The caller commits. A row that changes nothing writes nothing.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from sqlalchemy.orm import Session

from app.exchange.identity import Identity
from app.exchange.publish import publish_member
from app.members.person import Offer
from app.members.plan import Outcome, Plan, Progress
from app.models.account import Account, account_of
from app.models.journal import note
from app.models.member import Member, Service
from app.search.index import ensure_current, index_member


def load(
    session: Session,
    plan: Plan,
    identity: Identity,
    now: datetime,
    *,
    actor: str = "command",
    progress: Progress | None = None,
) -> None:
    """Write what ``plan`` says, and let neighbours and the index know.

    :param actor: who decided, for the journal.
    :param progress: told after each member.
    :raises NotPublishableError: a member is too long, or not fit, to be signed.
    """
    to_do = [outcome for outcome in plan.outcomes if outcome.to_do]
    if not to_do:
        return
    # An index that is not there yet is made now, while the new members are not in it.
    ensure_current(session)
    # All rows first, in few statements; only then what needs their numbers.
    with session.no_autoflush:
        written = [_write(session, outcome, now) for outcome in to_do]
    session.flush()
    for done, member in enumerate(written, 1):
        publish_member(session, member, identity, now)
        index_member(session, member)
        if progress is not None:
            progress(done, len(written))
    counted = ", ".join(f"{count} {verdict}" for verdict, count in plan.counts.items())
    note(session, now, "decision", "members.imported", actor=actor, detail=f"A list: {counted}.")


def _write(session: Session, outcome: Outcome, now: datetime) -> Member:
    change = outcome.change
    member = outcome.member
    if member is None:
        member = Member(created_at=now, revision=0)
        session.add(member)
    for column, value in change.values.items():
        setattr(member, column, value)
    if change.services is not None:
        offer(member, change.services)
    if change.back:
        member.left_at = None
    if change.left_at is not None:
        member.left_at = change.left_at
    if change.audience is not None:
        member.show_to(change.audience, now)
    member.imported = change.imported
    member.updated_at = now
    if outcome.email:
        _address(session, member, outcome.email, now)
    return member


def offer(member: Member, offers: tuple[Offer, ...]) -> None:
    """Let ``member`` offer exactly ``offers``; a service that stays keeps its row."""
    kept = {service.ref: service for service in member.services}
    services = []
    for position, one in enumerate(offers):
        service = kept.get(one.ref) or Service(ref=one.ref)
        for column, value in asdict(one).items():
            setattr(service, column, list(value) if isinstance(value, tuple) else value)
        service.position = position
        services.append(service)
    member.services = services


def _address(session: Session, member: Member, email: str, now: datetime) -> None:
    """Give ``member`` an account with this address, or their account this address."""
    account = member.account or account_of(session, email)
    if account is None:
        account = Account(email=email, created_at=now)
        session.add(account)
    account.email = email
    account.member = member
