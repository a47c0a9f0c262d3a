"""What stays open to somebody to whom the door is shut: their data, and leaving. Nothing else."""

from __future__ import annotations

import email
import re
from datetime import UTC, datetime, timedelta
from email.policy import default
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import func, select

from app.database import db
from app.exchange.describing import subject_of
from app.members import moderation
from app.members.moderation import Person
from app.models.account import Account, issue_link
from app.models.invitation import Invitation
from app.models.member import Member
from app.models.sign_in import FRESH, SignIn
from tests.spaces import add_member, service, sign_in

TOM = "tom@x.example"

#: All that a person may do to whom the door is shut, once they have shown who they are.
OPEN = {
    ("GET", "my_data.show"), ("GET", "my_data.show_archive"), ("GET", "my_data.show_deletion"),
    ("POST", "my_data.create_deletion"),
}  # fmt: skip


@pytest.fixture
def tom(space):
    """Tom writes what nobody should; Inès runs the space."""
    add_member("Inès", audience="me", email="ines@x.example", admin=True)
    member = add_member("Tom", email=TOM, audience="web", services=(service("Loud things"),))
    db.session.commit()
    return member


@pytest.fixture(params=["banned", "left"])
def shut(request, space, tom):
    """Shut the door to Tom when called, in one of the two ways in which it is."""

    def close():
        now = datetime.now(UTC)
        if request.param == "left":
            tom.left_at = now
        else:
            ban(space, tom)
        db.session.commit()

    return close


def ban(space, member):
    identity = space.extensions["identity"]
    by = db.session.scalars(select(Account).filter_by(role="admin")).first()
    person = Person(subject_of(member, identity), member.name, member=member)
    return moderation.decide(
        db.session(), moderation.BAN, person, "Noise", by, identity, datetime.now(UTC)
    )


def letters(app):
    texts = [file.read_bytes() for file in Path(app.config["MAIL_FILE_PATH"]).glob("*")]
    return [email.message_from_bytes(one.rpartition(b"-" * 79)[0], policy=default) for one in texts]


def anew(answer):
    """Return what an answer says, without what no two answers share."""
    said = re.sub(r'(nonce|value|"challenge":)=?"[^"]*"', "", answer.text)
    answer.close()
    return answer.status_code, answer.location, said


# --- nothing else -------------------------------------------------------------------


def test_every_other_page_answers_as_to_a_stranger_and_every_other_button_does_nothing(
    space, tom, shut
):
    """Enumerated: a page made tomorrow is shut to them until somebody says otherwise."""
    shut()
    person, stranger = space.test_client(), space.test_client()
    sign_in(person, TOM)
    known = {"ref": tom.ref, "name": "mitoyen.css"}
    tried = set()
    for rule in space.url_map.iter_rules():
        path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: known.get(found[1], "7"), rule.rule)
        for method in rule.methods & {"GET", "POST", "PUT", "PATCH", "DELETE"}:
            if (method, rule.endpoint) in OPEN or rule.endpoint == "sign_in.destroy":
                continue
            sent = {"method": method, "data": {"text": "x", "name": "Loud", "email": TOM}}
            answers = [anew(one.open(path, **sent)) for one in (person, stranger)]
            assert answers[0] == answers[1], (method, path)
            tried.add(rule.endpoint)
    assert len(tried) > 80
    assert person.get("/me/data").status_code == 200
    db.session.expire_all()
    assert db.session.get(Member, tom.id).name == "Tom"


def test_the_session_of_somebody_who_is_let_in_no_more_shows_a_visitors_pages(space, tom, shut):
    browser = space.test_client()
    sign_in(browser, TOM)
    shut()
    assert browser.get("/me").location == "/sign-in?next=/me"


def test_neither_letter_nor_digits_of_before_a_ban_open_anything(space, tom, browser):
    secret = issue_link(db.session(), tom.account, datetime.now(UTC))
    db.session.commit()
    ban(space, tom)
    db.session.commit()
    assert browser.post(f"/sign-in/{secret}").status_code == 404


