"""The admins' list of everybody: inviting people, and who runs the space."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.database import db
from app.exchange import outbox
from app.members import inviting
from app.models.account import ADMIN, MEMBER, Account, SignInLink
from app.models.invitation import INVITATION_LIFETIME, Invitation
from app.models.job import Job
from app.models.journal import JournalEntry
from app.models.sign_in import SignIn
from app.web import mail
from tests.postman import carry
from tests.spaces import add_member, service
from tests.web.people import text

MAUD = "maud@legoff.example"


@pytest.fixture
def maud(space, browser, sign_in):
    """Maud runs Le Palier, where Aïcha and Tom were imported and have not come in."""
    add_member("Maud Le Goff", email=MAUD, admin=True)
    add_member("Aïcha Ben", audience="me", email="aicha@x.example", locale="fr")
    add_member("Tom Marks", audience="me", email="tom@x.example")
    add_member("No Address", audience="me")
    db.session.commit()
    sign_in(browser, MAUD)
    return browser


def account(address):
    db.session.rollback()
    db.session.expire_all()
    return db.session.scalars(select(Account).filter_by(email=address)).one()


def work(space, now=None):
    """Let the worker do what is due in a while; return the letters that went out."""
    return carry(space, now or datetime.now(UTC) + timedelta(hours=1))


def link_in(letter):
    return re.search(r"https://lepalier\.example(/sign-in/\S+)", letter.get_content())[1]


def invite(browser, address):
    return browser.post(f"/members/{account(address).ref}/invitation")


def codes():
    return [
        line.code for line in db.session.scalars(select(JournalEntry).order_by(JournalEntry.id))
    ]


# --- who may not ----------------------------------------------------------------------

PAGES = [
    ("get", "/members"),
    ("post", "/members"),
    ("get", "/members/invitations"),
    ("post", "/members/invitations"),
    ("post", "/members/{ref}/invitation"),
    ("post", "/members/{ref}/invitation/cancel"),
    ("post", "/members/{ref}/role"),
]


@pytest.mark.parametrize(("method", "path"), PAGES)
def test_members_and_visitors_find_no_list_and_invite_nobody(space, maud, sign_in, method, path):
    add_member("Inès", email="ines@x.example")
    db.session.commit()
    path = path.format(ref=account("tom@x.example").ref)
    member = space.test_client()
    sign_in(member, "ines@x.example")
    assert getattr(member, method)(path).status_code == 403
    assert getattr(space.test_client(), method)(path).location.startswith("/sign-in")
    assert db.session.scalars(select(Invitation)).all() == []
    assert account("tom@x.example").role == MEMBER


def test_an_old_sign_in_gives_nobody_the_role(maud):
    for one in db.session.scalars(select(SignIn)):
        one.proved_at -= timedelta(hours=2)
    db.session.commit()
    answer = maud.post(f"/members/{account('tom@x.example').ref}/role", data={"role": "admin"})
    assert answer.location.startswith("/sign-in?again=1")
    assert account("tom@x.example").role == MEMBER


def test_a_role_that_does_not_exist_is_given_to_nobody(maud):
    path = f"/members/{account('tom@x.example').ref}/role"
    assert maud.post(path, data={"role": "king"}).status_code == 400


def test_the_last_admin_keeps_the_role_and_is_told_what_to_do(maud):
    answer = maud.post(f"/members/{account(MAUD).ref}/role", data={"role": "member"})
    assert answer.status_code == 409
    assert "make somebody else an admin first" in text(answer)
    assert account(MAUD).role == ADMIN


def test_an_admin_gives_the_role_and_lays_her_own_down(maud):
    tom = account("tom@x.example")
    maud.post(f"/members/{tom.ref}/role", data={"role": "admin"})
    answer = maud.post(f"/members/{account(MAUD).ref}/role", data={"role": "member"})
    assert answer.location == "/"
    assert (account("tom@x.example").role, account(MAUD).role) == (ADMIN, MEMBER)
    assert maud.get("/members").status_code == 403
    by_maud = select(JournalEntry.code).filter_by(actor=account(MAUD).ref)
    assert db.session.scalars(by_maud).all() == ["account.admin", "account.member"]


# --- the list -------------------------------------------------------------------------


def test_the_list_says_how_far_everybody_is_and_shows_no_address(maud, space, sign_in):
    invite(maud, "aicha@x.example")
    work(space)
    add_member("Inès Roux", audience="web", email="ines@x.example")
    db.session.commit()
    sign_in(space.test_client(), "ines@x.example")
    said = text(maud.get("/members"))
    assert re.search(r"Aïcha Ben Invited on \d+ \w+ \d{4}, has not come in", said)
    assert "Tom Marks Imported, not invited" in said
    assert "No Address Imported, without an address" in said
    assert "Inès Roux Signed in last: just now · seen by everybody" in said
    assert "@x.example" not in maud.get("/members").text


def test_somebody_is_found_by_name_without_accents_or_by_their_whole_address(maud):
    def found(words):
        people = re.search(r'id="people".*?</aside>', maud.get(f"/members?q={words}").text, re.S)[0]
        return re.findall(r"<strong>(.*?)</strong>", people)

    assert found("aicha") == ["Aïcha Ben"]
    assert found("TOM") == ["Tom Marks"]
    assert found("tom@x.example") == ["Tom Marks"]
    assert found("tom@x") == []
    assert found("x.example") == []


def test_the_list_is_turned_over_page_by_page_and_narrowed(maud):
    for number in range(60):
        add_member(f"Person {number:02}", audience="me", email=f"p{number}@x.example")
    db.session.commit()
    first, second = maud.get("/members"), maud.get("/members?page=2")
    assert "Page 1 of 2" in text(first)
    assert "Person 00" in text(first)
    assert "Person 00" not in text(second)
    assert "Tom Marks" in text(second)
    narrowed = text(maud.get("/members?show=in"))
    assert "Maud Le Goff" in narrowed
    assert "Person 01" not in narrowed
    assert maud.get("/members?page=zzz&show=x&q=%00").status_code == 200


# --- one letter -----------------------------------------------------------------------


def test_an_invitation_is_short_in_the_readers_language_and_leads_to_six_fields(maud, space):
    invite(maud, "aicha@x.example")
    [letter] = work(space)
    assert letter["To"] == "aicha@x.example"
    assert letter["Subject"] == "Entre : ta page chez Le Palier"
    said = letter.get_content()
    assert said.startswith("Bonjour Aïcha Ben,")
    assert len(said) < 900
    guest = space.test_client()
    page = guest.get(link_in(letter))
    assert "Aïcha Ben" in page.text
    wanted = re.findall(r'name="next" value="([^"]*)"', page.text)[-1]
    entered = guest.post(link_in(letter).partition("?")[0], data={"next": wanted})
    assert entered.location == "/me/first"
    first = guest.get("/me/first").text
    assert 'value="Aïcha Ben"' in first
    fields = set(re.findall(r'<(?:input|select|textarea)\b[^>]*\bname="(\w+)"', first))
    assert fields - {"csrf_token", "language", "next"} == {
        "name", "title", "speciality", "rate", "coworker_rate", "audience",
    }  # fmt: skip


def test_a_scanner_that_opens_the_link_uses_nothing_up_and_gets_no_session(maud, space):
    invite(maud, "tom@x.example")
    [letter] = work(space)
    scanner = space.test_client()
    for _time in range(3):
        assert scanner.get(link_in(letter)).status_code == 200
        assert scanner.head(link_in(letter)).status_code == 200
    assert scanner.get("/me").location.startswith("/sign-in")
    path = link_in(letter).partition("?")[0]
    assert space.test_client().post(path).status_code == 303
    again = space.test_client().post(path)
    assert again.status_code == 410
    assert account("tom@x.example").came_at is not None
    assert db.session.get(Invitation, account("tom@x.example").id) is None


def test_a_link_opens_for_two_weeks_and_not_longer(maud, space):
    invite(maud, "tom@x.example")
    sent_at = datetime.now(UTC)
    work(space, sent_at)
    link = db.session.scalars(
        select(SignInLink).filter_by(account_id=account("tom@x.example").id)
    ).one()
    assert link.expires_at == sent_at + INVITATION_LIFETIME
    assert timedelta(days=14) == INVITATION_LIFETIME


def test_inviting_again_sends_another_letter_and_shuts_the_first(maud, space):
    invite(maud, "tom@x.example")
    [first] = work(space)
    invite(maud, "tom@x.example")
    [second] = work(space)
    assert space.test_client().post(link_in(first).partition("?")[0]).status_code == 404
    assert space.test_client().post(link_in(second).partition("?")[0]).status_code == 303


def test_an_invitation_taken_back_opens_nothing_and_one_that_waits_is_never_sent(maud, space):
    invite(maud, "tom@x.example")
    [letter] = work(space)
    maud.post(f"/members/{account('tom@x.example').ref}/invitation/cancel")
    assert space.test_client().post(link_in(letter).partition("?")[0]).status_code == 404
    invite(maud, "tom@x.example")
    maud.post(f"/members/{account('tom@x.example').ref}/invitation/cancel")
    assert work(space) == []
    again = maud.post(f"/members/{account('tom@x.example').ref}/invitation/cancel")
    assert again.location == "/members"
    assert codes()[-4:] == [
        "account.invited", "account.uninvited", "account.invited", "account.uninvited",
    ]  # fmt: skip


def test_whoever_came_in_by_another_way_leaves_no_open_link_behind(maud, space, sign_in):
    invite(maud, "tom@x.example")
    [letter] = work(space)
    sign_in(space.test_client(), "tom@x.example")
    assert space.test_client().post(link_in(letter).partition("?")[0]).status_code == 404


def test_somebody_who_came_in_is_not_invited_again(maud, space, sign_in):
    sign_in(space.test_client(), "tom@x.example")
    assert invite(maud, "tom@x.example").status_code == 409
    answer = maud.post("/members", data={"name": "Tom", "email": "tom@x.example"})
    assert answer.status_code == 422
    assert "They came in before" in text(answer)
    assert work(space) == []


def test_somebody_whose_membership_ended_is_not_invited(maud, space):
    account("tom@x.example").member.left_at = datetime.now(UTC)
    db.session.commit()
    assert invite(maud, "tom@x.example").status_code == 409
    assert work(space) == []


@pytest.mark.parametrize(
    ("name", "address", "field"),
    [("Zoé", "not an address", "email"), ("", "zoe@x.example", "name"),
     ("Z" * 121, "z@x.example", "name")],
)  # fmt: skip
def test_a_form_that_makes_no_sense_keeps_what_was_typed(maud, name, address, field):
    answer = maud.post("/members", data={"name": name, "email": address})
    assert answer.status_code == 422
    assert f'value="{name}"' in answer.text
    assert f'value="{address}"' in answer.text
    assert f'id="{field}-error"' in answer.text
    assert db.session.scalars(select(Account).filter_by(email=address)).all() == []


def test_somebody_new_gets_a_page_that_nobody_sees_and_a_letter(maud, space):
    maud.post("/members", data={"name": " Zoé  Lin ", "email": "Zoe@X.example"})
    [letter] = work(space)
    assert letter["To"] == "zoe@x.example"
    zoe = account("zoe@x.example").member
    assert (zoe.name, zoe.audience) == ("Zoé Lin", "me")


# --- many letters ---------------------------------------------------------------------


def test_the_page_says_how_many_letters_go_out_and_sends_none_by_itself(maud, space):
    said = text(maud.get("/members/invitations"))
    assert "2 letters will go out. To Aïcha Ben, Tom Marks" in said
    assert "One member has no address" in said
    assert work(space) == []


def test_everybody_who_was_not_invited_gets_one_letter_however_often_it_is_pressed(maud, space):
    invite(maud, "tom@x.example")
    assert len(work(space)) == 1
    maud.post("/members/invitations", data={"count": "1"})
    assert "One letter waits to be sent" in text(maud.get("/members/invitations"))
    again = maud.post("/members/invitations", data={"count": "1"})
    assert again.status_code == 409
    assert [letter["To"] for letter in work(space)] == ["aicha@x.example"]
    assert work(space) == []
    assert "No letter waits." in text(maud.get("/members/invitations"))


def test_a_number_that_changed_meanwhile_sends_nothing(maud, space):
    add_member("Late", audience="me", email="late@x.example")
    db.session.commit()
    answer = maud.post("/members/invitations", data={"count": "2"})
    assert answer.status_code == 409
    assert "the number changed" in text(answer)
    assert work(space) == []


def test_letters_to_many_are_spread_so_that_others_come_between(maud):
    maud.post("/members/invitations", data={"count": "2"})
    due = db.session.scalars(select(Job.due_at).filter_by(kind=outbox.MAIL).order_by(Job.id)).all()
    assert due[1] - due[0] == inviting.PACE


def test_a_mail_server_that_is_down_delays_and_loses_nothing(maud, space, monkeypatch):
    maud.post("/members/invitations", data={"count": "2"})
    works = mail.send

    def down(_letters):
        raise mail.MailNotSentError("nobody there")

    monkeypatch.setattr(mail, "send", down)
    now = datetime.now(UTC) + timedelta(minutes=1)
    for _time in range(3):
        assert work(space, now) == []
        now += timedelta(hours=1)
    assert "2 letters wait to be sent" in text(maud.get("/members/invitations"))
    monkeypatch.setattr(mail, "send", works)
    sent = work(space, now)
    assert sorted(letter["To"] for letter in sent) == ["aicha@x.example", "tom@x.example"]
    # Of all the links that were written on the way, only those in the letters open.
    links = db.session.scalars(select(SignInLink).filter_by(used_at=None)).all()
    assert len(links) == 2
    assert work(space, now + timedelta(days=1)) == []


def test_a_worker_killed_while_it_hands_a_letter_over_sends_no_second_one(maud, space, monkeypatch):
    invite(maud, "tom@x.example")
    works = mail.send

    class Killed(BaseException):
        pass

    def killed(letters):
        works(letters)
        raise Killed

    monkeypatch.setattr(mail, "send", killed)
    with pytest.raises(Killed):
        work(space)
    monkeypatch.setattr(mail, "send", works)
    assert work(space, datetime.now(UTC) + timedelta(days=1)) == []
    assert "Perhaps invited" in text(maud.get("/members"))
    assert "may not have gone out" in text(maud.get("/members/invitations"))


def test_whoever_takes_part_of_the_page_gets_the_part(maud):
    answer = maud.get("/members/invitations", headers={"HX-Request-Type": "partial"})
    assert "<html" not in answer.text
    assert "No letter waits" in answer.text


# --- the first form -------------------------------------------------------------------

SIX = {
    "name": "Tom Marks",
    "title": "Conversion of old tapes",
    "speciality": "",
    "rate": "60",
    "coworker_rate": "45",
    "audience": "neighbours",
}


@pytest.fixture
def tom(maud, space, sign_in):
    member = account("tom@x.example").member
    member.bio, member.interests = "I keep what others throw away.", ["chess"]
    db.session.commit()
    browser = space.test_client()
    sign_in(browser, "tom@x.example")
    return browser


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", ""), ("title", ""), ("rate", "much"), ("coworker_rate", "90"), ("title", "x" * 200)],
)
def test_six_fields_that_cannot_be_read_are_kept_and_explained(tom, field, value):
    answer = tom.post("/me/first", data={**SIX, field: value})
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert f'href="#{field}"' in answer.text
    for name, typed in {**SIX, field: value}.items():
        if name != "audience":
            assert f'name="{name}" ' in answer.text
            assert f'value="{typed}"' in answer.text
    assert re.search(r'value="neighbours" checked', answer.text)
    assert account("tom@x.example").member.services == []


def test_six_fields_make_a_service_with_two_rates_and_lose_nothing_else(tom):
    assert tom.post("/me/first", data=SIX).location == "/me"
    member = account("tom@x.example").member
    [offer] = member.services
    assert (offer.title, int(offer.rate), int(offer.coworker_rate), offer.currency) == (
        "Conversion of old tapes", 60, 45, "EUR",
    )  # fmt: skip
    assert member.listed_elsewhere
    assert member.consent_at is not None
    assert (member.bio, member.interests) == ("I keep what others throw away.", ["chess"])


def test_without_a_choice_nobody_else_sees_the_page(tom):
    tom.post("/me/first", data={**SIX, "audience": ""})
    assert account("tom@x.example").member.audience == "me"


def test_whoever_offers_something_already_is_led_to_the_whole_form(tom):
    account("tom@x.example").member.services.append(service("Tapes"))
    db.session.commit()
    assert tom.get("/me/first").location == "/me"
    assert tom.post("/me/first", data={**SIX, "title": "Tapes"}).location == "/me"
    assert [one.title for one in account("tom@x.example").member.services] == ["Tapes"]


def test_what_was_typed_in_a_second_window_is_kept_as_a_service_that_is_not_saved(tom):
    account("tom@x.example").member.services.append(service("Tapes"))
    db.session.commit()
    answer = tom.post("/me/first", data=SIX)
    assert answer.status_code == 409
    assert "You began in another window" in answer.text
    assert 'name="service-0-title" value="Tapes"' in answer.text
    assert f'name="service-1-title" value="{SIX["title"]}"' in answer.text
    assert 'value="45"' in answer.text
    assert [one.title for one in account("tom@x.example").member.services] == ["Tapes"]


def test_a_new_account_without_a_profile_makes_one_with_six_fields(maud, space, sign_in):
    db.session.add(Account(email="new@x.example", created_at=datetime.now(UTC)))
    db.session.commit()
    browser = space.test_client()
    sign_in(browser, "new@x.example")
    assert browser.get("/me/first").status_code == 200
    browser.post("/me/first", data=SIX)
    assert account("new@x.example").member.services[0].title == SIX["title"]
