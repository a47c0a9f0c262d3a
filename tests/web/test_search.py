"""The search page: what is asked, who answers, why, from where, and what to do when nobody does."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from app.database import db
from tests.spaces import service
from tests.web.people import MAUD, befriend, listed, mirrored, names, offer, parts, text

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "section#results"}


@pytest.fixture
def member(space, browser, sign_in):
    """The browser of somebody whom nobody finds."""
    listed("Maud Le Goff", audience="me", email=MAUD)
    sign_in(browser, MAUD)
    return browser


def lawyer(name="Claire Vasseur", **given):
    law = service("Relecture d’un contrat", "contract-law", ("110", "75"), remote=True)
    shown = {"audience": "web", "profession": "Avocate", "locale": "fr", "languages": ["fr"]}
    return listed(name, services=(law,), **{**shown, **given})


def lawyer_next_door(peer, name="Marc Petit", **claims):
    law = offer("Relecture d’un contrat", "contract-law", ("130.00", "95.00"))
    said = {"profession": "Avocat", "locale": "fr", "languages": ["fr"], **claims}
    return mirrored(peer, name, services=[law], **said)


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ("mode=barter", "“barter” as the way of working together"),
        ("scope=moon", "“moon” as the place to look in"),
        ("sort=stars", "“stars” as the order"),
        ("within=7", "“7” as the distance"),
        ("page=0", "“0” as the page number"),
        ("page=-1", "“-1” as the page number"),
        ("page=many", "“many” as the page number"),
        ("remote=perhaps", "“perhaps” as the filter for remote work"),
        ("price=cheap", "“cheap” as the price"),
        ("availability=someday", "“someday” as the day of the week"),
    ],
)
def test_an_impossible_filter_is_named_and_the_words_are_kept(browser, space, filters, said):
    answer = browser.get(f"/search?q=avocat+fiscal&language=fr&{filters}")
    assert answer.status_code == 400
    assert said in answer.text
    assert 'href="/search?q=avocat+fiscal&amp;language=fr"' in answer.text
    assert "Search “avocat fiscal” without it" in answer.text


def test_two_impossible_filters_are_both_left_behind(browser, space):
    answer = browser.get("/search?q=avocat&within=7&sort=best&page=abc")
    assert (answer.status_code, 'href="/search?q=avocat"' in answer.text) == (400, True)


def test_an_impossible_filter_of_the_front_page_leads_back_to_it(browser, space):
    answer = browser.get("/?page=abc", headers={"Accept-Language": "fr"})
    assert answer.status_code == 400
    assert "Chercher sans ce filtre" in answer.text
    assert 'href="/"' in answer.text


def test_an_unknown_city_is_said_to_be_and_what_was_typed_stays_to_be_corrected(browser, space):
    answer = browser.get("/search?q=avocat+fiscal&near=Xyzzyville&within=50&language=fr&page=3")
    assert answer.status_code == 400
    assert "We know no city called “Xyzzyville”." in text(answer)
    fields = dict(re.findall(r'name="(\w+)"[^>]* value="([^"]*)"', answer.text))
    assert fields | {"csrf_token": "", "next": ""} == {
        **{"q": "avocat fiscal", "near": "Xyzzyville", "within": "50", "language": "fr"},
        **{"page": "3", "csrf_token": "", "next": ""},
    }


def test_an_unknown_city_replaces_nothing_of_a_page_that_is_open(browser, space):
    answer = browser.get("/search?near=Xyzzyville", headers=PARTIAL)
    assert (answer.status_code, answer.headers["HX-Retarget"]) == (400, "#flash")
    assert "<form" not in answer.text


def test_what_an_impossible_filter_holds_stays_text(browser, space):
    answer = browser.get("/search?within=<script>")
    assert (answer.status_code, "<script>" in answer.text) == (400, False)


def test_a_language_that_was_asked_for_is_why_somebody_is_there(member):
    lawyer(languages=["fr", "de"])
    assert "German is a language this person speaks" in text(member.get("/search?q=avocat+German+"))


@pytest.mark.parametrize(
    "words",
    [
        'OR AND NOT "',
        "NEAR(a b) col:x ^ * -",
        "'; DROP TABLE member; --",
        "\x00\x01\x1f\x7f",
        "a" * 10_000,
        "mot " * 500,
        "🧑‍⚖️",
        "\u202eavocat",
        "%_%",
    ],
)
def test_no_words_break_the_page(browser, space, words):
    lawyer()
    answer = browser.get("/search", query_string={"q": words})
    assert answer.status_code == 200
    assert "\x00" not in answer.text
    assert len(answer.text) < 100_000


def test_a_filter_nobody_knows_is_ignored(browser, space):
    lawyer()
    assert names(browser.get("/search?q=avocat&starsign=leo")) == ["Claire Vasseur"]


def test_a_page_after_the_last_one_leads_back(browser, space):
    lawyer()
    answer = browser.get("/search?page=1000000000")
    assert answer.status_code == 200
    assert names(answer) == []
    assert 'href="/search"' in answer.text


def test_suspending_a_neighbour_takes_its_people_out_of_the_next_answer(member):
    peer = befriend()
    lawyer_next_door(peer)
    assert names(member.get("/search?q=avocat")) == ["Marc Petit"]
    peer.ours = "suspended"
    db.session.commit()
    assert names(member.get("/search?q=avocat")) == []


def test_a_visitor_finds_only_who_chose_the_web(browser, space):
    peer = befriend()
    lawyer("Claire Vasseur", audience="neighbours")
    lawyer("Anna Keller", audience="web")
    lawyer_next_door(peer, "Marc Petit")
    lawyer_next_door(peer, "Sara Haddad", public=True)
    assert sorted(names(browser.get("/search?q=avocat"))) == ["Anna Keller", "Sara Haddad"]


def test_a_member_may_filter_by_coworker_rate(member):
    lawyer()
    listed("Anna Keller", audience="web", profession="Avocate")
    assert 'name="coworker_rate"' in member.get("/search?q=avocat").text


def test_a_visitor_reads_no_coworker_rate_and_cannot_filter_by_it(browser, space):
    lawyer()
    listed("Anna Keller", audience="web", profession="Avocate")
    answer = browser.get("/search?q=avocat")
    assert "€110/h" in text(answer)
    assert "€75" not in text(answer)
    assert 'name="coworker_rate"' not in answer.text


def test_a_filter_that_everybody_passes_is_not_offered(member):
    lawyer("Claire Vasseur", languages=["fr"])
    assert 'id="language-fr"' not in member.get("/search?q=avocat").text
    lawyer("Anna Keller", languages=["de"])
    assert 'id="language-fr"' in member.get("/search?q=avocat").text


def test_a_member_finds_a_lawyer_in_another_city_by_a_word_of_another_language(member):
    lawyer_next_door(befriend())
    answer = member.get("/search?q=Rechtsanwältin")
    page = text(answer)
    assert names(answer) == ["Marc Petit"]
    assert "1 person can help" in page
    assert "Signed by La Navette – confirmed 3 min ago" in page
    assert "515 km away" in page or "516 km away" in page
    assert "€95/h for coworkers" in page
    assert "Why:" in page


def test_the_words_that_match_are_marked_and_the_rest_stays_text(member):
    lawyer("Claire <b>Vasseur</b>", profession="Avocate & <i>médiatrice</i>")
    page = member.get("/search?q=avocate").text
    assert "<mark>Avocate</mark> &amp; &lt;i&gt;médiatrice&lt;/i&gt;" in page
    assert "<b>Vasseur" not in page


def test_a_visitor_reads_of_a_neighbours_person_only_what_that_person_put_on_the_web(
    browser, space
):
    lawyer_next_door(
        befriend(), public=True, web=["name", "profession"], headline="Avocat, entre nous"
    )
    page = text(browser.get("/search?q=avocat"))
    assert "Marc Petit Avocat" in page
    assert "entre nous" not in page
    assert "Relecture" not in page
    assert "130" not in page


def test_why_a_person_is_there_is_said_in_the_readers_words(member):
    lawyer_next_door(befriend())
    page = text(member.get("/search?q=contract review"))
    assert "Why: contract review = Contracts and terms, here Relecture d’un contrat" in page


def test_what_else_was_looked_for_is_told_in_its_own_languages(member):
    lawyer("Claire Vasseur")
    page = member.get("/search?q=lawyer").text
    told = re.search(r"We also looked for (.*?): in the list", page)[1]
    assert re.findall(r"<b( lang=..*?)?>", told) == [' lang="fr"', ' lang="de"', ' lang="es"']
    assert "Lawyer" not in told


def test_people_stand_together_by_how_far_away_they_are(member):
    lawyer("Claire Vasseur")
    lawyer_next_door(befriend(), "Marc Petit")
    page = member.get("/search?q=avocat").text
    headings = [
        " ".join(one.split()) for one in re.findall(r"<h2[^>]*>(.*?)</h2>", page, re.DOTALL)
    ]
    assert "At Le Palier" in headings
    assert "Elsewhere, or remotely" in headings


def test_a_space_that_is_down_costs_nothing_and_its_copy_says_its_age(member):
    lawyer_next_door(befriend(last_success_at=datetime(2026, 1, 4, 18, 20, tzinfo=UTC), failures=5))
    answer = member.get("/search?q=avocat")
    assert names(answer) == ["Marc Petit"]
    assert "Signed by La Navette – copy from 4 Jan 2026, 18:20" in text(answer)
    assert "1 of 2 spaces are up to date. Late: La Navette." in text(answer)


def test_each_filter_says_how_many_it_leaves_and_leaves_that_many(member):
    lawyer("Claire Vasseur", languages=["fr", "en"])
    lawyer("Anna Keller", languages=["fr"])
    lawyer_next_door(befriend(), "Marc Petit", languages=["en"])
    page = member.get("/search?q=avocat").text
    choice = r'name="(\w+)" value="([^"]+)" form="search">.*?class="count">(\d+)<'
    counted = re.findall(choice, page)
    assert ("language", "en", "2") in counted
    for name, value, count in counted:
        found = names(member.get("/search", query_string={"q": "avocat", name: value}))
        assert (name, value, len(found)) == (name, value, int(count))


def test_distances_count_from_a_city_that_is_named(member):
    lawyer("Claire Vasseur")
    lawyer_next_door(befriend(), "Marc Petit")
    answer = member.get("/search?q=avocat&near=Villeurbanne&within=50")
    page = text(answer)
    assert names(answer) == ["Marc Petit"]
    assert "Within 50 km of Villeurbanne" in page
    assert "Villeurbanne, France" in page
    assert 'value="Villeurbanne"' in answer.text
    assert '<a class="chip" href="/search?q=avocat&amp;near=Villeurbanne"' in answer.text
    assert '<a class="chip" href="/search?q=avocat&amp;within=50"' in answer.text


def test_other_cities_of_that_name_are_offered(member):
    lawyer_next_door(befriend(), "Marc Petit")
    page = member.get("/search?q=avocat&near=Valencia").text
    assert "Valencia, Venezuela" in page
    assert 'href="/search?q=avocat&amp;near=Valencia,+ES"' in page.replace("%2C", ",")


def test_prices_are_bands_of_what_the_reader_pays_and_days_are_named(member, browser):
    lawyer("Claire Vasseur", availability="mardi et jeudi")
    listed("Anna Keller", audience="web", profession="Avocate", availability="Freitag")
    page = member.get("/search?q=avocat")
    assert "€60 to €90/h 1 people" in text(page)
    assert "Tuesday 1 people" in text(page)
    found = member.get("/search?q=avocat&price=EUR-hour-60&availability=tue&availability=sun")
    assert names(found) == ["Claire Vasseur"]
    assert "€60 to €90/h" in text(found)
    assert 'href="/search?q=avocat&amp;availability=tue&amp;availability=sun"' in found.text


def test_a_visitor_is_asked_about_public_prices_only(browser, space):
    lawyer("Claire Vasseur")
    listed("Anna Keller", audience="web", profession="Avocate")
    page = browser.get("/search?q=avocat")
    assert "€90 to €120/h 1 people" in text(page)
    assert "€60 to" not in text(page)
    assert names(browser.get("/search?q=avocat&price=EUR-hour-60")) == []


def test_a_chip_takes_its_filter_away_and_keeps_the_others(member):
    lawyer()
    page = member.get("/search?q=avocat&language=fr&remote=1").text
    assert '<a class="chip" href="/search?q=avocat&amp;remote=1"' in page
    assert '<a class="chip" href="/search?q=avocat&amp;language=fr"' in page


def test_when_nobody_here_fits_the_page_says_how_many_do_elsewhere(member):
    lawyer_next_door(befriend())
    page = member.get("/search?q=avocat&scope=here")
    assert names(page) == []
    assert "Nobody fits “avocat”" in text(page)
    assert "See this 1 person" in text(page)
    assert 'href="/search?q=avocat"' in page.text


def test_when_filters_hide_everybody_the_page_says_how_many_there_are_without(member):
    lawyer()
    page = text(member.get("/search?q=avocat&language=sv"))
    assert "Without them, 1 person fits." in page


def test_when_nothing_fits_nobody_is_claimed_to(member):
    lawyer()
    answer = member.get("/search?q=zymurgie")
    assert "Nobody fits “zymurgie”" in text(answer)
    assert "can help" not in text(answer)
    assert "See who there is" in text(answer)


def test_more_people_come_without_those_already_there(member):
    for number in range(25):
        lawyer(f"Person {number:02}")
    first = names(member.get("/search?q=avocat"))
    more = member.get("/search?q=avocat&page=2", headers={**PARTIAL, "HX-Target": "div#more"})
    assert len(first) == 20
    assert len(names(more)) == 5
    assert not set(first) & set(names(more))
    assert parts(more).strip() in parts(member.get("/search?q=avocat&page=2"))


def test_the_parts_that_htmx_asks_for_stand_in_the_whole_page(member):
    lawyer()
    lawyer_next_door(befriend())
    for address in ("/search", "/search?q=avocat&language=fr", "/search?q=zymurgie"):
        whole = parts(member.get(address))
        part = member.get(address, headers=PARTIAL)
        body, _, filters = parts(part).partition('<div class="facets-body"')
        assert body.strip() in whole
        assert filters.strip() in whole
        assert "HX-Request-Type" in part.headers["Vary"]


@pytest.mark.parametrize(
    ("before", "asked", "header"),
    [
        ("/search?q=avo", "/search?q=avoc&scope=everywhere&sort=match", "HX-Replace-Url"),
        ("/search?q=avoc", "/search?q=avoc&language=fr", "HX-Push-Url"),
        ("/search?q=avoc&language=fr", "/search?q=avoc", "HX-Push-Url"),
    ],
)
def test_a_filter_makes_an_entry_for_the_back_button_and_a_letter_does_not(
    member, before, asked, header
):
    answer = member.get(asked, headers={**PARTIAL, "HX-Current-URL": f"http://localhost{before}"})
    shown = {"HX-Replace-Url", "HX-Push-Url"} & set(answer.headers.keys())
    assert shown == {header}
    assert answer.headers[header] == asked.replace("&scope=everywhere&sort=match", "")


def test_the_back_button_gets_the_whole_page(member):
    answer = member.get("/search?q=avoc", headers={"HX-Request": "true", "HX-Request-Type": "full"})
    assert answer.text.lstrip().startswith("<!doctype html>")
    assert "HX-Push-Url" not in answer.headers


def test_everything_that_htmx_touches_carries_the_answers_nonce(member):
    for number in range(21):
        lawyer(f"Person {number:02}")
    page = member.get("/search?q=avocat&language=fr").text
    assert 'data-hx-target="#more"' in page
    touched = re.findall(r"<[a-z]+ [^>]*data-hx-[^>]*>", page)
    assert touched
    assert [tag for tag in touched if 'data-hx-nonce="' not in tag] == []


def test_an_expired_profile_is_not_found(member):
    lawyer_next_door(befriend(), "Marc Petit")
    mirrored(
        befriend("B", "Berlin", url="https://b.example"),
        "Old Lawyer",
        profession="Avocat",
        lifetime=timedelta(seconds=-1),
    )
    assert names(member.get("/search?q=avocat")) == ["Marc Petit"]
