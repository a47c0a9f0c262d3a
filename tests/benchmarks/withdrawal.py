"""How long it takes from a member's click until every neighbour confirmed that the copy is gone.

``python -m tests.benchmarks.withdrawal [--port 9401] [--rounds 5]``: founds the demo's three spaces
in a folder of their own, with real processes and sockets, and lets one member of Lyon, in a browser
of his own, take his profile back and show it again. Nothing is hurried: the neighbours are asked as
they always are. The aim is that reachable neighbours drop the profile within 60 seconds.
"""

from __future__ import annotations

import argparse
import html
import re
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import requests
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from app.demo.processes import Processes
from app.demo.show import befriend, found_missing, open_doors
from app.demo.town import DemoSpace, approve, sign_in_link, town
from app.models.account import account_of
from app.models.engine import reading
from app.models.peer import MirroredProfile

#: Seconds within which reachable neighbours have to have dropped a withdrawn profile.
AIM = 60

#: Seconds between two looks, and until the measurement gives up.
LOOK, PATIENCE = 0.05, 120


@dataclass
class Visitor:
    """A member's browser: keeps cookies, reads the form, sends it back changed."""

    space: DemoSpace

    def __post_init__(self) -> None:
        self.web = requests.Session()
        link = sign_in_link(self.space, self.space.member)
        self._send(link, {})

    def show_to(self, audience: str) -> None:
        page = self.web.get(f"{self.space.url}/me", timeout=30).text
        form = page[page.index('id="profile"') :]
        form = form[: form.index("</form>")]
        self._post(f"{self.space.url}/me", _fields(form) | {"audience": audience, "do": "save"})

    def receipts(self) -> str:
        part = {"HX-Request-Type": "partial"}
        return self.web.get(f"{self.space.url}/me/withdrawal", headers=part, timeout=30).text

    def _send(self, url: str, values: dict[str, str | list[str]]) -> None:
        self._post(url, _fields(self.web.get(url, timeout=30).text) | values)

    def _post(self, url: str, values: dict[str, str | list[str]]) -> None:
        answer = self.web.post(url, data=values, allow_redirects=False, timeout=30)
        if answer.status_code != 303:
            raise RuntimeError(f"{url} answered {answer.status_code}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, default=9401)
    options.add_argument("--rounds", type=int, default=5)
    given = options.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory() as folder, Processes() as processes:
        spaces = town(Path(folder), given.port)
        found_missing(spaces, console)
        open_doors(spaces, processes, console)
        befriend(spaces, console)
        lyon, _nantes, berlin = spaces
        approve(lyon, berlin)
        _measure(spaces, given.rounds, console)


def _measure(spaces: tuple[DemoSpace, ...], rounds: int, console: Console) -> None:
    lyon, *neighbours = spaces
    visitor = Visitor(lyon)
    subject = _subject(lyon)
    gone: list[float] = []
    told: list[float] = []
    for _ in range(rounds):
        visitor.show_to("neighbours")
        _until(lambda: all(_holds(space, subject) for space in neighbours))
        # A neighbour that was read a moment ago rests for some seconds; that is not what is asked.
        time.sleep(8)
        begun = time.perf_counter()
        visitor.show_to("me")
        _until(lambda: not any(_holds(space, subject) for space in neighbours))
        gone.append(time.perf_counter() - begun)
        # The part of the page asks again by itself as long as an answer is open.
        _until(lambda: "data-hx-get" not in visitor.receipts())
        told.append(time.perf_counter() - begun)
    table = Table(title="Seconds from the click, with two neighbours")
    for heading in ("until", "median", "longest"):
        table.add_column(heading)
    for words, times in (("no neighbour holds a copy", gone), ("both receipts on the page", told)):
        table.add_row(words, f"{statistics.median(times):.1f}", f"{max(times):.1f}")
    console.print(table)
    console.print(f"Aim: {AIM} s. {'Kept.' if max(told) <= AIM else 'MISSED.'}")


def _subject(space: DemoSpace) -> str:
    with reading(), space.session() as session:
        account = account_of(session, space.member)
        if account is None or account.member is None:
            raise RuntimeError(f"{space.member} has no profile")
        return f"{space.url}/m/{account.member.ref}"


def _holds(space: DemoSpace, subject: str) -> bool:
    with reading(), space.session() as session:
        found = select(MirroredProfile.id).where(MirroredProfile.subject == subject)
        return session.scalar(found) is not None


def _until(true: Callable[[], bool]) -> None:
    deadline = time.perf_counter() + PATIENCE
    while not true():
        if time.perf_counter() > deadline:
            raise TimeoutError("the neighbours never came to agree")
        time.sleep(LOOK)


def _fields(form: str) -> dict[str, str | list[str]]:
    """Return what a browser would send of a form as it stands."""
    values: dict[str, str | list[str]] = {}
    services: list[str] = []
    for tag in re.findall(r"<input[^>]*>", form):
        given = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        off = given.get("type") in ("radio", "checkbox") and " checked" not in tag
        if off or "name" not in given:
            continue
        value = html.unescape(given.get("value", "on"))
        if given["name"] == "service":
            services.append(value)
        else:
            values[given["name"]] = value
    for name, text in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>([^<]*)', form):
        values[name] = html.unescape(text)
    for name, choices in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'value="([^"]*)" selected', choices)
        values[name] = chosen[1] if chosen else ""
    return {**values, "service": services} if services else values


if __name__ == "__main__":
    main()
