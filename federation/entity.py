"""Who a space says it is: its entity configuration (OpenID Federation 1.1, section 9).

One signed document at ``{space}/.well-known/openid-federation`` names the space, its keys and its
endpoints. It is signed by the root key it contains, which proves nothing by itself: a root key is
believed because an admin compared it (``pinned_kid``), or because the configuration before it,
believed in the same way, announced it (``next_kids``). Which of these holds is told by the
caller; nothing is remembered here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, field_validator

from federation import limits, signing
from federation.claims import (
    Country,
    Entity,
    Languages,
    Name,
    Names,
    Thumbprints,
    Url,
    Word,
    as_tuple,
)
from federation.envelope import Claims, Dated, moment
from federation.errors import (
    DocumentError,
    KeyChangedError,
    StaleError,
    UnknownIssuerError,
    UnsupportedVersionError,
)
from federation.identifiers import EntityId
from federation.keys import Key, Keyring, keyring, public_jwk

#: The media type of the answer, and the ``typ`` of the document in it.
MEDIA_TYPE = "application/entity-statement+jwt"
TYP = "entity-statement+jwt"

#: Versions of the protocol that this library speaks.
VERSIONS = ("1",)

#: Where this version's endpoints live below an entity identifier, when nothing else is chosen.
PATH = "/federation/v1"


#: Endpoints that a space may do without.
MAY_BE_ABSENT = ("held", "intro")


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Absolute URLs, of the same origin as the entity identifier."""

    feed: str
    checkpoint: str
    index: str
    peering: str
    notify: str
    ack: str
    held: str = ""
    """Where neighbours ask what is held of them; empty for a space that does not tell."""

    intro: str = ""
    """Where members of neighbours write to ours; empty for a space that takes no letters."""

    @classmethod
    def below(cls, entity_id: str) -> Endpoints:
        """Return the usual endpoints of ``entity_id``."""
        base = f"{entity_id}{PATH}/"
        return cls(*(base + name for name in cls.__slots__))

    @classmethod
    def of_files(cls, entity_id: str) -> Endpoints:
        """Return where a static space keeps its files; nothing listens at the other three."""
        base = f"{entity_id}{PATH}/"
        files = {"feed": "feed.json", "checkpoint": "checkpoint.jwt", "index": "index.json"}
        told = [name for name in cls.__slots__ if name not in MAY_BE_ABSENT]
        return cls(*(base + files.get(name, name) for name in told))


@dataclass(frozen=True, slots=True)
class Location:
    """Where a space is: ISO 3166-1 country, city, and WGS 84 degrees if it says so."""

    country: str
    city: str
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class EntityConfiguration:
    """What a space says about itself, verified and read."""

    entity_id: EntityId
    issued_at: datetime
    expires_at: datetime
    root_kid: str
    """Thumbprint of the root key that signed this; what admins compare."""

    root_keys: Keyring
    next_kids: tuple[str, ...]
    """Thumbprints of root keys that may follow; peers take no other without an admin."""

    operational_keys: Keyring
    """The keys that sign everything but this document and peering statements."""

    organization_name: str
    endpoints: Endpoints
    location: Location
    languages: tuple[str, ...] = ()
    enamel: str = ""
    """The colour of the space's plaque, a word; empty or unknown for none."""

    members: int | None = None
    """How many profiles it would share with us; its word."""

    static: bool = False
    """Plain files that anybody may read, and nobody who listens (PROTOCOL.md, section 5)."""

    policy_uri: str = ""
    contacts: tuple[str, ...] = ()
    jws: str = field(default="", repr=False)
    """The document as it came."""

    def next_reading(self) -> datetime:
        """Return when to read it again: after a week, and well before it expires."""
        half = self.issued_at + (self.expires_at - self.issued_at) / 2
        return min(self.issued_at + limits.ENTITY_RENEWAL, half)


