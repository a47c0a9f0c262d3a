"""What most tests start from: one space, its people, somebody's browser."""

from __future__ import annotations

import pytest

from tests import spaces


def pytest_collection_modifyitems(items):
    """Only tests that say so may open sockets, and only on this machine."""
    for item in items:
        if item.get_closest_marker("socket") or item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.enable_socket)


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
