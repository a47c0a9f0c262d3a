"""The tables of the index, the same on every database.

``search_doc`` holds one row per person, ``search_posting`` the sets of rows, ``search_word`` every
word of the profiles, ``search_name`` the words of people's names, ``search_state`` one row in all.
They are a cache and no part of the models: no migration knows them.
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

from app.search.writing import COLUMNS

#: Compared byte by byte on every database, so that what begins alike stands together.
PLAIN = Text().with_variant(Text(collation="C"), "postgresql")

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
    Column("word", PLAIN, primary_key=True),
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
    Column("sorted_as", PLAIN, nullable=False),
    *(Column(name, Text, nullable=False) for name in COLUMNS),
    UniqueConstraint("kind", "subject"),
    Index("search_doc_owner", "kind", "owner"),
    Index("search_doc_sorted_as", "sorted_as", "id"),
)

posting = Table(
    "search_posting",
    metadata,
    Column("key", PLAIN, primary_key=True),
    Column("piece", Integer, primary_key=True, autoincrement=False),
    Column("people", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

word = Table(
    "search_word",
    metadata,
    Column("word", PLAIN, primary_key=True),
    Column("initial", PLAIN, nullable=False),
    Column("size", Integer, nullable=False),
    Index("search_word_like", "initial", "size"),
    sqlite_with_rowid=False,
)
