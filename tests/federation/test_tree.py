"""RFC 9162 section 2.1: roots and proofs."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import tree

LEAVES = st.lists(st.binary(max_size=8), unique=True, max_size=40)


def by_the_book(leaves):
    """MTH as RFC 9162 section 2.1.1 defines it, by recursion on the largest power of two."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    both = by_the_book(leaves[:split]) + by_the_book(leaves[split:])
    return hashlib.sha256(b"\x01" + both).digest()


def test_the_root_of_nothing_is_the_hash_of_nothing():
    assert tree.root([]).hex() == (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )


def test_a_leaf_is_subject_revision_and_document():
    assert tree.leaf("s", 258, "a.b.c") == (
        hashlib.sha256(b"s").digest()
        + b"\x00\x00\x00\x00\x00\x00\x01\x02"
        + hashlib.sha256(b"a.b.c").digest()
    )


@pytest.mark.parametrize(("rev", "digest"), [(-1, b"d" * 32), (2**64, b"d" * 32), (1, b"d")])
def test_a_leaf_takes_only_what_fits(rev, digest):
    with pytest.raises(ValueError, match="32-byte"):
        tree.leaf_from_digest("s", rev, digest)


@given(LEAVES, st.randoms())
def test_the_root_is_the_one_of_the_rfc_in_whatever_order(leaves, random):
    expected = by_the_book(sorted(leaves))
    random.shuffle(leaves)
    assert tree.root(leaves) == expected


@given(LEAVES.filter(bool), st.data())
def test_each_record_can_be_proved_and_no_other(leaves, data):
    entry = data.draw(st.sampled_from(leaves))
    stranger = data.draw(st.binary(max_size=8).filter(lambda each: each not in leaves))
    index, path = tree.inclusion_proof(leaves, entry)
    root = tree.root(leaves)
    assert tree.verify_inclusion(entry, index, len(leaves), path, root)
    assert not tree.verify_inclusion(stranger, index, len(leaves), path, root)
    assert not tree.verify_inclusion(entry, index, len(leaves), path, b"r" * 32)
    assert not tree.verify_inclusion(entry, index, len(leaves), (*path, b"x" * 32), root)
    assert not tree.verify_inclusion(entry, len(leaves), len(leaves), path, root)
    if path:
        assert not tree.verify_inclusion(entry, index, len(leaves), path[:-1], root)
        assert not tree.verify_inclusion(entry, index ^ 1, len(leaves), path, root)


def test_there_is_no_proof_of_what_is_not_there():
    with pytest.raises(ValueError, match="list"):
        tree.inclusion_proof([b"a"], b"b")


def test_two_copies_tell_what_differs():
    held, original = {"a": b"1", "b": b"1", "c": b"1"}, {"a": b"1", "b": b"2", "d": b"1"}
    assert tree.difference(held, original) == tree.Difference(("b", "d"), ("c",))
