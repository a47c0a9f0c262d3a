"""Narrowing an answer: which filters are on, and how many people each other one would leave.

A count is the number of results there would be if that value were the only one chosen in its
facet while every other facet stays as it is. Within a facet any chosen value is enough; between
facets all must hold.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.search.answers import Facet, Option
from app.search.places import Places
from app.search.query import MANY, SWITCHES, Query
from app.search.snapshot import KEPT, Snapshot

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


def facets(people: int, query: Query, sets: Sets, names: Mapping[str, str]) -> tuple[Facet, ...]:
    """Return every facet of an answer.

    :param people: who answers the question in its scope, before any filter.
    :param names: of the spaces, by reference.
    """
    found = (_facet(name, people, query, sets, names) for name in NAMES)
    return tuple(facet for facet in found if facet.options)


def _facet(name: str, people: int, query: Query, sets: Sets, names: Mapping[str, str]) -> Facet:
    others = filtered(people, query, sets, without=name)
    on = chosen(query).get(name, ())
    counts = {value: (others & of).bit_count() for value, of in sets[name].items()}
    counts |= {value: counts.get(value, 0) for value in on}
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
