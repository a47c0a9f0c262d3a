"""Signing our documents, and checking those of peers: one way in, one way out.

A document is a compact JWS (RFC 7515 section 7.1), signed with Ed25519 (RFC 8037, RFC 9864),
explicitly typed (RFC 8725 section 3.11). What is checked, in this order, before a claim is read:

1. size, in characters, before anything is decoded;
2. canonical form: three parts of base64url without padding, spaces, or spare bits. JOSE libraries
   read several spellings of the same bytes; we keep and hash the spelling, so there is only one;
3. the header: ``typ`` one of those expected here, ``alg`` exactly ``Ed25519``, no ``crit``, no
   ``b64``. Keys in the header (``jwk``, ``jku``, ``x5u``, ``x5c``) are never looked at;
4. the key: by ``kid`` among the keys of the space that is expected to speak, and nowhere else;
5. the signature, over the bytes as they came;
6. the payload: strict JSON, an object, and only then the claims.

Whose keys to pass is the caller's decision and the one that matters.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar

from joserfc import jws
from joserfc.errors import JoseError

from federation import strict_json
from federation.envelope import Document
from federation.errors import (
    DocumentError,
    FederationError,
    KeyUnknownError,
    SignatureError,
    TooLargeError,
    UnknownTypeError,
)
from federation.keys import Key, Keyring, kid
from federation.limits import HEADER_BYTES, JWS_BYTES, PAYLOAD_BYTES

#: One algorithm, named in full: there is nothing to negotiate, so nothing to downgrade.
ALGORITHM = "Ed25519"


class _Registry(jws.JWSRegistry):
    """Leaves the header to :func:`_parse`, whose rules are the protocol's.

    Otherwise a header of 513 bytes, or an ``x5u`` that is no URL, would be refused here and
    believed by everybody else.
    """

    max_header_length = 2 * HEADER_BYTES

    def check_header(self, header: Mapping[str, Any]) -> None:
        """Accept whatever :func:`_parse` has accepted."""


_REGISTRY = _Registry(algorithms=[ALGORITHM], strict_check_header=False)
_ED25519 = _REGISTRY.get_alg(ALGORITHM)
_PART = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)

#: How a part may end, by its length modulo 4: where the last character carries bits that decode to
#: nothing, these must be zero, or there were sixteen spellings of one document.
_ENDS = {
    0: frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
    2: frozenset("AQgw"),
    3: frozenset("AEIMQUYcgkosw048"),
}

#: Headers remembered as they were read: all documents of a space bear the same few.
HEADERS_KEPT = 256


D = TypeVar("D", bound=Document)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Signed(Generic[D]):
    """A document, and what its signature says about it."""

    document: D
    jws: str
    """The characters that were verified; what was verified is what is kept."""

    kid: str
    """Which of the issuer's keys signed it (RFC 7638)."""


def sign(claims: Mapping[str, Any], key: Key, typ: str, *, max_bytes: int = JWS_BYTES) -> str:
    """Return ``claims`` as a compact JWS of type ``typ``.

    :param key: a private key; its thumbprint becomes the ``kid``.
    :raises TooLargeError: more than ``limits.PAYLOAD_BYTES`` of claims, or ``max_bytes`` in all.
    """
    payload = strict_json.dumps(claims)
    if max_bytes == JWS_BYTES and len(payload) > PAYLOAD_BYTES:
        raise TooLargeError(f"{len(payload)} bytes to sign, more than {PAYLOAD_BYTES}")
    header = {"alg": ALGORITHM, "kid": kid(key), "typ": typ}
    token = jws.serialize_compact(header, payload, key, registry=_REGISTRY)
    if len(token) > max_bytes:
        raise TooLargeError(f"{len(token)} characters of JWS, more than {max_bytes}")
    return token


def issue(document: Document, key: Key) -> str:
    """Return ``document`` signed with ``key``, as it is sent; raises as :func:`sign` does."""
    return sign(document.to_claims(), key, document.typ, max_bytes=document.max_bytes)


def verify(token: str, keys: Keyring, typ: str, *, max_bytes: int = JWS_BYTES) -> dict[str, Any]:
    """Return the claims of ``token`` if one of ``keys`` signed it as a ``typ``.

    :param keys: the keys of the space that is expected to have signed, by thumbprint.
    :raises TooLargeError: more than ``max_bytes`` characters.
    :raises UnknownTypeError: of another type.
    :raises KeyUnknownError: signed with none of ``keys``.
    :raises SignatureError: names one of ``keys``, which did not sign it.
    :raises DocumentError: not a canonical compact JWS, or signed and not a JSON object.
    """
    return _claims(_vouched(_parse(token, (typ,), max_bytes), keys), max_bytes)


def read(token: str, keys: Keyring, *kinds: type[D]) -> Signed[D]:
    """Return the document in ``token``, one of ``kinds``; raises as :func:`verify` does.

    :raises DocumentError: also when a claim is missing or not what it must be.
    """
    [found] = read_all([token], keys, *kinds)
    if isinstance(found, FederationError):
        raise found
    return found


#: Does something to each of many, in their order.
Each = Callable[[Callable[[Any], Any], Sequence[Any]], Sequence[Any]]


def read_all(
    tokens: Sequence[str], keys: Keyring, *kinds: type[D], each: Each = lambda *what: [*map(*what)]
) -> list[Signed[D] | FederationError]:
    """Do for many tokens what :func:`read` does for one; what it would raise stands in its place.

    Step by step, each for all tokens before the next: the processor keeps what one step needs at
    hand, and forgets it over the others. Changing places for each token takes a third more.

    :param each: in what way signatures are checked, perhaps several at a time.
    """
    by_typ = {kind.typ: kind for kind in kinds}
    longest = max(kind.max_bytes for kind in kinds)
    parts = [_tried(_parse, token, by_typ, longest) for token in tokens]
    genuine = each(lambda one: _then(_vouched, one, keys), parts)
    claims = [_then(_claims, one, longest) for one in genuine]
    return [
        said if isinstance(said, FederationError) else _tried(_document, by_typ, token, one, said)
        for token, one, said in zip(tokens, parts, claims, strict=True)
    ]


