"""What a card shows of a person, the same for our members and for neighbours' profiles.

A neighbour's profile was verified when it came in, yet its texts are a stranger's: a card holds
plain values, and whatever is missing or of another shape is left out, never an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from app.models.member import DOORS, HOUR, MODES, PAID, QUOTE, UNITS, Member, Service
from app.models.peer import MirroredProfile, Peer
from app.models.scope import Reader
from app.models.seen import as_seen
from app.models.space import Space
from app.search.neighbours import Neighbour
from app.search.versions import Version, versions_of

#: After this long without an answer from its space, a copy is called late.
LATE = timedelta(hours=24)

Kind = Literal["member", "mirrored"]

#: What a neighbour's member may keep from visitors.
WITHHELD = (
    "headline",
    "profession",
    "bio",
    "location",
    "languages",
    "interests",
    "availability",
    "services",
)


@dataclass(frozen=True, slots=True)
class Place:
    """The space a person coworks in, as its plaque says."""

    ref: str
    """``here`` for this space, else the peer's reference."""

    url: str
    name: str
    city: str
    country: str
    enamel: str
    latitude: float | None
    longitude: float | None


@dataclass(frozen=True, slots=True)
class CardService:
    """One service, with the rates that still hold (both None after ``valid_until``)."""

    ref: str
    title: str
    description: str
    speciality: str
    """A code of the shared vocabulary, one that we do not know, or empty."""

    label: str
    """The space's own word for the speciality, often empty."""

    mode: str
    rate: Decimal | None
    coworker_rate: Decimal | None
    currency: str
    unit: str
    valid_until: date | None
    remote: bool
    languages: tuple[str, ...]
    translations: tuple[Version, ...] = ()
    """Title and description in further languages."""

    title_lang: str = ""
    description_lang: str = ""
    """Languages of these texts where a reader is shown others than the card's."""


@dataclass(frozen=True, slots=True)
class Card:
    """A person, as far as a list of people needs to know them."""

    kind: Kind
    ref: str
    """The member's reference; with ``space.ref`` it makes the URL of the profile."""

    subject: str
    external_id: str | None
    """The identifier in the list this member was imported from; None for neighbours' people."""

    name: str
    headline: str
    profession: str
    bio: str
    locale: str
    """Language of the texts (BCP 47), empty when not stated."""

    location: str
    languages: tuple[str, ...]
    interests: tuple[str, ...]
    availability: str
    services: tuple[CardService, ...]
    space: Place
    issued_at: datetime
    """When these texts were last changed or signed."""

    confirmed_at: datetime | None
    """When our copy was last known to be what the neighbour states; None for our own people."""

    stale: bool
    """The neighbour has not answered for :data:`LATE`, or its last answer was an error."""

    unconfirmed: bool = False
    """The neighbour answers, and does not confirm our copy: its key is another one, say."""

    photo: str = ""
    """The digest of the photo that is shown here; empty when there is none."""

    doors: tuple[str, ...] = DOORS
    """What the person can be asked for at all."""

    closed_until: date | None = None
    """The doors are closed before this day; ``None`` while they are open."""

    closed_word: str = ""
    translations: tuple[Version, ...] = ()
    """Headline and biography in further languages; see :mod:`app.search.translations`."""

    headline_lang: str = ""
    bio_lang: str = ""
    """Languages of these texts where a reader is shown others than ``locale``."""

    original: Card | None = None
    """The card as it was written first, when a reader is shown something else."""


def place_of(space: Space) -> Place:
    """Return the plaque of this space."""
    return Place(
        "here",
        space.url,
        space.name,
        space.city,
        space.country,
        space.enamel,
        space.latitude,
        space.longitude,
    )


def place_of_peer(peer: Peer | Neighbour) -> Place:
    """Return the plaque of a neighbour, as its entity configuration says."""
    return Place(
        peer.ref,
        peer.url,
        peer.name,
        peer.city,
        peer.country,
        peer.enamel,
        peer.latitude,
        peer.longitude,
    )


