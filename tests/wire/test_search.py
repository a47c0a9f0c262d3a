"""``GET /api/search``: what it refuses, never tells, and what its documentation promises."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from app.database import db
from app.wire.search import PARAMETERS
from tests.spaces import service
from tests.web.people import MAUD, befriend, listed, mirrored, offer

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "api.md"


def lawyer(name="Claire Vasseur", **given):
    law = service("Relecture d’un contrat", "contract-law", ("110", "75"), remote=True)
    shown = {"audience": "web", "profession": "Avocate", "locale": "fr", "languages": ["fr"]}
    return listed(name, services=(law,), **{**shown, **given})


def found(answer):
    return [one["name"] for one in answer.json["results"]]


@pytest.mark.parametrize(
    ("asked", "name", "value"),
    [
        ("mode=barter", "mode", "barter"),
        ("scope=moon", "scope", "moon"),
        ("sort=stars", "sort", "stars"),
        ("within=7", "within", "7"),
        ("within=-1", "within", "-1"),
        ("near=Xyzzyville", "near", "Xyzzyville"),
        ("near=91,181", "near", "91,181"),
        ("page=0", "page", "0"),
        ("page=1e9", "page", "1e9"),
        ("remote=perhaps", "remote", "perhaps"),
        ("price=cheap", "price", "cheap"),
        ("availability=someday", "availability", "someday"),
        ("lang=tlh", "lang", "tlh"),
        ("lang=", "lang", ""),
    ],
)
def test_an_impossible_filter_is_a_problem_that_names_it(space, browser, asked, name, value):
    answer = browser.get(f"/api/search?q=avocat&{asked}")
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert answer.json | {"detail": ""} == {
        "type": "urn:mitoyen:problem:impossible-filter",
        "title": "A filter holds what it cannot",
        "status": 400,
        "detail": "",
        "filter": name,
        "value": value,
    }
    assert name in answer.json["detail"]


@pytest.mark.parametrize(
    "words",
    ['OR AND NOT "', "NEAR(a b) col:x ^ * -", "'; DROP TABLE member; --", "\x00\x01\x1f\x7f",
     "a" * 10_000, "mot " * 500, "🧑‍⚖️", "\u202eavocat", "%_%"],
)  # fmt: skip
def test_no_words_break_it(space, browser, words):
    lawyer()
    answer = browser.get("/api/search", query_string={"q": words})
    assert answer.status_code == 200
    assert len(answer.data) < 20_000


@pytest.mark.parametrize("asked", ["page=1000000000", "colour=red", "city=Atlantis", "q="])
def test_what_is_beyond_or_unknown_is_answered_with_who_there_is(space, browser, asked):
    lawyer()
    answer = browser.get(f"/api/search?{asked}")
    assert answer.status_code == 200
    assert answer.json["pages"] == 1


def test_too_many_questions_are_refused_with_the_seconds_to_wait(space, browser):
    space.config["RATELIMIT_ENABLED"] = True
    answers = [browser.get("/api/search") for _ in range(61)]
    assert [one.status_code for one in answers[:60]] == [200] * 60
    refused = answers[60]
    assert (refused.status_code, refused.json["type"]) == (429, "urn:cdf:problem:rate-limited")
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["RateLimit-Policy"] == '"search";q=60;w=60'
    assert refused.headers["RateLimit"].startswith('"search";r=0;t=')
    assert answers[0].headers["RateLimit"].startswith('"search";r=59;t=')


def test_whoever_asks_is_a_visitor_though_they_are_signed_in(space, browser, sign_in):
    listed("Maud Le Goff", audience="me", email=MAUD)
    lawyer("Claire Space", audience="space")
    lawyer("Claire Web")
    peer = befriend()
    law = offer("Relecture d’un contrat", "contract-law", ("130.00", "95.00"))
    mirrored(peer, "Marc Peers", services=[law], profession="Avocat")
    mirrored(peer, "Marc Open", services=[law], profession="Avocat", public=True)
    as_visitor = browser.get("/api/search?q=avocat")
    sign_in(browser, MAUD)
    as_member = browser.get("/api/search?q=avocat")
    assert sorted(found(as_visitor)) == ["Claire Web", "Marc Open"]
    assert as_member.json == as_visitor.json


def test_no_coworker_rate_nor_internal_number_is_told(space, browser):
    lawyer("Claire Web", external_id="crm-4711")
    answer = browser.get("/api/search?q=avocat&coworker_rate=1")
    assert answer.json["total"] == 0
    answer = browser.get("/api/search?q=avocat")
    assert "crm-4711" not in answer.text
    assert "coworker_rate" not in answer.json["facets"]
    assert [one["value"] for one in answer.json["facets"]["price"]] == ["EUR-hour-90"]


def test_who_withdraws_is_gone_from_the_next_answer_whatever_was_kept(space, browser):
    claire = lawyer("Claire Web")
    first = browser.get("/api/search?q=avocat")
    kept = {"If-None-Match": first.headers["ETag"]}
    assert first.headers["Cache-Control"] == "public, no-cache"
    assert browser.get("/api/search?q=avocat", headers=kept).status_code == 304
    claire.audience = "space"
    db.session.commit()
    again = browser.get("/api/search?q=avocat", headers=kept)
    assert (again.status_code, again.json["total"]) == (200, 0)


def test_any_website_may_read_the_answer_and_no_cookie_comes_with_it(space, browser):
    for asked in ("q=avocat", "page=0"):
        answer = browser.get(f"/api/search?{asked}", headers={"Origin": "https://other.example"})
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert "Set-Cookie" not in answer.headers


def test_each_count_is_the_total_of_the_address_with_that_value(space, browser):
    lawyer("Claire Web", languages=["fr", "en"])
    lawyer("Anna Web", languages=["de"])
    facets = browser.get("/api/search?q=avocat").json["facets"]
    for name, options in facets.items():
        for option in options:
            asked = {"q": "avocat", name: option["value"]}
            total = browser.get("/api/search", query_string=asked).json["total"]
            assert (name, option["value"], total) == (name, option["value"], option["count"])


def test_pages_lead_from_one_to_the_next(space, browser):
    for number in range(25):
        lawyer(f"Person {number:02}")
    first = browser.get("/api/search?q=avocat&mode=paid&mode=exchange&lang=fr")
    second = browser.get(first.json["next"])
    assert (first.json["page"], second.json["page"], second.json["next"]) == (1, 2, None)
    assert len(found(first) + found(second)) == len({*found(first), *found(second)}) == 25


def test_the_documentation_shows_an_answer_as_it_is(space, browser):
    examples = re.findall(r"```json (\w+)\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    promised = {name: json.loads(body) for name, body in examples}
    lawyer("Claire Vasseur", headline="Contrats", ref="01JD3ZC2Q9W0T6N4Y8R5B7KXAM")
    answer = browser.get("/api/search?q=lawyer&lang=en").json
    assert {**answer, "facets": promised["answer"]["facets"]} == promised["answer"]
    for name, options in promised["answer"]["facets"].items():
        assert answer["facets"][name] == options, name
    assert browser.get("/api/search?within=7").json == promised["problem"]
    for parameter in ("near", "price", "availability", "lang", "within", "page", "sort"):
        assert f"| `{parameter}`" in DOCUMENT.read_text()


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/api/search", {}, 405),
        ("DELETE", "/api/search?q=avocat", {"Accept": "text/html"}, 405),
        ("GET", "/api/", {}, 404),
        ("GET", "/api/people", {"Accept": "text/html"}, 404),
        ("GET", "/api/search/", {}, 404),
        ("GET", "/api/search?q=avocat", {"Accept": "text/html"}, 406),
        ("GET", "/api/search?q=avocat", {"Accept": "application/json;q=0"}, 406),
        ("GET", "/federation/v1/nothing", {}, 404),
        ("POST", "/.well-known/openid-federation", {}, 405),
    ],
)
def test_programs_are_refused_with_a_problem_and_never_a_page(
    space, browser, method, path, headers, status
):
    answer = browser.open(path, method=method, headers=headers)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert answer.json["status"] == status
    assert answer.json["detail"]
    if status == 405:
        assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize("accepted", [None, "*/*", "application/*", "text/html, */*;q=0.1"])
def test_whoever_takes_json_too_gets_it(space, browser, accepted):
    headers = {"Accept": accepted} if accepted else {}
    assert browser.get("/api/search?q=avocat", headers=headers).status_code == 200


def test_a_title_in_another_language_than_asked_for_is_told_with_the_others(space, browser):
    german = {"lang": "de", "title": "Verträge lesen"}
    english = {"lang": "en", "title": "Reading contracts"}
    offered = (
        service("Relecture d’un contrat", "contract-law", translations=[german, english]),
        service("Négociation", "lawyer", translations=[german]),
    )
    listed("Claire Vasseur", audience="web", locale="fr", services=offered)
    [hit] = browser.get("/api/search?q=Relecture&lang=en").json["results"]
    french = [
        {"lang": "fr", "title": "Relecture d’un contrat"}, {"lang": "fr", "title": "Négociation"},
    ]  # fmt: skip
    assert hit["services"] == [
        english | {"translations": [french[0], german]},
        french[1] | {"translations": [german]},
    ]


def test_people_are_still_told_with_a_page(space, browser):
    assert browser.get("/nothing").content_type.startswith("text/html")
    assert browser.post("/search").content_type.startswith("text/html")


def test_the_documented_parameters_are_those_that_are_read():
    _, table = DOCUMENT.read_text().split("| parameter | holds |")
    rows = table.partition("\n\n")[0].splitlines()[2:]
    documented = [name for row in rows for name in re.findall(r"`(\w+)`", row.split(" | ")[0])]
    assert sorted(documented) == sorted(PARAMETERS)
