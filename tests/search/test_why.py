"""Every hit says why, and marks where."""

from __future__ import annotations

from app.search.answers import Expansion, Reason
from tests.search.town import service


def test_a_synonym_says_both_words_and_the_speciality_between_them(town):
    town.member("Anna", service("Beratung"), profession="Rechtsanwältin", locale="de")
    (hit,) = town.ask("lawyer").hits
    assert hit.why == (Reason("lawyer", "Rechtsanwältin", "profession", "synonym", "lawyer", "de"),)
    assert hit.highlights == {"profession": ((0, 14),)}


def test_the_own_word_is_marked_where_it_stands(town):
    member = town.member(
        "Claire", service("Un avocat pour ton bail", "lawyer"), headline="Avocate à Lyon"
    )
    (hit,) = town.ask("avocat").hits
    assert hit.why[0].how == "word"
    assert hit.highlights == {
        f"service:{member.services[0].ref}": ((3, 9),),
        "headline": ((0, 7),),
    }


def test_a_slip_and_a_beginning_say_that_they_are_such(town):
    town.member("Aïcha", service("Conseil", "lawyer"))
    assert town.ask("avocta").hits[0].why[0].how == "typo"
    assert town.ask("avoc").hits[0].why[0].how == "prefix"


def test_somebody_near_says_so_and_is_only_perhaps_meant(town):
    town.member("Rozenn", service("Statuts de coopérative", "legal-adviser"))
    (hit,) = town.ask("avocat").perhaps
    assert (hit.confident, hit.why[0].how, hit.why[0].code) == (False, "near", "legal-adviser")


def test_each_part_of_the_question_has_its_reason(town):
    town.member("Paul", service("Traduction", "translation"), interests=["escalade"])
    (hit,) = town.ask("traducteur escalade").hits
    assert [(reason.said, reason.field) for reason in hit.why] == [
        ("traducteur", "service"),
        ("escalade", "interests"),
    ]


def test_the_answer_says_what_else_was_looked_for(town):
    expansions = town.ask("rgpd ").expansions
    assert Expansion("rgpd", "privacy-gdpr", "synonym") in expansions


def test_marks_never_overlap_and_stay_inside_the_text(town):
    text = "avocat, avocate, avocats d'affaires"
    town.member("Claire", service(text, "lawyer"), headline=text)
    (hit,) = town.ask("avocat d'affaires").hits
    for spans in hit.highlights.values():
        ends = [edge for span in spans for edge in span]
        assert ends == sorted(ends)
        assert 0 <= ends[0] <= ends[-1] <= len(text)
