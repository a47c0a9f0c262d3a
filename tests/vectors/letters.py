"""Introductions and replies, as Lyon would write them to Nantes, and as nobody may (8.1)."""

from __future__ import annotations

from datetime import date
from typing import Any

from federation.introductions import Introduction, Reply
from federation.limits import INTRODUCTION_LIFETIME
from tests.federation import samples
from tests.federation.samples import AICHA, BERLIN, LYON, NANTES, NOW
from tests.vectors.writing import ROOT, STRANGER, Vector, at, claims, document, header, sign

CLAIRE, YOUENN = f"{NANTES}/m/01CLAIRE", f"{NANTES}/m/01YOUENN"
DATED = {"issuer": LYON, "audience": NANTES, "issued_at": NOW}


def introduction(**changes: Any) -> Introduction:
    told = {
        **DATED, "expires_at": NOW + INTRODUCTION_LIFETIME, "subject": CLAIRE, "id": "talk",
        "kind": "question", "text": "Is this lease fair?",
        "sender": {"sub": AICHA, "name": "Aïcha"},
    }  # fmt: skip
    return Introduction.model_validate(told | changes)


def reply(**changes: Any) -> Reply:
    told = {
        **DATED, "expires_at": NOW + INTRODUCTION_LIFETIME, "opened_by": NANTES, "id": "talk",
        "n": 1, "act": "message", "text": "Mostly.",
    }  # fmt: skip
    return Reply.model_validate(told | changes)


def letters() -> list[Vector]:
    return [*_introductions(), *_replies()]


def _introductions() -> list[Vector]:
    def made(name: str, error: str = "", **changes: Any) -> Vector:
        return document(name, claims(introduction(), **changes), error, "introduction")

    passed = {"sub": f"{BERLIN}/m/01JONAS", "name": "Jonas"}
    wrong = "invalid-document"
    elsewhere = "invalid-document/foreign-subject"
    return [
        made("a question"),
        made("a request for a quote", kind="quote", when="in May", budget="300 euros"),
        made("passed on by somebody of a third space", passed_by=passed),
        made("passed on by somebody of the reader's own", passed_by={"sub": YOUENN, "name": "Y"}),
        made("claims that are not known, which are ignored", mood="cheerful"),
        made("of another kind", wrong, kind="advert"),
        made("a question of 281 characters", wrong, text="a" * 281),
        made("no text", wrong, text=""),
        made("a line feed in a budget", wrong, budget="1\n2"),
        made("a text that turns the line around", wrong, text="a\u202eb"),
        made("a sender without a name", wrong, sender={"sub": AICHA, "name": ""}),
        made("a sender of another space", elsewhere, sender={"sub": CLAIRE, "name": "C"}),
        made("to somebody of another space", elsewhere, sub=AICHA),
        made("to somebody of a space below", elsewhere, sub=f"{NANTES}/b/m/1"),
        made("passed on by nobody in particular", wrong, passed_by={"name": "A friend"}),
        made("passed on by a name that is none", wrong, passed_by=passed | {"name": " "}),
        made("passed on by an address", wrong, passed_by=passed | {"sub": "mailto:j@x.example"}),
        made("passed on, as a text", wrong, passed_by="Jonas"),
        made("for another space", "wrong-audience", aud=BERLIN),
        made("by another issuer, with the right key", "unknown-issuer", iss=BERLIN),
        made("expired", "expired", iat=at(-100), exp=at(-10)),
        made("from tomorrow", "expired", iat=at(86400), exp=at(90000)),
        made("good for 31 days", wrong, exp=at(31 * 86400)),
        document("signed by a stranger", sign(introduction(), STRANGER), "key-unknown",
                 "introduction"),
        document("signed with the root key", sign(introduction(), ROOT), "key-unknown",
                 "introduction"),
        document("a reply under the type of an introduction",
                 header(reply(), typ=Introduction.typ), wrong, "introduction"),
    ]  # fmt: skip


def _replies() -> list[Vector]:
    def made(name: str, error: str = "", **changes: Any) -> Vector:
        return document(name, claims(reply(), **changes), error, "reply")

    wrong = "invalid-document"
    no = {"act": "decline"}
    return [
        made("a message"),
        made("in a conversation that the issuer opened", opened_by=LYON),
        made("the greatest number", n=2**31 - 1),
        made("a no without a word", **no, text=""),
        made("a no until a day", **no, until=date(2027, 5, 1).isoformat()),
        made("a no that names somebody of the issuer's", **no, pass_to=AICHA),
        made("a no that names somebody of a third space", **no, pass_to=f"{BERLIN}/m/01JONAS"),
        made("of another act", wrong, act="delete"),
        made("a message without a text", wrong, text=""),
        made("a number of zero", wrong, n=0),
        made("a number that no column holds", wrong, n=2**31),
        made("in a conversation of two others", wrong, opened_by=BERLIN),
        made("an address with a message", wrong, email="a@lyon.example"),
        made("no address where one is told", wrong, act="address"),
        made("a day with a message", wrong, until="2027-05-01"),
        made("a day that is none", wrong, **no, until="2027-02-30"),
        made("a moment for a day", wrong, **no, until=at(86400)),
        made("somebody else with a message", wrong, pass_to=AICHA),
        made("somebody else with an end", wrong, act="close", pass_to=AICHA),
        made("somebody else who is no member of any space", wrong, **no, pass_to=LYON),
        made("two others", wrong, **no, pass_to=[AICHA, CLAIRE]),
        made("a reply for another space", "wrong-audience", aud=BERLIN, opened_by=LYON),
        made("an expired reply", "expired", iat=at(-100), exp=at(-10)),
        document("a reply signed by a stranger", sign(reply(), STRANGER), "key-unknown", "reply"),
        document("an introduction under the type of a reply",
                 header(introduction(), typ=Reply.typ), wrong, "reply"),
        document("a profile", header(samples.profile(), typ=Reply.typ), wrong, "reply"),
    ]  # fmt: skip
