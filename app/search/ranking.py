"""Who comes first: the question answered best, then the closest, then each in turn.

Pure. Equals are never told apart by anything they did or paid: people whose scores fall into the
same step and who are equally far form a round, and each day the next of the round begins it. Of
eight equals each leads seven or eight days in sixty; within a day everybody sees one order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.search.evidence import Worth
from app.search.reading import Part

#: Scores that fall into the same step are equally good.
STEP = 0.05
#: From here on a person surely answers the question.
SURE = 0.55
#: Below this nobody is even perhaps meant.
PERHAPS = 0.14
#: What a part must be worth for somebody to count as answering it.
ANSWERED = 0.55
#: An odd number to mix row numbers with (Knuth, TAOCP 6.4), so that a round crosses the spaces.
_MIX = 2654435761


@dataclass(frozen=True, slots=True)
class Scores:
    """What everybody is worth, who surely answers and who perhaps."""

    score: Mapping[int, float]
    sure: frozenset[int]
    perhaps: frozenset[int]
    """Who has enough of what can be answered at all to be perhaps meant."""


def scores(parts: Sequence[Part], worths: Sequence[Worth]) -> Scores:
    """Return what each person is worth, from 0 to 1, given the worth of each part.

    A part that neither the vocabulary nor any profile knows cannot be answered by anybody; it
    weighs on everybody, so that "rowing coach" is not surely answered by a coach.
    """
    if len(parts) == 1:
        return _of_one_part(worths[0])
    total = sum(part.weight for part in parts) or 1.0
    plain = [not (part.generic or part.light) for part in parts]
    specific = plain if any(plain) else [True] * len(parts)
    summed: dict[int, float] = defaultdict(float)
    answered: dict[int, float] = defaultdict(float)
    for part, worth, counts in zip(parts, worths, specific, strict=True):
        for row, value in worth.items():
            summed[row] += part.weight * value
            if counts and value >= ANSWERED:
                answered[row] += part.weight
    known = sum(part.weight for part in parts if not part.unknown) or 1.0
    score = {row: round(value / total, 3) for row, value in summed.items()}
    least = sum(p.weight for p, counts in zip(parts, specific, strict=True) if counts) / 2
    perhaps = frozenset(row for row, value in summed.items() if value >= PERHAPS * known)
    sure = frozenset(
        row for row, value in score.items() if value >= SURE and answered.get(row, 0.0) >= least
    )
    return Scores(score, sure, perhaps - sure)


def _of_one_part(worth: Worth) -> Scores:
    sure = frozenset(row for row, value in worth.items() if value >= SURE)
    weak = frozenset(row for row, value in worth.items() if PERHAPS <= value < SURE)
    return Scores(worth, sure, weak)


def ordered(
    people: Iterable[int],
    score: Mapping[int, float],
    far: Callable[[int], int],
    day: int,
    most: int,
) -> list[int]:
    """Return the first ``most`` of ``people``, best first (or more, but in order).

    :param far: how far somebody is, in few coarse steps; 0 is here.
    :param day: a number that rises by one each day.
    """
    steps: dict[int, list[int]] = defaultdict(list)
    for row in people:
        steps[-round(score.get(row, 0.0) / STEP)].append(row)
    found: list[int] = []
    for step in sorted(steps):
        rounds: dict[int, list[int]] = defaultdict(list)
        for row in steps[step]:
            rounds[far(row)].append(row)
        for distance in sorted(rounds):
            found += in_turn(rounds[distance], day)
        if len(found) >= most:
            break
    return found


def in_turn(equals: Sequence[int], day: int) -> list[int]:
    """Return ``equals`` in an order that begins with the next of them each day."""
    fixed = sorted(equals, key=lambda row: row * _MIX & 0xFFFFFFFF)
    first = day % len(fixed) if fixed else 0
    return fixed[first:] + fixed[:first]
