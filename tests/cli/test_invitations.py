"""Inviting people from a shell, and saying who runs the space."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def founded(shell, tmp_path):
    """A space whose list has two people with an address, and one without."""
    shell.found()
    rows = [
        {"name": "Maud", "email": "maud@x.example"},
        {"name": "Tom", "email": "tom@x.example"},
        {"name": "Paper"},
    ]
    path = tmp_path / "list.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    shell("members", "import", str(path))
    return shell


@pytest.mark.parametrize("words", [(), ("--all", "maud@x.example")])
def test_whom_to_invite_has_to_be_said_once(founded, words):
    assert "--help" in founded("members", "invite", *words, ok=False).stderr


def test_an_address_of_nobody_needs_a_name(founded):
    assert "Add --name" in founded("members", "invite", "zoe@x.example", ok=False).stderr
    assert "not an e-mail" in founded("members", "invite", "zoe", ok=False).stderr
    assert "on its way" in founded("members", "invite", "zoe@x.example", "--name", "Zoé").stdout
    assert len(json.loads(founded("members", "list", "--json").stdout)) == 4


def test_a_dry_run_names_who_would_get_a_letter_and_sends_none(founded):
    said = founded("members", "invite", "--all", "--dry-run").stdout
    assert "Maud  maud@x.example" in said
    assert "Paper" not in said
    assert "2 letters would go out" in said
    assert "2 letters would go out" in founded("members", "invite", "--all", "--dry-run").stdout


def test_everybody_is_invited_once(founded):
    founded("members", "invite", "tom@x.example")
    assert founded("members", "invite", "--all").stdout == "Letters on their way: 1.\n"
    assert founded("members", "invite", "--all").stdout == "Letters on their way: 0.\n"


def test_the_help_says_how_long_a_link_works(founded):
    said = founded("members", "invite", "--help").stdout
    assert "two weeks" in " ".join(said.split())
    assert "--all" in said


def test_the_last_admin_stays_one_and_a_stranger_becomes_none(founded):
    founded("link", "ines@x.example", "--admin", "--name", "Inès")
    refused = founded("members", "role", "ines@x.example", "member", ok=False).stderr
    assert "Nothing was changed" in refused
    assert "Nobody here" in founded("members", "role", "x@x.example", "admin", ok=False).stderr
    founded("members", "role", "maud@x.example", "admin")
    founded("members", "role", "ines@x.example", "member")
    founded("members", "role", "maud@x.example", "member", ok=False)


def test_a_list_does_not_end_the_membership_of_the_last_admin(founded, tmp_path):
    founded("members", "role", "maud@x.example", "admin")
    founded("members", "role", "tom@x.example", "admin")
    path = tmp_path / "ended.json"
    ended = {"plan": {}, "confirmed_at": "2025/01/01", "canceled_to": "2026/01/31"}
    people = [
        {"id": name, "name": name, "email": f"{name.lower()}@x.example", **ended}
        for name in ("Maud", "Tom")
    ]
    path.write_text(json.dumps(people))
    said = founded("members", "import", str(path)).stdout
    assert "refused   entry 2, Tom: the membership of the space's last admin ended" in said
    assert "0 new, 1 changed, 0 unchanged, 1 refused." in said
    founded("members", "role", "tom@x.example", "member", ok=False)
