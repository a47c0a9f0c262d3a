"""The commands about members, as an operator types them."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import Engine, event

from tests.members.conftest import FIXTURES

CSV = str(FIXTURES / "members_cp1252_semicolon.csv")


@pytest.fixture
def founded(shell):
    shell.found()
    return shell


def test_without_a_space_the_operator_is_sent_to_found_one(shell):
    assert "mitoyen setup" in shell("members", "import", CSV, ok=False).stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "The file is empty."), (b"\0\1\2", "binary"), (b'{"name": "Z', "cut short")],
)
def test_a_file_that_cannot_be_read_changes_nothing_and_says_why(founded, tmp_path, content, said):
    path = tmp_path / "list"
    path.write_bytes(content)
    answer = founded("members", "import", str(path), ok=False)
    assert answer.stderr.startswith("Nothing was changed. ")
    assert said in answer.stderr
    assert json.loads(founded("members", "list", "--json").stdout) == []


def test_a_map_that_cannot_be_understood_says_how_to_write_it(founded):
    assert "FIELD=COLUMN" in founded("members", "import", CSV, "--map", "Nom", ok=False).stderr


def test_a_member_too_long_to_be_signed_is_refused_and_the_others_come(founded, tmp_path):
    services = [{"title": f"Service {n}", "description": "mot " * 400} for n in range(20)]
    rows = [{"name": "Li"}, {"name": "Zoé", "audience": "web", "services": services}]
    path = tmp_path / "list.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    said = founded("members", "import", str(path), "--publish").stdout
    assert "refused   line 2, Zoé: together the texts are too long for neighbours" in said
    assert "1 new, 0 changed, 0 unchanged, 1 refused." in said
    listed = json.loads(founded("members", "list", "--json").stdout)
    assert [row["name"] for row in listed] == ["Li"]


@pytest.fixture
def full_disk():
    """From now on SQLite may not let its file grow, as on a disk without room."""

    def no_more(connection, _record):
        connection.execute("PRAGMA max_page_count = 1")

    event.listen(Engine, "connect", no_more)
    yield
    event.remove(Engine, "connect", no_more)


@pytest.mark.sqlite
def test_on_a_full_disk_nothing_is_changed_and_the_operator_is_told(founded, tmp_path, full_disk):
    path = tmp_path / "list.jsonl"
    rows = ({"name": f"Member {n}", "bio": "mot " * 250} for n in range(200))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    said = founded("members", "import", str(path), ok=False).stderr
    assert said == "Nothing was changed. The database cannot be written: database or disk is full\n"
    assert json.loads(founded("members", "list", "--json").stdout) == []


def test_the_preview_names_columns_reasons_and_counts(founded):
    said = founded("members", "import", CSV, "--dry-run").stdout
    for line in (
        "members_cp1252_semicolon.csv: a table in cp1252, semicolon between cells, 8 rows",
        "  “Métier” is read as profession",
        "  “Pays” is not read",
        "  refused   line 9, Zoe Lefevre: the same e-mail address as line 2",
        "  new       line 4, Siobhán O'Neill",
        "6 new, 0 changed, 0 unchanged, 2 refused. This was a dry run: nothing was changed.",
    ):
        assert line in said.splitlines()
    assert json.loads(founded("members", "list", "--json").stdout) == []


def test_dry_run_and_import_tell_programs_the_same(founded):
    seen = json.loads(founded("members", "import", CSV, "--dry-run", "--json").stdout)
    done = json.loads(founded("members", "import", CSV, "--json").stdout)
    assert (seen.pop("dry_run"), done.pop("dry_run")) == (True, False)
    assert seen == done
    assert done["counts"] == {"new": 6, "changed": 0, "unchanged": 0, "refused": 2}
    assert done["rows"][-1] == {
        "line": 10,
        "name": "",
        "outcome": "refused",
        "changes": [],
        "reasons": ["there is no name", "“pas-un-mail” is not an e-mail address"],
        "remarks": [],
    }


def test_members_are_listed_with_who_may_see_them(founded):
    founded("members", "import", CSV)
    rows = json.loads(founded("members", "list", "--json").stdout)
    zoe = rows[-1]
    assert zoe.pop("id").startswith("https://lepalier.example/m/")
    assert zoe == {
        "external_id": None,
        "name": "Zoé Lefèvre",
        "email": "zoe.lefevre@example.org",
        "audience": "me",
        "profession": "Avocate en droit des contrats",
        "services": ["Law", "Contracts"],
    }
    assert "6 members." in founded("members", "list").stdout


@pytest.mark.parametrize("name", ["out.jsonl", "out.csv"])
def test_what_is_exported_to_a_file_imports_again_to_nothing_changed(founded, tmp_path, name):
    founded("members", "import", CSV)
    path = tmp_path / name
    founded("members", "export", str(path))
    answer = json.loads(founded("members", "import", str(path), "--json").stdout)
    assert answer["counts"] == {"new": 0, "changed": 0, "unchanged": 6, "refused": 0}


def test_an_export_goes_to_standard_output_unless_a_file_is_named(founded):
    founded("members", "import", CSV)
    lines = founded("members", "export").stdout.splitlines()
    assert [json.loads(line)["name"] for line in lines][-1] == "Zoé Lefèvre"
    assert founded("members", "export", "-", "--format", "csv").stdout.count("\n") >= 7


def test_a_link_for_somebody_unknown_is_not_made_by_mistake(founded):
    assert "--admin" in founded("link", "who@example.org", ok=False).stderr
    assert "not an e-mail address" in founded("link", "who", "--admin", ok=False).stderr


def test_the_first_admin_gets_a_link_that_is_alone_on_standard_output(founded):
    link = founded("link", "Ines@Example.org", "--admin").stdout
    assert link.startswith("https://lepalier.example/sign-in/")
    assert link.count("\n") == 1
    assert founded("link", "ines@example.org").stdout != link


def test_a_link_with_a_name_makes_a_member_whom_nobody_sees_yet(founded):
    founded("link", "ines@example.org", "--admin", "--name", "Inès Morel")
    (row,) = json.loads(founded("members", "list", "--json").stdout)
    assert (row["name"], row["email"], row["audience"]) == ("Inès Morel", "ines@example.org", "me")