def _document(
    by_typ: Mapping[str, type[D]], token: str, parts: _Parts, claims: Mapping[str, Any]
) -> Signed[D]:
    return Signed(by_typ[parts.typ].from_claims(claims), token, parts.kid)


def _tried(step: Callable[..., T], *given: Any) -> T | FederationError:
    """Return what ``step`` returns, or why it refused."""
    try:
        return step(*given)
    except FederationError as refusal:
        return refusal


def _then(step: Callable[..., T], so_far: Any, *given: Any) -> T | FederationError:
    """Go on with what the step before returned, unless it refused."""
    return so_far if isinstance(so_far, FederationError) else _tried(step, so_far, *given)


def claimed_issuer(token: str, typ: str, *, max_bytes: int = JWS_BYTES) -> str:
    """Return who ``token`` *says* it is by, so that their keys can be looked up.

    Nothing is verified: the answer serves to find a row among the spaces already known, and for
    nothing else. It never causes a request.

    :raises DocumentError: no canonical JWS of that ``typ``, or no ``iss`` in it.
    """
    issuer = unverified_claims(token, typ, max_bytes=max_bytes).get("iss")
    if not isinstance(issuer, str):
        raise DocumentError("iss must be an entity identifier")
    return issuer


def unverified_claims(token: str, typ: str, *, max_bytes: int = JWS_BYTES) -> dict[str, Any]:
    """Return what ``token`` says before anybody vouches for it; see :func:`claimed_issuer`.

    An entity configuration brings its own key along: :mod:`federation.entity` takes the key from
    here, checks its thumbprint, and then verifies.
    """
    parts = _parse(token, (typ,), max_bytes)
    return strict_json.loads_object(parts.payload, max_bytes=max_bytes)


def typ_of(token: str, *, max_bytes: int = JWS_BYTES) -> str:
    """Return the ``typ`` that the header of ``token`` names, unverified, for a journal."""
    typ = _header(_split(token, max_bytes)[0]).get("typ")
    return typ if isinstance(typ, str) else ""


def kid_of(token: str, *, max_bytes: int = JWS_BYTES) -> str:
    """Return the ``kid`` that the header of ``token`` names, unverified.

    :raises KeyUnknownError: it names none.
    """
    named = _header(_split(token, max_bytes)[0]).get("kid")
    if not isinstance(named, str):
        raise KeyUnknownError("names no key")
    return named


def digest(token: str) -> str:
    """Return the SHA-256 of ``token`` in hexadecimal: what indexes and evidence name it by."""
    return hashlib.sha256(token.encode("ascii")).hexdigest()


@dataclass(frozen=True, slots=True)
class _Parts:
    typ: str
    kid: str
    payload: bytes
    signed: bytes
    """What the signature is over: header and payload, as they came."""

    signature: bytes


def _vouched(parts: _Parts, keys: Keyring) -> _Parts:
    """Return ``parts`` if the key that they name signed them."""
    key = keys.get(parts.kid)
    if key is None:
        raise KeyUnknownError("signed with a key that its space does not publish")
    # The token is not read a second time by another parser: these are the bytes that we took apart.
    try:
        _ED25519.check_key(key)
        genuine = _ED25519.verify(parts.signed, parts.signature, key)
    except (JoseError, ValueError) as error:
        raise SignatureError("the key that is named signs otherwise") from error
    if not genuine:
        raise SignatureError("the signature is not by the key that is named")
    return parts


def _claims(parts: _Parts, max_bytes: int) -> dict[str, Any]:
    return strict_json.loads_object(parts.payload, max_bytes=max_bytes)


def _parse(token: str, typs: Collection[str], max_bytes: int) -> _Parts:
    head, payload, signature = _split(token, max_bytes)
    header = _header(head)
    typ, named = header.get("typ"), header.get("kid")
    if not isinstance(typ, str) or typ not in typs:
        raise UnknownTypeError(f"typ is none of {', '.join(typs)}")
    if header.get("alg") != ALGORITHM:
        raise SignatureError(f"alg is not {ALGORITHM}")
    if "crit" in header or "b64" in header:
        raise DocumentError("asks for an extension that we do not understand")
    if not isinstance(named, str):
        raise KeyUnknownError("names no key")
    signed = token.rpartition(".")[0].encode("ascii")
    return _Parts(typ, named, payload, signed, signature)


def _split(token: str, max_bytes: int) -> tuple[bytes, bytes, bytes]:
    if len(token) > max_bytes:
        raise TooLargeError(f"{len(token)} characters of JWS, more than {max_bytes}")
    parts = token.split(".", 3)
    if len(parts) != 3:
        raise DocumentError("not a compact JWS")
    header, payload, signature = (_decode(part) for part in parts)
    if len(signature) != 64:
        raise SignatureError("an Ed25519 signature has 64 bytes")
    return header, payload, signature


def _decode(part: str) -> bytes:
    if not _PART.fullmatch(part) or len(part) % 4 == 1:
        raise DocumentError("not base64url")
    if part[-1] not in _ENDS[len(part) % 4]:
        raise DocumentError("not the canonical base64url")
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


@lru_cache(maxsize=HEADERS_KEPT)
def _header(data: bytes) -> Mapping[str, Any]:
    return strict_json.loads_object(data, max_bytes=HEADER_BYTES)
