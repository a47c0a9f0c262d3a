"""What can be wrong with a space, looked at one by one, and what to do about each.

Every check answers with findings and never stops the others: an operator reads all of it at once.
Nothing is changed.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, func, inspect, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.exchange import awaiting, rotation
from app.exchange.identity import KeysMissingError, KeysUnsafeError, load_identity
from app.migrations import DatabaseNewerError, check
from app.models.account import ADMIN, Account
from app.models.engine import open_engine, reading
from app.models.job import Job
from app.models.journal import JournalEntry
from app.models.member import Member
from app.models.peer import Peer
from app.models.space import Space
from app.search import index
from app.search.checking import TOLD, check_sets
from app.worker import HEARTBEAT
from config.settings import Settings, SettingsError

OK, WARNING, PROBLEM = "ok", "warning", "problem"

#: A worker silent for so long, or a job that nobody took, says that none runs.
OVERDUE = timedelta(minutes=15)

#: A neighbour that has not answered for so long deserves a look.
SILENCE = timedelta(days=2)

#: A key that was to be changed so long ago shows that nobody does it.
OVERDUE_KEY = timedelta(days=7)

#: How long a sign of an older database is worth telling.
FORGOTTEN = timedelta(days=7)

#: A clock that is behind what we wrote ourselves, by more than a slow second.
BEHIND = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and what to do."""

    what: str
    level: str
    said: str
    to_do: str = ""

    def as_line(self) -> str:
        return f"{self.level:8} {self.what}: {self.said}" + (
            f"\n         -> {self.to_do}" if self.to_do else ""
        )

    def as_row(self) -> dict[str, Any]:
        return asdict(self)


def examine(now: datetime, *, whole_index: bool = False) -> list[Finding]:
    """Return what every check found; the first problems may leave the others nothing to look at.

    :param whole_index: compare every set of the search index with the people in it, which takes
        as long as making it anew; else those of a sample of people.
    """
    try:
        settings = Settings.load()
    except SettingsError as error:
        return [Finding("settings", PROBLEM, problem) for problem in error.problems]
    findings = [Finding("settings", OK, f"complete; data in {settings.data}")]
    findings += [*_folder(settings), *_secret(settings), *_mail(settings)]
    with reading():
        return findings + _inside(settings, now, whole_index=whole_index)


def _inside(settings: Settings, now: datetime, *, whole_index: bool) -> list[Finding]:
    findings: list[Finding] = []
    engine = _database(settings, findings)
    if engine is None:
        return findings
    with Session(engine) as session:
        space = session.get(Space, 1)
        if space is None:
            engine.dispose()
            return [*findings, _unfounded()]
        findings += _keys(settings, space, now)
        findings += _worker(settings, now)
        index_look = _whole_index if whole_index else _index
        for look in (_people, index_look, _clock, _jobs, _backup, _awaited, _neighbours):
            findings += _looked(look, session, now)
    engine.dispose()
    return findings


def missing_to_serve(settings: Settings) -> list[str]:
    """Return everything without which no page can be served, in words."""
    findings = [*_secret(settings)]
    engine = _database(settings, findings)
    if engine is not None:
        with Session(engine) as session:
            space = session.get(Space, 1)
            findings += (
                [_unfounded()] if space is None else _keys(settings, space, datetime.now(UTC))
            )
        engine.dispose()
    problems = (finding for finding in findings if finding.level == PROBLEM)
    return [" ".join(filter(None, (found.said, found.to_do))) for found in problems]


def _unfounded() -> Finding:
    return Finding("space", PROBLEM, "there is no space here yet", "Found it: mitoyen setup --help")


def _folder(settings: Settings) -> Iterator[Finding]:
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


def _secret(settings: Settings) -> Iterator[Finding]:
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


def _mail(settings: Settings) -> Iterator[Finding]:
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


def _database(settings: Settings, findings: list[Finding]) -> Engine | None:
    """Return the engine of a database that can be read; None after telling what is wrong."""
    if not settings.database and not (settings.data / "mitoyen.db").exists():
        findings.append(_unfounded())
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
        return _unfounded()
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


def _keys(settings: Settings, space: Space, now: datetime) -> list[Finding]:
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


def _looked(
    look: Callable[[Session, datetime], Iterator[Finding]], session: Session, now: datetime
) -> list[Finding]:
    """Return what ``look`` finds; a table that cannot be read is a finding of its own."""
    try:
        return list(look(session, now))
    except SQLAlchemyError as error:
        session.rollback()
        return [Finding(look.__name__.strip("_"), PROBLEM, f"cannot be examined: {error}")]


def _people(session: Session, _now: datetime) -> Iterator[Finding]:
    admins = session.scalar(select(func.count(Account.id)).where(Account.role == ADMIN)) or 0
    members = session.scalar(select(func.count(Member.id)).where(Member.left_at.is_(None))) or 0
    if admins:
        yield Finding("people", OK, f"{members} members, {admins} of the accounts are admins'")
    else:
        yield Finding(
            "people", WARNING, "there is no admin yet", "mitoyen link YOU@EXAMPLE.ORG --admin"
        )


