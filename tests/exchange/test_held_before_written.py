"""How much of a hostile neighbour's feed is held before it is written. R20.

The town is that of ``test_hostile_peer``, built anew: nobody has attacked it yet.
"""

from __future__ import annotations

import tracemalloc
from itertools import product
from string import ascii_lowercase

import pytest

from app.exchange import entities, intake
from app.exchange.several import (
    CHARACTER_MEMORY,
    CHARACTERS_HELD,
    HELD_MEMORY,
    RECORDS_HELD,
    Reader,
)
from federation.limits import FEED_RECORDS, PAGE_ITEMS
from tests.exchange.test_hostile_peer import (  # noqa: F401  # fixtures among them
    built,
    feed,
    numbered,
    page,
    signer,
    town,
)


def read_before_written(there, session):
    """Read of Mallory's feed as much as is held at once; what is not written is read again."""
    peer = there.peer_in(session, "mallory")
    plate = entities.stored_configuration(peer)
    reader = Reader(there.network, there.identity("lyon"), there.now)
    return reader.read(plate, "", "", "", FEED_RECORDS)


#: Documents of each page, in the order of the feed; the last page comes again and again.
HEAPS = {
    "all the records that a page may have": [["x"] * PAGE_ITEMS],
    "one short of the limit, and then all": [["x"] * PAGE_ITEMS] * 4
    + [["x"] * (PAGE_ITEMS - 1), ["x"] * PAGE_ITEMS],
    "one at a time": [["x"]],
    "one document as long as a page": [["x" * 1_040_000]],
    "a short one, and then the longest": [["x"], ["x" * 1_040_000]],
    "forty as long as a document may be": [["x" * 24_576] * 40],
}


@pytest.mark.parametrize("name", HEAPS)
def test_however_long_a_feed_is_no_more_of_it_is_held_than_is_stated(town, name):  # noqa: F811
    pages = HEAPS[name]
    town.network.instead["mallory"] = numbered(
        lambda n: page(
            *pages[min(n, len(pages) - 1)], more=True, following=f"e.{n + 1}", first=1000 * n + 1
        )
    )
    with town.at("lyon") as session:
        held = read_before_written(town, session)
    assert held.more
    assert len(held.records) <= RECORDS_HELD
    assert sum(len(record.jws) for record in held.records) <= CHARACTERS_HELD


def full_profiles(hand, number):
    """Profiles that take as much memory as they can: no word twice, and all of them long."""
    fresh = map("".join, product(ascii_lowercase, repeat=4))

    def text(characters):
        return " ".join(next(fresh) for _ in range(characters // 5))

    for at in range(number):
        services = [
            # One wide character, and all the others take as much.
            {"id": f"s{n}", "title": text(100), "mode": "paid", "description": "😀" + text(250)}
            for n in range(20)
        ]
        interests = [text(50) for _ in range(30)]
        yield hand.profile(f"f{at}", bio="😀" + text(3700), services=services, interests=interests)


def test_what_is_held_takes_no_more_memory_than_is_stated(town, signer):  # noqa: F811
    """R20: by character, so that a few profiles tell; how many there are is bounded above."""
    first, *full = full_profiles(signer, 9)
    town.network.instead["mallory"] = feed(page(first), page(*full))
    with town.at("lyon") as session:
        # What is kept for good, such as the vocabulary, is read with the first of them.
        intake.prepare(session, read_before_written(town, session), town.now)
        tracemalloc.start()
        try:
            held = read_before_written(town, session)
            prepared = intake.prepare(session, held, town.now)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert len(prepared) == len(full)
    characters = sum(map(len, full))
    assert characters < most < CHARACTER_MEMORY * characters
    assert HELD_MEMORY == CHARACTER_MEMORY * CHARACTERS_HELD
