"""Whom a provider's word lets in.

By ``iss`` and ``sub`` once they are known; the first time by an address that the provider says is
confirmed, or by a membership id of an imported list, and by nothing else: names, and addresses
that nobody confirmed, are what anybody can write there.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.members import locks
from app.models import provider
from app.models.account import MEMBER, Account, account_of
from app.models.member import Member
from app.providers.provider import Vouched


class NotRecognisedError(Exception):
    """The provider's word lets nobody in here.

    ``reason`` is ``unconfirmed``, ``unknown``, ``unlinked``, ``contradiction``, ``taken`` or
    ``many``.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def recognise(session: Session, person: Vouched, now: datetime) -> Account:
    """Return whose door the account over there opens; the caller looks whether it is shut.

    A member whose list had no address gets an account, if the provider confirms an address.

    :raises NotRecognisedError: nobody's, or it is not clear whose.
    """
    known = provider.identity_of(session, person.issuer, person.subject)
    if known is not None:
        if known.unlinked_at is not None:
            raise NotRecognisedError("unlinked")
        return known.account
    by_address = _owner(session, person.email)
    member = _member(session, person.membership)
    by_number = member.account if member is not None else None
    if by_address and by_number and by_address is not by_number:
        raise NotRecognisedError("contradiction")
    if found := by_address or by_number:
        return found
    if member is not None and person.email:
        account = Account(email=person.email.lower(), role=MEMBER, created_at=now, member=member)
        session.add(account)
        session.flush()
        return account
    raise NotRecognisedError("unconfirmed" if person.unconfirmed else "unknown")


def remember(session: Session, account: Account, person: Vouched, now: datetime) -> None:
    """Note that ``account`` came in with this account over there; the caller commits.

    :raises NotRecognisedError: they have too many.
    """
    link(session, account, person, now).used_at = now


def link(
    session: Session, account: Account, person: Vouched, now: datetime
) -> provider.ProviderIdentity:
    """Let this account over there open the door to ``account``; the caller commits.

    :raises NotRecognisedError: it is somebody else's here, or they have too many.
    """
    known = provider.identity_of(session, person.issuer, person.subject)
    if known is not None and known.account_id != account.id:
        raise NotRecognisedError("taken")
    opens_already = known is not None and known.unlinked_at is None
    if known is None and len(provider.identities(session, account)) >= provider.IDENTITIES:
        raise NotRecognisedError("many")
    linked = provider.link(session, account, person.issuer, person.subject, now)
    if not opens_already:
        locks.tell(session, account, locks.LINKED, now, linked.ref)
    return linked


def _owner(session: Session, email: str) -> Account | None:
    """Return who has this address here, letter by letter.

    Lower case is taken of ASCII alone: the Kelvin sign would become a k, and whoever has
    "\N{KELVIN SIGN}laus@..." confirmed elsewhere would come in as klaus.
    """
    found = account_of(session, email) if email else None
    plain = "".join(letter.lower() if letter.isascii() else letter for letter in email.strip())
    return found if found is not None and found.email == plain else None


def _member(session: Session, number: str) -> Member | None:
    if not number:
        return None
    return session.scalars(select(Member).filter_by(external_id=number)).one_or_none()
