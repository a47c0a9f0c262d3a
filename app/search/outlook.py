"""What a reader looks out on, whatever they ask: who may be seen, who is where, what can be chosen.

Who may be seen is read from the rows for each search. What follows from it, and from the sets of a
snapshot, is the same as long as both are, and is remembered with the snapshot.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from app.models.scope import Reader
from app.models.space import Space
from app.search.facets import Sets, sets_of
from app.search.people import NOBODY, People, union
from app.search.places import NEAR_KM, Places, places
from app.search.sight import Sight
from app.search.snapshot import Snapshot

#: Outlooks that a snapshot remembers: a few kinds of readers, and the cities they name.
REMEMBERED = 16


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """Everybody whom one reader may see on one day, by place and by whatever can be chosen.

    Equal to none but itself, so that what was answered can be known by it.
    """

    sight: Sight
    where: Places
    sets: Sets
    groups: tuple[People, People, People]
    """Everybody, seen or not, who is here, near, and elsewhere."""

    rings: tuple[People, ...]
    """Sets of people who are equally far, the closest first."""

    @classmethod
    def of(cls, held: Snapshot, sight: Sight, here: Space, today: date, near: str) -> Outlook:
        """Work out what ``sight`` sees from this space, or from the city ``near``."""
        where = places(held, here, sight.peers, sight.rows(held), near)
        ours = NOBODY if where.origin else held.members
        close = union([_those_of(held, at) for at, km in where.km.items() if is_near(km)])
        groups = ours, close - ours, held.everybody - ours - close
        return cls(
            sight, where, sets_of(held, where, sight.reader, today), groups, _rings(held, where)
        )


def outlook(
    session: Session, held: Snapshot, reader: Reader, here: Space, now: datetime, near: str
) -> Outlook:
    """Return what ``reader`` looks out on at ``now``, remembered or worked out.

    :param near: the city from which distances count; empty for this space.
    """
    sight, today = Sight.of(session, reader, now), now.date()
    at = (here.url, here.name, here.city, here.country, here.latitude, here.longitude)
    seen = (sight, at, today, near)
    found: Outlook | None = held.outlooks.get(seen)
    if found is None:
        found = Outlook.of(held, sight, here, today, near)
        if len(held.outlooks) >= REMEMBERED:
            held.outlooks.clear()
        held.outlooks[seen] = found
    return found


def is_near(km: float | None) -> bool:
    """Tell whether so many kilometres are near; nobody knows how far None is."""
    return km is not None and km <= NEAR_KM


def _rings(held: Snapshot, where: Places) -> tuple[People, ...]:
    far: Mapping[float, list[People]] = defaultdict(list)
    for number, km in where.km.items():
        far[float("inf") if km is None else km].append(_those_of(held, number))
    return tuple(union(far[km]) for km in sorted(far))


def _those_of(held: Snapshot, number: int | None) -> People:
    """Return the people of a peer, or of this space for None."""
    return held.members if number is None else held.of_peer.get(number, NOBODY)
