"""A database that went back, as an operator meets it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.exchange import outbox, restoring
from app.models.engine import open_engine
from app.models.feed import FeedState
from app.models.job import Job
from app.models.journal import JournalEntry
from app.models.peer import Peer
from tests.databases import databases


@pytest.fixture
def founded(shell, tmp_path):
    """A space that has signed further than its database knows."""
    shell.found()
    people = tmp_path / "people.jsonl"
    people.write_text(json.dumps({"name": "Claire Vasseur", "audience": "web"}))
    with session(shell) as here:
        epoch = here.get_one(FeedState, 1).epoch
    file = shell.data / restoring.POSITION
    file.write_text(json.dumps({"epoch": epoch, "seq": 118}))
    shell.people, shell.epoch = str(people), epoch
    return shell


def session(shell):
    return Session(open_engine(databases.of(shell.data)))


def epoch_of(shell):
    with session(shell) as here:
        return here.get_one(FeedState, 1).epoch


def test_looking_at_what_a_list_would_do_begins_nothing(founded):
    told = founded("members", "import", founded.people, "--dry-run")
    assert ("older than" in told.stderr, epoch_of(founded)) == (False, founded.epoch)


def test_before_a_list_is_published_the_feed_begins_anew_once(founded):
    told = founded("members", "import", founded.people, "--publish")
    assert "older than what this space has signed" in told.stderr
    begun = epoch_of(founded)
    assert begun != founded.epoch
    told = founded("members", "import", founded.people, "--publish")
    assert ("older than" in told.stderr, epoch_of(founded)) == (False, begun)
    with session(founded) as here:
        codes = list(here.scalars(select(JournalEntry.code)))
    assert codes.count("space.restored") == 1


@pytest.mark.parametrize("words", [("keys", "rotate"), ("publish", "SITE")])
def test_so_it_does_before_keys_change_or_files_are_written(founded, tmp_path, words):
    typed = [word.replace("SITE", str(tmp_path / "site")) for word in words]
    assert "older than" in founded(*typed).stderr
    assert epoch_of(founded) != founded.epoch


def test_the_doctor_says_who_has_not_told_yet(founded):
    now = datetime.now(UTC)
    with session(founded) as here:
        peer = Peer(
            url="https://lyon.example", created_at=now, ours="approved", theirs="approved",
            last_success_at=now,
        )  # fmt: skip
        here.add(peer)
        here.flush()
        here.add(Job(kind=outbox.RECALL, key="1", peer_id=peer.id, due_at=now, created_at=now))
        here.get_one(FeedState, 1).restored_at = now
        here.commit()
    found = {row["what"]: row for row in json.loads(founded("doctor", "--json").stdout)}["return"]
    assert found["level"] == "warning"
    assert "https://lyon.example: not yet told what it holds" in found["said"]
    assert "mitoyen peers end https://lyon.example" in found["to_do"]
