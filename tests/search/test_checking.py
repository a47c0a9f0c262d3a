"""A broken index is noticed: what a set lost, what it should not have, and names and words."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, insert, select, update

from app.search.checking import SAMPLE, check_sets
from app.search.index import check, rebuild, remove_member
from app.search.people import People
from app.search.tables import doc, names, posting, word
from tests.search.town import service


@pytest.fixture
def furnished(town):
    town.aicha = town.member("Aïcha Benali", service("Contrats", "lawyer"), profession="Avocate")
    town.bruno = town.member("Bruno Tessier", service("Bilans", "chartered-accountant"))
    gone = town.member("Zoé", service("Ton logo", "branding"))
    remove_member(town.session, gone)
    town.session.delete(gone)
    town.session.commit()
    return town


def number_of(town, member):
    return town.session.scalar(select(doc.c.id).where(doc.c.subject == member.ref))


def put(town, key, rows):
    held = update(posting).where(posting.c.key == key).values(people=People(rows).serialize())
    assert town.session.execute(held).rowcount == 1


@pytest.mark.parametrize("everybody", [False, True])
def test_an_index_that_nobody_broke_is_true(furnished, everybody):
    assert check_sets(furnished.session, everybody=everybody) == []


@pytest.mark.parametrize("everybody", [False, True])
def test_who_was_lost_by_a_set_is_named_with_what_no_longer_finds_them(furnished, everybody):
    furnished.session.execute(delete(posting).where(posting.c.key == "service:k_lawyer"))
    assert check(furnished.session) == []
    said = f"{furnished.aicha.ref} is not found by service:k_lawyer, which they say"
    assert check_sets(furnished.session, everybody=everybody) == [said]
    rebuild(furnished.session)
    assert check_sets(furnished.session, everybody=True) == []


@pytest.mark.parametrize("everybody", [False, True])
def test_who_stands_in_a_foreign_set_is_named(furnished, everybody):
    both = [number_of(furnished, one) for one in (furnished.aicha, furnished.bruno)]
    put(furnished, "service:k_lawyer", both)
    said = f"{furnished.bruno.ref} is found by service:k_lawyer, which they do not say"
    assert check_sets(furnished.session, everybody=everybody) == [said]


def test_sets_of_nobody_are_found_when_all_are_looked_at(furnished):
    there = {"people": People([1]).serialize()}
    furnished.session.execute(insert(posting).values(key="title:ghost", piece=7, **there))
    furnished.session.execute(insert(posting).values(key="title:ghost", piece=0, **there))
    assert check_sets(furnished.session) == []
    assert check_sets(furnished.session, everybody=True) == [
        "there are sets of rows from 458752 on, and no such rows",
        f"{furnished.aicha.ref} is found by title:ghost, which they do not say",
    ]


@pytest.mark.parametrize("everybody", [False, True])
def test_a_name_that_is_not_suggested_and_one_that_is_nobodys_are_told(furnished, everybody):
    aicha, bruno = (number_of(furnished, one) for one in (furnished.aicha, furnished.bruno))
    moved = update(names).where(names.c.word == "benali", names.c.row == aicha).values(row=bruno)
    furnished.session.execute(moved)
    assert check_sets(furnished.session, everybody=everybody) == [
        f"{furnished.aicha.ref} is not suggested for “benali”, their name",
        f"{furnished.bruno.ref} is suggested for “benali”, which is not their name",
    ]


def test_a_word_of_which_no_slip_would_be_understood_is_told(furnished):
    furnished.session.execute(delete(word).where(word.c.word == "bilan"))
    said = ["“bilan” is said and no slip of it is understood"]
    assert check_sets(furnished.session) == said


def test_a_sample_reads_so_many_people_and_no_more(furnished, monkeypatch):
    monkeypatch.setattr("app.search.checking.SAMPLE", 1)
    furnished.session.execute(delete(posting).where(posting.c.key.like("service:%")))
    assert SAMPLE > 1
    assert len(check_sets(furnished.session)) < len(check_sets(furnished.session, everybody=True))
