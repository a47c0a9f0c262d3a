"""How SQLite is opened, so that two writers never lose each other's work.

Python's driver starts transactions by itself, late and in a mode that lets a reader become a
writer when another writer is already ahead of it; measured, that lost more than half of
concurrent updates. We switch the driver's own transactions off and say BEGIN ourselves:
IMMEDIATE for whoever may write, plain for those who announced that they only read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event

#: Seconds a writer waits for another writer before SQLite gives up.
BUSY_SECONDS = 15

#: True while the current request or command has announced that it only reads.
_only_reads: ContextVar[bool] = ContextVar("only_reads", default=False)

#: Keyword arguments for ``create_engine`` on SQLite.
SQLITE_OPTIONS: dict[str, Any] = {
    "connect_args": {"isolation_level": None, "timeout": BUSY_SECONDS, "check_same_thread": False}
}


@contextmanager
def reading() -> Iterator[None]:
    """Announce that transactions begun inside only read, so that they never wait for a writer."""
    token = _only_reads.set(True)
    try:
        yield
    finally:
        _only_reads.reset(token)


def set_reading(only: bool) -> None:
    """Announce it for the rest of the current context, e.g. one request."""
    _only_reads.set(only)


def open_engine(url: str) -> Engine:
    """Return an engine on ``url``, prepared as every connection of a space must be."""
    engine = create_engine(url, **options_for(url))
    prepare(engine)
    return engine


def options_for(url: str) -> dict[str, Any]:
    """Return the ``create_engine`` options that ``url`` needs."""
    given = SQLITE_OPTIONS if url.startswith("sqlite") else {"pool_pre_ping": True}
    # Statements that fail end up in logs; the addresses and texts that they carried must not.
    return {**given, "hide_parameters": True}


def prepare(engine: Engine) -> None:
    """Teach ``engine`` our pragmas and our BEGIN; does nothing on other databases."""
    if engine.dialect.name == "sqlite" and not event.contains(engine, "begin", _begin):
        event.listen(engine, "connect", _pragmas)
        event.listen(engine, "begin", _begin)


def _pragmas(connection: sqlite3.Connection, _record: object) -> None:
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_SECONDS * 1000}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN" if _only_reads.get() else "BEGIN IMMEDIATE")
