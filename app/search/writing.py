"""What the index keeps of one person: stems by field, specialities by how surely they are meant.

Pure: a card goes in, columns come out. A service without a code, or with one that we do not know,
is found by its words; where they are the vocabulary's, they also stand for its code, less surely
than a code that somebody chose.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b

from app.search.availability import days_in
from app.search.cards import Card, CardService
from app.search.guessing import GENERIC
from app.search.lexicon import SMALL, Lexicon, Meaning, Phrase, compound, lexicon, neighbours
from app.search.prices import Band
from app.search.text import (
    STOP,
    WORDS_KEPT,
    Word,
    content,
    fold,
    is_small,
    small,
    stem,
    stems,
    words,
    written,
)
from federation import vocabulary

#: Columns of the index that hold stems or codes, in the order of the table.
COLUMNS = (
    "service",
    "derived",
    "hint",
    "title",
    "profession",
    "headline",
    "aside",
    "body",
    "extra",
    "name",
)

#: A word that no text has: it keeps phrases from reaching over the border of two texts.
BORDER = "k_"

#: What follows these says for whom, not what is done.
_FOR = frozenset(["for", "pour", "fur", "para"])
#: What follows these says for whom or with what.
_ASIDE = _FOR | {"with", "avec", "mit", "con", "chez", "bei"}
#: Before a trade that is far from the person's own, these make an epithet: "the doctor of hedges".
_ARTICLES = frozenset(["the", "la", "le", "les", "der", "die", "das", "el", "los", "las"])
#: Here a text begins to speak of something else.
_BREAK = re.compile(r"[,;.:·|/+–—]")
#: What joins the parts of one word.
_HYPHENS = frozenset("-‑‐")
#: Between a value of a facet and the last day on which it is true (ISO 8601).
UNTIL = "@"

#: Made once: `json.dumps` makes an encoder for each call.
_AS_JSON = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode
_NOT_IN_TOKENS = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the index, before it has a number."""

    columns: tuple[str, ...]
    """One text per :data:`COLUMNS`."""

    facets: str
    """JSON: what the person can be filtered by."""

    sorted_as: str
    """The folded name, for lists in its order."""

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
        "aside": _in_passing(card, surely.union(chosen)),
        "body": _joined((card.bio, *(service.description for service in card.services))),
        "extra": _joined((*card.interests, card.location)),
        "name": _name(card.name),
    }
    columns = tuple(texts[column] for column in COLUMNS)
    facets = _AS_JSON(_facets(card))
    seen = "\x1f".join((*columns, facets))
    name = fold(card.name).replace("\0", "")
    return Entry(columns, facets, name, blake2b(seen.encode(), digest_size=12).hexdigest())


@lru_cache(maxsize=4096)
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

    leads: bool
    """Nothing stands before it that would turn its meaning: "Plumber and heating engineer"."""

    article: bool
    """A definite article stands before it."""


#: What a word as it is written can be by itself.
_SILENT, _SMALL, _SPEAKING = range(3)


class _Kinds(dict[str, int]):
    """Whether a word as it is written may begin a phrase of the vocabulary, or be one inside.

    A directory has the same words again and again: this way they are looked up, not read.
    """

    def __missing__(self, piece: str) -> int:
        folded = fold(piece)
        stemmed = stem(folded)
        if stemmed in lexicon().starting or (
            len(folded) > 1 and inside(folded, stemmed, german=True)
        ):
            kind = _SPEAKING
        else:
            kind = _SMALL if is_small(piece) else _SILENT
        if len(self) >= WORDS_KEPT:
            self.clear()
        self[piece] = kind
        return kind


_KINDS = _Kinds()
_NOTHING: Phrase = ()
_MEANT_NOTHING: tuple[Meaning, ...] = ()


