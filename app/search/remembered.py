"""What was worked out and may be asked again: as much of it as fits into so many bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

Kept = TypeVar("Kept")


class Remembered(Generic[Kept]):
    """Values by their keys; what was used least goes first. Threads may share it.

    :param most: bytes that all values may have together, as those who keep them count.
    """

    def __init__(self, most: int) -> None:
        self._most, self._bytes = most, 0
        self._kept: OrderedDict[Hashable, tuple[Kept, int]] = OrderedDict()
        self._turn = Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable) -> Kept | None:
        """Return what is kept under ``key``."""
        with self._turn:
            held = self._kept.get(key)
            if held is None:
                return None
            self._kept.move_to_end(key)
            return held[0]

    def keep(self, key: Hashable, value: Kept, size: int) -> None:
        """Keep ``value``, which takes ``size`` bytes, unless it is larger than all there is."""
        if size > self._most:
            return
        with self._turn:
            _, before = self._kept.pop(key, (None, 0))
            self._kept[key] = value, size
            self._bytes += size - before
            while self._bytes > self._most:
                _, (_, gone) = self._kept.popitem(last=False)
                self._bytes -= gone

    def clear(self) -> None:
        """Forget everything."""
        with self._turn:
            self._kept.clear()
            self._bytes = 0
