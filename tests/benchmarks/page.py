"""How fast the result page is, beside pages with the same HTML that search nothing.

``python -m tests.benchmarks.page [--people 100000]``: all are measured in the same run, in the
same process, in turns, because these machines are noisy; what counts is the ratio.

* The *rendered* page is made by the same application from the same templates, fed with what the
  real page was given when it was asked first: it reads no database but for who is signed in. The
  aim is that the real page takes at most twice its time.
* "New" is the same page when what was answered is forgotten, so that it has to be found again.
* The *constant* page is this machine's limit for Flask: routing, the finished bytes, nothing else.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import Flask, Response, template_rendered
from rich.console import Console
from rich.table import Table
from sqlalchemy import update

from app.database import db
from app.models.peer import MirroredProfile
from app.models.space import Space
from app.search.index import rebuild
from app.search.snapshot import snapshot
from app.web.access import anyone
from app.web.pages import page
from tests import spaces
from tests.benchmarks.profiles import COMMON, fill

#: What people type, from a common word to a rare one, with and without filters.
QUESTIONS = {
    "two words": "/search?q=droit+travail&scope=everywhere",
    "prefix": "/search?q=avoc&scope=everywhere",
    "a word 30 % have": f"/search?q={COMMON}&scope=everywhere",
    "word and filters": "/search?q=design&scope=everywhere&remote=1&language=fr",
    "no word": "/search?scope=everywhere",
}
ROUNDS = 40
YEAR = timedelta(days=365)
PART = {"HX-Request-Type": "partial", "HX-Request": "true", "HX-Target": "#results"}


#: What Flask and its extensions give to each page anew.
OWN = ("request", "session", "g", "config", "current_user")


class Rendered:
    """A page of ``app`` that renders what was rendered last, once more."""

    def __init__(self, app: Flask) -> None:
        self.held: tuple[str, dict[str, object]] = ("", {})
        template_rendered.connect(self._remember, app)
        app.add_url_rule("/rendered", "rendered", anyone(lambda: self._show()))

    def _remember(self, _app: Flask, template, context, **_more: object) -> None:
        if "found" in context:
            given = {name: value for name, value in context.items() if name not in OWN}
            self.held = (template.name, given)

    def _show(self) -> Response:
        name, given = self.held
        return page(name, **given)


def plain(html: bytes) -> Flask:
    """Return an application that answers every address with ``html``."""
    app = Flask("plain")
    app.add_url_rule("/", "constant", lambda: html)
    return app


def timed(ask: Callable[[], object]) -> float:
    begun = time.process_time()
    ask()
    return (time.process_time() - begun) * 1000


def quantile(times: list[float], part: float) -> float:
    return statistics.quantiles(times, n=100)[round(part * 100) - 1]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=100_000)
    people = options.parse_args().people
    console = Console()
    with tempfile.TemporaryDirectory() as folder:
        app = spaces.build(Path(folder) / "space", city="Lyon")
        with app.app_context():
            console.print(f"Generating {people} people and their index ...")
            # The generator brings a space of its own.
            db.session.delete(db.session.get_one(Space, 1))
            db.session.flush()
            fill(db.session(), people)
            # The pages' clock runs on: what is shown must not have expired.
            db.session.execute(update(MirroredProfile).values(expires_at=datetime.now(UTC) + YEAR))
            rebuild(db.session())
            spaces.add_member("Reader", email="reader@lyon.example")
            db.session.commit()
        rendered = Rendered(app)
        browser = app.test_client()
        spaces.sign_in(browser, "reader@lyon.example")
        console.print(measured(app, browser, people, rendered))


def forget(app: Flask) -> None:
    """Forget what was answered."""
    with app.app_context():
        snapshot(db.session()).answers.clear()


def measured(app: Flask, browser, people: int, rendered: Rendered) -> Table:
    """Ask each question in turns with the other pages; milliseconds, and ratios of medians."""
    table = Table(title=f"The result page with {people} people, ms; each beside pages of constants")
    for name in (
        "question",
        "bytes",
        "new p50",
        "p95",
        "new/rendered",
        "page p50",
        "p95",
        "fragment p50",
        "p95",
        "rendered p50",
        "page/rendered",
        "constant p50",
    ):
        table.add_column(name, justify="left" if name == "question" else "right")
    for name, address in QUESTIONS.items():
        html = browser.get(address).data
        held = rendered.held
        constant = plain(html).test_client()
        new, whole, parts, drawn, limit = [], [], [], [], []
        for _ in range(ROUNDS):
            forget(app)
            new.append(timed(lambda: browser.get(address)))  # noqa: B023  # called at once
            whole.append(timed(lambda: browser.get(address)))  # noqa: B023
            parts.append(timed(lambda: browser.get(address, headers=PART)))  # noqa: B023
            rendered.held = held
            drawn.append(timed(lambda: browser.get("/rendered")))
            limit.append(timed(lambda: constant.get("/")))  # noqa: B023
        fresh, ratio = (statistics.median(one) / statistics.median(drawn) for one in (new, whole))
        table.add_row(
            name,
            str(len(html)),
            *(f"{quantile(new, part):.1f}" for part in (0.5, 0.95)),
            f"{fresh:.1f}x",
            *(f"{quantile(whole, part):.1f}" for part in (0.5, 0.95)),
            *(f"{quantile(parts, part):.1f}" for part in (0.5, 0.95)),
            f"{statistics.median(drawn):.1f}",
            f"{ratio:.1f}x",
            f"{statistics.median(limit):.2f}",
        )
    return table


if __name__ == "__main__":
    main()
