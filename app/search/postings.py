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
from app.search.keys import keys_by_stem, phrases_of
from app.search.people import NOBODY, People, more_of, union
from app.search.tables import word
from app.search.writing import COLUMNS

#: Bits of a row number within a piece; one container of a Roaring bitmap holds as many.
PIECE_BITS = 16
#: The lower half of a row number: its place within a piece.
LOW = (1 << PIECE_BITS) - 1
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


#: Who has each stem, by column.
Having = tuple[dict[str, list[int]], ...]


def _having() -> Having:
    return tuple(defaultdict(list) for _ in COLUMNS)


_NOTHING: Having = _having()


class Changes:
    """What rows gain and lose, collected and then written piece by piece.

    :param fresh: the pieces are new, so there is nothing to read before writing.
    """

    def __init__(self, *, fresh: bool = False) -> None:
        self._fresh = fresh
        self._gained: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        self._lost: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        self._having: dict[int, Having] = defaultdict(_having)
        self._words: set[str] = set()

    def add(self, number: int, before: set[str], after: set[str], words: Iterable[str]) -> None:
        """Let row ``number`` be found by the keys ``after``, where it was found by ``before``."""
        piece, low = number >> PIECE_BITS, number & LOW
        gained, lost = self._gained[piece], self._lost[piece]
        for key in after - before:
            gained[key].append(low)
        for key in before - after:
            lost[key].append(low)
        self._words.update(words)

    def add_new(self, number: int, shared: Iterable[str], columns: Sequence[str]) -> None:
        """Let row ``number``, which nobody knew, be found by the texts in ``columns``.

        :param shared: its keys that every search needs (:func:`app.search.keys.shared_keys`).
        """
        piece, low = number >> PIECE_BITS, number & LOW
        gained = self._gained[piece]
        for key in shared:
            gained[key].append(low)
        for column, having, text in zip(COLUMNS, self._having[piece], columns, strict=True):
            if text:
                stems = text.split()
                for stem in set(stems):
                    having[stem].append(low)
                for key in set(phrases_of(column, stems)):
                    gained[key].append(low)

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
        said = self._gather(piece, gained)
        touched = sorted(gained.keys() | lost.keys())
        held = {} if self._fresh else _held(connection, piece, touched)
        # Whoever has a word was told of to the list of words, which forgets none.
        self._words.update([one for key, one in said if key not in held])
        left = [(key, piece) for key in lost if not _without(held, piece, key, lost[key])]
        kept = [
            (key, piece, more_of(held.get(key), piece, gained[key]))
            if key in gained
            else (key, piece, held[key])
            for key in touched
            if key in gained or key in held
        ]
        write_all(connection, _WRITE, kept)
        write_all(connection, _DELETE, [each for each in left if each[0] not in gained])

    def _gather(self, piece: int, gained: dict[str, list[int]]) -> list[tuple[str, str]]:
        """Add to ``gained`` what new rows are found by; return their words by keys."""
        said: list[tuple[str, str]] = []
        for column, having in zip(COLUMNS, self._having.pop(piece, _NOTHING), strict=True):
            for key, one, rows in keys_by_stem(column, having):
                gained[key] += rows
                if one:
                    said.append((key, one))
        return said


def _without(held: dict[str, bytes], piece: int, key: str, numbers: Sequence[int]) -> bool:
    """Take ``numbers`` out of the set of ``key``; tell whether anybody is left in it."""
    those = People([piece << PIECE_BITS | number for number in numbers])
    left = People.deserialize(held.pop(key)) - those if key in held else NOBODY
    if left:
        held[key] = left.serialize()
    return bool(left)


def _held(connection: Connection, piece: int, keys: Sequence[str]) -> dict[str, bytes]:
    return {
        key: people
        for some in _parts(keys)
        for key, people in found_among(connection, _PIECES, (piece,), some)
    }


def _learn(connection: Connection, words: Collection[str]) -> None:
    """Add those of ``words`` that no profile had before."""
    write_all(connection, _LEARN, [(one, one[0], len(one)) for one in sorted(words)])


def _parts(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(keys), AT_ONCE):
        yield keys[start : start + AT_ONCE]
