"""Two languages, the reader's choice first; and the French of the catalogue, letter by letter."""

from __future__ import annotations

import re
from datetime import date

import pytest
from babel.messages.pofile import read_po
from flask_babel import force_locale

from app.database import db
from app.models.account import Account
from app.web.specialities import meant
from app.web.words import day, money, rate, speciality
from tests.catalogues import CATALOGUE
from tests.spaces import add_member

MAUD = "maud@legoff.example"

#: Signs that a French line never begins with: a space that cannot break stands before them.
BEFORE_HIGH_SIGNS = "\u202f"
BEFORE_COLON = "\u00a0"

PLACEHOLDER = re.compile(r"%\(\w+\)s")


@pytest.fixture
def maud(space):
    """An admin of this space, so that she may open every page."""
    add_member("Maud Le Goff", email=MAUD, admin=True)
    db.session.commit()


def page_language(browser, address="/sign-in", wish="en"):
    """Return in which language the page at ``address`` says it is, and speaks to a reader."""
    answer = browser.get(address, headers={"Accept-Language": wish})
    said = {"Come in": "en", "Entrer": "fr"}
    declared = re.search(r'<html lang="([^"]*)">', answer.text)[1]
    if address == "/sign-in":
        heading = re.search(r"<h1>(.*?)</h1>", answer.text)[1]
        assert said[heading] == declared
    return declared


def choose(browser, language, **given):
    return browser.post("/language", data={"language": language, "next": "/about", **given})


def test_a_language_that_we_do_not_speak_is_refused_and_nothing_is_kept(browser):
    answer = choose(browser, "tlh")
    assert answer.status_code == 303
    assert browser.get_cookie("language") is None
    assert page_language(browser, wish="fr") == "fr"


def test_a_choice_does_not_lead_to_another_site(browser):
    for elsewhere in (
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "/\t/evil.example",
        "/\r\nLocation: https://evil.example/",
        "//[",
        "http://[",
        "",
    ):
        assert choose(browser, "fr", next=elsewhere).location == "/"
    assert choose(browser, "fr", next="/search?q=logo").location == "/search?q=logo"


def test_a_cookie_with_something_else_in_it_is_ignored(browser):
    browser.set_cookie("language", "../../etc", domain="localhost")
    assert page_language(browser, wish="fr") == "fr"


def test_the_browser_says_in_which_language_a_visitor_reads(browser):
    assert page_language(browser, wish="fr-CA,fr;q=0.9,en;q=0.5") == "fr"
    assert page_language(browser, wish="de,en;q=0.7,fr;q=0.3") == "en"


def test_whoever_reads_neither_gets_the_language_of_the_space(browser):
    assert page_language(browser, wish="ja,ko;q=0.5") == "en"


def test_the_choice_in_the_header_wins_over_the_browser_and_is_kept(browser):
    answer = choose(browser, "fr")
    assert (answer.status_code, answer.location) == (303, "/about")
    cookie = browser.get_cookie("language")
    assert (cookie.value, cookie.max_age, cookie.http_only, cookie.same_site) == (
        "fr",
        365 * 24 * 3600,
        True,
        "Lax",
    )
    assert page_language(browser, wish="en") == "fr"


def test_the_choice_of_somebody_signed_in_follows_them_to_another_device(
    space, browser, maud, sign_in
):
    sign_in(browser, MAUD)
    choose(browser, "fr")
    phone = space.test_client()
    sign_in(phone, MAUD)
    assert page_language(phone, "/about", wish="en") == "fr"
    assert db.session.scalars(db.select(Account.locale)).one() == "fr"


def test_a_visitors_choice_changes_nobodys_account(browser, maud):
    choose(browser, "fr")
    assert db.session.scalars(db.select(Account.locale)).one() == ""


@pytest.mark.parametrize("wish", ["en", "fr"])
def test_every_page_declares_the_language_it_speaks(space, browser, maud, sign_in, wish):
    sign_in(browser, MAUD)
    addresses = [
        rule.rule
        for rule in space.url_map.iter_rules()
        if "GET" in rule.methods and not rule.arguments
    ]
    pages = {
        address
        for address in [*addresses, "/no-such-door", "/sign-in/no-such-link"]
        # By its type first: one of the addresses answers with an archive, which is no text.
        if (answer := browser.get(address, headers={"Accept-Language": wish})).mimetype
        == "text/html"
        and b'<html lang="' in answer.data
    }
    assert {"/", "/search", "/me", "/neighbours", "/setup", "/journal", "/no-such-door"} < pages
    assert {page_language(browser, address, wish) for address in pages} == {wish}


def test_money_is_written_as_its_readers_write_it(space):
    with space.test_request_context(), force_locale("fr"):
        assert money("1250.5", "EUR") == "1\u202f250,50\u00a0€"
        assert rate("70", "EUR", "hour") == "70\u00a0€/h"
    with space.test_request_context(), force_locale("en"):
        assert money("1250.5", "EUR") == "€1,250.50"
        assert rate("70", "EUR", "hour") == "€70/h"


@pytest.mark.parametrize(
    ("tongue", "written", "told"),
    [
        ("fr", date(2027, 5, 1), "1er mai 2027"),
        ("fr", date(2027, 5, 11), "11 mai 2027"),
        ("en", date(2027, 5, 1), "1 May 2027"),
        ("fr", None, ""),
    ],
)
def test_the_first_of_a_month_has_its_own_sign_in_french(space, tongue, written, told):
    with space.test_request_context(), force_locale(tongue):
        assert day(written) == told


def test_a_word_of_the_shared_list_is_printed_with_its_apostrophe_and_understood_with_either(space):
    with space.test_request_context(), force_locale("fr"):
        printed = speciality("nonprofit-management")
    assert printed == "Gestion d’association"
    assert meant(printed) == ("nonprofit-management", "")
    assert meant(printed.replace("’", "'")) == ("nonprofit-management", "")


def french():
    """Return each text of the pages with its French ones, singular before plural."""
    with CATALOGUE.open("rb") as given:
        messages = [message for message in read_po(given) if message.id]
    return [
        (message.id if message.pluralizable else (message.id,), message.string)
        if message.pluralizable
        else ((message.id,), (message.string,))
        for message in messages
    ]


def test_a_french_text_has_the_placeholders_of_its_english_one():
    wrong = [
        (english, said)
        for texts, strings in french()
        for english, said in zip(texts, strings, strict=True)
        if set(PLACEHOLDER.findall(said)) != set(PLACEHOLDER.findall(english))
    ]
    assert wrong == []


def test_french_has_its_own_apostrophes_and_quotation_marks():
    assert [said for said in _all_french() if re.search(r"['\"“”]", said)] == []


def test_no_line_of_french_begins_with_a_high_sign():
    loose = [
        said
        for said in _all_french()
        if re.search(rf"[^{BEFORE_HIGH_SIGNS}?!][?!;»]|«[^{BEFORE_HIGH_SIGNS}]", said)
        or re.search(rf"[^{BEFORE_COLON}]:(?!//)", said)
    ]
    assert loose == []


def test_nobody_is_addressed_as_a_crowd():
    formal = [said for said in _all_french() if re.search(r"\b(votre|[Vv]euillez)\b", said)]
    assert formal == []


def _all_french():
    return [said for _english, strings in french() for said in strings]
