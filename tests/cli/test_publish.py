"""``mitoyen publish``: a directory that a web server shows."""

from __future__ import annotations

import json
import os
import time

import pytest

PEOPLE = [
    {"name": name, "email": f"{number}@example.org", "audience": audience}
    for number, (name, audience) in enumerate(
        [("Claire Vasseur", "web"), ("Gwen Morvan", "neighbours"), ("Idriss Diallo", "me")]
    )
]


@pytest.fixture
def founded(shell, tmp_path):
    shell.found()
    people = tmp_path / "people.jsonl"
    people.write_text("\n".join(json.dumps(person) for person in PEOPLE))
    shell("members", "import", str(people), "--publish")
    return shell


def test_without_a_space_nothing_is_written(shell, tmp_path):
    shell("publish", str(tmp_path / "site"), ok=False)
    assert not (tmp_path / "site").exists()


def test_a_directory_that_cannot_be_written_is_said_in_a_sentence(founded, tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "federation").write_text("a file is in the way")
    told = founded("publish", str(tmp_path / "site"), ok=False)
    assert "Not everything was written" in told.stderr


def test_a_space_becomes_a_handful_of_files(founded, tmp_path):
    told = founded("publish", str(tmp_path / "site"))
    assert "Serve them at https://lepalier.example/" in told.stdout
    found = {
        str(path.relative_to(tmp_path / "site"))
        for path in (tmp_path / "site").rglob("*")
        if path.is_file()
    }
    assert found == {
        ".nojekyll",
        ".well-known/openid-federation",
        "federation/v1/checkpoint.jwt",
        "federation/v1/feed.json",
        "federation/v1/index.json",
    }
    feed = json.loads((tmp_path / "site/federation/v1/feed.json").read_text())
    assert (len(feed["items"]), feed["more"], feed["next"]) == (1, False, "")


def test_who_shows_some_to_the_web_and_some_to_neighbours_is_counted(founded, tmp_path):
    mixed = {
        "name": "Youenn",
        "email": "y@example.org",
        "headline": "Boats",
        "profession": "Wright",
    }
    people = tmp_path / "mixed.jsonl"
    for audiences, told in (
        ({"words": "neighbours"}, "1 person shows some things on the web and others to neighbours"),
        ({"words": "space"}, ""),
    ):
        row = {**mixed, "audience": "web", "audiences": audiences}
        people.write_text(json.dumps(row))
        founded("members", "import", str(people), "--publish")
        said = founded("publish", str(tmp_path / "site")).stdout
        assert told in said
        assert ("neighbours alone" in said) is bool(told)
        feed = json.loads((tmp_path / "site/federation/v1/feed.json").read_text())
        assert len(feed["items"]) == (1 if told else 2)


def test_pages_of_an_earlier_state_stay_for_a_day(founded, tmp_path):
    folder = tmp_path / "site/federation/v1"
    folder.mkdir(parents=True)
    old, young = folder / "feed-7-2.json", folder / "feed-8-2.json"
    for path in (old, young):
        path.write_text("{}")
    os.utime(old, (time.time() - 100_000,) * 2)
    founded("publish", str(tmp_path / "site"))
    assert (old.exists(), young.exists()) == (False, True)
