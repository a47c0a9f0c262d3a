"""Which specialities a text names, by phrases of the vocabulary.

Knows words and phrases, nothing of people: which of what is named somebody really does, is for
:mod:`app.search.writing` to weigh. Most texts name little, so that a look at their words, each
known already, spares taking them apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import compress
from typing import NamedTuple

from app.search.guessing import GENERIC
from app.search.lexicon import SMALL as SMALL_INSIDE
from app.search.lexicon import Lexicon, Meaning, Phrase, lexicon
from app.search.pieces import FOLDED, SILENT, SMALL, SPEAKS, Piece, inside, pieces
from app.search.text import Word, small, words

#: What follows these says for whom, not what is done.
FOR = frozenset(["for", "pour", "fur", "para"])
#: What follows these says for whom or with what.
_ASIDE = FOR | {"with", "avec", "mit", "con", "chez", "bei"}
#: Before a trade that is far from the person's own, these make an epithet: "the doctor of hedges".
_ARTICLES = frozenset(["the", "la", "le", "les", "der", "die", "das", "el", "los", "las"])
#: Here a text begins to speak of something else.
_BREAK = re.compile(r"[,;.:·|/+–—]")


class Named(NamedTuple):
    """A speciality that a text names by a phrase of the vocabulary."""

    code: str
    first: int
    """Which word of the text is the first of the phrase."""

    behind: int
    """Which word comes behind the phrase."""

    sure: float
    size: int
    """How many words that carry meaning the phrase has."""

    generic: bool
    aside: bool
    """It stands behind "for" or "with": not what is done, but for whom."""

    leads: bool
    """Nothing stands before it that would turn its meaning: "Plumber and heating engineer"."""

    article: bool
    """A definite article stands before it."""


@lru_cache(maxsize=4096)
def named_in(text: str, language: str = "") -> tuple[list[Named], int]:
    """Return the specialities that ``text`` names, and how many of its words carry meaning.

    Remembered, for texts that many people share: what they call themselves.

    :param language: of the text (BCP 47), empty when not known.
    """
    return named_by(text, pieces(text), language)


def places_named(text: str, language: str) -> list[tuple[tuple[int, int], str]]:
    """Return where ``text`` names specialities (Python slices), with their codes."""
    named, _ = named_in(text, language)
    every = words(text) if named else ()
    return [((every[one.first].start, every[one.behind - 1].end), one.code) for one in named]


def named_by(text: str, every: Sequence[Piece], language: str) -> tuple[list[Named], int]:
    """Do what :func:`named_in` does; ``every`` holds the words of ``text``."""
    if not any(map(SPEAKS, every)):
        return [], sum(map(SILENT, every))
    every = list(filter(FOLDED, every))
    aside: Sequence[bool] = ()
    found: list[Named] = []
    at, leads = 0, True
    for start, end, phrase, meanings in _meant(every, language):
        aside = aside or aside_in(text, every, _ASIDE)
        leads = leads and _turn_nothing(every[at:start])
        generic = len(phrase) == 1 and phrase[0] in GENERIC
        size = end - start - sum(map(SMALL, every[start:end])) or 1
        article = start > 0 and every[start - 1].folded in _ARTICLES
        found += [
            Named(one.code, start, end, one.sure, size, generic, aside[start], leads, article)
            for one in meanings
            if one.how != "domain"
        ]
        at = end
    return found, len(every) - sum(map(SMALL, every))


def touched_by(every: Sequence[Piece], language: str, sure: float) -> set[str]:
    """Return the specialities that a text names anywhere, at least as surely as ``sure``."""
    if not any(map(SPEAKS, every)):
        return set()
    return {
        one.code
        for _, _, _, meanings in _meant(list(filter(FOLDED, every)), language)
        for one in meanings
        if one.sure >= sure and one.how != "domain"
    }


def _meant(
    every: Sequence[Piece], language: str
) -> Iterator[tuple[int, int, Phrase, tuple[Meaning, ...]]]:
    """Each place that means something: its first word, the one behind, its phrase, what it means.

    The phrase is empty where one word says by itself what no phrase does.
    """
    book = lexicon()
    german = not language or language.lower().startswith("de")
    end = 0
    for start in compress(range(len(every)), map(SPEAKS, every)):
        if start < end:
            continue
        one = every[start]
        phrase: Phrase = ()
        end = start + 1
        if one.stem in book.starting:
            phrase, end = _phrase_at(every, start, language, book)
        if phrase:
            yield start, end, phrase, book.meanings[phrase]
        elif not one.small and len(one.folded) > 1:
            meanings = inside(one.folded, one.stem, german)
            if meanings:
                yield start, end, phrase, meanings


def _turn_nothing(between: Iterable[Piece]) -> bool:
    """Tell whether these words, which name nothing, leave the meaning of what follows."""
    return all(one.small or one.stem in GENERIC for one in between)


def _phrase_at(every: Sequence[Piece], at: int, language: str, book: Lexicon) -> tuple[Phrase, int]:
    """Return the phrase that is meant at ``at`` and where it ends; an empty one for none.

    :param at: of a word with which a phrase begins.
    """
    reached = book.longest(every, at)
    if reached is None:
        return (), at + 1
    phrase, end = reached
    if end == at + 1 and (every[at].small or len(every[at].folded) < 2):
        return (), end
    taken = [one for one in every[at:end] if one.folded not in SMALL_INSIDE] or every[at:end]
    folded = tuple(one.folded for one in taken)
    return (phrase, end) if book.native(phrase, folded, language[:2].lower()) else ((), at + 1)


def aside_in(text: str, every: Sequence[Piece], openers: frozenset[str]) -> Sequence[bool]:
    """Tell of each word whether one of ``openers`` stands before it in its part of ``text``.

    At the beginning it opens nothing: "Pour une compta sereine" says what is done.

    :param every: the words of ``text`` of which something remains when they are folded.
    """
    if openers.isdisjoint(map(FOLDED, every)):
        return [False] * len(every)
    return _behind(words(text), text, openers)


def _behind(every: Sequence[Word], text: str, openers: frozenset[str]) -> list[bool]:
    flags: list[bool] = []
    inside_, before = False, False
    for at, word in enumerate(every):
        if at and _BREAK.search(text, every[at - 1].end, word.start):
            inside_ = False
        inside_ = inside_ or (before and word.folded in openers)
        before = before or not small(word, text)
        flags.append(inside_)
    return flags
