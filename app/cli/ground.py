"""What a space stands on, looked at one by one: its folder, secret, mail, database, keys, worker.

Nothing is changed.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from app.cli.finding import OK, PROBLEM, WARNING, Finding
from app.exchange import rotation
from app.exchange.identity import KeysMissingError, KeysUnsafeError, load_identity
from app.migrations import DatabaseNewerError, check
from app.models.engine import open_engine
from app.models.space import Space
from app.worker import HEARTBEAT
from config.settings import Settings, SettingsError

#: A worker silent for so long, or a job that nobody took, says that none runs.
OVERDUE = timedelta(minutes=15)

#: A key that was to be changed so long ago shows that nobody does it.
OVERDUE_KEY = timedelta(days=7)


def unfounded() -> Finding:
    return Finding("space", PROBLEM, "there is no space here yet", "Found it: mitoyen setup --help")


def folder(settings: Settings) -> Iterator[Finding]:
    if not settings.data.is_dir():
        yield Finding("data", PROBLEM, f"{settings.data} does not exist", "mitoyen setup makes it")
        return
    mode = stat.S_IMODE(settings.data.stat().st_mode)
    if mode & 0o007:
        yield Finding(
            "data",
            WARNING,
            f"everybody on this machine can look into {settings.data} (mode {mode:04o})",
            f"chmod 700 {settings.data}",
        )
    else:
        yield Finding("data", OK, f"only its owner can look into it (mode {mode:04o})")


def secret(settings: Settings) -> Iterator[Finding]:
    try:
        settings.session_secret()
    except SettingsError as error:
        yield Finding("secret", PROBLEM, error.problems[0])
        return
    path = settings.data / "secret_key"
    own_file = not settings.secret_key.get_secret_value()
    if own_file and (mode := _open_to_others(path)):
        yield Finding(
            "secret", PROBLEM, f"others can read {path} (mode {mode:04o})", f"chmod 600 {path}"
        )
    else:
        yield Finding("secret", OK, "there is one" + (", in a file of its own" if own_file else ""))


def _open_to_others(path: Path) -> int:
    """Return the mode of ``path`` if group or others can do anything with it, else 0."""
    mode = stat.S_IMODE(path.stat().st_mode)
    return mode if mode & 0o077 else 0


def mail(settings: Settings) -> Iterator[Finding]:
    if settings.mail == "smtp" and settings.smtp_host:
        how = "in the clear" if settings.smtp_security == "none" else "encrypted"
        level = WARNING if settings.smtp_security == "none" else OK
        yield Finding("mail", level, f"goes to {settings.smtp_host}:{settings.smtp_port}, {how}")
    elif settings.development:
        yield Finding("mail", OK, f"development: {settings.mail}")
    else:
        yield Finding(
            "mail",
            WARNING,
            f"goes to {settings.mail} and reaches nobody by itself",
            "Set mail to smtp, or hand out links: mitoyen link EMAIL",
        )


def database(settings: Settings, findings: list[Finding]) -> Engine | None:
    """Return the engine of a database that can be read; None after telling what is wrong."""
    if not settings.database and not (settings.data / "mitoyen.db").exists():
        findings.append(unfounded())
        return None
    engine = open_engine(settings.database_url)
    found = _database_finding(engine, settings)
    findings.append(found)
    if found.level == OK:
        return engine
    engine.dispose()
    return None


def _database_finding(engine: Engine, settings: Settings) -> Finding:
    try:
        with engine.connect() as connection:
            founded = inspect(connection).has_table(Space.__tablename__)
            current = check(connection)
            problem = _integrity(connection) if current else None
    except DatabaseNewerError as error:
        return Finding("database", PROBLEM, str(error))
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        return Finding("database", PROBLEM, f"cannot be read: {cause}", _other_database(settings))
    if not founded:
        return unfounded()
    if problem:
        return Finding("database", PROBLEM, *problem)
    if not current:
        return Finding(
            "database",
            PROBLEM,
            "is of an older version",
            "Any other command brings it up to date, for example: mitoyen members list",
        )
    kind = "PostgreSQL" if engine.dialect.name == "postgresql" else "SQLite"
    return Finding("database", OK, f"{kind}, whole, and of this version")


def _other_database(settings: Settings) -> str:
    if settings.database_url.startswith("sqlite"):
        return "Restore the last backup."
    return "Is PostgreSQL running, and does MITOYEN_DATABASE name it, this database and its user?"


def _integrity(connection: Connection) -> tuple[str, str] | None:
    """Return why the database cannot hold what people write, and what to do; None when it can."""
    if connection.dialect.name == "postgresql":
        encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
        to_do = "Make one with createdb --encoding=UTF8 --template=template0, and move there."
        return None if encoding == "UTF8" else (f"keeps texts in {encoding}", to_do)
    answers = connection.execute(text("PRAGMA quick_check(3)")).scalars().all()
    if list(answers) == ["ok"]:
        return None
    return f"is damaged: {'; '.join(answers)}", "Restore the last backup."


def keys(settings: Settings, space: Space, now: datetime) -> list[Finding]:
    try:
        load_identity(settings.key_folder, space.url, development=settings.development)
    except KeysMissingError as error:
        lost = "Only if it is lost for good, in every backup too: mitoyen keys anew"
        return [Finding("keys", PROBLEM, str(error), lost)]
    except KeysUnsafeError as error:
        return [Finding("keys", PROBLEM, str(error))]
    plain = space.url.startswith("http://") and not settings.development
    if plain:
        return [
            Finding(
                "keys",
                PROBLEM,
                f"{space.url} is a development address",
                "Found a space with an https address for others to reach.",
            )
        ]
    return [_age_of_key(settings, now)]


def _age_of_key(settings: Settings, now: datetime) -> Finding:
    age = rotation.age(settings.key_folder, now)
    due = timedelta(days=settings.rotate_after) + rotation.PUBLISHED_AFTER + OVERDUE_KEY
    if settings.rotate_after and age > due:
        return Finding(
            "keys",
            WARNING,
            f"the operational key is {age.days} days old and was to be changed by itself",
            "Does the worker run? mitoyen worker",
        )
    return Finding("keys", OK, "there, and only their owner can read them")


def worker(settings: Settings, now: datetime) -> Iterator[Finding]:
    heartbeat = settings.data / HEARTBEAT
    if not heartbeat.exists():
        yield Finding("worker", WARNING, "none has run here yet", "mitoyen worker")
        return
    alive = datetime.fromtimestamp(heartbeat.stat().st_mtime, UTC)
    if now - alive > OVERDUE:
        yield Finding(
            "worker", WARNING, f"last alive on {alive:%Y-%m-%d %H:%M} UTC", "mitoyen worker"
        )
    else:
        yield Finding("worker", OK, "alive")
