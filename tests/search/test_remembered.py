"""What was answered is remembered, and shows nobody whom a fresh answer would not show."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from app.models.measure import HIDE, Measure
from app.models.scope import Reader
from app.models.space import Space
from app.search.find import find
from app.search.index import index_member, index_mirrored, remove_mirrored
from app.search.query import Query
from app.search.remembered import Remembered
from app.search.snapshot import snapshot
from app.search.tables import posting
from tests.search.town import NOW, service

LAWYER = {"id": "1", "category": "lawyer", "title": "Beratung"}


@pytest.fixture
def asked(town):
    """A town whose question for lawyers was answered and is remembered."""
    town.peer = town.neighbour("Werkhof", "Berlin")
    town.anna = town.mirrored(town.peer, "Anna", LAWYER)
    town.claire = town.member("Claire", service("Conseil", "lawyer"))
    town.session.commit()
    assert town.names("lawyer") == ["Claire", "Anna"]
    return town


def shown(town, **given):
    """Return who is shown, when as many are counted."""
    found = town.ask("lawyer", **given)
    names = [hit.card.name for hit in found.hits]
    assert found.total == len(names)
    return names


def statements(town, ask):
    """Return what the database was asked while ``ask`` was answered."""
    said = []

    def hear(_connection, _cursor, statement, *_more):
        said.append(statement)

    engine = town.session.get_bind()
    event.listen(engine, "before_cursor_execute", hear)
    try:
        ask()
    finally:
        event.remove(engine, "before_cursor_execute", hear)
    return said


def test_asked_again_no_set_is_read_and_the_answer_is_the_same(asked):
    before = asked.ask("lawyer")
    found = []
    said = statements(asked, lambda: found.append(asked.ask("lawyer")))
    assert found == [before]
    assert not [one for one in said if posting.name in one]


def test_who_withdraws_is_gone_in_the_same_transaction_and_for_everybody_after_it(asked):
    subject = asked.anna.subject
    remove_mirrored(asked.session, subject)
    asked.session.delete(asked.anna)
    assert asked.names("lawyer") == ["Claire"]
    asked.session.commit()
    assert asked.names("lawyer") == ["Claire"]
    asked.session.commit()  # One at a time, also on PostgreSQL.
    with Session(asked.session.get_bind()) as other:
        here = other.scalars(select(Space)).one()
        found = find(other, Query(words="lawyer"), Reader.MEMBER, here, NOW)
        assert (found.total, len(found.hits)) == (1, 1)


def test_a_withdrawal_that_is_undone_leaves_no_trace_in_what_is_remembered(asked):
    remove_mirrored(asked.session, asked.anna.subject)
    assert asked.names("lawyer") == ["Claire"]
    asked.session.rollback()
    assert asked.names("lawyer") == ["Claire", "Anna"]


def test_who_writes_reads_what_they_wrote_and_nobody_remembers_it(asked):
    asked.anna.document = {**asked.anna.document, "services": []}
    index_mirrored(asked.session, asked.anna, asked.peer)
    assert asked.names("lawyer") == ["Claire"]
    asked.session.rollback()
    assert len(snapshot(asked.session).answers) == 1
    assert asked.names("lawyer") == ["Claire", "Anna"]


@pytest.mark.parametrize("standing", ["ours", "theirs"])
def test_a_neighbour_is_hidden_and_shown_although_the_index_hears_nothing(asked, standing):
    setattr(asked.peer, standing, "suspended")
    assert shown(asked) == ["Claire"]
    asked.session.commit()
    assert shown(asked) == ["Claire"]
    setattr(asked.peer, standing, "approved")
    assert shown(asked) == ["Claire", "Anna"]


def test_a_member_hides_although_the_index_hears_nothing(asked):
    asked.claire.audience = "me"
    assert shown(asked) == ["Anna"]


def test_who_is_hidden_by_an_admin_is_gone_although_the_index_hears_nothing(asked):
    asked.session.add(
        Measure(
            kind=HIDE,
            subject=asked.anna.subject,
            name="Anna",
            peer_id=asked.peer.id,
            reason="spam",
            decided_by="Admin",
            at=NOW,
        )
    )
    assert shown(asked) == ["Claire"]


def test_who_expires_is_gone_although_nothing_was_written(asked):
    assert shown(asked, now=NOW + timedelta(days=91)) == ["Claire"]


def test_a_visitor_is_not_answered_as_a_member_was(asked):
    assert shown(asked, reader=Reader.VISITOR) == []
    assert shown(asked) == ["Claire", "Anna"]


def test_the_next_day_begins_with_the_next(asked):
    asked.member("Nadia", service("Conseil", "lawyer"))
    asked.session.commit()
    today = asked.names("lawyer", scope="here")
    assert asked.names("lawyer", scope="here") == today
    assert asked.names("lawyer", scope="here", now=NOW + timedelta(days=1)) == today[::-1]


def test_letters_are_marked_where_they_stand_now_although_the_index_knows_no_difference(asked):
    asked.claire.headline = "lawyer for all"
    index_member(asked.session, asked.claire)
    asked.session.commit()
    before = asked.ask("lawyer").hits[0]
    asked.claire.headline = "A lawyer for all"
    asked.session.commit()
    after = asked.ask("lawyer").hits[0]
    assert (before.highlights["headline"], after.highlights["headline"]) == (((0, 6),), ((2, 8),))


def test_a_label_of_the_space_is_understood_at_once(asked):
    assert asked.names("robine") == []
    asked.here.labels = {"robine": "lawyer"}
    assert asked.names("robine") == ["Claire", "Anna"]


def test_what_was_used_least_is_forgotten_when_there_is_no_room():
    kept = Remembered(100)
    for name in ("one", "two"):
        kept.keep(name, name.upper(), 40)
    assert kept.get("one") == "ONE"
    kept.keep("three", "THREE", 40)
    assert [kept.get(name) for name in ("one", "two", "three")] == ["ONE", None, "THREE"]
    kept.keep("whole", "WHOLE", 101)
    assert kept.get("whole") is None
    kept.keep("one", "ANEW", 100)
    assert (kept.get("one"), len(kept)) == ("ANEW", 1)
