"""What a member says of themselves, as the document that other spaces receive.

Nothing is signed or stored here, and only what the member chose to show becomes a claim.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError
from sqlalchemy import inspect

from app.exchange.identity import Identity
from app.models.base import new_id
from app.models.member import (
    FIELDS_OF,
    HOUR,
    NAME,
    NEIGHBOURS,
    PAID,
    WEB,
    Member,
    Service,
    reaches,
)
from app.models.scope import Reader, goes_as_far
from app.models.seen import Seen, as_seen
from app.models.translations import SERVICE_TEXTS, TEXTS, besides
from federation import documents, limits, strict_json
from federation.documents import PEERS, PUBLIC, Profile
from federation.entity import PATH
from federation.envelope import moment
from federation.text import plain

#: How long a signed profile is good; copies that nobody renews disappear after it.
PROFILE_LIFETIME = timedelta(days=90)

#: The claims that are bookkeeping and not content.
BOOKKEEPING = ("iss", "sub", "rev", "iat", "exp")

#: The claims that visitors elsewhere may be let see: all that is content.
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
    "photo",
)


class NotPublishableError(ValueError):
    """What a member says of themselves cannot be a document: the text names what is wrong."""


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


def preview(member: Member, identity: Identity, now: datetime) -> dict[str, Any]:
    """Return the claims that neighbours receive, or would receive, about ``member``: no more.

    A member who shows nothing to neighbours sees what they would receive if everything without a
    circle of its own were shown to them. Works on a member that is not saved yet.

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
    seen = as_seen(_as_if_shown(member), Reader.NEIGHBOUR)
    services = seen.services[: limits.SERVICES]
    return Profile(
        issuer=identity.space,
        subject=subject_of(member, identity),
        revision=(member.revision or 0) + 1,
        issued_at=moment(now),
        expires_at=moment(now + PROFILE_LIFETIME),
        audience=_audience(member),
        consent_at=moment(member.consent_at or member.created_at or now),
        name=plain(seen.name, longest=limits.NAME_CHARACTERS),
        headline=plain(seen.headline, longest=limits.HEADLINE_CHARACTERS),
        bio=plain(seen.bio, lines=True, longest=limits.BIO_CHARACTERS),
        locale=seen.locale,
        translations=tuple(
            documents.Translation.model_validate(one)
            for one in _further(seen.translations, seen.locale, TEXTS)
        ),
        languages=seen.languages[: limits.LANGUAGES],
        location=plain(seen.location, longest=limits.LINE_CHARACTERS),
        profession=plain(seen.profession, longest=limits.LINE_CHARACTERS),
        interests=_interests(seen),
        availability=plain(seen.availability, longest=limits.LINE_CHARACTERS),
        services=tuple(_service(service, seen.locale) for service in services),
        **_doors(member, services, now),
        photo=_photo(seen, identity),
        web=(web := _web(member, services)),
        web_services=()
        if "services" in web
        else tuple(
            service.ref for service in services if goes_as_far(member, service, Reader.VISITOR)
        ),
    )


def _doors(member: Member, services: Sequence[Service], now: datetime) -> dict[str, Any]:
    """Return what is said of the two doors: nothing to those who see no service behind them."""
    if not services:
        return {}
    said: dict[str, Any] = {"doors": member.doors}
    if member.closed_on(now.date()):
        word = plain(member.closed_word or "", longest=limits.LINE_CHARACTERS)
        said |= {"closed_until": member.closed_until, "closed_word": word}
    return said


def _as_if_shown(member: Member) -> Member:
    """Return ``member``, or a sketch of them who shows to neighbours what has no own circle."""
    if reaches(member.circle_of(NAME), NEIGHBOURS):
        return member
    columns = (
        "name", "headline", "bio", "profession", "location", "locale", "languages", "interests",
        "availability", "photo", "block_audiences", "translations",
    )  # fmt: skip
    drawn = Member(audience=NEIGHBOURS, usual_audience=NEIGHBOURS)
    for column in columns:
        setattr(drawn, column, getattr(member, column))
    drawn.services = [_service_like(service) for service in member.services]
    return drawn


def _service_like(service: Service) -> Service:
    told = {
        column.key: getattr(service, column.key)
        for column in inspect(Service).column_attrs
        if column.key not in ("id", "member_id")
    }
    return Service(**told)


def _audience(member: Member) -> str:
    """Return whom the document may reach: anybody, unless something in it is for peers alone."""
    circles = {member.circle_of(block) for block in FIELDS_OF}
    circles |= {member.circle_of(service) for service in member.services}
    return PUBLIC if WEB in circles and NEIGHBOURS not in circles else PEERS


def _web(member: Member, services: Sequence[Service]) -> tuple[str, ...]:
    """Return the claims that visitors may see elsewhere."""
    if member.circle_of(NAME) != WEB:
        return ()
    shown = {
        claim
        for block, claims in FIELDS_OF.items()
        if goes_as_far(member, block, Reader.VISITOR)
        for claim in claims
    }
    open_ = [goes_as_far(member, service, Reader.VISITOR) for service in services]
    if all(open_):
        shown.add("services")
    if any(open_) or {"headline", "profession"} & shown:
        shown.add("locale")
    return tuple(claim for claim in ON_THE_WEB if claim in shown)


def subject_of(member: Member, identity: Identity) -> str:
    """Return the identifier under which peers know ``member``."""
    return identity.space.subject(member.ref or "preview")


def fingerprint_of(profile: Profile) -> str:
    """Return a digest of what ``profile`` says, without the dates and numbers of the signing."""
    claims = profile.to_claims()
    content = {name: value for name, value in claims.items() if name not in BOOKKEEPING}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _photo(seen: Seen, identity: Identity) -> documents.Photo | None:
    if not seen.photo:
        return None
    url = f"{identity.space}{PATH}/photo/{seen.photo['digest']}"
    return documents.Photo.model_validate({**seen.photo, "url": url})


def _interests(seen: Seen) -> tuple[str, ...]:
    cleaned = (plain(interest, longest=limits.INTEREST_CHARACTERS) for interest in seen.interests)
    return tuple(interest for interest in cleaned if interest)[: limits.INTERESTS]


#: Characters of each text of a version in a further language; those of the original.
_LONGEST = {
    "headline": limits.HEADLINE_CHARACTERS,
    "bio": limits.BIO_CHARACTERS,
    "title": limits.TITLE_CHARACTERS,
    "description": limits.DESCRIPTION_CHARACTERS,
}


def _further(
    held: Sequence[Mapping[str, str]], locale: str, names: Sequence[str]
) -> tuple[dict[str, str], ...]:
    """Return the versions in other languages than ``locale``, as the documents take them."""
    if not held:
        return ()
    cleaned = [
        {"lang": one["lang"]}
        | {
            name: plain(
                one.get(name, ""), lines=name in ("bio", "description"), longest=_LONGEST[name]
            )
            for name in names
        }
        for one in besides(held, locale)
    ]
    said = [one for one in cleaned if any(one[name] for name in names)]
    return tuple(said[: limits.TRANSLATIONS])


def _service(service: Service, locale: str) -> documents.Service:
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
        "translations": _further(service.translations or (), locale, SERVICE_TEXTS),
    }
    # Checked by the model, not by us: a column may hold anything that an import put there.
    return documents.Service.model_validate(said)
