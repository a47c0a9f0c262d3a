"""Keeping profiles true: one letter after 90 days, and who is silent for 180 rests."""

from __future__ import annotations

import email
import re
from datetime import UTC, datetime, timedelta
from email.policy import default
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import db
from app.exchange.publish import publish_member
from app.exchange.still_true import ASKED_AFTER, RESTS_AFTER
from app.exchange.work import schedule_upkeep
from app.models.feed import FeedEntry
from app.models.member import Member
from app.models.scope import Reader, visible_members
from app.models.still_true import StillTrue
from app.web import mail, post
from app.worker import run_round
from tests.spaces import add_member, sign_in

MAUD = "maud@legoff.example"
DAY = timedelta(days=1)


class Town:
    """One space whose worker comes by every day, under a clock of ours."""

    def __init__(self, app, clock):
        self.app, self.clock = app, clock

    def work(self):
        """One round of the worker, in a session of its own as in a process of its own."""
        db.session.commit()
        with Session(db.engine) as session:
            schedule_upkeep(session, datetime.now(UTC))
            session.commit()
        for _ in range(2):
            # A job that the first made is due now, or in a few seconds.
            done = run_round(
                lambda: Session(db.engine),
                self.app.extensions["transport"],
                self.app.extensions["identity"],
                datetime.now(UTC) + timedelta(minutes=1),
                mailer=post.mailer(self.app),
            )
            assert done.broken == 0
        db.session.expire_all()

    def later(self, time):
        """Days go by, and the worker comes by on the last of them."""
        self.clock.shift(time)
        self.work()

    def letters(self):
        folder = Path(self.app.config["MAIL_FILE_PATH"])
        files = sorted(folder.glob("*"), key=lambda file: file.stat().st_mtime_ns)
        texts = [file.read_bytes().rpartition(b"-" * 79)[0] for file in files]
        return [email.message_from_bytes(text, policy=default) for text in texts]

    def kinds(self):
        """What the feed says of each member: profile or withdrawal."""
        return dict(db.session.execute(select(FeedEntry.member_id, FeedEntry.kind)).all())


@pytest.fixture
def town(space):
    with time_machine.travel(datetime(2026, 3, 2, 9, tzinfo=UTC), tick=False) as clock:
        yield Town(space, clock)


@pytest.fixture
def maud(town):
    return published(town, "Maud Le Goff", email=MAUD)


def published(town, name, **given):
    member = add_member(name, **given)
    publish_member(db.session(), member, town.app.extensions["identity"], datetime.now(UTC))
    db.session.commit()
    return member


def link_in(letter):
    return re.search(r"https://lepalier\.example(/still-true/\S+)", letter.get_content())[1]


def questions():
    db.session.expire_all()
    return db.session.scalars(select(StillTrue)).all()


# --- who is not asked, and what answers nothing ----------------------------------------


def test_nobody_is_asked_before_ninety_days(town, maud):
    town.later(ASKED_AFTER - DAY)
    assert (town.letters(), questions()) == ([], [])


@pytest.mark.parametrize("audience", ["me", "space"])
def test_who_shows_nothing_elsewhere_is_not_asked(town, audience):
    published(town, "Yves", email="yves@x.example", audience=audience)
    town.later(RESTS_AFTER)
    assert (town.letters(), questions()) == ([], [])


def test_who_left_or_is_hidden_or_shut_out_is_not_asked(town, maud):
    for number, change in enumerate(("left_at", "hidden_at")):
        member = published(town, f"N{number}", email=f"n{number}@x.example")
        setattr(member, change, datetime.now(UTC))
    maud.account.banned_at = datetime.now(UTC)
    db.session.commit()
    town.later(ASKED_AFTER)
    assert (town.letters(), questions()) == ([], [])


def test_a_member_of_a_list_who_has_no_account_is_not_asked_and_does_not_rest(town):
    listed = published(town, "Yves")
    town.later(ASKED_AFTER)
    town.later(RESTS_AFTER)
    assert (town.letters(), questions()) == ([], [])
    assert town.kinds() == {listed.id: "profile"}


def test_a_program_that_opens_the_link_answers_nothing(town, maud, browser):
    town.later(ASKED_AFTER)
    link = link_in(town.letters()[0])
    for look in (browser.head, browser.get, browser.options):
        assert look(link).status_code == 200
    assert len(questions()) == 1
    assert maud.confirmed_at is None


def test_a_link_that_nobody_was_sent_answers_nothing(town, maud, browser):
    town.later(ASKED_AFTER)
    [asked] = questions()
    for proof in ("abc", asked.ref, link_in(town.letters()[0]).rpartition("/")[2][:-5]):
        answer = browser.post(f"/still-true/{proof}")
        assert answer.status_code == 404
        assert "Nothing is asked here" in answer.text
    assert len(questions()) == 1


def test_the_link_signs_nobody_in_and_answers_once(town, maud, browser):
    town.later(ASKED_AFTER)
    link = link_in(town.letters()[0])
    assert browser.post(link).status_code == 200
    assert browser.get("/me").location == "/sign-in?next=/me"
    assert browser.post(link).status_code == 404


def test_the_link_of_somebody_who_left_meanwhile_answers_nothing(town, maud, browser):
    town.later(ASKED_AFTER)
    maud.left_at = datetime.now(UTC)
    db.session.commit()
    assert browser.post(link_in(town.letters()[0])).status_code == 404


def test_the_page_behind_the_link_names_nobody_and_goes_nowhere(town, maud, browser):
    town.later(ASKED_AFTER)
    answer = browser.get(link_in(town.letters()[0]))
    assert "Maud" not in answer.text
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"


def test_visitors_confirm_nobodys_page(town, maud, browser):
    assert browser.post("/me/still-true").location == "/sign-in"


