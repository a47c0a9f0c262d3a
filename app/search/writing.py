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
from app.search.guessing import GENERIC
from app.search.lexicon import SMALL, Meaning, compound, lexicon
from app.search.text import Word, content, fold, small, stems, words
from federation import vocabulary

#: Columns of the index that hold stems or codes, in the order of the table.
COLUMNS = (
    "service",
    "derived",
    "hint",
    "title",
    "profession",
    "headline",
    "body",
    "extra",
    "name",
)

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
        "profession": _joined((card.profession,)),
        "headline": _joined((card.headline,)),
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


@dataclass(frozen=True, slots=True)
class Named:
    """A speciality that a text names by a phrase of the vocabulary."""

    code: str
    span: tuple[int, int]
    sure: float
    size: int
    """How many words that carry meaning the phrase has."""

    generic: bool
    aside: bool
    """It stands behind "for" or "with": not what is done, but for whom."""


def named_in(text: str, language: str = "") -> tuple[list[Named], int]:
    """Return the specialities that ``text`` names, and how many of its words carry meaning.

    :param language: of the text (BCP 47), empty when not known.
    """
    book = lexicon()
    every = words(text)
    meant = sum(1 for word in every if not small(word, text))
    found: list[Named] = []
    at, aside = 0, False
    while at < len(every):
        aside = aside or every[at].folded in _ASIDE
        reached = book.longest(every, at)
        phrase, end = reached or ((), at + 1)
        taken = [word for word in every[at:end] if word.folded not in SMALL] or every[at:end]
        folded = tuple(word.folded for word in taken)
        lost = end == at + 1 and (small(every[at], text) or len(every[at].folded) < 2)
        meanings: tuple[Meaning, ...] = ()
        if reached and not lost and book.native(phrase, folded, language[:2].lower()):
            meanings = book.meanings[phrase]
        elif not lost:
            phrase, end = (), at + 1
            meanings = _inside(every[at], language)
        generic = len(phrase) == 1 and phrase[0] in GENERIC
        size = sum(1 for word in every[at:end] if not small(word, text)) or 1
        span = (every[at].start, every[end - 1].end)
        found += [
            Named(meaning.code, span, meaning.sure, size, generic, aside)
            for meaning in meanings
            if meaning.how != "domain"
        ]
        at = end
    return found, meant


def _inside(word: Word, language: str) -> tuple[Meaning, ...]:
    """What one word means that is no phrase itself: written together, or a German compound."""
    book = lexicon()
    if joined := book.joined.get(word.folded) or book.joined.get(word.stem):
        return book.meanings[joined]
    if language and not language.lower().startswith("de"):
        return ()
    head, tail = compound(word.folded, book)
    for phrase in (tail, head):
        if phrase and phrase[0] not in GENERIC:
            return book.meanings[phrase]
    return ()


def _derived(card: Card) -> tuple[set[str], set[str]]:
    """Return the specialities that the card names surely in words, and those it touches.

    Where somebody chose codes, a headline may play with words: it names nothing surely then.
    """
    surely: set[str] = set()
    touched: set[str] = set()
    shared = vocabulary.specialities()
    coded = any(service.speciality in shared for service in card.services)
    texts = [(card.profession, 1, False), (card.headline, 2, coded)]
    texts += [
        (_title(service), 2 if service.speciality in shared else 1, False)
        for service in card.services
    ]
    for text, least, playful in texts:
        named, meant = named_in(text, card.locale)
        touched |= {one.code for one in named}
        surely |= {one.code for one in named if not playful and _surely(one, meant, least)}
    for text in (card.bio, *(service.description for service in card.services)):
        touched |= {one.code for one in named_in(text, card.locale)[0] if one.sure >= 0.8}
    return surely, touched


def _surely(one: Named, meant: int, least: int) -> bool:
    """Tell whether a text of ``meant`` words is about what ``one`` names.

    :param least: words that the phrase must have, unless it is half of the text.
    """
    if one.sure < 0.8 or one.aside:
        return False
    if one.generic:
        return one.size == meant
    return one.size >= least or (one.size * 2 >= meant and least < 2)


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
    if service.speciality:
        return [service.speciality]
    named, meant = named_in(service.title)
    return sorted({one.code for one in named if _surely(one, meant, 1)})[:2]


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
