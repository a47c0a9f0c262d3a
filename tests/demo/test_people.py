"""The people of the demo: what a visitor is promised to find among them, and not to find."""

from __future__ import annotations

import base64
import json
import re
import unicodedata
from collections import Counter
from decimal import Decimal
from importlib.resources import files

import pytest

from app.demo.portraits import portrait, with_portraits
from app.demo.town import HERE
from app.exchange.pictures import drawn_anew
from federation.vocabulary import specialities

DOMAINS = {
    "lyon": "la-navette.example",
    "nantes": "le-palier.example",
    "berlin": "hinterhof.example",
}

#: Every key a line may have, in the order in which all lines have them.
CLAIMS = (
    *("external_id", "email", "audience", "audiences", "name", "headline", "bio", "locale"),
    *("translations", "languages"),
    *("profession", "location", "interests", "availability", "services"),
)
SERVICE_CLAIMS = (
    *("id", "category", "title", "description", "mode", "rate", "coworker_rate", "currency"),
    *("unit", "remote", "languages", "audience", "translations"),
)
PRICE = ("rate", "coworker_rate", "currency")

HEADLINE_CHARACTERS = 160
BIO_CHARACTERS = 900

#: What a visitor who needs a lawyer types, in the languages of the demo.
WORDS_FOR_A_LAWYER = (
    *("avocat", "avocate", "avocats", "juriste", "notaire", "droit", "juridique"),
    *("contrat", "contrats", "lawyer", "solicitor", "contract", "contracts"),
    *("Anwalt", "Anwältin", "Rechtsanwältin", "Jurist", "Vertrag"),
)


def without_repeated_keys(pairs):
    """Read one JSON object, refusing what a plain reader would silently drop."""
    keys = [key for key, _ in pairs]
    assert len(keys) == len(set(keys)), f"a key is written twice: {keys}"
    return dict(pairs)


