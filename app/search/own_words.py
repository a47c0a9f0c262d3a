"""The shared vocabulary, turned round, with a space's own words for its specialities beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from app.search.lexicon import LABEL, SMALL, Lexicon, Meaning, Phrase, lexicon
from app.search.slips import letters_of
from app.search.text import Word, words


@lru_cache(maxsize=8)
def lexicon_with(own: tuple[tuple[str, str], ...]) -> Lexicon:
    """Return the lexicon with words of a space, each with the code that it stands for."""
    book = lexicon()
    phrases = {phrase: (text, code) for text, code in own if (phrase := _phrase(text))}
    if not phrases:
        return book
    meanings, starting = dict(book.meanings), dict(book.starting)
    stem_of, by_size = dict(book.stem_of), dict(book.by_size)
    singles = set(book.singles)
    for phrase, (text, code) in phrases.items():
        others = [one for one in meanings.get(phrase, ()) if one.code != code]
        meanings[phrase] = (Meaning(code, LABEL, "synonym", text), *others)
        begun = {*starting.get(phrase[0], ()), phrase}
        starting[phrase[0]] = tuple(sorted(begun, key=len, reverse=True))
        for word in _pieces(text):
            stem_of.setdefault(word.folded, word.stem)
            size = word.folded[0], len(word.folded)
            by_size[size] = (*by_size.get(size, ()), (word.folded, letters_of(word.folded)))
            singles |= {word.folded} if len(phrase) == 1 else set()
    return replace(
        book,
        meanings=meanings,
        starting=starting,
        stem_of=stem_of,
        by_size=by_size,
        singles=tuple(sorted(singles)),
        liked={},
    )


def _phrase(text: str) -> Phrase:
    return tuple(word.stem for word in _pieces(text))


def _pieces(text: str) -> Sequence[Word]:
    return [word for word in words(text) if word.folded not in SMALL] or words(text)
