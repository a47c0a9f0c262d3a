"""How the database is opened, so that two writers never lose each other's work.

The program is written for one rule: whoever may write is alone with that until their transaction
ends, and whoever announced that they only read sees one moment of the database and waits for
nobody. Neither database does this by itself.

SQLite: Python's driver starts transactions by itself, late and in a mode that lets a reader become
a writer when another writer is already ahead of it; measured, that lost more than half of
concurrent updates. We switch the driver's own transactions off and say BEGIN ourselves: IMMEDIATE
for whoever may write, plain for readers.

PostgreSQL: a writer begins by taking one lock of the database's own (an advisory lock, released
with the transaction), so that everything it reads afterwards includes all that others committed; a
reader asks for REPEATABLE READ, which never waits.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url

#: Seconds a writer waits for another writer before the database gives up.
BUSY_SECONDS = 15

#: What the writers of one PostgreSQL database lock in turn; any number that nobody else uses.
WRITERS_LOCK = 0x4D69746F79656E

#: True while the current request or command has announced that it only reads.
_only_reads: ContextVar[bool] = ContextVar("only_reads", default=False)

_OPTIONS: dict[str, dict[str, Any]] = {
    "sqlite": {
        "connect_args": {
            "isolation_level": None,
            "timeout": BUSY_SECONDS,
            "check_same_thread": False,
        }
    },
    "postgresql": {
        # A server that was restarted has ended every connection that waits in the pool.
        "pool_pre_ping": True,
        "connect_args": {"options": f"-c lock_timeout={BUSY_SECONDS}s -c timezone=UTC"},
    },
}


@contextmanager
def reading() -> Iterator[None]:
    """Announce that transactions begun inside only read, so that they never wait for a writer."""
    token = _only_reads.set(True)
    try:
        yield
    finally:
        _only_reads.reset(token)


def only_reads() -> bool:
    """Tell whether transactions begun now only read."""
    return _only_reads.get()


def set_reading(only: bool) -> None:
    """Announce it for the rest of the current context, e.g. one request."""
    _only_reads.set(only)


def open_engine(url: str) -> Engine:
    """Return an engine on ``url``, prepared as every connection of a space must be."""
    engine = create_engine(url, **options_for(url))
    prepare(engine)
    return engine


def options_for(url: str) -> dict[str, Any]:
    """Return the ``create_engine`` options that ``url`` needs.

    :raises LookupError: a database that this program does not know.
    """
    given = _OPTIONS[make_url(url).get_backend_name()]
    # Statements that fail end up in logs; the addresses and texts that they carried must not.
    return {**given, "hide_parameters": True}


def prepare(engine: Engine) -> None:
    """Teach ``engine`` our way to begin, and SQLite our pragmas; once is enough."""
    begin = _begin_sqlite if engine.dialect.name == "sqlite" else _begin_postgresql
    if event.contains(engine, "begin", begin):
        return
    event.listen(engine, "begin", begin)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _pragmas)


def _pragmas(connection: sqlite3.Connection, _record: object) -> None:
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_SECONDS * 1000}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN" if only_reads() else "BEGIN IMMEDIATE")


def _begin_postgresql(connection: Connection) -> None:
    # The driver has said BEGIN, or says it with the first of these.
    if only_reads():
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    else:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITERS_LOCK})")
