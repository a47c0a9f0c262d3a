"""Specialities in a form: one field, where a word of the shared list becomes its code.

Whatever else is typed stays as this space's own word, so that nobody has to squeeze into a list.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache

from flask import g

from app.models.space import Space
from app.search.text import fold
from app.web.words import printed, speciality
from federation import vocabulary


def named(code: str, label: str) -> str:
    """Return what stands in the field for a stored speciality; empty for none."""
    return speciality(code, label) if code or label else ""


def meant(text: str) -> tuple[str, str]:
    """Return code and own label for what was typed: one of the two is empty, or both are."""
    space: Space | None = g.get("space")
    own = {fold(word): code for word, code in (space.labels if space else {}).items()}
    if code := own.get(fold(text)):
        return code, text
    key = fold(text.replace("’", "'"))  # as the vocabulary's files write it
    code = _labels().get(key) or _unambiguous_words().get(key)
    return (code, "") if code else ("", text)


@lru_cache(maxsize=8)
def choices(language: str) -> tuple[tuple[str, str], ...]:
    """Return label and domain of every speciality in ``language``, for the field's suggestions."""
    families = vocabulary.domains()
    found = [
        (_in(language, known.labels), _in(language, families[known.domain].labels))
        for known in vocabulary.specialities().values()
    ]
    return tuple(sorted(found, key=lambda choice: fold(choice[0])))


def _in(language: str, labels: Mapping[str, str]) -> str:
    return printed(labels.get(language, labels["en"]))


@lru_cache(maxsize=1)
def _labels() -> dict[str, str]:
    found: dict[str, str] = {}
    for code, known in vocabulary.specialities().items():
        for label in known.labels.values():
            found.setdefault(fold(label), code)
    return found


@lru_cache(maxsize=1)
def _unambiguous_words() -> dict[str, str]:
    """Everyday words that mean one speciality only."""
    meanings: defaultdict[str, set[str]] = defaultdict(set)
    for code, known in vocabulary.specialities().items():
        for words in known.words.values():
            for word in words:
                meanings[fold(word)].add(code)
    return {word: codes.pop() for word, codes in meanings.items() if len(codes) == 1}
