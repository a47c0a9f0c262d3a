"""Slips of the finger: how many are forgiven, and how many lie between two words.

Pure. Between them stands a cheap look at the letters of both, since most words are no slip for any
other.
"""

from __future__ import annotations

from functools import lru_cache


def typos_allowed(word: str) -> int:
    """Return how many slips of the finger we forgive: one from 5 letters, two from 9."""
    return 0 if len(word) < 5 or not word.isalpha() else 1 if len(word) < 9 else 2


def letters_of(word: str) -> int:
    """Return which letters ``word`` has, a bit each: a cheap look before comparing two words."""
    mask = 0
    for char in word:
        mask |= 1 << (ord(char) & 31)
    return mask


def letters_apart(one: int, other: int, most: int) -> int:
    """Return in how many letters words of these lengths differ at most, if in ``most`` slips.

    A letter too many or too few changes one of the letters that a word has, any other slip at most
    two; and there are as many of the first kind as one word is longer than the other.
    """
    return 2 * most - abs(one - other)


def slips(one: str, other: str, most: int) -> int:
    """Return the Damerau-Levenshtein distance (adjacent swaps count one), or ``most`` + 1.

    A column of the table of distances at a time, each step down or up in it a bit of a number
    (Hyyro, "A bit-vector algorithm for computing Levenshtein and Damerau edit distances", 2003).
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    places = _places(one)
    every, last = (1 << len(one)) - 1, 1 << len(one) >> 1
    up, down, level, before = every, 0, 0, 0
    distance = len(one)
    for char in other:
        here = places.get(char, 0)
        swapped = (~level & here) << 1 & before
        level = ((here & up) + up ^ up) | here | down | swapped
        more = down | every & ~(level | up)
        fewer = level & up
        if more & last:
            distance += 1
        elif fewer & last:
            distance -= 1
        more = more << 1 | 1
        up = (fewer << 1 | ~(level | more)) & every
        down = more & level & every
        before = here
    return min(distance, most + 1)


@lru_cache(maxsize=64)
def _places(word: str) -> dict[str, int]:
    """Return where each letter of ``word`` stands, a bit each."""
    places: dict[str, int] = {}
    for at, char in enumerate(word):
        places[char] = places.get(char, 0) | 1 << at
    return places
