"""What can be wrong with a space, looked at one by one, and what to do about each.

Every check answers with findings and never stops the others: an operator reads all of it at once.
Nothing is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.cli import ground
from app.cli.finding import OK, PROBLEM, WARNING, Finding
from app.cli.ground import OVERDUE
from app.exchange import awaiting
from app.models.account import ADMIN, Account
from app.models.engine import reading
from app.models.job import Job
from app.models.journal import JournalEntry
from app.models.member import Member
from app.models.peer import Peer
from app.models.space import Space
from app.search import index
from app.search.checking import TOLD, check_sets
from config.settings import Settings, SettingsError

#: A neighbour that has not answered for so long deserves a look.
SILENCE = timedelta(days=2)

#: How long a sign of an older database is worth telling.
FORGOTTEN = timedelta(days=7)

#: A clock that is behind what we wrote ourselves, by more than a slow second.
BEHIND = timedelta(minutes=1)


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
    findings += [*ground.folder(settings), *ground.secret(settings), *ground.mail(settings)]
    with reading():
        return findings + _inside(settings, now, whole_index=whole_index)


def _inside(settings: Settings, now: datetime, *, whole_index: bool) -> list[Finding]:
    findings: list[Finding] = []
    engine = ground.database(settings, findings)
    if engine is None:
        return findings
    with Session(engine) as session:
        space = session.get(Space, 1)
        if space is None:
            engine.dispose()
            return [*findings, ground.unfounded()]
        findings += ground.keys(settings, space, now)
        findings += ground.worker(settings, now)
        index_look = _whole_index if whole_index else _index
        for look in (_people, index_look, _clock, _jobs, _backup, _awaited, _neighbours):
            findings += _looked(look, session, now)
    engine.dispose()
    return findings


def missing_to_serve(settings: Settings) -> list[str]:
    """Return everything without which no page can be served, in words."""
    findings = [*ground.secret(settings)]
    engine = ground.database(settings, findings)
    if engine is not None:
        with Session(engine) as session:
            space = session.get(Space, 1)
            findings += (
                [ground.unfounded()]
                if space is None
                else ground.keys(settings, space, datetime.now(UTC))
            )
        engine.dispose()
    problems = (finding for finding in findings if finding.level == PROBLEM)
    return [" ".join(filter(None, (found.said, found.to_do))) for found in problems]


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
