"""What the index keeps of one person: stems by field, specialities by how surely they are meant.

Pure: a card goes in, columns come out. A service without a code, or with one that we do not know,
is found by its words; where they are the vocabulary's, they also stand for its code, less surely
than a code that somebody chose.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from itertools import compress
from typing import NamedTuple

from app.search.availability import days_in
from app.search.cards import Card, CardService
from app.search.lexicon import neighbours
from app.search.naming import FOR, Named, aside_in, named_by, named_in, touched_by
from app.search.pieces import FOLDED, SPEAKS, STEM, Piece, pieces, stems_of
from app.search.prices import Band
from app.search.text import content, fold
from app.search.translations import in_further_languages
from federation import vocabulary

#: From here on a phrase names a speciality surely.
SURE = 0.8

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

    values: Mapping[str, Sequence[str]] = field(compare=False, repr=False)
    """What :attr:`facets` says."""


def entry_of(card: Card) -> Entry:
    """Return what the index keeps of ``card``."""
    return entries_of([card])[0]


def entries_of(cards: Sequence[Card]) -> list[Entry]:
    """Do for many cards what :func:`entry_of` does for one.

    Step by step, each for a few cards before the next, as signatures are checked
    (:func:`federation.signing.read_all`).
    """
    found: list[Entry] = []
    for start in range(0, len(cards), _AT_ONCE):
        some = cards[start : start + _AT_ONCE]
        said = [_Said.of(card) for card in some]
        named = [_derived(card, one) for card, one in zip(some, said, strict=True)]
        texts = [_columns(*one) for one in zip(some, said, named, strict=True)]
        facets = [_facets(card) for card in some]
        found += [_entry(*one) for one in zip(some, texts, facets, strict=True)]
    return found


#: Cards of which one step is done before the next.
_AT_ONCE = 100


def _columns(card: Card, said: _Said, named: tuple[set[str], set[str]]) -> tuple[str, ...]:
    surely, perhaps = named
    chosen = [service.speciality for service in card.services if service.speciality]
    further = [(one, _Said.of(one)) for one in in_further_languages(card)]
    for one, more in further:
        also_surely, also_perhaps = _derived(one, more)
        surely, perhaps = surely | also_surely, perhaps | also_perhaps
    trades = surely.union(chosen)
    return (
        _tokens(chosen),
        _tokens(surely),
        _tokens(perhaps - surely),
        _joined([*said.titles, *(text for _, more in further for text in more.titles)]),
        _joined((said.profession,)),
        _joined((said.headline, *(more.headline for _, more in further))),
        " ".join(filter(None, [_in_passing(*one, trades) for one in ((card, said), *further)])),
        _joined([*said.stories, *(text for _, more in further for text in more.stories)]),
        _joined([_text(one) for one in (*card.interests, card.location)]),
        _name(card.name),
    )


def _entry(card: Card, texts: tuple[str, ...], values: Mapping[str, Sequence[str]]) -> Entry:
    facets = _AS_JSON(values)
    seen = "\x1f".join((*texts, facets))
    name = fold(card.name).replace("\0", "")
    return Entry(texts, facets, name, blake2b(seen.encode(), digest_size=12).hexdigest(), values)


class _Text(NamedTuple):
    """A text, and its words."""

    text: str
    words: Sequence[Piece]


def _text(text: str) -> _Text:
    return _Text(text, pieces(text))


class _Said(NamedTuple):
    """What a person says, by where they say it."""

    profession: _Text
    headline: _Text
    titles: list[_Text]
    """One for each service."""

    stories: list[_Text]
    """The biography and the descriptions of services."""

    @classmethod
    def of(cls, card: Card) -> _Said:
        return cls(
            _text(card.profession),
            _text(card.headline),
            [_text(_title(service)) for service in card.services],
            [_text(card.bio), *[_text(service.description) for service in card.services]],
        )


@lru_cache(maxsize=4096)
def token(code: str) -> str:
    """Return the one token by which the index knows ``code``; no word of a text is like it."""
    return "k_" + _NOT_IN_TOKENS.sub("_", fold(code))


def _derived(card: Card, said: _Said) -> tuple[set[str], set[str]]:
    """Return the specialities that the card names surely in words, and those it touches.

    A headline may play with words: beside a trade it surely names only what is close to it.
    """
    surely: set[str] = set()
    touched: set[str] = set()
    shared = vocabulary.specialities()
    chosen = {service.speciality for service in card.services if service.speciality in shared}
    named, meant = named_in(card.profession, card.locale)
    touched.update([one.code for one in named])
    surely.update([one.code for one in named if _surely(one, meant, 1)])
    for (text, every), service in zip(said.titles, card.services, strict=True):
        least = 2 if service.speciality in shared else 1
        named, meant = named_by(text, every, card.locale)
        touched.update([one.code for one in named])
        surely.update([one.code for one in named if _surely(one, meant, least)])
    named, meant = named_by(*said.headline, card.locale)
    if named:
        touched.update([one.code for one in named])
        trades = chosen | surely
        surely |= {
            one.code
            for one in named
            if _introduces(one, meant, bool(trades))
            and (not trades or _close(one.code, trades) or (one.size > 1 and not chosen))
        }
    for _, every in said.stories:
        touched |= touched_by(every, card.locale, SURE)
    return surely, touched


def _close(code: str, trades: Iterable[str]) -> bool:
    """Tell whether ``code`` is one of ``trades``, near to one, or of the same domain."""
    shared = vocabulary.specialities()
    return any(
        code == trade or shared[code].domain == shared[trade].domain or code in neighbours(trade)
        for trade in trades
        if trade in shared
    )


def _in_passing(card: Card, said: _Said, trades: set[str]) -> str:
    """The words of titles, profession and headline that say for whom, or are only an epithet."""
    found: list[str] = []
    for text, words_ in (said.profession, said.headline, *said.titles):
        if not FOR.isdisjoint(map(FOLDED, words_)):
            every = list(filter(FOLDED, words_))
            behind = aside_in(text, every, FOR)
            found += [one.stem for one in compress(every, behind) if not one.small]
    if trades and any(map(SPEAKS, said.headline.words)):
        named, _ = named_by(*said.headline, card.locale)
        epithets = [one for one in named if one.article and not _close(one.code, trades)]
        if epithets:
            found += [
                one.stem
                for at, one in enumerate(filter(FOLDED, said.headline.words))
                if any(epithet.first <= at < epithet.behind for epithet in epithets)
            ]
    return " ".join(found)


def _surely(one: Named, meant: int, least: int) -> bool:
    """Tell whether a text of ``meant`` words is about what ``one`` names.

    :param least: words that the phrase must have, unless it is half of the text.
    """
    if one.sure < SURE or one.aside:
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
    every = list(filter(FOLDED, pieces(name)))
    both = (" ".join(map(FOLDED, every)), " ".join(map(STEM, every)))
    return f" {BORDER} ".join(both)


def titled_by_more(service: CardService) -> bool:
    """Tell whether the index finds a service by more words than those of its title."""
    return bool(service.label) or not _known(service)


def _known(service: CardService) -> bool:
    return not service.speciality or service.speciality in vocabulary.specialities()


def _title(service: CardService) -> str:
    """The words of a service, with those of a code that we have no words for."""
    code = "" if _known(service) else service.speciality.replace("-", " ").replace("_", " ")
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
            [("1", one.valid_until) for one in card.services if one.coworker_rate is not None]
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


def _while_it_holds(found: Sequence[tuple[str, date | None]]) -> list[str]:
    """Values with the last day on which they are true behind them, if there is one; each once."""
    if not any(until for _, until in found):
        return sorted({value for value, _ in found})
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


def _joined(texts: Iterable[_Text]) -> str:
    found = [" ".join(_both(*one)) for one in texts if one.text]
    return f" {BORDER} ".join(filter(None, found))


def _both(text: str, every: Sequence[Piece]) -> list[str]:
    """The stems of ``text``, each hyphenated word also in one piece (e commerce -> ecommerce)."""
    found = stems_of(every)
    if any(map(text.__contains__, _HYPHENS)):
        speaking = content(text)
        found += [
            one.folded + other.folded
            for one, other in zip(speaking, speaking[1:], strict=False)
            if text[one.end : other.start] in _HYPHENS
        ]
    return found
