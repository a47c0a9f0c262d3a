"""What every command needs: the settings, an up-to-date database, words for what is missing."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn

import click
from sqlalchemy import Engine
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from app.exchange import restoring
from app.migrations import DatabaseNewerError, upgrade
from app.models.engine import open_engine
from app.models.space import Space
from app.search.index import ensure_current, is_current
from config.settings import Settings, SettingsError


@dataclass(frozen=True, slots=True)
class Opened:
    """A space whose database is open: commands commit by leaving the ``with`` block."""

    settings: Settings
    session: Session
    space: Space

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)


def load_settings() -> Settings:
    """Return the settings, or end the command with the list of what is wrong."""
    try:
        return Settings.load()
    except SettingsError as error:
        stop(["Mitoyen cannot start:", *(f"  - {problem}" for problem in error.problems)])


def open_database(settings: Settings) -> Engine:
    """Return the engine of the space's database, migrated to our version.

    The data directory must be there: whoever mistypes it gets no second, empty space.
    """
    engine = open_engine(settings.database_url)
    try:
        upgrade(engine)
        _index(engine)
    except DatabaseNewerError as error:
        stop([f"Mitoyen cannot start: {error}"])
    except DatabaseError as error:
        # Also when the file is no database at all, which SQLite notices at the first statement.
        stop([f"The database cannot be opened: {error.orig}. `mitoyen doctor` may say more."])
    return engine


@contextmanager
def session_on(settings: Settings) -> Iterator[Session]:
    """Open the database for one command; afterwards nobody is connected to it."""
    engine = open_database(settings)
    try:
        with Session(engine) as session:
            yield session
    finally:
        engine.dispose()


def _index(engine: Engine) -> None:
    """Make the search index anew after an update that changed it, so that no request has to."""
    with Session(engine) as session:
        if not is_current(session):
            ensure_current(session)
            session.commit()


@contextmanager
def opened() -> Iterator[Opened]:
    """Open the space that the environment describes; commit unless the block raises."""
    settings = load_settings()
    if not settings.data.is_dir():
        stop([f"There is no directory {settings.data}. Start with: mitoyen setup --help"])
    with session_on(settings) as session:
        space = session.get(Space, 1)
        if space is None:
            stop(["There is no space here yet. Start with: mitoyen setup --help"])
        yield Opened(settings, session, space)
        session.commit()


def notice_return(here: Opened) -> None:
    """Begin the feed anew before anything is signed, if the database is an older one."""
    file = here.settings.data / restoring.POSITION
    if restoring.notice(here.session, file, here.now):
        here.session.commit()
        restoring.remember(here.session, file)
        click.echo("The database is older than what this space has signed.", err=True)
        click.echo(
            "Its neighbours are asked for what is missing, as by: mitoyen restored", err=True
        )


def stop(lines: list[str]) -> NoReturn:
    """End the command with ``lines`` on standard error and exit code 1."""
    click.echo("\n".join(lines), err=True)
    sys.exit(1)


def print_json(rows: Iterable[Mapping[str, Any]]) -> None:
    """Print ``rows`` as one JSON array, readable by people and programs."""
    click.echo(json.dumps(list(rows), ensure_ascii=False, indent=2, default=str))
