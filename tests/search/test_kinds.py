"""Kinds of one work: who rows is no tennis coach, and a trumpet is no piano."""

from __future__ import annotations

import pytest

from app.search.kinds import kinds_of
from app.search.text import words
from tests.search.town import service


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("tennis", "sports-coaching"),
        ("Tennistrainerin", "sports-coaching"),
        ("Gitarrenlehrer", "music-teaching"),
        ("clases de trompeta", "music-teaching"),
        ("cours de chinois", "language-teaching"),
    ],
)
def test_a_kind_is_heard_in_a_word_and_in_a_german_compound(said, code):
    assert list(kinds_of(words(said))) == [code]


@pytest.mark.parametrize("said", ["Golfplatz", "remoto", "coach", "Sport", ""])
def test_what_only_begins_like_a_kind_is_none(said):
    assert "sports-coaching" not in kinds_of(words(said))


def test_the_names_of_a_kind_in_all_languages_go_together():
    assert kinds_of(words("Gitarre")) == kinds_of(words("guitarra"))
    assert kinds_of(words("Gitarre")) != kinds_of(words("piano"))


def test_a_rowing_coach_is_only_perhaps_asked_for_when_tennis_is(town):
    town.member("Simone", profession="Rowing coach", locale="en")
    assert (town.names("tennis coach"), town.perhaps("tennis coach")) == ([], ["Simone"])
    assert town.names("entraîneur d'aviron") == ["Simone"]


def test_who_says_the_kind_in_another_language_is_surely_meant(town):
    town.member("Margot", service("Klavier für Anfänger", "music-teaching"), locale="de")
    assert town.names("piano lessons") == ["Margot"]
    assert (town.names("trumpet lessons"), town.perhaps("trumpet lessons")) == ([], ["Margot"])


def test_neither_half_of_two_trades_is_surely_both(town):
    town.member("Conor", service("Founding a company", "company-law"), profession="Lawyer")
    town.member("Violaine", service("Mariages", "wedding-planning"))
    assert town.names("wedding lawyer") == []
    assert sorted(town.perhaps("wedding lawyer")) == ["Conor", "Violaine"]


def test_a_field_says_where_something_is_done_and_asks_for_nobody_of_it(town):
    town.member("Sabine", service("Enregistrement", "podcast"))
    town.member("Agnès", service("Conseil", "lawyer"))
    assert town.names("podcast juridique") == ["Sabine"]
    assert town.perhaps("podcast juridique") == ["Agnès"]
