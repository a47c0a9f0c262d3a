"""Names by their beginnings: forgotten with the row, never read in full."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from app.search.index import index_member, index_members, rebuild, remove_member, remove_mirrored
from app.search.names import LETTERS, WORDS, beginning_with, names_of, parts_of
from tests.search.town import service


def beginning(town, typed, most=10):
    """The names that begin so, in the order of the index."""
    rows = beginning_with(town.session.connection(), typed, most)
    names = names_of(town.session.connection(), rows)
    return [names[row] for row in rows]


def test_whoever_was_removed_or_renamed_is_no_longer_reached_by_the_old_name(town):
    peer = town.neighbour("Werkhof", "Berlin")
    subject = town.mirrored(peer, "Martha Braun", web=["name"], public=True).subject
    marie, marc = town.member("Marie Petit"), town.member("Marc Petit")
    assert len(beginning(town, "mar")) == 4  # Martha, and what visitors see of her
    remove_mirrored(town.session, subject)
    remove_member(town.session, marc)
    marie.name = "Anne Petit"
    index_member(town.session, marie)
    assert beginning(town, "mar") == []
    assert beginning(town, "pet") == ["anne petit"]


@pytest.mark.parametrize("typed", ["%", "_", "*", '"', "'", "\\", "mar%", "m_r"])
def test_signs_mean_nothing(town, typed):
    town.member("Marie Petit")
    assert beginning(town, typed) == []


def test_every_word_of_a_name_leads_to_it_without_accents_or_case(town):
    town.member("Zoé d’Ornano-O'Neill")
    for typed in ("zoe", "orn", "neill"):
        assert beginning(town, typed) == ["zoe d’ornano-o'neill"], typed


def test_a_long_name_is_cut_and_a_strange_one_kept():
    assert parts_of("a" * 500) == ("a" * LETTERS,)
    assert len(parts_of(" ".join(f"n{number}" for number in range(50)))) == WORDS
    assert parts_of("李 小龙") == ("李", "小龙")
    assert parts_of("…") == ()


def test_names_come_in_their_order_and_no_more_than_were_asked_for(town):
    for name in ("Marthe", "Mara", "Marie", "Mark", "Nora"):
        town.member(name)
    assert beginning(town, "mar", 3) == ["mara", "marie", "mark"]


def test_a_list_of_members_and_an_index_made_anew_know_the_same_names(town):
    members = [town.member(name) for name in ("Mara Roth", "Nora Mars")]
    one = beginning(town, "mar")
    index_members(town.session, members, lambda done: None)
    two = beginning(town, "mar")
    rebuild(town.session)
    assert one == two == beginning(town, "mar") == ["mara roth", "nora mars"]


def test_a_beginning_reads_as_many_rows_as_asked_for_and_no_table_in_full(town):
    for number in range(50):
        town.member(f"Maria {number}", service("Logo"))
    seen = []
    connection = town.session.connection()
    event.listen(
        connection.engine,
        "before_cursor_execute",
        lambda _c, _cu, statement, values, *_: seen.append((statement, values)),
    )
    assert len(beginning_with(connection, "mar", 5)) == 5
    ((statement, values),) = seen
    if connection.dialect.name == "sqlite":
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
        assert [p[3] for p in plan] == ["SEARCH search_name USING PRIMARY KEY (word>? AND word<?)"]
