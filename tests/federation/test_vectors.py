"""The vectors of ``tests/vectors``, run through the library as a stranger's would be."""

from __future__ import annotations

import ipaddress
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from federation import client, entity, keys, proof, signing, tree
from federation.documents import (
    Ack,
    Assertion,
    Checkpoint,
    Notice,
    PeeringStatement,
    Profile,
    Withdrawal,
)
from federation.errors import FederationError, ForbiddenAddressError, UnknownIssuerError
from federation.identifiers import EntityId
from federation.introductions import Introduction, Reply
from federation.proof import Proof
from federation.recall import Ours, judge
from federation.replica import Replica, progress
from federation.signing import digest
from federation.transport import Answer, may_contact
from tests.federation.samples import Shelf, lyon
from tests.vectors import make

TEXT = Path("federation/PROTOCOL.md").read_text(encoding="utf-8")
FOLDER = Path(make.__file__).parent
CONTEXT = json.loads((FOLDER / "context.json").read_text())
NOW = datetime.fromtimestamp(CONTEXT["now"], UTC)
ISSUER, READER = CONTEXT["issuer"], CONTEXT["reader"]
OPERATIONAL = keys.keyring([CONTEXT["operational"]])
ROOT = keys.keyring([CONTEXT["root"]])
KINDS = {
    "checkpoint": (Checkpoint,),
    "peering": (PeeringStatement,),
    "notice": (Notice,),
    "ack": (Ack,),
    "assertion": (Assertion,),
    "introduction": (Introduction,),
    "reply": (Reply,),
    "record": (Profile, Withdrawal),
}
VECTORS = {
    f"{path.stem}: {vector['name']}": vector
    for path in sorted(FOLDER.glob("*.json"))
    if path.stem != "context"
    for vector in json.loads(path.read_text())["vectors"]
}


def token_of(told):
    return told if isinstance(told, str) else told["repeat"] * told["times"] + told["after"]


def document(vector):
    """Believe one document, as whoever receives it at the moment of the vectors."""
    kind, token = vector["kind"], token_of(vector["token"])
    # R22: looked up among the spaces that are known, of which there is one.
    by_name = kind in ("notice", "ack", "assertion", "introduction", "reply")
    if by_name and signing.claimed_issuer(token, KINDS[kind][0].typ) != ISSUER:
        raise UnknownIssuerError("not known here")
    ring = ROOT if kind == "peering" else OPERATIONAL
    found = signing.read(token, ring, *KINDS[kind])
    if kind == "record":
        Replica(ISSUER, READER).admit(found.document, digest(token), NOW)
    elif kind == "checkpoint":
        progress(found.document, None, entity_id=ISSUER, now=NOW)
    elif kind == "notice":
        found.document.require(ISSUER, READER)
    elif kind == "assertion":
        request = CONTEXT["request"]
        found.document.require(ISSUER, READER, request["method"], request["url"], NOW)
    else:
        found.document.require(ISSUER, READER, NOW)


def configuration(vector):
    entity.read(
        token_of(vector["token"]), ISSUER, NOW,
        pinned_kid=CONTEXT["root_kid"], announced=CONTEXT["announced"],
    )  # fmt: skip


def page(vector):
    answer = Answer(200, {"content-type": vector["media_type"]}, vector["body"].encode())
    client.read_feed_page(Shelf({lyon().endpoints.feed: answer}), lyon())


def address(vector):
    if not may_contact(ipaddress.ip_address(vector["address"]), development=False):
        raise ForbiddenAddressError("not public")


def prove(vector):
    read = Proof.from_bytes(json.dumps(vector["proof"]).encode())
    proof.verify(read, NOW, root_kid=CONTEXT["root_kid"])


OPS = {
    "document": document,
    "entity": configuration,
    "page": page,
    "address": address,
    "identifier": lambda vector: EntityId.parse(vector["text"]),
    "proof": prove,
}


def refusal(run, *given):
    """Return problem and code of what ``run`` raises, ``None`` when it accepts."""
    try:
        run(*given)
    except FederationError as error:
        return {"problem": error.problem, "code": error.code}
    return None


