"""What the sections on the feed, the root and proofs decide, and what section 3 shows."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from federation import strict_json, tree
from federation.documents import (
    Ack,
    Assertion,
    Checkpoint,
    Notice,
    PeeringStatement,
    Profile,
    Withdrawal,
)
from federation.introductions import Introduction, Reply
from federation.proof import Proof
from tests.federation import samples
from tests.federation.samples import AICHA, DAY, LYON, NOW
from tests.vectors.writing import (
    OPERATIONAL,
    PROFILE,
    STRANGER,
    Vector,
    bad,
    claims,
    document,
    good,
    plate,
    sign,
)


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


def recalls() -> list[Vector]:
    def judged(
        name: str, document: Any, finding: str, ours: Any = None, *,
        known: bool = True, hidden: bool = False,
    ) -> Vector:  # fmt: skip
        return {
            "name": name, "op": "recall", "token": sign(document), "known": known,
            "hidden": hidden, "ours": None if ours is None else sign(ours), "finding": finding,
        }  # fmt: skip

    earlier = {"issued_at": NOW - 2 * DAY}
    old = samples.profile(revision=3, **earlier)
    newer = samples.profile(revision=5, headline="Droit social", issued_at=NOW - DAY)
    gone = samples.withdrawal(revision=6, issued_at=NOW - DAY)
    return [
        judged("an older one", samples.profile(revision=2, **earlier), "nothing", old),
        judged("the one that is there", old, "nothing", old),
        judged("a later withdrawal", gone, "take", old),
        judged("a withdrawal of which nothing is known", gone, "take", known=False),
        judged("an older withdrawal", samples.withdrawal(revision=2, **earlier), "nothing", old),
        judged("a later profile", newer, "take", old),
        judged("a profile published after the backup", newer, "take"),
        judged("a profile that expired",
               samples.profile(revision=5, **earlier, expires_at=NOW), "nothing", old),
        judged("a profile of somebody who is not known any more", newer, "withdraw", known=False),
        judged("a profile of somebody who hides since", newer, "withdraw", old, hidden=True),
        judged("a profile, and a later one here", newer, "repeat",
               samples.profile(revision=4, headline="Médiation")),
        judged("two of one revision, the later one here", newer, "repeat",
               samples.profile(revision=5, headline="Médiation")),
    ]  # fmt: skip


def roots() -> list[Vector]:
    def leaves(number: int) -> list[list[Any]]:
        return [[f"{LYON}/m/{each}", each + 1, f"a.b.{each}"] for each in range(number)]

    def inputs(rows: list[list[Any]]) -> list[bytes]:
        return [tree.leaf(*row) for row in rows]

    def proved(rows: list[list[Any]], row: list[Any]) -> dict[str, Any]:
        index, path = tree.MerkleSet(inputs(rows)).proof(tree.leaf(*row))
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
    told = json.loads(Proof.of(PROFILE, tree.MerkleSet(leaves), sign(stated), plate()).to_bytes())

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


def visitors() -> list[Vector]:
    """Return what the claims `web` and `web_services` let visitors see, and forms they have not."""

    def told(name: str, seen: list[str], **changes: Any) -> Vector:
        return document(name, claims(two, **changes)) | {"visitors": seen}

    def wrong(name: str, value: Any) -> Vector:
        return document(name, claims(two, web=["name"], web_services=value), "invalid-document")

    services = [{"id": one, "title": one, "mode": "paid"} for one in ("advice", "lease")]
    two = samples.profile(services=services)
    return [
        told("one service apart", ["lease"], web=["name"], web_services=["lease"]),
        told("both apart", ["advice", "lease"], web=["name"], web_services=["lease", "advice"]),
        told("all, whatever is named apart", ["advice", "lease"],
             web=["name", "services"], web_services=["lease"]),
        told("none", [], web=["name"]),
        told("a service that there is not", [], web=["name"], web_services=["unheard-of"]),
        told("one named twice", ["lease"], web=["name"], web_services=["lease", "lease"]),
        told("a document for anybody shows no more of them", ["lease"],
             aud="public", web=["name"], web_services=["lease"]),
        told("20 refs", [], web=["name"], web_services=[f"r{n}" for n in range(20)]),
        wrong("21 refs", [f"r{n}" for n in range(21)]),
        wrong("a ref that is no list", "lease"),
        wrong("an object by ref", {"lease": True}),
        wrong("a number", [7]),
        wrong("nothing at all", [None]),
        wrong("a whole identifier", [f"{AICHA}#lease"]),
        wrong("an empty ref", [""]),
        wrong("a ref with a line feed", ["le\nase"]),
        wrong("a ref that turns the line around", ["le\u202ease"]),
        wrong("a ref of 8,000 characters", ["a" * 8000]),
    ]  # fmt: skip


def translations() -> list[Vector]:
    """Return versions of texts in further languages, and those that no document may have."""

    def said(name: str, value: Any, error: str = "", **changes: Any) -> Vector:
        return document(name, claims(french, translations=value, **changes), error)

    def offered(name: str, value: Any, error: str = "") -> Vector:
        service = {"id": "advice", "title": "Conseil", "mode": "paid", "translations": value}
        return document(name, claims(french, services=[service]), error)

    def bad(name: str, value: Any) -> Vector:
        return said(name, value, "invalid-document")

    french = samples.profile(headline="Droit du travail", locale="fr")
    english, german = {"lang": "en", "headline": "Law"}, {"lang": "de", "headline": "Recht"}
    return [
        said("one further language", [english]),
        said("a bio alone, in lines", [{"lang": "en", "bio": "one\ntwo"}]),
        said("four, one with a region", [
            english, german, {"lang": "pt-BR", "bio": "b"}, {"lang": "pt", "bio": "b"},
        ]),
        said("members that are not known, which are ignored", [english | {"voice": "calm"}]),
        said("of texts whose own language is not said", [english], locale=""),
        said("none", []),
        bad("five", [{"lang": tag, "bio": "b"} for tag in ("en", "de", "es", "it", "nl")]),
        bad("the same language twice", [english, english]),
        bad("the same language twice, once in capitals", [english, english | {"lang": "EN"}]),
        bad("the language of the original", [{"lang": "fr", "headline": "Encore"}]),
        bad("the language of the original in capitals", [{"lang": "FR", "headline": "Encore"}]),
        bad("a name instead of a tag", [english | {"lang": "English (UK)"}]),
        bad("an empty tag", [english | {"lang": ""}]),
        bad("a tag of 65 characters", [english | {"lang": "en" + "-abcdefgh" * 7}]),
        bad("no tag", [{"headline": "Law"}]),
        bad("no text at all", [{"lang": "en"}]),
        bad("only empty texts", [{"lang": "en", "headline": "", "bio": ""}]),
        bad("a headline of 161 characters", [english | {"headline": "a" * 161}]),
        bad("a bio of 4,001 characters", [english | {"bio": "a" * 4001}]),
        bad("a control character", [english | {"bio": "a\x07b"}]),
        bad("a headline in two lines", [english | {"headline": "a\nb"}]),
        bad("a right-to-left override", [english | {"headline": "a\u202eb"}]),
        bad("a number for a text", [english | {"bio": 7}]),
        bad("an object by language", {"en": "Law"}),
        bad("tags alone", ["en"]),
        offered("a title of a service", [{"lang": "en", "title": "Advice"}]),
        offered("a description alone", [{"lang": "en", "description": "one\ntwo"}]),
        offered("a service in the language of the profile",
                [{"lang": "fr", "title": "Avis"}], "invalid-document"),
        offered("a service twice in one language",
                [{"lang": "en", "title": "a"}, {"lang": "en", "title": "b"}], "invalid-document"),
        offered("a title of 121 characters",
                [{"lang": "en", "title": "a" * 121}], "invalid-document"),
        offered("a description of 2,001 characters",
                [{"lang": "en", "description": "a" * 2001}], "invalid-document"),
        offered("a title in two lines", [{"lang": "en", "title": "a\nb"}], "invalid-document"),
        offered("a service without a text", [{"lang": "en"}], "invalid-document"),
        offered("five of a service",
                [{"lang": tag, "title": "t"} for tag in ("en", "de", "es", "it", "nl")],
                "invalid-document"),
    ]  # fmt: skip


#: The documents that the text of the protocol shows, by the name under which it shows them.
SHOWN = {
    "profile": Profile,
    "withdrawal": Withdrawal,
    "checkpoint": Checkpoint,
    "notice": Notice,
    "ack": Ack,
    "assertion": Assertion,
    "peering": PeeringStatement,
    "introduction": Introduction,
    "reply": Reply,
}


def examples() -> list[Vector]:
    """Return what section 3 shows, signed by whoever the text says it is by."""
    text = Path("federation/PROTOCOL.md").read_text(encoding="utf-8")
    shown = dict(re.findall(r"^```json (\w+)\n(.*?)^```", text, re.DOTALL | re.MULTILINE))
    return [
        {
            "name": name,
            "op": "read",
            "typ": kind.typ,
            "token": samples.forge(
                strict_json.dumps(json.loads(shown[name])), {"typ": kind.typ}, OPERATIONAL
            ),
            "claims": json.loads(shown[name]),
        }
        for name, kind in SHOWN.items()
    ]
