"""What a signed document of ours makes of the member's own row, after a return from a backup.

The row is dated as the document is: nobody chose anything today.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.models.member import ME, NEIGHBOURS, WEB, Member, Service
from app.search.index import index_member
from federation import documents
from federation.documents import PUBLIC, Profile, Withdrawal

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


def bring_home_withdrawn(session: Session, member: Member, withdrawal: Withdrawal) -> None:
    """Show ``member`` to themselves alone, as they had chosen at least for everybody elsewhere."""
    member.audience = ME
    if withdrawal.reason == "left":
        member.left_at = withdrawal.issued_at
    member.updated_at = withdrawal.issued_at
    index_member(session, member)


def bring_home(session: Session, member: Member, profile: Profile) -> None:
    """Write on the row of ``member`` what ``profile`` says, and who may see it."""
    for name in TEXTS:
        setattr(member, name, getattr(profile, name))
    member.languages, member.interests = list(profile.languages), list(profile.interests)
    member.audience = WEB if profile.audience == PUBLIC else NEIGHBOURS
    member.consent_at = profile.consent_at
    member.left_at = None
    member.updated_at = profile.issued_at
    _services(member, profile.services)
    index_member(session, member)


def _services(member: Member, said: tuple[documents.Service, ...]) -> None:
    kept = {service.ref: service for service in member.services}
    services = []
    for position, one in enumerate(said):
        service = kept.get(one.id) or Service(ref=one.id)
        for column, claim in SERVICE_COLUMNS.items():
            setattr(service, column, getattr(one, claim))
        service.currency = one.currency or service.currency or "EUR"
        service.languages = list(one.languages)
        service.position = position
        services.append(service)
    member.services = services
