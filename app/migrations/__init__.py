"""How the database came to look as it does, one tested step at a time (Alembic)."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine

HERE = Path(__file__).resolve().parent


class DatabaseNewerError(Exception):
    """The database was made by a newer version of the program; ``revision`` is its own."""

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"the database is of a newer version (revision {revision}): "
            "install that version again, or restore a backup made before the update"
        )
        self.revision = revision


def upgrade(engine: Engine, to: str = "head") -> None:
    """Bring the database of ``engine`` to revision ``to``; nothing happens if it is there.

    :raises DatabaseNewerError: it is at a revision that this program does not know.
    """
    with engine.begin() as connection:
        check(connection)
        command.upgrade(configuration(connection), to)


def downgrade(engine: Engine, to: str) -> None:
    """Take the database of ``engine`` back to revision ``to``."""
    with engine.begin() as connection:
        command.downgrade(configuration(connection), to)


def check(connection: Connection) -> bool:
    """Tell whether the database is at our newest revision.

    :raises DatabaseNewerError: it is at a revision that this program does not know.
    """
    script = ScriptDirectory.from_config(configuration(connection))
    current = MigrationContext.configure(connection).get_current_revision()
    if current is None:
        return False
    try:
        script.get_revision(current)
    except CommandError as unknown:
        raise DatabaseNewerError(current) from unknown
    return current == script.get_current_head()


def configuration(connection: Connection) -> Config:
    """Return the Alembic configuration that works on ``connection``."""
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.attributes["connection"] = connection
    return config
