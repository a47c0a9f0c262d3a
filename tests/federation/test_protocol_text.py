"""PROTOCOL.md says what the code does: its examples, errors, states and rules are read here."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from federation import client, entity, errors, keys, limits, peering, signing
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
from federation.peering import Decision, Half
from federation.proof import Proof
from tests.federation.samples import LYON, ROOT, Shelf, answer, lyon

TEXT = Path("federation/PROTOCOL.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"^```json (\w+)\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE))
DOCUMENTS = {
    "profile": Profile,
    "withdrawal": Withdrawal,
    "checkpoint": Checkpoint,
    "peering": PeeringStatement,
    "notice": Notice,
    "ack": Ack,
    "assertion": Assertion,
    "introduction": Introduction,
    "reply": Reply,
}


def rows(heading):
    """The cells of the first table below the line that begins with ``heading``."""
    lines = TEXT[TEXT.index(heading) :].splitlines()
    first = next(at for at, line in enumerate(lines) if line.startswith("|---"))
    for line in lines[first + 1 :]:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in line.strip("|").split("|")]


def test_each_example_is_read():
    assert set(EXAMPLES) == set(DOCUMENTS) | {"entity", "page", "held", "proof"}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_document_is_accepted_and_written_as_in_the_text(name):
    claims = json.loads(EXAMPLES[name])
    assert DOCUMENTS[name].from_claims(claims).to_claims() == claims
    assert DOCUMENTS[name].typ in TEXT


def test_the_entity_configuration_of_the_text_is_read():
    claims = json.loads(EXAMPLES["entity"])
    claims["jwks"]["keys"] = [keys.public_jwk(ROOT)]
    token = signing.sign(claims, ROOT, entity.TYP, max_bytes=limits.ENTITY_BYTES)
    when = entity.moment(lyon().issued_at)
    read = entity.read(token, LYON, when, pinned_kid=keys.kid(ROOT))
    assert read.organization_name == "Le Palier"
    assert read.endpoints == entity.Endpoints.below(LYON)


def parts_of(metadata):
    """Each claim of an entity configuration below ``metadata``: the object it is in, its name."""
    directory = metadata["coworking_directory"]
    for holder in (metadata["federation_entity"], directory, directory["location"]):
        yield from ((holder, name) for name in holder)


def test_what_the_text_lets_a_configuration_leave_out_may_be_absent_and_nothing_else():
    sentence = re.search(r"4 `next_kids`\. (.*?) may be absent", TEXT, re.DOTALL)[1]
    spared = {name.removeprefix("location.") for name in re.findall(r"`([a-z_.]+)`", sentence)}
    example = signing.unverified_claims(lyon().jws, entity.TYP)
    shown = [(name, at) for at, (_, name) in enumerate(parts_of(example["metadata"]))]
    left_out = set()
    for name, at in shown:
        claims = signing.unverified_claims(lyon().jws, entity.TYP)
        holder, _ = list(parts_of(claims["metadata"]))[at]
        del holder[name]
        token = signing.sign(claims, ROOT, entity.TYP)
        try:
            entity.read(token, LYON, lyon().issued_at, pinned_kid=keys.kid(ROOT))
        except errors.DocumentError:
            continue
        left_out.add(name)
    told = {name for name, _ in shown}
    assert told >= {"organization_name", "versions", "jwks", "country", "city", "feed_endpoint"}
    assert left_out == told & (spared | {"static"})


def test_the_page_of_the_text_is_read():
    page = json.loads(EXAMPLES["page"])
    read = client.read_feed_page(Shelf({lyon().endpoints.feed: answer(page)}), lyon())
    assert read is not None
    assert (read.epoch, read.next, read.more) == (page["epoch"], page["next"], page["more"])


def test_the_page_of_what_is_held_of_the_text_is_read():
    told = json.loads(EXAMPLES["held"])
    read = client.read_held(Shelf({lyon().endpoints.held: answer(told)}), lyon(), assertion="t")
    assert read == client.HeldPage(
        tuple(told["items"]), told["next"], told["more"], told["checkpoint"]
    )


def test_the_table_of_what_is_told_after_a_return_is_the_one_of_the_code():
    findings = [cells[1] for cells in rows("What a peer tells is verified")]
    told = [
        "nothing",
        "as it was signed",
        "nothing",
        "withdrawal above",
        "above",
        "as it was signed",
    ]
    assert all(word in finding for word, finding in zip(told, findings, strict=True))


def test_the_proof_of_the_text_is_read_and_written_as_there():
    told = json.loads(EXAMPLES["proof"])
    assert json.loads(Proof.from_bytes(EXAMPLES["proof"].encode()).to_bytes()) == told


def test_the_pair_code_of_the_text_is_ours():
    assert f"**{' '.join(keys.pair_code('A' * 43, 'B' * 43))}**" in TEXT


def test_the_list_of_problems_is_the_one_of_the_code():
    listed = {cells[0].strip("`"): cells for cells in rows("**Errors**")}
    assert set(listed) == set(errors.PROBLEMS)
    for name, (_, status, _, again) in listed.items():
        kind = errors.PROBLEMS[name]
        assert status.startswith(str(kind.status))
        assert again == ("no" if kind.permanent else "yes")


def test_the_table_of_decisions_is_the_one_of_the_code():
    order = ["approve", "decline", "suspend", "resume", "confirm_key", "end", "block", "unblock"]
    for cells in rows("What our admin may decide"):
        half = Half(cells[0].strip("`"))
        told = {Decision(name) for name, cell in zip(order, cells[1:], strict=True) if cell}
        assert told == set(peering.allowed(half))


def test_each_rule_names_a_test_that_exists():
    told = {cells[0]: [cell.strip("`") for cell in cells[2:]] for cells in rows("## 9 Rules")}
    assert list(told) == [f"R{number}" for number in range(1, 23)]
    for rule, (in_the_library, where_it_is_relied_on) in told.items():
        assert where_it_is_relied_on
        assert in_the_library or rule in ("R19", "R22")
        for named in filter(None, (in_the_library, where_it_is_relied_on)):
            file, test = named.split("::")
            assert f"def {test}(" in Path("tests", file).read_text(encoding="utf-8"), rule


def test_the_numbers_of_the_text_are_those_of_the_code():
    for number in (
        limits.JWS_BYTES,
        limits.ENTITY_BYTES,
        limits.PAYLOAD_BYTES,
        limits.HEADER_BYTES,
        limits.PAGE_BYTES,
        limits.PROOF_BYTES,
        limits.INDEX_BYTES,
        limits.INDEX_ENTRIES,
        limits.FEED_RECORDS,
        limits.BIO_CHARACTERS,
        limits.DESCRIPTION_CHARACTERS,
    ):
        assert f"{number:,}" in TEXT
    assert f"at most {limits.RECORD_LIFETIME.days} days" in TEXT
    assert f"`exp` at most {limits.CHECKPOINT_LIFETIME.days} days" in TEXT
    assert f"at most {limits.JSON_DEPTH} levels" in TEXT
    assert f"{limits.TOTAL_SECONDS:g} s" in TEXT
