"""The index is a cache: true after each change, undone with it, made anew when it is not ours."""

from __future__ import annotations

import pytest
from sqlalchemy import event, text

from app.models.base import new_id
from app.models.scope import Reader
from app.search.find import find
from app.search.index import (
    VERSION,
    check,
    ensure_tables,
    index_member,
    index_mirrored,
    is_current,
    rebuild,
    remove_member,
    remove_mirrored,
)
from app.search.query import Query
from tests.search.town import NOW, service

LAWYER = {"id": "1", "category": "lawyer", "title": "Beratung"}


def test_a_change_that_is_undone_is_not_found(town):
    town.session.commit()
    assert town.names("lawyer") == []
    town.member("Claire", service("Conseil", "lawyer"))
    assert town.names("lawyer") == ["Claire"]
    town.session.rollback()
    assert town.names("lawyer") == []
    town.member("Nadia", service("Conseil", "lawyer"))
    town.session.commit()
    assert town.names("lawyer") == ["Nadia"]


def test_what_somebody_no_longer_offers_no_longer_finds_them(town):
    claire = town.member("Claire", service("Conseil", "lawyer"))
    claire.services[0].speciality, claire.services[0].title = "branding", "Ton logo"
    index_member(town.session, claire)
    assert (town.names("lawyer"), town.names("branding")) == ([], ["Claire"])
    assert check(town.session) == []


def test_who_was_removed_is_not_found_nor_counted(town):
    peer = town.neighbour("Werkhof", "Berlin")
    anna = town.mirrored(peer, "Anna", LAWYER)
    claire = town.member("Claire", service("Conseil", "lawyer"))
    town.session.commit()
    assert town.ask("lawyer").total == 2
    subject = anna.subject
    town.session.delete(anna)
    remove_mirrored(town.session, subject)
    town.session.delete(claire)
    remove_member(town.session, claire)
    town.session.commit()
    found = town.ask("lawyer")
    assert (found.total, found.facets, check(town.session)) == (0, (), [])


def test_who_changes_their_trade_is_found_by_the_new_one_by_those_who_know_the_old(town):
    claire = town.member("Claire", service("Conseil", "lawyer"))
    town.member("Nadia", service("Conseil", "lawyer"))
    town.session.commit()
    assert sorted(town.names("lawyer")) == ["Claire", "Nadia"]
    claire.services[0].speciality = "plumber"
    index_member(town.session, claire)
    town.session.commit()
    assert (town.names("lawyer"), town.names("plumber")) == (["Nadia"], ["Claire"])
    remove_member(town.session, claire)
    town.session.delete(claire)
    town.session.commit()
    assert (town.names("lawyer"), town.names("plumber")) == (["Nadia"], [])


def test_a_subject_that_comes_back_is_found_again(town):
    peer = town.neighbour("Werkhof", "Berlin")
    anna = town.mirrored(peer, "Anna", LAWYER)
    remove_mirrored(town.session, anna.subject)
    remove_mirrored(town.session, f"{peer.url}/m/{new_id()}")
    index_mirrored(town.session, anna, peer)
    assert town.names("lawyer") == ["Anna"]


def test_an_unchanged_member_writes_nothing(town):
    claire = town.member("Claire", service("Conseil", "lawyer"))
    before = stamp(town)
    index_member(town.session, claire)
    assert stamp(town) == before


def test_doctor_is_told_what_differs_and_a_rebuild_heals_it(town):
    peer = town.neighbour("Werkhof")
    anna = town.mirrored(peer, "Anna", LAWYER)
    claire = town.member("Claire", service("Conseil", "lawyer"))
    nadia = town.member("Nadia", service("Conseil", "lawyer"))
    claire.headline = "Droit du travail"
    remove_member(town.session, nadia)
    town.session.flush()
    town.session.execute(text("DELETE FROM mirrored_profile"))
    assert check(town.session) == [
        f"{claire.ref} is in the index as it was earlier",
        f"{nadia.ref} is not in the index",
        f"{anna.subject} is in the index but nowhere else",
    ]
    seen = []
    assert rebuild(town.session, lambda done, total: seen.append((done, total))) == 2
    assert (check(town.session), seen) == ([], [(2, 2)])
    assert sorted(town.names("lawyer")) == ["Claire", "Nadia"]


