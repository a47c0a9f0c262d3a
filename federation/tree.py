"""One number for a whole directory, and short proofs that one record is in it.

The tree hash of RFC 9162 section 2.1 (SHA-256) over one leaf for each live record, in the order
of SHA-256(sub). Nothing is known here of what a record says or who signed it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

#: The root of no record at all: SHA-256 of nothing.
EMPTY_ROOT = hashlib.sha256(b"").digest()

_LEAF, _NODE = b"\x00", b"\x01"


def leaf(sub: str, rev: int, jws: str) -> bytes:
    """Return the leaf input of a record: SHA-256(sub) || uint64be(rev) || SHA-256(JWS)."""
    return leaf_from_digest(sub, rev, hashlib.sha256(jws.encode("ascii")).digest())


def leaf_from_digest(sub: str, rev: int, digest: bytes) -> bytes:
    """Return the leaf input of a record of which only the JWS's SHA-256 is at hand.

    :raises ValueError: ``digest`` is not 32 bytes, or ``rev`` not an unsigned 64-bit number.
    """
    if len(digest) != 32 or not 0 <= rev < 2**64:
        raise ValueError("a leaf takes a 32-byte digest and an unsigned 64-bit revision")
    return hashlib.sha256(sub.encode()).digest() + rev.to_bytes(8, "big") + digest


def root(leaves: Iterable[bytes]) -> bytes:
    """Return the Merkle tree hash of ``leaves``, which are sorted first: 32 bytes."""
    layer = [_leaf_hash(entry) for entry in sorted(leaves)]
    return _fold(layer) if layer else EMPTY_ROOT


def inclusion_proof(leaves: Iterable[bytes], entry: bytes) -> tuple[int, tuple[bytes, ...]]:
    """Return the position of ``entry`` among the sorted leaves, and its audit path.

    :raises ValueError: ``entry`` is not one of ``leaves``.
    """
    ordered = sorted(leaves)
    index = ordered.index(entry)
    layer = [_leaf_hash(each) for each in ordered]
    position, path = index, []
    while len(layer) > 1:
        if (sibling := position ^ 1) < len(layer):
            path.append(layer[sibling])
        layer, position = _parents(layer), position // 2
    return index, tuple(path)


def verify_inclusion(
    entry: bytes, index: int, size: int, path: Sequence[bytes], expected: bytes
) -> bool:
    """Say whether ``path`` proves ``entry`` at ``index`` of a tree of ``size`` leaves.

    RFC 9162 section 2.1.3.2; ``expected`` is the root that a checkpoint states.
    """
    if not 0 <= index < size:
        return False
    position, last, reached = index, size - 1, _leaf_hash(entry)
    for sibling in path:
        if last == 0:
            return False
        if position & 1 or position == last:
            reached = _node_hash(sibling, reached)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            reached = _node_hash(reached, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and reached == expected


@dataclass(frozen=True, slots=True)
class Difference:
    """What to change so that a copy becomes the original, by subject."""

    missing: tuple[str, ...]
    """Subjects to fetch: not held, or held otherwise."""

    surplus: tuple[str, ...]
    """Subjects held that the original does not have."""


def difference(held: Mapping[str, bytes], original: Mapping[str, bytes]) -> Difference:
    """Compare two sets of leaves by subject (anti-entropy, used only when roots differ)."""
    missing = sorted(sub for sub, entry in original.items() if held.get(sub) != entry)
    return Difference(tuple(missing), tuple(sorted(held.keys() - original.keys())))


def _leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(_LEAF + entry).digest()


def _node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(_NODE + left + right).digest()


def _fold(layer: list[bytes]) -> bytes:
    while len(layer) > 1:
        layer = _parents(layer)
    return layer[0]


def _parents(layer: list[bytes]) -> list[bytes]:
    """Hash pairs; an odd last node goes up as it is, which is how RFC 9162 splits."""
    pairs = [_node_hash(layer[at], layer[at + 1]) for at in range(0, len(layer) - 1, 2)]
    return pairs + layer[-1:] if len(layer) % 2 else pairs
