"""A person's page: who may open it, what it costs whom, and whose word it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from app.database import db
from tests.spaces import service
from tests.web.people import MAUD, address_of, befriend, listed, mirrored, offer, text


@pytest.fixture
def maud(space):
    """A member who reads; nobody else sees her."""
    return listed("Maud Le Goff", audience="me", email=MAUD, interests=["Running", "chess"])


@pytest.fixture
def member(browser, maud, sign_in):
    sign_in(browser, MAUD)
    return browser


@pytest.mark.parametrize("audience", ["me", "space", "neighbours"])
def test_a_visitor_finds_no_door_to_people_who_did_not_choose_the_web(space, browser, audience):
    claire = listed("Claire Vasseur", audience=audience)
    assert browser.get(f"/m/{claire.ref}").status_code == 404


def test_a_member_finds_no_door_to_people_who_show_themselves_to_nobody(member):
    claire = listed("Claire Vasseur", audience="me")
    assert member.get(f"/m/{claire.ref}").status_code == 404


def test_a_former_member_is_shown_to_nobody(space, member):
    claire = listed("Claire Vasseur", audience="web")
    claire.left_at = datetime.now(UTC)
    db.session.commit()
    assert member.get(f"/m/{claire.ref}").status_code == 404


def test_whoever_shows_themselves_to_nobody_still_sees_their_own_page(member, maud):
    page = member.get(f"/m/{maud.ref}")
    assert "Only you can see this page." in text(page)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("suspended", "approved"),
        ("ended", "approved"),
        ("blocked", "approved"),
        ("approved", "suspended"),
        ("approved", "ended"),
        ("requested", "none"),
    ],
)
def test_people_of_a_space_that_is_no_neighbour_now_have_no_page(member, ours, theirs):
    claire = mirrored(befriend(ours=ours, theirs=theirs), "Claire Vasseur", public=True)
    assert member.get(address_of(claire)).status_code == 404


def test_an_expired_profile_has_no_page(member):
    claire = mirrored(befriend(), "Claire Vasseur", lifetime=timedelta(seconds=-1))
    assert member.get(address_of(claire)).status_code == 404


def test_a_visitor_finds_no_door_to_what_a_neighbour_shares_with_spaces_only(browser, space):
    claire = mirrored(befriend(), "Claire Vasseur")
    assert browser.get(address_of(claire)).status_code == 404


def test_a_profile_does_not_open_under_another_neighbours_address(member):
    claire = mirrored(befriend(), "Claire Vasseur")
    other = befriend("Hinterhof", "Berlin", url="https://hinterhof.example")
    assert member.get(f"/n/{other.ref}/{claire.ref}").status_code == 404
    assert member.get(f"/n/nobody/{claire.ref}").status_code == 404
    assert member.get(f"/n/{claire.peer.ref}/%25").status_code == 404


def test_a_visitor_sees_of_a_neighbours_person_only_what_that_person_put_on_the_web(browser, space):
    claire = mirrored(
        befriend(),
        "Claire Vasseur",
        public=True,
        web=["name", "profession"],
        profession="Avocate",
        bio="Between ourselves",
        services=[offer("Contrats", "contract-law", ("110.00", "75.00"))],
    )
    page = text(browser.get(address_of(claire)))
    assert "Avocate" in page
    assert "Between ourselves" not in page
    assert "Contrats" not in page


def test_a_member_sees_all_of_a_neighbours_profile_and_whose_word_it_is(member):
    claire = mirrored(
        befriend(),
        "Claire Vasseur",
        profession="Avocate",
        locale="fr",
        interests=["running", "sourdough"],
        services=[offer("Contrats", "lawyer", ("110.00", "75.00"))],
    )
    answer = member.get(address_of(claire))
    page = text(answer)
    assert "Signed by La Navette. The signature is good and nothing was changed on the way." in page
    assert f"Confirmed by La Navette on {datetime.now(UTC):%-d %B %Y}." in page
    assert "Key of the space 90FA CAFE A9B1 5566 …" in page
    assert "Lawyer Register: not stated" in page
    assert "Diplomas and registers are not checked." in page
    assert "€75/h for coworkers" in page
    assert "You share 1 of these." in page
    assert '<p class="voice" lang="fr">Avocate</p>' in answer.text


def test_a_late_copy_is_still_shown_and_says_so(member):
    silent = befriend(last_success_at=datetime(2026, 1, 4, 18, 20, tzinfo=UTC), failures=3)
    claire = mirrored(silent, "Claire Vasseur")
    page = text(member.get(address_of(claire)))
    assert "La Navette, which is not answering at the moment. This is its copy from" in page
    assert "Confirmed by La Navette on 4 January 2026." in page
    assert "The signature is good" not in page


def test_a_rate_past_its_validity_is_not_shown(member):
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    old = service("Contracts", "contract-law", ("110", "75"), valid_until=yesterday)
    claire = listed("Claire Vasseur", services=(old,))
    page = text(member.get(f"/m/{claire.ref}"))
    assert "Contracts" in page
    assert "110" not in page
    assert "75" not in page


def test_other_ways_to_pay_are_said_in_words(member):
    claire = listed(
        "Claire Vasseur",
        services=(
            service("Swap", mode="exchange"),
            service("Gift", mode="pro_bono"),
            service("Big", unit="quote"),
            service("Set", unit="fixed", rate=Decimal(520), coworker_rate=Decimal("390.50")),
        ),
    )
    page = text(member.get(f"/m/{claire.ref}"))
    for words in ("Swaps hours", "Pro bono", "On quote", "€390.50 fixed for coworkers"):
        assert words in page


def test_the_text_of_a_neighbour_is_text(member):
    claire = mirrored(
        befriend(),
        "<script>alert(1)</script>",
        headline='"><img src=x onerror=alert(1)>',
        services=[offer("<b>bold</b>", label="<i>x</i>")],
    )
    page = member.get(address_of(claire)).text
    for markup in ("<script>alert", "<img src=x", "<b>bold", "<i>x"):
        assert markup not in page
    assert "&lt;b&gt;bold&lt;/b&gt;" in page


def test_a_document_of_an_unexpected_shape_is_shown_as_far_as_it_goes(member):
    claire = mirrored(
        befriend(), "Claire Vasseur", services=[7, {"id": 3}], languages="fr", interests=[{"a": 1}]
    )
    assert member.get(address_of(claire)).status_code == 200


@pytest.mark.parametrize(
    ("referrer", "leads_to"),
    [
        ("http://localhost/search?q=avocat&remote=1", "/search?q=avocat&amp;remote=1"),
        ("http://localhost/?language=fr", "/?language=fr"),
        ("http://localhost/about", ""),
        ("https://elsewhere.example/search?q=avocat", ""),
        ("", ""),
    ],
)
def test_the_way_back_leads_to_the_list_one_came_from(space, browser, referrer, leads_to):
    claire = listed("Claire Vasseur", audience="web")
    page = browser.get(f"/m/{claire.ref}", headers={"Referer": referrer}).text
    assert (f'href="{leads_to}"' in page and "Back to the list" in page) is bool(leads_to)
    assert ("People at Le Palier" in page) is not bool(leads_to)
