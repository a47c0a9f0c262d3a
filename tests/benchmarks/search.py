"""How fast a search is: ``python -m tests.benchmarks.search [SIZE ...] [--keep FOLDER]``.

Generates that many people, builds the index, asks questions of each kind and prints milliseconds,
each with all facet counts, one page, cards and reasons; then suggestions, and how long an edit
takes until a search shows it. With ``--keep`` the databases stay in that folder and are used again
while they fit the program: a million people take their time to make. ``--database=postgresql``
measures on a server of its own, whose work no processor time here counts: there only the clock
tells.

Times are of the processor: a machine that others use too is slower by the clock (the last column),
not in what it has to do. p50, p95 and p99 are of questions that nobody asked before, while sets
that others asked for are remembered: these are judged by the aims. "Cold" is the 95th percentile
when nothing is remembered, as after each edit; "again" that of questions just asked. All matches
are ranked, none is left out: there is no second phase whose first page might differ.
"""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from statistics import quantiles
from time import perf_counter, process_time

from rich.console import Console
from rich.progress import Progress
from sqlalchemy import func, inspect, select, text
from sqlalchemy.orm import Session

from app.models import account, feed, job, journal  # noqa: F401  # all tables
from app.models.base import Base
from app.models.engine import open_engine
from app.models.peer import MirroredProfile
from app.models.scope import Reader
from app.models.space import Space
from app.search.find import find
from app.search.index import index_mirrored, is_current, rebuild
from app.search.query import Query
from app.search.snapshot import snapshot
from app.search.suggestions import suggest
from federation.vocabulary import LANGUAGES, specialities
from tests.benchmarks.profiles import COMMON, NOW, fill
from tests.databases import POSTGRESQL, SQLITE, databases

SIZES = (10_000, 100_000)
#: Questions asked of each kind.
ROUNDS = 60
#: Milliseconds that 95 of 100 answers may take at a million people.
AIM, AIM_WHILE_TYPING = 20, 10


def kinds(chance: random.Random) -> dict[str, Callable[[], Query]]:
    """Return how to make a question of each kind."""
    codes = list(specialities().values())

    def words() -> str:
        return chance.choice(chance.choice(codes).words[chance.choice(LANGUAGES)])

    def slip(word: str) -> str:
        at = chance.randrange(1, max(2, len(word) - 1))
        return word[:at] + word[at + 1 :]

    facets = {"language": ("fr",), "mode": ("paid",), "remote": True}
    return {
        "two words": lambda: Query(words=f"{words()} {words()} "),
        "prefix": lambda: Query(words=words()[:4]),
        "two letters": lambda: Query(words=words()[:2]),
        "common word": lambda: Query(words=f"{COMMON} "),
        "its tenth page": lambda: Query(words=f"{COMMON} ", page=10),
        "words + 3 facets": lambda: Query(words=f"{words()} ", **facets),
        "facets alone": lambda: Query(**facets),
        "everybody": lambda: Query(),
        "typo": lambda: Query(words=slip(words()) + " "),
        "distance": lambda: Query(words=f"{words()} ", sort="distance", within=200),
        "by name": lambda: Query(words=f"{COMMON} ", sort="name", page=chance.randint(1, 50)),
    }


@dataclass(frozen=True)
class Measured:
    """Milliseconds of one kind of question; the most people that answered one."""

    cuts: list[float]
    """Of the processor, one for each hundredth."""

    cold: float
    again: float
    clock: float
    most: int

    @classmethod
    def of(
        cls,
        prepare: Callable[[], Callable[[], int]],
        unsay: Callable[[], None] = lambda: None,
        forget: Callable[[], None] = lambda: None,
    ) -> Measured:
        """Ask :data:`ROUNDS` times, as often with nothing remembered, and each once more.

        :param prepare: makes a question that can be asked and says how many people answer it.
        :param unsay: forgets what was answered.
        :param forget: forgets everything.
        """
        prepare()()
        taken, clocks, cold, again, most = [], [], [], [], 0
        for _ in range(ROUNDS):
            ask, clock = prepare(), perf_counter()
            unsay()
            taken.append(_milliseconds(ask))
            clocks.append((perf_counter() - clock) * 1000)
            again.append(_milliseconds(ask))
        for _ in range(ROUNDS):
            ask = prepare()
            forget()
            cold.append(_milliseconds(ask))
            most = max(most, ask())
        ends = (quantiles(times, n=20)[18] for times in (cold, again, clocks))
        return cls(quantiles(taken, n=100), *ends, most)


def _milliseconds(ask: Callable[[], int]) -> float:
    start = process_time()
    ask()
    return (process_time() - start) * 1000


