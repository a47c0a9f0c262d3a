"""The rules that a document can break (PROTOCOL.md, section 9), each with good and bad ones."""

from __future__ import annotations

import json
from typing import Any

from federation import keys
from federation.documents import Profile
from tests.federation import samples
from tests.federation.samples import AICHA, BERLIN, LYON, NANTES
from tests.vectors.writing import (
    NEXT_ROOT,
    OPERATIONAL,
    PAGE,
    PROFILE,
    ROOT,
    STRANGER,
    Vector,
    ack,
    altered_plate,
    assertion,
    at,
    bad,
    claims,
    configuration,
    directory,
    document,
    good,
    header,
    notice,
    page,
    payload,
    plate,
    repeated,
    sign,
    statement,
)


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
        document("an assertion of 121 seconds", claims(assertion(), exp=at(121)),
                 "invalid-document", "assertion"),
    ]  # fmt: skip


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
        *_photos(),
    ]


def _photos() -> list[Vector]:
    told: dict[str, Any] = {
        "url": f"{LYON}/federation/v1/photo/{'0a' * 32}", "digest": "0a" * 32,
        "type": "image/webp", "bytes": 9000, "size": 320,
    }  # fmt: skip

    def pictured(**changes: Any) -> str:
        return claims(samples.profile(), photo=told | changes)

    elsewhere = (
        f"{BERLIN}/photo", "http://lyon.example/photo", f"{LYON}:8443/photo",
        f"{LYON}.evil.example/photo", f"{LYON}@evil.example/photo", f"{LYON}/photo?x=1",
        f"{LYON}/photo#x", "/photo", "data:image/webp;base64,AAAA",
    )  # fmt: skip
    wrong: dict[str, dict[str, Any]] = {
        "a photo of a type that runs": {"type": "image/svg+xml"},
        "a photo that moves": {"type": "image/gif"},
        "a photo of no bytes": {"bytes": 0},
        "a photo of 65,537 bytes": {"bytes": 65_537},
        "a photo 1,025 pixels wide": {"size": 1025},
        "a digest in capitals": {"digest": "0A" * 32},
    }
    return [
        document("a photo at home", pictured()),
        document("a photo of 65,536 bytes", pictured(bytes=65_536, size=1024, type="image/png")),
        *(document(f"a photo at {url}", pictured(url=url), "invalid-document")
          for url in elsewhere),
        *(document(name, pictured(**changes), "invalid-document")
          for name, changes in wrong.items()),
        document("a photo without a digest",
                 claims(samples.profile(), photo={"url": told["url"]}), "invalid-document"),
        document("a photo that is an address",
                 claims(samples.profile(), photo=told["url"]), "invalid-document"),
    ]  # fmt: skip


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
        document("a life of 401 days", claims(samples.profile(), exp=at(401 * 86_400)),
                 "invalid-document"),
        document("a checkpoint of 8 days", claims(samples.checkpoint(), exp=at(8 * 86_400)),
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
        page("more, and nothing in it", PAGE | {"items": [], "more": True}, "/endless-feed"),
        page("more, behind no cursor", PAGE | {"more": True, "next": ""}, "/endless-feed"),
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
