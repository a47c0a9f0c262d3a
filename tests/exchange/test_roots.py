"""Roots are worked out from what was kept, and what was kept is never older than the rows."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from sqlalchemy import event, select

from app.database import db
from app.exchange import checkpoints, copies, peers, roots
from app.exchange.publish import publish_member
from app.exchange.pull import pull
from app.models.feed import FeedState
from app.models.peer import MirroredProfile
from federation import tree
from tests import spaces


def agree(town):
    """Compare what Lyon kept of its copy of Nantes, if anything, with its rows."""
    with town.at("lyon") as session:
        peer = town.peer_in(session, "nantes")
        kept = roots.of_copy(session, peer, town.now)
        rows = copies.leaves_by_subject(session, peer, town.now).values()
        assert (len(kept), kept.root()) == (len(rows), tree.root(rows))
        return len(rows)


@contextmanager
def statements(town, name):
    """Collect the statements of a space: ``(first words, rows)``."""
    found = []

    def heard(_connection, _cursor, statement, values, _context, executemany):
        found.append((" ".join(statement.split()[:3]).upper(), len(values) if executemany else 1))

    with town.at(name):
        engine = db.engine
    event.listen(engine, "before_cursor_execute", heard)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", heard)


def read(town):
    with town.at("lyon") as session:
        peer = town.peer_in(session, "nantes")
        return pull(session, peer, town.network, town.identity("lyon"), town.now)


def test_whoever_writes_behind_our_back_is_noticed(neighbours):
    assert agree(neighbours) == 1
    with neighbours.at("lyon") as session:
        session.scalars(select(MirroredProfile)).one().revision += 7
    assert agree(neighbours) == 1
    with neighbours.at("lyon") as session:
        session.delete(session.scalars(select(MirroredProfile)).one())
    assert agree(neighbours) == 0


def test_what_was_undone_is_not_kept(neighbours):
    assert agree(neighbours) == 1
    with neighbours.at("lyon") as session:
        peer = neighbours.peer_in(session, "nantes")
        copies.remove(session, [session.scalars(select(MirroredProfile.subject)).one()])
        assert len(roots.of_copy(session, peer, neighbours.now)) == 0
        session.rollback()
    assert agree(neighbours) == 1


def test_a_view_that_was_worked_out_and_undone_is_not_kept(neighbours):
    identity, now = neighbours.identity("nantes"), neighbours.now
    with neighbours.at("nantes") as session:
        publish_member(session, spaces.add_member("Gwen Le Bihan"), identity, now)
        assert checkpoints.make(session, identity, now)
        session.rollback()
    neighbours.publish("nantes", "Idriss Diallo")
    neighbours.later(hours=1)
    neighbours.work()
    assert neighbours.held("lyon") == {"Claire Vasseur", "Idriss Diallo"}
    assert neighbours.peer("lyon", "nantes", "roots_agree") is True


def test_through_all_that_happens_to_a_copy_what_is_kept_is_what_is_there(neighbours):
    for headline in ("Avocate", "Avocate en baux"):
        neighbours.publish("nantes", "Claire Vasseur", headline=headline)
        neighbours.publish("nantes", f"Somebody {headline}")
        neighbours.later(minutes=5)
        neighbours.work()
        agree(neighbours)
    neighbours.publish("nantes", "Somebody Avocate", audience="me")
    neighbours.later(minutes=5)
    neighbours.work()
    assert agree(neighbours) == 2
    neighbours.cut("nantes")
    neighbours.later(days=89, hours=23)
    assert agree(neighbours) == 2
    neighbours.later(days=1)
    assert agree(neighbours) == 0
    neighbours.work_at("lyon")
    assert agree(neighbours) == 0
    neighbours.mend("nantes")
    neighbours.later(days=1)
    neighbours.work(12)
    assert agree(neighbours) == 2
    neighbours.decide(peers.end, "lyon", "nantes")
    neighbours.later(days=40)
    neighbours.work_at("lyon")
    assert agree(neighbours) == 0


def test_an_edit_hashes_a_path_on_both_sides_and_no_other_leaf(neighbours, monkeypatch):
    for number in range(30):
        neighbours.publish("nantes", f"Somebody {number}")
    neighbours.later(minutes=5)
    neighbours.work()
    hashes = []

    def counted(data=b""):
        hashes.append(data)
        return hashlib.sha256(data)

    monkeypatch.setattr(tree, "hashlib", SimpleNamespace(sha256=counted))
    neighbours.publish("nantes", "Claire Vasseur", headline="Avocate en baux")
    with neighbours.at("nantes") as session:
        assert checkpoints.make(session, neighbours.identity("nantes"), neighbours.now)
    # The name of the subject, its leaf, and five nodes above it among 31; the public view is empty.
    assert len(hashes) <= 1 + 1 + 5 + 1
    del hashes[:]
    assert len(read(neighbours).admitted) == 1
    assert len(hashes) <= 1 + 1 + 5
    assert neighbours.peer("lyon", "nantes", "roots_agree") is True


def test_a_poll_that_brings_nothing_is_one_request_and_writes_nothing(neighbours):
    neighbours.later(hours=2)
    neighbours.work()
    read(neighbours)
    neighbours.network.requests.clear()
    with statements(neighbours, "lyon") as heard:
        pulled = read(neighbours)
    assert pulled.quiet
    assert {first.split()[0] for first, _ in heard} <= {"BEGIN", "SELECT"}
    assert neighbours.network.requests == [("GET", "nantes", "/federation/v1/feed")]


def test_what_a_quiet_poll_says_is_said_with_the_time_of_the_next(neighbours):
    neighbours.later(hours=2)
    neighbours.work()
    neighbours.later(hours=2)
    neighbours.work()
    asked, due = neighbours.peer("lyon", "nantes", "last_success_at", "next_pull_at")
    assert (due - asked).total_seconds() > 1800
    assert (neighbours.now - asked).total_seconds() < 60


@pytest.mark.parametrize("change", [{"failures": 1}, {"acked_root": ""}, {"last_error": "frozen"}])
def test_a_poll_that_has_something_to_put_right_is_not_quiet(neighbours, change):
    neighbours.later(hours=2)
    neighbours.work()
    read(neighbours)
    with neighbours.at("lyon") as session:
        for name, value in change.items():
            setattr(neighbours.peer_in(session, "nantes"), name, value)
    assert not read(neighbours).quiet


def test_no_more_records_than_stated_are_written_while_others_wait(neighbours, monkeypatch):
    monkeypatch.setattr("app.exchange.feeds.RECORDS_AT_ONCE", 1)
    monkeypatch.setattr("app.exchange.several.RECORDS_WRITTEN", 3)
    for number in range(7):
        neighbours.publish("nantes", f"Somebody {number}")
    with statements(neighbours, "lyon") as heard:
        read(neighbours)
    written = [rows for first, rows in heard if first == "INSERT INTO MIRRORED_PROFILE"]
    assert (max(written), sum(written)) == (3, 7)
    first_written = heard.index(("INSERT INTO MIRRORED_PROFILE", 3))
    begun = [at for at, (first, _) in enumerate(heard) if first.startswith("BEGIN IMMEDIATE")]
    assert any(at < first_written for at in begun)


def test_a_feed_that_begins_again_is_worked_out_anew(neighbours):
    with neighbours.at("nantes") as session:
        session.get_one(FeedState, 1).epoch = "another"
    neighbours.publish("nantes", "Gwen Le Bihan")
    neighbours.later(hours=2)
    neighbours.work()
    assert agree(neighbours) == len(neighbours.held("lyon"))
