"""Where the spaces are, seen from here or from a city: distances, and who coworks where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt
from typing import NamedTuple

from app.models.peer import Peer
from app.models.space import Space
from app.search.cities import City, cities_called
from app.search.neighbours import Neighbour
from app.search.people import NOBODY, People, union
from app.search.query import DISTANCES
from app.search.snapshot import Snapshot
from app.search.text import content

#: Mean radius of the Earth in kilometres (IUGG).
EARTH_KM = 6371.0088
#: Up to here a space counts as near.
NEAR_KM = 50


@dataclass(frozen=True, slots=True)
class Places:
    """The spaces whose people may be shown, as sets of people."""

    visible: People
    people: dict[str, People]
    """By space: ``here``, or the peer's reference."""

    names: dict[str, str]
    cities: dict[str, People]
    countries: dict[str, People]
    within: dict[str, People]
    km: dict[int | None, float | None]
    """Distance from the origin by peer id; None stands for this space."""

    words: dict[str, list[People]]
    """By each word (stem) of a city's or a space's name: the people of each."""

    origin: City | None = None
    """The city from which the distances are; None for this space."""

    namesakes: tuple[City, ...] = ()
    """Other cities that were perhaps meant."""


def places(
    held: Snapshot, here: Space, peers: Sequence[Neighbour], visible: People, near: str = ""
) -> Places:
    """Return who of ``visible`` is where, given the peers that may be shown.

    :param near: the city from which distances count; empty for this space.
    """
    # Who names a city means one in reach more often than a larger one far away.
    cities = cities_called(near, frozenset({here.country, *(peer.country for peer in peers)}))
    origin = cities[0] if cities else None
    here_is = distance(origin, here) if origin else 0
    at = [_At("here", here, held.members & visible, None, here_is)]
    for peer in peers:
        people = held.of_peer.get(peer.id, NOBODY) & visible
        at.append(_At(peer.ref, peer, people, peer.id, distance(origin or here, peer)))
    within = {
        str(limit): union([one.people for one in at if one.km is not None and one.km <= limit])
        for limit in DISTANCES
    }
    return Places(
        visible,
        people={one.ref: one.people for one in at},
        names={one.ref: one.where.name or one.where.url for one in at},
        cities=_together((one.where.city, one.people) for one in at),
        countries=_together((one.where.country, one.people) for one in at),
        within=within,
        km={one.number: one.km for one in at},
        words=_worded(at),
        origin=origin,
        namesakes=tuple(cities[1:]),
    )


class _At(NamedTuple):
    """A space, and who of the visible coworks there."""

    ref: str
    where: Space | Neighbour
    people: People
    number: int | None
    km: float | None


def _together(found: Iterable[tuple[str, People]]) -> dict[str, People]:
    """Return all people of each name; those of none are left out."""
    named: dict[str, list[People]] = defaultdict(list)
    for name, people in found:
        if name:
            named[name].append(people)
    return {name: union(sets) for name, sets in named.items()}


def _worded(at: Iterable[_At]) -> dict[str, list[People]]:
    worded: dict[str, list[People]] = defaultdict(list)
    for one in at:
        for word in (*content(one.where.city), *content(one.where.name)):
            if len(word.stem) >= 3:
                worded[word.stem].append(one.people)
    return worded


def distance(one: Space | Peer | Neighbour | City, other: Space | Peer | Neighbour) -> float | None:
    """Return the great-circle distance in kilometres; None when a position is not known."""
    if None in (one.latitude, one.longitude, other.latitude, other.longitude):
        return None
    return haversine(
        float(one.latitude or 0),
        float(one.longitude or 0),
        float(other.latitude or 0),
        float(other.longitude or 0),
    )


def haversine(lat: float, lon: float, lat_2: float, lon_2: float) -> float:
    """Return the distance in kilometres between two points given in degrees."""
    half = sin(radians(lat_2 - lat) / 2) ** 2
    half += cos(radians(lat)) * cos(radians(lat_2)) * sin(radians(lon_2 - lon) / 2) ** 2
    return 2 * EARTH_KM * asin(sqrt(min(1.0, half)))