def names(*ops):
    return [name for name, vector in VECTORS.items() if vector["op"] in ops]


@pytest.mark.parametrize("name", names(*OPS))
def test_one_document_is_believed_or_refused_for_the_reason_that_is_named(name):
    vector = VECTORS[name]
    assert refusal(OPS[vector["op"]], vector) == vector["error"]


@pytest.mark.parametrize("name", names("admit"))
def test_records_change_a_copy_as_is_told(name):
    replica = Replica(ISSUER, READER)
    for step in VECTORS[name]["steps"]:
        told = signing.read(step["token"], OPERATIONAL, Profile, Withdrawal).document
        outcome = {}

        def admit(told=told, step=step, outcome=outcome):
            outcome["outcome"] = replica.admit(told, digest(step["token"]), NOW)

        refused = refusal(admit)
        assert (refused, outcome.get("outcome")) == (step.get("error"), step.get("outcome"))


@pytest.mark.parametrize("name", names("follow"))
def test_checkpoints_follow_each_other_as_is_told(name):
    believed = None
    for step in VECTORS[name]["steps"]:
        told = signing.read(step["token"], OPERATIONAL, Checkpoint).document
        found = {}

        def follow(told=told, found=found, before=believed):
            found["progress"] = progress(told, before, entity_id=ISSUER, now=NOW)

        refused = refusal(follow)
        assert (refused, found.get("progress")) == (step.get("error"), step.get("progress"))
        believed = believed if refused else told


@pytest.mark.parametrize("name", names("recall"))
def test_own_documents_ask_after_a_return_for_what_is_told(name):
    vector = VECTORS[name]
    shown = signing.read(vector["token"], OPERATIONAL, Profile, Withdrawal).document
    ours = vector["ours"] and signing.read(vector["ours"], OPERATIONAL, Profile, Withdrawal)
    held = ours and Ours(ours.document.revision, digest(ours.jws), ours.document.issued_at)
    found = judge(
        shown, digest(vector["token"]), held, known=vector["known"], hidden=vector["hidden"],
        entity_id=ISSUER, now=NOW,
    )  # fmt: skip
    assert found == vector["finding"]


@pytest.mark.parametrize("name", names("tree"))
def test_roots_and_paths_are_those_of_the_rfc(name):
    vector = VECTORS[name]
    root = tree.root(tree.leaf(*row) for row in vector["records"])
    assert root.hex() == vector["root"]
    for told in vector["proofs"]:
        path = [bytes.fromhex(step) for step in told["path"]]
        leaf, size = tree.leaf(*told["record"]), len(vector["records"])
        assert tree.verify_inclusion(leaf, told["index"], size, path, root)


@pytest.mark.parametrize("name", names("read"))
def test_what_the_text_of_the_protocol_shows_is_a_signed_document(name):
    vector = VECTORS[name]
    shown = re.search(rf"^```json {vector['name']}\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    assert json.loads(shown[1]) == vector["claims"]
    assert signing.verify(vector["token"], OPERATIONAL, vector["typ"]) == vector["claims"]


def test_each_vector_was_run():
    assert set(VECTORS) == set(names(*OPS, "admit", "follow", "recall", "tree", "read"))
    assert len(VECTORS) == sum(len(each["vectors"]) for each in list(make.made().values())[1:])


@pytest.mark.parametrize("file", ["context", *make.FILES])
def test_the_files_are_what_the_script_makes(file):
    assert (FOLDER / f"{file}.json").read_text("utf-8") == make.written(make.made()[file])


def test_each_rule_that_a_document_can_break_has_good_and_bad_ones():
    elsewhere = {"R13", "R14", "R16", "R19"}
    rules = {f"R{number}" for number in range(1, 23)} - elsewhere
    assert {name for name in make.FILES if name[0] == "R"} == rules
    for rule in rules:
        verdicts = {vector["error"] is None for vector in make.made()[rule]["vectors"]}
        assert verdicts == {True, False} or rule == "R21"
