"""What vectors are written with: fixed keys, one moment, and documents as Lyon would sign them."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation import entity, keys, signing, strict_json, tree
from federation.documents import Ack, Assertion, Notice
from tests.federation import samples
from tests.federation.samples import LYON, NANTES, NOW


def _key(name: str) -> keys.Key:
    """A key for these tests and nothing else, from its name."""
    secret = hashlib.sha256(f"cdf test vectors: {name}".encode()).digest()
    public = Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
    d, x = (base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (secret, public))
    return keys.import_private({"kty": "OKP", "crv": "Ed25519", "x": x, "d": d})


ROOT, NEXT_ROOT, OPERATIONAL = _key("lyon root"), _key("lyon next"), _key("lyon operational")
STRANGER, READER = _key("stranger"), _key("nantes root")
FEED = f"{NANTES}/federation/v1/feed"

Vector = dict[str, Any]


def good(name: str, op: str, **given: Any) -> Vector:
    return {"name": name, "op": op, **given, "error": None}


def bad(name: str, error: str, op: str, **given: Any) -> Vector:
    """A vector that must be refused; ``error`` is a problem, or ``problem/code`` or ``/code``."""
    problem, _, code = error.partition("/")
    told = {"problem": problem, "code": code or problem}
    return {"name": name, "op": op, **given, "error": told}


# --- documents, signed as Lyon would unless a test says otherwise


def sign(document: Any, key: keys.Key = OPERATIONAL) -> str:
    return signing.issue(document, key)


def claims(document: Any, key: keys.Key = OPERATIONAL, **changes: Any) -> str:
    """The document with some claims exchanged after it was built; ``None`` takes one away."""
    told = document.to_claims() | changes
    kept = {name: value for name, value in told.items() if value is not None}
    return samples.forge(strict_json.dumps(kept), {"typ": document.typ}, key)


def header(document: Any = None, key: keys.Key = OPERATIONAL, **changes: Any) -> str:
    document = document or samples.profile()
    payload = strict_json.dumps(document.to_claims())
    return samples.forge(payload, {"typ": document.typ, **changes}, key)


def payload(text: str | bytes) -> str:
    return samples.forge(text if isinstance(text, bytes) else text.encode(), {}, OPERATIONAL)


def notice(**changes: Any) -> Notice:
    told = {"issuer": LYON, "audience": NANTES, "epoch": "e1", "seq": 10}
    return Notice.model_validate(told | changes)


def ack(**changes: Any) -> Ack:
    told = {
        "issuer": LYON, "audience": NANTES, "view": "peers", "epoch": "e1", "seq": 10, "count": 0,
        "root": tree.EMPTY_ROOT.hex(), "issued_at": NOW,
    }  # fmt: skip
    return Ack.model_validate(told | changes)


def assertion(**changes: Any) -> Assertion:
    told = {"issuer": LYON, "audience": NANTES, "method": "GET", "url": FEED}
    told = told | changes
    return Assertion.of(**told, jti="Vb3k0mJ8Qe6xw2Yh", now=NOW)


def statement(**changes: Any) -> Any:
    return samples.statement(kid_seen=keys.kid(READER), **changes)


def plate(key: keys.Key = ROOT, **changes: Any) -> str:
    told = {"root_key": key, "operational_keys": [OPERATIONAL], "next_kids": [keys.kid(NEXT_ROOT)]}
    return samples.configuration(**(told | changes))


def altered_plate(change: Any, key: keys.Key = ROOT) -> str:
    told = signing.unverified_claims(plate(), entity.TYP)
    change(told)
    return samples.forge(strict_json.dumps(told), {"typ": entity.TYP}, key)


def directory(**changes: Any) -> str:
    def change(told: Any) -> None:
        told["metadata"]["coworking_directory"].update(changes)

    return altered_plate(change)


PROFILE = sign(samples.profile())


def document(name: str, token: str, error: str = "", kind: str = "record") -> Vector:
    given = {"kind": kind, "token": token}
    return bad(name, error, "document", **given) if error else good(name, "document", **given)


def configuration(name: str, token: str, error: str = "") -> Vector:
    return bad(name, error, "entity", token=token) if error else good(name, "entity", token=token)


PAGE = {
    "epoch": "e1",
    "items": [{"seq": 7, "jws": "a.b.c"}],
    "next": "e1.7",
    "more": False,
    "checkpoint": "",
}


def page(name: str, body: Any, error: str = "", media_type: str = "application/json") -> Vector:
    text = body if isinstance(body, str) else json.dumps(body)
    given = {"media_type": media_type, "body": text}
    return bad(name, error, "page", **given) if error else good(name, "page", **given)


def repeated(text: str, times: int, after: str = "") -> Vector:
    """A token that is too long to be written out: ``text``, ``times`` over, then ``after``."""
    return {"repeat": text, "times": times, "after": after}


def at(seconds: int) -> int:
    return int(NOW.timestamp()) + seconds
