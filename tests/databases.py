"""The databases of tests: SQLite files, or those of a PostgreSQL server of our own.

``pytest --database=postgresql`` runs the same tests on the other one. A test asks for the database
of a folder and is given the same address each time; when the test ends, its databases are gone,
those of a module when all end.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

import psycopg
from psycopg import Connection
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import Session
from sqlalchemy.pool import Pool

from app.migrations import upgrade
from app.models import account, feed, invitation, job, journal, report  # noqa: F401  # all tables
from app.models.base import Base, new_id
from app.models.engine import open_engine
from app.search.index import ensure_current
from tests.postgresql import MISSING, Server, find

SQLITE, POSTGRESQL = "sqlite", "postgresql"


class Databases:
    """Where databases come from, and which ones this test has."""

    def __init__(self) -> None:
        self.server: Server | None = None
        self._names: dict[Path, str] = {}
        self._nowhere = 0
        # Held until we close them: a connection that is collected while open warns, in whichever
        # test the collector happens to come by.
        self._connections: set[Connection] = set()

    def start(self) -> None:
        """From now on give databases of PostgreSQL.

        :raises LookupError: its programs are not on this machine.
        """
        programs = find()
        if programs is None:
            raise LookupError(MISSING)
        self.server = Server(programs)
        self.server.start()
        event.listen(Pool, "connect", self._remember)

    def _remember(self, connection: object, _record: object) -> None:
        if isinstance(connection, Connection):
            self._connections.add(connection)

    def stop(self) -> None:
        if self.server is not None:
            for connection in list(self._connections):
                connection.close()
            self.server.stop()

    def of(self, folder: Path) -> str:
        """Return the address of the database of the space in ``folder``; a new one is empty."""
        if self.server is None:
            return f"sqlite:///{folder / 'mitoyen.db'}"
        if folder not in self._names:
            self._names[folder] = self.server.create()
        return self.server.url(self._names[folder])

    def migrated(self, folder: Path) -> str:
        """Return the address of a new database for ``folder``, with all tables and nobody."""
        if self.server is None:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(_sqlite_template(), folder / "mitoyen.db")
            with closing(sqlite3.connect(folder / "mitoyen.db", isolation_level=None)) as space:
                space.execute("PRAGMA synchronous=OFF")
                space.execute(_OWN_EPOCH, {"epoch": new_id()})
        else:
            self._names[folder] = self.server.create(template=_postgresql_template(self.server))
            with psycopg.connect(self.of(folder)) as space:
                space.execute(_OWN_EPOCH.replace(":epoch", "%(epoch)s"), {"epoch": new_id()})
        return self.of(folder)

    def engine(self) -> Engine:
        """Return an engine on a new database with all tables, which needs no folder."""
        if self.server is not None:
            self._nowhere += 1
            return open_engine(self.migrated(Path(f"nowhere {self._nowhere}")))
        engine = create_engine("sqlite://")
        Base.metadata.create_all(engine)
        return engine

    @contextmanager
    def for_a_while(self) -> Iterator[None]:
        """Let the databases go at the end that were asked for inside, and who is connected."""
        before = set(self._names)
        yield
        names = [self._names.pop(folder) for folder in set(self._names) - before]
        if self.server is None or not names:
            return
        for connection in list(self._connections):
            if not connection.closed and connection.info.dbname in names:
                connection.close()
        self._connections = {each for each in self._connections if not each.closed}
        self.server.drop(names)


databases = Databases()


@cache
def _sqlite_template() -> Path:
    path = Path(tempfile.mkdtemp(prefix="mitoyen-tests-")) / "template.db"
    engine = open_engine(f"sqlite:///{path}")
    _fill(engine)
    # Closing the last connection moves the write-ahead log into the file that is copied.
    engine.dispose()
    return path


@cache
def _postgresql_template(server: Server) -> str:
    name = server.create()
    engine = open_engine(server.url(name))
    _fill(engine)
    engine.dispose()
    return name


def _fill(engine: Engine) -> None:
    """Make all tables, and the index of a space that nobody has joined yet."""
    upgrade(engine)
    with Session(engine) as session:
        ensure_current(session)
        session.commit()


#: Processes remember what they read under an index's epoch, which no two spaces share.
_OWN_EPOCH = "UPDATE search_state SET epoch = :epoch"
