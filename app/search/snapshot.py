"""What searches need of all people at once, held in memory: whose they are, and the facets.

One snapshot per database and process. It is read from the sets that stand beside the rows, and
follows the index by its stamps: a change takes its rows out of the sets they were in. What was
looked up is remembered until the next change. A transaction that has itself written to the index
reads a snapshot of its own, because it may yet be undone.

Who may be seen is not in here: it is computed from the rows of members and peers for each search.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, RowMapping, select
from sqlalchemy.orm import Session

from app.search.index import written_here
from app.search.keys import CODED, KEPT, shared_keys, words_of
from app.search.moving import MANY, Coded, Sets, changed_in, in_one
from app.search.people import NOBODY, People, union
from app.search.postings import anybody_beginning, beginning, holding, words_like
from app.search.remembered import Remembered
from app.search.rows import FACE, FRONT, GONE, MEMBER
from app.search.slips import letters_of
from app.search.statements import Statement
from app.search.tables import doc, state
from app.search.writing import COLUMNS

#: Bytes of sets that a snapshot remembers besides those that every search needs.
REMEMBERED = 64 * 2**20
#: Bytes of answers that a snapshot remembers.
ANSWERS = 32 * 2**20

#: How keys of specialities begin.
_OF_CODES = tuple(f"{column}:" for column in CODED)

Words = dict[tuple[str, int], Mapping[str, int]]


@dataclass(slots=True)
class Snapshot:
    """The sets that every search needs, at one stamp of the index; see the module."""

    epoch: str
    stamp: int
    kinds: Sets
    public: People
    """Rows that visitors may see."""

    of_peer: Mapping[int, People]
    facets: Mapping[str, Sets]
    initials: Sets
    """By the first letters of the name, to sort by."""

    everybody: People
    looked_up: dict[str, People] = field(default_factory=dict)
    """Who has what was asked for at this stamp."""

    remembered: int = 0
    """Bytes of what was looked up."""

    words: Words = field(default_factory=dict)
    """Words of the profiles, each with its letters, by first letter and length."""

    coded: Coded | None = None
    """Who has each speciality, by the keys of all columns of codes; read when first asked for."""

    outlooks: dict[Hashable, Any] = field(default_factory=dict)
    """What readers look out on (:mod:`app.search.outlook`)."""

    answers: Remembered[Any] = field(default_factory=lambda: Remembered(ANSWERS))
    """What was answered (:mod:`app.search.find`)."""

    lasting: bool = True
    """Other searches will use this snapshot too, so that it pays to read all codes at once."""

    @classmethod
    def of(cls, epoch: str, stamp: int, sets: Sets) -> Snapshot:
        """Return the snapshot of all sets whose keys begin with ``@``."""
        fields: dict[str, dict[str, People]] = defaultdict(dict)
        for key, people in sets.items():
            name, value = key[1:].split(":", 1)
            fields[name][value] = people
        return cls(
            epoch,
            stamp,
            kinds=fields["kind"],
            public=fields["public"].get("1", NOBODY),
            of_peer={int(value): people for value, people in fields["peer"].items()},
            facets={name: fields[name] for name in KEPT},
            initials=fields["initials"],
            everybody=union(list(fields["kind"].values())),
        )

    @property
    def members(self) -> People:
        """Rows of our own people: as members see them, and as visitors do where they see less."""
        return self.kinds.get(MEMBER, NOBODY) | self.faces

    @property
    def faces(self) -> People:
        """What visitors see of our members who keep something from them."""
        return self.kinds.get(FACE, NOBODY)

    @property
    def fronts(self) -> People:
        """What visitors see of neighbours who keep something from them: beside the whole rows."""
        return self.kinds.get(FRONT, NOBODY)

    def look_up(self, connection: Connection, keys: Iterable[str]) -> None:
        """Read who has each of ``keys``, in one statement, as far as it is not remembered."""
        missing = [key for key in keys if key not in self.looked_up]
        if self.lasting:
            missing = [key for key in missing if not key.startswith(_OF_CODES)]
        if missing:
            found = holding(connection, missing)
            self._remember({key: found.get(key, NOBODY) for key in missing})

    def having(self, connection: Connection, key: str) -> People:
        """Return who has ``key``."""
        if self.lasting and key.startswith(_OF_CODES):
            return self._all_codes(connection).get(key)
        found = self.looked_up.get(key)
        if found is None:
            found = holding(connection, [key]).get(key, NOBODY)
            self._remember({key: found})
        return found

    def _all_codes(self, connection: Connection) -> Coded:
        """Return who has each speciality: a question may mean forty of them, or be near."""
        if self.coded is None:
            found: dict[str, People] = {}
            for begins in _OF_CODES:
                found |= beginning(connection, begins)
            self.coded = Coded(found)
        return self.coded

    def having_any(self, connection: Connection, begins: str) -> People:
        """Return who has any key that begins with ``begins``."""
        found = self.looked_up.get(begins + "*")
        if found is None:
            found = anybody_beginning(connection, begins)
            self._remember({begins + "*": found})
        return found

    def _remember(self, found: Sets) -> None:
        more = sum(map(_bytes, found.values()))
        if self.remembered + more > REMEMBERED:
            self.looked_up.clear()
            self.remembered = 0
        self.looked_up.update(found)
        self.remembered += more

    def words_like(self, connection: Connection, initial: str, size: int) -> Mapping[str, int]:
        """Return the words of one first letter and length, each with its letters."""
        if (initial, size) not in self.words:
            those = words_like(connection, initial, size)
            self.words[initial, size] = {one: letters_of(one) for one in those}
        return self.words[initial, size]


_STATE = Statement(select(state.c.epoch, state.c.stamp))
_snapshots: WeakKeyDictionary[Engine, Snapshot] = WeakKeyDictionary()
#: So that threads which begin together do not all read the same sets.
_following = Lock()


def snapshot(session: Session) -> Snapshot:
    """Return the snapshot of the session's database, brought up to what the session sees."""
    connection = session.connection()
    [(epoch, stamp)] = _STATE.rows(connection)
    if written_here(session):
        own = Snapshot.of(epoch, stamp, beginning(connection, "@"))
        return replace(own, lasting=False)
    with _following:
        held = _snapshots.get(connection.engine)
        if held is None or held.epoch != epoch:
            held = Snapshot.of(epoch, stamp, beginning(connection, "@"))
        elif held.stamp < stamp:
            held = _followed(held, connection, stamp)
        elif held.stamp > stamp:
            # The session began before somebody else's commit. Newer sets do no harm: who is shown
            # is read from the rows; but what it looks up now is not theirs to remember.
            return replace(
                held,
                looked_up={},
                words={},
                coded=None,
                outlooks={},
                answers=Remembered(ANSWERS),
                lasting=False,
            )
        _snapshots[connection.engine] = held
        return held