def build(
    entity_id: str,
    *,
    root_key: Key,
    operational_keys: Sequence[Key],
    organization_name: str,
    location: Location,
    now: datetime,
    next_kids: Sequence[str] = (),
    languages: Sequence[str] = (),
    enamel: str = "",
    members: int | None = None,
    policy_uri: str = "",
    contacts: Sequence[str] = (),
    endpoints: Endpoints | None = None,
    static: bool = False,
    lifetime: timedelta = limits.ENTITY_LIFETIME,
) -> str:
    """Return the entity configuration of a space, signed with ``root_key``.

    :param operational_keys: private or public; the one in use first.
    :param endpoints: the usual ones of its kind when not given.
    :param static: a directory of plain files.
    :raises ValueError: not fit to be published (a name with control characters, ...).
    :raises TooLargeError: more than ``limits.ENTITY_BYTES``.
    """
    usual = Endpoints.of_files if static else Endpoints.below
    document = _Configuration.model_validate(
        {
            "iss": entity_id,
            "sub": entity_id,
            "iat": now,
            "exp": now + lifetime,
            "jwks": {"keys": [public_jwk(root_key)]},
            "next_kids": tuple(next_kids),
            "metadata": {
                "federation_entity": {
                    "organization_name": organization_name,
                    "contacts": tuple(contacts),
                    "policy_uri": policy_uri,
                },
                "coworking_directory": {
                    "versions": VERSIONS,
                    "jwks": {"keys": [public_jwk(key) for key in operational_keys]},
                    **_endpoint_claims(endpoints or usual(entity_id)),
                    "static": static,
                    "location": _location_claims(location),
                    "languages": tuple(languages),
                    "enamel": enamel,
                    "members": members,
                },
            },
        }
    )
    return signing.issue(document, root_key)


def read(
    token: str,
    entity_id: str,
    now: datetime,
    *,
    pinned_kid: str | None,
    announced: Collection[str] = (),
    newer_than: datetime | None = None,
) -> EntityConfiguration:
    """Return the configuration in ``token`` if it is ``entity_id``'s and its key may be believed.

    :param pinned_kid: the root key that an admin compared; ``None`` on first contact, when any
        key is read and the caller shows its words before anybody approves.
    :param announced: ``next_kids`` of the last configuration that was believed.
    :param newer_than: ``issued_at`` of that configuration.
    :raises KeyChangedError: signed with a root key neither pinned nor announced.
    :raises UnknownIssuerError: about, or by, another entity.
    :raises StaleError: older than ``newer_than``.
    :raises ExpiredError, SignatureError, TooLargeError, DocumentError:
    :raises UnsupportedVersionError: speaks none of :data:`VERSIONS`.
    """
    found = _verified(token, entity_id, pinned_kid, announced)
    found.document.require_now(now)
    if newer_than is not None and found.document.issued_at < moment(newer_than):
        raise StaleError("an older configuration than the one we hold")
    return _configuration(found)


def read_as_issued(token: str, entity_id: str, *, pinned_kid: str | None) -> EntityConfiguration:
    """Return the configuration in ``token`` as it was on the day of its signature.

    For evidence, which is looked at years later: until when the keys in it are relied on is the
    caller's question. Raises as :func:`read` does, but for the dates.
    """
    return _configuration(_verified(token, entity_id, pinned_kid, ()))


# --- the shape on the wire


class _Keys(Claims):
    keys: tuple[dict[str, Any], ...] = Field(max_length=limits.KEYS)

    _from_array = field_validator("keys", mode="before")(as_tuple)


class _FederationEntity(Claims):
    organization_name: Name = Field(max_length=limits.NAME_CHARACTERS)
    contacts: Names = Field(default=(), max_length=limits.CONTACTS)
    policy_uri: Url | Literal[""] = ""


class _Location(Claims):
    country: Country
    city: Name = Field(max_length=limits.NAME_CHARACTERS)
    lat: float | None = Field(default=None, ge=-90, le=90)
    lon: float | None = Field(default=None, ge=-180, le=180)


class _CoworkingDirectory(Claims):
    versions: Names = Field(max_length=limits.SCOPES)
    jwks: _Keys
    feed_endpoint: Url
    checkpoint_endpoint: Url
    index_endpoint: Url
    peering_endpoint: Url
    notify_endpoint: Url
    ack_endpoint: Url
    held_endpoint: Url | Literal[""] = ""
    intro_endpoint: Url | Literal[""] = ""
    location: _Location
    languages: Languages = Field(default=(), max_length=limits.LANGUAGES)
    enamel: Word | Literal[""] = ""
    members: int | None = Field(default=None, ge=0, lt=2**53)
    static: bool = False


