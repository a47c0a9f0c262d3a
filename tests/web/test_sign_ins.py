"""Where people are signed in: ending it there, the six digits, and showing once more who one is."""

from __future__ import annotations

import email
import re
from datetime import UTC, datetime, timedelta
from email.policy import default
from pathlib import Path

import pytest
import time_machine

from app.database import db
from app.exchange.upkeep import purge
from app.models.account import Account, SignInLink
from app.models.sign_in import FRESH, SIGN_IN_LIFETIME, SignIn, SignInCode
from tests.spaces import add_member, sign_in

MAUD = "maud@legoff.example"
WRONG = "These digits open nothing."


@pytest.fixture
def maud(space):
    member = add_member("Maud Le Goff", email=MAUD)
    db.session.commit()
    return member


@pytest.fixture
def phone(browser):
    """Another browser of the same space."""
    return browser.application.test_client()


def ask(browser, address=MAUD, **more):
    """Ask for a letter, and return the digits in it; none when no letter was sent."""
    return [digits_in(letter) for letter in ask_for_letters(browser, address, **more)]


def ask_for_letters(browser, address=MAUD, **more):
    """Ask for a letter, and return those that were sent: their names tell no order."""
    folder = Path(browser.application.config["MAIL_FILE_PATH"])
    before = set(folder.glob("*"))
    browser.post("/sign-in", data={"email": address, **more})
    texts = [file.read_bytes().rpartition(b"-" * 79)[0] for file in set(folder.glob("*")) - before]
    return [email.message_from_bytes(text, policy=default) for text in texts]


def digits_in(letter):
    return re.search(r"\b(\d{3} \d{3})\b", letter.get_content())[1]


def link_in(letter):
    return re.search(r"https://lepalier\.example(/sign-in/\S+)", letter.get_content())[1]


def type_code(browser, digits):
    return browser.post("/sign-in/code", data={"code": digits})


def another(digits):
    return f"{(int(digits.replace(' ', '')) + 1) % 10**6:06}"


def is_in(browser):
    return browser.get("/me").status_code == 200


# --- six digits for another device --------------------------------------------------


def test_digits_open_nothing_in_a_browser_that_did_not_ask(browser, phone, maud):
    """Whoever reads them over a shoulder, or is told them on the telephone, has no use for them."""
    [digits] = ask(browser)
    assert type_code(phone, digits).location == "/sign-in"
    ask(phone, "nobody@x.example")
    assert WRONG in type_code(phone, digits).text
    assert not is_in(phone)


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "12a456", "١٢٣٤٥٦", "12 34 5"])
def test_what_is_no_six_digits_is_kept_and_explained(browser, maud, typed):
    ask(browser)
    answer = type_code(browser, typed)
    assert answer.status_code == 422
    assert f'value="{typed}"' in answer.text
    assert "Enter the six digits of the letter" in answer.text
    assert db.session.query(SignInCode).one().tries == 0


def test_five_wrong_tries_close_the_door_for_the_right_digits_too(browser, maud):
    [digits] = ask(browser)
    answers = [type_code(browser, another(digits)) for _ in range(5)]
    assert {answer.status_code for answer in answers} == {422}
    assert WRONG in type_code(browser, digits).text
    assert not is_in(browser)


def test_digits_are_too_old_after_a_quarter_of_an_hour(browser, maud):
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        [digits] = ask(browser)
        clock.shift(timedelta(minutes=15))
        assert WRONG in type_code(browser, digits).text


def test_one_of_link_and_digits_is_used_and_then_neither_opens(browser, phone, maud):
    [letter] = ask_for_letters(browser)
    assert type_code(browser, digits_in(letter)).status_code == 303
    assert phone.post(link_in(letter)).status_code == 410
    browser.post("/sign-out")
    [letter] = ask_for_letters(browser)
    assert phone.post(link_in(letter)).status_code == 303
    assert WRONG in type_code(browser, digits_in(letter)).text


def test_a_strangers_address_answers_wrong_digits_exactly_like_a_members(browser, maud):
    def tries(address):
        ask(browser, address)
        answers = [type_code(browser, "000000") for _ in range(7)]
        return [
            (
                answer.status_code,
                re.sub(r'(nonce|csrf_token" value)="[^"]*"', "", answer.text).replace(address, ""),
            )
            for answer in answers
        ]

    [digits] = ask(browser)
    assert digits != "000 000"
    assert tries(MAUD) == tries("nobody@x.example")


def test_somebody_who_left_meanwhile_is_not_let_in_by_digits(browser, maud):
    """They reach what is kept about them, and nothing else: see test_way_out.py."""
    [digits] = ask(browser)
    maud.left_at = datetime.now(UTC)
    db.session.commit()
    assert type_code(browser, digits).location == "/me/data"
    assert not is_in(browser)


def test_the_digits_let_in_where_they_were_asked_for_and_lead_where_one_wanted(browser, maud):
    [digits] = ask(browser, next="/me")
    assert type_code(browser, digits).location == "/me"
    assert is_in(browser)


def test_digits_may_be_typed_with_or_without_the_gap(browser, maud):
    [digits] = ask(browser)
    assert type_code(browser, f" {digits.replace(' ', '')} ").status_code == 303


def test_neither_digits_nor_the_secret_of_a_browser_are_kept(browser, maud):
    [digits] = ask(browser)
    with browser.session_transaction() as session:
        asking = session["asking"]
    row = repr(vars(db.session.query(SignInCode).one()))
    assert digits.replace(" ", "") not in row
    assert asking not in row


