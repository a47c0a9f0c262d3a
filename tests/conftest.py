"""What most tests start from: one space, its people, somebody's browser."""

from __future__ import annotations

import os

import pytest
import xdist
from hypothesis import HealthCheck, settings

from tests import compiled, spaces
from tests.databases import POSTGRESQL, SQLITE, databases

compiled.share()

# A machine that others keep busy is slow, and nothing is wrong with it.
PATIENT = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
usual = settings.get_profile(settings.get_current_profile_name())
settings.register_profile("patient", usual, **PATIENT)
settings.load_profile("patient")
# For nights; see docs/developing.md.
settings.register_profile("long", **PATIENT)


def pytest_addoption(parser):
    parser.addoption(
        "--database",
        choices=[SQLITE, POSTGRESQL],
        default=SQLITE,
        help="which database the spaces of the tests live in",
    )


def pytest_sessionstart(session):
    # Tests that run side by side have a server for each process, and none for who counts them.
    counts = session.config.getoption("numprocesses", None) and not xdist.is_xdist_worker(session)
    if session.config.getoption("--database") == POSTGRESQL and not counts:
        try:
            databases.start()
        except LookupError as error:
            pytest.exit(str(error), returncode=1 if os.environ.get("CI") else 0)


def pytest_sessionfinish():
    databases.stop()


def pytest_collection_modifyitems(config, items):
    """Only tests that say so may open sockets, and only on this machine."""
    elsewhere = config.getoption("--database") != SQLITE
    for item in items:
        folder = item.path.parent.name
        in_browser = folder == "browser"
        if folder in ("browser", "processes"):
            item.add_marker(pytest.mark.alone)
        if elsewhere and item.get_closest_marker("sqlite"):
            item.add_marker(pytest.mark.skip(reason="about SQLite's own file"))
        if in_browser or item.get_closest_marker("socket"):
            item.add_marker(pytest.mark.enable_socket)


@pytest.fixture(autouse=True)
def own_databases():
    """What a test wrote is gone when it ends."""
    with databases.for_a_while():
        yield


@pytest.fixture
def space(tmp_path):
    """A set-up, empty space; the test runs inside its application context."""
    app = spaces.build(tmp_path / "lepalier")
    with app.app_context():
        yield app


@pytest.fixture
def browser(space):
    """A visitor's browser, not signed in."""
    return space.test_client()


@pytest.fixture
def sign_in():
    """Come in with ``sign_in(browser, email)``."""
    return spaces.sign_in
