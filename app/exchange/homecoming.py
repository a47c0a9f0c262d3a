"""What a document of ours that a neighbour holds makes of our feed and of the member's own row.

After a return from a backup. What is to be done is decided by :mod:`federation.recall`; here it is
done, in the caller's transaction. A member's profile comes home into their row: it is the space's
own signature under what the member last wrote, and without it the next thing that they save would
undo it. The row is dated as the document is: nobody chose anything today.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.exchange import describing, publish, receipts
from app.exchange.identity import Identity
from app.models.consent import BY_RESTORED
from app.models.feed import FeedEntry
from app.models.member import (
    BLOCKS,
    FIELDS_OF,
    ME,
    NEIGHBOURS,
    WEB,
    Member,
    Service,
    reaches,
)
from app.search.index import index_member
from federation import signing
from federation.documents import (
    PEERS,
    PUBLIC,
    Profile,
    ServiceTranslation,
    Translation,
    Withdrawal,
)
from federation.recall import Finding, Ours, judge
from federation.signing import Signed

#: Claims that a row has under the same name.
TEXTS = ("name", "headline", "bio", "locale", "location", "profession", "availability")

#: What a service's row says, and under which claim.
SERVICE_COLUMNS = {
    "speciality": "category",
    "speciality_label": "label",
    "title": "title",
    "description": "description",
    "mode": "mode",
    "rate": "rate",
    "coworker_rate": "coworker_rate",
    "unit": "unit",
    "valid_until": "valid_until",
    "remote": "remote",
}


class Taken(StrEnum):
    """What came of one document."""

    NOTHING = "nothing"
    WITHDRAWAL = "withdrawal"
    PROFILE = "profile"
    UNKNOWN = "unknown"
    """It was about somebody whom the database does not know any more, and who is withdrawn."""


def take(
    session: Session,
    signed: Signed[Profile | Withdrawal],
    identity: Identity,
    back: datetime | None,
    now: datetime,
) -> Taken:
    """Do what one document of ours asks, and say what it was.

    :param signed: verified with our own keys.
    :param back: when we came back from the backup.
    :raises FederationError: it is not for us to believe.
    """
    document = signed.document
    entry = session.get(FeedEntry, document.subject)
    ref = document.subject.rpartition("/")[2]
    member = session.scalars(select(Member).filter_by(ref=ref)).one_or_none()
    finding = judge(
        document,
        signing.digest(signed.jws),
        None if entry is None else Ours(entry.revision, entry.digest, entry.signed_at),
        known=member is not None,
        hidden=member is not None and _hides_since(member, back),
        entity_id=identity.entity_id,
        now=now,
    )
    if finding is Finding.NOTHING:
        return Taken.NOTHING
    if entry is None:
        entry = FeedEntry(
            subject=document.subject, latest_expiry=document.expires_at, audience=PEERS,
            fingerprint="", member_id=None if member is None else member.id,
        )  # fmt: skip
    entry.latest_expiry = max(entry.latest_expiry, document.expires_at)
    if member is not None:
        member.revision = max(member.revision, document.revision)
    if isinstance(document, Withdrawal):
        _take_withdrawal(session, entry, member, signed.jws, document, identity, now)
        return Taken.WITHDRAWAL
    if finding is Finding.TAKE and member is not None:
        _take_profile(session, entry, member, signed.jws, document)
        return Taken.PROFILE
    if finding is Finding.REPEAT and member is not None:
        _repeat(session, entry, member, identity, now)
        return Taken.PROFILE
    _withdraw_above(session, entry, member, document, identity, now)
    return Taken.UNKNOWN if member is None else Taken.WITHDRAWAL


def _hides_since(member: Member, back: datetime | None) -> bool:
    return back is not None and not member.listed_elsewhere and member.updated_at > back


def _take_withdrawal(
    session: Session,
    entry: FeedEntry,
    member: Member | None,
    jws: str,
    withdrawal: Withdrawal,
    identity: Identity,
    now: datetime,
) -> None:
    entry.kind, entry.fingerprint = publish.WITHDRAWAL, ""
    publish.place(session, entry, withdrawal, jws)
    if member is None:
        return
    shown_since = member.consent_at or member.created_at
    _bring_home_withdrawn(session, member, withdrawal)
    receipts.expect(session, entry, identity, shown_since, now)


def _take_profile(
    session: Session, entry: FeedEntry, member: Member, jws: str, profile: Profile
) -> None:
    if entry.kind == publish.WITHDRAWAL:
        receipts.forget(session, entry.subject)
    entry.kind, entry.audience = publish.PROFILE, profile.audience
    entry.member_id = member.id
    entry.fingerprint = describing.fingerprint_of(profile)
    publish.place(session, entry, profile, jws)
    _bring_home(session, member, profile)


def _repeat(
    session: Session, entry: FeedEntry, member: Member, identity: Identity, now: datetime
) -> None:
    """Say what the member said after us, and a neighbour has not heard, above what it holds."""
    if member.listed_elsewhere:
        profile = describing.profile_of(member, identity, now)
        publish.sign_profile(session, member, entry, profile, identity)
        return
    member.revision += 1
    publish.withdraw(
        session, entry, identity, now,
        revision=member.revision, left=member.left_at is not None,
    )  # fmt: skip


def _withdraw_above(
    session: Session,
    entry: FeedEntry,
    member: Member | None,
    profile: Profile,
    identity: Identity,
    now: datetime,
) -> None:
    """Withdraw who does not want to be shown, or could not say so: nobody here knows them."""
    revision = max(profile.revision, member.revision if member is not None else 0) + 1
    if member is not None:
        member.revision = revision
    publish.withdraw(session, entry, identity, now, revision=revision)
    receipts.expect(session, entry, identity, profile.consent_at, now)


def _bring_home_withdrawn(session: Session, member: Member, withdrawal: Withdrawal) -> None:
    """Show ``member`` to themselves alone, as they had chosen at least for everybody elsewhere."""
    member.show_to(ME, withdrawal.issued_at, by=BY_RESTORED)
    if withdrawal.reason == "left":
        member.left_at = withdrawal.issued_at
    member.updated_at = withdrawal.issued_at
    index_member(session, member)


def _bring_home(session: Session, member: Member, profile: Profile) -> None:
    """Write on the row of ``member`` what ``profile`` says, and who may see it.

    A document leaves out what neighbours do not see. What the row has and the document does not
    say was emptied or kept back since, and nobody can tell which: it stays, for the member alone.
    """
    blocks = {block: _circle(member, profile, block) for block in BLOCKS}
    for name in TEXTS:
        if value := getattr(profile, name):
            setattr(member, name, value)
    member.languages = list(profile.languages) or member.languages
    member.interests = list(profile.interests) or member.interests
    member.translations = _versions(profile.translations) or member.translations
    member.left_at = None
    _services(member, profile)
    usual = WEB if profile.audience == PUBLIC else NEIGHBOURS
    member.present(usual, blocks, profile.consent_at, by=BY_RESTORED)
    member.consent_at = profile.consent_at
    member.updated_at = profile.issued_at
    index_member(session, member)


def _circle(member: Member, profile: Profile, block: str) -> str:
    """Return who may see ``block`` by what ``profile`` says and by what it leaves out."""
    claims = [claim for claim in FIELDS_OF[block] if getattr(profile, claim)]
    if claims:
        return WEB if set(claims) <= set(profile.web) else NEIGHBOURS
    if not reaches(member.circle_of(block), NEIGHBOURS):
        return member.circle_of(block)
    if any(getattr(member, field) for field in FIELDS_OF[block]):
        return ME
    return WEB if profile.audience == PUBLIC else NEIGHBOURS


def _services(member: Member, profile: Profile) -> None:
    kept = {service.ref: service for service in member.services}
    alone = [one for one in member.services if not reaches(member.circle_of(one), NEIGHBOURS)]
    circles = {one.ref: member.circle_of(one) for one in alone}
    services = []
    for position, one in enumerate(profile.services):
        service = kept.get(one.id) or Service(ref=one.id)
        on_the_web = "services" in profile.web or one.id in profile.web_services
        service.audience = WEB if on_the_web else NEIGHBOURS
        for column, claim in SERVICE_COLUMNS.items():
            setattr(service, column, getattr(one, claim))
        service.currency = one.currency or service.currency or "EUR"
        service.languages = list(one.languages)
        service.translations = _versions(one.translations)
        service.position = position
        services.append(service)
    told = {one.id for one in profile.services}
    for service in [one for one in alone if one.ref not in told]:
        service.audience, service.position = circles[service.ref], len(services)
        services.append(service)
    member.services = services


def _versions(told: Iterable[Translation | ServiceTranslation]) -> list[dict[str, str]]:
    return [one.model_dump(mode="json", by_alias=True, exclude_defaults=True) for one in told]
