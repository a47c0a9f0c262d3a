"""Our members, as the signed documents that other spaces receive.

The feed is compacted: one row per member, its latest profile or its withdrawal, at a position
taken under the lock of the feed's one state row. What is signed, and when:

* only what the member chose to show to neighbours or the web; nothing of anybody else;
* an unchanged member signs nothing, however often they are saved or imported;
* revisions rise and are never reused, also when a member leaves and returns;
* who was never published is never withdrawn: a tombstone would say that they exist;
* a withdrawal outlives every copy that was ever signed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError
from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from app.exchange import outbox, receipts
from app.exchange.identity import Identity
from app.models.base import new_id
from app.models.feed import FeedEntry, FeedState
from app.models.member import HOUR, PAID, WEB, Member, Service
from federation import documents, limits, signing, strict_json
from federation.documents import PEERS, PUBLIC, Profile, Withdrawal
from federation.envelope import moment
from federation.errors import FederationError
from federation.text import plain

PROFILE, WITHDRAWAL = "profile", "withdrawal"

#: How long a signed profile is good; copies that nobody renews disappear after it.
PROFILE_LIFETIME = timedelta(days=90)

#: A profile is signed anew this long before it expires, so that a worker may pause for weeks.
RENEWED_BEFORE = timedelta(days=30)

#: Profiles signed afresh in one go, so that other jobs get a turn.
RENEWED_AT_ONCE = 500

#: Members published between two flushes; a database binds a limited number of values.
PUBLISHED_AT_ONCE = 500

#: The claims that are bookkeeping and not content.
BOOKKEEPING = ("iss", "sub", "rev", "iat", "exp")

#: The claims that a profile shown to the web lets visitors see elsewhere: all that is content.
ON_THE_WEB = (
    "name",
    "headline",
    "bio",
    "locale",
    "languages",
    "location",
    "profession",
    "interests",
    "availability",
    "services",
)


class NotPublishableError(ValueError):
    """What a member says of themselves cannot be a document: the text names what is wrong."""


def publish_member(session: Session, member: Member, identity: Identity, now: datetime) -> bool:
    """Bring what peers can read about ``member`` up to what the member chose.

    Signs a new profile, or the withdrawal of an earlier one, in the caller's transaction, and
    makes the checkpoint due; the caller commits.

    :returns: whether anything was signed.
    :raises NotPublishableError: a text or a number is not fit to be published.
    """
    if member.id is None:
        session.flush()
    entry = session.get(FeedEntry, subject_of(member, identity))
    signed = _publish(session, member, entry, identity, now)
    session.flush()
    return signed


def publish_members(
    session: Session,
    members: Sequence[Member],
    identity: Identity,
    now: datetime,
    progress: Callable[[int], None],
) -> int:
    """Do for thousands what :func:`publish_member` does for one, in few statements.

    :param members: saved ones, each once.
    :param progress: called with how many of them are done.
    :returns: for how many anything was signed.
    :raises NotPublishableError: for the first whose texts or numbers are not fit to be published.
    """
    signed = 0
    for start in range(0, len(members), PUBLISHED_AT_ONCE):
        batch = members[start : start + PUBLISHED_AT_ONCE]
        subjects = [subject_of(member, identity) for member in batch]
        known = session.scalars(select(FeedEntry).where(FeedEntry.subject.in_(subjects))).all()
        entries = {entry.subject: entry for entry in known}
        with session.no_autoflush:
            for subject, member in zip(subjects, batch, strict=True):
                signed += _publish(session, member, entries.get(subject), identity, now)
        session.flush()
        progress(start + len(batch))
    return signed


def _publish(
    session: Session,
    member: Member,
    entry: FeedEntry | None,
    identity: Identity,
    now: datetime,
) -> bool:
    if not member.listed_elsewhere:
        if entry is None or entry.kind == WITHDRAWAL:
            return False
        _withdraw(session, member, entry, identity, now)
    else:
        profile = profile_of(member, identity, now)
        if entry is not None and _still_good(entry, fingerprint_of(profile), now):
            return False
        _sign_profile(session, member, entry, profile, identity)
    _ask_for_checkpoint(session, now)
    return True


def refuse_unsignable(member: Member, identity: Identity, now: datetime) -> None:
    """Raise unless neighbours could receive ``member`` as described; saved or not.

    :raises NotPublishableError: a text or a number is not fit, or it is too much for a document.
    """
    profile = profile_of(member, identity, now)
    size = len(strict_json.dumps(profile.to_claims()))
    if size > limits.PAYLOAD_BYTES:
        raise NotPublishableError(
            f"together the texts are too long for neighbours to receive: {size} bytes of at most "
            f"{limits.PAYLOAD_BYTES}"
        )


def withdraw_former(session: Session, member: Member, identity: Identity, now: datetime) -> bool:
    """Withdraw what was published about a member whose row is about to be deleted."""
    entry = session.get(FeedEntry, subject_of(member, identity))
    if entry is None or entry.kind == WITHDRAWAL:
        return False
    _withdraw(session, member, entry, identity, now)
    _ask_for_checkpoint(session, now)
    session.flush()
    return True


def renew(
    session: Session, identity: Identity, now: datetime, *, limit: int = RENEWED_AT_ONCE
) -> int:
    """Sign afresh up to ``limit`` documents, and return how many.

    Profiles that expire soon, and all that an operational key signed that was replaced.
    """
    ageing = and_(FeedEntry.kind == PROFILE, FeedEntry.expires_at <= now + RENEWED_BEFORE)
    since = identity.retired.operational_since
    due = ageing if since is None else or_(ageing, FeedEntry.signed_at <= since)
    entries = select(FeedEntry).where(due).order_by(FeedEntry.expires_at).limit(limit)
    # Dated after the change of keys, or they would be taken for documents of the former key.
    at = now if since is None else max(now, since + timedelta(seconds=1))
    signed = [_sign_again(session, entry, identity, at) for entry in session.scalars(entries)]
    if any(signed):
        _ask_for_checkpoint(session, now)
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
    _sign_profile(session, member, entry, profile_of(member, identity, now), identity)
    return True


def preview(member: Member, identity: Identity, now: datetime) -> dict[str, Any]:
    """Return the claims that neighbours receive, or would receive, about ``member``: no more.

    A member who shows nothing to neighbours sees what they would receive if it were
    ``neighbours``. Works on a member that is not saved yet.

    :raises NotPublishableError: a text or a number is not fit to be published.
    """
    claims = profile_of(member, identity, now).to_claims()
    return {name: value for name, value in claims.items() if name not in BOOKKEEPING}


def profile_of(member: Member, identity: Identity, now: datetime) -> Profile:
    """Describe ``member`` for peers, as the next document about them.

    :raises NotPublishableError: a text or a number is not fit to be published.
    """
    try:
        return _profile(member, identity, now)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise NotPublishableError(f"{where}: {first['msg']}") from error


def _profile(member: Member, identity: Identity, now: datetime) -> Profile:
    on_the_web = member.audience == WEB
    return Profile(
        issuer=identity.space,
        subject=subject_of(member, identity),
        revision=(member.revision or 0) + 1,
        issued_at=moment(now),
        expires_at=moment(now + PROFILE_LIFETIME),
        audience=PUBLIC if on_the_web else PEERS,
        consent_at=moment(member.consent_at or member.created_at or now),
        name=plain(member.name, longest=limits.NAME_CHARACTERS),
        headline=plain(member.headline or "", longest=limits.HEADLINE_CHARACTERS),
        bio=plain(member.bio or "", lines=True, longest=limits.BIO_CHARACTERS),
        locale=member.locale or "",
        languages=tuple(member.languages or ())[: limits.LANGUAGES],
        location=plain(member.location or "", longest=limits.LINE_CHARACTERS),
        profession=plain(member.profession or "", longest=limits.LINE_CHARACTERS),
        interests=_interests(member),
        availability=plain(member.availability or "", longest=limits.LINE_CHARACTERS),
        services=tuple(_service(service) for service in member.services[: limits.SERVICES]),
        web=ON_THE_WEB if on_the_web else (),
    )


def subject_of(member: Member, identity: Identity) -> str:
    """Return the identifier under which peers know ``member``."""
    return identity.space.subject(member.ref or "preview")


def fingerprint_of(profile: Profile) -> str:
    """Return a digest of what ``profile`` says, without the dates and numbers of the signing."""
    claims = profile.to_claims()
    content = {name: value for name, value in claims.items() if name not in BOOKKEEPING}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _still_good(entry: FeedEntry, fingerprint: str, now: datetime) -> bool:
    return (
        entry.kind == PROFILE
        and entry.fingerprint == fingerprint
        and entry.expires_at > now + RENEWED_BEFORE
    )


def _sign_profile(
    session: Session,
    member: Member,
    entry: FeedEntry | None,
    profile: Profile,
    identity: Identity,
) -> None:
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
    # A copy that expired already needs no tombstone, but its last revision must stay known.
    expiry = max(entry.latest_expiry, now + timedelta(days=1))
    withdrawal = Withdrawal(
        issuer=identity.space,
        subject=entry.subject,
        revision=member.revision,
        issued_at=moment(now),
        expires_at=moment(expiry),
        reason="left" if member.left_at is not None else "withdrawn",
    )
    entry.kind = WITHDRAWAL
    entry.fingerprint = ""
    _put(session, entry, withdrawal, identity)
    shown_since = member.consent_at or member.created_at or now
    receipts.expect(session, entry, identity, shown_since, now)


def _put(
    session: Session, entry: FeedEntry, document: Profile | Withdrawal, identity: Identity
) -> None:
    """Sign ``document`` into ``entry``, at the next position of the feed."""
    try:
        signed = signing.issue(document, identity.operational_key)
    except FederationError as error:
        raise NotPublishableError(f"{entry.subject}: {error}") from error
    state = _locked_state(session)
    state.seq += 1
    entry.seq = state.seq
    entry.revision = document.revision
    entry.jws = signed
    entry.digest = signing.digest(signed)
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


def _ask_for_checkpoint(session: Session, now: datetime) -> None:
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


def _interests(member: Member) -> tuple[str, ...]:
    cleaned = (
        plain(interest, longest=limits.INTEREST_CHARACTERS) for interest in member.interests or ()
    )
    return tuple(interest for interest in cleaned if interest)[: limits.INTERESTS]


def _service(service: Service) -> documents.Service:
    priced = service.rate is not None or service.coworker_rate is not None
    said = {
        "id": service.ref or new_id(),
        "category": service.speciality or "",
        "label": plain(service.speciality_label or "", longest=limits.LABEL_CHARACTERS),
        "title": plain(service.title or "", longest=limits.TITLE_CHARACTERS),
        "description": plain(
            service.description or "", lines=True, longest=limits.DESCRIPTION_CHARACTERS
        ),
        "mode": service.mode or PAID,
        "rate": service.rate,
        "coworker_rate": service.coworker_rate,
        "currency": (service.currency or "EUR") if priced else None,
        "unit": service.unit or HOUR,
        "valid_until": service.valid_until,
        "remote": bool(service.remote),
        "languages": tuple(service.languages or ())[: limits.LANGUAGES],
    }
    # Checked by the model, not by us: a column may hold anything that an import put there.
    return documents.Service.model_validate(said)
