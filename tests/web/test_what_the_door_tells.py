"""What somebody learns, or gets done, who tries the door from outside."""

from __future__ import annotations

import smtplib
import threading

import pytest

from app.database import db
from tests.spaces import add_member
from tests.web.test_sign_in import MAUD, take_mail_by
from tests.web.test_sign_ins import ask, ask_for_letters, digits_in, type_code

NOBODY = "nobody@legoff.example"


@pytest.fixture
def maud(space):
    member = add_member("Maud Le Goff", email=MAUD)
    db.session.commit()
    return member


class Slow:
    """A mail server that answers at once, and takes its time over each letter."""

    taken: list[str]
    calls: list[str]
    hurry: threading.Event

    def open(self):
        self.calls.append("open")

    def send_messages(self, letters):
        for letter in letters:
            assert self.hurry.wait(30)
            self.taken.append(letter.to[0])
            raise smtplib.SMTPServerDisconnected("and then it breaks")

    def close(self):
        self.calls.append("close")


def test_nobody_waits_while_a_letter_is_handed_over_so_waiting_tells_no_address(
    browser, maud, monkeypatch
):
    """Enumeration by timing: a letter takes a mail server a second, and no letter takes none."""
    Slow.taken, Slow.calls, Slow.hurry = [], [], threading.Event()
    take_mail_by(browser.application, Slow, monkeypatch)
    try:
        answers = [browser.post("/sign-in", data={"email": who}) for who in (MAUD, NOBODY)]
        assert [answer.location for answer in answers] == ["/sign-in/sent"] * 2
        assert (Slow.taken, Slow.calls.count("open")) == ([], 2)
    finally:
        Slow.hurry.set()
        for thread in threading.enumerate():
            if thread.name == "letter":
                thread.join(30)
    assert Slow.taken == [MAUD]


def test_the_digits_lead_to_no_other_site(browser, maud):
    (digits,) = ask(browser, next="//evil.example")
    assert type_code(browser, digits).location == "/"


def test_the_digits_start_a_session_of_their_own(browser, maud):
    (digits,) = ask(browser)
    planted = browser.get_cookie("mitoyen").value
    type_code(browser, digits)
    browser.set_cookie("mitoyen", planted)
    assert browser.get("/me/sign-ins").status_code == 303
    with browser.session_transaction() as session:
        assert session["asked"] == MAUD


def test_guesses_at_one_mailbox_are_counted_in_letters_and_tries(browser, maud):
    """Five letters a quarter of an hour, five tries each: 25 of a million."""
    app = browser.application
    app.config["RATELIMIT_ENABLED"] = True
    tried = 0
    for _letter in range(7):
        stranger = app.test_client()
        sent = ask_for_letters(stranger)
        right = digits_in(sent[0]) if sent else "000 000"
        wrong = "111111" if right != "111 111" else "222222"
        if stranger.post("/sign-in/code", data={"code": wrong}).status_code == 422:
            tried += 1
            for _try in range(4):
                assert type_code(stranger, wrong).status_code == 422
                tried += 1
            assert type_code(stranger, right).status_code == 422
    assert tried == 25


@pytest.mark.parametrize("header", [{"Sec-Purpose": "prefetch"}, {"X-Moz": "prefetch"}, {}])
def test_looking_ahead_at_every_page_of_the_door_changes_nothing(browser, maud, header):
    """Prefetching: a scanner or a browser that reads ahead opens no door and uses nothing up."""
    [letter] = ask_for_letters(browser)
    link = next(word for word in letter.get_content().split() if "/sign-in/" in word)
    path = link.removeprefix("https://lepalier.example")
    for rule in browser.application.url_map.iter_rules():
        if rule.rule.startswith("/sign-") and "GET" in rule.methods:
            browser.get(rule.rule.replace("<secret>", "x").replace("<key>", "x"), headers=header)
    for look in (browser.get, browser.head):
        assert look(path, headers=header).status_code == 200
    assert browser.get("/me/sign-ins").status_code == 303
    assert type_code(browser, digits_in(letter)).status_code == 303
