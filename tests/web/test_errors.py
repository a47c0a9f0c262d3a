"""What goes wrong says so, and never costs anybody what they typed."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine

from app.database import db
from tests.spaces import Browser, add_member, build

PART = {"HX-Request": "true", "HX-Request-Type": "partial"}


def token_in(page):
    return re.search(r'name="csrf_token" value="([^"]+)"', page)[1]


@pytest.fixture
def careful(tmp_path):
    """A space that asks every form for its token, as real ones do, with Maud signed in."""
    app = build(tmp_path / "careful", development=True)
    with app.app_context():
        add_member("Maud Le Goff", email="maud@legoff.example")
        db.session.commit()
        yield app


@pytest.fixture
def maud(careful, sign_in):
    browser = careful.test_client()
    sign_in(browser, "maud@legoff.example")
    careful.config["WTF_CSRF_ENABLED"] = True
    return browser


def test_a_form_without_its_token_is_refused_with_what_to_do(maud: Browser):
    answer = maud.post("/me", data={"headline": "Ten lines"})
    assert answer.status_code == 400
    assert "<h1>This page is too old</h1>" in answer.text
    assert "copy what you typed" in answer.text


@pytest.mark.parametrize("address", ["/me", "/me/preview", "/no-such-door"])
def test_a_refused_part_becomes_a_notice_and_leaves_the_page_as_it_is(maud, address):
    answer = maud.post(address, data={"do": "add-service"}, headers=PART)
    assert answer.status_code in (400, 404)
    assert answer.headers["HX-Retarget"] == "#flash"
    assert answer.headers["HX-Reswap"] == "innerHTML"
    assert "<html" not in answer.text
    assert 'data-state="down"' in answer.text


def test_a_form_that_waited_overnight_can_still_be_sent(maud):
    token = token_in(maud.get("/me").text)
    with time_machine.travel(timedelta(days=2)):
        answer = maud.post("/me/preview", data={"csrf_token": token, "name": "Maud"})
    assert answer.status_code == 200
