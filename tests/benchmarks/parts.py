"""Where the time of taking a profile in goes, beside what the machine would need for each part.

Parts of ours are timed where they are called; parts of the ideal loop are done one after the other,
each over all profiles. Seconds are of the processor, all threads together.
"""

from __future__ import annotations

import base64
import gzip
import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import process_time
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.exchange import feeds, intake, several
from app.exchange import pull as pulling
from app.search import postings

#: Seconds by what was done.
Spent = defaultdict[str, float]

#: What is timed of ours: where its name is looked up, the name, and what it does.
OURS = (
    (several, "read_page", "read, verified, claims checked"),
    (feeds, "_all_verified", "  of it signatures and claims"),
    (pulling, "prepare", "words read for the index"),
    (intake.Intake, "write", "written"),
    (postings.Changes, "write", "  of it the sets"),
)


@contextmanager
def timing() -> Iterator[Spent]:
    """Count the seconds that each part of ours takes inside."""
    spent: Spent = defaultdict(float)
    were = [(where, name, getattr(where, name)) for where, name, _ in OURS]
    for where, name, does in OURS:
        setattr(where, name, _timed(getattr(where, name), does, spent))
    try:
        yield spent
    finally:
        for where, name, was in were:
            setattr(where, name, was)


def _timed(function: Callable[..., Any], does: str, spent: Spent) -> Callable[..., Any]:
    def timed(*given: Any, **named: Any) -> Any:
        begun = process_time()
        try:
            return function(*given, **named)
        finally:
            spent[does] += process_time() - begun

    return timed


def ideal_parts(pages: list[Path], key: Ed25519PublicKey, folder: Path) -> tuple[Spent, int]:
    """Return the seconds that each part of the ideal loop takes, and for how many profiles."""
    spent: Spent = defaultdict(float)
    tokens = _over(spent, "unpacked", pages, _tokens_of)
    flat = [token for page in tokens for token in page]
    _over(spent, "raw Ed25519", flat, lambda token: _verify(token, key))
    claims = _over(spent, "JSON decoded", flat, _claims_of)
    base = sqlite3.connect(folder / "parts.db", isolation_level=None)
    base.execute("PRAGMA journal_mode=WAL")
    base.execute("CREATE TABLE profile (id INTEGER PRIMARY KEY, sub TEXT UNIQUE, jws TEXT)")
    base.execute("CREATE VIRTUAL TABLE words USING fts5 (texts)")
    rows = [(said["sub"], token) for said, token in zip(claims, flat, strict=True)]
    texts = [(" ".join(_texts_of(said)),) for said in claims]
    batches = range(0, len(rows), feeds.RECORDS_AT_ONCE)
    for does, statement, values in (
        ("rows inserted", "INSERT INTO profile (sub, jws) VALUES (?, ?)", rows),
        ("texts into FTS5", "INSERT INTO words VALUES (?)", texts),
    ):

        def insert(start: int, statement: str = statement, values: Any = values) -> None:
            base.execute("BEGIN IMMEDIATE")
            base.executemany(statement, values[start : start + feeds.RECORDS_AT_ONCE])
            base.execute("COMMIT")

        _over(spent, does, batches, insert)
    base.close()
    return spent, len(flat)


def _over(spent: Spent, does: str, each: Any, what: Callable[[Any], Any]) -> list[Any]:
    begun = process_time()
    done = [what(one) for one in each]
    spent[does] += process_time() - begun
    return done


def _tokens_of(page: Path) -> list[str]:
    _, _, packed = page.read_bytes().partition(b"\n\n")
    return [item["jws"] for item in json.loads(gzip.decompress(packed))["items"]]


def _verify(token: str, key: Ed25519PublicKey) -> None:
    signed, _, signature = token.rpartition(".")
    key.verify(base64.urlsafe_b64decode(signature + "=="), signed.encode())


def _claims_of(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(
        base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    )
    return claims


def _texts_of(claims: dict[str, Any]) -> Iterator[str]:
    yield from (claims["name"], claims["headline"], claims["profession"], claims["bio"])
    for one in claims["services"]:
        yield from (one["title"], one["description"])
