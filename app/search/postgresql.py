"""Words of the index on PostgreSQL: the ``tsvector`` columns of ``search_doc`` and one GIN index.

The columns are what is looked up, so a row cannot be found by words that it no longer has. Only
the list of all words is a table beside them; it grows until the index is made anew.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, text

from app.search.tables import Sought, lexeme, metadata
from app.search.writing import COLUMNS

# Without the list of pending entries that GIN would keep: each search would read through it.
_INDEX = f"""CREATE INDEX search_doc_words ON search_doc
    USING gin ({", ".join(COLUMNS)}) WITH (fastupdate = off)"""
_EACH_WORD = " || ".join(f"tsvector_to_array({column})" for column in COLUMNS)
_WORDS = f"SELECT DISTINCT unnest({_EACH_WORD}) FROM search_doc"  # noqa: S608  # our own names
_LEARN = f"INSERT INTO search_term {_WORDS} WHERE stamp = :stamp ON CONFLICT DO NOTHING"
_HAS = " OR ".join(f"{column} @@ CAST(:word AS tsquery)" for column in COLUMNS)


class PostgreSQLStore:
    """See :class:`app.search.store.Store`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def exists(self) -> bool:
        # Asking a table that is missing would end the transaction.
        found = self._connection.execute(text("SELECT to_regclass('search_state')"))
        return found.scalar_one() is not None

    def create(self) -> None:
        for name in ("search_term", "search_name", "search_doc", "search_state"):
            self._connection.execute(text(f"DROP TABLE IF EXISTS {name}"))
        metadata.create_all(self._connection, checkfirst=False)
        self._connection.execute(
            text("""CREATE TABLE search_term (term TEXT COLLATE "C" PRIMARY KEY)""")
        )
        self._connection.execute(text(_INDEX))

    def fill(self) -> None:
        """An index made at the end takes less time than one that grows row by row."""
        self._connection.execute(text("DROP INDEX search_doc_words"))

    def filled(self) -> None:
        self._connection.execute(text(_INDEX))
        self.written(1)
        self._connection.execute(text("ANALYZE search_doc, search_term"))

    def written(self, stamp: int) -> None:
        """Rows are found by themselves; their words join the list of all words."""
        self._connection.execute(text(_LEARN), {"stamp": stamp})

    def leaving(self, number: int) -> None:
        """Nothing to do: a row is found by the words that it has."""

    def people(self, column: str, sought: Iterable[Sought]) -> list[int]:
        wanted = " | ".join(query for one in sought if (query := _quoted(one)))
        if not wanted:
            return []
        # One text instead of thousands of rows: the driver makes an object of each row.
        found = self._connection.execute(
            text(
                "SELECT string_agg(CAST(id AS text), ',') FROM search_doc "  # noqa: S608  # our own names
                f"WHERE {column} @@ CAST(:wanted AS tsquery)"
            ),
            {"wanted": wanted},
        ).scalar_one()
        return list(map(int, found.split(","))) if found else []

    def has(self, word: str) -> bool:
        sought = _quoted(Sought((word,)))
        found = self._connection.execute(
            text(f"SELECT 1 FROM search_doc WHERE {_HAS} LIMIT 1"),  # noqa: S608  # our own names
            {"word": sought},
        )
        return found.first() is not None

    def words(self) -> Iterable[str]:
        return self._connection.execute(text("SELECT term FROM search_term")).scalars()

    def words_since(self, stamp: int) -> set[str]:
        found = self._connection.execute(text(f"{_WORDS} WHERE stamp > :stamp"), {"stamp": stamp})
        return set(found.scalars())


def _quoted(sought: Sought) -> str:
    stems = [lexeme(stem) for stem in sought.stems if stem.strip("\0")]
    return "(" + " <-> ".join(stems) + (":*" if sought.prefix else "") + ")" if stems else ""
