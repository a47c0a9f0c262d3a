"""One number for a whole directory, and short proofs that one record is in it.

The tree hash of RFC 9162 section 2.1 (SHA-256) over one leaf for each live record, in the order
of SHA-256(sub). Nothing is known here of what a record says or who signed it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

#: The root of no record at all: SHA-256 of nothing.
EMPTY_ROOT = hashlib.sha256(b"").digest()

#: Bytes of a leaf input; of the part by which it is found and sorted, SHA-256(sub); of a hash.
LEAF_BYTES, _KEY, _HASH = 72, 32, 32

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
    return MerkleSet(leaves).root()


class MerkleSet:
    """The leaves of a directory in their order, and every hash above them, kept for the next root.

    What a change costs, in hashes, on ``n`` leaves:

    * a leaf that takes the place of its subject's former one: its path, log2(n) and one more;
    * a leaf that comes or goes: each node to the right of it, about as many as there are leaves to
      the right, n/2 on the average. RFC 9162 pairs by position, and one place further all pairs
      are others. Leaf hashes are kept.

    Changes are worked in when a root or a proof is asked for, all at once: a thousand of them move
    what is behind them once. About 140 bytes a leaf. Not safe for threads that do not take turns.
    """

    __slots__ = ("_changes", "_layers", "_leaves")

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        """Take ``leaves`` of 72 bytes, each of another subject, in any order."""
        ordered = sorted(leaves)
        self._leaves = bytearray().join(ordered)
        #: From the leaf hashes up to the root; each layer is its nodes, end to end.
        self._layers = [bytearray().join(map(_leaf_hash, ordered))]
        self._changes: dict[bytes, bytes] = {}
        self._rehash(set(), 0)

    def __len__(self) -> int:
        """Return how many leaves there are."""
        self._settle()
        return len(self._leaves) // LEAF_BYTES

    def put(self, entry: bytes) -> None:
        """Add the leaf ``entry``, in the place of another of the same subject if there is one."""
        self._changes[entry[:_KEY]] = entry

    def drop(self, sub: str) -> None:
        """Take out the leaf of the subject ``sub``, if there is one."""
        self._changes[hashlib.sha256(sub.encode()).digest()] = b""

    def root(self) -> bytes:
        """Return the Merkle tree hash: 32 bytes."""
        self._settle()
        return bytes(self._layers[-1]) or EMPTY_ROOT

    def proof(self, entry: bytes) -> tuple[int, tuple[bytes, ...]]:
        """Return the position of ``entry`` among the leaves, and its audit path.

        :raises ValueError: ``entry`` is not one of the leaves.
        """
        self._settle()
        index = position = self._place(entry[:_KEY])
        if self._leaf_at(index) != entry:
            raise ValueError("there is no such leaf")
        path = []
        for layer in self._layers[:-1]:
            sibling = _node(layer, position ^ 1)
            if sibling:
                path.append(sibling)
            position //= 2
        return index, tuple(path)

    def _settle(self) -> None:
        """Work the changes in."""
        changes, self._changes = self._changes, {}
        replaced: set[int] = set()
        moving: list[tuple[int, bytes, bytes]] = []
        for key, entry in sorted(changes.items()):
            position = self._place(key)
            held = self._leaf_at(position)
            if not held.startswith(key):
                held = b""
            if entry and held:
                if entry != held:
                    self._leaves[position * LEAF_BYTES : (position + 1) * LEAF_BYTES] = entry
                    self._layers[0][position * _HASH : (position + 1) * _HASH] = _leaf_hash(entry)
                    replaced.add(position)
            elif entry or held:
                moving.append((position, held, entry))
        if moving:
            self._move(moving)
        if moving or replaced:
            self._rehash(replaced, moving[0][0] if moving else None)

    def _move(self, moving: Sequence[tuple[int, bytes, bytes]]) -> None:
        """Take out and put in leaves and their hashes: ``(position, leaf out, leaf in)``."""
        leaves, hashes, done = bytearray(), bytearray(), 0
        for position, out, entry in moving:
            leaves += self._leaves[done * LEAF_BYTES : position * LEAF_BYTES] + entry
            hashes += self._layers[0][done * _HASH : position * _HASH]
            if entry:
                hashes += _leaf_hash(entry)
            done = position + bool(out)
        self._leaves = leaves + self._leaves[done * LEAF_BYTES :]
        self._layers[0] = hashes + self._layers[0][done * _HASH :]

    def _rehash(self, replaced: set[int], moved: int | None) -> None:
        """Make the layers above the leaves' hashes fit them again.

        :param replaced: positions of leaves that are others.
        :param moved: the position from which on everything may be another.
        """
        for level in count():
            below = self._layers[level]
            size = len(below) // _HASH
            if size < 2:
                del self._layers[level + 1 :]
                return
            if level + 1 == len(self._layers):
                self._layers.append(bytearray())
            above = self._layers[level + 1]
            parents = (size + 1) // 2
            moved = None if moved is None else moved // 2
            end = parents if moved is None else moved
            replaced = {position // 2 for position in replaced if position // 2 < end}
            for position in replaced:
                above[position * _HASH : (position + 1) * _HASH] = _parent(below, position)
            above[end * _HASH :] = b"".join(_parent(below, at) for at in range(end, parents))

    def _place(self, key: bytes) -> int:
        """Return the position of the leaf that begins with ``key``, or where it would be."""
        low, high = 0, len(self._leaves) // LEAF_BYTES
        while low < high:
            middle = (low + high) // 2
            if self._leaves[middle * LEAF_BYTES : middle * LEAF_BYTES + _KEY] < key:
                low = middle + 1
            else:
                high = middle
        return low

    def _leaf_at(self, position: int) -> bytes:
        return bytes(self._leaves[position * LEAF_BYTES : (position + 1) * LEAF_BYTES])


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


def _parent(layer: bytearray, position: int) -> bytes:
    """Hash a pair; an odd last node goes up as it is, which is how RFC 9162 splits."""
    left, right = _node(layer, 2 * position), _node(layer, 2 * position + 1)
    return _node_hash(left, right) if right else left


def _node(layer: bytearray, position: int) -> bytes:
    """Return one node of ``layer``; nothing where it has ended."""
    return bytes(layer[position * _HASH : (position + 1) * _HASH])