# --- one letter ------------------------------------------------------------------------


def test_one_letter_asks_in_the_language_of_whom_it_asks_and_can_be_stopped(town, maud):
    maud.account.locale = "fr"
    db.session.commit()
    town.later(ASKED_AFTER)
    [letter] = town.letters()
    assert letter["To"] == MAUD
    assert letter.get_content().startswith("Bonjour Maud Le Goff")
    assert "2 mars 2026" in letter.get_content()
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert letter["List-Unsubscribe"].strip().startswith("<https://lepalier.example/letters/")


def test_days_restarts_and_a_second_worker_send_no_second_letter(town, maud):
    town.later(ASKED_AFTER)
    for _ in range(3):
        town.later(DAY)
        town.work()
    assert len(town.letters()) == 1


def test_a_mail_server_that_is_off_delays_the_letter_and_loses_none(town, maud, monkeypatch):
    def refuse(letters):
        raise mail.MailNotSentError("off")

    with monkeypatch.context() as patched:
        patched.setattr(mail, "send", refuse)
        town.later(ASKED_AFTER)
    assert town.letters() == []
    town.later(DAY)
    assert len(town.letters()) == 1


def test_a_worker_that_was_killed_while_sending_sends_no_second_letter(town, maud, monkeypatch):
    class Killed(BaseException):
        pass

    def die(letters):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(mail, "send", die)
        with pytest.raises(Killed):
            town.later(ASKED_AFTER)
    town.later(DAY)
    assert town.letters() == []
    assert len(questions()) == 1


def test_who_stopped_letters_gets_none_and_is_asked_on_their_page(town, maud, browser):
    maud.account.letters = False
    db.session.commit()
    town.later(ASKED_AFTER)
    assert town.letters() == []
    sign_in(browser, MAUD)
    assert "Is your page still true?" in browser.get("/me").text
    browser.post("/me/still-true")
    page = browser.get("/me").text
    assert "Thank you: confirmed today." in page
    assert "Is your page still true?" not in page


def test_who_answers_is_asked_again_after_another_ninety_days(town, maud, browser):
    town.later(ASKED_AFTER)
    assert "confirmed today" in browser.post(link_in(town.letters()[0])).text
    town.later(ASKED_AFTER - DAY)
    assert len(town.letters()) == 1
    town.later(DAY)
    assert len(town.letters()) == 2
    assert town.kinds() == {maud.id: "profile"}


def test_the_profile_shows_the_day_of_the_last_word(town, maud, browser):
    town.later(ASKED_AFTER)
    sign_in(browser, MAUD)
    assert "Confirmed by Le Palier on 2 March 2026" in browser.get(f"/m/{maud.ref}").text
    browser.post(link_in(town.letters()[0]))
    assert "Confirmed by Le Palier on 31 May 2026" in browser.get(f"/m/{maud.ref}").text


# --- silence -----------------------------------------------------------------------------


def test_silence_of_180_days_withdraws_from_neighbours_and_nobody_here_loses_sight(
    town, maud, browser
):
    add_member("Yves", email="yves@x.example", audience="space")
    town.later(ASKED_AFTER)
    town.later(RESTS_AFTER - ASKED_AFTER - DAY)
    assert town.kinds() == {maud.id: "profile"}
    town.later(DAY)
    assert town.kinds() == {maud.id: "withdrawal"}
    here, there = (
        db.session.scalars(visible_members(reader)).all()
        for reader in (Reader.MEMBER, Reader.NEIGHBOUR)
    )
    assert (maud in here, there) == (True, [])
    told = town.letters()[1]
    assert told["Subject"] == "Your page at Le Palier rests from the neighbours"
    sign_in(browser, "yves@x.example")
    assert browser.get(f"/m/{maud.ref}").status_code == 200
    sign_in(browser, MAUD)
    assert "rests from the neighbours since 29 August 2026" in browser.get("/me").text
    town.later(RESTS_AFTER)
    assert len(town.letters()) == 2


@pytest.mark.parametrize("way", ["letter", "page"])
def test_one_button_brings_a_resting_profile_back(town, maud, browser, way):
    town.later(ASKED_AFTER)
    town.later(RESTS_AFTER - ASKED_AFTER)
    if way == "letter":
        link = link_in(town.letters()[1])
        assert "bring it back" in browser.get(link).text
        browser.post(link)
    else:
        sign_in(browser, MAUD)
        browser.post("/me/still-true")
    assert town.kinds() == {maud.id: "profile"}
    assert db.session.get(Member, maud.id).resting_at is None
    town.later(DAY)
    assert town.kinds() == {maud.id: "profile"}


def test_who_was_not_asked_in_time_has_ninety_days_all_the_same(town, maud):
    """A worker was away for a year, or the space was brought up to date."""
    town.later(2 * RESTS_AFTER)
    assert town.kinds() == {maud.id: "profile"}
    town.later(ASKED_AFTER - DAY)
    assert town.kinds() == {maud.id: "profile"}
    town.later(DAY)
    assert town.kinds() == {maud.id: "withdrawal"}


def test_who_stopped_letters_rests_too_and_no_letter_says_so(town, maud):
    maud.account.letters = False
    db.session.commit()
    town.later(ASKED_AFTER)
    town.later(RESTS_AFTER - ASKED_AFTER)
    assert town.kinds() == {maud.id: "withdrawal"}
    assert town.letters() == []


def test_whoever_leaves_takes_the_question_along(town, maud, browser):
    town.later(ASKED_AFTER)
    add_member("Youenn", email="youenn@x.example", admin=True)
    db.session.commit()
    sign_in(browser, MAUD)
    assert browser.post("/me/deletion").status_code == 303
    assert questions() == []
