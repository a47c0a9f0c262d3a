"""Narrowing an answer: which filters are on, and how many people each other one would leave.

A count is the number of results there would be if that value were the only one chosen in its
facet while every other facet stays as it is. Within a facet any chosen value is enough; between
facets all must hold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.models.member import HOUR
from app.models.scope import Reader
from app.search.answers import Facet, Option
from app.search.availability import DAYS
from app.search.places import Places
from app.search.prices import Band
from app.search.query import MANY, SWITCHES, Query
from app.search.snapshot import KEPT, Snapshot, rows
from app.search.writing import UNTIL

#: Facets in the order in which pages offer them.
NAMES = (
    "domain",
    "speciality",
    "space",
    "city",
    "country",
    "within",
    "language",
    "mode",
    "price",
    "remote",
    "coworker_rate",
    "availability",
)
#: Facets whose values end: a rate holds until its last day, and is not shown afterwards.
ENDING = ("price", "coworker_rate")
#: Values of one facet that are offered; what is chosen is always among them.
OPTIONS = 40
#: Up to this many people are looked at one by one; for more, each value's set is compared.
FEW = 1500
#: Counts of large sets that a snapshot remembers; "everybody" is asked for all the time.
COUNTS = 60


@dataclass(frozen=True, slots=True)
class Sets:
    """The people behind each value of each facet, as one reader may know them on one day."""

    of: Mapping[str, Mapping[str, int]]
    kept: Mapping[str, str]
    """Under which name the snapshot keeps a facet's values, for those that it keeps."""

    today: str


def sets_of(held: Snapshot, where: Places, reader: Reader, today: date) -> Sets:
    """Return the people behind each value of each facet.

    A visitor sees no coworker rates: for them nobody has one, and prices are the public ones.
    """
    visitor = reader is Reader.VISITOR
    kept = {name: name for name in NAMES if name in KEPT}
    if visitor:
        kept["price"] = "public_price"
        del kept["coworker_rate"]
    day = today.isoformat()
    of = {
        name: _holding(held.facets[stored], day) if name in ENDING else held.facets[stored]
        for name, stored in kept.items()
    }
    places = {
        "space": where.people,
        "city": where.cities,
        "country": where.countries,
        "within": where.within,
    }
    return Sets({"coworker_rate": {}} | of | places, kept, day)


def _holding(values: Mapping[str, int], today: str) -> dict[str, int]:
    """Return those of a facet's values that are true ``today``, with their people."""
    found: dict[str, int] = {}
    for value, people in values.items():
        name, _, until = value.partition(UNTIL)
        if not until or until >= today:
            found[name] = found.get(name, 0) | people
    return found


def chosen(query: Query) -> dict[str, tuple[str, ...]]:
    """Return the values that are on, by facet; facets without any are left out."""
    on = {name: getattr(query, name) for name in MANY}
    on |= {name: ("1",) if getattr(query, name) else () for name in SWITCHES}
    on["within"] = (str(query.within),) if query.within else ()
    return {name: values for name, values in on.items() if values}


def filtered(people: int, query: Query, sets: Sets, without: str = "") -> int:
    """Return those of ``people`` who pass every filter, except that of the facet ``without``."""
    for name, values in chosen(query).items():
        if name == without:
            continue
        allowed = 0
        for value in values:
            allowed |= sets.of[name].get(value, 0)
        people &= allowed
    return people


def facets(
    people: int, query: Query, held: Snapshot, sets: Sets, names: Mapping[str, str]
) -> tuple[Facet, ...]:
    """Return every facet of an answer.

    :param people: who answers the question in its scope, before any filter.
    :param names: of the spaces, by reference.
    """
    others = {name: filtered(people, query, sets, without=name) for name in NAMES}
    few = {of: _of_few(of, held, sets) for of in set(others.values()) if of.bit_count() <= FEW}

    def counts(name: str) -> Mapping[str, int]:
        if name in sets.kept and others[name] in few:
            return few[others[name]].get(name, {})
        return _of_many(name, others[name], held, sets)

    found = (_facet(name, counts(name), query, names) for name in NAMES)
    return tuple(facet for facet in found if facet.options)


def _of_few(people: int, held: Snapshot, sets: Sets) -> dict[str, dict[str, int]]:
    """Return how many of ``people`` have each value, by looking at each of them."""
    found: dict[str, dict[str, int]] = {name: {} for name in KEPT}
    pairs = Counter(pair for row in rows(people) for pair in held.values.get(row, ()))
    for (name, value), count in pairs.items():
        found[name][value] = count
    return {
        name: _counted(found[stored], sets.today) if name in ENDING else found[stored]
        for name, stored in sets.kept.items()
    }


def _counted(found: Mapping[str, int], today: str) -> dict[str, int]:
    """Return the counts of those values that are true ``today``; nobody has one of them twice."""
    counts: Counter[str] = Counter()
    for value, count in found.items():
        name, _, until = value.partition(UNTIL)
        if not until or until >= today:
            counts[name] += count
    return counts


def _of_many(name: str, people: int, held: Snapshot, sets: Sets) -> Mapping[str, int]:
    """Return how many of ``people`` have each value, by looking at each value."""
    if name not in sets.kept:
        return {value: (people & of).bit_count() for value, of in sets.of[name].items()}
    remembered = sets.kept[name] + (sets.today if name in ENDING else "")
    known = held.counts.get((remembered, people))
    if known is None:
        if len(held.counts) >= COUNTS:
            held.counts.clear()
        known = {value: (people & of).bit_count() for value, of in sets.of[name].items()}
        held.counts[remembered, people] = known
    return known


def _facet(name: str, found: Mapping[str, int], query: Query, names: Mapping[str, str]) -> Facet:
    on = chosen(query).get(name, ())
    counts = {**found, **{value: found.get(value, 0) for value in on}}
    kept = [value for value, count in counts.items() if count or value in on]
    kept.sort(key=_order(name, counts))
    if len(kept) > OPTIONS:
        kept = kept[:OPTIONS] + [value for value in kept[OPTIONS:] if value in on]
    labels = names if name == "space" else {}
    return Facet(
        name,
        tuple(
            Option(value, labels.get(value, value), counts[value], value in on) for value in kept
        ),
    )


def _order(name: str, counts: Mapping[str, int]) -> Callable[[str], Any]:
    """Return what to sort a facet's values by: frequent ones first, unless they have an order."""
    if name == "within":
        return int
    if name == "availability":
        return DAYS.index
    if name == "price":
        return lambda value: _of_price(value, counts)
    return lambda value: (-counts[value], value)


def _of_price(value: str, counts: Mapping[str, int]) -> tuple[int, str, bool, int]:
    """The most frequent currency first, in it hours before days, in them the lowest first."""
    band = Band.read(value)
    if band is None:
        return 1, value, False, 0
    in_it = sum(count for other, count in counts.items() if other.startswith(f"{band.currency}-"))
    return -in_it, band.currency, band.unit != HOUR, band.least
