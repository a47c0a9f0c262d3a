"""How fast a search is: ``python -m tests.benchmarks.search [10000 100000 ...]``.

Generates that many people, builds the index, asks questions of each kind and prints p50 and p95
in milliseconds, each with all facet counts, first page and cards. Then how long an edit takes.
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import quantiles
from time import perf_counter

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


def measure(session: Session, here: Space) -> Iterator[tuple[str, float, float, int]]:
    """Ask, and return for each kind p50, p95 (ms) and the most people that answered."""
    chance = random.Random(11)  # noqa: S311  # the same questions each time
    find(session, Query(words="lawyer"), Reader.MEMBER, here, NOW)
    for kind, question in kinds(chance).items():
        took, most = [], 0
        for _ in range(ROUNDS):
            query = question()
            start = perf_counter()
            most = max(most, find(session, query, Reader.MEMBER, here, NOW).total)
            took.append((perf_counter() - start) * 1000)
            session.expire_all()
        cuts = quantiles(took, n=20)
        yield kind, cuts[9], cuts[18], most


def edits(session: Session, here: Space) -> tuple[float, float]:
    """Change people and search at once; return p50 and p95 of both together, in ms."""
    took = []
    for profile in session.scalars(select(MirroredProfile).limit(ROUNDS)).all():
        profile.document = profile.document | {"headline": f"changed {profile.id}"}
        start = perf_counter()
        index_mirrored(session, profile, profile.peer)
        session.commit()
        find(session, Query(words=f"changed {profile.id} "), Reader.MEMBER, here, NOW)
        took.append((perf_counter() - start) * 1000)
    cuts = quantiles(took, n=20)
    return cuts[9], cuts[18]


def megabytes(session: Session) -> float:
    """Return the size of the database."""
    pages = session.execute(text("PRAGMA page_count")).scalar_one()
    return float(pages * session.execute(text("PRAGMA page_size")).scalar_one() / 2**20)


def run(size: int, folder: Path) -> None:
    """Print one table for ``size`` people."""
    engine = open_engine(f"sqlite:///{folder / f'{size}.db'}")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        here = fill(session, size)
        before = megabytes(session)
        start = perf_counter()
        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(f"Indexing {size} people", total=size)
            rebuild(session, lambda done, _: bar.update(task, completed=done))
        session.commit()
        built = perf_counter() - start
        grown = megabytes(session) - before
        print(f"\n{size} people: index built in {built:.1f} s, {grown:.0f} MB")
        print(f"{'kind':18} {'p50 ms':>8} {'p95 ms':>8} {'most found':>11}")
        for kind, middle, slow, most in measure(session, here):
            print(f"{kind:18} {middle:8.1f} {slow:8.1f} {most:11}")
        middle, slow = edits(session, here)
        print(f"{'edit, then found':18} {middle:8.1f} {slow:8.1f}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"memory of the process at its most: {peak:.0f} MB")
    engine.dispose()


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="mitoyen-benchmark-") as folder:
        for size in map(int, sys.argv[1:] or SIZES):
            run(size, Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
