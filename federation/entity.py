"""Who a space says it is: its entity configuration (OpenID Federation 1.1, section 9).

One signed document at ``{space}/.well-known/openid-federation`` names the space, its keys and its
endpoints. It is signed by the root key it contains, which proves nothing by itself: a root key is
believed because an admin compared it (``pinned_kid``), or because the configuration before it,
believed in the same way, announced it (``next_kids``). Which of these holds is told by the
caller; nothing is remembered here.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from federation import limits
from federation.identifiers import EntityId
from federation.keys import Key, Keyring

#: The media type of the answer, and the ``typ`` of the document in it.
MEDIA_TYPE = "application/entity-statement+jwt"
TYP = "entity-statement+jwt"

#: Versions of the protocol that this library speaks.
VERSIONS = ("1",)

#: Where this version's endpoints live below an entity identifier, when nothing else is chosen.
PATH = "/federation/v1"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Absolute URLs, of the same origin as the entity identifier."""

    feed: str
    checkpoint: str
    index: str
    peering: str
    notify: str
    ack: str

    @classmethod
    def below(cls, entity_id: str) -> Endpoints:
        """Return the usual endpoints of ``entity_id``."""
        base = f"{entity_id}{PATH}/"
        return cls(*(base + name for name in cls.__slots__))


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
    lifetime: timedelta = limits.ENTITY_LIFETIME,
) -> str:
    """Return the entity configuration of a space, signed with ``root_key``.

    :param operational_keys: private or public; the one in use first.
    :param endpoints: :meth:`Endpoints.below` the identifier when not given.
    :raises ValueError: not fit to be published (a name with control characters, ...).
    :raises TooLargeError: more than ``limits.ENTITY_BYTES``.
    """
    raise NotImplementedError


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
    raise NotImplementedError
