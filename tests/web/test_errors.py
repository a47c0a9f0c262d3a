"""What goes wrong says so, and never costs anybody what they typed."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

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


def test_the_log_of_a_failure_has_its_number_and_nothing_that_people_sent(
    careful, maud, monkeypatch, capsys, caplog
):
    def fail(*_given):
        secret = "what somebody typed"
        raise RuntimeError(f"broken by {len(secret)} letters")

    monkeypatch.setattr("app.web.sign_in.look_at_link", fail)
    careful.testing = False
    answer = careful.test_client().get("/sign-in/the-secret-of-a-link?next=/me")
    told = "".join(capsys.readouterr()) + caplog.text
    number = re.search(r"<code>([0-9A-F]{6})</code>", answer.text)[1]
    assert answer.status_code == 500
    assert number in told
    assert "RuntimeError: broken by 19 letters" in told
    for kept in ("the-secret-of-a-link", "= 'what somebody typed'", "csrf_token"):
        assert kept not in told


def test_a_statement_that_fails_keeps_what_it_carried_to_itself(space):
    with pytest.raises(DatabaseError) as failure:
        db.session.execute(text("SELECT 1 FROM nowhere WHERE 1 = :email"), {"email": "maud@x.y"})
    assert "maud@x.y" not in str(failure.value)


@pytest.mark.sqlite
@pytest.mark.parametrize("table", ["space", "account"])
def test_a_database_that_cannot_be_read_is_said_without_asking_it(maud, table):
    db.session.execute(text(f"ALTER TABLE {table} RENAME TO lost"))
    db.session.commit()
    answer = maud.get("/")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "10"
    assert "<h1>This door is stuck</h1>" in answer.text
