"""Words as they are written, each read once.

A directory has the same words again and again. Whatever follows from a word alone, how it is
folded and stemmed, whether it is small, what the vocabulary means by it, is worked out when it is
met for the first time, and looked up ever after.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple

from app.search.guessing import GENERIC
from app.search.lexicon import Meaning, compound, lexicon
from app.search.text import STOP, WORDS_KEPT, fold, is_small, stem, written

#: Characters of a word that is remembered; nobody fills our memory with longer ones.
LONGEST_KEPT = 60
#: The one letter with which a text is not taken apart as its parts are (``text._pieces``).
_LONGER_IN_SMALL_LETTERS = "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}"


class Piece(NamedTuple):
    """A word as it is written, and what follows from it; no place in a text."""

    folded: str
    stem: str
    meant: str
    """The stem of a word that carries meaning; empty for a small one."""

    small: bool
    speaks: bool
    """A phrase of the vocabulary may begin with it, or be inside of it."""

    silent: bool
    """It carries meaning, and the vocabulary says nothing about it."""


class _Pieces(dict[str, Piece]):
    """Words as they are written, each with what follows from it."""

    def __missing__(self, as_written: str) -> Piece:
        found = _piece(as_written)
        if len(as_written) <= LONGEST_KEPT:
            _make_room(self)
            self[as_written] = found
        return found


class _Runs(dict[str, tuple[Piece, ...]]):
    """What stands between two blanks, with the words in it: mostly one, and a comma."""

    def __missing__(self, run: str) -> tuple[Piece, ...]:
        # Letters and figures alone are one word; looking for others would find none.
        found = (_piece(run),) if run.isalnum() else tuple(map(_PIECES.__getitem__, written(run)))
        if len(run) <= LONGEST_KEPT:
            _make_room(self)
            self[run] = found
        return found


def _make_room(kept: dict[str, Any]) -> None:
    if len(kept) >= WORDS_KEPT:
        kept.clear()


def _piece(as_written: str) -> Piece:
    # Past the caches of these functions: whoever asks remembers it.
    folded = fold.__wrapped__(as_written)
    stemmed = stem.__wrapped__(folded)
    small = folded in STOP and is_small(as_written)
    speaks = stemmed in lexicon().starting or bool(
        len(folded) > 1 and inside.__wrapped__(folded, stemmed, german=True)
    )
    meant = "" if small else stemmed
    return Piece(folded, stemmed, meant, small, speaks, not (small or speaks))


_PIECES = _Pieces()
_RUNS = _Runs()
_FOUND = _RUNS.__getitem__

#: Fields of many pieces at once.
FOLDED, STEM, MEANT, SMALL, SPEAKS, SILENT = map(itemgetter, range(6))


def pieces(text: str) -> list[Piece]:
    """Return the words of ``text``, small ones too, in their order."""
    if _LONGER_IN_SMALL_LETTERS in text:
        return list(map(_PIECES.__getitem__, written(text)))
    # No word, and nothing that joins or breaks one, reaches over a blank.
    return list(chain.from_iterable(map(_FOUND, text.split())))


def stems(text: str) -> list[str]:
    """Return what of ``text`` is compared, in its order."""
    return stems_of(pieces(text))


def stems_of(every: Sequence[Piece]) -> list[str]:
    """Return the stems of what carries meaning; of all words when nothing seems to."""
    return list(filter(None, map(MEANT, every))) or list(filter(None, map(STEM, every)))


@lru_cache(maxsize=50_000)
def inside(folded: str, stemmed: str, german: bool) -> tuple[Meaning, ...]:
    """What one word means that is no phrase itself: written together, or a German compound."""
    book = lexicon()
    if joined := book.joined.get(folded) or book.joined.get(stemmed):
        return book.meanings[joined]
    head, tail = compound(folded, book) if german else (None, None)
    for phrase in (tail, head):
        if phrase and phrase[0] not in GENERIC:
            return book.meanings[phrase]
    return ()