# --- signed in here -----------------------------------------------------------------


def test_a_copied_cookie_opens_nothing_once_its_owner_signed_out(browser, phone, maud):
    sign_in(browser, MAUD)
    with browser.session_transaction() as session:
        copied = dict(session)
    with phone.session_transaction() as session:
        session.update(copied)
    assert is_in(phone)
    browser.post("/sign-out")
    assert not is_in(phone)


def test_nobody_ends_the_sign_in_of_somebody_else(browser, phone, maud):
    add_member("Yves", email="yves@x.example")
    db.session.commit()
    sign_in(browser, MAUD)
    sign_in(phone, "yves@x.example")
    hers = db.session.query(SignIn).filter_by(account_id=maud.account.id).one().ref
    phone.post(f"/me/sign-ins/{hers}/end")
    phone.post("/me/sign-ins/end-others")
    assert is_in(browser)


def test_each_browser_is_listed_by_its_name_and_can_be_signed_out_from_another(
    browser, phone, maud
):
    sign_in(browser, MAUD)
    with phone.application.test_request_context():
        phone.environ_base["HTTP_USER_AGENT"] = (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1"
        )
    sign_in(phone, MAUD)
    page = browser.get("/me/sign-ins").text
    assert "Safari · iPhone" in page
    assert page.count("this browser") == 1
    [there] = re.findall(r"/me/sign-ins/(\w{26})/end", page)
    assert browser.post(f"/me/sign-ins/{there}/end").status_code == 303
    assert (is_in(browser), is_in(phone)) == (True, False)


def test_one_button_signs_out_everywhere_else(browser, phone, maud):
    third = browser.application.test_client()
    for one in (browser, phone, third):
        sign_in(one, MAUD)
    browser.post("/me/sign-ins/end-others")
    assert "Signed out in 2 other places." in browser.get("/me/sign-ins").text
    assert [is_in(one) for one in (browser, phone, third)] == [True, False, False]


def test_a_browser_that_says_nothing_or_too_much_signs_in_all_the_same(browser, maud):
    browser.environ_base["HTTP_USER_AGENT"] = "<script>" * 500
    sign_in(browser, MAUD)
    page = browser.get("/me/sign-ins").text
    assert "A browser that does not say its name" in page
    assert "<script>" * 2 not in page


def test_coming_in_again_in_one_browser_leaves_one_sign_in(browser, maud):
    sign_in(browser, MAUD)
    sign_in(browser, MAUD)
    assert db.session.query(SignIn).count() == 1


def test_a_sign_in_ends_after_thirty_days_on_this_side_too(browser, maud):
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        sign_in(browser, MAUD)
        ask(browser)
        clock.shift(SIGN_IN_LIFETIME)
        assert not is_in(browser)
        clock.shift(timedelta(days=1))
        purge(db.session(), browser.application.extensions["identity"], datetime.now(UTC))
    left = [db.session.query(table).count() for table in (SignIn, SignInCode, SignInLink)]
    assert left == [0, 0, 0]


# --- once more before a step of weight -----------------------------------------------


def test_trusting_a_space_takes_a_sign_in_of_this_hour(browser, space):
    add_member("Youenn", email="youenn@x.example", admin=True)
    db.session.commit()
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        sign_in(browser, "youenn@x.example")
        assert browser.post("/neighbours/ABC/approval").status_code == 404
        clock.shift(FRESH)
        answer = browser.post(
            "/neighbours/ABC/approval", headers={"Referer": "http://localhost/neighbours"}
        )
        assert answer.location == "/sign-in?again=1&next=/neighbours"
        door = browser.get(answer.location).text
        assert "show once more that it is you" in door
        assert 'value="youenn@x.example"' in door
        sign_in(browser, "youenn@x.example")
        assert browser.post("/neighbours/ABC/approval").status_code == 404


@pytest.mark.parametrize(
    ("method", "address"),
    [
        *(("POST", f"/neighbours/ABC/{noun}") for noun in (
            # What lets data flow to another space, again or for the first time, and what ends it.
            "approval", "resumption", "unblock", "deletions", "ending", "block",
        )),
        # What carries data away, or wipes it.
        ("GET", "/me/data/archive"), ("GET", "/me/deletion"), ("POST", "/me/deletion"),
        # The keys to the door, and who runs the house.
        ("GET", "/me/passkeys/new"), ("GET", "/me/passkeys/question"), ("POST", "/me/passkeys"),
        ("POST", "/me/passkeys/ABC/removal"),
        ("POST", "/me/sign-ins/with/ABC"), ("POST", "/me/sign-ins/elsewhere/ABC/removal"),
        ("POST", "/members/ABC/role"),
    ],
)  # fmt: skip
def test_a_step_of_weight_takes_a_sign_in_of_this_hour(browser, space, method, address):
    add_member("Youenn", email="youenn@x.example", admin=True)
    db.session.commit()
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        sign_in(browser, "youenn@x.example")
        clock.shift(FRESH)
        answer = browser.open(address, method=method)
    assert (answer.status_code, answer.location) == (303, "/sign-in?again=1")
    assert db.session.query(Account).count() == 1


def test_the_way_back_is_a_page_of_ours_whatever_the_referrer_says(browser, space):
    add_member("Youenn", email="youenn@x.example", admin=True)
    db.session.commit()
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        sign_in(browser, "youenn@x.example")
        clock.shift(FRESH)
        answer = browser.post(
            "/neighbours/ABC/approval", headers={"Referer": "https://evil.example/neighbours"}
        )
        assert answer.location == "/sign-in?again=1"
