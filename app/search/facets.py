"""Narrowing an answer: which filters are on, and how many people each other one would leave.

A count is the number of results there would be if that value were the only one chosen in its
facet while every other facet stays as it is. Within a facet any chosen value is enough; between
facets all must hold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from app.search.answers import Facet, Option
from app.search.places import Places
from app.search.query import MANY, SWITCHES, Query
from app.search.snapshot import KEPT, Snapshot, rows

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
    "remote",
    "coworker_rate",
)
#: Values of one facet that are offered; what is chosen is always among them.
OPTIONS = 40
#: Up to this many people are looked at one by one; for more, each value's set is compared.
FEW = 1500
#: Counts of large sets that a snapshot remembers; "everybody" is asked for all the time.
COUNTS = 60

Sets = Mapping[str, Mapping[str, int]]


def sets_of(held: Snapshot, where: Places) -> Sets:
    """Return the people behind each value of each facet."""
    return {
        **{name: held.facets[name] for name in KEPT},
        "space": where.people,
        "city": where.cities,
        "country": where.countries,
        "within": where.within,
    }


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
            allowed |= sets[name].get(value, 0)
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
    few = {of: _of_few(of, held) for of in set(others.values()) if of.bit_count() <= FEW}

    def counts(name: str) -> Mapping[str, int]:
        if name in KEPT and others[name] in few:
            return few[others[name]].get(name, {})
        return _of_many(name, others[name], held, sets)

    found = (_facet(name, counts(name), query, names) for name in NAMES)
    return tuple(facet for facet in found if facet.options)


def _of_few(people: int, held: Snapshot) -> dict[str, dict[str, int]]:
    """Return how many of ``people`` have each value, by looking at each of them."""
    found: dict[str, dict[str, int]] = {name: {} for name in KEPT}
    pairs = Counter(pair for row in rows(people) for pair in held.values.get(row, ()))
    for (name, value), count in pairs.items():
        found[name][value] = count
    return found


def _of_many(name: str, people: int, held: Snapshot, sets: Sets) -> Mapping[str, int]:
    """Return how many of ``people`` have each value, by looking at each value."""
    if name not in KEPT:
        return {value: (people & of).bit_count() for value, of in sets[name].items()}
    known = held.counts.get((name, people))
    if known is None:
        if len(held.counts) >= COUNTS:
            held.counts.clear()
        known = {value: (people & of).bit_count() for value, of in sets[name].items()}
        held.counts[name, people] = known
    return known


def _facet(name: str, found: Mapping[str, int], query: Query, names: Mapping[str, str]) -> Facet:
    on = chosen(query).get(name, ())
    counts = {**found, **{value: found.get(value, 0) for value in on}}
    kept = [value for value, count in counts.items() if count or value in on]
    kept.sort(key=lambda value: int(value) if name == "within" else (-counts[value], value))
    if len(kept) > OPTIONS:
        kept = kept[:OPTIONS] + [value for value in kept[OPTIONS:] if value in on]
    labels = names if name == "space" else {}
    return Facet(
        name,
        tuple(
            Option(value, labels.get(value, value), counts[value], value in on) for value in kept
        ),
    )
