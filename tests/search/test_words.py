"""Words that mean something else stay apart, words that mean the same come together."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.search.pieces import pieces
from app.search.slips import letters_apart, letters_of, slips
from app.search.text import fold, stem, words
from tests.search.town import service


def test_a_life_coach_is_no_rowing_coach(town):
    town.member("Victor", service("Séances d'aviron"), profession="Rowing coach", locale="en")
    town.member("Grace", service("Six conversations", "life-coaching"), profession="Life coach")
    assert town.names("life coach") == ["Grace"]
    assert town.names("rowing coach") == ["Victor"]


def test_branding_finds_no_cigar_brander(town):
    town.member("Sylvie", service("Engraved cigar boxes"), profession="Cigar brander")
    town.member("Ella", service("Identity for small companies", "branding"))
    found = town.ask("branding")
    assert [hit.card.name for hit in (*found.hits, *found.perhaps)] == ["Ella"]
    assert town.names("cigar brander") == ["Sylvie"]


def test_what_somebody_once_was_is_no_offer(town):
    town.member("Ben", service("Lunch yoga", "yoga"), bio="I used to be a lawyer.")
    assert town.names("lawyer") == []
    assert town.perhaps("lawyer") == ["Ben"]


def test_a_headline_that_plays_with_words_names_no_profession(town):
    town.member("Zoé", service("Ton logo", "branding"), headline="La pâtissière des marques")
    assert town.names("pâtissière") == []


def test_the_word_asked_in_a_headline_is_enough_beside_another_code(town):
    town.member("Solène", service("CGV", "contract-law"), headline="Avocate en contrats")
    assert town.names("avocate") == ["Solène"]
    assert town.names("Anwältin") == ["Solène"]


def test_a_headline_without_any_code_says_what_somebody_does(town):
    town.member("Tom", headline="Plumber and heating engineer", locale="en")
    town.member("Bruno", profession="Expert-comptable", locale="fr")
    assert town.names("plombier") == ["Tom"]
    assert town.names("chartered accountant") == ["Bruno"]


def test_working_for_photographers_makes_no_photographer(town):
    town.member("Kate", service("Bookkeeping for photographers", "bookkeeping"), locale="en")
    assert town.names("photographer") == []
    assert town.names("bookkeeper") == ["Kate"]


def test_a_word_that_nobody_knows_makes_the_rest_unsure(town):
    town.member("Greg", service("Team days", "training"), profession="Trainer", locale="en")
    town.member("Simone", profession="Rowing coach", locale="en")
    assert town.names("astronaut training") == []
    assert town.names("rowing coach for dogs") == []
    assert town.names("rowing coach for my daughter") == ["Simone"]


def test_two_slips_are_forgiven_only_behind_the_same_beginning(town):
    town.member("Owen", service("Month ends", "bookkeeping"), locale="en")
    town.member("Gwen", service("Portraits", "photography"), locale="en")
    assert town.names("bokkeeepr ") == ["Owen"]
    assert town.names("fotographer ") == ["Gwen"]
    assert town.names("zookeeper ") == []


def test_french_words_in_que_have_the_plurals_that_they_have():
    assert stem("banques") == stem("banque")
    assert stem("strategies") == stem("strategie") == stem("strategy")


@pytest.mark.parametrize(
    "asked",
    [
        "avocat",
        "AVOCATE",
        "avocats",
        "l’avocate",
        "avocta",
        "avoca",
        "lawyer",
        "Anwalt",
        "Rechtsanwältinnen",
        "abogada",
        "un avocat pour mon association",
        "ａｖｏｃａｔ",
    ],
)
def test_every_way_of_saying_lawyer_finds_her(town, asked):
    town.member("Aïcha", service("Conseil juridique", "lawyer"), locale="fr")
    town.member("Yann", service("Site vitrine", "web-development"), locale="fr")
    assert town.names(asked) == ["Aïcha"]


def test_a_service_without_a_code_is_found_through_its_words_in_another_language(town):
    town.member("Anna", service("Übersetzung von Verträgen"), locale="de")
    assert town.names("traductrice") == ["Anna"]


def test_a_code_that_nobody_shares_is_found_by_its_own_words(town):
    town.member("Luc", service("Balades du soir", "dog-walking-at-night"))
    assert town.names("dog walking night") == ["Luc"]


def test_the_own_word_comes_before_the_same_speciality(town):
    for name in ("Ada", "Bo", "Cy"):
        town.member(name, service("Site vitrine", "cms"))
    town.member("Fatou", service("Dépannage WordPress", "cms"))
    assert town.names("WordPress")[0] == "Fatou"
    assert sorted(town.names("WordPress")[1:]) == ["Ada", "Bo", "Cy"]


def test_somebody_is_found_by_name_and_by_city(town):
    peer = town.neighbour("Werkhof", "Berlin")
    town.mirrored(peer, "Anna Keller", {"id": "1", "category": "lawyer", "title": "Beratung"})
    town.member("Claire Vasseur", service("Conseil", "lawyer"))
    assert town.names("Vasseur") == ["Claire Vasseur"]
    assert town.names("keler") == ["Anna Keller"]
    assert town.names("lawyer berlin")[0] == "Anna Keller"


@pytest.mark.parametrize(
    ("forms", "one"),
    [
        ("avocat avocate avocats avocates", "avocat"),
        ("Anwalt Anwälte Anwältin Anwältinnen", "anwalt"),
        ("Ingenieur Ingenieure Ingenieurin Ingenieurinnen", "ingenieur"),
        ("Bibliothekar Bibliothekarin Bibliothekarinnen", "bibliothekar"),
        ("Praktikant Praktikantin Praktikantinnen", "praktikant"),
        ("Pädagoge Pädagogin Pädagoginnen", "padagog"),
        ("Ökonom Ökonomin Ökonominnen", "okonom"),
        ("diseñador diseñadora diseñadores diseñadoras", "disenador"),
        ("traducteur traductrice traductrices", "traducteur"),
        ("Übersetzung Übersetzungen", "ubersetzung"),
        ("company companies", "company"),
    ],
)
def test_number_and_gender_are_folded_away(forms, one):
    assert {word.stem for word in words(forms)} == {one}


def test_the_ending_that_makes_another_word_is_kept():
    assert stem("branding") != stem("brander")


def test_folding_knows_ligatures_accents_and_sharp_s():
    assert [fold(text) for text in ("Œuvre", "Straße", "ÉLÈVE", "ﬁn")] == [
        "oeuvre",
        "strasse",
        "eleve",
        "fin",
    ]


def test_names_that_punctuation_would_break_are_words():
    assert [word.folded for word in words("C++, C#, .NET, R&D")] == [
        "cplusplus",
        "csharp",
        "dotnet",
        "rd",
    ]


def test_the_place_of_a_word_is_where_it_stands():
    text = "Chez l’avocat·e, à l’œuvre"
    assert [text[word.start : word.end] for word in words(text)] == ["Chez", "avocat", "à", "œuvre"]


@pytest.mark.parametrize(
    ("one", "other", "made"),
    [("avocta", "avocat", 1), ("avocat", "avocat", 0), ("fotographer", "photographer", 2)],
)
def test_slips_of_the_finger_are_counted(one, other, made):
    assert slips(one, other, 2) == made


def test_more_slips_than_allowed_are_not_counted_to_the_end():
    assert slips("plumber", "lawyer", 2) == 3


def test_a_language_asked_for_beside_something_else_is_one_that_is_spoken(town):
    town.member("Claire", service("Conseil", "lawyer"), languages=["fr"])
    town.member("Anna", service("Conseil", "lawyer"), languages=["fr", "de-CH"])
    for asked in ("avocat qui parle allemand", "German speaking lawyer", "Anwalt deutsch "):
        assert town.names(asked)[0] == "Anna"


def test_the_manner_of_asking_does_not_hide_what_is_asked(town):
    town.member("Nora", service("Montage", "podcast"))
    town.member("Ada", service("Ton logo", "branding"))
    assert town.names("montar un podcast") == ["Nora"]
    assert town.names("un logo pas cher pour une boulangerie") == ["Ada"]


def test_a_text_read_run_by_run_has_the_words_of_the_whole():
    texts = [
        "L’avocat·e d'affaires, R&D / C++ et .NET : l'e-commerce (x²) Ⅳ ﬁn",
        "İstanbul C++ c# .net R&D A&B&C",
        "rédacteur(trice) Entwickler:innen Straße ﷺ ﾞ\u2003日本語\x1cfin\n",
        "IT it ICH ich T&A t&a quelqu'un '' 's a_b __ " + "x" * 70 + "'avocat",
    ]
    for text in texts:
        read = [(one.folded, one.stem) for one in pieces(text) if one.folded]
        assert read == [(word.folded, word.stem) for word in words(text)], text


@settings(max_examples=60)
@given(st.text("abcde", min_size=5, max_size=10), st.data())
def test_no_slip_is_overlooked_by_the_look_at_the_letters_before_it(word, data):
    made = list(word)
    for _ in range(2):
        at = data.draw(st.integers(0, len(made) - 1))
        slip = data.draw(st.sampled_from(("drop", "add", "change")))
        made[at : at + (slip != "add")] = [] if slip == "drop" else data.draw(st.sampled_from("xa"))
    other = "".join(made)
    apart = (letters_of(word) ^ letters_of(other)).bit_count()
    assert apart <= letters_apart(len(word), len(other), 2)


def test_a_compound_that_ends_in_a_trade_as_no_list_writes_it_is_still_a_question(town):
    town.member("Lena", service("Gespräche", "psychotherapy"), locale="de")
    # "terapeut" is how the Spanish "terapeuta" is compared, and nobody's word.
    assert town.names("Psychoterapeut ") + town.perhaps("Psychoterapeut ") == ["Lena"]


def test_whoever_wants_to_sell_a_thing_asks_nobody_to_repair_it(town):
    town.member("Ben", service("Punctures and brakes", "bike-repair"), locale="en")
    for asked in ("sell my bike", "Fahrrad verkaufen", "acheter un vélo", "bicicleta comprar"):
        assert (town.names(f"{asked} "), town.perhaps(f"{asked} ")) == ([], ["Ben"]), asked
    assert town.names("fix my bike") == ["Ben"]


def test_a_verb_that_nobody_knows_leaves_what_it_is_done_to(town):
    town.member("Ben", service("Punctures and brakes", "bike-repair"), locale="en")
    for asked in ("rejuvenate our bike", "embellir mon vélo", "Fahrrad verjüngen"):
        assert town.names(f"{asked} ") == ["Ben"], asked
    assert town.names("rejuvenating bike ") == []


def test_no_slip_is_taken_to_lie_before_a_short_word(town):
    town.member("Uma", service("Lamps", "electrician"), headline="Lights and sockets", locale="en")
    assert town.names("flights ") == []
    assert town.names("ligths ") == ["Uma"]


def test_whose_it_is_does_not_part_a_phrase(town):
    town.member("Zoe", service("Two posts a week", "social-media"), locale="en")
    town.member("Kim", service("Letterbox", "domiciliation"), locale="en")
    assert town.names("posts for our LinkedIn ") == ["Zoe"]


def test_a_slip_in_a_long_word_is_no_compound_of_its_end(town):
    town.member("Noé", service("Rééducation", "physio"), locale="fr")
    town.member("Lena", service("Gespräche", "psychotherapy"), locale="de")
    assert town.names("fisoterapeuta ") == ["Noé"]


def test_what_a_compound_begins_with_is_not_yet_what_somebody_does(town):
    town.member("Yara", service("Briefe und Anträge", "public-writer"), locale="de")
    assert (town.names("Briefträger "), town.perhaps("Briefträger ")) == ([], ["Yara"])
    assert town.names("Briefservice ") == ["Yara"]
