"""Where in a card's texts a question may be found, by what the index keeps of them.

A page of people has hundreds of short texts, and a question is found in few of them. Looking at
each word of them is what most of a search would take; the row of the index has their stems already,
and the specialities that they name. Whatever stands in a text has left its clue there; where there
is a clue, the text itself says whether what was asked for really stands in it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Self

from app.search.lexicon import lexicon
from app.search.text import STOP, beginning_kept, fold, stem
from app.search.writing import COLUMNS, token

#: Columns that say which specialities the texts name, chosen ones apart.
_NAMING = ("derived", "hint")


@dataclass(frozen=True, slots=True)
class Trail:
    """What a part of a question leaves in the index wherever it is found."""

    words: tuple[str, ...]
    """Stems behind a blank, and whole ones before another."""

    codes: frozenset[str]
    """Tokens of the specialities that it may mean."""

    telling: frozenset[str]
    """Stems of which one is in each text that names one of these, compounds excepted."""

    hidden: bool
    """Some phrase for one of these has small words only, which leave no stem."""

    @classmethod
    def of(cls, stems: Iterable[str], begun: Iterable[str], codes: Iterable[str]) -> Self:
        """Return the trail of a part with these words, beginnings of words, and specialities."""
        whole = [f" {one} " for one in stems]
        known = list(codes)
        telling = frozenset().union(*(_telling().get(code, _NONE) for code in known))
        return cls(
            (*whole, *(f" {beginning_kept(letters)}" for letters in begun)),
            frozenset(map(token, known)),
            telling,
            "" in telling,
        )


@dataclass(frozen=True, slots=True)
class Clues:
    """What the index keeps of one card's texts."""

    texts: Mapping[str, str]
    """By column, stems with blanks around each."""

    named: frozenset[str]
    """Tokens of the specialities that titles, profession and headline name, and some of others."""

    @classmethod
    def of(cls, columns: Sequence[str]) -> Self:
        """Read a row of the index; ``columns`` holds a text for each of its :data:`COLUMNS`."""
        by_name = dict(zip(COLUMNS, columns, strict=True))
        named = frozenset(code for name in _NAMING for code in by_name[name].split())
        return cls({name: f" {text} " if text else "" for name, text in by_name.items()}, named)

    def say(self, trail: Trail, column: str) -> bool:
        """Tell whether the texts of ``column`` may hold words of ``trail``."""
        text = self.texts[column]
        return any([one in text for one in trail.words])

    def name(self, trail: Trail) -> bool:
        """Tell whether a title, profession or headline may name a speciality of ``trail``."""
        return not trail.codes.isdisjoint(self.named)

    def hint(self, trail: Trail, column: str, language: str) -> bool:
        """Tell whether the texts of ``column``, in ``language`` or in none that we know, may.

        The compounds of German leave no clue.
        """
        if not trail.codes:
            return False
        if trail.hidden or not language or language.lower().startswith("de"):
            return True
        return not trail.telling.isdisjoint(self.texts[column].split())


_NONE: frozenset[str] = frozenset()


@cache
def _telling() -> Mapping[str, frozenset[str]]:
    """By speciality, for each of its phrases a stem that is in each text with that phrase.

    Of several the longest, which is in the fewest texts; empty when all are of small words.
    """
    book = lexicon()
    found: dict[str, set[str]] = defaultdict(set)
    for phrase, meanings in book.meanings.items():
        longest = max((one for one in phrase if one not in _small()), key=len, default="")
        for meaning in meanings:
            found[meaning.code].add(longest)
    for written, joined in book.joined.items():
        for meaning in book.meanings[joined]:
            found[meaning.code].update((written, stem(written)))
    return {code: frozenset(stems) for code, stems in found.items()}


@cache
def _small() -> frozenset[str]:
    return frozenset(stem(fold(one)) for one in STOP)
