"""Our members, as the signed documents that other spaces receive.

The feed is compacted: one row per member, its latest profile or its withdrawal, at a position
taken under the lock of the feed's one state row. What is signed, and when:

* only what the member chose to show to neighbours or the web; nothing of anybody else;
* an unchanged member signs nothing, however often they are saved or imported;
* revisions rise and are never reused, also when a member leaves and returns;
* who was never published is never withdrawn: a tombstone would say that they exist;
* a withdrawal outlives every copy that was ever signed;
* after a return from a backup, what was signed before it is not signed again by itself until the
  neighbours have told what they know (:mod:`app.exchange.awaiting`); what members do is done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, selectinload

from app.exchange import awaiting, outbox, receipts
from app.exchange.describing import (
    NotPublishableError,
    fingerprint_of,
    profile_of,
    subject_of,
)
from app.exchange.identity import Identity
from app.models.feed import FeedEntry, FeedState
from app.models.member import NEIGHBOURS, WEB, Member
from federation import signing
from federation.documents import Profile, Withdrawal
from federation.envelope import moment
from federation.errors import FederationError
from federation.keys import kid

PROFILE, WITHDRAWAL = "profile", "withdrawal"

#: A profile is signed anew this long before it expires, so that a worker may pause for weeks.
RENEWED_BEFORE = timedelta(days=30)

#: Profiles signed afresh in one go, so that other jobs get a turn.
RENEWED_AT_ONCE = 500

#: Members published between two flushes; a database binds a limited number of values.
PUBLISHED_AT_ONCE = 500


def publish_member(session: Session, member: Member, identity: Identity, now: datetime) -> bool:
    """Bring what peers can read about ``member`` up to what the member chose just now.

    Signs a new profile, or the withdrawal of an earlier one, in the caller's transaction, and
    makes the checkpoint due; the caller commits.

    :returns: whether anything was signed.
    :raises NotPublishableError: a text or a number is not fit to be published.
    """
    if member.id is None:
        session.flush()
    entry = session.get(FeedEntry, subject_of(member, identity))
    before = awaiting.since(session)
    # What neighbours hold may be newer: the member's word of today has to stand above it.
    anew = entry is not None and before is not None and entry.signed_at <= before
    signed = _publish(session, member, entry, identity, now, anew=anew)
    session.flush()
    return signed


def publish_members(
    session: Session,
    members: Sequence[Member],
    identity: Identity,
    now: datetime,
    progress: Callable[[int], None],
) -> int:
    """Bring what peers can read about thousands up to what a list says, in few statements.

    Whom a neighbour may know better than we do is left as they are; see :func:`catch_up`.

    :param members: saved ones, each once.
    :param progress: called with how many of them are done.
    :returns: for how many anything was signed.
    :raises NotPublishableError: for the first whose texts or numbers are not fit to be published.
    """
    signed, before = 0, awaiting.since(session)
    for start in range(0, len(members), PUBLISHED_AT_ONCE):
        batch = members[start : start + PUBLISHED_AT_ONCE]
        subjects = [subject_of(member, identity) for member in batch]
        known = session.scalars(select(FeedEntry).where(FeedEntry.subject.in_(subjects))).all()
        entries = {entry.subject: entry for entry in known}
        with session.no_autoflush:
            for subject, member in zip(subjects, batch, strict=True):
                entry = entries.get(subject)
                if not _held_back(member, entry, before):
                    signed += _publish(session, member, entry, identity, now)
        session.flush()
        progress(start + len(batch))
    return signed


def catch_up(session: Session, identity: Identity, now: datetime) -> int:
    """Publish what lists said of members while neighbours were awaited; return for how many."""
    shown = select(Member).where(Member.audience.in_((NEIGHBOURS, WEB)), Member.left_at.is_(None))
    members = session.scalars(shown.order_by(Member.id).options(selectinload(Member.services)))
    return publish_members(session, members.all(), identity, now, lambda _done: None)


def _held_back(member: Member, entry: FeedEntry | None, before: datetime | None) -> bool:
    """Say whether a neighbour may know that ``member`` was not to be shown any more."""
    if before is None or not member.listed_elsewhere:
        return False
    return (entry.signed_at if entry is not None else member.created_at) <= before


def _publish(
    session: Session,
    member: Member,
    entry: FeedEntry | None,
    identity: Identity,
    now: datetime,
    *,
    anew: bool = False,
) -> bool:
    if not member.listed_elsewhere:
        if entry is None or entry.kind == WITHDRAWAL:
            return False
        _withdraw(session, member, entry, identity, now)
    else:
        profile = profile_of(member, identity, now)
        if entry is not None and not anew and _still_good(entry, fingerprint_of(profile), now):
            return False
        sign_profile(session, member, entry, profile, identity)
    ask_for_checkpoint(session, now)
    return True


def withdraw_former(session: Session, member: Member, identity: Identity, now: datetime) -> bool:
    """Withdraw what was published about a member whose row is about to be deleted."""
    entry = session.get(FeedEntry, subject_of(member, identity))
    if entry is None or entry.kind == WITHDRAWAL:
        return False
    _withdraw(session, member, entry, identity, now)
    ask_for_checkpoint(session, now)
    session.flush()
    return True


def renew(
    session: Session, identity: Identity, now: datetime, *, limit: int = RENEWED_AT_ONCE
) -> int:
    """Sign afresh up to ``limit`` documents, and return how many.

    Profiles that expire soon, and all that another operational key signed than the one in use.
    """
    ageing = and_(FeedEntry.kind == PROFILE, FeedEntry.expires_at <= now + RENEWED_BEFORE)
    due = or_(ageing, FeedEntry.kid != kid(identity.operational_key))
    if (before := awaiting.since(session)) is not None:
        due = and_(due, or_(FeedEntry.kind == WITHDRAWAL, FeedEntry.signed_at > before))
    entries = select(FeedEntry).where(due).order_by(FeedEntry.expires_at).limit(limit)
    signed = [_sign_again(session, entry, identity, now) for entry in session.scalars(entries)]
    if any(signed):
        ask_for_checkpoint(session, now)
        session.flush()
    return sum(signed)


def _sign_again(session: Session, entry: FeedEntry, identity: Identity, now: datetime) -> bool:
    member = None if entry.member_id is None else session.get(Member, entry.member_id)
    if entry.kind == WITHDRAWAL:
        claims = signing.unverified_claims(entry.jws, Withdrawal.typ)
        revision = max(entry.revision, member.revision if member is not None else 0) + 1
        again = {"revision": revision, "issued_at": moment(now)}
        _put(session, entry, Withdrawal.from_claims(claims).model_copy(update=again), identity)
        if member is not None:
            member.revision = revision
        return True
    if member is None or not member.listed_elsewhere:
        # Its withdrawal is on the way; what is not shown any more is never signed again.
        return False
    sign_profile(session, member, entry, profile_of(member, identity, now), identity)
    return True


def _still_good(entry: FeedEntry, fingerprint: str, now: datetime) -> bool:
    return (
        entry.kind == PROFILE
        and entry.fingerprint == fingerprint
        and entry.expires_at > now + RENEWED_BEFORE
    )


def sign_profile(
    session: Session,
    member: Member,
    entry: FeedEntry | None,
    profile: Profile,
    identity: Identity,
) -> None:
    """Sign ``profile`` of ``member`` into the feed, in the place of what it has about them."""
    if entry is None:
        entry = FeedEntry(subject=profile.subject, latest_expiry=profile.expires_at)
    elif entry.kind == WITHDRAWAL:
        receipts.forget(session, entry.subject)
    member.revision = profile.revision
    entry.member_id = member.id
    entry.kind = PROFILE
    entry.audience = profile.audience
    entry.fingerprint = fingerprint_of(profile)
    entry.latest_expiry = max(entry.latest_expiry, profile.expires_at)
    _put(session, entry, profile, identity)


def _withdraw(
    session: Session, member: Member, entry: FeedEntry, identity: Identity, now: datetime
) -> None:
    member.revision = max(member.revision, entry.revision) + 1
    withdraw(
        session, entry, identity, now, revision=member.revision, left=member.left_at is not None
    )
    shown_since = member.consent_at or member.created_at or now
    receipts.expect(session, entry, identity, shown_since, now)


def withdraw(
    session: Session,
    entry: FeedEntry,
    identity: Identity,
    now: datetime,
    *,
    revision: int,
    left: bool = False,
) -> None:
    """Sign the withdrawal of what ``entry`` says, as ``revision``."""
    # A copy that expired already needs no tombstone, but its last revision must stay known.
    expiry = max(entry.latest_expiry, now + timedelta(days=1))
    withdrawal = Withdrawal(
        issuer=identity.space,
        subject=entry.subject,
        revision=revision,
        issued_at=moment(now),
        expires_at=moment(expiry),
        reason="left" if left else "withdrawn",
    )
    entry.kind = WITHDRAWAL
    entry.fingerprint = ""
    _put(session, entry, withdrawal, identity)


def _put(
    session: Session, entry: FeedEntry, document: Profile | Withdrawal, identity: Identity
) -> None:
    """Sign ``document`` into ``entry``, at the next position of the feed."""
    try:
        signed = signing.issue(document, identity.operational_key)
    except FederationError as error:
        raise NotPublishableError(f"{entry.subject}: {error}") from error
    place(session, entry, document, signed)


def place(session: Session, entry: FeedEntry, document: Profile | Withdrawal, signed: str) -> None:
    """Put ``document``, as it was ``signed``, into ``entry`` at the next position of the feed."""
    state = _locked_state(session)
    state.seq += 1
    entry.seq = state.seq
    entry.revision = document.revision
    entry.jws = signed
    entry.digest = signing.digest(signed)
    entry.kid = signing.kid_of(signed)
    entry.signed_at = document.issued_at
    entry.expires_at = document.expires_at
    session.add(entry)


def _locked_state(session: Session) -> FeedState:
    # Locked until the commit: a lower position must never appear after a higher one. Kept by us:
    # a session forgets what nobody holds, and would read the row again for each of thousands.
    if _first_in_transaction(session, "feed state"):
        session.info["locked state"] = session.get_one(
            FeedState, 1, with_for_update=True, populate_existing=True
        )
    state: FeedState = session.info["locked state"]
    return state


def ask_for_checkpoint(session: Session, now: datetime) -> None:
    """Make the next checkpoint due, once for everything that one transaction publishes."""
    if _first_in_transaction(session, "checkpoint"):
        outbox.request(session, outbox.CHECKPOINT, "", now)


def _first_in_transaction(session: Session, what: str) -> bool:
    """Say whether this is the first time here: an import publishes thousands in one transaction.

    A savepoint counts as a transaction, since rolling it back undoes what was done inside it.
    """
    current = session.get_nested_transaction() or session.get_transaction()
    if current is not None and session.info.get(what) is current:
        return False
    session.info[what] = current
    return True
