"""Narrowing an answer: which filters are on, and how many people each other one would leave.

A count is the number of results there would be if that value were the only one chosen in its
facet while every other facet stays as it is. Within a facet any chosen value is enough; between
facets all must hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any, Self

from app.models.member import HOUR
from app.models.scope import Reader
from app.search.answers import Facet, Option
from app.search.availability import DAYS
from app.search.keys import KEPT
from app.search.people import NOBODY, People, union
from app.search.places import Places
from app.search.prices import Band
from app.search.query import MANY, SWITCHES, Query
from app.search.snapshot import Snapshot
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
#: Facets whose values have an order of their own; those of all others stand by how many have them.
ORDERED = ("within", "price", "availability")
#: Facets whose values end: a rate holds until its last day, and is not shown afterwards.
ENDING = ("price", "coworker_rate")
#: Values of one facet that are offered; what is chosen is always among them.
OPTIONS = 40
#: So few people, and one of so many people, are counted by themselves; see :class:`Counted`.
FEW, DENSE = 1000, 12


@dataclass(frozen=True, slots=True)
class Sets:
    """The people behind each value of each facet, as one reader may know them on one day."""

    of: Mapping[str, Mapping[str, People]]
    everybody: People
    ranked: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    def by_size(self, name: str) -> list[tuple[int, str]]:
        """Return the values of a facet, each behind how many have it, the most frequent first."""
        if name not in self.ranked:
            sizes = ((len(those), value) for value, those in self.of[name].items())
            self.ranked[name] = sorted(sizes, reverse=True)
        return self.ranked[name]


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
    return Sets({"coworker_rate": {}} | of | places, held.everybody)


def _holding(values: Mapping[str, People], today: str) -> dict[str, People]:
    """Return those of a facet's values that are true ``today``, with their people."""
    found: dict[str, People] = {}
    for value, people in values.items():
        name, _, until = value.partition(UNTIL)
        if not until or until >= today:
            found[name] = found.get(name, NOBODY) | people
    return found


def chosen(query: Query) -> dict[str, tuple[str, ...]]:
    """Return the values that are on, by facet; facets without any are left out."""
    on = {name: getattr(query, name) for name in MANY}
    on |= {name: ("1",) if getattr(query, name) else () for name in SWITCHES}
    on["within"] = (str(query.within),) if query.within else ()
    return {name: values for name, values in on.items() if values}


def filtered(people: People, query: Query, sets: Sets, without: str = "") -> People:
    """Return those of ``people`` who pass every filter, except that of the facet ``without``."""
    for name, values in chosen(query).items():
        if name == without:
            continue
        people &= union([sets.of[name].get(value, NOBODY) for value in values])
    return people


def facets(people: People, query: Query, sets: Sets, names: Mapping[str, str]) -> tuple[Facet, ...]:
    """Return every facet of an answer.

    :param people: who answers the question in its scope, before any filter.
    :param names: of the spaces, by reference.
    """
    on = chosen(query)
    # Of a facet in which nothing is chosen, all filters count: mostly the same people.
    alike = Counted.of(filtered(people, query, sets), sets)
    found = []
    for name in NAMES:
        values = on.get(name, ())
        counted = Counted.of(filtered(people, query, sets, name), sets) if values else alike
        if name in ORDERED:
            counts = counted.all(sets.of[name])
        else:
            counts = counted.most(sets.of[name], values, partial(sets.by_size, name))
        found.append(_facet(name, counts, values, names))
    return tuple(facet for facet in found if facet.options)


@dataclass(frozen=True, slots=True)
class Counted:
    """People who are counted by the values of facets, and everybody else where that is quicker."""

    people: People
    others: People | None
    many: bool
    """So many that there are values which the frequent ones outdo without being counted."""

    @classmethod
    def of(cls, people: People, sets: Sets) -> Self:
        many = len(people) >= len(sets.everybody) // DENSE
        # Two lists take the time of both; those who are not of them are bits instead of a list.
        middling = len(people) > FEW and not many
        return cls(people, sets.everybody - people if middling else None, many)

    def most(
        self,
        of: Mapping[str, People],
        on: Sequence[str],
        by_size: Callable[[], Sequence[tuple[int, str]]],
    ) -> dict[str, int]:
        """Do as :meth:`all` does, but leave out values too rare to be among those offered.

        :param on: values that are counted however rare they are.
        :param by_size: tells all values, the most frequent first, each behind how many have it.
        """
        if not self.many or len(of) <= 2 * OPTIONS:
            return self.all(of)
        counts: dict[str, int] = {}
        sizes = by_size()
        for start in range(0, len(sizes), OPTIONS):
            some = sizes[start : start + OPTIONS]
            # Nobody can have a value more often than everybody has.
            if start and sizes[start][0] < _last_offered(counts):
                break
            counts |= self.all({value: of[value] for _, value in some})
        return counts | self.all({value: of[value] for value in on if value in of})

    def all(self, of: Mapping[str, People]) -> dict[str, int]:
        """Return how many people have each value, leaving out what nobody has."""
        if self.others is None:
            common = self.people.intersection_cardinality
            counts = {value: common(those) for value, those in of.items()}
        else:
            common = self.others.intersection_cardinality
            counts = {value: len(those) - common(those) for value, those in of.items()}
        return {value: count for value, count in counts.items() if count}


def _last_offered(counts: Mapping[str, int]) -> int:
    """Return how often the last value occurs that is offered, so far; 0 while there is room."""
    if len(counts) < OPTIONS:
        return 0
    return sorted(counts.values(), reverse=True)[OPTIONS - 1]


def _facet(
    name: str, found: Mapping[str, int], on: Sequence[str], names: Mapping[str, str]
) -> Facet:
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
