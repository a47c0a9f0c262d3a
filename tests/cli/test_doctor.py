"""The doctor looks at everything, says what to do, and fails on problems only."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.models.engine import open_engine
from app.models.job import Job
from app.models.journal import JournalEntry
from app.models.peer import Peer
from app.worker import HEARTBEAT
from tests.databases import databases


@pytest.fixture
def founded(shell):
    shell.found()
    return shell


def findings(shell, *, ok=True):
    rows = json.loads(shell("doctor", "--json", ok=ok).stdout)
    return {row["what"]: row for row in rows}


def change(shell, *rows, statement=None):
    engine = open_engine(databases.of(shell.data))
    with Session(engine) as session:
        session.add_all(rows)
        if statement:
            session.execute(text(statement))
        session.commit()
    engine.dispose()


def test_missing_settings_are_problems_each(shell):
    del shell.environment["MITOYEN_DATA"]
    rows = json.loads(shell("doctor", "--json", ok=False).stdout)
    assert [row["what"] for row in rows] == ["settings"]
    assert "MITOYEN_DATA" in rows[0]["said"]


def test_without_a_space_the_doctor_says_so_and_makes_none(shell):
    assert findings(shell, ok=False)["space"]["to_do"] == "Found it: mitoyen setup --help"
    assert not shell.data.exists()


def test_a_fresh_space_has_warnings_and_no_problem(founded):
    found = findings(founded)
    assert {what: row["level"] for what, row in found.items()} == {
        "settings": "ok",
        "data": "ok",
        "secret": "ok",
        "mail": "warning",
        "database": "ok",
        "keys": "ok",
        "worker": "warning",
        "people": "warning",
        "search index": "ok",
        "clock": "ok",
        "jobs": "ok",
        "neighbours": "ok",
    }
    assert all(row["to_do"] for row in found.values() if row["level"] != "ok")


@pytest.mark.parametrize(("path", "what"), [("keys/root.json", "keys"), ("secret_key", "secret")])
def test_a_secret_that_others_can_read_is_a_problem(founded, path, what):
    (founded.data / path).chmod(0o644)
    found = findings(founded, ok=False)[what]
    assert found["level"] == "problem"
    assert "chmod 600" in found["said"] + found["to_do"]


def test_a_missing_key_is_a_problem_and_the_rest_is_still_examined(founded):
    (founded.data / "keys" / "operational.json").unlink()
    found = findings(founded, ok=False)
    assert found["keys"]["level"] == "problem"
    assert found["neighbours"]["level"] == "ok"


@pytest.mark.sqlite
def test_a_damaged_database_is_a_problem(founded):
    path = founded.data / "mitoyen.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * 32768)
    assert findings(founded, ok=False)["database"]["level"] == "problem"


def test_a_server_that_does_not_answer_is_a_problem_and_says_where_to_look(founded, tmp_path):
    founded.environment["MITOYEN_DATABASE"] = f"postgresql://m:swordfish@/m?host={tmp_path}"
    found = findings(founded, ok=False)["database"]
    assert (found["level"], found["to_do"].split(",")[0]) == (
        "problem",
        "Is PostgreSQL running",
    )
    assert "swordfish" not in str(found)
    said = founded("members", "list", ok=False).stderr
    assert said.startswith("The database cannot be opened: ")


def test_a_database_of_a_newer_version_is_named(founded):
    change(founded, statement="UPDATE alembic_version SET version_num = '9999'")
    assert "newer version" in findings(founded, ok=False)["database"]["said"]


def test_a_clock_behind_what_happened_here_is_a_problem(founded):
    later = datetime.now(UTC) + timedelta(days=2)
    change(founded, Peer(url="https://lyon.example", created_at=later, last_success_at=later))
    assert findings(founded, ok=False)["clock"]["level"] == "problem"


def test_a_neighbour_that_confirms_what_we_do_not_remember_hints_at_an_older_database(founded):
    heard = datetime.now(UTC) - timedelta(hours=1)
    change(founded, JournalEntry(at=heard, kind="refusal", code="unknown-checkpoint"))
    found = findings(founded)["backup"]
    assert (found["level"], found["to_do"]) == ("warning", "If so: mitoyen restored")
    founded("restored", "--yes")
    assert "backup" not in findings(founded)


def test_a_job_that_nobody_takes_and_a_silent_worker_are_warnings(founded):
    earlier = datetime.now(UTC) - timedelta(hours=1)
    change(founded, Job(kind="pull", due_at=earlier, created_at=earlier))
    heartbeat = founded.data / HEARTBEAT
    heartbeat.touch()
    assert findings(founded)["worker"]["level"] == "ok"
    os.utime(heartbeat, (earlier.timestamp(), earlier.timestamp()))
    found = findings(founded)
    assert (found["worker"]["level"], found["jobs"]["level"]) == ("warning", "warning")
    assert "1 jobs wait" in found["jobs"]["said"]


def test_a_key_that_should_have_been_changed_by_itself_says_that_nobody_does_it(founded):
    old = (datetime.now(UTC) - timedelta(days=128)).timestamp()
    os.utime(founded.data / "keys" / "operational.json", (old, old))
    found = findings(founded)["keys"]
    assert (found["level"], "128 days old" in found["said"]) == ("warning", True)
    founded.environment["MITOYEN_ROTATE_AFTER"] = "0"
    assert findings(founded)["keys"]["level"] == "ok"


@pytest.mark.parametrize(
    ("state", "level", "said"),
    [
        ({"ours": "requested"}, "ok", "we: requested, they: none"),
        ({"ours": "key_hold", "theirs": "approved"}, "problem", "key changed"),
        ({"ours": "approved", "theirs": "approved"}, "warning", "last answered: never"),
        (
            {
                "ours": "approved",
                "theirs": "approved",
                "unconfirmed_since": datetime(2026, 3, 2, 9, tzinfo=UTC),
                "last_error_text": "It signed two states.",
            },
            "warning",
            "our copy is not confirmed since 2026-03-02 09:00 UTC. It signed two states.",
        ),
    ],
)
def test_each_neighbour_is_looked_at(founded, state, level, said):
    change(founded, Peer(url="https://lyon.example", created_at=datetime.now(UTC), **state))
    found = findings(founded, ok=level != "problem")["neighbour https://lyon.example"]
    assert found["level"] == level
    assert said in found["said"]


def test_people_read_one_line_a_finding(founded):
    said = founded("doctor").stdout
    assert re.search(r"^ok       database: \w+, whole, and of this version$", said, re.MULTILINE)
    assert "         -> mitoyen link YOU@EXAMPLE.ORG --admin" in said


def test_serving_says_everything_that_is_missing_in_one_message(founded):
    (founded.data / "secret_key").unlink()
    (founded.data / "keys" / "root.json").unlink()
    said = founded("run", ok=False).stderr
    assert "secret_key: missing" in said
    assert "root.json is missing" in said


def test_a_set_of_the_index_that_lost_people_is_found_with_what_mends_it(founded):
    founded("link", "aicha@lepalier.example", "--name", "Aïcha Benali")
    change(founded, statement="DELETE FROM search_posting WHERE key = '@kind:member'")
    for options in ([], ["--whole-index"]):
        rows = json.loads(founded("doctor", "--json", *options).stdout)
        [found] = [row for row in rows if row["what"] == "search index"]
        assert (found["level"], found["to_do"]) == ("warning", "mitoyen index rebuild")
        assert "is not found by @kind:member" in found["said"]
    assert "is not found by @kind:member" in founded("index", "check", ok=False).stderr
    founded("index", "rebuild")
    assert findings(founded)["search index"]["level"] == "ok"