@lru_cache(maxsize=2048)
def named_in(text: str, language: str = "") -> tuple[list[Named], int]:
    """Return the specialities that ``text`` names, and how many of its words carry meaning.

    :param language: of the text (BCP 47), empty when not known.
    """
    kinds = [_KINDS[piece] for piece in written(text)]
    if _SPEAKING not in kinds:
        # Most sentences name nothing: looking their words up spares taking them apart.
        return [], kinds.count(_SILENT)
    book = lexicon()
    every = words(text)
    little = [word.folded in STOP and small(word, text) for word in every]
    german = not language or language.lower().startswith("de")
    aside: list[bool] = []
    found: list[Named] = []
    start, leads = 0, True
    while start < len(every):
        _, _, folded, stemmed = every[start]
        phrase, end, meanings = _NOTHING, start + 1, _MEANT_NOTHING
        # Most words begin no phrase: a look at the first stem spares the rest.
        if stemmed in book.starting:
            phrase, end = _phrase_at(every, start, language, little, book)
        if phrase:
            meanings = book.meanings[phrase]
        elif not little[start] and len(folded) > 1:
            meanings = inside(folded, stemmed, german)
        if meanings:
            aside = aside or _behind(every, text, _ASIDE)
            found += _named(meanings, every, little, (start, end), phrase, aside[start], leads)
        leads = leads and bool(meanings or little[start] or stemmed in GENERIC)
        start = end
    return found, little.count(False)


def _phrase_at(
    every: Sequence[Word], at: int, language: str, little: Sequence[bool], book: Lexicon
) -> tuple[Phrase, int]:
    """Return the phrase that is meant at ``at`` and where it ends; an empty one for none.

    :param at: of a word with which a phrase begins.
    """
    reached = book.longest(every, at)
    if reached is None:
        return (), at + 1
    phrase, end = reached
    if end == at + 1 and (little[at] or len(every[at].folded) < 2):
        return (), end
    taken = [word for word in every[at:end] if word.folded not in SMALL] or every[at:end]
    folded = tuple(word.folded for word in taken)
    return (phrase, end) if book.native(phrase, folded, language[:2].lower()) else ((), at + 1)


def _named(
    meanings: Iterable[Meaning],
    every: Sequence[Word],
    little: Sequence[bool],
    place: tuple[int, int],
    phrase: Phrase,
    aside: bool,
    leads: bool,
) -> list[Named]:
    start, end = place
    generic = len(phrase) == 1 and phrase[0] in GENERIC
    size = little[start:end].count(False) or 1
    span = (every[start].start, every[end - 1].end)
    article = start > 0 and every[start - 1].folded in _ARTICLES
    return [
        Named(meaning.code, span, meaning.sure, size, generic, aside, leads, article)
        for meaning in meanings
        if meaning.how != "domain"
    ]


def _behind(every: Sequence[Word], text: str, openers: frozenset[str]) -> list[bool]:
    """Tell of each word whether one of ``openers`` stands before it in its part of ``text``.

    At the beginning it opens nothing: "Pour une compta sereine" says what is done.
    """
    if openers.isdisjoint(word.folded for word in every):
        return [False] * len(every)
    flags: list[bool] = []
    inside, before = False, False
    for at, word in enumerate(every):
        if at and _BREAK.search(text, every[at - 1].end, word.start):
            inside = False
        inside = inside or (before and word.folded in openers)
        before = before or not small(word, text)
        flags.append(inside)
    return flags


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


def _derived(card: Card) -> tuple[set[str], set[str]]:
    """Return the specialities that the card names surely in words, and those it touches.

    A headline may play with words: beside a trade it surely names only what is close to it.
    """
    surely: set[str] = set()
    touched: set[str] = set()
    shared = vocabulary.specialities()
    chosen = {service.speciality for service in card.services if service.speciality in shared}
    texts = [(card.profession, 1)]
    texts += [(_title(one), 2 if one.speciality in shared else 1) for one in card.services]
    for text, least in texts:
        named, meant = named_in(text, card.locale)
        touched |= {one.code for one in named}
        surely |= {one.code for one in named if _surely(one, meant, least)}
    named, meant = named_in(card.headline, card.locale)
    touched |= {one.code for one in named}
    trades = chosen | surely
    surely |= {
        one.code
        for one in named
        if _introduces(one, meant, bool(trades))
        and (not trades or _close(one.code, trades) or (one.size > 1 and not chosen))
    }
    for text in (card.bio, *(service.description for service in card.services)):
        touched |= {one.code for one in named_in(text, card.locale)[0] if one.sure >= 0.8}
    return surely, touched


def _close(code: str, trades: Iterable[str]) -> bool:
    """Tell whether ``code`` is one of ``trades``, near to one, or of the same domain."""
    shared = vocabulary.specialities()
    return any(
        code == trade or shared[code].domain == shared[trade].domain or code in neighbours(trade)
        for trade in trades
        if trade in shared
    )


