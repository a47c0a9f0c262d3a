"""A glance at a text: whether it may hold some words or name some speciality, before it is read.

A page of people has hundreds of short texts, and a question is found in few of them. Whatever
stands in a text is in its glance; what is in the glance need not stand there as it was asked for.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from functools import lru_cache

from app.search.lexicon import lexicon
from app.search.pieces import FOLDED, STEM, inside, pieces
from app.search.text import WORDS_KEPT


@dataclass(frozen=True, slots=True)
class Glance:
    """What stands somewhere in a text, small words too."""

    stems: frozenset[str]
    folded: frozenset[str]
    codes: frozenset[str]
    """Specialities of which a phrase begins at one of the words, or stands inside one."""

    def begins(self, letters: tuple[str, ...]) -> bool:
        """Tell whether a word of the text begins with one of these."""
        return any([word.startswith(letters) for word in self.folded])

    def may_name(self, codes: Set[str]) -> bool:
        """Tell whether the text may name one of ``codes``."""
        return not self.codes.isdisjoint(codes)


@lru_cache(maxsize=8192)
def glance(text: str) -> Glance:
    """Return what stands in ``text``."""
    every = pieces(text)
    naming = [_named(piece.folded, piece.stem) for piece in every if piece.speaks]
    return Glance(
        frozenset(map(STEM, every)),
        frozenset(map(FOLDED, every)),
        frozenset().union(*naming) if naming else _NONE,
    )


_NONE: frozenset[str] = frozenset()


@lru_cache(maxsize=WORDS_KEPT)
def _named(folded: str, stemmed: str) -> frozenset[str]:
    """Return the specialities of phrases that begin with a word, or stand inside it."""
    book = lexicon()
    meant = [book.meanings[phrase] for phrase in book.starting.get(stemmed, ())]
    if len(folded) > 1:
        meant.append(inside(folded, stemmed, german=True))
    return frozenset([meaning.code for some in meant for meaning in some])
