"""Letters about the lock of somebody's door: what was changed, when, and what to do about it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from app.database import db
from app.exchange import outbox
from app.members import recognising, roles
from app.members.moderation import BAN, Person, decide
from app.models.job import Job
from app.models.passkey import Passkey
from app.models.provider import ProviderIdentity
from app.providers.provider import Vouched
from app.web import mail
from tests.postman import carry
from tests.spaces import add_member, sign_in
from tests.web.authenticator import Authenticator

MAUD, YVES = "maud@legoff.example", "yves@x.example"
MORNING = datetime(2026, 3, 2, 9, 5, tzinfo=UTC)


@pytest.fixture
def people(space):
    """Maud, and Yves who runs the space, on one morning."""
    with time_machine.travel(MORNING, tick=False):
        maud = add_member("Maud Le Goff", email=MAUD).account
        yves = add_member("Yves", email=YVES, admin=True).account
        db.session.commit()
        yield maud, yves


@pytest.fixture
def maud(people):
    return people[0]


def letters(space):
    return carry(space, datetime.now(UTC) + timedelta(minutes=1))


def said(letter):
    return " ".join(letter.get_content().split())


def waiting():
    db.session.rollback()
    return db.session.scalars(select(Job.key).filter_by(kind=outbox.MAIL)).all()


def add_passkey(browser, name="My telephone"):
    question = browser.get("/me/passkeys/question").json
    answer = Authenticator().make(question)
    return browser.post("/me/passkeys", data={"name": name, "answer": answer})


def vouched(address=MAUD):
    return Vouched("https://id.example", "7", email=address)


# --- of what there is no letter -------------------------------------------------------


def test_what_was_refused_or_changed_nothing_is_told_to_nobody(space, browser, people):
    maud, yves = people
    sign_in(browser, MAUD)
    browser.post("/me/passkeys", data={"name": "", "answer": "{}"})
    browser.post("/me/passkeys", data={"name": "Mine", "answer": "{}"})
    browser.post("/me/passkeys/nothing/removal")
    browser.post("/me/sign-ins/elsewhere/nothing/removal")
    roles.give(db.session(), yves, "command", MORNING)
    roles.take(db.session(), maud, "command", MORNING)
    with pytest.raises(roles.LastAdminError):
        roles.take(db.session(), yves, "command", MORNING)
    db.session.commit()
    assert waiting() == []


def test_coming_in_again_with_the_same_account_elsewhere_is_no_news(space, maud):
    for _again in range(2):
        recognising.remember(db.session(), maud, vouched(), MORNING)
        db.session.commit()
    assert len(letters(space)) == 1


def test_to_whom_the_door_is_shut_only_that_is_told(space, people):
    maud, yves = people
    roles.give(db.session(), maud, yves.ref, MORNING)
    person = Person(f"https://lepalier.example/m/{maud.member.ref}", "Maud", member=maud.member)
    identity = space.extensions["identity"]
    decide(db.session(), BAN, person, "Noise", yves, identity, MORNING)
    db.session.commit()
    assert [letter["Subject"] for letter in letters(space)] == [
        "The door of Le Palier is shut to you"
    ]


def test_who_left_for_good_meanwhile_gets_none(space, maud):
    roles.give(db.session(), maud, "command", MORNING)
    db.session.flush()
    db.session.delete(maud)
    db.session.commit()
    assert letters(space) == []


# --- what is told, to whom ------------------------------------------------------------


def test_a_passkey_that_was_added_is_told_with_its_name_and_time_and_what_to_do(
    space, browser, maud
):
    sign_in(browser, MAUD)
    assert add_passkey(browser, "My telephone").status_code == 303
    [letter] = letters(space)
    assert (letter["To"], letter["Subject"]) == (MAUD, "A new passkey for Le Palier")
    assert said(letter) == (
        "Hello Maud Le Goff, The passkey “My telephone” was added: it lets you in. "
        "That was on 2 March 2026 at 09:05 (UTC). "
        "It was you? Then all is well, and there is nothing to do. "
        "It was not you? Look here at what lets you in, remove what you do not know, and sign out "
        "everywhere else. Then tell the people who run the space. "
        "https://lepalier.example/me/sign-ins Le Palier, Nantes"
    )


def test_one_that_was_added_and_removed_before_the_letter_went_is_told_twice(space, browser, maud):
    """By whoever sat down at an open computer and cleaned up behind them."""
    sign_in(browser, MAUD)
    add_passkey(browser)
    ref = db.session.scalars(select(Passkey.ref)).one()
    browser.post(f"/me/passkeys/{ref}/removal")
    told = " ".join(said(letter) for letter in letters(space))
    assert "A passkey was added, and removed since." in told
    assert "A passkey was removed: it lets you in no more." in told


def test_an_account_elsewhere_is_told_when_it_opens_the_door_and_when_it_does_no_more(
    space, browser, maud
):
    recognising.link(db.session(), maud, vouched(), MORNING)
    db.session.commit()
    [linked] = letters(space)
    assert "An account at https://id.example was linked: it lets you in." in said(linked)
    ref = db.session.scalars(select(ProviderIdentity.ref)).one()
    sign_in(browser, MAUD)
    browser.post(f"/me/sign-ins/elsewhere/{ref}/removal")
    [unlinked] = letters(space)
    assert unlinked["Subject"] == "A way less into Le Palier"
    assert "was unlinked: it lets you in no more." in said(unlinked)
    # Linked again, by its owner: that is news again.
    recognising.link(db.session(), maud, vouched(), MORNING)
    db.session.commit()
    assert len(letters(space)) == 1


def test_whoever_becomes_an_admin_or_stops_being_one_is_told_and_nobody_else(
    space, browser, people
):
    sign_in(browser, YVES)
    for role, subject in (
        ("admin", "You are an admin of Le Palier"),
        ("member", "You are no admin of Le Palier any more"),
    ):
        browser.post(f"/members/{people[0].ref}/role", data={"role": role})
        [letter] = letters(space)
        assert (letter["To"], letter["Subject"]) == (MAUD, subject)
        assert "Talk to the people who run the space." in said(letter)
        assert "/me/sign-ins" not in said(letter)


def test_each_reads_it_in_their_language_also_who_asked_for_no_letters(space, maud):
    maud.locale, maud.letters = "fr", False
    roles.give(db.session(), maud, "command", MORNING)
    db.session.commit()
    [letter] = letters(space)
    assert letter.get_content().startswith("Bonjour Maud Le Goff")
    assert "List-Unsubscribe" not in letter


def test_no_name_reaches_into_the_headers_of_a_letter(space, browser, maud):
    sign_in(browser, MAUD)
    add_passkey(browser, "x\r\nBcc: all@x.example")
    [letter] = letters(space)
    assert letter["Bcc"] is None
    assert letter.get_all("To") == [MAUD]


def test_a_mail_server_that_takes_nothing_delays_the_letter_and_loses_none(
    space, maud, monkeypatch
):
    roles.give(db.session(), maud, "command", MORNING)
    db.session.commit()

    def broken(_letters):
        raise mail.MailNotSentError("down")

    with monkeypatch.context() as patch:
        patch.setattr(mail, "send", broken)
        assert letters(space) == []
    assert len(waiting()) == 1
    assert len(carry(space, datetime.now(UTC) + timedelta(days=1))) == 1
