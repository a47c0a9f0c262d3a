"""Whether an ID token is to be believed: OpenID Connect Core 1.0 section 3.1.3.7, all of it.

In this order: size, the algorithm, the key, the signature, strict JSON, and only then the claims.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jws
from joserfc.errors import JoseError

from app.models.provider import SUBJECT_CHARACTERS
from app.providers.provider import Provider, RefusedError
from app.providers.published import Key, Published
from federation import strict_json
from federation.errors import FederationError

#: What a provider may sign with: never ``none``, and no HMAC, for which a client's secret would do
#: (RFC 8725 sections 3.1 and 3.2).
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")

#: The kind of key that each begins with (RFC 7518 section 3.1).
_KINDS = {"R": "RSA", "P": "RSA", "E": "EC"}

#: Characters of an ID token; groups and roles make Keycloak's grow to 20,000.
TOKEN_CHARACTERS = 64 * 1024

#: How far a provider's clock may be from ours.
CLOCK_SKEW = timedelta(minutes=2)

#: How long ago a token may have been issued: it was asked for a moment ago.
AGE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Expected:
    """What we sent, and what has to come back."""

    nonce: str
    access_token: str


def verify(token: str, published: Published, expected: Expected, now: datetime) -> dict[str, Any]:
    """Return the claims of ``token``, which came straight from the token endpoint.

    :raises RefusedError: it is not to be believed; ``code`` says why.
    :raises SilentError: the provider's keys cannot be read.
    """
    if len(token) > TOKEN_CHARACTERS:
        raise RefusedError("id-token.size", f"{len(token)} characters")
    header = _header(token)
    payload = _signed(token, _key(header, published, now))
    try:
        claims = strict_json.loads_object(payload, max_bytes=TOKEN_CHARACTERS)
    except FederationError as error:
        raise RefusedError("id-token.malformed", str(error)) from error
    _judge(claims, header, published.provider, expected, now)
    return claims


def _header(token: str) -> dict[str, Any]:
    try:
        return dict(jws.extract_compact(token.encode("ascii")).headers())
    except (JoseError, ValueError) as error:
        raise RefusedError("id-token.malformed", "not a signed token") from error


def _key(header: dict[str, Any], published: Published, now: datetime) -> Key:
    algorithm = header.get("alg")
    if algorithm not in ALGORITHMS or algorithm not in published.metadata(now).algorithms:
        raise RefusedError("id-token.alg", f"alg is {algorithm!r:.40}")
    kid = header.get("kid")
    if kid is not None and not isinstance(kid, str):
        raise RefusedError("id-token.key", "kid is no text")
    fitting = [
        key
        for key in published.keys(kid, now)
        if key.key_type == _KINDS[algorithm[0]] and key.get("alg", algorithm) == algorithm
    ]
    # Core section 10.1: without a name there may only be one.
    if len(fitting) != 1:
        raise RefusedError("id-token.key", "signed with a key that the provider does not publish")
    return fitting[0]


class _Registry(jws.JWSRegistry):
    max_header_length = 8 * 1024
    max_payload_length = TOKEN_CHARACTERS


def _signed(token: str, key: Key) -> bytes:
    try:
        opened = jws.deserialize_compact(
            token.encode("ascii"), key, registry=_Registry(algorithms=list(ALGORITHMS))
        )
    except (JoseError, ValueError) as error:
        raise RefusedError("id-token.signature", "the signature is not by that key") from error
    return bytes(opened.payload)


def _judge(
    claims: dict[str, Any],
    header: dict[str, Any],
    provider: Provider,
    expected: Expected,
    now: datetime,
) -> None:
    judged = CodeIDToken(
        claims,
        header,
        {
            "iss": {"essential": True, "value": provider.issuer},
            "aud": {"essential": True, "value": provider.client_id},
        },
        {
            "nonce": expected.nonce,
            "client_id": provider.client_id,
            "access_token": expected.access_token,
        },
    )
    try:
        judged.validate(int(now.timestamp()), int(CLOCK_SKEW.total_seconds()))
    except (JoseError, ValueError, TypeError) as error:
        claim = getattr(error, "claim", "") or "claims"
        raise RefusedError(f"id-token.{claim}", str(error)) from error
    # We trust no other audience (step 3), and none has to be told that somebody came here.
    if claims["aud"] not in (provider.client_id, [provider.client_id]):
        raise RefusedError("id-token.aud", "meant for others too")
    if claims["iat"] < (now - AGE - CLOCK_SKEW).timestamp():
        raise RefusedError("id-token.iat", "issued too long ago")
    if not 0 < len(claims["sub"]) <= SUBJECT_CHARACTERS:
        raise RefusedError("id-token.sub", "sub has no usable length")


def proved_at(claims: dict[str, Any], now: datetime) -> datetime | None:
    """Return when the person showed the provider who they are, ``None`` when it does not say."""
    said = claims.get("auth_time")
    # bool is an int in Python.
    if isinstance(said, bool) or not isinstance(said, int | float):
        return None
    if not 0 < said <= (now + CLOCK_SKEW).timestamp():
        return None
    return min(now, datetime.fromtimestamp(said, UTC))
