"""What a thousand neighbours cost: ``python -m tests.benchmarks.neighbours [--places FILE.csv]``.

Founds as many spaces as asked for (``--spaces 1000``), each with its own keys, door plate and
signed profiles (``--members 119``), and lets one real instance mirror them all through its own
worker. The spaces are files that answer as a space does; their work is not measured. Names and
coordinates are invented, or taken from a CSV file with the columns ``name``, ``city``, ``lat`` and
``lng``.

Printed while the neighbourhood grows, at a tenth, a third and all of it, so that whatever grows
faster than the neighbourhood shows: time, disk and memory, what searches and the neighbours' page
cost. Then some simulated hours (``--hours 3``) in which nothing changes: requests an hour, the
busiest minute, what a poll costs.
"""

from __future__ import annotations

import argparse
import csv
import json
import logging
import os
import re
import statistics
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time
from urllib.parse import parse_qs, urlsplit

import structlog
from flask import Flask
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, event, func, select
from sqlalchemy.orm import Session

from app.database import db
from app.exchange import entities, outbox
from app.exchange.work import schedule_upkeep
from app.models.base import new_id
from app.models.peer import MirroredProfile, Peer
from app.worker import run_round
from federation import entity, signing, tree
from federation.client import JSON
from federation.documents import Checkpoint
from federation.entity import MEDIA_TYPE, Location
from federation.envelope import moment
from federation.identifiers import EntityId
from federation.keys import kid, new_key
from federation.limits import CHECKPOINT_LIFETIME
from federation.transport import Answer
from tests import spaces
from tests.benchmarks.profiles import COMMON, people

#: What people do with a neighbourhood, and where.
PAGES = {
    "search: two words": "/search?q=droit+travail&scope=everywhere",
    "search: a word 30 % have": f"/search?q={COMMON}&scope=everywhere",
    "search: no word": "/search?scope=everywhere",
    "home": "/",
    "neighbours": "/neighbours",
}
ROUNDS = 15

#: Minutes after which every space has been asked once since it was mirrored, and none twice.
SETTLING = 66

#: How long profiles and plates of the invented spaces are good.
GOOD = timedelta(days=30)

console = Console(width=110)


@dataclass(frozen=True)
class Place:
    """Where a space is, and what is on its door."""

    name: str
    city: str
    latitude: float
    longitude: float


def places(count: int, file: Path | None) -> Iterator[Place]:
    """Return ``count`` places: the file's, again and again, or invented ones all over Europe."""
    if file is None:
        for number in range(count):
            yield Place(
                f"Space {number}", f"City {number % 97}",
                36 + number * 7919 % 2400 / 100, -9 + number * 6101 % 3600 / 100,
            )  # fmt: skip
        return
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
    for number in range(count):
        row = rows[number % len(rows)]
        yield Place(row["name"][:80], row["city"][:80], float(row["lat"]), float(row["lng"]))