def test_an_index_of_another_version_is_made_anew(town):
    town.member("Claire", service("Conseil", "lawyer"))
    town.session.execute(text("UPDATE search_state SET made_for = '0:other tables'"))
    assert check(town.session) == [
        "the index is missing or was made by another version of the program"
    ]
    assert town.names("lawyer") == ["Claire"]
    assert check(town.session) == []


def test_an_index_made_with_another_vocabulary_is_read_until_somebody_writes(town):
    claire = town.member("Claire", service("Conseil", "lawyer"))
    town.session.execute(text(f"UPDATE search_state SET made_for = '{VERSION}:other words'"))
    assert town.names("lawyer") == ["Claire"]
    assert not is_current(town.session)
    town.session.commit()
    index_member(town.session, claire)
    assert is_current(town.session)
    assert town.names("lawyer") == ["Claire"]


def test_a_database_without_an_index_gets_one_when_somebody_searches(town):
    town.member("Claire", service("Conseil", "lawyer"))
    town.session.execute(text("DROP TABLE search_state"))
    assert town.names("lawyer") == ["Claire"]


def test_tables_that_are_there_are_left_alone(town):
    town.member("Claire", service("Conseil", "lawyer"))
    assert ensure_tables(town.session.connection()) is False
    assert town.names("lawyer") == ["Claire"]


@pytest.mark.parametrize(
    "hostile",
    [
        '"',
        "* OR *",
        "NEAR(a b)",
        "title : avocat",
        "k_lawyer",
        "'; DROP TABLE member; --",
        "-avocat",
        "(((",
        "e" * 200,
        "‏שלום",
        "🦊🦊",
        "李静",
        "a b c d e f g h i j k l m n o p q r s t u v w x",
        "%_%",
        "\\",
        "_",
        "1",
        ". . .",
    ],
)
def test_operators_quotes_and_signs_are_words_like_any_other(town, hostile):
    town.member("Claire", service("Conseil", "lawyer"))
    assert town.ask(hostile).total <= 1


def test_a_hostile_code_is_a_code_like_any_other(town):
    code = '") OR service : k_lawyer ("'
    town.member("Mallory", service("Nothing", code))
    town.member("Claire", service("Conseil", "lawyer"))
    assert town.names("solicitor")[0] == "Claire"
    assert town.names(speciality=(code,)) == ["Mallory"]


@pytest.mark.parametrize(
    ("asked", "filters"),
    [
        (" ".join(f"mot{number}" for number in range(500)), {}),
        (" ".join("xyzabcdefghijkl"[at:] * 2 for at in range(12)), {}),
        ("conseil droit photo marketing design " * 100, {}),
        ("le la les de the of and " * 100, {}),
        ("a" * 10_000, {}),
        ("co", {}),
        ("% * _ ? " * 500, {}),
        ("conseil ", {"page": "1000000000"}),
        ("", {"page": "1000000000", "sort": "name"}),
        ("conseil", {"speciality": [f"code-{number}" for number in range(5000)]}),
    ],
    ids=lambda of: of[:12].strip() if isinstance(of, str) else " ".join(of),
)
def test_the_work_for_one_question_is_bounded(town, asked, filters):
    for number in range(30):
        town.member(f"Claire {number}", service("Conseil en droit", "lawyer"))
    town.session.commit()
    town.ask("conseil")
    work = Work(town.session.connection())
    query = Query.from_args({"q": asked, **filters})
    find(town.session, query, Reader.MEMBER, town.here, NOW)
    assert (work.statements <= 60, work.values <= 600, work.people <= 30) == (True, True, True)


class Work:
    """What is asked of a database: statements, values in them, and people whose rows are read."""

    def __init__(self, connection):
        self.statements = self.values = self.people = 0
        event.listen(connection, "before_cursor_execute", self._count)

    def _count(self, _connection, _cursor, statement, values, *_rest):
        self.statements += 1
        self.values += len(values)
        if "FROM member" in statement and "member.name" in statement:
            self.people += len(values)


def stamp(town):
    return town.session.execute(text("SELECT stamp FROM search_state")).scalar_one()
