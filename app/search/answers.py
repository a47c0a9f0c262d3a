"""What a search answers with: people, why each of them, and how the answer can be narrowed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from app.search.cards import Card
from app.search.cities import City
from app.search.query import Query

#: Where a match was found, best first.
Field = Literal[
    "service", "profession", "headline", "name", "interests", "bio", "place", "languages"
]

#: How the person's word and what was found belong together.
How = Literal["word", "prefix", "typo", "synonym", "near", "domain"]

#: How far away: in this space, within 50 km, or further (or nobody knows). From a city that was
#: named nobody is "here".
Group = Literal["here", "near", "elsewhere"]

#: From the first to the last character of a match, as Python slices.
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why somebody is in the answer, for one part of the question."""

    said: str
    """The person's own word or words, as typed."""

    found: str
    """What stands in the profile: its words, or the service's title; shown beside ``said``."""

    field: Field
    how: How
    code: str = ""
    """The shared speciality through which both belong together; empty for plain text."""

    lang: str = ""
    """Language of ``found`` (BCP 47), empty when not known."""

    unshown: bool = False
    """It stands in a text of that language, and the reader is shown another one."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One person in the answer."""

    card: Card
    score: float
    """From 0 to 1: how much of the question this person answers, and how surely."""

    confident: bool
    """False for people who are only perhaps what was meant; pages show them apart."""

    why: tuple[Reason, ...]
    highlights: Mapping[str, tuple[Span, ...]]
    """Spans to mark, by ``name``, ``headline``, ``profession``, ``bio`` or ``service:REF``."""

    distance_km: float | None
    """From the city that was named, else from this space; None when a position is unknown."""

    group: Group


@dataclass(frozen=True, slots=True)
class Option:
    """One value of a facet."""

    value: str
    """What goes into the URL."""

    label: str
    """A name to show, or the code (of a speciality, language, country, mode) to translate."""

    count: int
    """How many results there are when this is the only value chosen in its facet."""

    selected: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """One way to narrow the answer, with its most frequent values first."""

    name: str
    """The filter of :class:`Query` it sets."""

    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Expansion:
    """What a part of the question was also understood as."""

    said: str
    code: str
    """A shared speciality."""

    how: How


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to one :class:`Query`."""

    query: Query
    hits: tuple[Hit, ...]
    """One page of the people who fit, best first; all of them ``confident``."""

    total: int
    """How many fit, over all pages."""

    perhaps: tuple[Hit, ...]
    """On the first page: a few who may be meant; never ``confident``."""

    facets: tuple[Facet, ...]
    expansions: tuple[Expansion, ...]
    pages: int
    """How many pages there are; at least 1."""

    spaces: int
    """In how many spaces the people who fit are."""

    here: int
    """How many of them are in this space."""

    everywhere: int
    """How many would fit with ``scope=everywhere``; equals ``total`` under that scope."""

    origin: City | None = None
    """The city from which distances are counted; None for this space."""

    namesakes: tuple[City, ...] = ()
    """Other cities of that name, one of each country."""
