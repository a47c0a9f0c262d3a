"""How fast a search is: ``python -m tests.benchmarks.search [10000 100000 ...]``.

Generates that many people, builds the index, asks questions of each kind and prints p50 and p95
in milliseconds, each with all facet counts, first page and cards. Then how long an edit takes,
and what writing costs a person. Times are of the processor: a machine that others use too is
slower by the clock (the last column), not in what it has to do. The first question of a kind is
printed apart, because sets that were looked up once are remembered until the index changes.

``--database=postgresql`` measures on a server of its own, whose work no processor time here
counts: there only the clock tells.
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from statistics import quantiles
from time import perf_counter, process_time

from rich.console import Console
from rich.progress import Progress
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.models import account, feed, job, journal  # noqa: F401  # all tables
from app.models.base import Base
from app.models.engine import open_engine
from app.models.peer import MirroredProfile
from app.models.scope import Reader
from app.models.space import Space
from app.search.find import find
from app.search.index import index_mirrored, rebuild
from app.search.query import Query
from federation.vocabulary import LANGUAGES, specialities
from tests.benchmarks.profiles import COMMON, NOW, fill
from tests.databases import POSTGRESQL, databases

SIZES = (10_000, 100_000)
#: Questions asked of each kind.
ROUNDS = 60


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
        "common word": lambda: Query(words=f"{COMMON} "),
        "words + 3 facets": lambda: Query(words=f"{words()} ", **facets),
        "facets alone": lambda: Query(**facets),
        "everybody": lambda: Query(),
        "typo": lambda: Query(words=slip(words()) + " "),
        "distance": lambda: Query(words=f"{words()} ", sort="distance", within=200),
        "tenth page": lambda: Query(words=f"{COMMON} ", page=10),
    }


@dataclass(frozen=True)
class Measured:
    """Milliseconds of one kind of question; the most people that answered one."""

    first: float
    middle: float
    slow: float
    clock: float
    most: int = 0

    @classmethod
    def of(cls, ask: Callable[[], int]) -> Measured:
        """Ask :data:`ROUNDS` times and one more."""
        taken, clocks, most = [], [], 0
        for _ in range(ROUNDS + 1):
            clock, start = perf_counter(), process_time()
            most = max(most, ask())
            taken.append((process_time() - start) * 1000)
            clocks.append((perf_counter() - clock) * 1000)
        cuts = quantiles(taken[1:], n=20)
        return cls(taken[0], cuts[9], cuts[18], quantiles(clocks[1:], n=20)[18], most)


def measure(session: Session, here: Space) -> Iterator[tuple[str, Measured]]:
    """Ask questions of each kind."""
    chance = random.Random(11)  # noqa: S311  # the same questions each time
    find(session, Query(words="lawyer"), Reader.MEMBER, here, NOW)
    for kind, question in kinds(chance).items():

        def ask(question: Callable[[], Query] = question) -> int:
            session.expire_all()
            return find(session, question(), Reader.MEMBER, here, NOW).total

        yield kind, Measured.of(ask)


def edits(session: Session, here: Space) -> Iterator[tuple[str, Measured]]:
    """Change people, and search at once."""
    profiles = iter(session.scalars(select(MirroredProfile).limit(2 * ROUNDS + 2)).all())

    def change() -> MirroredProfile:
        profile = next(profiles)
        profile.document = profile.document | {"headline": f"changed {profile.id}"}
        index_mirrored(session, profile, profile.peer)
        session.commit()
        return profile

    def found() -> int:
        words = f"changed {change().id} "
        return find(session, Query(words=words), Reader.MEMBER, here, NOW).total

    yield "edit alone", Measured.of(lambda: bool(change()))
    yield "edit, then found", Measured.of(found)


def megabytes(session: Session) -> float:
    """Return the size of the database."""
    if session.connection().dialect.name == POSTGRESQL:
        size = session.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
        return float(size / 2**20)
    pages = session.execute(text("PRAGMA page_count")).scalar_one()
    return float(pages * session.execute(text("PRAGMA page_size")).scalar_one() / 2**20)


def run(size: int, folder: Path) -> None:
    """Print one table for ``size`` people."""
    engine = open_engine(databases.of(folder / str(size)))
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        here = fill(session, size)
        before = megabytes(session)
        start = process_time()
        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(f"Indexing {size} people", total=size)
            rebuild(session, lambda done, _: bar.update(task, completed=done))
        session.commit()
        built = process_time() - start
        grown = megabytes(session) - before
        each = built / size * 1000
        print(f"\n{size} people: index {built:.1f} s ({each:.2f} ms each), {grown:.0f} MB")
        start = process_time()
        find(session, Query(words="lawyer"), Reader.MEMBER, here, NOW)
        print(f"the first search of a process: {process_time() - start:.2f} s")
        print(
            f"{'kind':18} {'first':>7} {'p50':>7} {'p95':>7} {'clock p95':>10} {'most found':>11}"
        )
        for kind, one in chain(measure(session, here), edits(session, here)):
            times = f"{one.first:7.1f} {one.middle:7.1f} {one.slow:7.1f} {one.clock:10.1f}"
            print(f"{kind:18} {times} {one.most:11}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"memory of the process at its most: {peak:.0f} MB")
    engine.dispose()


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="mitoyen-benchmark-") as folder:
        sizes = [int(word) for word in sys.argv[1:] if word.isdigit()]
        if f"--database={POSTGRESQL}" in sys.argv:
            databases.start()
        for size in sizes or SIZES:
            (Path(folder) / str(size)).mkdir()
            run(size, Path(folder))
        databases.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
