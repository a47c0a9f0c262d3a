"""What the index keeps of one person: stems by field, specialities by how surely they are meant.

Pure: a card goes in, columns come out. A service without a code, or with one that we do not know,
is found by its words; where they are the vocabulary's, they also stand for its code, less surely
than a code that somebody chose.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

from app.search.cards import Card, CardService
from app.search.lexicon import Meaning, compound, lexicon
from app.search.reading import GENERIC
from app.search.text import Word, content, fold, small, stems, words
from federation import vocabulary

#: Columns of the index that hold stems or codes, in the order of the table.
COLUMNS = ("service", "derived", "hint", "title", "head", "body", "extra", "name")

#: What follows these says for whom or with what, not what is done.
_ASIDE = frozenset(["for", "pour", "fur", "para", "with", "avec", "mit", "con", "chez", "bei"])
_NOT_IN_TOKENS = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the index, before it has a number."""

    columns: tuple[str, ...]
    """One text per :data:`COLUMNS`."""

    facets: str
    """JSON: what the person can be filtered by."""

    digest: str
    """Changes when anything above does."""


def entry_of(card: Card) -> Entry:
    """Return what the index keeps of ``card``."""
    surely, perhaps = _derived(card)
    chosen = [service.speciality for service in card.services if service.speciality]
    texts = {
        "service": _tokens(chosen),
        "derived": _tokens(surely),
        "hint": _tokens(perhaps - surely),
        "title": _joined(_title(service) for service in card.services),
        "head": _joined((card.profession, card.headline)),
        "body": _joined((card.bio, *(service.description for service in card.services))),
        "extra": _joined((*card.interests, card.location)),
        "name": " ".join(word.folded for word in words(card.name)),
    }
    columns = tuple(texts[column] for column in COLUMNS)
    facets = json.dumps(_facets(card), separators=(",", ":"), sort_keys=True)
    seen = "\x1f".join((*columns, facets))
    return Entry(columns, facets, blake2b(seen.encode(), digest_size=12).hexdigest())


def token(code: str) -> str:
    """Return the one token by which the index knows ``code``; no word of a text is like it."""
    return "k_" + _NOT_IN_TOKENS.sub("_", fold(code))


def codes_in(text: str) -> tuple[set[str], set[str]]:
    """Return the specialities that ``text`` names surely, and those it only touches."""
    book = lexicon()
    every = words(text)
    meant = sum(1 for word in every if not small(word, text))
    found: list[tuple[Meaning, int, bool, bool]] = []
    at, aside = 0, False
    while at < len(every):
        aside = aside or every[at].folded in _ASIDE
        reached = book.longest(every, at)
        lone = reached is not None and reached[1] == at + 1
        if reached is None or (lone and small(every[at], text)):
            found += [(meaning, 1, False, aside) for meaning in _inside(every[at])]
            at += 1
            continue
        phrase, end = reached
        generic = len(phrase) == 1 and phrase[0] in GENERIC
        size = sum(1 for word in every[at:end] if not small(word, text))
        found += [(meaning, size, generic, aside) for meaning in book.meanings[phrase]]
        at = end
    surely = {
        meaning.code
        for meaning, size, generic, beside in found
        if meaning.sure >= 0.8
        and meaning.how != "domain"
        and not beside
        and (not generic or size == meant)
    }
    return surely, {meaning.code for meaning, *_ in found if meaning.how != "domain"} - surely


def _inside(word: Word) -> tuple[Meaning, ...]:
    """What one word means that is no phrase itself: written together, or a German compound."""
    book = lexicon()
    if joined := book.joined.get(word.folded) or book.joined.get(word.stem):
        return book.meanings[joined]
    head, tail = compound(word.folded, book)
    for phrase in (tail, head):
        if phrase and phrase[0] not in GENERIC:
            return book.meanings[phrase]
    return ()


def _derived(card: Card) -> tuple[set[str], set[str]]:
    surely: set[str] = set()
    perhaps: set[str] = set()
    for text in (card.profession, card.headline, *(_title(service) for service in card.services)):
        named, touched = codes_in(text)
        surely |= named
        perhaps |= touched
    for text in (card.bio, *(service.description for service in card.services)):
        perhaps |= codes_in(text)[0]
    return surely, perhaps


def _title(service: CardService) -> str:
    """The words of a service, with those of a code that we have no words for."""
    known = not service.speciality or service.speciality in vocabulary.specialities()
    code = "" if known else service.speciality.replace("-", " ").replace("_", " ")
    return " ".join(part for part in (service.title, service.label, code) if part)


def _facets(card: Card) -> dict[str, list[str]]:
    codes = list(dict.fromkeys(code for service in card.services for code in _codes(service)))
    shared = vocabulary.specialities()
    spoken = (*card.languages, *(tag for service in card.services for tag in service.languages))
    return {
        "speciality": codes,
        "domain": sorted({shared[code].domain for code in codes if code in shared}),
        "language": sorted({primary for tag in spoken if (primary := tag.lower().split("-")[0])}),
        "mode": sorted({service.mode for service in card.services}),
        "remote": ["1"] if any(service.remote for service in card.services) else [],
        "coworker_rate": ["1"] if any(s.coworker_rate is not None for s in card.services) else [],
        "name": [fold(card.name)],
    }


def _codes(service: CardService) -> list[str]:
    """The code of a service; where nobody chose one, those that its title surely names."""
    return [service.speciality] if service.speciality else sorted(codes_in(service.title)[0])[:2]


def _tokens(codes: Iterable[str]) -> str:
    return " ".join(sorted({token(code) for code in codes}))


def _joined(texts: Iterable[str]) -> str:
    # A word that no text has keeps phrases from reaching over the border of two texts.
    return " k_ ".join(joined for text in texts if text and (joined := " ".join(_both(text))))


def _both(text: str) -> list[str]:
    """The stems of ``text``, each hyphenated word also in one piece (e commerce -> ecommerce)."""
    every = content(text)
    together = [
        one.folded + other.folded
        for one, other in zip(every, every[1:], strict=False)
        if text[one.end : other.start] in ("-", "‑", "‐")
    ]
    return stems(text) + together
