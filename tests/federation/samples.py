"""Two spaces, their keys, and the documents they would send; the network is a dictionary."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from federation import entity, keys, signing
from federation.documents import Checkpoint, PeeringStatement, Profile, Withdrawal
from federation.transport import Answer

LYON, NANTES, BERLIN = (f"https://{city}.example" for city in ("lyon", "nantes", "berlin"))
NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)

ROOT, OPERATIONAL, STRANGER = keys.new_key(), keys.new_key(), keys.new_key()
RING = keys.keyring([keys.public_jwk(OPERATIONAL)])
AICHA = f"{LYON}/m/01AICHA"


def profile(**changes: Any) -> Profile:
    """Aïcha, lawyer in Lyon, for approved peers; ``changes`` by the names Python uses."""
    fields = {
        "issuer": LYON,
        "subject": AICHA,
        "revision": 1,
        "audience": "peers",
        "consent_at": NOW - DAY,
        "name": "Aïcha Benali",
        "headline": "Droit du travail",
        "languages": ("fr", "ar"),
        "issued_at": NOW,
        "expires_at": NOW + 90 * DAY,
    }
    return Profile.model_validate(fields | changes)


def withdrawal(**changes: Any) -> Withdrawal:
    """The end of Aïcha's profile."""
    fields = {
        "issuer": LYON,
        "subject": AICHA,
        "revision": 2,
        "reason": "withdrawn",
        "issued_at": NOW,
        "expires_at": NOW + 90 * DAY,
    }
    return Withdrawal.model_validate(fields | changes)


def checkpoint(**changes: Any) -> Checkpoint:
    """Lyon's word about its ``peers`` view."""
    fields = {
        "issuer": LYON,
        "view": "peers",
        "epoch": "e1",
        "seq": 10,
        "count": 0,
        "root": "0" * 64,
        "issued_at": NOW,
        "expires_at": NOW + DAY,
    }
    return Checkpoint.model_validate(fields | changes)


def statement(**changes: Any) -> PeeringStatement:
    """Lyon says yes to Nantes."""
    fields = {
        "issuer": LYON,
        "audience": NANTES,
        "n": 1,
        "state": "approved",
        "kid_seen": "k" * 43,
        "issued_at": NOW,
        "expires_at": NOW + DAY,
    }
    return PeeringStatement.model_validate(fields | changes)


def configuration(**changes: Any) -> str:
    """Lyon's entity configuration, signed."""
    told: dict[str, Any] = {
        "root_key": ROOT,
        "operational_keys": [OPERATIONAL],
        "organization_name": "Le Palier",
        "location": entity.Location("FR", "Lyon", 45.764, 4.8357),
        "now": NOW,
    }
    space = changes.pop("entity_id", LYON)
    return entity.build(space, **(told | changes))


def lyon() -> entity.EntityConfiguration:
    """Lyon, as a peer has read it."""
    return entity.read(configuration(), LYON, NOW, pinned_kid=keys.kid(ROOT))


def encode(part: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def forge(payload: bytes, header: Mapping[str, Any], key: keys.Key = OPERATIONAL) -> str:
    """A JWS with any header and any payload, whose signature is right all the same."""
    named = {"alg": "Ed25519", "kid": keys.kid(key), "typ": Profile.typ} | dict(header)
    kept = {name: value for name, value in named.items() if value is not None}
    signed = f"{encode(json.dumps(kept).encode())}.{encode(payload)}"
    signature = key.get_op_key("sign").sign(signed.encode())
    return f"{signed}.{encode(signature)}"


def signed(document: Profile | Withdrawal | Checkpoint) -> str:
    """The document as Lyon's operational key signs it."""
    return signing.issue(document, OPERATIONAL)


@dataclass
class Shelf:
    """A network on which each URL has one answer; remembers what was asked."""

    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    posted: list[tuple[str, bytes, str]] = field(default_factory=list)

    def get(self, url: str, *, max_bytes: int, headers: Mapping[str, str] = {}) -> Answer:
        self.asked.append(("GET", url, dict(headers)))
        return self.answers[url]

    def post(
        self,
        url: str,
        body: bytes,
        *,
        content_type: str,
        max_bytes: int,
        headers: Mapping[str, str] = {},
    ) -> Answer:
        self.posted.append((url, body, content_type))
        return self.answers[url]


def answer(body: object, media_type: str = "application/json", status: int = 200, **more: str):
    """An answer with a body of text or of JSON."""
    content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    headers = {"content-type": media_type} | {k.replace("_", "-"): v for k, v in more.items()}
    return Answer(status, headers, content)