def card_of_member(member: Member, space: Space, today: date, reader: Reader) -> Card:
    """Return the card of one of our members as ``reader`` sees them."""
    seen = as_seen(member, reader)
    return Card(
        kind="member",
        ref=member.ref,
        subject=f"{space.url}/m/{member.ref}",
        external_id=member.external_id,
        name=seen.name,
        headline=seen.headline,
        profession=seen.profession,
        bio=seen.bio,
        locale=seen.locale,
        location=seen.location,
        languages=seen.languages,
        interests=seen.interests,
        availability=seen.availability,
        services=tuple(_own_service(service, today) for service in seen.services),
        space=place_of(space),
        issued_at=member.updated_at,
        confirmed_at=None,
        stale=False,
        photo=seen.photo.get("digest", ""),
        doors=member.doors,
        translations=versions_of(seen.translations, "headline", "bio"),
        **_shut(seen.services, member.closed_until, member.closed_word, today),
    )


class Copy(NamedTuple):
    """What a card shows of our copy of a neighbour's profile."""

    subject: str
    name: str
    document: Mapping[str, Any]
    photo: str
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """How a neighbour stands, the same for all its people: its plaque, and how late it is."""

    space: Place
    confirmed_at: datetime | None
    stale: bool
    unconfirmed: bool


def standing_of(peer: Peer | Neighbour, now: datetime) -> Standing:
    """Return how a neighbour stands at ``now``."""
    late = peer.last_success_at is None or now - peer.last_success_at > LATE
    return Standing(
        place_of_peer(peer),
        _confirmed_at(peer),
        late or bool(peer.failures),
        peer.unconfirmed_since is not None,
    )


def card_of_mirrored(profile: MirroredProfile, now: datetime, peer: Peer | None = None) -> Card:
    """Return the card of a neighbour's profile.

    :param peer: the profile's peer, for a row that was not loaded with it.
    """
    return card_of_copy(copy_of(profile), now.date(), standing_of(peer or profile.peer, now))


def copy_of(profile: MirroredProfile) -> Copy:
    """Return what a card shows of ``profile``."""
    return Copy(
        profile.subject, profile.name, profile.document, profile.photo or "", profile.issued_at
    )


def card_of_copy(copy: Copy, today: date, at: Standing) -> Card:
    """Return the card of a neighbour's profile, by how the neighbour stands."""
    claims = copy.document
    headline, profession, bio, locale, location, availability = _texts(claims, _PERSONAL)
    services = services_of(claims)
    return Card(
        kind="mirrored",
        ref=copy.subject.rpartition("/")[2],
        subject=copy.subject,
        external_id=None,
        name=copy.name,
        headline=headline,
        profession=profession,
        bio=bio,
        locale=locale,
        location=location,
        languages=texts_of(claims, "languages"),
        interests=texts_of(claims, "interests"),
        availability=availability,
        services=tuple([_their_service(one, today) for one in services]),
        space=at.space,
        issued_at=copy.issued_at,
        confirmed_at=at.confirmed_at,
        stale=at.stale,
        unconfirmed=at.unconfirmed,
        photo=copy.photo,
        doors=texts_of(claims, "doors") if "doors" in claims else DOORS,
        translations=versions_of(claims["translations"], "headline", "bio")
        if "translations" in claims
        else (),
        **(
            _shut(
                services,
                _day(text_of(claims, "closed_until")),
                text_of(claims, "closed_word"),
                today,
            )
            if "closed_until" in claims
            else {}
        ),
    )


#: Claims of a person that are one text, and those of a service, as they are read together.
_PERSONAL = ("headline", "profession", "bio", "locale", "location", "availability")
_OFFERED = (
    "id",
    "title",
    "description",
    "category",
    "label",
    "mode",
    "unit",
    "currency",
    "valid_until",
)


def _shut(services: Sequence[object], until: date | None, word: str, today: date) -> dict[str, Any]:
    """Return when closed doors open again, for those who see what is behind them."""
    if not services or until is None or until <= today:
        return {}
    return {"closed_until": until, "closed_word": word}


def _confirmed_at(peer: Peer | Neighbour) -> datetime | None:
    moments = [peer.last_success_at, peer.unconfirmed_since]
    return min((moment for moment in moments if moment is not None), default=None)


