"""Who comes first: the question answered best, then the closest, then each in turn.

Pure. Equals are never told apart by anything they did or paid: people whose scores fall into the
same step and who are equally far form a round, and each day the next of the round begins it. Of
eight equals each leads seven or eight days in sixty; within a day everybody sees one order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from app.search.levels import WHOLE, Levels, at_least, level_of, summed
from app.search.parts import Part
from app.search.people import NOBODY, People, union

#: Scores that fall into the same step are equally good.
STEP = 0.05
#: From here on a person surely answers the question.
SURE = 0.55
#: Below this nobody is even perhaps meant.
PERHAPS = 0.14
#: What a part must be worth for somebody to count as answering it.
ANSWERED = 0.55
#: What a part must be worth for somebody to have something to do with it.
TOUCHED = 0.3
#: An odd number to mix row numbers with (Knuth, TAOCP 6.4), so that a round crosses the spaces.
_MIX = 2654435761
#: Row numbers have so many bits, and this number undoes the mixing.
_BITS = 0xFFFFFFFF
_BACK = pow(_MIX, -1, _BITS + 1)
#: Up to this many equals are put into their order all at once.
FEW = 1000
#: Into so many heaps a larger round is dealt; only the heaps whose turn it is are sorted.
HEAPS = 101


@dataclass(frozen=True, slots=True)
class Scores:
    """What everybody is worth, who surely answers and who perhaps."""

    levels: Levels
    """Thousandths of the question answered."""

    sure: People
    perhaps: People
    """Who has enough of what can be answered at all to be perhaps meant."""

    def of(self, row: int) -> float:
        """Return what one row is worth, from 0 to 1."""
        return level_of(self.levels, row) / WHOLE


def scores(parts: Sequence[Part], worths: Sequence[Levels]) -> Scores:
    """Return what each person is worth, from 0 to 1, given the worth of each part.

    A part that neither the vocabulary nor any profile knows cannot be answered by anybody; it
    weighs on everybody, so that "rowing coach" is not surely answered by a coach.
    """
    if len(parts) == 1:
        return _of_one_part(worths[0])
    total = sum(part.weight for part in parts) or 1.0
    plain = [not (part.generic or part.light) for part in parts]
    specific = plain if any(plain) else [True] * len(parts)
    least = sum(p.weight for p, counts in zip(parts, specific, strict=True) if counts) / 2
    known = sum(part.weight for part in parts if not part.unknown) or 1.0
    given = [
        (worth, part.weight / total, counts)
        for part, worth, counts in zip(parts, worths, specific, strict=True)
    ]
    levels, by_answered = summed(given, round(ANSWERED * WHOLE), round(TOUCHED * WHOLE))
    sure = NOBODY
    for answered, sums in by_answered.items():
        # Thousandths were rounded once for each part. Of two parts that weigh the same, one is not
        # enough without anything of the other: no lawyer is a wedding lawyer for being a lawyer.
        if answered - len(parts) > least / total * WHOLE:
            sure |= at_least(sums, SURE * WHOLE)
    perhaps = at_least(levels, PERHAPS * known / total * WHOLE)
    return Scores(levels, sure, perhaps - sure)


def _of_one_part(worth: Levels) -> Scores:
    sure = at_least(worth, SURE * WHOLE)
    return Scores(worth, sure, at_least(worth, PERHAPS * WHOLE) - sure)


def ordered(
    people: People, levels: Levels, groups: Sequence[People], day: int, most: int
) -> list[int]:
    """Return the first ``most`` of ``people``, best first.

    :param groups: everybody, by how far they are, the closest first.
    :param day: a number that rises by one each day.
    """
    found: list[int] = []
    for equally_good in _steps(people, levels):
        for group in groups:
            if equals := equally_good & group:
                found += turns(equals, day, most - len(found))
            if len(found) >= most:
                return found
    return found


def _steps(people: People, levels: Levels) -> Iterator[People]:
    """Return the sets of ``people`` that are equally good, the best first.

    Few are asked for, hence one after the other: mostly the first has enough for a page.
    """
    steps: dict[int, list[People]] = defaultdict(list)
    for level, standing in levels.items():
        steps[_step(level)].append(standing)
    for step in sorted(filter(None, steps), reverse=True):
        if both := union(steps[step]) & people:
            yield both
            people ^= both
    yield people


def _step(level: int) -> int:
    return round(level / WHOLE / STEP)


def next_step(level: int) -> int:
    """Return the lowest level that is better than ``level``, not just as good."""
    return next(above for above in range(level, 2 * WHOLE) if _step(above) > _step(level))


def in_turn(equals: Iterable[int], day: int, most: int | None = None) -> list[int]:
    """Return ``equals``, or the first ``most``, in an order that begins with the next each day."""
    fixed = sorted([row * _MIX & _BITS for row in equals])
    first = day % len(fixed) if fixed else 0
    return [mixed * _BACK & _BITS for mixed in (fixed[first:] + fixed[:first])[:most]]


def turns(equals: People, day: int, most: int) -> list[int]:
    """Return the first ``most`` of a set of equals, in an order that begins with the next each day.

    A large set is dealt into heaps by row number, and each day the next heap begins, every time
    with the next of its people: only the heaps that are shown are sorted.
    """
    if len(equals) <= FEW:
        return in_turn(equals, day, most)
    begin, turn, last = day % HEAPS, day // HEAPS, equals.max()
    found: list[int] = []
    for heap in range(begin, begin + HEAPS):
        found += in_turn(equals & _every_heap(heap % HEAPS, last), turn, most - len(found))
        if len(found) >= most:
            break
    return found[:most]


def _every_heap(heap: int, last: int) -> People:
    """Return all row numbers of one heap, up to ``last`` or a little further."""
    return _heap(heap, 1 << last.bit_length())


@lru_cache(maxsize=4 * HEAPS)
def _heap(heap: int, end: int) -> People:
    return People(range(heap, end, HEAPS))
