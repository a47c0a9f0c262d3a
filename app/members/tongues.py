"""Languages as people write them in lists, and their tags (BCP 47)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

from babel import Locale

from app.members.texts import folded

#: Languages in which we recognise the names of languages.
READ_IN = ("en", "fr", "de", "es")

#: A tag is a language, then subtags; we keep no more than the protocol's texts need.
_TAG = re.compile(r"([A-Za-z]{2,3})((?:[-_][A-Za-z0-9]{2,8}){0,2})")
TAG_CHARACTERS = 12


def tag(text: str) -> str:
    """Return the tag of the language that ``text`` names or is; empty when we know none.

    "FR", "fr_FR", "français", "Englisch (fließend)" and "castellano - C1" are all understood.
    """
    return _as_tag(text.strip()) or _as_name(text)


def _as_tag(text: str) -> str:
    match = _TAG.fullmatch(text)
    if not match or match[1].lower() not in _codes() or len(text) > TAG_CHARACTERS:
        return ""
    subtags = [_cased(part) for part in re.split("[-_]", match[2]) if part]
    return "-".join([match[1].lower(), *subtags])


def _cased(subtag: str) -> str:
    """Return a subtag as RFC 5646 section 2.1.1 recommends: region upper, script capitalised."""
    if len(subtag) == 2:
        return subtag.upper()
    return subtag.capitalize() if len(subtag) == 4 else subtag.lower()


def _as_name(text: str) -> str:
    head = re.split(r"[(:/–-]", text, maxsplit=1)[0]
    for name in (folded(text), folded(head), *folded(head).split()[:1]):
        if name in _names():
            return _names()[name]
    return ""


@cache
def _codes() -> frozenset[str]:
    return frozenset(code for code, _ in _languages("en"))


@cache
def _names() -> Mapping[str, str]:
    return {name: code for code, name in reversed(list(_named())) if name}


def _named() -> Iterator[tuple[str, str]]:
    yield "es", "castellano"
    for reader in READ_IN:
        for code, name in _languages(reader):
            yield code, folded(name)
    for code in ("fr", "en", "de", "es", "it", "pt", "nl", "pl", "ca", "eu", "da", "sv"):
        yield code, folded(Locale(code).get_display_name() or "")


def _languages(reader: str) -> list[tuple[str, str]]:
    """Return the codes of languages without region, and their names for ``reader``."""
    names = Locale(reader).languages.items()
    return [(str(code), str(name)) for code, name in names if "_" not in str(code)]