@dataclass
class Street:
    """Plays the transport: files that answer in the name of the spaces they belong to."""

    folder: Path
    now: datetime
    asked: Counter[str] = field(default_factory=Counter)
    """Requests by what they asked for."""

    minutes: Counter[int] = field(default_factory=Counter)
    elsewhere: float = 0.0
    """Seconds of the processor in which the others answered."""

    def get(self, url: str, *, max_bytes: int, headers: dict[str, str] | None = None) -> Answer:
        begun = process_time()
        parts = urlsplit(url)
        what = parts.path.rpartition("/")[2]
        self._count(what)
        home = self.folder / (parts.hostname or "").partition(".")[0]
        if what == "feed":
            answer = self._page(home, parse_qs(parts.query), dict(headers or {}))
        elif what == "openid-federation":
            answer = Answer(200, {"content-type": MEDIA_TYPE}, (home / "plate").read_bytes())
        elif what == "held":
            told = {"items": [], "next": "", "more": False}
            answer = Answer(200, {"content-type": JSON}, json.dumps(told).encode())
        else:
            raise AssertionError(f"nobody should ask for {url}")
        self.elsewhere += process_time() - begun
        return answer

    def post(self, url: str, body: bytes, **_given: object) -> Answer:
        self._count(url.rpartition("/")[2])
        return Answer(202, {}, b"")

    def _page(self, home: Path, query: dict[str, list[str]], headers: dict[str, str]) -> Answer:
        since, limit = query.get("since", ["e.0"])[0], int(query["limit"][0])
        after = int(since.partition(".")[2])
        tag = f'"{since}-{limit}"'
        if headers.get("If-None-Match") == tag:
            return Answer(304, {}, b"")
        tokens = (home / "profiles").read_text().split()
        here = list(enumerate(tokens, 1))[after : after + limit]
        page = {
            "epoch": "e",
            "from": "" if after == 0 else since,
            "items": [{"seq": seq, "jws": token} for seq, token in here],
            "next": f"e.{here[-1][0] if here else after}",
            "more": after + limit < len(tokens),
            "checkpoint": (home / "checkpoint").read_text(),
        }
        return Answer(200, {"content-type": JSON, "etag": tag}, json.dumps(page).encode())

    def _count(self, what: str) -> None:
        self.asked[what] += 1
        self.minutes[int(self.now.timestamp()) // 60] += 1


def found(street: Street, number: int, place: Place, said: list[dict[str, object]]) -> str:
    """Found one space as files, and return its url."""
    url, now = EntityId(f"https://space-{number}.example"), moment(street.now)
    root, key = new_key(), new_key()
    home = street.folder / f"space-{number}"
    home.mkdir()
    plate = entity.build(
        url, root_key=root, operational_keys=[key], organization_name=place.name,
        location=Location("FR", place.city, place.latitude, place.longitude), now=now,
        next_kids=[kid(new_key())], languages=["fr"], enamel="teal", members=len(said),
    )  # fmt: skip
    (home / "plate").write_text(plate)
    tokens, leaves = [], []
    for claims in said:
        subject = f"{url}/m/{new_id()}"
        dated = {"iat": int(now.timestamp()), "exp": int((now + GOOD).timestamp())}
        whole = {
            "iss": url, "sub": subject, "rev": 1, "aud": "public", **dated,
            "consent_at": dated["iat"], "web": ["name", "headline", "services"], **claims,
        }  # fmt: skip
        token = signing.sign(whole, key, "cdf-profile+jwt")
        tokens.append(token)
        leaves.append(tree.leaf(subject, 1, token))
    (home / "profiles").write_text("\n".join(tokens))
    checkpoint = Checkpoint(
        issuer=url, view="peers", epoch="e", seq=len(tokens), count=len(tokens),
        root=tree.root(leaves).hex(), issued_at=now, expires_at=now + CHECKPOINT_LIFETIME,
    )  # fmt: skip
    (home / "checkpoint").write_text(signing.issue(checkpoint, key))
    return url


def befriend(session: Session, app: Flask, street: Street, url: str, now: datetime) -> None:
    """Write down that both admins said yes, as it is after the statements have arrived."""
    name = url.removeprefix("https://").partition(".")[0]
    plate = entity.read((street.folder / name / "plate").read_text(), url, now, pinned_kid=None)
    peer = Peer(
        url=url, created_at=now, active_since=now, ours="approved", our_n=1, told_n=1,
        theirs="approved", their_n=1, root_kid=plate.root_kid,
        their_kid_seen=app.extensions["identity"].root_kid,
    )  # fmt: skip
    session.add(peer)
    entities.hang(peer, plate, now)
    session.flush()
    outbox.request(session, outbox.PULL, str(peer.id), now, peer_id=peer.id)


def mirror(engine: Engine, app: Flask, street: Street, now: datetime) -> None:
    """Let the worker do all that is due at ``now``."""
    identity = app.extensions["identity"]
    while True:
        summary = run_round(lambda: Session(engine), street, identity, now)
        if summary.broken:
            raise AssertionError("a job met a bug; see the log above")
        if not summary.outcomes:
            return


def grow(
    engine: Engine, app: Flask, street: Street, said: Iterator[Place], given: argparse.Namespace
) -> None:
    """Mirror the spaces step by step, and print what each stage cost."""
    steps = sorted({max(1, given.spaces // 10), max(1, given.spaces // 3), given.spaces})
    table = Table(title=f"Spaces of {given.members} members, mirrored", title_justify="left")
    for heading in (
        "spaces", "profiles", "profiles/s", "s (processor)", "s (clock)", "MB on disk", "MB memory"
    ):  # fmt: skip
        table.add_column(heading, justify="right")
    claims = people(given.spaces * given.members)
    done, pages = 0, Pages(app)
    with Session(engine) as session:
        schedule_upkeep(session, street.now)
        session.commit()
    for step in steps:
        with Session(engine) as session:
            for number in range(done, step):
                members = [_without_gaps(next(claims)) for _ in range(given.members)]
                url = found(street, number, next(said), members)
                befriend(session, app, street, url, street.now)
            session.commit()
        street.elsewhere = 0.0
        clock, processor = perf_counter(), process_time()
        mirror(engine, app, street, street.now)
        clock, processor = perf_counter() - clock, process_time() - processor - street.elsewhere
        profiles = (step - done) * given.members
        table.add_row(
            str(step), str(step * given.members), f"{profiles / processor:.0f}",
            f"{processor:.1f}", f"{clock:.1f}", f"{_on_disk(engine):.0f}", f"{_megabytes():.0f}",
        )  # fmt: skip
        done = step
        pages.measure(step)
    _check(engine, given)
    console.print(table)
    console.print(pages.table(steps))


@dataclass
class Pages:
    """An admin's browser, and how long each page took at each stage."""

    app: Flask
    times: dict[tuple[str, int], tuple[float, int]] = field(default_factory=dict)

    def measure(self, step: int) -> None:
        browser = self.app.test_client()
        spaces.sign_in(browser, "reader@lyon.example")
        for what, address in PAGES.items():
            answer = browser.get(address)
            if answer.status_code != 200:
                raise AssertionError(f"{address} answered {answer.status_code}")
            taken = [_timed(lambda: browser.get(address)) for _ in range(ROUNDS)]  # noqa: B023  # called at once
            self.times[what, step] = statistics.median(taken), len(answer.data)

    def table(self, steps: list[int]) -> Table:
        table = Table(title="Pages, ms of the processor (KB of HTML)", title_justify="left")
        table.add_column("page")
        for step in steps:
            table.add_column(f"{step} spaces", justify="right")
        for what in PAGES:
            cells = [self.times[what, step] for step in steps]
            table.add_row(what, *(f"{ms:.1f} ({size / 1000:.0f})" for ms, size in cells))
        return table


def rest(engine: Engine, app: Flask, street: Street, given: argparse.Namespace) -> None:
    """Let some hours pass in which nothing changes, and print what they cost."""
    identity = app.extensions["identity"]
    for _ in range(SETTLING):
        street.now += timedelta(minutes=1)
        run_round(lambda: Session(engine), street, identity, street.now)
    street.asked.clear()
    street.minutes.clear()
    street.elsewhere = 0.0
    written = _Writes(engine)
    begun = process_time()
    waits = 0
    for _ in range(given.hours * 60):
        street.now += timedelta(minutes=1)
        summary = run_round(lambda: Session(engine), street, identity, street.now)
        waits += sum(1 for outcome in summary.outcomes if not outcome.done)
    processor = process_time() - begun - street.elsewhere
    polls = street.asked["feed"]
    others = {what: count for what, count in street.asked.items() if what != "feed"}
    busiest = max(street.minutes.values(), default=0)
    console.print(
        f"{given.hours} hours of rest: {sum(street.asked.values()) / given.hours:.0f} requests an "
        f"hour ({polls} polls, others: {others or 'none'}), {busiest} in the busiest minute, "
        f"{waits} failures; {processor / max(polls, 1) * 1000:.1f} ms of the processor, "
        f"{written.count / max(polls, 1):.1f} changing statements a poll"
    )


class _Writes:
    """Counts the statements that change rows, leases of jobs included."""

    def __init__(self, engine: Engine) -> None:
        self.count = 0
        event.listen(engine, "before_cursor_execute", self._look)

    def _look(self, _connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        self.count += statement.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE"))


def _check(engine: Engine, given: argparse.Namespace) -> None:
    with Session(engine) as session:
        held = session.scalar(select(func.count(MirroredProfile.id)))
        agree = session.scalar(select(func.count(Peer.id)).where(Peer.roots_agree))
    if (held, agree) != (given.spaces * given.members, given.spaces):
        raise AssertionError(f"{held} profiles held, {agree} roots agree")


def _without_gaps(said: dict[str, object]) -> dict[str, object]:
    services = [
        {name: value for name, value in one.items() if value is not None}
        for one in said["services"]  # type: ignore[attr-defined]  # a list, by its generator
    ]
    return {**said, "services": services}


def _timed(ask: Callable[[], object]) -> float:
    begun = process_time()
    ask()
    return (process_time() - begun) * 1000


def _on_disk(engine: Engine) -> float:
    """Return the megabytes of the database, its write-ahead log included."""
    path = Path(engine.url.database or "")
    return sum(each.stat().st_size for each in path.parent.glob(f"{path.name}*")) / 1e6


def _megabytes() -> float:
    """Return the most memory that this process ever had (Linux)."""
    status = Path(f"/proc/{os.getpid()}/status").read_text(encoding="ascii")
    seen = re.search(r"VmHWM:\s+(\d+)", status)
    return int(seen[1]) / 1024 if seen else 0.0


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--spaces", type=int, default=1000)
    options.add_argument("--members", type=int, default=119)
    options.add_argument("--hours", type=int, default=3)
    options.add_argument("--places", type=Path, help="CSV with name, city, lat, lng")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="mitoyen-benchmark-") as folder:
        app = spaces.build(Path(folder) / "lyon", "La Navette", "Lyon", "https://lyon.example")
        street = Street(Path(folder), datetime.now(UTC))
        with app.app_context():
            spaces.add_member("Reader", email="reader@lyon.example", admin=True)
            db.session.commit()
            engine = db.engine
        # Outside of the context, or pages would share its session and never end their reading.
        grow(engine, app, street, places(given.spaces, given.places), given)
        rest(engine, app, street, given)
        engine.dispose()


if __name__ == "__main__":
    main()
