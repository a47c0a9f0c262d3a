"""How much people are worth, as a few levels with the set of people on each.

Evidence has few strengths, so a hundred thousand people stand on a dozen levels: raising, adding
and comparing them costs a few operations on sets, not one per person.
A level is a whole number of thousandths; the sets of two levels never overlap.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from app.search.people import NOBODY, People, union

Levels = dict[int, People]

#: The level of what is worth all there is.
WHOLE = 1000
#: The part of a weight that counts as answered by who has only something of what was asked.
A_LITTLE = 0.1


def lift(levels: Levels, people: People, level: int) -> None:
    """Let everybody of ``people`` stand on ``level`` or higher."""
    for held in list(levels):
        both = levels[held] & people
        if not both:
            continue
        if held >= level:
            people ^= both
        else:
            _leave(levels, held, both)
    if people:
        levels[level] = levels.get(level, NOBODY) | people


def joined(one: Levels, other: Levels, bonus: int, least: int) -> Levels:
    """Return the higher level of each person; both kinds of evidence together add ``bonus``.

    :param least: what ``one`` must be worth for the bonus to be given.
    """
    found = dict(one)
    for level, people in other.items():
        for held, standing in one.items():
            if both := standing & people:
                added = bonus if held >= least else 0
                lift(found, both, min(WHOLE, max(held, level) + added))
        lift(found, people, level)
    return found


def summed(
    parts: list[tuple[Levels, float, bool]], enough: int, touched: int
) -> tuple[Levels, dict[int, Levels]]:
    """Return the sum of weighted levels of each person, alone and by what they answer.

    :param parts: levels of one part of a question, its weight, and whether it counts as answered
        by who stands on ``enough`` or higher.
    :param touched: who stands on this level or higher answers a little (``A_LITTLE``) of it.
    :return: levels by sum; and by the weight answered (in thousandths), levels by sum.
    """
    states: dict[tuple[int, int], People] = {}
    for levels, weight, counts in parts:
        after: dict[tuple[int, int], People] = defaultdict(People)
        left = dict(states)
        for level, people in levels.items():
            more = round(level * weight)
            whole, little = counts and level >= enough, counts and level >= touched
            answers = round(weight * WHOLE * (1 if whole else A_LITTLE if little else 0))
            for (total, answered), standing in states.items():
                if both := standing & people:
                    people ^= both
                    left[total, answered] ^= both
                    after[total + more, answered + answers] |= both
            if people:
                after[more, answers] |= people
        for state, standing in left.items():
            if standing:
                after[state] |= standing
        states = after
    sums: Levels = defaultdict(People)
    by_answered: dict[int, Levels] = defaultdict(dict)
    for (total, answered), people in states.items():
        sums[total] |= people
        by_answered[answered][total] = people
    return dict(sums), dict(by_answered)


def at_least(levels: Mapping[int, People], level: float) -> People:
    """Return the people on ``level`` and higher."""
    return union([people for held, people in levels.items() if held >= level])


def level_of(levels: Mapping[int, People], row: int) -> int:
    """Return the level of one row, 0 when it is on none."""
    return next((level for level, people in levels.items() if row in people), 0)


def _leave(levels: Levels, level: int, people: People) -> None:
    left = levels[level] ^ people
    if left:
        levels[level] = left
    else:
        del levels[level]
