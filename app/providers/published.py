"""What a provider publishes about itself: where to go, and with which keys it signs.

Read when it is needed (OpenID Connect Discovery 1.0 section 4, RFC 7517) and kept for a while in
this process. Whoever asks waits, so:

* each request ends after seconds and a number of bytes, which the transport sees to;
* after a failure nobody waits for the same provider again for a moment;
* a key that is not known makes us read the keys once more, but not more often than once a minute,
  or anybody could make us ask by naming keys that do not exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from app.providers.provider import Provider, SilentError
from federation import strict_json
from federation.errors import FederationError
from federation.identifiers import is_loopback, origin
from federation.transport import Transport

#: How long what was read is kept.
LIFETIME = timedelta(hours=1)

#: The least time between two readings of the keys for the sake of an unknown one.
REREAD = timedelta(minutes=1)

#: How long nobody waits for a provider that did not answer.
SILENCE = timedelta(seconds=15)

#: Bytes of a discovery document, and of a set of keys; Google's and Keycloak's are below 8,000.
METADATA_BYTES = 128 * 1024
KEYS_BYTES = 256 * 1024

#: Keys of one provider; those that change them daily have four.
KEYS = 100

Key = RSAKey | ECKey

_KINDS: Mapping[str, type[Key]] = {"RSA": RSAKey, "EC": ECKey}


@dataclass(frozen=True, slots=True)
class Metadata:
    """The part of a discovery document that we use (section 3)."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    algorithms: tuple[str, ...] = ("RS256",)
    client_authentication: tuple[str, ...] = ("client_secret_basic",)
    names_itself: bool = False
    """It puts ``iss`` into each answer (RFC 9207 section 3)."""


class Published:
    """One provider, and what it last said of itself."""

    def __init__(self, provider: Provider, transport: Transport, *, development: bool) -> None:
        self.provider = provider
        self.transport = transport
        self._development = development
        self._lock = Lock()
        self._metadata: Metadata | None = None
        self._metadata_at = self._keys_at = self._silent_at = _never()
        self._keys: tuple[Key, ...] = ()

    def metadata(self, now: datetime) -> Metadata:
        """Return what the discovery document says.

        :raises SilentError: it cannot be read, or is not this provider's.
        """
        with self._lock:
            if self._metadata is None or now - self._metadata_at >= LIFETIME:
                said = self._read(self._discovery_url(), METADATA_BYTES, now)
                self._metadata = self._understood(said)
                self._metadata_at = now
            return self._metadata

    def keys(self, kid: str | None, now: datetime) -> list[Key]:
        """Return the keys that are called ``kid``, or all of them when the signer names none.

        :raises SilentError: they cannot be read.
        """
        address = self.metadata(now).jwks_uri
        with self._lock:
            if now - self._keys_at >= LIFETIME:
                self._read_keys(address, now)
            found = self._named(kid)
            if not found and now - self._keys_at >= REREAD:
                self._read_keys(address, now)
                found = self._named(kid)
            return found

    def _named(self, kid: str | None) -> list[Key]:
        return [key for key in self._keys if kid is None or key.kid == kid]

    def _read_keys(self, address: str, now: datetime) -> None:
        published = self._read(address, KEYS_BYTES, now).get("keys")
        if not isinstance(published, list):
            raise SilentError("malformed", "no set of keys (RFC 7517 section 5)")
        imported = (_imported(each) for each in published[:KEYS])
        self._keys = tuple(key for key in imported if key is not None)
        self._keys_at = now

    def _read(self, url: str, max_bytes: int, now: datetime) -> dict[str, Any]:
        if now - self._silent_at < SILENCE:
            raise SilentError("silent", "it did not answer a moment ago")
        try:
            answer = self.transport.get(
                url, max_bytes=max_bytes, headers={"Accept": "application/json"}
            )
            if answer.status != 200:
                raise SilentError("silent", f"{url} answered {answer.status}")
            return strict_json.loads_object(answer.body, max_bytes=max_bytes)
        except FederationError as error:
            self._silent_at = now
            raise SilentError("silent", f"{url}: {error}") from error
        except SilentError:
            self._silent_at = now
            raise

    def _discovery_url(self) -> str:
        return self.provider.issuer.rstrip("/") + "/.well-known/openid-configuration"

    def _understood(self, said: Mapping[str, Any]) -> Metadata:
        # Section 4.3: else one provider could speak for another.
        if said.get("issuer") != self.provider.issuer:
            raise SilentError("issuer", "the discovery document is that of another issuer")
        return Metadata(
            authorization_endpoint=self._address(said, "authorization_endpoint"),
            token_endpoint=self._address(said, "token_endpoint"),
            jwks_uri=self._address(said, "jwks_uri"),
            userinfo_endpoint=self._address(said, "userinfo_endpoint")
            if said.get("userinfo_endpoint")
            else "",
            algorithms=_words(said, "id_token_signing_alg_values_supported", "RS256"),
            client_authentication=_words(
                said, "token_endpoint_auth_methods_supported", "client_secret_basic"
            ),
            names_itself=said.get("authorization_response_iss_parameter_supported") is True,
        )

    def _address(self, said: Mapping[str, Any], name: str) -> str:
        """Return an address to which secrets go, or a browser: over https."""
        address = said.get(name)
        if not isinstance(address, str) or not address.isascii() or not address.isprintable():
            raise SilentError("malformed", f"no {name}")
        try:
            parts = urlsplit(origin(address))
        except FederationError as error:
            raise SilentError("malformed", f"{name}: {error}") from error
        local = self._development and is_loopback(parts.hostname or "")
        if parts.scheme != "https" and not (local and parts.scheme == "http"):
            raise SilentError("malformed", f"{name} is not https")
        return address


def _imported(jwk: Any) -> Key | None:
    """Return a key for signatures; ``None`` for others, and for those we cannot use."""
    kind = _KINDS.get(jwk.get("kty", "")) if isinstance(jwk, dict) else None
    if kind is None or jwk.get("use", "sig") != "sig":
        return None
    try:
        key: Key = kind.import_key({name: jwk[name] for name in jwk if name not in ("d", "p", "q")})
    except (JoseError, ValueError, TypeError, KeyError):
        # One bad key is its own problem: the others still sign.
        return None
    return key


def _words(said: Mapping[str, Any], name: str, otherwise: str) -> tuple[str, ...]:
    given = said.get(name)
    if not isinstance(given, list):
        return (otherwise,)
    return tuple(word for word in given if isinstance(word, str))


def _never() -> datetime:
    return datetime.min.replace(tzinfo=UTC)