def _in_passing(card: Card, trades: set[str]) -> str:
    """The words of titles, profession and headline that say for whom, or are only an epithet."""
    texts = (card.profession, card.headline, *(_title(service) for service in card.services))
    found: list[str] = []
    for text in texts:
        every = words(text)
        behind = _behind(every, text, _FOR)
        found += [
            word.stem
            for word, aside in zip(every, behind, strict=True)
            if aside and not small(word, text)
        ]
    if trades:
        epithets = [
            one.span
            for one in named_in(card.headline, card.locale)[0]
            if one.article and not _close(one.code, trades)
        ]
        found += [
            word.stem
            for word in words(card.headline)
            if any(start <= word.start < end for start, end in epithets)
        ]
    return " ".join(found)


def _surely(one: Named, meant: int, least: int) -> bool:
    """Tell whether a text of ``meant`` words is about what ``one`` names.

    :param least: words that the phrase must have, unless it is half of the text.
    """
    if one.sure < 0.8 or one.aside:
        return False
    if one.generic:
        return one.size == meant
    return one.size >= least or (one.size * 2 >= meant and least < 2)


def _introduces(one: Named, meant: int, trades: bool) -> bool:
    """Tell whether a headline of ``meant`` words introduces somebody as what ``one`` names.

    :param trades: the person says elsewhere what they do; a first word alone may then be a topic.
    """
    first = one.leads and (not trades or one.size * 2 >= meant)
    return _surely(one, meant, 1 if first else 2)


def _name(name: str) -> str:
    """A name as it is written and as it is compared: nobody stems "Sylvie" while typing it."""
    every = words(name)
    both = (" ".join(w.folded for w in every), " ".join(w.stem for w in every))
    return f" {BORDER} ".join(both)


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
        "coworker_rate": _while_it_holds(
            ("1", one.valid_until) for one in card.services if one.coworker_rate is not None
        ),
        "price": _bands(card.services, for_coworkers=True),
        "public_price": _bands(card.services, for_coworkers=False),
        "availability": list(days_in(card.availability)),
        "name": [fold(card.name)],
    }


def _bands(services: Iterable[CardService], *, for_coworkers: bool) -> list[str]:
    """The bands of what each service costs whoever is reading."""
    found: list[tuple[str, date | None]] = []
    for one in services:
        rate = one.rate
        if for_coworkers and one.coworker_rate is not None:
            rate = one.coworker_rate
        band = _band(rate, one.currency, one.unit) if rate is not None else None
        if band is not None:
            found.append((band, one.valid_until))
    return _while_it_holds(found)


@lru_cache(maxsize=4096)
def _band(rate: Decimal, currency: str, unit: str) -> str | None:
    """Return the band of a price, as facets have it; the same few prices are asked everywhere."""
    band = Band.of(rate, currency, unit)
    return None if band is None else str(band)


def _while_it_holds(found: Iterable[tuple[str, date | None]]) -> list[str]:
    """Values with the last day on which they are true behind them, if there is one; each once."""
    last: dict[str, date] = {}
    for value, until in found:
        last[value] = max(last.get(value, date.min), until or date.max)
    return [
        value if until == date.max else f"{value}{UNTIL}{until.isoformat()}"
        for value, until in sorted(last.items())
    ]


def _codes(service: CardService) -> list[str]:
    """The code of a service; where nobody chose one, those that its title surely names."""
    if service.speciality:
        return [service.speciality]
    named, meant = named_in(service.title)
    return sorted({one.code for one in named if _surely(one, meant, 1)})[:2]


def _tokens(codes: Iterable[str]) -> str:
    return " ".join(sorted({token(code) for code in codes}))


def _joined(texts: Iterable[str]) -> str:
    found = (" ".join(_both(text)) for text in texts if text)
    return f" {BORDER} ".join(one for one in found if one)


def _both(text: str) -> list[str]:
    """The stems of ``text``, each hyphenated word also in one piece (e commerce -> ecommerce)."""
    found = stems(text)
    if not _HYPHENS.isdisjoint(text):
        every = content(text)
        found += [
            one.folded + other.folded
            for one, other in zip(every, every[1:], strict=False)
            if text[one.end : other.start] in _HYPHENS
        ]
    return found