def measure(session: Session, here: Space) -> Iterator[tuple[str, Measured]]:
    """Ask questions of each kind."""
    chance = random.Random(11)  # noqa: S311  # the same questions each time

    def unsay() -> None:
        snapshot(session).answers.clear()

    def forget() -> None:
        held = snapshot(session)
        held.looked_up.clear()
        held.words.clear()
        held.outlooks.clear()
        held.answers.clear()

    for kind, question in kinds(chance).items():

        def prepare(question: Callable[[], Query] = question) -> Callable[[], int]:
            session.expunge_all()
            query = question()
            return lambda: find(session, query, Reader.MEMBER, here, NOW).total

        yield kind, Measured.of(prepare, unsay, forget)
    codes = list(specialities().values())

    def type_on() -> Callable[[], int]:
        session.expunge_all()
        label = chance.choice(codes).labels[chance.choice(LANGUAGES)]
        typed = label[: chance.randint(2, 5)]
        return lambda: suggest(session, typed, "fr", Reader.MEMBER, here, NOW).count

    yield "suggestions", Measured.of(type_on, unsay, forget)


def edits(session: Session, here: Space) -> Iterator[tuple[str, Measured]]:
    """Change people, and search at once."""
    numbers = count(1)

    def change() -> int:
        session.expunge_all()
        profile = session.get_one(MirroredProfile, next(numbers))
        profile.document = profile.document | {"headline": f"changed {profile.id}"}
        index_mirrored(session, profile, profile.peer)
        session.commit()
        return profile.id

    def found() -> int:
        words = f"changed {change()} "
        return find(session, Query(words=words), Reader.MEMBER, here, NOW).total

    yield "edit alone", Measured.of(lambda: change)
    yield "edit, then found", Measured.of(lambda: found)


def megabytes(session: Session) -> float:
    """Return the size of the database."""
    if session.connection().dialect.name == POSTGRESQL:
        size = session.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
        return float(size / 2**20)
    pages = session.execute(text("PRAGMA page_count")).scalar_one()
    return float(pages * session.execute(text("PRAGMA page_size")).scalar_one() / 2**20)


def prepared(session: Session, size: int) -> Space:
    """Return the space of a database with ``size`` people and their index, made if need be."""
    here = session.scalars(select(Space)).first()
    if here is None:
        start = process_time()
        here = fill(session, size)
        print(f"\n{size} people generated in {process_time() - start:.0f} s")
    if not inspect(session.connection()).has_table("search_state") or not is_current(session):
        before, start = megabytes(session), process_time()
        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(f"Indexing {size} people", total=size)
            rebuild(session, lambda done, _: bar.update(task, completed=done))
        session.commit()
        built, grown = process_time() - start, megabytes(session) - before
        each = built / size * 1000
        print(f"\n{size} people: index {built:.1f} s ({each:.2f} ms each), {grown:.0f} MB")
    if session.scalar(select(func.count()).select_from(MirroredProfile)) != size:
        raise SystemExit(f"this database does not hold {size} people")
    return here


def run(size: int, url: str) -> dict[str, Measured]:
    """Print one table for ``size`` people."""
    engine = open_engine(url)
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        here = prepared(session, size)
        session.refresh(here)
        session.expunge(here)
        start = process_time()
        find(session, Query(words="lawyer"), Reader.MEMBER, here, NOW)
        first = process_time() - start
        start = process_time()
        snapshot(session).looked_up.clear()
        print(f"\n{size} people; the first search of a process: {first:.2f} s")
        names = ("p50", "p95", "p99", "cold", "again", "clock")
        print(f"{'kind':18}", *(f"{name:>6}" for name in names), f"{'found':>8}")
        found = {}
        for kind, one in chain(measure(session, here), edits(session, here)):
            times = " ".join(f"{one.cuts[at]:6.1f}" for at in (49, 94, 98))
            more = " ".join(f"{taken:6.1f}" for taken in (one.cold, one.again, one.clock))
            print(f"{kind:18} {times} {more} {one.most:8}")
            found[kind] = one
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"memory of the process at its most: {peak:.0f} MB")
    engine.dispose()
    return found


def compare(found: dict[int, dict[str, Measured]]) -> None:
    """Print how p50 grows from each size to the next, and what misses its aim at the largest."""
    sizes = sorted(found)
    for small, large in zip(sizes, sizes[1:], strict=False):
        print(f"\nFrom {small} to {large} people, {large // small} times as many, p50 grows by")
        for kind, one in found[large].items():
            print(f"{kind:18} {one.cuts[49] / found[small][kind].cuts[49]:6.1f} times")
    short = ("suggestions", "edit alone", "edit, then found")
    missed = [
        f"{kind} ({one.cuts[94]:.1f})"
        for kind, one in found[sizes[-1]].items()
        if one.cuts[94] > (AIM_WHILE_TYPING if kind in short else AIM)
    ]
    print(f"\nAims at {sizes[-1]}: {', '.join(missed) + ' MISSED' if missed else 'kept'}.")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("sizes", type=int, nargs="*", default=SIZES)
    options.add_argument("--keep", type=Path)
    options.add_argument("--database", choices=(SQLITE, POSTGRESQL), default=SQLITE)
    given = options.parse_args()
    with ExitStack() as stack:
        folder = given.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if given.database == POSTGRESQL:
            databases.start()
            stack.callback(databases.stop)
        urls = {size: f"sqlite:///{folder / f'{size}.db'}" for size in given.sizes}
        if given.database == POSTGRESQL:
            urls = {size: databases.of(folder / str(size)) for size in given.sizes}
        compare({size: run(size, url) for size, url in urls.items()})


if __name__ == "__main__":
    main()
