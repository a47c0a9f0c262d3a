"""The page that says what the space is, shares, keeps, and owes to everybody."""

from __future__ import annotations

from app.database import db
from app.models.space import Space
from tests.web.people import befriend, text


def test_every_link_of_the_footer_leads_to_a_place_on_the_page(browser):
    page = browser.get("/about").text
    for anchor in ("shared", "privacy", "accessibility"):
        assert f'href="/about#{anchor}"' in page
        assert f'id="{anchor}"' in page


def test_only_neighbours_of_today_are_named(space, browser):
    befriend("La Navette")
    befriend("Hinterhof", "Berlin", url="https://hinterhof.example", ours="suspended")
    page = text(browser.get("/about"))
    assert "La Navette" in page
    assert "Hinterhof" not in page


def test_a_policy_that_is_no_web_address_is_no_link(space, browser):
    door = db.session.get_one(Space, 1)
    door.policy_url = "javascript:alert(1)"
    db.session.commit()
    assert "javascript:" not in browser.get("/about").text
    door.policy_url = "https://lepalier.example/privacy"
    db.session.commit()
    assert 'href="https://lepalier.example/privacy"' in browser.get("/about").text


def test_where_positions_of_cities_come_from_is_said(browser):
    assert "GeoNames" in text(browser.get("/about"))
