"""The shape of the code, checked like any other behaviour."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def runs(probe):
    done = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True)
    return done.returncode == 0, done.stderr


def test_imports_only_go_down():
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("absent", "loaded"),
    [
        (
            ("flask", "werkzeug", "sqlalchemy", "app", "config"),
            "federation.client, federation.replica, federation.peering, federation.vocabulary",
        ),
        (
            ("flask", "flask_sqlalchemy", "federation", "config"),
            "app.models.member, app.models.scope",
        ),
        (("flask", "flask_sqlalchemy", "config"), "app.search.find, app.exchange.pull"),
    ],
    ids=["federation", "models", "search and exchange"],
)
def test_a_part_loads_on_a_machine_without_what_it_must_not_know(absent, loaded):
    probe = f"import sys\nfor name in {absent!r}: sys.modules[name] = None\nimport {loaded}"
    worked, complaint = runs(probe)
    assert worked, complaint


def test_no_text_on_a_page_is_taken_for_markup():
    guilty = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "templates").rglob("*.html")
        if "|safe" in path.read_text().replace(" ", "") or "Markup(" in path.read_text()
    ]
    assert guilty == []


def test_no_page_carries_a_style_or_a_script_of_its_own():
    guilty = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "templates").rglob("*.html")
        if any(sign in path.read_text() for sign in (" style=", " onclick=", "<style", "hx-on"))
    ]
    assert guilty == []


def test_no_import_hides_inside_a_function():
    guilty = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for part in ("app", "federation", "config")
        for path in (ROOT / part).rglob("*.py")
        for line in path.read_text().splitlines()
        if line.startswith("    ")
        and line.strip().startswith(("from app", "from federation"))
        and "TYPE_CHECKING" not in path.read_text()
    ]
    assert guilty == []
