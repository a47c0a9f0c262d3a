"""What it costs to read a neighbour: ``python -m tests.benchmarks.pull [10000 100000 ...]``.

For each number of profiles, a space publishes that many through the real endpoints, and another
takes them in through the real pull: verify, validate, store, index, root, commit. Beside it, on the
same pages and in the same run, an ideal loop: unpack, verify, decode, insert in batches, insert the
words into FTS5, nothing else. Pages are fetched beforehand and played back from files, packed as
they crossed, so that the publisher's work is in neither.

Then, in the neighbourhood that now holds them: what a poll costs that brings nothing, what one
edited, one new and one withdrawn profile cost on both sides, and what comparing roots costs.

Times are of the processor, all threads together, because other programs use this machine too; the
clock is printed beside them. Hashes are counted, not timed.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import logging
import re
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import perf_counter, process_time
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from rich.console import Console
from rich.table import Table
from sqlalchemy import event, func, insert, select
from sqlalchemy.orm import Session

from app.database import db
from app.exchange import checkpoints, copies, entities, feeds
from app.exchange.describing import PROFILE_LIFETIME
from app.exchange.pull import pull
from app.models.base import new_id
from app.models.engine import set_reading
from app.models.feed import FeedEntry, FeedState
from app.models.peer import MirroredProfile
from federation import signing, tree
from federation.transport import Answer
from tests.benchmarks import parts
from tests.benchmarks.profiles import people
from tests.neighbourhood import Neighbourhood, url_of

SIZES = (10_000, 100_000)

#: Profiles that the ideal loop takes: enough to be even.
IDEAL = 10_000

#: Rounds of each small thing; the middle one is printed.
ROUNDS = 5

console = Console(width=100)


@dataclass
class Cost:
    """What something took."""

    clock: float = 0.0
    processor: float = 0.0
    hashes: int = 0
    writes: int = 0
    """Statements that change rows."""

    commits: int = 0
    """Transactions that took the lock of writers."""

    requests: int = 0
    received: int = 0
    """Bytes, packed, that crossed."""

    elsewhere: float = 0.0
    """Seconds of the processor in which the other space answered; not counted above."""


@dataclass
class Meter:
    """Counts hashes, statements, requests and bytes while something runs."""

    network: Network
    now: Cost = field(default_factory=Cost)
    whose: str = ""
    """The space whose statements are counted."""

    def watch(self, name: str, engine: Any) -> None:
        """Count the statements of the space ``name``."""

        def counted(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if self.whose == name:
                self._count(statement.lstrip().upper())

        event.listen(engine, "before_cursor_execute", counted)

    def _count(self, first: str) -> None:
        self.now.writes += first.startswith(("INSERT", "UPDATE", "DELETE"))
        self.now.commits += first.startswith("BEGIN IMMEDIATE")

    def sha256(self, data: bytes = b"") -> Any:
        self.now.hashes += 1
        return hashlib.sha256(data)

    @contextmanager
    def measuring(self, whose: str) -> Iterator[Cost]:
        """Count what ``whose`` does inside."""
        cost = self.now = self.network.cost = Cost()
        self.whose = whose
        tree.hashlib = SimpleNamespace(sha256=self.sha256)  # type: ignore[assignment]  # counts
        clock, processor = perf_counter(), process_time()
        try:
            yield cost
        finally:
            cost.clock = perf_counter() - clock - cost.elsewhere
            cost.processor = process_time() - processor - cost.elsewhere
            tree.hashlib = hashlib
            self.whose = ""


class Network:
    """Stands between the two spaces, asks for packed answers, and keeps pages to play back."""

    def __init__(self, town: Neighbourhood, folder: Path) -> None:
        self._town, self._folder = town, folder
        self.cost = Cost()
        self.keeps = self.plays = False

    def get(self, url: str, *, max_bytes: int, headers: Any = None) -> Answer:
        page = self._folder / hashlib.sha256(url.encode()).hexdigest()
        if self.plays:
            head, _, packed = page.read_bytes().partition(b"\n\n")
            told = json.loads(head)
        else:
            told, packed = self._ask("GET", url, dict(headers or {}), None)
            if self.keeps:
                page.write_bytes(json.dumps(told).encode() + b"\n\n" + packed)
        self.cost.requests += 1
        self.cost.received += len(packed)
        body = gzip.decompress(packed) if told.get("content-encoding") == "gzip" else packed
        if len(body) > max_bytes:
            raise AssertionError("a page of our own is too large")
        return Answer(told["status"], told, body)

    def post(
        self, url: str, body: bytes, *, content_type: str, max_bytes: int, headers: Any = None
    ) -> Answer:
        del max_bytes
        told, answer = self._ask(
            "POST", url, {**(headers or {}), "Content-Type": content_type}, body
        )
        return Answer(told["status"], told, answer)

    def _ask(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None
    ) -> tuple[dict[str, Any], bytes]:
        parts = urlsplit(url)
        name = (parts.hostname or "").partition(".")[0]
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        asked = {**headers, "Accept-Encoding": "gzip"}
        client = self._town.apps[name].test_client()
        begun = process_time()
        # In a context of its own: what a request announces there must not reach the reader.
        ask = partial(client.open, path, method=method, headers=asked, data=body)
        got = copy_context().run(ask)
        self.cost.elsewhere += process_time() - begun
        told = {name.lower(): value for name, value in got.headers.items()}
        return {**told, "status": got.status_code}, got.data


def fill(town: Neighbourhood, count: int) -> None:
    """Let Nantes publish that many people; its feed is made as its own code would."""
    identity, now = town.identity("nantes"), town.now
    key, at, until = identity.operational_key, int(now.timestamp()), now + PROFILE_LIFETIME
    with town.at("nantes") as session:
        state = session.get_one(FeedState, 1)
        batch: list[dict[str, Any]] = []
        for said in people(count):
            subject = f"{url_of('nantes')}/m/{new_id()}"
            services = [
                {name: value for name, value in one.items() if value is not None}
                for one in said["services"]
            ]
            claims = {
                "iss": url_of("nantes"), "sub": subject, "rev": 1, "aud": "peers",
                "iat": at, "exp": int(until.timestamp()), "consent_at": at,
                **said, "services": services,
            }  # fmt: skip
            token = signing.sign(claims, key, "cdf-profile+jwt")
            state.seq += 1
            batch.append(
                {
                    "subject": subject,
                    "seq": state.seq,
                    "kind": "profile",
                    "revision": 1,
                    "audience": "peers",
                    "jws": token,
                    "digest": signing.digest(token),
                    "fingerprint": "",
                    "signed_at": now,
                    "expires_at": until,
                    "latest_expiry": until,
                }  # fmt: skip
            )
            if len(batch) == 2000:
                session.execute(insert(FeedEntry), batch)
                batch = []
        if batch:
            session.execute(insert(FeedEntry), batch)


def take_in(town: Neighbourhood, network: Network, meter: Meter) -> tuple[Cost, int]:
    """Let Lyon read all that Nantes published, from files; return what it cost."""
    with meter.measuring("lyon") as cost:
        pulled = read(town, network)
        rounds = 1
        while pulled.more:
            pulled = read(town, network)
            rounds += 1
    return cost, rounds


def read(town: Neighbourhood, network: Network) -> Any:
    """Let Lyon pull once."""
    with town.at("lyon") as session:
        peer = town.peer_in(session, "nantes")
        return pull(session, peer, network, town.identity("lyon"), town.now)


def fetch(town: Neighbourhood, network: Network) -> list[Path]:
    """Keep all pages of Nantes as Lyon would ask for them; return their files in order."""
    network.keeps = True
    found: list[Path] = []
    with town.at("lyon") as session:
        peer = town.peer_in(session, "nantes")
        plate = entities.stored_configuration(peer)
        cursor, more = peer.cursor, True
        identity = town.identity("lyon")
        while more:
            from_here = _page_url(plate.endpoints.feed, cursor)
            word = feeds.assertion_for(plate.endpoints.feed, plate, identity, town.now)
            headers = {"Accept": "application/json", "Authorization": f"Bearer {word}"}
            answer = network.get(from_here, max_bytes=2**20, headers=headers)
            page = json.loads(answer.body)
            cursor, more = page["next"], page["more"]
            found.append(network._folder / hashlib.sha256(from_here.encode()).hexdigest())
    network.keeps = False
    return found


def _page_url(feed: str, cursor: str) -> str:
    return f"{feed}?" + (f"since={cursor}&" if cursor else "") + f"limit={feeds.RECORDS_AT_ONCE}"


# --- the ideal loop


def ideal(pages: list[Path], key: Ed25519PublicKey, folder: Path, threads: int) -> tuple[Cost, int]:
    """Take in the same pages without any framework; return what it cost, and how many profiles."""
    base = sqlite3.connect(folder / f"ideal-{threads}-{new_id()}.db", isolation_level=None)
    for statement in (
        "PRAGMA journal_mode=WAL",
        "PRAGMA synchronous=NORMAL",
        "CREATE TABLE profile (id INTEGER PRIMARY KEY, sub TEXT UNIQUE, rev INTEGER, jws TEXT, "
        "document TEXT)",
        "CREATE VIRTUAL TABLE words USING fts5 (name, headline, profession, bio, services)",
    ):
        base.execute(statement)
    pool = ThreadPoolExecutor(threads) if threads > 1 else None
    cost, done = Cost(), 0
    clock, processor = perf_counter(), process_time()
    for page in pages:
        _, _, packed = page.read_bytes().partition(b"\n\n")
        tokens = [item["jws"] for item in json.loads(gzip.decompress(packed))["items"]]
        if pool is None:
            read = [_verified(token, key) for token in tokens]
        else:
            half = len(tokens) // threads + 1
            parts = [tokens[at : at + half] for at in range(0, len(tokens), half)]
            read = [each for part in pool.map(lambda p: _all(p, key), parts) for each in part]
        _insert(base, tokens, read, done)
        done += len(tokens)
    cost.clock, cost.processor = perf_counter() - clock, process_time() - processor
    if pool is not None:
        pool.shutdown()
    base.close()
    return cost, done


def _all(tokens: list[str], key: Ed25519PublicKey) -> list[bytes]:
    return [_verified(token, key) for token in tokens]


def _verified(token: str, key: Ed25519PublicKey) -> bytes:
    signed, _, signature = token.rpartition(".")
    key.verify(base64.urlsafe_b64decode(signature + "=="), signed.encode())
    payload = signed.partition(".")[2]
    return base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))


def _insert(base: sqlite3.Connection, tokens: list[str], read: list[bytes], first: int) -> None:
    rows, texts = [], []
    for number, (token, payload) in enumerate(zip(tokens, read, strict=True), first + 1):
        claims = json.loads(payload)
        rows.append((number, claims["sub"], claims["rev"], token, payload.decode()))
        services = " ".join(f"{one['title']} {one['description']}" for one in claims["services"])
        texts.append(
            (
                number,
                claims["name"],
                claims["headline"],
                claims["profession"],
                claims["bio"],
                services,
            )
        )
    base.execute("BEGIN IMMEDIATE")
    base.executemany("INSERT INTO profile VALUES (?, ?, ?, ?, ?)", rows)
    base.executemany(
        "INSERT INTO words (rowid, name, headline, profession, bio, services) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        texts,
    )
    base.execute("COMMIT")


# --- small things


def small_things(town: Neighbourhood, network: Network, meter: Meter) -> Iterator[tuple[str, Cost]]:
    """Yield what each small thing costs, the middle one of several rounds."""

    def at_nantes(what: Callable[[], None]) -> Cost:
        what()
        with town.at("nantes") as session, meter.measuring("nantes") as cost:
            checkpoints.make(session, town.identity("nantes"), town.now)
            session.commit()
        return cost

    def at_lyon() -> Cost:
        with meter.measuring("lyon") as cost:
            pulled = read(town, network)
        problems = [pulled.refused, pulled.problem, pulled.waiting, pulled.more]
        if any(problems) or not town.peer("lyon", "nantes", "roots_agree"):
            raise AssertionError(f"the copies do not agree: {problems}")
        return cost

    at_lyon()
    town.work_at("lyon")
    at_lyon()
    yield "a poll that brings nothing", _middle(at_lyon)
    yield "comparing roots, all in memory", _middle(lambda: _compared(town, meter))

    def edit() -> None:
        town.later(minutes=1)
        town.publish("nantes", "Claire Vasseur", headline=f"Avocate {next(names)}")

    def add() -> None:
        town.later(minutes=1)
        town.publish("nantes", f"Somebody {next(names)}", headline="Menuisier")

    def withdraw() -> None:
        town.later(minutes=1)
        town.publish("nantes", f"Somebody {next(names)}", audience="me")

    for what, change in (("edited", edit), ("new", add), ("withdrawn", withdraw)):
        names = iter(range(10_000))
        costs = []
        for _ in range(ROUNDS):
            costs.append((at_nantes(change), at_lyon()))
        yield f"one {what}: its root, published", _middle(iter([c for c, _ in costs]).__next__)
        yield f"one {what}: taken in", _middle(iter([c for _, c in costs]).__next__)


def _compared(town: Neighbourhood, meter: Meter) -> Cost:
    with town.at("lyon") as session:
        peer = town.peer_in(session, "nantes")
        believed = checkpoints.believed(peer)
        with meter.measuring("lyon") as cost:
            if believed is None or not copies.agrees(session, peer, believed):
                raise AssertionError("the copies do not agree")
    return cost


def _middle(measure: Callable[[], Cost]) -> Cost:
    return sorted((measure() for _ in range(ROUNDS)), key=lambda cost: cost.processor)[ROUNDS // 2]


# --- memory


def forget_peak() -> None:
    """Let the system measure the process's greatest memory from now on (Linux)."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def megabytes(what: str) -> float:
    """Return ``VmHWM`` or ``VmRSS`` of this process."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(rf"{what}:\s+(\d+)", status)
    return int(found[1]) / 1024 if found else 0.0


def run(size: int, folder: Path) -> None:
    """Print the tables for ``size`` profiles."""
    town = Neighbourhood(folder, "nantes", "lyon")
    (folder / "pages").mkdir()
    network = Network(town, folder / "pages")
    try:
        town.publish("nantes", "Claire Vasseur", headline="Avocate")
        town.befriend("lyon", "nantes")
        town.later(minutes=5)
        # What the spaces' own requests announced, in this very thread.
        set_reading(False)
        fill(town, size)
        meter = Meter(network)
        for name in town.apps:
            with town.at(name):
                meter.watch(name, db.engine)
        with town.at("nantes") as session, meter.measuring("nantes") as signed:
            checkpoints.make(session, town.identity("nantes"), town.now)
        pages = fetch(town, network)
        packed = sum(len(page.read_bytes().partition(b"\n\n")[2]) for page in pages)
        key = _raw_key(town)
        some = pages[: max(1, IDEAL // feeds.RECORDS_AT_ONCE)]
        single, done = ideal(some, key, folder, 1)
        double, _ = ideal(some, key, folder, 2)
        network.plays = True
        before = megabytes("VmRSS")
        forget_peak()
        with parts.timing() as ours:
            taken, pulls = take_in(town, network, meter)
        peak = megabytes("VmHWM")
        # Before and after, because others use the machine too; the faster one is the measure.
        single = min(single, ideal(some, key, folder, 1)[0], key=lambda cost: cost.processor)
        network.plays = False
        with town.at("lyon") as session:
            held = _held(session)
        if held != size + 1:
            raise AssertionError(f"{held} held, {size + 1} published")
        _print_throughput(size, done, single, double, taken)
        _print_parts(parts.ideal_parts(some, key, folder), (ours, size))
        console.print(
            f"{pulls} pulls of {len(pages)} pages; {packed / size:.0f} bytes a profile on the wire "
            f"(gzip); memory at most {peak:.0f} MB, {peak - before:.0f} MB more than before"
        )
        _print_small(size, signed, list(small_things(town, network, meter)))
    finally:
        town.close()


def _raw_key(town: Neighbourhood) -> Ed25519PublicKey:
    x = town.identity("nantes").operational_key.as_dict(private=False)["x"]
    return Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(f"{x}="))


def _held(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(MirroredProfile)) or 0


def _print_throughput(size: int, done: int, single: Cost, double: Cost, taken: Cost) -> None:
    table = Table(title=f"{size} profiles taken in", title_justify="left")
    for heading in ("", "profiles/s by processor", "of ideal", "profiles/s by clock", "of ideal"):
        table.add_column(heading, justify="left" if not heading else "right")
    for words, count, cost in (
        ("ideal loop, one thread", done, single),
        ("ideal loop, two verifying", done, double),
        ("the real pull", size, taken),
    ):
        by_processor, by_clock = count / cost.processor, count / cost.clock
        table.add_row(
            words,
            f"{by_processor:.0f}", f"{by_processor / (done / single.processor):.2f}",
            f"{by_clock:.0f}", f"{by_clock / (done / single.clock):.2f}",
        )  # fmt: skip
    console.print(table)


def _print_parts(*measured: tuple[parts.Spent, int]) -> None:
    table = Table(title="Where it goes, the ideal loop first", title_justify="left")
    table.add_column("")
    table.add_column("µs of processor a profile", justify="right")
    for spent, count in measured:
        for words, seconds in spent.items():
            table.add_row(words, f"{seconds / count * 1e6:.0f}")
        table.add_section()
    console.print(table)


def _print_small(size: int, signed: Cost, costs: list[tuple[str, Cost]]) -> None:
    table = Table(title=f"Small things beside {size} profiles", title_justify="left")
    for heading in (
        "", "hashes", "ms (processor)", "ms (clock)", "requests", "bytes", "writes", "locks"
    ):  # fmt: skip
        table.add_column(heading, justify="left" if not heading else "right")
    for words, cost in [("the first root of a process", signed), *costs]:
        table.add_row(
            words, f"{cost.hashes}", f"{cost.processor * 1000:.1f}", f"{cost.clock * 1000:.1f}",
            f"{cost.requests}", f"{cost.received}", f"{cost.writes}", f"{cost.commits}",
        )  # fmt: skip
    console.print(table)


def main() -> int:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    for size in map(int, sys.argv[1:] or SIZES):
        with tempfile.TemporaryDirectory(prefix="mitoyen-benchmark-") as folder:
            run(size, Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