def for_visitors(card: Card, claims: Mapping[str, Any]) -> Card:
    """Return ``card`` with only what its claim ``web`` lets people see who are not signed in."""
    shown = set(texts_of(claims, "web"))
    # Each withheld field becomes the empty value of its kind; name and space always show.
    hidden = {name: type(getattr(card, name))() for name in WITHHELD if name not in shown}
    if "services" not in shown:
        apart = set(texts_of(claims, "web_services"))
        hidden["services"] = tuple(one for one in card.services if one.ref in apart)
    if not shows_photo(claims):
        hidden["photo"] = ""
    if card.translations:
        hidden["translations"] = _open(card.translations, shown)
    if not hidden.get("services", card.services):
        hidden |= {"closed_until": None, "closed_word": ""}
    return replace(card, **hidden)


def _open(versions: Sequence[Version], shown: Set[str]) -> tuple[Version, ...]:
    """Return those texts of ``versions`` whose originals are ``shown``."""
    open_ = (
        Version(
            one.lang,
            one.short if "headline" in shown else "",
            one.long if "bio" in shown else "",
        )
        for one in versions
    )
    return tuple(one for one in open_ if one.short or one.long)


def shows_all(claims: Mapping[str, Any]) -> bool:
    """Say whether the claim ``web`` lets visitors see everything that a profile can say."""
    whole = set(WITHHELD) <= set(texts_of(claims, "web"))
    return whole and (not claims.get("photo") or shows_photo(claims))


def shows_photo(claims: Mapping[str, Any]) -> bool:
    """Say whether the claim ``web`` lets visitors see the photo."""
    return "photo" in texts_of(claims, "web")


def services_of(claims: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the services among ``claims``, those that are objects at all."""
    services = claims.get("services")
    return [one for one in services if isinstance(one, dict)] if isinstance(services, list) else []


def text_of(claims: Mapping[str, Any], name: str) -> str:
    """Return the text claim ``name``, empty when it is missing or no text."""
    value = claims.get(name)
    return value if isinstance(value, str) else ""


def _texts(claims: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    """Do as :func:`text_of` does for several claims."""
    return [value if isinstance(value, str) else "" for value in map(claims.get, names)]


def texts_of(claims: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return the texts of the list claim ``name``."""
    value = claims.get(name)
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def _own_service(service: Service, today: date) -> CardService:
    holds = service.valid_until is None or service.valid_until >= today
    return CardService(
        ref=service.ref,
        title=service.title,
        description=service.description,
        speciality=service.speciality,
        label=service.speciality_label,
        mode=service.mode,
        rate=service.rate if holds else None,
        coworker_rate=service.coworker_rate if holds else None,
        currency=service.currency,
        unit=service.unit,
        valid_until=service.valid_until,
        remote=service.remote,
        languages=tuple(service.languages),
        translations=versions_of(service.translations, "title", "description"),
    )


def _their_service(claims: Mapping[str, Any], today: date) -> CardService:
    ref, title, description, speciality, label, mode, unit, currency, last = _texts(
        claims, _OFFERED
    )
    until = _day(last)
    holds = until is None or until >= today
    unit = unit or HOUR  # left out: the default
    return CardService(
        ref=ref,
        title=title,
        description=description,
        speciality=speciality,
        label=label,
        mode=mode if mode in MODES else PAID,
        rate=_money(claims.get("rate")) if holds else None,
        coworker_rate=_money(claims.get("coworker_rate")) if holds else None,
        currency=currency or "EUR",
        unit=unit if unit in UNITS else QUOTE,
        valid_until=until,
        remote=claims.get("remote") is True,
        languages=texts_of(claims, "languages"),
        translations=versions_of(claims["translations"], "title", "description")
        if "translations" in claims
        else (),
    )


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:  # unreadable: no limit was stated
        return None


def _money(value: object) -> Decimal | None:
    # bool is an int in Python: true is no price.
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    return _amount(str(value))


@lru_cache(maxsize=1024)
def _amount(text: str) -> Decimal | None:
    """Read an amount; the same few prices are asked everywhere."""
    try:
        amount = Decimal(text)
    except InvalidOperation:  # not a number: no rate was stated
        return None
    return amount if amount.is_finite() else None
