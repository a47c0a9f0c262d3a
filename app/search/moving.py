"""Sets of people when rows of the index change: who leaves them, and who joins.

Pure. What a row was is no longer written anywhere when somebody hears that it has changed, so it is
looked for in the sets; mostly it is what it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TypeVar

from app.search.people import NOBODY, People

#: Rows changed from which reading all sets anew costs less than taking these out of them.
MANY = 3000

Sets = Mapping[str, People]
Value = TypeVar("Value", str, int)


@dataclass(frozen=True, slots=True)
class Coded:
    """Who has each key, as they were read once, and what has changed since.

    There are thousands of keys, and a search asks for a few: the others need not follow.
    """

    read: Sets
    moved: People = NOBODY
    """Rows that have changed since."""

    now: Mapping[str, People] = field(default_factory=dict)
    """Which of them have a key now."""

    def get(self, key: str) -> People:
        """Return who has ``key``."""
        people = self.read.get(key, NOBODY)
        return people - self.moved | self.now.get(key, NOBODY) if self.moved else people

    def followed(self, moved: People, joining: Mapping[str, Sequence[int]]) -> Coded | None:
        """Return it with ``moved`` where ``joining`` says; None when it is time to read anew."""
        every = self.moved | moved
        if len(every) > MANY:
            return None
        now = {key: people - moved for key, people in self.now.items()}
        for key, rows in joining.items():
            now[key] = now.get(key, NOBODY) | People(rows)
        return Coded(self.read, every, now)


def in_one(
    sets: Mapping[Value, People], known: People, joining: Mapping[Value, Sequence[int]]
) -> dict[Value, People]:
    """Do as :func:`changed_in` does for sets that share nobody: look until all are found."""
    left, found = known, []
    for value in chain(joining, sets):
        if not left:
            break
        if value in sets and sets[value].intersect(left):
            found.append(value)
            left -= sets[value]
    return _put(sets, found, known, joining)


def changed_in(
    sets: Mapping[Value, People], known: People, joining: Mapping[Value, Sequence[int]]
) -> dict[Value, People]:
    """Return ``sets`` with ``known`` taken out of those they were in, and put where they are now.

    :param known: rows that have changed.
    :param joining: by set, which rows have changed and are in it now.
    """
    return _put(
        sets, [value for value, one in sets.items() if one.intersect(known)], known, joining
    )


def _put(
    sets: Mapping[Value, People],
    left: Sequence[Value],
    known: People,
    joining: Mapping[Value, Sequence[int]],
) -> dict[Value, People]:
    """Return ``sets`` with ``known`` taken out of those that they have ``left``."""
    put = dict(sets)
    for value in left:
        put[value] -= known
    for value, rows in joining.items():
        put[value] = put.get(value, NOBODY) | People(rows)
    for value in left:
        if not put[value]:
            del put[value]
    return put
