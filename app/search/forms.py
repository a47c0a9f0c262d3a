"""Whether a word, as it was typed, is a form of another, in the language in which that is listed.

Pure. Stems of four languages fall together where the words have nothing to do with each other: a
Spanish ``cartero`` brings letters and is no ``cartera``, the French wind (``vent``) is no sale
(``vente``), and an English ``market`` is no Marketo. A masculine makes a feminine, and whoever
lists a feminine alone means a thing; singular and plural make each other.
"""

from __future__ import annotations

from collections.abc import Mapping

#: Endings that a listed word loses with those that it gets instead, once both are singular.
_MADE: Mapping[str, frozenset[tuple[str, str]]] = {
    "fr": frozenset(
        [
            ("", "e"),
            ("", "ne"),
            ("", "le"),
            ("", "te"),
            ("", "x"),
            ("x", ""),
            ("l", "ux"),
            ("ux", "l"),
            ("le", "ux"),
            ("f", "ve"),
            ("r", "se"),
        ]
    ),
    "en": frozenset([("y", "ie"), ("ie", "y")]),
    "de": frozenset(
        (gone, put)
        for gone in ("", "e", "n", "en", "er", "in")
        for put in ("", "e", "n", "en", "er", "em", "in")
    ),
    "es": frozenset([("o", "a"), ("", "a")]),
}
#: With these a Spanish word for somebody ends, whatever the last vowel: jefe, jefa.
_SOMEBODY = ("ente", "ante", "efe")
#: Longer endings than this are no accident: teur, trice.
_SHORT = 2


def form_of(typed: str, listed: str, language: str) -> bool:
    """Tell whether ``typed`` is a form of ``listed``; both are folded, and have the same stem."""
    one, other = _singular(typed), _singular(listed)
    if one == other:
        return True
    same = _alike(one, other)
    gone, put = other[same:], one[same:]
    if max(len(gone), len(put)) > _SHORT:
        return True
    if (gone, put) in (("", "e"), ("e", "")) and language in ("en", "es"):
        # "boxes" and "tribunales" have lost no more than their s.
        return (typed if put else listed).endswith("s")
    if (gone, put) == ("e", "a"):
        return language == "es" and other.endswith(_SOMEBODY)
    return (gone, put) in _MADE[language]


def _singular(folded: str) -> str:
    return folded[:-1] if folded.endswith("s") and not folded.endswith("ss") else folded


def _alike(one: str, other: str) -> int:
    """Return with how many letters both begin."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))