def _index(session: Session, _now: datetime) -> Iterator[Finding]:
    yield _true_index(session, everybody=False)


def _whole_index(session: Session, _now: datetime) -> Iterator[Finding]:
    yield _true_index(session, everybody=True)


def _true_index(session: Session, *, everybody: bool) -> Finding:
    # Where the rows are not what the directory says, the sets of these rows are no news.
    differences = index.check(session) or check_sets(session, everybody=everybody)
    if not differences:
        return Finding("search index", OK, "says what the directory says")
    many = f"{len(differences)} differences" if len(differences) < TOLD else "many differences"
    said = f"{many}, the first: {differences[0]}"
    return Finding("search index", WARNING, said, "mitoyen index rebuild")


def _clock(session: Session, now: datetime) -> Iterator[Finding]:
    latest = max(
        (
            moment
            for column in (Member.updated_at, Peer.last_success_at)
            if (moment := session.scalar(select(func.max(column)))) is not None
        ),
        default=now,
    )
    if now.year < 2026 or latest > now + BEHIND:
        yield Finding(
            "clock",
            PROBLEM,
            f"says {now.astimezone(UTC):%Y-%m-%d %H:%M} UTC, before things that happened here",
            "Let the machine keep its time (NTP): neighbours refuse documents from the future.",
        )
    else:
        yield Finding("clock", OK, f"{now.astimezone(UTC):%Y-%m-%d %H:%M} UTC is plausible")


def _worker(settings: Settings, now: datetime) -> Iterator[Finding]:
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


def _jobs(session: Session, now: datetime) -> Iterator[Finding]:
    overdue = session.scalar(select(func.count(Job.id)).where(Job.due_at < now - OVERDUE)) or 0
    failing = session.scalars(
        select(Job).where(Job.attempts >= 3, Job.last_error != "").order_by(Job.id).limit(1)
    ).first()
    if overdue:
        yield Finding(
            "jobs",
            WARNING,
            f"{overdue} jobs wait for more than {OVERDUE.seconds // 60} minutes: is it running?",
            "mitoyen worker",
        )
    elif failing is not None:
        yield Finding("jobs", WARNING, f"{failing.kind} keeps failing: {failing.last_error}")
    else:
        yield Finding("jobs", OK, "nothing waits too long")


def _backup(session: Session, now: datetime) -> Iterator[Finding]:
    """A neighbour confirms what we do not remember signing: an older database was put back."""
    said = select(func.max(JournalEntry.at)).where(JournalEntry.code == "unknown-checkpoint")
    heard = session.scalar(said)
    told = session.scalar(
        select(func.max(JournalEntry.at)).where(JournalEntry.code == "space.restored")
    )
    if heard is None or heard < now - FORGOTTEN or (told is not None and told > heard):
        return
    yield Finding(
        "backup",
        WARNING,
        "a neighbour confirms a state that is unknown here: was an older database put back?",
        "If so: mitoyen restored",
    )


def _awaited(session: Session, _now: datetime) -> Iterator[Finding]:
    """Who has not yet told what we signed and do not know, after a return from a backup."""
    silent = awaiting.awaited(session)
    if not silent:
        return
    back = awaiting.since(session)
    since = f" since the return from a backup on {back:%Y-%m-%d %H:%M} UTC" if back else ""
    names = ", ".join(peer.url for peer in silent)
    yield Finding(
        "return",
        WARNING,
        f"{names}: not yet told what it holds of this space{since}. Until then nothing that was "
        "signed before is signed again by itself: it may know that somebody took a profile back",
        f"It is asked again and again. If it is gone for good: mitoyen peers end {silent[0].url}",
    )


def _neighbours(session: Session, now: datetime) -> Iterator[Finding]:
    peers = session.scalars(select(Peer).order_by(Peer.url)).all()
    for peer in peers:
        yield _neighbour(peer, now)
    if not peers:
        yield Finding("neighbours", OK, "none yet")


def _neighbour(peer: Peer, now: datetime) -> Finding:
    what = f"neighbour {peer.url}"
    if peer.ours == "key_hold":
        said = "its key changed unexpectedly; nothing is taken from it"
        return Finding(
            what,
            PROBLEM,
            said,
            f"Call them, compare the six words: mitoyen peers approve {peer.url}",
        )
    if not peer.active:
        return Finding(what, OK, f"we: {peer.ours}, they: {peer.theirs}")
    if peer.unconfirmed_since is not None and not peer.failures:
        differs = f"our copy is not confirmed since {peer.unconfirmed_since:%Y-%m-%d %H:%M} UTC"
        said = ". ".join(filter(None, (differs, peer.last_error_text)))
        return Finding(what, WARNING, said, f"mitoyen peers test {peer.url}")
    if peer.last_success_at is None or now - peer.last_success_at > SILENCE:
        last = f"{peer.last_success_at:%Y-%m-%d}" if peer.last_success_at else "never"
        said = f"last answered: {last}. {peer.last_error_text}".strip()
        return Finding(what, WARNING, said, "Its profiles stay visible, with their age.")
    return Finding(what, OK, f"answered on {peer.last_success_at:%Y-%m-%d %H:%M} UTC")