def _bytes(people: People) -> int:
    # Numbers of two bytes where they are few, else a bit for each; and what Python holds.
    return 200 + (min(2 * len(people), people.max() >> 3) if people else 0)


def _followed(held: Snapshot, connection: Connection, stamp: int) -> Snapshot:
    """Return ``held`` brought up to ``stamp`` by the rows that were written since."""
    since = select(doc).where(doc.c.stamp > held.stamp).limit(MANY + 1)
    changed = connection.execute(since).mappings().all()
    if len(changed) > MANY:
        return Snapshot.of(held.epoch, stamp, beginning(connection, "@"))
    words = {one for row in changed for one in words_of([row[name] for name in COLUMNS])}
    followed = _moved(held, stamp, changed)
    if held.coded is not None:
        those = People([row["id"] for row in changed])
        followed.coded = held.coded.followed(those, _joining(changed, _codes))
    followed.words.update(_learnt(held.words, words))
    return followed


def _moved(held: Snapshot, stamp: int, changed: Sequence[RowMapping]) -> Snapshot:
    """Return ``held`` with the rows that have changed in the sets where they are now."""
    joining: dict[str, dict[str, list[int]]] = defaultdict(dict)
    for key, rows in _joining(changed, _shared).items():
        name, value = key[1:].split(":", 1)
        joining[name][value] = rows
    those = People([row["id"] for row in changed])
    known = those & held.everybody
    # Of these, a row is in one set at the most; what it was is mostly what it is.
    kinds = in_one(held.kinds, known, joining["kind"])
    peers = {int(value): rows for value, rows in joining["peer"].items()}
    return Snapshot(
        held.epoch,
        stamp,
        kinds=kinds,
        public=held.public - those | People(joining["public"].get("1", ())),
        of_peer=in_one(held.of_peer, known, peers),
        facets={name: changed_in(sets, known, joining[name]) for name, sets in held.facets.items()},
        initials=in_one(held.initials, known, joining["initials"]),
        everybody=union(list(kinds.values())),
    )


def _joining(
    rows: Iterable[RowMapping], keys_of: Callable[[RowMapping], Iterable[str]]
) -> dict[str, list[int]]:
    """Return which of ``rows`` have which keys now."""
    joining: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        if row["kind"] != GONE:
            for key in keys_of(row):
                joining[key].append(row["id"])
    return joining


def _shared(row: RowMapping) -> Iterable[str]:
    values = json.loads(row["facets"])
    return shared_keys(row["kind"], row["peer_id"], bool(row["public"]), values)


def _codes(row: RowMapping) -> Iterable[str]:
    return (f"{column}:{code}" for column in CODED for code in set(row[column].split()))


def _learnt(known: Words, more: Iterable[str]) -> Words:
    """Return ``known`` with ``more`` words, where words like them are known already."""
    learnt = dict(known)
    for one in more:
        like = one[0], len(one)
        if like in learnt and one not in learnt[like]:
            learnt[like] = {**learnt[like], one: letters_of(one)}
    return learnt
