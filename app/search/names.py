"""Names of people by their beginnings, for whoever is still typing one.

A table of its own beside the words of the texts: those are looked up for all they match, and
"mar" begins half of a town. Here a few rows are read from where the beginning stands in the order
of all names, however many there are. Like the rest of the index it says nothing about who may be
seen.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Connection, delete, select

from app.search import bulk
from app.search.pieces import pieces
from app.search.tables import doc, names

#: Words of one name that lead to it, and letters of each.
WORDS, LETTERS = 8, 60
#: Rows written at a time.
_BATCH = 5000
_ADD = 'INSERT INTO search_name (word, "row") VALUES ({}, {})'
_IN_ORDER = (
    'SELECT "row", word FROM search_name WHERE word >= {} AND word < {}'
    ' ORDER BY word, "row" LIMIT {}'
)
#: Comes after whatever goes on from a beginning.
_LAST = "\U0010ffff"


def parts_of(name: str) -> tuple[str, ...]:
    """Return the words of a name as they are compared, each once."""
    folded = [one.folded[:LETTERS] for one in pieces(name) if one.folded]
    return tuple(dict.fromkeys(folded))[:WORDS]


def written(connection: Connection, stamp: int) -> None:
    """Let the rows of the index that have ``stamp`` be found by their names."""
    rows = connection.execute(
        select(doc.c.id, doc.c.facets).where(doc.c.stamp == stamp, doc.c.digest != ""),
        execution_options={"yield_per": _BATCH},
    )
    for some in rows.partitions():
        _add(connection, [(word, row) for row, facets in some for word in parts_in(facets)])


def add(connection: Connection, rows: Iterable[tuple[int, Sequence[str]]]) -> None:
    """Let new rows of the index be found by the names of each."""
    parts = [(word, row) for row, called in rows for name in called for word in parts_of(name)]
    _add(connection, parts)


def _add(connection: Connection, parts: Sequence[tuple[str, int]]) -> None:
    bulk.write_all(connection, _ADD, parts)


def leaving(connection: Connection, number: int) -> None:
    """Let row ``number`` no longer be found by its name, which still stands in it."""
    facets = connection.execute(select(doc.c.facets).where(doc.c.id == number)).scalar_one()
    for word in parts_in(facets):
        connection.execute(delete(names).where(names.c.word == word, names.c.row == number))


def beginning_with(connection: Connection, beginning: str, most: int) -> dict[int, str]:
    """Return up to ``most`` rows with a word in their names that begins so, and that word.

    They come in the order of the words; of several in one name it is the first.

    :param beginning: a folded word, not empty.
    """
    found: dict[int, str] = {}
    given = (beginning, beginning + _LAST, most)
    for row, word in bulk.found(connection, _IN_ORDER, given):
        found.setdefault(row, word)
    return found


def names_of(connection: Connection, rows: Sequence[int]) -> dict[int, str]:
    """Return the folded name of each row."""
    those = select(doc.c.id, doc.c.sorted_as).where(doc.c.id.in_(rows))
    return {number: name for number, name in connection.execute(those)}


def parts_in(facets: str) -> Iterator[str]:
    """Return the words of the names that a row's ``facets`` hold, as they are compared."""
    for name in json.loads(facets).get("name", ()):
        yield from parts_of(name)
