"""What loading a list would do, row by row; a dry run stops here, an import goes on from here.

Rows find their member by ``external_id``, else by e-mail address; a row that has neither finds
the one member of that name. The same person twice in a file is taken in once. Current
memberships come before ended ones, so that somebody who left and came back stays. Whom neighbours
may see and could not receive, because the texts are too long together, is refused; the others come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from app.exchange.describing import NotPublishableError, refuse_unsignable
from app.exchange.identity import Identity
from app.members.merge import Change, changes
from app.members.person import Person, Refused
from app.members.reading import Listing
from app.members.texts import folded
from app.members.writing import sketch
from app.models.account import Account
from app.models.member import ME, NEIGHBOURS, WEB, Member

#: Called with how many rows are done, and of how many.
Progress = Callable[[int, int], None]


class Verdict(StrEnum):
    """What becomes of a row."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row, and what becomes of it."""

    line: int
    name: str
    verdict: Verdict
    reasons: tuple[str, ...] = ()
    """Why it is refused."""

    remarks: tuple[str, ...] = ()
    email: str = ""
    """The address to give to the member; empty leaves it as it is."""

    member: Member | None = None
    change: Change = field(default_factory=Change)

    @property
    def changes(self) -> tuple[str, ...]:
        """What changes about a member whom we know, in the operator's words."""
        return tuple(self.change.names) if self.verdict is Verdict.CHANGED else ()

    @property
    def to_do(self) -> bool:
        return self.verdict in (Verdict.NEW, Verdict.CHANGED)


