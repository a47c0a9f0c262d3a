"""Sets of people: row numbers of the index as compressed bitmaps (Roaring).

A set never changes, so that threads may share it: ``&``, ``|``, ``-`` and ``^`` make new ones. On a
million rows each takes a few millionths of a second, whether the set is dense or sparse, and a
sparse one takes no more memory than its numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import islice
from operator import lt
from struct import Struct

from pyroaring import FrozenBitMap

People = FrozenBitMap

NOBODY = People()

#: Numbers that are written behind those of a set without opening it.
BEHIND = 64
#: A set of few numbers as it is kept (Roaring's portable format, RoaringFormatSpec): one container,
#: an array. Cookie and count; then the upper half of the numbers, how many less one, and where they
#: begin: two bytes for each, rising.
_COOKIE = bytes.fromhex("3a30000001000000")
_HEAD = Struct("<8sHHI").pack
_BEGIN = 16
#: Of more than that an array is made into a bitmap.
_ARRAY = 4096


def union(sets: Sequence[People]) -> People:
    """Return everybody who is in any of ``sets``."""
    if len(sets) < 2:
        return sets[0] if sets else NOBODY
    return People.union(*sets)


def more_of(held: bytes | None, piece: int, numbers: Sequence[int]) -> bytes:
    """Return a set as it is kept, with ``numbers`` added.

    :param held: the set as it was kept, all of ``piece``; None for nobody.
    :param piece: the upper half of all numbers.
    :param numbers: the lower halves; at least one.
    """
    count = len(numbers)
    if count == 1 or (count <= BEHIND and _rise(numbers)):
        added = _PACKED[count](*numbers)
        if held is None:
            return _head(piece, count) + added
        size = (len(held) - _BEGIN >> 1) + count
        # The last number there, and the first here; two bytes, the lower first.
        if size <= _ARRAY and held[:8] == _COOKIE and held[:-3:-1] < added[1::-1]:
            return _head(piece, size) + held[_BEGIN:] + added
    among = People([piece << 16 | number for number in numbers])
    return (among if held is None else People.deserialize(held) | among).serialize()


@lru_cache(maxsize=2 * _ARRAY)
def _head(piece: int, size: int) -> bytes:
    return _HEAD(_COOKIE, piece, size - 1, _BEGIN)


def _rise(numbers: Sequence[int]) -> bool:
    return all(map(lt, numbers, islice(numbers, 1, None)))


#: Writes so many numbers.
_PACKED = [Struct(f"<{count}H").pack for count in range(BEHIND + 1)]
