"""The tables of the index, the same on every database; the stores add what looks words up.

``search_doc`` holds one row per person, ``search_name`` one per word of their names,
``search_state`` one row in all. They are a cache and no
part of the models: no migration knows them.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import (
    CheckConstraint,
    Column,
    Dialect,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.types import TypeEngine

from app.search.writing import COLUMNS

#: Bytes of a word that PostgreSQL takes (it refuses 2,047); what is longer is known by these.
LEXEME_BYTES = 2000


class Sought(NamedTuple):
    """Words to look for in one column, next to each other."""

    stems: tuple[str, ...]
    prefix: bool = False
    """The last of them may go on."""


class Stems(TypeDecorator[str]):
    """Words with spaces between them, in the order of the text.

    On PostgreSQL a ``tsvector`` with exactly these words at these places: neither its parser nor
    a dictionary sees them. It cannot be read back, and nothing here does.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[str]:
        return dialect.type_descriptor(TSVECTOR() if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None or dialect.name != "postgresql":
            return value
        return " ".join(f"{lexeme(word)}:{at}" for at, word in enumerate(value.split(), 1))


def lexeme(word: str) -> str:
    """Return ``word`` as PostgreSQL reads it in a ``tsvector`` and in a ``tsquery``.

    Whatever the word holds is a part of it: inside of quotes only the quote and the backslash
    mean something, and both are doubled. NUL, which PostgreSQL has not, is left out.
    """
    cut = word.replace("\0", "").encode()[:LEXEME_BYTES].decode(errors="ignore")
    return "'" + cut.replace("\\", "\\\\").replace("'", "''") + "'"


metadata = MetaData()

state = Table(
    "search_state",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True),
    Column("made_for", Text, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("stamp", Integer, nullable=False),
)

names = Table(
    "search_name",
    metadata,
    # Compared byte by byte on every database, so that a beginning is one stretch of the order.
    Column("word", Text().with_variant(Text(collation="C"), "postgresql"), primary_key=True),
    Column("row", Integer, primary_key=True),
    sqlite_with_rowid=False,
)

doc = Table(
    "search_doc",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("owner", Integer, nullable=False),
    Column("peer_id", Integer),
    Column("subject", Text, nullable=False),
    Column("public", Integer, nullable=False),
    Column("stamp", Integer, nullable=False, index=True),
    Column("digest", Text, nullable=False),
    Column("facets", Text, nullable=False),
    *(Column(name, Stems, nullable=False) for name in COLUMNS),
    UniqueConstraint("kind", "subject"),
)
