"""One record, proved to anybody: what is no proof, and what one says."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from federation import errors, keys, proof, signing, tree
from federation.limits import PROOF_BYTES, PROOF_PATH
from federation.proof import Proof
from tests.federation.samples import (
    AICHA,
    BERLIN,
    DAY,
    LYON,
    NOW,
    OPERATIONAL,
    ROOT,
    STRANGER,
    checkpoint,
    configuration,
    profile,
    signed,
    withdrawal,
)

RECORD = signed(profile())
OTHERS = [tree.leaf(f"{LYON}/m/{each}", 1, f"a.b.{each}") for each in range(12)]
LEAVES = [*OTHERS, tree.leaf(AICHA, 1, RECORD)]


def stated(leaves=LEAVES, **changes):
    """Lyon's checkpoint over ``leaves``."""
    told = {"count": len(leaves), "root": tree.root(leaves).hex()}
    return checkpoint(**(told | changes))


def made(record=RECORD, leaves=LEAVES, **changes):
    told = {"checkpoint": signed(stated(leaves)), "entity_jws": configuration()}
    return Proof.of(record, tree.MerkleSet(leaves), **(told | changes))


def about(document, **changes):
    """A proof about another document of Lyon's than Aïcha's profile."""
    token = signed(document)
    leaves = [*OTHERS, tree.leaf(document.subject, document.revision, token)]
    return made(token, leaves, checkpoint=signed(stated(leaves, **changes)))


def altered(**changes):
    return json.dumps(json.loads(made().to_bytes()) | changes).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"type":"cdf-proof"',
        made().to_bytes() + b"{}",
        made().to_bytes().replace(b"{", b'{"index":0,', 1),
        altered(type="proof"),
        altered(record=None),
        altered(record="é.b.c"),
        altered(record="a" * 24_577),
        altered(index=-1),
        altered(index=True),
        altered(index="0"),
        altered(path={}),
        altered(path=["0" * 64] * (PROOF_PATH + 1)),
        altered(path=["0" * 63]),
        altered(path=["A" * 64]),
        altered(path=[7]),
        altered(checkpoint=[]),
        altered(entity=7),
    ],
)
def test_what_is_not_of_the_shape_of_a_proof_is_refused(data):
    with pytest.raises(errors.DocumentError):
        Proof.from_bytes(data)


def test_a_file_past_the_limit_is_refused_before_it_is_decoded():
    with pytest.raises(errors.TooLargeError):
        Proof.from_bytes(b"\xff" * (PROOF_BYTES + 1))


def test_a_proof_of_another_version_is_refused():
    with pytest.raises(errors.UnsupportedVersionError):
        Proof.from_bytes(altered(version="2"))


@pytest.mark.parametrize(
    ("false", "error"),
    [
        (replace(made(), index=made().index ^ 1), errors.NotIncludedError),
        (replace(made(), index=len(LEAVES)), errors.NotIncludedError),
        (replace(made(), path=made().path[:-1]), errors.NotIncludedError),
        (replace(made(), path=(*made().path, b"x" * 32)), errors.NotIncludedError),
        (replace(made(), path=(b"x" * 32, *made().path[1:])), errors.NotIncludedError),
        (replace(made(), checkpoint=signed(stated(root="0" * 64))), errors.NotIncludedError),
        (replace(made(), checkpoint=signed(stated(count=3))), errors.NotIncludedError),
        # Another document of the same person is not the one that was counted.
        (replace(made(), record=signed(profile(name="Aïcha B."))), errors.NotIncludedError),
        (replace(made(), record=signed(withdrawal())), errors.UnknownTypeError),
        (replace(made(), record=signed(stated())), errors.UnknownTypeError),
        (replace(made(), checkpoint=RECORD), errors.UnknownTypeError),
        (replace(made(), entity=RECORD), errors.UnknownTypeError),
        (replace(made(), record=signing.issue(profile(), STRANGER)), errors.KeyUnknownError),
        (replace(made(), checkpoint=signing.issue(stated(), STRANGER)), errors.KeyUnknownError),
        (replace(made(), record=signed(profile(issuer=BERLIN))), errors.UnknownIssuerError),
        (replace(made(), checkpoint=signed(stated(issuer=BERLIN))), errors.UnknownIssuerError),
        (about(profile(subject=f"{BERLIN}/m/1")), errors.ForeignSubjectError),
        (about(profile(), view="public"), errors.WrongAudienceError),
        (about(profile(audience=BERLIN)), errors.WrongAudienceError),
        (about(profile(expires_at=NOW + DAY), issued_at=NOW + DAY, expires_at=NOW + 2 * DAY),
         errors.ExpiredError),
        (about(profile(issued_at=NOW + DAY)), errors.ExpiredError),
        (made(entity_jws=configuration(now=NOW - 30 * DAY)), errors.ExpiredError),
        (made(entity_jws=configuration(now=NOW + 2 * DAY)), errors.ExpiredError),
        (replace(made(), entity=configuration(entity_id=BERLIN)), errors.UnknownIssuerError),
        (replace(made(), entity="a.b.c"), errors.DocumentError),
    ],
)  # fmt: skip
def test_a_proof_that_proves_nothing_is_refused(false, error):
    with pytest.raises(error):
        proof.verify(false, NOW + timedelta(hours=1))


def test_a_checkpoint_from_tomorrow_proves_nothing_today():
    with pytest.raises(errors.ExpiredError):
        proof.verify(made(), NOW - DAY)


def test_a_space_that_somebody_else_made_up_is_found_out_by_its_root_key():
    forged = made(entity_jws=configuration(root_key=STRANGER))
    assert proof.verify(forged, NOW).space.root_kid == keys.kid(STRANGER)
    with pytest.raises(errors.KeyChangedError):
        proof.verify(forged, NOW, root_kid=keys.kid(ROOT))


def test_a_proof_says_who_stated_what_and_when():
    found = proof.verify(Proof.from_bytes(made().to_bytes()), NOW, root_kid=keys.kid(ROOT))
    assert (found.space.entity_id, found.space.root_kid) == (LYON, keys.kid(ROOT))
    assert (found.profile, found.kid) == (profile(), keys.kid(OPERATIONAL))
    assert found.checkpoint == stated()
    assert found.current(NOW)


def test_years_later_it_was_still_so_then_and_no_longer_holds():
    found = proof.verify(made(), NOW + 2000 * DAY)
    assert found.checkpoint.issued_at == NOW
    assert not found.current(NOW + 2000 * DAY)


def test_a_later_configuration_that_still_lists_the_key_vouches_for_it():
    found = proof.verify(made(entity_jws=configuration(now=NOW + 3 * DAY)), NOW + 4 * DAY)
    assert found.space.issued_at == NOW + 3 * DAY


@pytest.mark.parametrize("others", range(10))
def test_each_record_of_a_directory_of_any_size_can_be_proved(others):
    leaves = [*OTHERS[:others], LEAVES[-1]]
    found = proof.verify(made(leaves=leaves), NOW)
    assert found.checkpoint.count == others + 1


def test_there_is_no_proof_of_a_record_that_is_not_counted():
    with pytest.raises(ValueError, match="no such leaf"):
        made(leaves=OTHERS, checkpoint=signed(stated(OTHERS)))


def test_a_proof_is_small():
    assert len(made().to_bytes()) < 6000
