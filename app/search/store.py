"""What the index asks of the database beyond tables: finding rows by the words in them.

Two databases can do it, each in its own way; everything else about the index is the same on both
and knows neither.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from sqlalchemy import Connection

from app.search.postgresql import PostgreSQLStore
from app.search.sqlite import SQLiteStore
from app.search.tables import Sought


class Store(Protocol):
    """The words of the index in one database, within the caller's transaction."""

    def exists(self) -> bool:
        """Tell whether there are tables of the index."""

    def create(self) -> None:
        """Make the tables anew, empty, whatever was in them."""

    def fill(self) -> None:
        """Get ready for the rows of everybody: they are about to be added."""

    def filled(self) -> None:
        """Make everybody's rows, which have just been added, found by their words."""

    def written(self, stamp: int) -> None:
        """Make the rows that have ``stamp`` found by their words."""

    def leaving(self, number: int) -> None:
        """Let row ``number`` no longer be found by its words, which are still in it."""

    def people(self, column: str, sought: Iterable[Sought]) -> list[int]:
        """Return the numbers of the rows that have any of ``sought`` in ``column``."""

    def has(self, word: str) -> bool:
        """Tell whether any row has ``word``."""

    def words(self) -> Iterable[str]:
        """Return every word once; on some databases a few too many, which no row has any more."""

    def words_since(self, stamp: int) -> set[str]:
        """Return the words of all rows that were written after ``stamp``."""


def store(connection: Connection) -> Store:
    """Return the store of the database behind ``connection``.

    :raises LookupError: a database on which there is no search.
    """
    return _STORES[connection.dialect.name](connection)


_STORES: dict[str, type[SQLiteStore] | type[PostgreSQLStore]] = {
    "sqlite": SQLiteStore,
    "postgresql": PostgreSQLStore,
}
