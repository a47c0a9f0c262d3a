"""Whether the sets of the index say of people what their rows in it say.

:func:`app.search.index.check` compares these rows with the directory. Here the rest is compared
with the rows: the sets by which people are found, the words that slips are compared with, and the
names that suggestions are read from. A person whom a set lost is found by nothing that they say,
and who stands in a foreign set is found by what they never said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy import Connection, RowMapping, select
from sqlalchemy.orm import Session

from app.search import names
from app.search.keys import keys_of, words_of
from app.search.people import NOBODY, People
from app.search.postings import AT_ONCE, PIECE_BITS
from app.search.rows import GONE
from app.search.tables import doc, posting, word
from app.search.tables import names as name_table
from app.search.writing import COLUMNS

#: People in a sample.
SAMPLE = 500
#: Differences that are told; of a broken index thousands would say the same.
TOLD = 100


@dataclass(slots=True)
class _Expected:
    """What the sets must say of some rows."""

    subjects: dict[int, str] = field(default_factory=dict)
    numbers: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Rows by the keys that they have."""

    words: set[str] = field(default_factory=set)
    names: set[tuple[str, int]] = field(default_factory=set)

    @classmethod
    def of(cls, rows: Iterable[RowMapping]) -> _Expected:
        expected = cls()
        for row in rows:
            expected._add(row)
        return expected

    def _add(self, row: RowMapping) -> None:
        number, columns = row["id"], [row[column] for column in COLUMNS]
        self.subjects[number] = row["subject"]
        public = bool(row["public"])
        for key in keys_of(row["kind"], row["peer_id"], public, row["facets"], columns):
            self.numbers[key].append(number)
        self.words |= words_of(columns)
        self.names.update((part, number) for part in names.parts_in(row["facets"]))


def check_sets(session: Session, *, everybody: bool = False) -> list[str]:
    """Return in what the sets differ from the rows, a sentence for each difference.

    :param everybody: look at all people and all sets, not at a sample of people.
    """
    connection = session.connection()
    found = _differences(connection, everybody=everybody)
    return list(islice(found, TOLD))


def _differences(connection: Connection, *, everybody: bool) -> Iterator[str]:
    alive = select(doc.c.id).where(doc.c.kind != GONE).order_by(doc.c.id)
    numbers = connection.scalars(alive).all()
    step = 1 if everybody else max(1, len(numbers) // SAMPLE)
    pieces: dict[int, list[int]] = defaultdict(list)
    for number in numbers[::step]:
        pieces[number >> PIECE_BITS].append(number)
    if everybody:
        yield from _unknown_pieces(connection, pieces.keys())
    for piece, some in pieces.items():
        expected = _Expected.of(_rows(connection, some))
        yield from _sets(connection, piece, expected, everybody=everybody)
        yield from _words(connection, expected.words)
        yield from _names(connection, expected, everybody=everybody)


def _rows(connection: Connection, numbers: Sequence[int]) -> Iterator[RowMapping]:
    for some in _parts(numbers):
        yield from connection.execute(select(doc).where(doc.c.id.in_(some))).mappings()


def _sets(
    connection: Connection, piece: int, expected: _Expected, *, everybody: bool
) -> Iterator[str]:
    looked_at = People(list(expected.subjects))
    keys = None if everybody else sorted(expected.numbers)
    held = dict(_held(connection, piece, keys))
    for key in sorted(expected.numbers.keys() | held.keys()):
        should = People(expected.numbers.get(key, ()))
        there = held.get(key, NOBODY)
        for number in should - there:
            yield f"{expected.subjects[number]} is not found by {key}, which they say"
        strangers = there - should if everybody else (there & looked_at) - should
        for number in strangers:
            who = expected.subjects.get(number, f"row {number}, which is nobody,")
            yield f"{who} is found by {key}, which they do not say"


def _held(
    connection: Connection, piece: int, keys: Sequence[str] | None
) -> Iterator[tuple[str, People]]:
    """Return the sets of one piece, by their keys; those of all keys for None."""
    sets = select(posting.c.key, posting.c.people).where(posting.c.piece == piece)
    asked = [sets] if keys is None else [sets.where(posting.c.key.in_(k)) for k in _parts(keys)]
    for one in asked:
        for key, people in connection.execute(one):
            yield key, People.deserialize(people)


def _unknown_pieces(connection: Connection, known: Iterable[int]) -> Iterator[str]:
    more = select(posting.c.piece).distinct().where(posting.c.piece.not_in(list(known)))
    for piece in connection.scalars(more):
        first = piece << PIECE_BITS
        yield f"there are sets of rows from {first} on, and no such rows"


def _words(connection: Connection, words: set[str]) -> Iterator[str]:
    """Words of nobody may stay: one too many finds nobody."""
    for some in _parts(sorted(words)):
        known = set(connection.scalars(select(word.c.word).where(word.c.word.in_(some))))
        for missing in sorted(set(some) - known):
            yield f"“{missing}” is said and no slip of it is understood"


def _names(connection: Connection, expected: _Expected, *, everybody: bool) -> Iterator[str]:
    pair = select(name_table.c.word, name_table.c.row)
    held: set[tuple[str, int]] = set()
    if everybody:
        first, last = min(expected.subjects), max(expected.subjects)
        between = pair.where(name_table.c.row >= first, name_table.c.row <= last)
        held.update((said, number) for said, number in connection.execute(between))
    else:
        for some in _parts(sorted({said for said, _ in expected.names})):
            those = connection.execute(pair.where(name_table.c.word.in_(some)))
            held.update((said, number) for said, number in those if number in expected.subjects)
    for said, number in sorted(expected.names - held):
        yield f"{expected.subjects[number]} is not suggested for “{said}”, their name"
    for said, number in sorted(held - expected.names):
        who = expected.subjects.get(number, f"row {number}, which is nobody,")
        yield f"{who} is suggested for “{said}”, which is not their name"


def _parts(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), AT_ONCE):
        yield values[start : start + AT_ONCE]
