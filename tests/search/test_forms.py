"""Words that sound like one of the list and are another; and what says only how somebody asks."""

from __future__ import annotations

import pytest

from app.search.forms import form_of
from app.search.own_words import lexicon_with
from app.search.text import stem, words
from tests.search.town import service


@pytest.mark.parametrize(
    ("typed", "listed", "language"),
    [
        ("cartero", "cartera", "es"),
        ("suelo", "suelas", "es"),
        ("asistente", "asistenta", "es"),
        ("tinta", "tinte", "es"),
        ("reste", "rest", "en"),
        ("comme", "comms", "en"),
        ("market", "marketo", "fr"),
        ("vent", "vente", "fr"),
        ("compte", "compta", "fr"),
        ("rolle", "rollo", "de"),
        ("tonne", "ton", "de"),
    ],
)
def test_a_word_of_the_same_stem_may_be_another_word(typed, listed, language):
    assert stem(typed) == stem(listed)
    assert not form_of(typed, listed, language)


@pytest.mark.parametrize(
    ("typed", "listed", "language"),
    [
        ("fontaneras", "fontanero", "es"),
        ("española", "español", "es"),
        ("jefa", "jefes", "es"),
        ("presidenta", "presidente", "es"),
        ("tribunales", "tribunal", "es"),
        ("marco", "marcos", "es"),
        ("traductoras", "traductor", "es"),
        ("avocates", "avocat", "fr"),
        ("maconnes", "macon", "fr"),
        ("traductrice", "traducteurs", "fr"),
        ("coiffeuses", "coiffeur", "fr"),
        ("commerciaux", "commercial", "fr"),
        ("gateaux", "gateau", "fr"),
        ("sportives", "sportif", "fr"),
        ("companies", "company", "en"),
        ("boxes", "box", "en"),
        ("vertrage", "vertrag", "de"),
        ("vertragen", "vertrag", "de"),
        ("juristische", "juristisch", "de"),
        ("tier", "tiere", "de"),
        ("rechtsanwaltinnen", "rechtsanwalt", "de"),
    ],
)
def test_number_and_gender_make_forms_of_one_word(typed, listed, language):
    assert form_of(typed, listed, language)


def test_a_postman_is_no_wallet_and_whoever_makes_wallets_is_still_found(town):
    town.member("Inés", service("Marroquinería", "leatherwork"), locale="es")
    assert town.names("cartero") == []
    assert town.names("carteras") == ["Inés"]


def test_a_space_may_say_that_its_postman_makes_wallets():
    (word,) = words("cartero")
    for own, listed in ((), False), ((("Cartero", "leatherwork"),), True):
        book = lexicon_with(own)
        assert book.lists(book.meanings[(word.stem,)][0], word) is listed


def test_what_is_listed_as_it_was_typed_hides_the_other_word_of_its_stem(town):
    town.member("Sol", service("Zapatería", "shoemaking"), locale="es")
    town.member("Teo", service("Suelos", "tiling"), locale="es")
    assert town.names("suelo") == ["Teo"]


def test_a_word_that_stands_complete_is_not_the_beginning_of_a_phrase(town):
    town.member("Luc", service("Accordage", "instrument-making"), locale="fr")
    assert town.names("facteur") == []
    assert town.names("facteur d'instruments") == ["Luc"]


def test_a_word_that_phrases_hold_is_not_the_beginning_of_another(town):
    town.member("Uma", service("Sounds of speech", "linguistics"), locale="en")
    town.member("Ben", service("Screens", "phone-repair"), locale="en")
    assert town.names("I have lost my phone") == []
    assert "Ben" in town.perhaps("I have lost my phone")
    assert town.names("phoneti") == ["Uma"]


def test_a_longer_word_is_meant_surely_only_if_the_rest_of_it_is_a_word(town):
    town.member("Mireille", service("Climat", "meteorology"), locale="fr")
    town.member("Berta", service("Beratung", "tax"), locale="de")
    assert town.names("previsión para mañana") == []
    assert town.names("Steuer klären") == ["Berta"]


def test_a_slip_for_a_word_of_the_list_may_be_one_for_a_name(town):
    town.member("Anna Bauer", service("Conseil", "lawyer"))
    town.member("Jakob", service("Hof", "organic-farming"))
    assert sorted(town.names("bauwer")) == ["Anna Bauer", "Jakob"]


@pytest.mark.parametrize(
    "asked", ["Fotograf in der Nähe", "fotógrafo cerca de mí", "un photographe en février"]
)
def test_where_and_when_somebody_is_wanted_is_no_other_work(town, asked):
    town.member("Fatou", service("Images", "photography"))
    town.member("Nora", service("Änderungen", "sewing"), locale="de")
    assert town.names(asked) == ["Fatou"]


@pytest.mark.parametrize(
    "asked", ["quote for tiling", "presupuesto para alicatar", "devis carrelage"]
)
def test_a_price_asked_for_is_work_asked_for(town, asked):
    town.member("Rosa", service("Books", "invoicing"))
    town.member("Teo", service("Floors", "tiling"))
    assert town.names(asked) == ["Teo"]
    assert town.names("devis") == ["Rosa"]


def test_animals_are_half_of_what_is_asked_whatever_the_language(town):
    town.member("Elodie", service("Images", "photography"))
    asked = ["photographe d'animaux", "animal photographer", "Fotos von Tieren"]
    asked += ["fotógrafo de animales"]
    assert [town.names(words) for words in asked] == [[]] * 4
    assert [town.perhaps(words) for words in asked] == [["Elodie"]] * 4
