"""A town of real processes, and people who look at it through a real Chromium.

The town is the demo itself, founded once per test run by the same code as ``make demo``.
"""

from __future__ import annotations

import os
import socket
import time
from contextlib import contextmanager

import pytest
from playwright.sync_api import sync_playwright
from rich.console import Console

from app.demo import show
from app.demo.processes import Processes
from app.demo.town import sign_in_link, town
from tests.browser import chromium

#: Sizes that people hold in their hands, or sit in front of; CSS pixels.
WIDE = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}


def pytest_collection_modifyitems(items):
    here = os.path.dirname(__file__)
    missing = chromium.find() is None and not os.environ.get("CI")
    for item in items:
        if str(item.path).startswith(here):
            item.add_marker(pytest.mark.browser)
            if missing:
                item.add_marker(pytest.mark.skip(reason=chromium.MISSING))


def free_ports(count):
    """Return the first of ``count`` ports in a row that nobody listens on."""
    for first in range(8301, 9000, count):
        sockets = [socket.socket() for _ in range(count)]
        try:
            for place, one in enumerate(sockets):
                one.bind(("127.0.0.1", first + place))
        except OSError:
            continue
        else:
            return first
        finally:
            for one in sockets:
                one.close()
    raise RuntimeError("no free ports")


class Town:
    """Lyon, Nantes and Berlin as running processes."""

    def __init__(self, spaces, processes):
        self.lyon, self.nantes, self.berlin = spaces
        self.processes = processes

    def close(self, space):
        """The space goes off line: its server and its worker end."""
        self.processes.close(space)

    def open(self, space):
        self.processes.open(space)
        self.until(lambda: self.processes.answers(space))

    def until(self, true, seconds=60):
        """Wait for something that other processes bring about."""
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.3)


@pytest.fixture(scope="session")
def running_town(tmp_path_factory):
    folder = tmp_path_factory.mktemp("town")
    spaces = town(folder, free_ports(3))
    console = Console(stderr=True)
    with Processes() as processes:
        show.found_missing(spaces, console)
        show.open_doors(spaces, processes, console)
        show.befriend(spaces, console)
        yield Town(spaces, processes)


@pytest.fixture(scope="session")
def chromium_browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.find(),
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--no-first-run",
            ],
        )
        yield browser
        browser.close()


class Person:
    """Somebody at a screen, who notices everything that the browser complains about."""

    def __init__(self, context, space):
        self.space = space
        self.context = context
        self.page = context.new_page()
        self.page.set_default_timeout(15_000)
        self.complaints = []
        self.page.on("console", self._listen)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("requestfailed", lambda request: self._failed(request))

    def _listen(self, message):
        # A page that answers 4xx on purpose is logged by the browser as a failed resource.
        if message.type in ("error", "warning") and "status of 4" not in message.text:
            self.complaints.append(message.text)

    def _failed(self, request):
        # Typing on replaces the question that is under way.
        if request.failure != "net::ERR_ABORTED":
            self.complaints.append(f"{request.url}: {request.failure}")

    def go(self, path="/"):
        return self.page.goto(self.space.url + path)

    def come_in_as(self, email):
        self.page.goto(sign_in_link(self.space, email))
        self.page.locator("main form button").first.click()
        self.page.wait_for_url(lambda url: "/sign-in/" not in url)


@pytest.fixture
def person_at(chromium_browser):
    """Return ``person_at(space, **options)``: a fresh browser window that forgets afterwards."""
    with _windows(chromium_browser) as open_window:
        yield open_window


@contextmanager
def _windows(browser):
    people = []

    def open_window(space, *, size=WIDE, locale="en-GB", **options):
        context = browser.new_context(
            viewport=size, locale=locale, reduced_motion="reduce", **options
        )
        people.append(Person(context, space))
        return people[-1]

    yield open_window
    for person in people:
        person.context.close()
    assert [person.complaints for person in people if person.complaints] == []
