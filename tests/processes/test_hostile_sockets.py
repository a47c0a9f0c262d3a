"""One worker, one good neighbour, and many that misbehave over real sockets, all in one round.

The good one is a directory of files behind Python's own web server; each hostile one is a socket
that answers every request in one bad way (``tests/federation/test_transport.py``).
"""

from __future__ import annotations

import gzip
import socket
import tracemalloc
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import db
from app.exchange import entities, peers
from app.exchange.pull import SENTENCES
from app.models.peer import MirroredProfile, Peer
from app.worker import run_round
from federation import entity, keys, limits
from federation.keys import new_key
from federation.transport import HttpsTransport
from tests import spaces
from tests.federation.test_transport import HEAD, serving
from tests.processes.test_file_server import nantes as nantes
from tests.processes.test_file_server import server as server
from tests.processes.test_file_server import write_site

pytestmark = pytest.mark.socket

#: Seconds that a request may take here, so that a drip is over soon.
PATIENCE = 1.5

SILENT, LARGE = SENTENCES["unreachable"], SENTENCES["too-large"]
REDIRECT, STRANGE = SENTENCES["redirect-refused"], SENTENCES["malformed-answer"]
TEN_MEGABYTES = b'"' + b"a" * 10_000_000 + b'"'


def whole(body, head=HEAD):
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def to(address):
    return b"HTTP/1.1 302 Found\r\nLocation: " + address + b"\r\nContent-Length: 0\r\n\r\n"


#: What each hostile neighbour sends, how slowly, and what the admin reads.
HOSTILE = {
    "drips": ([HEAD + b"Content-Length: 900\r\n\r\n", *[b"x"] * 200], 0.05, SILENT),
    "drips its headers": ([HEAD, *[b"X-%d: y\r\n" % n for n in range(90)]], 0.05, SILENT),
    "says nothing": ([b""], 3.0, SILENT),
    "is cut": ([HEAD + b"Content-Length: 900\r\n\r\n{"], 0, SILENT),
    "speaks another language": ([b"SSH-2.0-OpenSSH\r\n"], 0, SILENT),
    "packs a bomb": (
        [HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"\0" * 50_000_000)], 0, LARGE,
    ),
    "sends ten megabytes": ([whole(TEN_MEGABYTES)], 0, LARGE),
    "sends without end": ([HEAD + b"\r\n", *[b"a" * 1_000_000] * 10], 0, LARGE),
    "leads to this machine": ([to(b"http://127.0.0.1:1/")], 0, REDIRECT),
    "leads to the cloud's secrets": ([to(b"http://169.254.169.254/latest/")], 0, REDIRECT),
    "nests deeply": ([whole(b"[" * 900_000)], 0, STRANGE),
    "sends a page for people": (
        [whole(b"<h1>Hi", b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n")], 0, STRANGE,
    ),
    "only fails": ([b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"], 0, SILENT),
}  # fmt: skip


@pytest.fixture
def lyon(tmp_path):
    app = spaces.build(
        tmp_path / "lyon", "Le Palier", "Lyon", "https://lyon.example", development=True
    )
    with app.app_context():
        yield app
        db.engine.dispose()


def make_neighbour(app, url, name):
    """Let both admins have approved the space at ``url``, which has keys of its own."""
    now, root = datetime.now(UTC), new_key()
    plate = entity.build(
        url, root_key=root, operational_keys=[new_key()], organization_name=name, now=now,
        location=entity.Location("FR", "Lyon", None, None),
    )  # fmt: skip
    peer = Peer(
        url=url, created_at=now, ours="approved", our_n=1, theirs="approved", their_n=1,
        root_kid=keys.kid(root), their_kid_seen=app.extensions["identity"].root_kid,
    )  # fmt: skip
    entities.hang(peer, entity.read(plate, url, now, pinned_kid=None), now)
    db.session.add(peer)
    db.session.flush()
    return peer


def told(name):
    found = db.session.execute(select(Peer.failures, Peer.last_error_text).filter_by(name=name))
    return tuple(found.one())


def work(app, transport):
    """One round of the worker, in which every neighbour is due."""
    engine, now = db.engine, datetime.now(UTC)
    for peer in db.session.scalars(select(Peer)):
        peers.pull_soon(db.session(), peer, now)
    db.session.commit()
    done = run_round(lambda: Session(engine), transport, app.extensions["identity"], now)
    assert not done.broken


def test_hostile_neighbours_end_as_one_line_each_and_the_good_one_is_read(lyon, server, nantes):
    url, folder = server
    write_site(nantes, folder, "Claire Vasseur")
    with ExitStack() as stack:
        for name, (chunks, pause, _) in HOSTILE.items():
            address, _ = stack.enter_context(serving(*chunks, pause=pause))
            make_neighbour(lyon, address.rstrip("/"), name)
        transport = HttpsTransport(development=True, seconds=PATIENCE)
        patient = HttpsTransport(development=True)
        now = datetime.now(UTC)
        peers.knock(db.session(), url, lyon.extensions["identity"], patient, "", now, "admin")
        tracemalloc.start()
        try:
            work(lyon, transport)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert {name: told(name) for name in HOSTILE} == {
        name: (1, sentence) for name, (_, _, sentence) in HOSTILE.items()
    }
    assert told("La Navette") == (0, "")
    assert list(db.session.scalars(select(MirroredProfile.name))) == ["Claire Vasseur"]
    assert peak < limits.PAGE_MEMORY


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "169.254.169.254", "10.0.0.1", "::1", "2002:7f00:1::"]
)
def test_a_name_that_leads_home_today_is_not_followed(lyon, monkeypatch, address):
    """It was public when the admins approved it; the name is looked up for each request."""
    make_neighbour(lyon, "https://mallory.example", "Mallory")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    asked = []

    def resolved(host, port, *_, **__):
        asked.append(host)
        return [(family, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    work(lyon, HttpsTransport())
    assert told("Mallory") == (1, SENTENCES["forbidden-address"])
    assert asked == ["mallory.example"]
