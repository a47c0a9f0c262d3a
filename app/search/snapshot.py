"""What every search needs of all people at once, held in memory: who is where, and the facets.

Sets of people are integers whose n-th bit stands for row n of the index: an intersection of a
hundred thousand people is one ``&``, a count is ``bit_count()``. One snapshot per database and
process; it follows the index by its stamps, reading only the rows that changed. A transaction that
has itself written to the index reads a snapshot of its own, because it may yet be undone.

Snapshots that follow each other share what is known of single rows; the sets say who is in them.

Who may be seen is not in here: it is computed from the rows of members and peers for each search.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from threading import Lock
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, select
from sqlalchemy.orm import Session

from app.search.index import FRONT, MEMBER, MIRRORED, written_here
from app.search.store import store
from app.search.tables import Sought, doc, state
from app.search.text import letters_of

#: Facets whose values stand in the index; those of places are computed from the peers. What a
#: service costs coworkers is no visitor's business, hence two prices.
KEPT = (
    "speciality",
    "domain",
    "language",
    "mode",
    "remote",
    "coworker_rate",
    "price",
    "public_price",
    "availability",
)

Terms = dict[tuple[str, int], dict[str, int]]
Pair = tuple[str, str]


@dataclass(slots=True)
class Snapshot:
    """All rows of the index as sets; see the module."""

    epoch: str
    stamp: int = 0
    everybody: int = 0
    members: int = 0
    fronts: int = 0
    """What visitors see of neighbours who keep something from them: rows beside the whole ones."""

    public: int = 0
    """Neighbours' rows that visitors may see."""

    of_peer: dict[int, int] = field(default_factory=dict)
    facets: dict[str, dict[str, int]] = field(default_factory=lambda: {name: {} for name in KEPT})
    owner: dict[int, tuple[str, int, int | None]] = field(default_factory=dict)
    """What each row of the index stands for: kind, id of that row, and id of its peer."""

    row_of: dict[tuple[str, int], int] = field(default_factory=dict)
    name: dict[int, str] = field(default_factory=dict)
    """Folded, to sort by."""

    values: dict[int, tuple[Pair, ...]] = field(default_factory=dict)
    """Facet and value of everything a row can be filtered by."""

    pairs: dict[Pair, Pair] = field(default_factory=dict)
    """Each pair once, so that all rows share it."""

    postings: dict[tuple[str, tuple[Sought, ...]], int] = field(default_factory=dict)
    """Who matches what was looked for at this stamp."""

    counts: dict[tuple[str, int], dict[str, int]] = field(default_factory=dict)
    """How many of a set have each value of a facet, at this stamp."""

    _names: list[int] = field(default_factory=list)
    _terms: Terms = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many bits a set may have."""
        return self.everybody.bit_length()

    def by_name(self) -> list[int]:
        """Return all rows in the order of their names."""
        if not self._names:
            self._names = sorted(rows(self.everybody), key=lambda row: (self.name[row], row))
        return self._names

    def terms(self, words: Callable[[], Iterable[str]]) -> Terms:
        """Return every word of the profiles by first letter and length, with its letters.

        :param words: gives all of them, if this is the first time.
        """
        if not self._terms:
            learnt: Terms = {}
            _learn(learnt, words())
            # At once, so that no other thread takes half of the words for all of them.
            self._terms = learnt
        return self._terms


_snapshots: WeakKeyDictionary[Engine, Snapshot] = WeakKeyDictionary()
#: Two threads that follow at once would take the same row out of a set twice.
_following = Lock()


def snapshot(session: Session) -> Snapshot:
    """Return the snapshot of the session's database, brought up to what the session sees."""
    connection = session.connection()
    epoch, stamp = connection.execute(select(state.c.epoch, state.c.stamp)).one()
    with _following:
        held = _snapshots.get(connection.engine)
        if held is None or held.epoch != epoch:
            held = Snapshot(epoch)
        if written_here(session):
            own = _apart(held) if held.stamp < stamp else Snapshot(epoch)
            return _followed(own, connection, stamp)
        if held.stamp > stamp:
            # The session began before somebody else's commit. Newer sets do no harm: who is
            # shown is read from the rows; but what it looks up now is not theirs to remember.
            return replace(held, postings={}, counts={})
        if held.stamp < stamp:
            held = _followed(_next(held), connection, stamp)
            _snapshots[connection.engine] = held
        return held


