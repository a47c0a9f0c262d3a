"""Kinds of one work: who teaches music teaches the piano or the trumpet, and rarely both.

A speciality says that somebody teaches music; which instrument, only their own words do. So a
question for one kind is surely answered by the speciality together with a word for that kind, in
whatever language, and by the speciality alone only perhaps.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from app.search.guessing import GENERIC
from app.search.lexicon import lexicon
from app.search.text import Word, fold, stem
from federation import vocabulary

#: Letters from which a word for a kind may begin a longer one: Klavier|unterricht, but no remo|to.
BEGINS_FROM = 5
#: Letters from which one may begin a compound that ends in a trade: Golf|lehrer.
JOINED_FROM = 4
#: Letters that German puts between: Gitarre|n|lehrer.
_BETWEEN = ("", "n", "s", "en", "es")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of a speciality's work."""

    code: str
    stems: tuple[str, ...]
    """Its names in all languages."""


def kinds_of(words: Iterable[Word]) -> dict[str, Kind]:
    """Return the kinds that ``words`` name, by the speciality of which each is one."""
    return {kind.code: kind for word in words for kind in _named(word)}


def _named(word: Word) -> tuple[Kind, ...]:
    found = _kinds().get(word.stem)
    if found is None and len(word.folded) > 2 * JOINED_FROM and word.folded.isalpha():
        for cut in range(len(word.folded) - JOINED_FROM, JOINED_FROM - 1, -1):
            begins = word.folded[:cut]
            if (joined := _kinds().get(stem(begins))) and _ends_in_a_trade(word.folded[cut:]):
                return joined
    return found or ()


def _ends_in_a_trade(rest: str) -> bool:
    ends = [stem(rest.removeprefix(between)) for between in _BETWEEN if rest.startswith(between)]
    return any(end in GENERIC or (end,) in lexicon().meanings for end in ends)


@cache
def _kinds() -> Mapping[str, tuple[Kind, ...]]:
    """Every kind by each of its stems."""
    found: dict[str, list[Kind]] = defaultdict(list)
    for code, speciality in vocabulary.specialities().items():
        for names in speciality.kinds:
            folded = [fold(name) for name in names]
            stems = tuple(dict.fromkeys(stem(one) for one in folded))
            kind = Kind(code, stems)
            for one in stems:
                found[one].append(kind)
    return {one: tuple(of) for one, of in found.items()}
