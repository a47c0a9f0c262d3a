"""The list under the search field: whose names it tells, what it refuses, what it is made of."""

from __future__ import annotations

import re

import pytest

from tests.web.people import MAUD, address_of, befriend, listed, mirrored, text


@pytest.fixture
def member(space, browser, sign_in):
    """The browser of somebody whom nobody finds."""
    listed("Maud Le Goff", audience="me", email=MAUD)
    sign_in(browser, MAUD)
    return browser


def told(answer):
    """What the options say, in their order."""
    found = re.findall(r'<div role="option"[^>]*>(.*?)</div>', answer.text, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", one).split()) for one in found]


def test_a_visitor_is_told_only_the_names_of_people_on_the_web(space, browser):
    listed("Marc Space", audience="space")
    listed("Marc Web", audience="web")
    peer = befriend()
    mirrored(peer, "Marc Peers", profession="Avocat")
    hidden = mirrored(peer, "Marc Open", public=True, web=["name"], profession="Avocat")
    answer = browser.get("/search/suggestions?q=marc")
    assert sorted(re.findall(r"Marc \w+", answer.text)) == ["Marc Open", "Marc Web"]
    assert "Avocat" not in answer.text
    assert f'data-address="{address_of(hidden)}"' in answer.text


@pytest.mark.parametrize(
    "words",
    [
        "",
        " ",
        "%",
        '"><script>',
        "\x00\x01",
        "a" * 10_000,
        "mot " * 500,
        "🧑‍⚖️",
        "\u202eavo",
        "OR AND",
    ],
)
def test_no_words_break_the_list(space, browser, words):
    answer = browser.get("/search/suggestions", query_string={"q": words, "scope": "moon"})
    assert (answer.status_code, "<script>" in answer.text) == (200, False)


def test_markup_in_a_name_stays_text(member):
    listed("Marc <b>Petit</b>", audience="space")
    assert "Marc &lt;b&gt;Petit&lt;/b&gt;" in member.get("/search/suggestions?q=marc").text


def test_specialities_come_before_people_and_are_told_in_the_pages_language(member):
    listed("Avoine Petit", audience="space", profession="Boulanger", locale="fr")
    answer = member.get("/search/suggestions?q=avo")
    first, *_, last = told(answer)
    assert first == "Lawyer Avocat·e"
    assert last.startswith("AP Avoine Petit Boulanger · Le Palier, Nantes")
    french = member.get("/search/suggestions?q=avo", headers={"Accept-Language": "fr"})
    assert told(french)[0] == "Avocat·e"


def test_the_list_is_a_listbox_with_its_number_said(member):
    answer = member.get("/search/suggestions?q=sophrologue")
    assert 'role="listbox" id="suggestions-list" aria-label="Suggestions"' in answer.text
    count = len(told(answer))
    assert f'data-said="{count} suggestion' in answer.text
    ids = re.findall(r'role="option" id="([^"]+)"', answer.text)
    assert len(set(ids)) == count
    assert 'data-said="0 suggestions"' in member.get("/search/suggestions?q=zzzzzz").text


def test_the_field_is_a_plain_one_that_asks_for_suggestions_where_there_is_javascript(member):
    for path in ("/", "/search"):
        page = member.get(path).text
        assert 'data-hx-get="/search/suggestions"' in page
        assert "combobox" not in page
        assert re.search(r'<script src="[^"]*suggestions[^"]*" nonce="[^"]+" defer>', page)
    assert "Suggestions" not in text(member.get("/search"))
