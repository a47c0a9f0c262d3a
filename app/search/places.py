"""Where the spaces are, seen from here or from a city: distances, and who coworks where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt

from app.models.peer import Peer
from app.models.space import Space
from app.search.cities import City, cities_called
from app.search.people import NOBODY, People
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
    held: Snapshot, here: Space, peers: Sequence[Peer], visible: People, near: str = ""
) -> Places:
    """Return who of ``visible`` is where, given the peers that may be shown.

    :param near: the city from which distances count; empty for this space.
    """
    # Who names a city means one in reach more often than a larger one far away.
    cities = cities_called(near, frozenset({here.country, *(peer.country for peer in peers)}))
    origin = cities[0] if cities else None
    found = Places(
        visible,
        people={},
        names={},
        cities=defaultdict(People),
        countries=defaultdict(People),
        within={},
        km={},
        words=defaultdict(list),
        origin=origin,
        namesakes=tuple(cities[1:]),
    )
    found.within.update({str(km): NOBODY for km in DISTANCES})
    _add(found, "here", here, held.members & visible, None, distance(origin, here) if origin else 0)
    for peer in peers:
        people = held.of_peer.get(peer.id, NOBODY) & visible
        _add(found, peer.ref, peer, people, peer.id, distance(origin or here, peer))
    return found


def _add(
    found: Places,
    ref: str,
    where: Space | Peer,
    people: People,
    number: int | None,
    km: float | None,
) -> None:
    found.people[ref] = people
    found.names[ref] = where.name or where.url
    found.km[number] = km
    if where.city:
        found.cities[where.city] |= people
    if where.country:
        found.countries[where.country] |= people
    for limit in DISTANCES:
        if km is not None and km <= limit:
            found.within[str(limit)] |= people
    for word in (*content(where.city), *content(where.name)):
        if len(word.stem) >= 3:
            found.words[word.stem].append(people)


def distance(one: Space | Peer | City, other: Space | Peer) -> float | None:
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