def rows(people: int) -> Iterator[int]:
    """Return the row numbers of a set, in ascending order."""
    data = people.to_bytes((people.bit_length() + 7) // 8, "little")
    for byte in _SOME.finditer(data):
        base = byte.start() * 8
        for bit in _BITS[data[byte.start()]]:
            yield base + bit


def as_set(numbers: Iterable[int]) -> int:
    """Return the set of these row numbers."""
    listed = list(numbers)
    if not listed:
        return 0
    size = max(listed) + 1
    if len(listed) * 64 > size:
        # Digits to a number of base two: the quickest way for many.
        digits = bytearray(b"0") * size
        for number in listed:
            digits[-1 - number] = 49
        return int(digits, 2)
    data = bytearray((size >> 3) + 1)
    for number in listed:
        data[number >> 3] |= 1 << (number & 7)
    return int.from_bytes(data, "little")


#: A byte that is not zero; sets are mostly empty, and this passes over what is quickly.
_SOME = re.compile(rb"[^\0]", re.DOTALL)
_BITS = tuple(tuple(bit for bit in range(8) if byte >> bit & 1) for byte in range(256))


def _next(held: Snapshot) -> Snapshot:
    """A snapshot to bring further; other threads may be reading the sets of ``held``."""
    return replace(
        held,
        of_peer=dict(held.of_peer),
        facets={name: dict(values) for name, values in held.facets.items()},
        postings={},
        counts={},
        _names=[],
    )


def _apart(held: Snapshot) -> Snapshot:
    """A snapshot that shares nothing: what it is brought to may yet be undone."""
    return replace(
        _next(held),
        owner=dict(held.owner),
        row_of=dict(held.row_of),
        name=dict(held.name),
        values=dict(held.values),
        _terms={},
    )


def _followed(held: Snapshot, connection: Connection, stamp: int) -> Snapshot:
    """Bring ``held`` up to ``stamp`` by reading the rows that were written since."""
    columns = (doc.c.id, doc.c.kind, doc.c.owner, doc.c.peer_id, doc.c.public, doc.c.facets)
    changed = connection.execute(select(*columns).where(doc.c.stamp > held.stamp)).all()
    _leave(held, [row[0] for row in changed if row[0] in held.values])
    if held._terms:
        _learn(held._terms, store(connection).words_since(held.stamp))
    kinds: dict[str, list[int]] = defaultdict(list)
    joining: dict[Pair, list[int]] = defaultdict(list)
    peers: dict[int, list[int]] = defaultdict(list)
    for number, kind, owner, peer_id, public, facets in changed:
        if kind not in (MEMBER, MIRRORED, FRONT):
            continue
        kinds[kind].append(number)
        held.owner[number] = (kind, owner, peer_id)
        held.row_of[kind, owner] = number
        if public:
            kinds["public"].append(number)
        if peer_id is not None:
            peers[peer_id].append(number)
        values = json.loads(facets)
        held.name[number] = values["name"][0]
        pairs = ((name, value) for name in KEPT for value in values[name])
        held.values[number] = tuple(held.pairs.setdefault(pair, pair) for pair in pairs)
        for pair in held.values[number]:
            joining[pair].append(number)
    held.members |= as_set(kinds[MEMBER])
    held.fronts |= as_set(kinds[FRONT])
    held.public |= as_set(kinds["public"])
    held.everybody |= held.members | held.fronts | as_set(kinds[MIRRORED])
    for peer_id, numbers in peers.items():
        held.of_peer[peer_id] = held.of_peer.get(peer_id, 0) | as_set(numbers)
    for (name, value), numbers in joining.items():
        held.facets[name][value] = held.facets[name].get(value, 0) | as_set(numbers)
    held.stamp = stamp
    return held


def _leave(held: Snapshot, numbers: list[int]) -> None:
    """Take these rows out of every set; they may come back as they are now."""
    if not numbers:
        return
    leaving: dict[Pair, list[int]] = defaultdict(list)
    for number in numbers:
        for pair in held.values.pop(number):
            leaving[pair].append(number)
    for (name, value), those in leaving.items():
        left = held.facets[name][value] ^ as_set(those)
        if left:
            held.facets[name][value] = left
        else:
            del held.facets[name][value]
    gone = as_set(numbers)
    held.everybody ^= gone
    held.members &= ~gone
    held.fronts &= ~gone
    held.public &= ~gone
    held.of_peer = {peer: people & ~gone for peer, people in held.of_peer.items()}


def _learn(terms: Terms, found: Iterable[str]) -> None:
    for term in found:
        terms.setdefault((term[:1], len(term)), {})[term] = letters_of(term)
