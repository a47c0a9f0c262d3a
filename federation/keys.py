"""The keys a space signs with, and those it knows of others (Ed25519, RFC 8037).

A key is named by its thumbprint (``kid``, RFC 7638), which is always computed here and never
believed. What a key may be used for is not known here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from federation.errors import DocumentError, TooLargeError
from federation.limits import KEYS

#: A private key we sign with, or a public one we check with.
Key = OKPKey

#: Public keys by thumbprint.
Keyring = Mapping[str, Key]

#: Words in a pair code, each worth 10 bits.
PAIR_WORDS = 6


def new_key() -> Key:
    """Return a fresh private key from the operating system's randomness."""
    return OKPKey.generate_key("Ed25519")


def public_jwk(key: Key) -> dict[str, str]:
    """Return what may be shown to anyone (RFC 7517): ``kty``, ``crv``, ``x`` and ``kid``."""
    jwk = key.as_dict(private=False)
    return {"kty": "OKP", "crv": "Ed25519", "x": str(jwk["x"]), "kid": kid(key)}


def private_jwk(key: Key) -> dict[str, str]:
    """Return the whole key, for a file that only its owner can read.

    :raises ValueError: ``key`` is a public one.
    """
    if not key.is_private:
        raise ValueError("a public key has no private form")
    return public_jwk(key) | {"d": str(key.as_dict(private=True)["d"])}


def import_private(jwk: Mapping[str, Any]) -> Key:
    """Return the key that :func:`private_jwk` wrote.

    :raises DocumentError: not an Ed25519 private key, or its two halves do not belong together.
    """
    try:
        key = OKPKey.import_key({name: jwk[name] for name in ("kty", "crv", "x", "d")})
        derived = OKPKey.import_key(key.as_pem(private=True))
    except (JoseError, KeyError, TypeError, ValueError) as error:
        raise DocumentError("not an Ed25519 private key") from error
    if jwk["crv"] != "Ed25519" or derived.as_dict(private=False)["x"] != jwk["x"]:
        raise DocumentError("not an Ed25519 private key")
    return key


def kid(key: Key) -> str:
    """Return the thumbprint of ``key``: 43 characters (RFC 7638, SHA-256, base64url)."""
    return str(key.thumbprint())


def import_public(jwk: Mapping[str, Any]) -> Key:
    """Return the Ed25519 public key in ``jwk``, of which only ``x`` is taken.

    :raises DocumentError: not an Ed25519 public key, or one with its private half.
    """
    if "d" in jwk:
        raise DocumentError("a private key was published: it can be trusted no more")
    x = jwk.get("x")
    # 43 characters carry 258 bits for 256: the last must leave the two spare ones at zero.
    if not isinstance(x, str) or len(x) != 43 or x[-1] not in "AEIMQUYcgkosw048":
        raise DocumentError("not an Ed25519 public key")
    if jwk.get("kty") != "OKP" or jwk.get("crv") != "Ed25519":
        raise DocumentError("not an Ed25519 public key")
    try:
        return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": x})
    except (JoseError, ValueError) as error:
        raise DocumentError("not an Ed25519 public key") from error


def keyring(jwks: Iterable[Mapping[str, Any]]) -> dict[str, Key]:
    """Return the Ed25519 keys among ``jwks`` by thumbprint; other kinds of keys are passed over.

    A ``kid`` written in a JWK is ignored: the name of a key is computed from the key.

    :raises TooLargeError: more than ``limits.KEYS`` keys.
    :raises DocumentError: a key that says it is Ed25519 and is not, or a private one.
    """
    published = list(jwks)
    if len(published) > KEYS:
        raise TooLargeError(f"{len(published)} keys, more than {KEYS}")
    ours = (import_public(jwk) for jwk in published if jwk.get("crv") == "Ed25519")
    return {kid(key): key for key in ours}


@lru_cache(maxsize=512)
def pair_code(kid_a: str, kid_b: str) -> tuple[str, ...]:
    """Return the six words two admins compare by phone, the same whichever side asks.

    60 bits of scrypt (N=2**15, r=8, p=1) over SHA-256 of both root thumbprints, sorted. An
    attacker who must imitate one given pair needs 2**60 attempts; one who stands between both
    spaces and may choose two keys needs about 2**30, which is why each attempt is made to cost
    a tenth of a second and 32 MB instead of a microsecond.
    """
    both = hashlib.sha256("\n".join(sorted((kid_a, kid_b))).encode("ascii")).digest()
    slow = hashlib.scrypt(both, salt=b"cdf pair code", n=2**15, r=8, p=1, maxmem=2**26, dklen=8)
    bits = int.from_bytes(slow, "big") >> 4
    words = pair_words()
    return tuple(words[(bits >> (10 * place)) & 1023] for place in reversed(range(PAIR_WORDS)))


@lru_cache(maxsize=1)
def pair_words() -> tuple[str, ...]:
    """Return the 1024 words of ``pair_words.txt``, in the order that counts."""
    return tuple(files("federation").joinpath("pair_words.txt").read_text("ascii").split())
