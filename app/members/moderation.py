"""Keeping the place decent: hiding, warning, banning, and taking each back.

A member of ours who is hidden is shown to nobody, here and elsewhere; they are told why, and can
still change what they wrote, or leave. Who is banned is hidden as well: they could take nothing
back any more. A neighbour's person is hidden here alone, without a word to their space: the
protocol has none for it (PROTOCOL.md), and what they wrote is theirs everywhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.exchange import outbox
from app.exchange.describing import subject_of
from app.exchange.identity import Identity
from app.exchange.publish import publish_member
from app.members import roles
from app.models.account import Account
from app.models.invitation import close_links
from app.models.journal import note
from app.models.measure import BAN, HIDE, REASON_CHARACTERS, WARN, Measure
from app.models.member import Member
from app.models.peer import Peer
from app.models.sign_in import SignIn

#: What the keys of these letters' jobs begin with.
LETTER = "measure"

_DONE = {HIDE: "person.hidden", WARN: "person.warned", BAN: "person.banned"}
_UNDONE = {HIDE: "person.shown", BAN: "person.unbanned"}


class NotPossibleError(ValueError):
    """``reason``: ``elsewhere``, ``oneself``, ``no-account``, ``undone`` or ``no-reason``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a decision is about: a member of ours, or somebody whom a neighbour signs."""

    subject: str
    name: str
    member: Member | None = None
    peer: Peer | None = None


def member_of_subject(session: Session, subject: str, identity: Identity) -> Member | None:
    """Return the member of ours whom ``subject`` means, if it is one."""
    ref = subject.rpartition("/m/")[2]
    member = session.scalars(select(Member).filter_by(ref=ref)).one_or_none()
    ours = member is not None and subject_of(member, identity) == subject
    return member if ours else None


def decide(
    session: Session,
    kind: str,
    person: Person,
    reason: str,
    by: Account,
    identity: Identity,
    now: datetime,
) -> Measure:
    """Hide, warn or ban ``person``; the caller commits. What holds already is left as it is.

    :param kind: one of :data:`app.models.measure.MEASURES`.
    :raises NotPossibleError: not here, not oneself, nobody to warn, or without a reason.
    :raises LastAdminError: nobody would be left to run the space.
    """
    account = person.member.account if person.member is not None else None
    _require_possible(kind, person, reason, by)
    if kind != WARN and (holding := _holding(session, kind, person.subject)) is not None:
        return holding
    if kind == BAN and account is not None:
        _shut_out(session, account, by, now)
    taken = Measure(
        kind=kind,
        subject=person.subject,
        name=person.name,
        member=person.member,
        peer=person.peer,
        reason=reason[:REASON_CHARACTERS],
        decided_by=by.ref,
        at=now,
    )
    session.add(taken)
    session.flush()
    _carry_out(session, taken, identity, now)
    _write_down(session, _DONE[kind], taken, by, now)
    return taken


def undo(session: Session, taken: Measure, by: Account, identity: Identity, now: datetime) -> None:
    """Take a decision back: what other decisions do not hide is shown again; the caller commits.

    :raises NotPossibleError: it was a warning, was taken back before, or is about oneself.
    """
    if taken.kind not in _UNDONE or taken.undone_at is not None:
        raise NotPossibleError("undone")
    if taken.member_id is not None and taken.member_id == by.member_id:
        raise NotPossibleError("oneself")
    taken.undone_at = now
    session.flush()
    _carry_out(session, taken, identity, now)
    _write_down(session, _UNDONE[taken.kind], taken, by, now)


def in_force(session: Session) -> Sequence[Measure]:
    """Return what hides or bans somebody now, the newest first."""
    holding = select(Measure).where(Measure.undone_at.is_(None), Measure.kind.in_((HIDE, BAN)))
    return session.scalars(holding.order_by(Measure.at.desc(), Measure.id.desc())).all()


def about(session: Session, subject: str) -> Sequence[Measure]:
    """Return all that was decided about one person, the newest first."""
    told = select(Measure).filter_by(subject=subject)
    return session.scalars(told.order_by(Measure.at.desc(), Measure.id.desc())).all()


def hiding(session: Session, member: Member) -> Measure | None:
    """Return the decision that hides ``member``, to tell them the reason."""
    if member.hidden_at is None:
        return None
    held = select(Measure).filter_by(member_id=member.id, undone_at=None)
    newest = held.where(Measure.kind != WARN).order_by(Measure.id.desc()).limit(1)
    return session.scalars(newest).one_or_none()


def _require_possible(kind: str, person: Person, reason: str, by: Account) -> None:
    if not reason:
        raise NotPossibleError("no-reason")
    if person.member is None and kind != HIDE:
        raise NotPossibleError("elsewhere")
    if person.member is not None and person.member.id == by.member_id:
        raise NotPossibleError("oneself")
    if kind != HIDE and person.member is not None and person.member.account is None:
        raise NotPossibleError("no-account")


def _holding(session: Session, kind: str, subject: str) -> Measure | None:
    held = select(Measure).filter_by(kind=kind, subject=subject, undone_at=None)
    return session.scalars(held.limit(1)).one_or_none()


def _shut_out(session: Session, account: Account, by: Account, now: datetime) -> None:
    """End every session and every link of ``account``, and its part in running the space."""
    roles.take(session, account, by.ref, now)
    session.execute(delete(SignIn).where(SignIn.account_id == account.id))
    close_links(session, account)


def _carry_out(session: Session, taken: Measure, identity: Identity, now: datetime) -> None:
    """Let the rows of a member say what all decisions together say, and let them be told."""
    member = taken.member
    if member is None:
        return
    kinds = set(
        session.scalars(select(Measure.kind).filter_by(member_id=member.id, undone_at=None))
    )
    before = (member.hidden_at is not None, bool(member.account and member.account.banned_at))
    member.hidden_at = (member.hidden_at or now) if kinds & {HIDE, BAN} else None
    if member.account is not None:
        member.account.banned_at = (member.account.banned_at or now) if BAN in kinds else None
        outbox.request(session, outbox.MAIL, f"{LETTER}/{taken.ref}", now)
    if before[0] != (member.hidden_at is not None):
        session.flush()
        publish_member(session, member, identity, now)


def _write_down(session: Session, code: str, taken: Measure, by: Account, now: datetime) -> None:
    note(
        session, now, "decision", code,
        actor=by.ref, peer=taken.peer, subject=taken.subject, detail=taken.reason,
    )  # fmt: skip
