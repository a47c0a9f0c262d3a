"""How much memory an answer may take while it is read, however it is made. R10, R20."""

from __future__ import annotations

import json
import tracemalloc

import pytest

from federation import client, limits
from federation.errors import FederationError
from federation.transport import Answer
from tests.federation.samples import lyon

SMILE = "\U0001f600".encode()


def filled(part, size, begin=b"[", end=b"]"):
    """JSON of ``part`` again and again, as long as it may be."""
    room = size - len(begin) - len(end)
    return begin + (part * (room // len(part)))[:-1] + end


PAGES = {
    "lists": (b"[],", b'{"items":[', b"]}"),
    "objects": (b'{"a":{}},', b'{"items":[', b"]}"),
    "texts": (b'"a",', b'{"items":[', b"]}"),
    "numbers": (b"1,", b'{"items":[', b"]}"),
    "wide characters": (SMILE, b'{"epoch":"', b'"}'),
    "escapes": (b"\\u0416 ", b'{"epoch":"', b'"}'),
    "the same key": (b'"a":1,', b"{", b"}"),
}


class Peer:
    """Answers every question with one body."""

    def __init__(self, body):
        self.body = body

    def get(self, url, *, max_bytes, headers=None):
        assert len(self.body) <= max_bytes, "the transport would have refused it"
        return Answer(200, {"content-type": "application/json"}, self.body)


def peak(read, body):
    """The most memory that ``read`` took beside the answer itself, and what came of it."""
    peer = Peer(body)
    tracemalloc.start()
    try:
        try:
            found = read(peer, lyon())
        except FederationError as error:
            found = error
        return tracemalloc.get_traced_memory()[1] + len(body), found
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", PAGES)
def test_no_page_takes_more_memory_than_is_stated(name):
    part, begin, end = PAGES[name]
    taken, found = peak(client.read_feed_page, filled(part, limits.PAGE_BYTES, begin, end))
    assert isinstance(found, FederationError)
    assert taken < limits.PAGE_MEMORY


@pytest.mark.parametrize(
    ("part", "begin", "end"),
    [(b"[],", b"[", b"]"), (SMILE, b'["', b'"]')],
    ids=["eleven million lists", "wide characters"],
)
def test_no_index_takes_more_memory_than_is_stated(part, begin, end):
    taken, found = peak(client.read_index, filled(part, limits.INDEX_BYTES, begin, end))
    assert isinstance(found, FederationError)
    assert taken < limits.INDEX_MEMORY


def test_the_longest_index_that_is_one_is_read():
    entries = [
        [f"https://lyon.example/m/{n:026d}", n, f"{n:064x}"] for n in range(limits.INDEX_ENTRIES)
    ]
    body = json.dumps(entries).encode()
    taken, found = peak(client.read_index, body)
    assert len(found) == limits.INDEX_ENTRIES
    assert taken < limits.INDEX_MEMORY


def test_one_entry_too_many_is_refused():
    entries = [["a", 1, "0" * 64]] * (limits.INDEX_ENTRIES + 1)
    with pytest.raises(FederationError):
        client.read_index(Peer(json.dumps(entries).encode()), lyon())
