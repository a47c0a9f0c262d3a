"""Who can be found by what: a set of rows for each key, kept beside the rows.

Sets stand in pieces of 65,536 row numbers, each a compressed bitmap: a word that a third of a
million people have is read from sixteen rows of a table, and whoever changes a person writes only
the pieces that hold them. Plain SQL, hence the same on every database.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

from sqlalchemy import Connection, bindparam, select

from app.search.bulk import found, found_among, write_all
from app.search.people import NOBODY, People, union
from app.search.tables import word

#: Bits of a row number within a piece; one container of a Roaring bitmap holds as many.
PIECE_BITS = 16
#: Keys in one statement; databases bound its parameters.
AT_ONCE = 4000
#: Comes after every character that a key may have.
LAST = "\U0010ffff"

_BY_KEY = "SELECT key, people FROM search_posting WHERE key IN ({})"
_BEGINNING = "SELECT key, people FROM search_posting WHERE key >= {} AND key < {}"
_ANYBODY = "SELECT people FROM search_posting WHERE key >= {} AND key < {}"
_PIECES = "SELECT key, people FROM search_posting WHERE piece = {} AND key IN ({})"
_WRITE = (
    "INSERT INTO search_posting (key, piece, people) VALUES ({}, {}, {})"
    " ON CONFLICT (key, piece) DO UPDATE SET people = excluded.people"
)
_DELETE = "DELETE FROM search_posting WHERE key = {} AND piece = {}"
_LEARN = (
    "INSERT INTO search_word (word, initial, size) VALUES ({}, {}, {})"
    " ON CONFLICT (word) DO NOTHING"
)
_WORDS = select(word.c.word).where(
    word.c.initial == bindparam("initial"), word.c.size == bindparam("size")
)


def holding(connection: Connection, keys: Iterable[str]) -> dict[str, People]:
    """Return who has each of ``keys``; those that nobody has are left out."""
    rows = [
        row for some in _parts(sorted(keys)) for row in found_among(connection, _BY_KEY, (), some)
    ]
    return _whole(rows)


def beginning(connection: Connection, begins: str) -> dict[str, People]:
    """Return who has each key that begins with ``begins``."""
    return _whole(found(connection, _BEGINNING, (begins, begins + LAST)))


def anybody_beginning(connection: Connection, begins: str) -> People:
    """Return who has any key that begins with ``begins``."""
    read = People.deserialize
    rows = found(connection, _ANYBODY, (begins, begins + LAST))
    return union([read(people) for (people,) in rows])


def _whole(rows: Iterable[tuple[str, bytes]]) -> dict[str, People]:
    """Put together what stands in pieces."""
    read = People.deserialize
    pieces: dict[str, list[People]] = defaultdict(list)
    for key, people in rows:
        pieces[key].append(read(people))
    return {key: union(those) for key, those in pieces.items()}


def words_like(connection: Connection, initial: str, size: int) -> list[str]:
    """Return the words of profiles that begin with ``initial`` and have ``size`` characters.

    Words stay when nobody has them any more: one too many finds nobody.
    """
    return list(connection.scalars(_WORDS, {"initial": initial, "size": size}))


class Changes:
    """What rows gain and lose, collected and then written piece by piece.

    :param fresh: the pieces are new, so there is nothing to read before writing.
    """

    def __init__(self, *, fresh: bool = False) -> None:
        self._fresh = fresh
        self._gained: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        self._lost: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        self._words: set[str] = set()

    def add(self, number: int, before: set[str], after: set[str], words: Iterable[str]) -> None:
        """Let row ``number`` be found by the keys ``after``, where it was found by ``before``."""
        piece = number >> PIECE_BITS
        gained, lost = self._gained[piece], self._lost[piece]
        for key in after - before:
            gained[key].append(number)
        for key in before - after:
            lost[key].append(number)
        self._words.update(words)

    def write(self, connection: Connection, *, below: int | None = None) -> None:
        """Write what was collected, and forget it.

        :param below: only the pieces before this one; rows are still to come for the rest.
        """
        for piece in sorted(self._gained.keys() | self._lost.keys()):
            if below is None or piece < below:
                self._write(connection, piece)
        _learn(connection, self._words)
        self._words = set()

    def _write(self, connection: Connection, piece: int) -> None:
        gained, lost = self._gained.pop(piece, {}), self._lost.pop(piece, {})
        touched = sorted(gained.keys() | lost.keys())
        held = {} if self._fresh else _held(connection, piece, touched)
        kept: list[tuple[object, ...]] = []
        left: list[tuple[object, ...]] = []
        for key in touched:
            people = held.get(key, NOBODY)
            if key in lost:
                people = people - People(lost[key])
            if key in gained:
                people = people | People(gained[key])
            if people:
                kept.append((key, piece, people.serialize()))
            else:
                left.append((key, piece))
        write_all(connection, _WRITE, kept)
        write_all(connection, _DELETE, left)


def _held(connection: Connection, piece: int, keys: Sequence[str]) -> dict[str, People]:
    read = People.deserialize
    return {
        key: read(people)
        for some in _parts(keys)
        for key, people in found_among(connection, _PIECES, (piece,), some)
    }


def _learn(connection: Connection, words: Collection[str]) -> None:
    """Add those of ``words`` that no profile had before."""
    write_all(connection, _LEARN, [(one, one[0], len(one)) for one in sorted(words)])


def _parts(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(keys), AT_ONCE):
        yield keys[start : start + AT_ONCE]
