"""The front page: who is shown to whom, and what it says when nobody is."""

from __future__ import annotations

import re

from app.database import db
from tests.spaces import service
from tests.web.people import MAUD, befriend, listed, names, parts, text

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


def test_a_visitor_sees_only_people_who_chose_the_web(space, browser):
    listed("Only Me", audience="me")
    listed("This Space", audience="space")
    listed("Next Door", audience="neighbours")
    listed("The World", audience="web")
    page = browser.get("/")
    assert names(page) == ["The World"]
    assert "2 more people show their profiles to coworkers only." in text(page)


def test_a_member_sees_everybody_but_those_who_chose_nobody(space, browser, sign_in):
    listed("Only Me", audience="me", email=MAUD)
    listed("This Space", audience="space")
    listed("Next Door", audience="neighbours")
    listed("The World", audience="web")
    sign_in(browser, MAUD)
    assert sorted(names(browser.get("/"))) == ["Next Door", "The World", "This Space"]


def test_whoever_shows_themselves_to_nobody_is_told_so(space, browser, sign_in):
    listed("Only Me", audience="me", email=MAUD)
    listed("This Space", audience="space", email="this@space.example")
    sign_in(browser, MAUD)
    assert "Nobody sees your profile yet." in text(browser.get("/"))
    other = space.test_client()
    db.session.rollback()
    sign_in(other, "this@space.example")
    assert "Nobody sees your profile yet." not in text(other.get("/"))


def test_people_of_a_neighbour_are_not_people_of_this_space(space, browser):
    from_next_door = befriend()
    listed("Claire Vasseur", audience="web")
    page = browser.get("/")
    assert names(page) == ["Claire Vasseur"]
    assert "1 neighbouring space shares its people with this one." in text(page)
    assert from_next_door.name not in names(page)


def test_an_empty_house_tells_a_visitor_that_people_are_private_at_first(browser):
    page = browser.get("/")
    assert page.status_code == 200
    assert "People here are private until they choose otherwise." in text(page)


def test_an_empty_house_tells_its_admin_how_people_come_in(space, browser, sign_in):
    listed("Youenn Kerbrat", audience="me", email=MAUD, admin=True)
    sign_in(browser, MAUD)
    assert "mitoyen members import" in text(browser.get("/"))


def test_a_visitor_reads_the_public_rate_and_never_the_other(space, browser):
    law = service("Contracts", "contract-law", ("110", "75"))
    listed("Claire Vasseur", audience="web", services=(law,))
    page = text(browser.get("/"))
    assert "€110/h" in page
    assert "75" not in page


def test_a_member_reads_their_rate_with_the_public_one_struck(space, browser, sign_in):
    law = service("Contracts", "contract-law", ("110", "75"))
    listed("Claire Vasseur", email=MAUD, services=(law,))
    sign_in(browser, MAUD)
    page = browser.get("/")
    assert '<span class="ticket">€75/h for coworkers</span>' in page.text
    assert '<s><span class="visually-hidden">Public rate: </span>€110/h</s>' in page.text


def test_a_space_without_neighbours_offers_no_choice_of_where_to_look(space, browser):
    assert 'name="scope"' not in browser.get("/").text
    befriend()
    assert "All spaces (2)" in text(browser.get("/"))


def test_the_front_page_ignores_words_and_other_spaces_in_its_address(space, browser):
    listed("Claire Vasseur", audience="web")
    assert names(browser.get("/?q=zzz&scope=everywhere&space=x")) == ["Claire Vasseur"]


def test_the_front_page_has_no_filter_that_tells_spaces_apart(space, browser):
    befriend()
    listed("Claire Vasseur", audience="web", languages=["fr"])
    listed("Maud Le Goff", audience="web", languages=["en"])
    page = browser.get("/").text
    names_of_filters = set(re.findall(r'name="(\w+)" value="[^"]+" form="filters"', page))
    assert names_of_filters == {"language"}


def test_the_part_that_htmx_asks_for_stands_in_the_whole_page(space, browser):
    listed("Claire Vasseur", audience="web", languages=["fr"])
    listed("Maud Le Goff", audience="web", languages=["en"])
    whole = parts(browser.get("/?language=fr"))
    part = browser.get("/?language=fr", headers=PARTIAL)
    body, _, filters = parts(part).partition('<div class="facets-body"')
    assert body.strip() in whole
    assert filters.strip() in whole
    assert "HX-Request-Type" in part.headers["Vary"]


def test_more_people_are_appended_without_those_already_there(space, browser):
    for number in range(30):
        listed(f"Person {number:02}", audience="web")
    first = names(browser.get("/"))
    more = browser.get("/?page=2", headers={**PARTIAL, "HX-Target": "div#more"})
    assert len(first) == 24
    assert len(names(more)) == 6
    assert not set(first) & set(names(more))
    assert "HX-Push-Url" not in more.headers
    assert parts(more).strip() in parts(browser.get("/?page=2"))
