"""What a beginning may become: specialities whose names or words go on from what was typed.

Knows the vocabulary and nobody's profile, so what was worked out once stays true. Sought in all
four languages, since people here type in any of them; told in the reader's. In this order:

* what begins so, at the first word of a phrase or a later one;
* what the words mean although no phrase begins so ("avocats", "mon avocat");
* what begins so but for one slip of the finger.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from app.search.lexicon import SMALL, lexicon
from app.search.slips import letters_of
from app.search.text import fold, words
from federation import vocabulary

#: Letters from which something is offered; fewer begin everything.
LETTERS = 2
#: Letters from which a slip is forgiven.
SLIP_LETTERS = 5
#: Specialities that are worked out, of which pages show a few.
MOST = 24
#: Characters that are looked at.
CHARACTERS = 60

_BRACKETS = re.compile(r"\s*\([^)]*\)")


@dataclass(frozen=True, slots=True)
class Completion:
    """A speciality that what was typed may become."""

    code: str
    name: str
    """What to call it in the reader's language, and what to ask for."""

    through: str
    """The word of the vocabulary that was recognised; empty when it is the name."""

    lang: str
    """The language of ``through`` (BCP 47)."""


@dataclass(frozen=True, slots=True)
class _Way:
    """A place in a phrase of the vocabulary from which it may be typed."""

    code: str
    text: str
    language: str
    label: bool
    first: bool
    """The phrase begins here."""

    folded: str
    """The whole text as it is compared."""


@lru_cache(maxsize=8192)
def completions(typed: str, language: str) -> tuple[Completion, ...]:
    """Return what ``typed`` may become, likeliest first.

    :param language: the reader's, one of :data:`federation.vocabulary.LANGUAGES`.
    """
    wanted = " ".join(word.folded for word in words(typed[:CHARACTERS]))
    if len(wanted) < LETTERS:
        return ()
    found = _told(_beginning(wanted), wanted, language)
    if not found:
        found = _told(_meant(typed[:CHARACTERS]), wanted, language)
    if not found and len(wanted) >= SLIP_LETTERS:
        found = _told(_slipped(wanted), wanted, language)
    return tuple(found)


def make_ready() -> None:
    """Read the vocabulary now, so that nobody waits half a second for the first list."""
    lexicon()
    _places()


def spoken(label: str) -> str:
    """Return a label as one would say it: one of its genders, nothing in brackets."""
    sides = [side.strip() for side in _BRACKETS.sub("", label).split("/")]
    # "Asesora/Asesor jurídico": the shorter side alone would lose the adjective, and its meaning.
    return max(sides, key=lambda side: len(side.split()))


def _told(ways: Iterable[_Way], wanted: str, language: str) -> list[Completion]:
    """Return the first specialities that ``ways`` lead to, each by its best way, best first."""
    best: dict[str, tuple[tuple[int, int, str], _Way]] = {}
    for way in ways:
        held = best.get(way.code)
        rank = _rank(way, wanted, language)
        if held is None or rank < held[0]:
            best[way.code] = rank, way
    ordered = sorted(best.values(), key=lambda ranked: (ranked[0], ranked[1].code))
    return [_completion(way, language) for _, way in ordered[:MOST]]


def _rank(way: _Way, wanted: str, language: str) -> tuple[int, int, str]:
    """Tell how far a way is from being just what was typed."""
    whole = way.folded == wanted
    far = 4 * (way.language != language) + 2 * (not way.first) + (not way.label)
    return far - 6 * whole, len(way.text), way.text


def _completion(way: _Way, language: str) -> Completion:
    labels = vocabulary.specialities()[way.code].labels
    name = spoken(labels.get(language, labels["en"]))
    same = fold(spoken(way.text)) == fold(name)
    return Completion(
        way.code, name, "" if same else spoken(way.text), "" if same else way.language
    )


def _beginning(wanted: str) -> Iterator[_Way]:
    places = _places()
    at = bisect_left(places.texts, wanted)
    while at < len(places.texts) and places.texts[at].startswith(wanted):
        yield places.ways[at]
        at += 1


def _meant(typed: str) -> Iterator[_Way]:
    """The specialities of the longest phrase with which what was typed ends."""
    every, book = words(typed), lexicon()
    for at in range(len(every)):
        reached = book.longest(every, at)
        if reached is None or reached[1] < len(every):
            continue
        for meaning in book.meanings[reached[0]]:
            if meaning.how != "domain":
                yield from _ways_of(meaning.code, meaning.phrase)
        return


def _ways_of(code: str, phrase: str) -> Iterator[_Way]:
    speciality = vocabulary.specialities()[code]
    for language in vocabulary.LANGUAGES:
        label = speciality.labels[language]
        if phrase == label or phrase in label or phrase in speciality.words[language]:
            yield _Way(code, phrase, language, phrase in label, True, fold(phrase))


def _slipped(wanted: str) -> Iterator[_Way]:
    """The ways whose beginning is one slip away from ``wanted``; its first letter is right."""
    mask = letters_of(wanted.replace(" ", ""))
    for text, letters, at in _places().by_first.get(wanted[0], ()):
        if (mask & ~letters).bit_count() <= 1 and _begins_nearly(text, wanted):
            yield _places().ways[at]


def _begins_nearly(text: str, wanted: str) -> bool:
    """Tell whether some beginning of ``text`` is one slip away from ``wanted``, or none.

    From the first difference on, one letter is too many, missing, another, or swapped.
    """
    at = 0
    while at < len(wanted) and at < len(text) and wanted[at] == text[at]:
        at += 1
    rest, other = wanted[at:], text[at:]
    return (
        not rest
        or other.startswith(rest[1:])
        or other[1:].startswith(rest[1:])
        or other[1:].startswith(rest)
        or (len(rest) > 1 and other.startswith(rest[1] + rest[0] + rest[2:]))
    )


@dataclass(frozen=True, slots=True)
class _Places:
    """Every way into the vocabulary, in the order of what one types to take it."""

    texts: tuple[str, ...]
    ways: tuple[_Way, ...]
    by_first: Mapping[str, tuple[tuple[str, int, int], ...]]
    """By first letter: text, its letters, and its number; only from the first word of a phrase."""


@cache
def _places() -> _Places:
    found = sorted(_all_ways(), key=lambda pair: pair[0])
    by_first: dict[str, list[tuple[str, int, int]]] = defaultdict(list)
    for at, (text, way) in enumerate(found):
        if way.first:
            by_first[text[0]].append((text, letters_of(text.replace(" ", "")), at))
    return _Places(
        tuple(text for text, _ in found),
        tuple(way for _, way in found),
        {first: tuple(texts) for first, texts in by_first.items()},
    )


def _all_ways() -> Iterator[tuple[str, _Way]]:
    for code, speciality in vocabulary.specialities().items():
        for language in vocabulary.LANGUAGES:
            label = speciality.labels[language]
            for text in dict.fromkeys((label, *speciality.words[language])):
                every, folded = words(text), fold(text)
                for at, word in enumerate(every):
                    if at and word.folded in SMALL:
                        continue
                    typed = " ".join(later.folded for later in every[at:])
                    yield typed, _Way(code, text, language, text == label, at == 0, folded)
