"""Words of the index on SQLite, looked up by FTS5.

``search_text`` keeps no text: it reads ``search_doc``, and must be told exactly which words a row
had before they change. Stems are made in Python, hence the tokenizer only splits at spaces.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, CursorResult

from app.search.tables import Sought, metadata
from app.search.writing import COLUMNS

_LIST = ", ".join(COLUMNS)
_VIRTUAL = (
    f"""CREATE VIRTUAL TABLE search_text USING fts5 (
        {_LIST}, content='search_doc', content_rowid='id', prefix='3',
        tokenize="unicode61 remove_diacritics 0 tokenchars '_'")""",
    "CREATE VIRTUAL TABLE search_term USING fts5vocab (search_text, row)",
)


class SQLiteStore:
    """See :class:`app.search.store.Store`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def exists(self) -> bool:
        found = self._run("SELECT 1 FROM sqlite_master WHERE name = 'search_state'")
        return found.first() is not None

    def create(self) -> None:
        for name in ("search_term", "search_text", "search_name", "search_doc", "search_state"):
            self._run(f"DROP TABLE IF EXISTS {name}")
        metadata.create_all(self._connection, checkfirst=False)
        for statement in _VIRTUAL:
            self._run(statement)

    def fill(self) -> None:
        """Nothing to do: FTS5 reads all rows afterwards."""

    def filled(self) -> None:
        self._run("INSERT INTO search_text (search_text) VALUES ('rebuild')")

    def written(self, stamp: int) -> None:
        self._run(
            f"INSERT INTO search_text (rowid, {_LIST}) "  # noqa: S608  # our own names
            f"SELECT id, {_LIST} FROM search_doc WHERE stamp = ?",
            stamp,
        )

    def leaving(self, number: int) -> None:
        self._run(
            f"INSERT INTO search_text (search_text, rowid, {_LIST}) "  # noqa: S608  # our own names
            f"SELECT 'delete', id, {_LIST} FROM search_doc WHERE id = ?",
            number,
        )

    def people(self, column: str, sought: Iterable[Sought]) -> list[int]:
        match = f"{column} : ({' OR '.join(map(_quoted, sought))})"
        # One text instead of thousands of rows: the driver makes an object of each row.
        found = self._run(
            "SELECT group_concat(rowid) FROM search_text WHERE search_text MATCH ?", match
        ).scalar_one()
        return list(map(int, found.split(","))) if found else []

    def has(self, word: str) -> bool:
        return self._run("SELECT 1 FROM search_term WHERE term = ?", word).first() is not None

    def words(self) -> Iterable[str]:
        return self._run("SELECT term FROM search_term").scalars()

    def words_since(self, stamp: int) -> set[str]:
        changed = self._run(
            f"SELECT {_LIST} FROM search_doc WHERE stamp > ?",  # noqa: S608  # our own names
            stamp,
        )
        return {word for row in changed for text in row for word in text.split()}

    def _run(self, statement: str, *values: object) -> CursorResult[Any]:
        return self._connection.exec_driver_sql(statement, values)


def _quoted(sought: Sought) -> str:
    # The quotes keep FTS5 from reading words as its operators.
    quoted = '"' + " ".join(sought.stems).replace('"', "") + '"'
    return quoted + ("*" if sought.prefix else "")
