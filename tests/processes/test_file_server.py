"""A neighbour that is a directory behind Python's own web server, over real sockets."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from app.cli import main
from app.database import db
from app.exchange import peers, static
from app.exchange.publish import publish_member
from app.exchange.pull import Pulled, pull
from app.models.peer import MirroredProfile, Peer
from app.models.space import Space
from federation.transport import HttpsTransport
from tests import spaces

pytestmark = pytest.mark.socket


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Say nothing between the dots of the tests."""


@pytest.fixture
def server(tmp_path):
    folder = tmp_path / "site"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", folder
        server.shutdown()
        thread.join()


@pytest.fixture
def nantes(tmp_path, server):
    """A space that lives nowhere but publishes itself at the server's address."""
    return spaces.build(tmp_path / "nantes", "La Navette", "Nantes", server[0], development=True)


def write_site(app, folder, *names):
    with app.app_context():
        identity, now = app.extensions["identity"], datetime.now(UTC)
        for name in names:
            publish_member(db.session(), spaces.add_member(name, audience="web"), identity, now)
        made = static.files(db.session(), db.session.get(Space, 1), identity, now)
        db.session.commit()
        db.engine.dispose()
    for name, content in made.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def test_a_space_pulls_from_a_directory_of_files(tmp_path, server, nantes, monkeypatch):
    url, folder = server
    monkeypatch.setattr(static, "PAGE_ITEMS", 2)
    write_site(nantes, folder, "Claire Vasseur", "Youenn Kerbrat", "Gwen Morvan")
    lyon = spaces.build(tmp_path / "lyon", "Le Palier", "Lyon", "https://lyon.example",
                        development=True)  # fmt: skip
    transport, identity = HttpsTransport(development=True), lyon.extensions["identity"]
    with lyon.app_context():
        session, now = db.session(), datetime.now(UTC)
        peer = peers.knock(session, url, identity, transport, "", now, "admin")
        session.commit()
        first = pull(session, peer, transport, identity, now)
        assert len(first.admitted) == 3
        assert pull(session, peer, transport, identity, now) == Pulled()
        write_site(nantes, folder, "Idriss Diallo")
        later = datetime.now(UTC)
        assert len(pull(session, peer, transport, identity, later).admitted) == 1
        held = set(session.scalars(select(MirroredProfile.name)))
        assert held == {"Claire Vasseur", "Youenn Kerbrat", "Gwen Morvan", "Idriss Diallo"}
        assert session.get(Peer, peer.id).roots_agree is True
        db.engine.dispose()


def examine(*words):
    return CliRunner().invoke(main, ["conformance", *words], catch_exceptions=False)


def test_an_address_that_no_space_can_have_is_not_even_asked():
    told = examine("http://lyon.example")
    assert (told.exit_code, told.stdout) == (1, "")
    assert "not the address of a space" in told.stderr
    # Without --development this machine is nobody's address.
    assert examine("http://127.0.0.1:1").exit_code == 1


def test_an_empty_directory_is_no_space(server):
    told = examine(server[0], "--development")
    assert told.exit_code == 1
    assert "FAILED  entity.believable" in told.stdout
    assert told.stdout.endswith("0 passed, 1 failed, 26 skipped\n")


def test_the_examination_of_a_directory_of_files_is_told_in_words_and_as_json(server, nantes):
    url, folder = server
    write_site(nantes, folder, "Claire Vasseur", "Youenn Kerbrat")
    told = examine(url, "--development")
    assert told.exit_code == 0
    assert "ok      checkpoint.root            section 6\n" in told.stdout
    assert "the space is plain files" in told.stdout
    rows = json.loads(examine(url, "--development", "--json").stdout)
    assert {row["verdict"] for row in rows} == {"passed", "skipped"}
    assert len(rows) == 27
