"""An authenticator made of nothing but arithmetic, and the browser in front of it.

It makes passkeys and signs with them as a telephone would (WebAuthn Level 3, sections 6 and 5.8.1),
and lies on request: every part of an answer can be given, and is then signed as it is.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import struct
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

#: Flags of the authenticator's data (section 6.1): present, verified, may be copied, is copied,
#: and that a new key follows.
PRESENT, VERIFIED, ELIGIBLE, COPIED, NEW = 0x01, 0x04, 0x08, 0x10, 0x40

ORIGIN, HOST = "https://lepalier.example", "lepalier.example"


def text_of(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def bytes_of(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def cbor(value):
    """Encode a value, in its shortest form (RFC 8949 section 3)."""
    if value is None or isinstance(value, bool):
        return bytes([{None: 0xF6, True: 0xF5, False: 0xF4}[value]])
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    pairs = b"".join(cbor(name) + cbor(one) for name, one in value.items())
    return _head(5, len(value)) + pairs


def _head(kind, number):
    longer = ((24, 2**8), (25, 2**16), (26, 2**32), (27, 2**64))
    for size, (code, most) in enumerate(((number, 24), *longer)):
        if number < most:
            tail = b"" if size == 0 else number.to_bytes(2 ** (size - 1), "big")
            return bytes([kind << 5 | code]) + tail
    raise ValueError(number)


class P256:
    """ECDSA on P-256 with SHA-256 (ES256, RFC 9053 section 2.1)."""

    def __init__(self):
        self.private = ec.generate_private_key(ec.SECP256R1())

    def cose(self):
        at = self.private.public_key().public_numbers()
        return {1: 2, 3: -7, -1: 1, -2: at.x.to_bytes(32, "big"), -3: at.y.to_bytes(32, "big")}

    def sign(self, data):
        return self.private.sign(data, ec.ECDSA(hashes.SHA256()))


class Ed25519:
    """EdDSA on Ed25519 (RFC 9053 section 2.2)."""

    def __init__(self):
        self.private = ed25519.Ed25519PrivateKey.generate()

    def cose(self):
        return {1: 1, 3: -8, -1: 6, -2: self.private.public_key().public_bytes_raw()}

    def sign(self, data):
        return self.private.sign(data)


@dataclass
class Authenticator:
    """One passkey, and what it says of itself."""

    key: object = field(default_factory=P256)
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    counter: int = 0
    flags: int = PRESENT | VERIFIED
    user: bytes = b""

    def make(self, question, **lies):
        """Answer ``navigator.credentials.create()``; who asked is remembered with the passkey."""
        self.user = bytes_of(question["user"]["id"])
        identifier = lies.get("credential_id", self.credential_id)
        attested = (
            bytes(16)
            + struct.pack(">H", len(identifier))
            + identifier
            + cbor(lies.get("cose", self.key.cose()))
        )
        data = self._data(NEW, lies) + attested
        client = _client("webauthn.create", question, lies)
        statement = {"fmt": lies.get("fmt", "none"), "attStmt": lies.get("statement", {})}
        if lies.get("proud"):
            # Signed by the new key itself (section 8.2): says how it signs, and nothing of a maker.
            signature = self.key.sign(data + hashlib.sha256(client).digest())
            signed = {"alg": self.key.cose()[3], "sig": signature}
            statement = {"fmt": "packed", "attStmt": signed}
        made = cbor({**statement, "authData": lies.get("data", data)})
        return self._answer(client, {"attestationObject": made})

    def sign(self, question, **lies):
        """Answer ``navigator.credentials.get()``."""
        client = _client("webauthn.get", question, lies)
        data = self._data(0, lies)
        signature = self.key.sign(data + hashlib.sha256(client).digest())
        given = {
            "authenticatorData": data,
            "signature": lies.get("signature", signature),
            "userHandle": lies.get("user", self.user),
        }
        return self._answer(client, given)

    def _data(self, more, lies):
        host = lies.get("host", HOST)
        flags = lies.get("flags", self.flags) | more
        counter = lies.get("counter", self.counter)
        return hashlib.sha256(host.encode()).digest() + struct.pack(">BI", flags, counter)

    def _answer(self, client, given):
        response = {name: text_of(raw) for name, raw in given.items() if raw is not None}
        response["clientDataJSON"] = text_of(client)
        name = text_of(self.credential_id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})


def _client(kind, question, lies):
    """What the browser says of the page that asked (section 5.8.1)."""
    said = {
        "type": kind,
        "challenge": question["challenge"],
        "origin": ORIGIN,
        "crossOrigin": False,
        **lies.get("client", {}),
    }
    return json.dumps(said).encode()
