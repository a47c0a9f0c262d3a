"""Writes the vectors: ``python -m tests.vectors.make``.

Everything comes from the keys and the moment below, and Ed25519 gives the same signature for the
same bytes, so the files change only when the protocol does. ``README.md`` beside them says how a
stranger's implementation reads them.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from federation import entity, keys, signing, strict_json, tree
from federation.documents import Ack, Assertion, Checkpoint, Notice, Profile, Withdrawal
from federation.proof import Proof
from tests.federation import samples
from tests.federation.samples import AICHA, BERLIN, DAY, LYON, NANTES, NOW

HERE = Path(__file__).parent


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


# --- the rules


def r1() -> list[Vector]:
    other = f"{BERLIN}/m/01AICHA"
    return [
        document("a member of its own", PROFILE),
        document("a member of another space", sign(samples.profile(subject=other)),
                 "invalid-document/foreign-subject"),
        document("a member of a space below it", sign(samples.profile(subject=f"{LYON}/b/m/1")),
                 "invalid-document/foreign-subject"),
        document("a host that begins as ours", sign(samples.profile(subject=f"{LYON}.org/m/1")),
                 "invalid-document/foreign-subject"),
        document("a path behind the reference", claims(samples.profile(), sub=f"{AICHA}/x"),
                 "invalid-document"),
        document("another issuer, signed with the right key",
                 sign(samples.profile(issuer=BERLIN, subject=other)), "unknown-issuer"),
        document("the withdrawal of another space's member",
                 sign(samples.withdrawal(subject=other)), "invalid-document/foreign-subject"),
    ]  # fmt: skip


def r2() -> list[Vector]:
    return [
        document("the key of the space", PROFILE),
        document("the key of somebody else", sign(samples.profile(), STRANGER), "key-unknown"),
        document("the root key, which signs no profile", sign(samples.profile(), ROOT),
                 "key-unknown"),
        document("a statement by the operational key", sign(statement()), "key-unknown",
                 "peering"),
        document("a statement by the root key", sign(statement(), ROOT), kind="peering"),
        document("the kid of the space on a stranger's signature",
                 header(key=STRANGER, kid=keys.kid(OPERATIONAL)),
                 "invalid-document/bad-signature"),
        document("no kid at all", header(kid=None), "key-unknown"),
    ]  # fmt: skip


def r3() -> list[Vector]:
    head, body, signature = PROFILE.split(".")
    other = sign(samples.profile(name="Aïcha B.")).split(".")
    flipped = ("B" if signature[0] == "A" else "A") + signature[1:]
    forged = "invalid-document/bad-signature"
    return [
        document("whole", PROFILE),
        document("another payload", f"{head}.{other[1]}.{signature}", forged),
        document("another signature", f"{head}.{body}.{other[2]}", forged),
        document("one character of the signature", f"{head}.{body}.{flipped}", forged),
        document("a header with one more member", header(x=1).rpartition(".")[0] + "." + signature,
                 forged),
    ]  # fmt: skip


def r4() -> list[Vector]:
    kinds = {
        "record": (samples.profile(), OPERATIONAL), "checkpoint": (samples.checkpoint(),
        OPERATIONAL), "peering": (statement(), ROOT), "notice": (notice(), OPERATIONAL),
        "ack": (ack(), OPERATIONAL), "assertion": (assertion(), OPERATIONAL),
    }  # fmt: skip
    return [
        vector
        for kind, (made, key) in kinds.items()
        for vector in (
            document(f"{kind}: good", sign(made, key), kind=kind),
            document(f"{kind}: with the signature of another",
                     f"{sign(made, key).rpartition('.')[0]}.{PROFILE.rpartition('.')[2]}"
                     if kind != "record" else f"{PROFILE.rpartition('.')[0]}."
                     f"{sign(notice()).rpartition('.')[2]}",
                     "invalid-document/bad-signature", kind),
        )
    ]  # fmt: skip


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


def r5() -> list[Vector]:
    wrong = "invalid-document/unknown-type"
    return [
        document("a profile as record", PROFILE),
        document("a notice as record", sign(notice()), wrong),
        document("a profile as checkpoint", PROFILE, wrong, "checkpoint"),
        document("a checkpoint as acknowledgement", sign(samples.checkpoint()), wrong, "ack"),
        document("typ JWT", header(typ="JWT"), wrong),
        document("typ in capitals", header(typ=Profile.typ.upper()), wrong),
        document("typ with its prefix", header(typ=f"application/{Profile.typ}"), wrong),
        document("no typ", header(typ=None), wrong),
        document("typ is a list", header(typ=[Profile.typ]), wrong),
        page("a page", PAGE),
        page("a page with a charset", PAGE, media_type="application/json; charset=utf-8"),
        page("a page as text/html", PAGE, "/malformed-answer", "text/html"),
        page("a page without a type", PAGE, "/malformed-answer", ""),
        page("a page as application/octet-stream", PAGE, "/malformed-answer",
             "application/octet-stream"),
    ]  # fmt: skip


def r6() -> list[Vector]:
    head, body, signature = PROFILE.split(".")
    # 64 bytes leave four spare bits in the last character: its next three letters are spellings.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spare = signature[:-1] + alphabet[alphabet.index(signature[-1]) + 1]
    return [
        document("canonical", PROFILE),
        document("spare bits", f"{head}.{body}.{spare}", "invalid-document"),
        document("padding", f"{head}.{body}.{signature}==", "invalid-document"),
        document("a line feed", f"{PROFILE}\n", "invalid-document"),
        document("a blank before", f" {PROFILE}", "invalid-document"),
        document("the other alphabet", f"{head}.{body}.{'+/' + signature[2:]}",
                 "invalid-document"),
        document("two parts", f"{head}.{body}", "invalid-document"),
        document("four parts", f"{PROFILE}.e30", "invalid-document"),
        document("five parts, as encrypted", f"{PROFILE}.e30.e30", "invalid-document"),
        document("empty", "", "invalid-document"),
        document("a signature of 63 bytes", f"{head}.{body}.{signature[:84]}",
                 "invalid-document/bad-signature"),
        document("a key twice in the payload", payload('{"iss":"a","iss":"b"}'),
                 "invalid-document"),
        document("a byte order mark", payload(b"\xef\xbb\xbf{}"), "invalid-document"),
        document("NaN", payload('{"rev":NaN}'), "invalid-document"),
        document("not UTF-8", payload(b'{"name":"\xff"}'), "invalid-document"),
        document("half a character", payload('{"name":"\\ud800"}'), "invalid-document"),
        document("something behind the object", payload("{} {}"), "invalid-document"),
        document("no object", payload("[]"), "invalid-document"),
    ]  # fmt: skip


def r7() -> list[Vector]:
    own = keys.public_jwk(STRANGER)

    def publish_private(told: Any) -> None:
        told["metadata"]["coworking_directory"]["jwks"]["keys"] = [keys.private_jwk(STRANGER)]

    def lie_about_kid(told: Any) -> None:
        listed = told["metadata"]["coworking_directory"]["jwks"]["keys"]
        listed[0] = listed[0] | {"kid": keys.kid(STRANGER)}

    return [
        document("a header that brings a key, which is ignored", header(jwk=own)),
        document("signed with the key that the header brings",
                 header(key=STRANGER, jwk=own), "key-unknown"),
        document("signed with it under the kid of the space",
                 header(key=STRANGER, kid=keys.kid(OPERATIONAL), jwk=own),
                 "invalid-document/bad-signature"),
        document("an address of keys, which is ignored", header(jku="https://evil.example/jwks")),
        configuration("the confirmed root key", plate()),
        configuration("the announced root key", plate(NEXT_ROOT)),
        configuration("another root key", plate(STRANGER), "/key-hold"),
        configuration("another root key that announces itself",
                      plate(STRANGER, next_kids=[keys.kid(STRANGER)]), "/key-hold"),
        configuration("a kid written in the set, which is ignored", altered_plate(lie_about_kid)),
        configuration("a private key was published", altered_plate(publish_private),
                      "invalid-document"),
    ]  # fmt: skip


def r8() -> list[Vector]:
    wrong = "invalid-document/bad-signature"
    return [
        document("Ed25519", header()),
        *(
            document(f"alg {alg!r}", header(alg=alg), wrong)
            for alg in ("none", "EdDSA", "ed25519", "HS256", "ES256", "", None, ["Ed25519"])
        ),
    ]


def r9() -> list[Vector]:
    return [
        document("unknown members, which are ignored", header(x5u="x", cty="y", z={"a": [1]})),
        document("crit of something unknown", header(crit=["exp"], exp=1), "invalid-document"),
        document("crit of nothing", header(crit=[]), "invalid-document"),
        document("b64", header(b64=True), "invalid-document"),
        document("b64 and crit", header(b64=False, crit=["b64"]), "invalid-document"),
    ]


def repeated(text: str, times: int, after: str = "") -> Vector:
    """A token that is too long to be written out: ``text``, ``times`` over, then ``after``."""
    return {"repeat": text, "times": times, "after": after}


def r10() -> list[Vector]:
    many = [{"id": str(n), "title": "t", "mode": "paid", "description": "d" * 2000} for n in
            range(8)]  # fmt: skip
    return [
        document("as much as fits", claims(samples.profile(), services=many)),
        document("one character too many, which is nothing else", repeated("A", 24_577),  # type: ignore[arg-type]  # written out by the reader
                 "too-large"),
        document("exactly the limit, which is nothing else", repeated("A", 24_576),  # type: ignore[arg-type]  # likewise
                 "invalid-document"),
        document("a header of nearly 1,024 bytes", header(pad="p" * 880)),
        document("a header of more", header(pad="p" * 1100), "too-large"),
        bad("a configuration past its limit", "too-large", "entity",
            token=repeated("A", 32_769)),
        document("seven levels", payload('{"a":' * 6 + "[]" + "}" * 6), "invalid-document"),
        document("ten thousand levels", payload("[" * 10_000), "invalid-document"),
        document("a number of 33 digits", payload('{"rev":' + "1" * 33 + "}"),
                 "invalid-document"),
    ]  # fmt: skip


def r11() -> list[Vector]:
    wrong = "wrong-audience"
    return [
        document("consent for anybody", sign(samples.profile(audience="public"))),
        document("consent for us", sign(samples.profile(audience=NANTES))),
        document("consent for another space", sign(samples.profile(audience=BERLIN)), wrong),
        document("two audiences", claims(samples.profile(), aud=["peers"]), "invalid-document"),
        document("a statement for us", sign(statement(), ROOT), kind="peering"),
        document("a statement for another", sign(statement(audience=BERLIN), ROOT), wrong,
                 "peering"),
        document("a notice for us", sign(notice()), kind="notice"),
        document("a notice for another", sign(notice(audience=BERLIN)), wrong, "notice"),
        document("a notice for several", claims(notice(), aud=[NANTES]), "invalid-document",
                 "notice"),
        document("an acknowledgement for another", sign(ack(audience=BERLIN)), wrong, "ack"),
        document("an assertion for this request", sign(assertion()), kind="assertion"),
        document("an assertion for another space", sign(assertion(audience=BERLIN)), wrong,
                 "assertion"),
        document("an assertion for another address",
                 sign(assertion(url=f"{NANTES}/federation/v1/index")), wrong, "assertion"),
        document("an assertion for another method", sign(assertion(method="POST")), wrong,
                 "assertion"),
        document("an assertion of 121 seconds", claims(assertion(), exp=_at(121)),
                 "invalid-document", "assertion"),
    ]  # fmt: skip


def _at(seconds: int) -> int:
    return int(NOW.timestamp()) + seconds


def r12() -> list[Vector]:
    public = ("93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:93.184.215.14")
    private = (
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "255.255.255.255", "224.0.0.1", "192.0.2.1", "::1", "::", "fe80::1", "fc00::1",
        "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1",
        "2002:7f00:1::", "2001::1", "::10.0.0.1",
    )  # fmt: skip
    return [
        *(good(each, "address", address=each) for each in public),
        *(bad(each, "/forbidden-address", "address", address=each) for each in private),
    ]


def r15() -> list[Vector]:
    def at(url: str) -> str:
        return directory(feed_endpoint=url)

    elsewhere = (
        f"{BERLIN}/federation/v1/feed", f"{LYON}:8443/feed", "http://lyon.example/feed",
        f"{LYON}.evil.example/feed", f"{LYON}@evil.example/feed", f"{LYON}/feed?x=1",
        f"{LYON}/feed#x", "/federation/v1/feed", f"{LYON}\\@evil.example/feed",
    )  # fmt: skip
    return [
        configuration("at its own origin", plate()),
        configuration("at another path of it", at(f"{LYON}/anything/else")),
        *(configuration(url, at(url), "invalid-document") for url in elsewhere),
    ]


def r17() -> list[Vector]:
    right = (
        "https://lyon.example", "https://lyon.example:8443", "https://a.b.example/c/d_e~f.g",
        "https://xn--caf-dma.example",
    )  # fmt: skip
    wrong = (
        "https://Lyon.example", "https://lyon.example/", "https://lyon.example:443",
        "http://lyon.example", "https://lyon", "https://127.0.0.1", "https://[::1]",
        "https://localhost", "https://user@lyon.example", "https://lyon.example?x",
        "https://lyon.example#x", "https://lyon.example/a%20b", "https://lyon.example//a",
        "https://lyon.example/.well-known", "https://lyon.example/a/..", "https://lyon.example.",
        "https://café.example", "lyon.example", "https://", "https://lyon.example:0",
        "https://lyon.example:65536", " https://lyon.example", "https://lyon.example\n",
        "https://" + "a" * 200 + ".example",
    )  # fmt: skip
    return [
        *(good(each, "identifier", text=each) for each in right),
        *(bad(json.dumps(each), "/forbidden-address", "identifier", text=each) for each in wrong),
    ]


def r18() -> list[Vector]:
    wrong = {
        "a control character": "a\x07b", "a line feed in a name": "a\nb", "an escape": "\x1b[31m",
        "a right-to-left override": "a\u202eb", "an isolate": "a\u2066b", "a separator": "a\u2028b",
        "a byte order mark": "\ufeffa", "private use": "\ue000", "not composed": "e\u0301",
        "a blank at the end": "a ", "nothing": "", "a number": 7, "an object": {"en": "a"},
    }  # fmt: skip
    return [
        document("markup is text", claims(samples.profile(), name="<b>Aïcha</b> & co.")),
        document("every script", claims(samples.profile(), name="Ἀίσα 阿伊莎 عائشة")),
        document("lines in a bio", claims(samples.profile(), bio="eins\nzwei")),
        *(
            document(name, claims(samples.profile(), name=text), "invalid-document")
            for name, text in wrong.items()
        ),
    ]


def r20() -> list[Vector]:
    def service(number: int) -> dict[str, str]:
        return {"id": str(number), "title": "t", "mode": "paid"}

    def keys_of(number: int) -> dict[str, Any]:
        return {"keys": [keys.public_jwk(OPERATIONAL)] * number}

    return [
        document("20 services", claims(samples.profile(), services=[*map(service, range(20))])),
        document("21 services", claims(samples.profile(), services=[*map(service, range(21))]),
                 "invalid-document"),
        document("31 interests", claims(samples.profile(), interests=["a"] * 31),
                 "invalid-document"),
        document("21 languages", claims(samples.profile(), languages=["fr"] * 21),
                 "invalid-document"),
        document("a life of 401 days", claims(samples.profile(), exp=_at(401 * 86_400)),
                 "invalid-document"),
        document("a checkpoint of 8 days", claims(samples.checkpoint(), exp=_at(8 * 86_400)),
                 "invalid-document", "checkpoint"),
        configuration("8 keys", directory(jwks=keys_of(8))),
        configuration("9 keys", directory(jwks=keys_of(9)), "invalid-document"),
        configuration("5 announced keys",
                      altered_plate(lambda told: told.update(next_kids=["k" * 43] * 5)),
                      "invalid-document"),
        configuration("no operational key", directory(jwks={"keys": []}), "invalid-document"),
        page("200 items", PAGE | {"items": [{"seq": n, "jws": "a"} for n in range(200)]}),
        page("201 items", PAGE | {"items": [{"seq": n, "jws": "a"} for n in range(201)]},
             "/malformed-answer"),
        page("items that fall", PAGE | {"items": [{"seq": 2, "jws": "a"}, {"seq": 1, "jws": "a"}]},
             "/malformed-answer"),
        page("a cursor of 201 characters", PAGE | {"next": "c" * 201}, "/malformed-answer"),
        page("a cursor that ends a header", PAGE | {"next": "c\r\nx: y"}, "/malformed-answer"),
        page("an epoch of 65 characters", PAGE | {"epoch": "e" * 65}, "/malformed-answer"),
    ]  # fmt: skip


def r21() -> list[Vector]:
    long = "a-" * 4000
    return [
        document(f"a {name} of 8,000 characters", claims(samples.profile(), **{name: value}),
                 "invalid-document")
        for name, value in {
            "locale": long, "sub": f"{LYON}/m/{long}", "aud": f"https://{long}.example",
            "web": [long], "languages": [long],
            "services": [{"id": "1", "title": "t", "mode": "paid", "category": long}],
        }.items()
    ] + [
        document("an amount of 8,000 digits", claims(samples.profile(), services=[
            {"id": "1", "title": "t", "mode": "paid", "rate": "1" * 8000, "currency": "EUR"}]),
            "invalid-document"),
        document("a date in 9,999,999,999,999", claims(samples.profile(), iat=9_999_999_999_999),
                 "invalid-document"),
    ]  # fmt: skip


def r22() -> list[Vector]:
    unknown = "unknown-issuer"
    return [
        document("a notice of a space that is known", sign(notice()), kind="notice"),
        document("a notice of one that is not", sign(notice(issuer=BERLIN), STRANGER), unknown,
                 "notice"),
        document("an acknowledgement of one that is not", sign(ack(issuer=BERLIN), STRANGER),
                 unknown, "ack"),
        document("an assertion of one that is not", sign(assertion(issuer=BERLIN), STRANGER),
                 unknown, "assertion"),
    ]  # fmt: skip


# --- what the sections on the feed, the root and proofs decide


def records() -> list[Vector]:
    def admit(name: str, *steps: tuple[Any, str]) -> Vector:
        told = [
            {"token": sign(made), "outcome": outcome}
            if "/" not in outcome
            else {"token": sign(made), "error": dict(zip(("problem", "code"), outcome.split("/"),
                                                         strict=True))}
            for made, outcome in steps
        ]  # fmt: skip
        return {"name": name, "op": "admit", "steps": told}

    def at(revision: int, **changes: Any) -> Profile:
        return samples.profile(revision=revision, **changes)

    def gone(revision: int, **changes: Any) -> Withdrawal:
        return samples.withdrawal(revision=revision, **changes)

    return [
        admit("a new revision replaces", (at(1), "new"), (at(3), "changed")),
        admit("an old one does not", (at(3), "new"), (at(1), "stale-rev/stale-rev")),
        admit("the same again changes nothing", (at(1), "new"), (at(1), "unchanged")),
        admit("two of one revision", (at(1), "new"),
              (at(1, name="Another"), "invalid-document/equivocation"), (at(1), "unchanged")),
        admit("withdrawn and replayed", (at(1), "new"), (gone(2), "withdrawn"),
              (at(1), "stale-rev/stale-rev")),
        admit("withdrawn before it came", (gone(2), "remembered"),
              (at(1), "stale-rev/stale-rev")),
        admit("back after a withdrawal", (gone(2), "remembered"), (at(3), "new")),
        admit("expired", (at(1, issued_at=NOW - 2 * DAY, expires_at=NOW), "expired/expired")),
        admit("from tomorrow", (at(1, issued_at=NOW + DAY), "expired/expired")),
        admit("a withdrawal is heard late", (at(1), "new"),
              (gone(2, issued_at=NOW - 2 * DAY, expires_at=NOW - DAY), "withdrawn")),
    ]  # fmt: skip


def checkpoints() -> list[Vector]:
    def follow(name: str, *steps: tuple[Checkpoint, str]) -> Vector:
        told = [
            {"token": sign(made), "progress": outcome}
            if not outcome.startswith("/")
            else {"token": sign(made), "error": {"problem": "", "code": outcome[1:]}}
            for made, outcome in steps
        ]
        return {"name": name, "op": "follow", "steps": told}

    def at(seq: int, **changes: Any) -> Checkpoint:
        return samples.checkpoint(seq=seq, **changes)

    earlier = {"issued_at": NOW - DAY, "expires_at": NOW + DAY}
    return [
        follow("progress", (at(10), "first"), (at(10), "same"), (at(12), "advanced")),
        follow("a lower position", (at(10), "first"), (at(9), "/rollback")),
        follow("another root at one position", (at(10), "first"), (at(10, root="1" * 64), "/fork")),
        follow("another count at one position", (at(10), "first"), (at(10, count=1), "/fork")),
        follow("a new epoch", (at(10, **earlier), "first"), (at(2, epoch="e2"), "new_epoch")),
        follow("an earlier epoch", (at(10), "first"), (at(99, epoch="e0", **earlier),
                                                       "/rollback")),
        follow("past its end", (at(10, issued_at=NOW - 2 * DAY, expires_at=NOW - DAY), "/frozen")),
    ]  # fmt: skip


def roots() -> list[Vector]:
    def leaves(number: int) -> list[list[Any]]:
        return [[f"{LYON}/m/{each}", each + 1, f"a.b.{each}"] for each in range(number)]

    def inputs(rows: list[list[Any]]) -> list[bytes]:
        return [tree.leaf(*row) for row in rows]

    def proved(rows: list[list[Any]], row: list[Any]) -> dict[str, Any]:
        index, path = tree.inclusion_proof(inputs(rows), tree.leaf(*row))
        return {"record": row, "index": index, "path": [step.hex() for step in path]}

    return [
        {
            "name": f"{number} records",
            "op": "tree",
            "records": leaves(number),
            "root": tree.root(inputs(leaves(number))).hex(),
            "proofs": [proved(leaves(number), row) for row in leaves(number)[:3]],
        }
        for number in (0, 1, 2, 3, 5, 8, 11)
    ]


def proofs() -> list[Vector]:
    own = tree.leaf(AICHA, 1, PROFILE)
    leaves = [own, *(tree.leaf(f"{LYON}/m/{each}", 1, f"a.b.{each}") for each in range(6))]
    stated = samples.checkpoint(count=7, root=tree.root(leaves).hex())
    told = json.loads(Proof.of(PROFILE, leaves, sign(stated), plate()).to_bytes())

    def proof(name: str, error: str = "", **changes: Any) -> Vector:
        given = {"proof": told | changes}
        return bad(name, error, "proof", **given) if error else good(name, "proof", **given)

    return [
        proof("a proof"),
        proof("with members that are not known, which are ignored", more=1),
        proof("another place", "/not-included", index=told["index"] ^ 1),
        proof("a path cut short", "/not-included", path=told["path"][:-1]),
        proof("another document of the same member", "/not-included",
              record=sign(samples.profile(name="Another"))),
        proof("signed by somebody else", "key-unknown",
              checkpoint=sign(stated, STRANGER)),
        proof("made with another root key", "/key-hold", entity=plate(STRANGER)),
        proof("of another version", "unsupported-version", version="2"),
        proof("of another type", "invalid-document", type="proof"),
    ]  # fmt: skip


#: File by file: what it is about, and the vectors.
FILES: dict[str, tuple[str, Any]] = {
    "R1": ("a space speaks for its own members, under its own name", r1),
    "R2": ("the key is one of the space that is expected to have signed", r2),
    "R3": ("whole messages are signed", r3),
    "R4": ("every kind of document is verified alike", r4),
    "R5": ("exact typ and media type", r5),
    "R6": ("one spelling, strict JSON", r6),
    "R7": ("keys never come from a message", r7),
    "R8": ("one algorithm, by name", r8),
    "R9": ("crit and b64 are refused", r9),
    "R10": ("bytes are counted before anything is decoded", r10),
    "R11": ("an audience is one string, and it is us", r11),
    "R12": ("addresses that may be contacted", r12),
    "R15": ("endpoints are at the space's own origin", r15),
    "R17": ("one spelling of a space's name", r17),
    "R18": ("plain text only", r18),
    "R20": ("what a peer can fill has a bound", r20),
    "R21": ("no pattern is matched against text that was not measured", r21),
    "R22": ("an unknown issuer is refused, and nothing is fetched", r22),
    "records": ("section 7, step 3: what a record does to a copy", records),
    "checkpoints": ("section 7: how a checkpoint follows the one before", checkpoints),
    "roots": ("section 6: roots and inclusion paths", roots),
    "proofs": ("section 6: proof of one record", proofs),
}


def context() -> dict[str, Any]:
    """Who speaks, who reads, with which keys and when."""
    return {
        "now": int(NOW.timestamp()),
        "issuer": LYON,
        "reader": NANTES,
        "unknown": BERLIN,
        "request": {"method": "GET", "url": FEED},
        "root_kid": keys.kid(ROOT),
        "announced": [keys.kid(NEXT_ROOT)],
        "operational": keys.public_jwk(OPERATIONAL),
        "root": keys.public_jwk(ROOT),
    }


def made() -> dict[str, Any]:
    """Return what each file holds, by name."""
    files: dict[str, Any] = {"context": context()}
    for name, (about, vectors) in FILES.items():
        files[name] = {"about": about, "vectors": vectors()}
    return files


def written(content: object) -> str:
    """Return a file as it is written."""
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    for file, held in made().items():
        (HERE / f"{file}.json").write_text(written(held), encoding="utf-8")