def test_it_takes_a_proof_of_this_hour_here_too(space, browser, tom, shut):
    shut()
    sign_in(browser, TOM)
    with time_machine.travel(datetime.now(UTC) + FRESH):
        answers = [browser.get("/me/data/archive"), browser.post("/me/deletion")]
    assert [one.location.partition("?")[0] for one in answers] == ["/sign-in"] * 2
    assert db.session.scalar(select(func.count(Member.id))) == 2


def test_whether_the_door_is_shut_to_somebody_shows_to_nobody_who_types_their_address(
    space, browser, tom, shut
):
    shut()
    answers = [
        anew(browser.post("/sign-in", data={"email": address}))
        for address in (TOM, "nobody@x.example")
    ]
    assert answers[0] == answers[1]


def test_an_invitation_is_not_taken_for_answered_by_somebody_who_may_not_come_in(
    space, browser, tom, shut
):
    now = datetime.now(UTC)
    db.session.add(Invitation(account_id=tom.account.id, invited_by="command", asked_at=now))
    shut()
    sign_in(browser, TOM)
    db.session.expire_all()
    assert db.session.get(Account, tom.account.id).came_at is None
    assert db.session.scalar(select(func.count()).select_from(Invitation)) == 1


# --- these two ----------------------------------------------------------------------


def test_the_letter_leads_to_ones_data_whatever_page_was_wanted(space, browser, tom, shut):
    shut()
    browser.post("/sign-in", data={"email": TOM, "next": "/search?q=x"})
    [letter] = letters(space)
    words = " ".join(letter.get_content().split())
    assert "lets you in no more, but what it keeps about you is yours" in words
    assert "long table" not in words
    link = re.search(r"https://lepalier\.example(/sign-in/\S+)", words)[1]
    door = browser.get(link).text
    assert "You can take your data along, or have it deleted, and nothing else." in door
    assert browser.post(link).location == "/me/data"
    page = browser.get("/me/data").text
    assert "You can take your data along, or have it deleted, and nothing else." in page
    for address in ("/me", "/me/sign-ins", "/me/silences", "/introductions"):
        assert f'href="{address}"' not in page


def test_the_digits_do_so_too(space, browser, tom, shut):
    shut()
    browser.post("/sign-in", data={"email": TOM})
    [letter] = letters(space)
    digits = re.search(r"\b(\d{3} \d{3})\b", letter.get_content())[1]
    assert browser.post("/sign-in/code", data={"code": digits}).location == "/me/data"


def test_everything_kept_can_be_taken_along_and_deleted_without_asking_anybody(
    space, browser, tom, shut
):
    shut()
    sign_in(browser, TOM)
    assert browser.get("/me/data/archive").data.startswith(b"PK")
    assert "Delete everything now" in browser.get("/me/deletion").text
    farewell = browser.post("/me/deletion")
    assert farewell.location.startswith("/farewell/")
    assert browser.get(farewell.location).status_code == 200
    db.session.expire_all()
    assert [one.name for one in db.session.scalars(select(Member))] == ["Inès"]
    assert db.session.scalar(select(func.count()).select_from(SignIn)) == 0


def test_whose_membership_ended_as_the_only_admin_may_be_deleted_all_the_same(space, browser):
    """Nobody is left to run the space either way."""
    add_member("Youenn", email="y@x.example", admin=True, left_at=datetime.now(UTC))
    db.session.commit()
    sign_in(browser, "y@x.example")
    assert browser.post("/me/deletion").location.startswith("/farewell/")


def test_when_the_ban_is_taken_back_all_doors_are_open_again(space, browser, tom):
    taken = ban(space, tom)
    db.session.commit()
    sign_in(browser, TOM)
    assert browser.get("/me").status_code == 303
    by = db.session.scalars(select(Account).filter_by(role="admin")).one()
    moderation.undo(
        db.session(), db.session.merge(taken), by, space.extensions["identity"],
        datetime.now(UTC) + timedelta(minutes=1),
    )  # fmt: skip
    db.session.commit()
    assert browser.get("/me").status_code == 200
