"""Admins writing the door plate of their space."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime

import pytest

from app.database import db
from app.models.countries import country_codes
from app.models.journal import JournalEntry
from app.models.peer import Peer
from app.models.space import Space
from app.web.space_form import SpaceForm
from tests.spaces import add_member

PARTIAL = {"HX-Request-Type": "partial"}

PLATE = {
    "name": "Le Palier",
    "city": "Nantes",
    "country": "FR",
    "street": "12 quai de la Fosse",
    "line": "An old sail loft by the Loire.",
    "enamel": "teal",
    "languages": "English, French",
    "contact": "youenn@lepalier.example",
    "policy_url": "https://lepalier.example/rules",
}


@pytest.fixture
def youenn(space, browser, sign_in):
    """The space's admin, signed in."""
    member = add_member("Youenn", email="youenn@x.example", admin=True)
    db.session.commit()
    sign_in(browser, "youenn@x.example")
    return member


def save(browser, **changes):
    return browser.post("/setup", data={**PLATE, **changes})


def plate():
    db.session.expire_all()
    space = db.session.get(Space, 1)
    return {name: getattr(space, name) for name in PLATE}


@pytest.mark.parametrize(
    ("field", "typed", "says"),
    [
        ("name", " ", "Enter this: neighbours see it."),
        ("city", "", "Enter this: neighbours see it."),
        ("name", "x" * 83, "Shorten this by 3 characters."),
        ("country", "XX", "Choose a country."),
        ("country", "EU", "Choose a country."),
        ("languages", "", "Name at least one language."),
        ("languages", "Klingonesque", "We do not know Klingonesque."),
        ("contact", "youenn", "Enter an e-mail address such as name@example.org."),
        ("policy_url", "javascript:alert(1)", "Enter an address that begins with https://."),
        ("policy_url", "http://x.example", "Enter an address that begins with https://."),
        ("policy_url", "https://bücher.example", "Enter an address that begins with https://."),
        ("policy_url", "https://x.example/a b", "Enter an address that begins with https://."),
        ("policy_url", "https://x.example:port", "Enter an address that begins with https://."),
        ("contact", "x" * 195 + "@x.example", "Shorten this by 5 characters."),
        (
            "languages",
            "fr en de es it pt nl da sv nb fi pl cs sk hu ro bg el tr ru uk".replace(" ", ","),
            "Keep the 20 that matter most.",
        ),
        ("policy_url", "https://user@x.example", "Enter an address that begins with https://."),
    ],
)
def test_a_mistake_is_kept_and_explained_and_changes_nothing(browser, youenn, field, typed, says):
    before = plate()
    answer = save(browser, **{field: typed}, line="Typed just now")
    page = html.unescape(answer.text)
    assert answer.status_code == 422
    beside = re.search(rf'id="{field}-error">.*?<span>(.*?)</span>', page, re.S)[1]
    assert beside.startswith(says)
    assert f'href="#{field}"' in page
    assert ">Typed just now</textarea>" in page
    assert plate() == before


def test_an_admin_writes_the_door_plate(browser, youenn):
    assert save(browser).location == "/setup"
    assert plate() == {**PLATE, "languages": ["en", "fr"]}
    [line] = db.session.scalars(db.select(JournalEntry))
    assert (line.code, line.actor) == ("space.changed", youenn.account.ref)
    assert "Saved. Neighbours see it when they next come by." in browser.get("/setup").text


def test_saving_the_form_untouched_changes_nothing(browser, youenn):
    save(browser)
    before = plate()
    with browser.application.test_request_context():
        form = SpaceForm.of(db.session.get(Space, 1))
        shown = {name: getattr(form, name) for name in PLATE}
    save(browser, **shown)
    assert plate() == before


def test_the_address_that_others_know_us_by_never_changes(browser, youenn):
    save(browser, url="https://elsewhere.example")
    assert db.session.get(Space, 1).url == "https://lepalier.example"
    assert "<code>https://lepalier.example</code>" in browser.get("/setup").text


def test_a_space_that_moved_to_an_unknown_place_says_that_distances_are_missing(browser, youenn):
    save(browser, city="Nantes")
    assert db.session.get(Space, 1).latitude is not None
    save(browser, city="Trifouillis-les-Oies")
    db.session.expire_all()
    assert db.session.get(Space, 1).latitude is None
    assert "We do not know where Trifouillis-les-Oies is" in browser.get("/setup").text


def test_the_steps_show_what_is_true(browser, youenn):
    def steps():
        page = browser.get("/setup").text
        return re.findall(r"<li( class=\"is-done\")?><span>(?:<a[^>]*>)?([^<]+)", page)

    undone = [name.strip() for done, name in steps() if not done]
    assert undone == ["Your space", "Your first members", "Your neighbours"]
    save(browser)
    add_member("Maud")
    now = datetime.now(UTC)
    db.session.add(
        Peer(url="https://a.example", ours="approved", theirs="approved", created_at=now)
    )
    db.session.commit()
    assert all(done for done, _name in steps())
    assert "2 people so far" in browser.get("/setup").text


def test_the_preview_shows_what_is_typed_and_saves_nothing(browser, youenn):
    before = plate()
    typed = {**PLATE, "name": "<b>Le Palier</b>", "enamel": "oxblood"}
    part = browser.post("/setup/preview", data=typed, headers=PARTIAL)
    whole = browser.post("/setup/preview", data=typed)
    assert 'data-enamel="oxblood"><span>&lt;b&gt;Le Palier&lt;/b&gt;</span>' in part.text
    assert part.text.strip() in whole.text
    assert plate() == before


def test_countries_are_those_of_the_standard():
    codes = country_codes()
    assert {"FR", "DE", "CH", "US"} <= codes
    assert not {"EU", "UN", "ZZ", "XK"} & codes
    assert len(codes) == 249
