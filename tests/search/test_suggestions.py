"""Suggestions while typing: whom one may see, how much is read, whose language, what order."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import event

from app.models.scope import Reader
from app.search import completions as completions_
from app.search import suggestions
from app.search.completions import completions, spoken
from app.search.lexicon import lexicon
from app.search.suggestions import NAMES_READ, PEOPLE, SPECIALITIES, suggest
from federation.vocabulary import LANGUAGES, specialities
from tests.search.town import NOW, service


def suggested(town, typed, language="en", reader=Reader.MEMBER, now=NOW, scope="everywhere"):
    return suggest(town.session, typed, language, reader, town.here, now, scope)


def people(town, typed, **given):
    return [card.name for card in suggested(town, typed, **given).people]


def offered(town, typed, language="en", **given):
    return [one.name for one in suggested(town, typed, language, **given).specialities]


def test_nobody_is_suggested_whom_the_reader_may_not_see(town):
    peer, gone = town.neighbour("Werkhof", "Berlin"), town.neighbour("Kanal", "Brussels")
    town.member("Maria Me", audience="me")
    town.member("Maria Space", audience="space")
    town.member("Maria Web", audience="web")
    town.mirrored(peer, "Maria Peers")
    town.mirrored(peer, "Maria Public", public=True, web=["name"])
    town.mirrored(peer, "Maria Expired", public=True).expires_at = NOW
    town.mirrored(gone, "Maria Suspended", public=True)
    gone.ours = "suspended"
    town.session.flush()
    assert sorted(people(town, "maria")) == [
        "Maria Peers",
        "Maria Public",
        "Maria Space",
        "Maria Web",
    ]
    assert sorted(people(town, "maria", reader=Reader.VISITOR)) == ["Maria Public", "Maria Web"]
    assert sorted(people(town, "maria", scope="here")) == ["Maria Space", "Maria Web"]


def test_a_speciality_that_only_hidden_people_offer_comes_no_earlier_for_it(town):
    town.member("Maria", service("Toile", "web-scraping"), audience="me")
    before = offered(town, "web")
    assert before[0] != "Web scraping"
    town.member("Nora", service("Toile", "web-scraping"), audience="space")
    assert offered(town, "web")[0] == "Web scraping"
    assert offered(town, "web", reader=Reader.VISITOR) == before


@pytest.mark.parametrize(
    "typed",
    ["", " ", "a", "%", "__", '"', "\x00", "\u202e", "🧑‍⚖️", "(" * 3000, "!?", "x" * 10_000,
     "zzz " * 500, "' OR 1=1 --"],
)  # fmt: skip
def test_no_words_break_it_and_nothing_is_suggested_for_nothing(town, typed):
    town.member("Maria")
    assert suggested(town, typed).count == 0


def test_a_beginning_that_half_a_town_bears_costs_a_bounded_number_of_rows(town, monkeypatch):
    monkeypatch.setattr(suggestions, "NAMES_READ", 20)
    for number in range(40):
        town.member(f"Maria {number:02}", service("Logo", "logo"))
    town.session.commit()
    suggested(town, "mari")
    statements = []
    engine = town.session.get_bind()
    event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2:4]))
    assert len(people(town, "mar")) == PEOPLE
    (of_names,) = [values for text, values in statements if "search_name" in text]
    assert 20 in (of_names.values() if isinstance(of_names, dict) else of_names)
    assert len(statements) <= 12
    assert NAMES_READ == 300


def test_specialities_are_told_in_the_readers_language_whatever_was_typed(town):
    assert offered(town, "rechtsan", "fr")[0] == "Avocat·e"
    assert offered(town, "lawy", "de")[0] == "Rechtsanwältin"
    assert offered(town, "avo", "es")[0] == "Abogada"
    (first, *_) = suggested(town, "lawy", "fr").specialities
    assert (first.code, first.through, first.lang) == ("lawyer", "Lawyer", "en")
    (first, *_) = suggested(town, "avoc", "fr").specialities
    assert (first.code, first.through, first.lang) == ("lawyer", "", "")


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("AVO", "lawyer"),
        ("l'avo", "lawyer"),
        ("l’avocat", "lawyer"),
        ("mon avocat", "lawyer"),
        ("avoct", "lawyer"),
        ("avcoa", "lawyer"),
        ("avvocat", "lawyer"),
        ("avocats", "lawyer"),
        ("droit du tra", "employment-law"),
        ("travail", "employment-law"),
        ("comptbale", "bookkeeping"),
        ("expert-c", "chartered-accountant"),
        ("expert c", "chartered-accountant"),
        ("webdes", "web-design"),
        ("rgpd", "privacy-gdpr"),
    ],
)
def test_accents_hyphens_elisions_plurals_and_one_slip_do_not_matter(typed, code):
    assert code in [one.code for one in completions(typed, "fr")][:SPECIALITIES]


def test_a_name_of_the_readers_language_comes_before_words_and_other_languages():
    (first, *others) = completions("cont", "fr")
    assert (first.name, first.through) == ("Contrats et CGV", "")
    assert any(one.through for one in others)
    assert completions("contrats", "de")[0].lang == "fr"


def test_what_is_chosen_finds_the_speciality_in_every_language(town):
    for code in list(specialities())[::12]:
        town.member(f"P {code}", service("Conseil", code))
    for code in list(specialities())[::12]:
        for language in LANGUAGES:
            name = spoken(specialities()[code].labels[language])
            assert f"P {code}" in town.names(name + " "), (code, name)


def test_at_most_so_many_of_each(town):
    for number in range(9):
        town.member(f"Condé {number}", service("Conseil", "lawyer"))
    found = suggested(town, "con", "fr")
    assert (len(found.specialities), len(found.people)) == (SPECIALITIES, PEOPLE)
    assert found.count == SPECIALITIES + PEOPLE


def test_a_name_is_found_by_several_of_its_words_in_any_order(town):
    town.member("Marie-Claire Dupont")
    town.member("Marie Durand")
    for typed in ("marie dup", "dupont mar", "Marie-Claire", "claire dupont ", "DUPONT"):
        assert people(town, typed) == ["Marie-Claire Dupont"], typed
    assert people(town, "marie x") == []
    assert people(town, "dup ") == []


def test_who_bears_the_very_word_comes_first_and_equals_take_turns(town):
    for name in ("Mari Roth", "Maria Blau", "Marie Gelb", "Marion Grau", "Mark Rot"):
        town.member(name)
    days = [people(town, "mari", now=NOW + timedelta(days=day)) for day in range(6)]
    assert {day[0] for day in days} == {"Mari Roth"}
    assert {day[1] for day in days} == {"Maria Blau", "Marie Gelb", "Marion Grau"}
    assert days[0] == people(town, "mari")


def test_a_word_of_the_space_is_suggested_with_what_it_stands_for(town):
    town.here.labels = {"Dompteuse de tableurs": "spreadsheets", "Gone": "no-such-code"}
    [first, *_] = suggested(town, "dompt", "fr").specialities
    assert (first.code, first.through, first.lang) == ("spreadsheets", "Dompteuse de tableurs", "")
    assert suggested(town, "tableurs", "fr").specialities[0].code == "spreadsheets"
    codes = [one.code for one in suggested(town, "tableurs", "fr").specialities]
    assert len(codes) == len(set(codes))
    assert suggested(town, "gone", "fr").specialities == ()


def test_a_server_has_read_the_vocabulary_before_the_first_letter():
    completions_.make_ready()
    read = [completions_._places.cache_info().misses, lexicon.cache_info().misses]
    completions_.completions.cache_clear()
    assert completions_.completions("avoc", "fr")
    assert [completions_._places.cache_info().misses, lexicon.cache_info().misses] == read
