"""What every search needs of all people at once, held in memory: who is where, and the facets.

Sets of people are integers whose n-th bit stands for row n of the index: an intersection of a
hundred thousand people is one ``&``, a count is ``bit_count()``. One snapshot per database and
process; it follows the index by its stamps, reading only the rows that changed. A transaction that
has itself written to the index reads a snapshot of its own, because it may yet be undone.

Who may be seen is not in here: it is computed from the rows of members and peers for each search.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from app.search.index import MEMBER, MIRRORED, written_here

#: Facets whose values stand in the index; those of places are computed from the peers.
KEPT = ("speciality", "domain", "language", "mode", "remote", "coworker_rate")


@dataclass(slots=True)
class Snapshot:
    """All rows of the index as sets; see the module."""

    epoch: str
    stamp: int = 0
    everybody: int = 0
    members: int = 0
    public: int = 0
    """Neighbours' profiles that visitors may see too."""

    of_peer: dict[int, int] = field(default_factory=dict)
    facets: dict[str, dict[str, int]] = field(default_factory=lambda: {name: {} for name in KEPT})
    owner: dict[int, tuple[str, int, int | None]] = field(default_factory=dict)
    """What each row of the index stands for: kind, id of that row, and id of its peer."""

    row_of: dict[tuple[str, int], int] = field(default_factory=dict)
    name: dict[int, str] = field(default_factory=dict)
    """Folded, to sort by."""


_snapshots: WeakKeyDictionary[Engine, Snapshot] = WeakKeyDictionary()


def snapshot(session: Session) -> Snapshot:
    """Return the snapshot of the session's database, brought up to what the session sees."""
    connection = session.connection()
    epoch, stamp = connection.exec_driver_sql("SELECT epoch, stamp FROM search_state").one()
    if written_here(session):
        return _followed(Snapshot(epoch), connection, stamp)
    held = _snapshots.get(connection.engine)
    if held is None or held.epoch != epoch or held.stamp > stamp:
        held = Snapshot(epoch)
    if held.stamp < stamp:
        # A copy: another thread may be reading the one that we hold.
        held = _followed(_copy(held), connection, stamp)
        _snapshots[connection.engine] = held
    return held


def rows(people: int) -> Iterator[int]:
    """Return the row numbers of a set, in ascending order."""
    data = people.to_bytes((people.bit_length() + 7) // 8, "little")
    for position, byte in enumerate(data):
        if byte:
            base = position * 8
            for bit in _BITS[byte]:
                yield base + bit


def as_set(numbers: Iterable[int]) -> int:
    """Return the set of these row numbers."""
    listed = list(numbers)
    if not listed:
        return 0
    data = bytearray((max(listed) >> 3) + 1)
    for number in listed:
        data[number >> 3] |= 1 << (number & 7)
    return int.from_bytes(data, "little")


_BITS = tuple(tuple(bit for bit in range(8) if byte >> bit & 1) for byte in range(256))


def _copy(held: Snapshot) -> Snapshot:
    return Snapshot(
        held.epoch,
        held.stamp,
        held.everybody,
        held.members,
        held.public,
        dict(held.of_peer),
        {name: dict(values) for name, values in held.facets.items()},
        dict(held.owner),
        dict(held.row_of),
        dict(held.name),
    )


def _followed(held: Snapshot, connection: Connection, stamp: int) -> Snapshot:
    """Bring ``held`` up to ``stamp`` by reading the rows that were written since."""
    changed = connection.exec_driver_sql(
        "SELECT id, kind, owner, peer_id, public, facets FROM search_doc WHERE stamp > ?",
        (held.stamp,),
    ).all()
    _leave(held, as_set(row[0] for row in changed if row[0] in held.owner))
    joining: dict[tuple[str, str], list[int]] = defaultdict(list)
    peers: dict[int, list[int]] = defaultdict(list)
    for number, kind, owner, peer_id, public, facets in changed:
        if kind not in (MEMBER, MIRRORED):
            continue
        joining["kind", kind].append(number)
        held.owner[number] = (kind, owner, peer_id)
        held.row_of[kind, owner] = number
        if public:
            joining["kind", "public"].append(number)
        if peer_id is not None:
            peers[peer_id].append(number)
        values = json.loads(facets)
        held.name[number] = values["name"][0]
        for name in KEPT:
            for value in values[name]:
                joining[name, value].append(number)
    held.members |= as_set(joining.pop(("kind", MEMBER), ()))
    held.public |= as_set(joining.pop(("kind", "public"), ()))
    mirrored = as_set(joining.pop(("kind", MIRRORED), ()))
    held.everybody |= held.members | mirrored
    for peer_id, numbers in peers.items():
        held.of_peer[peer_id] = held.of_peer.get(peer_id, 0) | as_set(numbers)
    for (name, value), numbers in joining.items():
        values = held.facets[name]
        values[value] = values.get(value, 0) | as_set(numbers)
    held.stamp = stamp
    return held


def _leave(held: Snapshot, leaving: int) -> None:
    """Take the people of ``leaving`` out of every set; they may come back as they are now."""
    if not leaving:
        return
    for number in rows(leaving):
        held.row_of.pop(held.owner.pop(number)[:2], None)
        held.name.pop(number, None)
    held.everybody &= ~leaving
    held.members &= ~leaving
    held.public &= ~leaving
    held.of_peer = {peer: people & ~leaving for peer, people in held.of_peer.items()}
    for name, values in held.facets.items():
        held.facets[name] = {
            value: left for value, people in values.items() if (left := people & ~leaving)
        }