class _Metadata(Claims):
    federation_entity: _FederationEntity
    coworking_directory: _CoworkingDirectory


class _Configuration(Dated):
    """The document itself, as OpenID Federation spells it."""

    typ: ClassVar[str] = TYP
    max_bytes: ClassVar[int] = limits.ENTITY_BYTES
    lifetime: ClassVar[timedelta] = limits.ENTITY_LIFETIME

    subject: Entity
    jwks: _Keys
    next_kids: Thumbprints = Field(default=(), max_length=limits.NEXT_KIDS)
    authority_hints: Annotated[tuple[Url, ...], BeforeValidator(as_tuple)] = Field(
        default=(), max_length=limits.CONTACTS
    )
    metadata: _Metadata


@dataclass(frozen=True, slots=True)
class _Verified:
    document: _Configuration
    roots: Keyring
    root_kid: str
    token: str


def _verified(
    token: str, entity_id: str, pinned_kid: str | None, announced: Collection[str]
) -> _Verified:
    claims = signing.unverified_claims(token, TYP, max_bytes=limits.ENTITY_BYTES)
    roots = _brought_keys(claims)
    root_kid = signing.kid_of(token, max_bytes=limits.ENTITY_BYTES)
    if pinned_kid is not None and root_kid != pinned_kid and root_kid not in announced:
        raise KeyChangedError("signed with a root key that nobody confirmed or announced")
    document = signing.read(token, roots, _Configuration).document
    document.require_issuer(entity_id)
    if document.subject != entity_id:
        raise UnknownIssuerError(f"about {document.subject}, where {entity_id} was expected")
    return _Verified(document, roots, root_kid, token)


def _brought_keys(claims: Mapping[str, Any]) -> dict[str, Key]:
    jwks = claims.get("jwks")
    brought = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(brought, list) or not all(isinstance(jwk, dict) for jwk in brought):
        raise DocumentError("jwks must hold a list of keys")
    return keyring(brought)


def _configuration(found: _Verified) -> EntityConfiguration:
    document = found.document
    about = document.metadata.federation_entity
    directory = document.metadata.coworking_directory
    if not set(directory.versions) & set(VERSIONS):
        raise UnsupportedVersionError(f"speaks {', '.join(directory.versions) or 'no version'}")
    operational = keyring(directory.jwks.keys)
    if not operational:
        raise DocumentError("no Ed25519 key that could sign a profile")
    return EntityConfiguration(
        entity_id=document.issuer,
        issued_at=document.issued_at,
        expires_at=document.expires_at,
        root_kid=found.root_kid,
        root_keys=found.roots,
        next_kids=document.next_kids,
        operational_keys=operational,
        organization_name=about.organization_name,
        endpoints=_endpoints(document.issuer, directory),
        location=_location(directory.location),
        languages=directory.languages,
        enamel=directory.enamel,
        members=directory.members,
        static=directory.static,
        policy_uri=about.policy_uri,
        contacts=about.contacts,
        jws=found.token,
    )


def _endpoints(entity_id: EntityId, directory: _CoworkingDirectory) -> Endpoints:
    urls = {name: getattr(directory, f"{name}_endpoint") for name in Endpoints.__slots__}
    for name, url in urls.items():
        if name in MAY_BE_ABSENT and not url:
            continue
        # An endpoint elsewhere would let a space aim our requests at somebody else (R15).
        if not url.startswith(f"{entity_id.origin}/") or "#" in url or "?" in url:
            raise DocumentError(f"{name}_endpoint is not at {entity_id.origin}")
    if directory.static and not urls["feed"].endswith(".json"):
        raise DocumentError("the feed of a static space is a file that ends in .json")
    return Endpoints(**urls)


def _endpoint_claims(endpoints: Endpoints) -> dict[str, str]:
    return {f"{name}_endpoint": getattr(endpoints, name) for name in Endpoints.__slots__}


def _location(location: _Location) -> Location:
    return Location(location.country, location.city, location.lat, location.lon)


def _location_claims(location: Location) -> dict[str, Any]:
    degrees = (location.latitude, location.longitude)
    lat, lon = (None if degree is None else round(float(degree), 5) for degree in degrees)
    return {"country": location.country, "city": location.city, "lat": lat, "lon": lon}
