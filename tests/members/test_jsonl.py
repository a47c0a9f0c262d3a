"""Our own format is read liberally; what makes no sense is refused in words."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest

from app.members import reading
from app.members.person import Offer, Person, Refused
from tests.members.conftest import NOON


def read(*rows):
    text = "".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows)
    return reading.read(text.encode(), NOON.date())


def service(**given):
    (row,) = read({"name": "Zoé", "services": [given]}).rows
    assert isinstance(row, Person), row
    (offer,) = row.services
    return offer


def reasons(**given):
    (row,) = read({"name": "Zoé", **given}).rows
    assert isinstance(row, Refused), row
    return row.reasons


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"name": ""}, "there is no name"),
        ({"name": 7}, "name is not text"),
        ({"name": "z" * 121}, "the name has 121 characters, more than 120"),
        ({"email": "zoe at example"}, "“zoe at example” is not an e-mail address"),
        ({"email": ["z@example.org"]}, "email is not text"),
        ({"languages": [1]}, "languages is not a list of texts"),
        (
            {"audience": "everybody"},
            "audience is “everybody”; it can be me, space, neighbours, web",
        ),
        ({"services": "law"}, "services is not a list"),
        ({"services": [7]}, "service 1 is not an object"),
        ({"services": [{"rate": 70}]}, "service 1 has no title"),
        (
            {"services": [{"title": "Law", "rate": True}]},
            "service 1 has a rate that is not an amount of money: True",
        ),
        (
            {"services": [{"title": "Law", "rate": "-5"}]},
            "service 1 has a rate that is not an amount of money: -5",
        ),
        (
            {"services": [{"title": "Law", "rate": "NaN"}]},
            "service 1 has a rate that is not an amount of money: NaN",
        ),
        (
            {"services": [{"title": "Law"}, {"title": "Tax", "rate": [70]}]},
            "service 2 has a rate that is not an amount of money: [70]",
        ),
        (
            {"services": [{"title": "Law", "currency": "euros"}]},
            "service 1 has currency “EUROS”, not a code of three letters such as EUR",
        ),
        (
            {"services": [{"title": "Law", "mode": "gift"}]},
            "service 1 has mode “gift”; it can be paid, exchange, pro_bono",
        ),
        (
            {"services": [{"title": "Law", "valid_until": "soon"}]},
            "service 1 has valid_until “soon”, not a date such as 2027-06-30",
        ),
        (
            {"services": [{"title": "Law", "remote": "perhaps"}]},
            "service 1 has remote that is neither true nor false",
        ),
        ({"translations": "en"}, "translations are not a list of objects"),
        ({"translations": ["en"]}, "translations are not a list of objects"),
        (
            {"translations": [{"lang": "en", "bio": 7}]},
            "translations have a language or a text that is no text",
        ),
        (
            {"services": [{"title": "Law", "translations": [{"lang": ["fr"], "title": "Droit"}]}]},
            "translations of service 1 have a language or a text that is no text",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(given, reason):
    assert reason in reasons(**given)


def test_all_that_is_wrong_with_a_row_is_said_at_once():
    assert len(reasons(email="x", audience="y", services=[{"rate": "z", "title": "Law"}])) == 3


def test_a_line_that_is_no_json_is_refused_and_the_others_are_read():
    rows = read('{"name": }\n', '["Zoé"]\n', {"name": "Zoé"}, '{"name": NaN}\n').rows
    assert [(row.line, type(row)) for row in rows] == [
        (1, Refused),
        (2, Refused),
        (3, Person),
        (4, Refused),
    ]


def test_only_the_name_must_be_there():
    assert read({"name": "Zoé"}).rows == (Person(line=1, name="Zoé"),)


def test_nothing_said_may_also_be_written_as_null():
    empty = {"email": None, "bio": None, "languages": None, "services": None, "audience": None}
    assert read({"name": "Zoé", **empty}).rows == (Person(line=1, name="Zoé"),)


def test_keys_that_we_do_not_know_are_ignored_and_reported_once():
    listing = read({"name": "A", "phone": "1"}, {"name": "B", "phone": "2", "sub": "x", "rev": 3})
    assert listing.ignored == ("phone",)


def test_a_whole_member_is_read():
    row = {
        "external_id": 12,
        "email": "ZOE@Example.org",
        "audience": "Neighbours",
        "name": "Zoé",
        "headline": "Contrats",
        "bio": "Un.\nDeux.",
        "locale": "fr",
        "languages": ["fr", "English"],
        "profession": "Avocate",
        "location": {"city": "Nantes", "country": "FR"},
        "interests": ["voile", "Voile", "go"],
        "availability": "lundi",
        "services": [
            {
                "id": "https://lepalier.example/m/01X#contrats",
                "category": "of-our-own",
                "label": "Droit",
                "title": "Relire un contrat",
                "description": "Vite.",
                "mode": "paid",
                "rate": 90.5,
                "coworker_rate": "65,50 €",
                "currency": "eur",
                "unit": "hour",
                "valid_until": "2027-06-30",
                "remote": True,
                "languages": ["fr"],
            }
        ],
    }
    assert read(row).rows == (
        Person(
            line=1,
            name="Zoé",
            email="zoe@example.org",
            external_id="12",
            headline="Contrats",
            bio="Un.\nDeux.",
            profession="Avocate",
            location="Nantes",
            locale="fr",
            availability="lundi",
            languages=("fr", "en"),
            interests=("voile", "go"),
            audience="neighbours",
            services=(
                Offer(
                    ref="contrats",
                    title="Relire un contrat",
                    description="Vite.",
                    speciality="of-our-own",
                    speciality_label="Droit",
                    rate=Decimal("90.50"),
                    coworker_rate=Decimal("65.50"),
                    valid_until=date(2027, 6, 30),
                    remote=True,
                    languages=("fr",),
                ),
            ),
        ),
    )


def test_texts_in_further_languages_are_read_as_those_in_the_first_are():
    (row,) = read(
        {
            "name": "Zoé",
            "translations": [
                {"lang": "English", "headline": " Contracts\n", "bio": "One.\nTwo."},
                {"lang": "en", "headline": "Again"},
                {"lang": "de"},
                {"lang": "gibberish", "headline": "Kon"},
                {"lang": "es", "headline": "x" * 161},
            ],
            "services": [{"title": "Law", "translations": [{"lang": "fr", "title": "Droit"}]}],
        }
    ).rows
    english, spanish = row.translations
    assert english == {"lang": "en", "headline": "Contracts", "bio": "One.\nTwo."}
    assert (spanish["lang"], len(spanish["headline"])) == ("es", 160)
    assert row.services[0].translations == ({"lang": "fr", "title": "Droit"},)
    assert set(row.remarks) == {
        "“gibberish” is no language that we know",
        "headline in es shortened from 161 to 160 characters",
        "only the first translation into en is kept",
    }


def test_no_more_languages_are_read_than_a_profile_can_have():
    tags = ("de", "es", "it", "nl", "pt")
    (row,) = read({"name": "Zoé", "translations": [{"lang": tag, "bio": "b"} for tag in tags]}).rows
    assert [one["lang"] for one in row.translations] == ["de", "es", "it", "nl"]
    assert row.remarks == ("only the first 4 translations are kept",)


@pytest.mark.parametrize(
    ("given", "amount"),
    [(70, "70"), (0.1, "0.1"), ("1 250,50", "1250.5"), ("1,250.50", "1250.5"), ("90€", "90")],
)
def test_amounts_are_exact_in_every_notation(given, amount):
    assert service(title="Law", rate=given).rate == Decimal(amount)


def test_a_service_without_a_title_is_called_as_its_label_or_its_speciality():
    assert service(label="Droit", category="lawyer").title == "Droit"
    assert service(category="lawyer").title == "Lawyer"


def test_a_service_without_a_rate_is_quoted_for_unless_it_says_otherwise():
    assert service(title="Law").unit == "quote"
    assert service(title="Law", rate=70).unit == "hour"
    assert service(title="Law", unit="Jour", mode="Pro bono").mode == "pro_bono"


def test_services_without_an_identifier_keep_the_one_of_their_place():
    (row,) = read({"name": "Zoé", "services": [{"title": "A"}, "Avocate", {"title": "C"}]}).rows
    assert [(offer.ref, offer.speciality) for offer in row.services] == [
        ("s1", ""),
        ("s2", "lawyer"),
        ("s3", ""),
    ]


def test_two_services_never_share_an_identifier():
    (row,) = read({"name": "Zoé", "services": [{"id": "x", "title": t} for t in "AB"]}).rows
    assert [offer.ref for offer in row.services] == ["x", "s2-again"]


def test_a_text_that_is_too_long_is_shortened_between_words_and_said_so():
    (row,) = read({"name": "Zoé", "headline": "contrats " * 20}).rows
    assert len(row.headline) <= 160
    assert row.headline.endswith("contrats…")
    assert row.remarks == ("headline shortened from 179 to 160 characters",)
