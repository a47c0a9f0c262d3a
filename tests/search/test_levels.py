"""Sums and maxima on levels are those that each person alone would have."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.search.levels import at_least, joined, level_of, lift, summed
from app.search.people import People

ROWS = range(12)
PEOPLE = st.sets(st.sampled_from(ROWS)).map(People)
RAISES = st.lists(st.tuples(PEOPLE, st.integers(1, 1000)), max_size=6)


def levels_of(raises):
    levels = {}
    for people, level in raises:
        lift(levels, people, level)
    return levels


def alone(raises, row):
    return max((level for people, level in raises if row in people), default=0)


@given(RAISES)
def test_everybody_stands_on_the_highest_level_that_they_were_lifted_to(raises):
    levels = levels_of(raises)
    assert [level_of(levels, row) for row in ROWS] == [alone(raises, row) for row in ROWS]
    assert all((row in at_least(levels, 500)) == (alone(raises, row) >= 500) for row in ROWS)


@given(RAISES, RAISES)
def test_two_kinds_of_evidence_add_a_bonus_from_a_certain_strength_on(one, other):
    def together(row):
        first, second = alone(one, row), alone(other, row)
        return min(1000, max(first, second) + (60 if first >= 500 and second else 0))

    found = joined(levels_of(one), levels_of(other), 60, 500)
    assert [level_of(found, row) for row in ROWS] == [together(row) for row in ROWS]


def much(level):
    """A part is answered, or touched on, or neither."""
    return 1 if level >= 550 else 0.1 if level >= 300 else 0


@given(st.lists(st.tuples(RAISES, st.sampled_from((0.2, 0.5, 1.0)), st.booleans()), max_size=4))
def test_a_sum_is_that_of_each_person(parts):
    given_parts = [(levels_of(raises), weight, counts) for raises, weight, counts in parts]
    sums, by_answered = summed(given_parts, 550, 300)
    for row in ROWS:
        worth = [(alone(raises, row), weight, counts) for raises, weight, counts in parts]
        assert level_of(sums, row) == sum(round(level * weight) for level, weight, _ in worth)
        answered = sum(round(w * 1000 * much(level)) for level, w, counts in worth if counts)
        if any(level for level, _, _ in worth):
            assert row in at_least(by_answered[answered], 0)