@dataclass(frozen=True, slots=True)
class Plan:
    """What loading ``listing`` does, in the order of its rows."""

    listing: Listing
    outcomes: tuple[Outcome, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Return how many rows are new, changed, unchanged and refused."""
        found = Counter(outcome.verdict for outcome in self.outcomes)
        return {verdict.value: found[verdict] for verdict in Verdict}


class _RefusalError(Exception):
    """This row is not taken in; the message is the reason."""


def plan(
    session: Session, listing: Listing, identity: Identity, now: datetime, *, publish: bool = False
) -> Plan:
    """Return what loading ``listing`` at ``now`` would do; nothing is written.

    :param identity: the space's, for whose neighbours the members must fit into a document.
    :param publish: the operator agrees to the audiences that the list asks for.
    """
    known = _Directory(session)
    terms = _Terms(identity, now, publish)
    claims = _Claims(listing.unit)
    current = [row for row in listing.rows if isinstance(row, Person) and row.left_on is None]
    former = [row for row in listing.rows if isinstance(row, Person) and row.left_on is not None]
    refused = [row for row in listing.rows if isinstance(row, Refused)]
    outcomes = [
        *(Outcome(row.line, row.name, Verdict.REFUSED, row.reasons) for row in refused),
        *(_outcome(person, known, claims, terms) for person in (*current, *former)),
    ]
    return Plan(listing, tuple(sorted(outcomes, key=lambda outcome: outcome.line)))


@dataclass(frozen=True, slots=True)
class _Terms:
    """What holds for every row of this loading."""

    identity: Identity
    now: datetime
    publish: bool


def _outcome(person: Person, known: _Directory, claims: _Claims, terms: _Terms) -> Outcome:
    try:
        member = known.member(person)
        claims.take(person, member)
        if member is None and person.left_on is not None:
            raise _RefusalError(f"the membership ended ({person.left_on.isoformat()})")
        known.require_admin(person, member)
        email, remarks = known.new_address(person, member)
        change = changes(person, member, publish=terms.publish)
        _refuse_unsignable(member, change, terms)
    except _RefusalError as refusal:
        return Outcome(person.line, person.name, Verdict.REFUSED, (str(refusal),), person.remarks)
    if member is not None and email:
        change.names.append("email")
    return Outcome(
        person.line,
        person.name,
        Verdict.NEW if member is None else Verdict.CHANGED if change.names else Verdict.UNCHANGED,
        remarks=(*person.remarks, *change.remarks, *remarks),
        email=email,
        member=member,
        change=change,
    )


def _refuse_unsignable(member: Member | None, change: Change, terms: _Terms) -> None:
    """Look whether neighbours could receive what the row makes of ``member``.

    :raises _RefusalError: they could not.
    """
    audience = change.audience or (member.audience if member else ME)
    if not change.names and member is not None or audience not in (NEIGHBOURS, WEB):
        return
    try:
        refuse_unsignable(sketch(member, change, terms.now), terms.identity, terms.now)
    except NotPublishableError as error:
        raise _RefusalError(str(error)) from error


class _Claims:
    """Who was met already in this file, and where."""

    def __init__(self, unit: str) -> None:
        self.unit = unit
        self.taken: dict[tuple[str, object], tuple[int, bool]] = {}

    def take(self, person: Person, member: Member | None) -> None:
        """Remember ``person``.

        :raises _RefusalError: an earlier row is about the same one.
        """
        claims = list(self._claims(person, member))
        for what, key in claims:
            line, current = self.taken.get((what, key), (0, True))
            if line and person.left_on is not None and current:
                raise _RefusalError(f"an ended membership; {self.unit} {line} is the current one")
            if line:
                raise _RefusalError(f"the same {what} as {self.unit} {line}")
        self.taken.update({claim: (person.line, person.left_on is None) for claim in claims})

    def _claims(self, person: Person, member: Member | None) -> Iterator[tuple[str, object]]:
        if person.external_id:
            yield "external_id", person.external_id
        if person.email:
            yield "e-mail address", person.email
        if not person.external_id and not person.email:
            yield "name", folded(person.name)
        if member is not None:
            yield "member", member.id


class _Directory:
    """The members of the space, by everything that a row may know them by."""

    def __init__(self, session: Session) -> None:
        known = session.scalars(
            select(Member).options(selectinload(Member.services), joinedload(Member.account))
        ).all()
        self.by_external_id = {one.external_id: one for one in known if one.external_id}
        self.accounts = {one.email: one for one in session.scalars(select(Account))}
        self.admins = {
            one.id
            for one in self.accounts.values()
            if one.is_admin
            and one.banned_at is None
            and (one.member is None or one.member.left_at is None)
        }
        self.by_name: dict[str, list[Member]] = {}
        for one in known:
            self.by_name.setdefault(folded(one.name), []).append(one)

    def member(self, person: Person) -> Member | None:
        """Return the member whom ``person`` is about; None when they are new.

        :raises _RefusalError: it could be one or another.
        """
        by_ref = self.by_external_id.get(person.external_id)
        account = self.accounts.get(person.email)
        by_email = account.member if account else None
        if by_ref and by_email and by_ref is not by_email:
            raise _RefusalError(
                f"the external_id is {by_ref.name}'s, the e-mail address {by_email.name}'s"
            )
        if person.external_id or person.email:
            return by_ref or by_email
        found = self.by_name.get(folded(person.name), [])
        if len(found) > 1:
            raise _RefusalError(
                f"{len(found)} members have this name, and the row has neither an e-mail address "
                "nor an external_id to tell which"
            )
        return found[0] if found else None

    def require_admin(self, person: Person, member: Member | None) -> None:
        """Look whether somebody still runs the space when this row is taken in.

        :raises _RefusalError: the row ends the membership of the last admin.
        """
        account = member.account if member else None
        if person.left_on is None or account is None or account.id not in self.admins:
            return
        if self.admins == {account.id}:
            raise _RefusalError(
                "the membership of the space's last admin ended: make somebody else an admin first"
            )
        self.admins.remove(account.id)

    def new_address(self, person: Person, member: Member | None) -> tuple[str, tuple[str, ...]]:
        """Return the address that the member is to get, empty for none, and remarks.

        :raises _RefusalError: it is somebody else's.
        """
        if not person.email or person.left_on is not None:
            return "", ()
        own = member.account if member else None
        if own is not None and own.email == person.email:
            return "", ()
        other = self.accounts.get(person.email)
        if own is not None and other is not None:
            raise _RefusalError("the e-mail address is another account's")
        if own is not None and own.is_admin:
            return "", ("the e-mail address stays: a list does not change an admin's",)
        return person.email, ()