def people_of(space):
    text = files("app.demo").joinpath(f"{space}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line, object_pairs_hook=without_repeated_keys) for line in text.splitlines()]


PEOPLE = {space: people_of(space) for space in DOMAINS}
EVERYBODY = [person for people in PEOPLE.values() for person in people]
SERVICES = [(person, service) for person in EVERYBODY for service in person.get("services", [])]

each_space = pytest.mark.parametrize("space", DOMAINS)


def codes_in(space):
    return {
        service["category"] for person in PEOPLE[space] for service in person.get("services", [])
    }


def texts_in(value):
    """Yield every piece of text in a line, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from texts_in(item)
    elif isinstance(value, dict):
        yield from texts_in(list(value.values()))


def law():
    return {code for code, speciality in specialities().items() if speciality.domain == "law"}


def says(text, word):
    return re.search(rf"(?<!\w){re.escape(word.casefold())}(?!\w)", text.casefold()) is not None


# What the story of the demo needs


def test_nobody_in_lyon_offers_anything_of_law():
    assert codes_in("lyon") & law() == set()


def test_no_word_for_a_lawyer_stands_in_a_text_of_lyon():
    found = [
        (person["name"], word)
        for person in PEOPLE["lyon"]
        for text in texts_in(person)
        for word in WORDS_FOR_A_LAWYER
        if says(text, word)
    ]
    assert found == []


def test_nantes_has_the_lawyer_whom_lyon_looks_for_and_the_web_may_see_her():
    claire = PEOPLE["nantes"][1]
    offered = {service["category"] for service in claire["services"]}
    assert (claire["name"], claire["audience"], offered) == (
        "Claire Vasseur",
        "web",
        {"lawyer", "contract-law", "employment-law"},
    )
    assert "contrats de prestation" in claire["headline"]


def test_nantes_has_a_trademark_lawyer_and_a_notary_as_well():
    assert {"ip-law", "notary"} <= codes_in("nantes")


def test_berlin_is_worth_approving():
    professions = [person.get("profession", "") for person in PEOPLE["berlin"]]
    assert {"Rechtsanwältin", "Steuerberater"} <= set(professions)
    assert any("vereidigte" in person["headline"].casefold() for person in PEOPLE["berlin"])
    assert "games" in codes_in("berlin") - codes_in("lyon") - codes_in("nantes")


@each_space
def test_each_space_has_specialities_that_the_two_others_lack(space):
    elsewhere = {code for other in DOMAINS if other != space for code in codes_in(other)}
    assert len(codes_in(space) - elsewhere) >= 2


@pytest.mark.parametrize(
    ("space", "first", "second"),
    [
        ("lyon", "Inès Morel", "Bastien Rey"),
        ("nantes", "Youenn Kerbrat", "Claire Vasseur"),
        ("berlin", "Katrin Vogel", "Jonas Albrecht"),
    ],
)
def test_the_community_manager_comes_first_and_the_visitors_member_second(space, first, second):
    assert [person["name"] for person in PEOPLE[space][:2]] == [first, second]


# What makes a believable crowd


@each_space
def test_each_space_has_about_sixty_people_numbered_in_order(space):
    numbers = [person["external_id"] for person in PEOPLE[space]]
    assert 55 <= len(numbers) <= 65
    assert numbers == [f"{space}-{place:03}" for place in range(1, len(numbers) + 1)]


@each_space
def test_people_differ_in_how_widely_they_are_seen(space):
    audiences = Counter(person["audience"] for person in PEOPLE[space])
    shares = {audience: count / len(PEOPLE[space]) for audience, count in audiences.items()}
    assert shares == {
        "neighbours": pytest.approx(0.55, abs=0.03),
        "web": pytest.approx(0.20, abs=0.03),
        "space": pytest.approx(0.20, abs=0.03),
        "me": pytest.approx(0.05, abs=0.03),
    }


@each_space
def test_a_few_have_just_arrived_and_some_do_three_things_or_four(space):
    offers = Counter(len(person.get("services", [])) for person in PEOPLE[space])
    assert 3 <= offers[0] <= 6
    assert offers[3] + offers[4] >= 3
    assert max(offers) <= 4


@each_space
def test_every_way_of_settling_up_is_offered(space):
    modes = {service["mode"] for person in PEOPLE[space] for service in person.get("services", [])}
    assert modes == {"paid", "exchange", "pro_bono"}


def test_the_french_spaces_write_french_and_some_english_and_berlin_german_and_a_third_english():
    locales = {space: Counter(person["locale"] for person in PEOPLE[space]) for space in DOMAINS}
    assert {space: set(written) for space, written in locales.items()} == {
        "lyon": {"fr", "en"},
        "nantes": {"fr", "en"},
        "berlin": {"de", "en", "fr"},
    }
    assert locales["berlin"]["en"] / len(PEOPLE["berlin"]) == pytest.approx(1 / 3, abs=0.04)
    assert locales["berlin"]["de"] > len(PEOPLE["berlin"]) / 2


def test_specialities_are_many():
    assert len(codes_in("lyon") | codes_in("nantes")) >= 60
    assert len(codes_in("lyon") | codes_in("nantes") | codes_in("berlin")) >= 80


def test_some_names_try_the_page_out():
    names = [person["name"] for person in EVERYBODY]
    assert any("'" in name for name in names)
    assert any("’" in name for name in names)
    assert any("\u4e00" <= character <= "\u9fff" for name in names for character in name)
    assert max(len(name) for name in names) >= 60


def test_no_two_people_are_introduced_in_the_same_words():
    for key in ("external_id", "email", "name", "headline"):
        counted = Counter(person[key] for person in EVERYBODY)
        assert [text for text, times in counted.items() if times > 1] == [], key


@each_space
def test_whoever_looks_through_other_eyes_sees_a_difference(space):
    """The person whom the demo lets in shows not all to everybody; so do a few others."""
    apart = {
        person["name"]: {
            *person.get("audiences", {}).values(),
            *(one["audience"] for one in person["services"] if "audience" in one),
        }
        for person in PEOPLE[space]
        if "audiences" in person or any("audience" in one for one in person.get("services", []))
    }
    assert PEOPLE[space][1]["name"] in apart
    assert {"web", "space"} <= set().union(*apart.values())
    assert len(apart) >= 2


# What the import would refuse


def test_each_line_has_known_keys_in_one_order_and_nothing_empty():
    for person in EVERYBODY:
        assert list(person) == [key for key in CLAIMS if key in person]
        assert all(value not in ("", []) for value in person.values())
    for person, service in SERVICES:
        assert list(service) == [key for key in SERVICE_CLAIMS if key in service], person["name"]


@each_space
def test_everybodys_address_is_at_their_own_space(space):
    assert {person["email"].partition("@")[2] for person in PEOPLE[space]} == {DOMAINS[space]}
    assert all(re.fullmatch(r"[a-z.-]+@[a-z.-]+", person["email"]) for person in PEOPLE[space])


def test_every_speciality_stands_in_the_shared_vocabulary():
    assert {service["category"] for _, service in SERVICES} - set(specialities()) == set()


def test_texts_keep_within_their_length():
    assert max(len(person["headline"]) for person in EVERYBODY) <= HEADLINE_CHARACTERS
    assert max(len(person.get("bio", "")) for person in EVERYBODY) <= BIO_CHARACTERS


def test_texts_are_plain_and_composed():
    for text in (text for person in EVERYBODY for text in texts_in(person)):
        assert text == unicodedata.normalize("NFC", text).strip()
        assert not {unicodedata.category(character) for character in text} & {"Cc", "Cf"}, text


def test_the_coworker_rate_is_always_below_the_public_one():
    for person, service in SERVICES:
        if "rate" in service:
            public, ours = service["rate"], service["coworker_rate"]
            assert re.fullmatch(r"\d+\.\d\d", public)
            assert re.fullmatch(r"\d+\.\d\d", ours)
            assert 0 < Decimal(ours) < Decimal(public), person["name"]


def test_a_price_is_whole_or_absent():
    for person, service in SERVICES:
        priced = service["mode"] == "paid" and service["unit"] != "quote"
        expected = set(PRICE) if priced else set()
        assert set(PRICE) & set(service) == expected, person["name"]
        assert service.get("unit") in {"hour", "day", "fixed", "quote", None}
        assert ("unit" in service) == (service["mode"] == "paid"), person["name"]


def test_people_serve_in_languages_that_they_speak():
    for person, service in SERVICES:
        assert set(service["languages"]) <= set(person["languages"]), person["name"]
        assert person["locale"] in person["languages"]


def test_services_are_numbered_from_one():
    for person in EVERYBODY:
        numbers = [service["id"] for service in person.get("services", [])]
        assert numbers == [str(place) for place in range(1, len(numbers) + 1)], person["name"]


def test_most_people_have_a_drawn_face_of_their_own_that_every_space_would_take(tmp_path):
    rows = [
        json.loads(line)
        for line in with_portraits(HERE / "lyon.jsonl", tmp_path).read_text().splitlines()
    ]
    worn = [base64.b64decode(row["photo"]) for row in rows if "photo" in row]
    assert len(rows) > len(worn) > len(rows) / 2
    assert len(set(worn)) == len(worn)
    assert portrait("Claire Vasseur") == portrait("Claire Vasseur")
    assert drawn_anew(worn[0]).edge == 320


@each_space
def test_somebody_in_each_space_is_read_in_two_languages(space):
    twice = [person for person in PEOPLE[space] if "translations" in person]
    assert twice
    for person in twice:
        for one in person["translations"]:
            assert one["lang"] != person["locale"]
            assert len(one["headline"]) <= HEADLINE_CHARACTERS
            assert len(one["bio"]) <= BIO_CHARACTERS
        assert any("translations" in service for service in person["services"])
