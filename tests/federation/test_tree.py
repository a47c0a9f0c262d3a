"""RFC 9162 section 2.1: roots and proofs."""

from __future__ import annotations

import hashlib
from math import ceil, log2
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import tree

SUBJECTS = st.sampled_from([f"https://lyon.example/m/{number}" for number in range(40)])
RECORDS = st.dictionaries(SUBJECTS, st.integers(1, 3), max_size=40)


def leaf_of(sub, rev):
    return tree.leaf(sub, rev, f"a.b.{rev}")


def leaves_of(records):
    return [leaf_of(sub, rev) for sub, rev in records.items()]


@pytest.fixture
def hashes(monkeypatch):
    """Every hash that the tree has made, in order."""
    made = []

    def counted(data):
        made.append(data)
        return hashlib.sha256(data)

    monkeypatch.setattr(tree, "hashlib", SimpleNamespace(sha256=counted))
    return made


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


@given(RECORDS, st.randoms())
def test_the_root_is_the_one_of_the_rfc_in_whatever_order(records, random):
    leaves = leaves_of(records)
    expected = by_the_book(sorted(leaves))
    random.shuffle(leaves)
    assert tree.root(leaves) == expected


@given(RECORDS.filter(bool), st.data())
def test_each_record_can_be_proved_and_no_other(records, data):
    leaves = leaves_of(records)
    entry = data.draw(st.sampled_from(leaves))
    stranger = leaf_of("https://lyon.example/m/stranger", 1)
    index, path = tree.MerkleSet(leaves).proof(entry)
    root = tree.root(leaves)
    assert tree.verify_inclusion(entry, index, len(leaves), path, root)
    assert not tree.verify_inclusion(stranger, index, len(leaves), path, root)
    assert not tree.verify_inclusion(entry, index, len(leaves), path, b"r" * 32)
    assert not tree.verify_inclusion(entry, index, len(leaves), (*path, b"x" * 32), root)
    assert not tree.verify_inclusion(entry, len(leaves), len(leaves), path, root)
    if path:
        assert not tree.verify_inclusion(entry, index, len(leaves), path[:-1], root)
        assert not tree.verify_inclusion(entry, index ^ 1, len(leaves), path, root)


@pytest.mark.parametrize("held", [{}, {"s": 1}, {"s": 2, "t": 1}])
def test_there_is_no_proof_of_what_is_not_there(held):
    with pytest.raises(ValueError, match="no such leaf"):
        tree.MerkleSet(leaves_of(held)).proof(leaf_of("s", 3))


# --- a set that changes

CHANGES = st.lists(st.tuples(SUBJECTS, st.integers(0, 3)), max_size=12)


@given(RECORDS, st.lists(CHANGES, max_size=6), st.data())
def test_whatever_comes_changes_and_goes_the_root_is_the_one_made_from_nothing(
    records, rounds, data
):
    kept = tree.MerkleSet(leaves_of(records))
    for changes in rounds:
        for sub, rev in changes:
            if rev:
                records[sub] = rev
                kept.put(leaf_of(sub, rev))
            else:
                records.pop(sub, None)
                kept.drop(sub)
        assert (len(kept), kept.root()) == (len(records), by_the_book(sorted(leaves_of(records))))
        if records:
            entry = data.draw(st.sampled_from(leaves_of(records)))
            index, path = kept.proof(entry)
            assert tree.verify_inclusion(entry, index, len(kept), path, kept.root())


def test_a_set_of_which_nothing_changed_hashes_nothing(hashes):
    kept = tree.MerkleSet(leaf_of(str(number), 1) for number in range(1000))
    kept.root()
    del hashes[:]
    kept.put(leaf_of("7", 1))
    made_for_the_leaf = len(hashes)
    kept.root()
    kept.drop("a stranger")
    kept.root()
    assert len(hashes) == made_for_the_leaf + 1  # the stranger's name, to look for it


@pytest.mark.parametrize("size", [10_000, 16_384, 20_001])
def test_an_edit_among_thousands_hashes_its_path_and_no_more(hashes, size):
    kept = tree.MerkleSet(leaf_of(str(number), 1) for number in range(size))
    kept.root()
    for number in ("0", "77", str(size - 1)):
        edited = leaf_of(number, 2)
        del hashes[:]
        kept.put(edited)
        kept.root()
        assert len(hashes) <= 1 + ceil(log2(size))


def test_one_that_comes_or_goes_hashes_nothing_to_the_left_and_no_leaf_but_its_own(hashes):
    size = 10_000
    leaves = sorted(leaf_of(str(number), 1) for number in range(size))
    kept = tree.MerkleSet(leaves)
    kept.root()
    new = leaf_of("somebody new", 1)
    right_of_it = sum(entry > new for entry in leaves)
    del hashes[:]
    kept.put(new)
    kept.root()
    assert sum(made.startswith(b"\x00") for made in hashes) == 1
    assert right_of_it / 2 < len(hashes) <= right_of_it + 2 * ceil(log2(size))
    del hashes[:]
    kept.drop("somebody new")
    kept.root()
    assert right_of_it / 2 < len(hashes) <= right_of_it + 2 * ceil(log2(size))


def test_a_hundred_that_come_at_once_cost_no_more_than_the_first_of_them(hashes):
    kept = tree.MerkleSet(leaf_of(str(number), 1) for number in range(10_000))
    kept.root()
    new = [leaf_of(f"new {number}", 1) for number in range(100)]
    del hashes[:]
    for entry in new:
        kept.put(entry)
    kept.root()
    assert len(hashes) < 10_100 + 100 + 2 * 14


def test_two_copies_tell_what_differs():
    held, original = {"a": b"1", "b": b"1", "c": b"1"}, {"a": b"1", "b": b"2", "d": b"1"}
    assert tree.difference(held, original) == tree.Difference(("b", "d"), ("c",))
