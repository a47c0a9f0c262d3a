"""Coming in: the link by mail, who gets one, and what a stranger learns."""

from __future__ import annotations

import email
import re
import smtplib
import ssl
from datetime import UTC, datetime, timedelta
from email.policy import default
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import db
from app.models.account import Account, SignInLink, issue_link
from app.web import mail, rates
from tests.spaces import add_member, build

MAUD = "maud@legoff.example"


@pytest.fixture
def maud(space):
    """A member with a profile and an address."""
    member = add_member("Maud Le Goff", email=MAUD)
    db.session.commit()
    return member


def letters(app):
    """Every letter the space has sent, oldest first."""
    folder = Path(app.config["MAIL_FILE_PATH"])
    files = sorted(folder.glob("*")) if folder.exists() else []
    texts = [file.read_bytes().rpartition(b"-" * 79)[0] for file in files]
    return [email.message_from_bytes(text, policy=default) for text in texts]


def link_in(letter):
    """The path behind the space's own address."""
    return re.search(r"https://lepalier\.example(/sign-in/\S+)", letter.get_content())[1]


def ask(browser, address=MAUD, **more):
    return browser.post("/sign-in", data={"email": address, **more})


def link_for(member, **lifetime):
    secret = issue_link(db.session(), member.account, datetime.now(UTC), **lifetime)
    db.session.commit()
    return f"/sign-in/{secret}"


class Unreachable:
    """A mail server that is off."""

    def open(self):
        raise ConnectionRefusedError("nobody listens")


class Choosy:
    """A mail server that works and knows nobody."""

    def open(self):
        """It answers."""

    def send_messages(self, letters):
        raise smtplib.SMTPRecipientsRefused({MAUD: (550, b"no such mailbox")})


def take_mail_by(app, server, monkeypatch):
    app.config["MAIL_BACKEND"] = "smtp"
    state = app.extensions["mailman"]
    monkeypatch.setattr(state, "get_connection", lambda backend: server(), raising=False)


# --- asking for a link --------------------------------------------------------------


@pytest.mark.parametrize(
    "typed", ["", "maud", "@legoff.example", "maud@", "a b@c.example", "a@b\x07.example"]
)
def test_what_is_no_address_is_kept_and_explained(browser, maud, typed):
    answer = ask(browser, typed)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert 'href="#email"' in answer.text
    assert letters(browser.application) == []


def test_a_stranger_gets_the_same_answer_as_a_member_and_no_letter(browser, maud):
    known = ask(browser)
    known_page = browser.get("/sign-in/sent").text
    unknown = ask(browser, "nobody@legoff.example")
    unknown_page = browser.get("/sign-in/sent").text
    assert (unknown.status_code, unknown.location) == (known.status_code, known.location)
    assert without_nonce(unknown_page).replace("nobody@legoff.example", MAUD) == without_nonce(
        known_page
    )
    assert [letter["To"] for letter in letters(browser.application)] == [MAUD]


@pytest.mark.parametrize("wanted", ["//[", "http://[", "/\r\nX: y", "/" + "a" * 5000])
def test_no_address_to_go_on_to_tells_members_from_strangers(browser, maud, wanted):
    answers = [ask(browser, address, next=wanted) for address in (MAUD, "nobody@legoff.example")]
    assert [answer.status_code for answer in answers] == [303, 303]


def test_the_letter_is_in_the_readers_own_language_whoever_asked_for_it(browser, maud):
    maud.account.locale = "fr"
    db.session.commit()
    ask(browser)
    [letter] = letters(browser.application)
    assert letter.get_content().startswith("Bonjour Maud Le Goff")
    assert "Hello" not in letter.get_content()


def test_the_letter_is_plain_text_and_leads_to_our_own_address(browser, maud):
    ask(browser, " MAUD@LeGoff.example ", next="/me")
    [letter] = letters(browser.application)
    assert letter["Subject"] == "Your way into Le Palier"
    assert letter["From"] == "hello@lepalier.example"
    assert letter.get_content_type() == "text/plain"
    assert "Hello Maud Le Goff," in letter.get_content()
    assert link_in(letter).endswith("?next=/me")


def test_a_letter_never_follows_the_host_header(browser, maud):
    browser.post("/sign-in", data={"email": MAUD}, headers={"Host": "evil.example"})
    assert "evil" not in letters(browser.application)[0].as_string()


def test_the_letter_never_leads_on_to_another_site(browser, maud):
    ask(browser, next="https://evil.example/")
    assert "evil" not in letters(browser.application)[0].as_string()


def test_a_mail_server_that_fails_is_said_and_nothing_typed_is_lost(browser, maud, monkeypatch):
    """For a stranger as for a member: both hear that nothing was sent."""
    take_mail_by(browser.application, Unreachable, monkeypatch)
    answers = [ask(browser, address, next="/me") for address in (MAUD, "nobody@legoff.example")]
    assert [answer.status_code for answer in answers] == [503, 503]
    assert f'value="{MAUD}"' in answers[0].text
    assert 'value="/me"' in answers[0].text


def test_a_reader_whom_the_mail_server_does_not_know_looks_like_any_other(
    browser, maud, monkeypatch
):
    take_mail_by(browser.application, Choosy, monkeypatch)
    assert ask(browser).location == "/sign-in/sent"


def test_the_mail_server_has_to_prove_its_name_before_it_hears_a_password(space, monkeypatch):
    heard = []

    class Impostor:
        def __init__(self, *where, **options):
            """It answers."""

        def starttls(self, context):
            assert context.check_hostname
            assert context.verify_mode == ssl.CERT_REQUIRED
            raise ssl.SSLCertVerificationError("self-signed")

        def login(self, *secrets):
            heard.append(secrets)

        def close(self):
            heard.append("closed")

    monkeypatch.setattr(smtplib, "SMTP", Impostor)
    space.config["MAIL_BACKEND"] = "smtp"
    state = space.extensions["mailman"]
    state.use_tls, state.username, state.password = True, "us", "secret"
    with pytest.raises(mail.MailNotSentError):
        mail.send([mail.letter(MAUD, "Hello", "text")])
    assert heard == ["closed"]


def test_a_subject_is_one_line_whatever_the_names_in_it(space):
    letter = mail.letter(MAUD, "Hello\r\nBcc: all@x.example", "text")
    assert letter.message()["Subject"] == "Hello Bcc: all@x.example"


def test_one_mailbox_gets_few_letters(browser, maud):
    browser.application.config["RATELIMIT_ENABLED"] = True
    # Capitals make no second mailbox.
    typed = [MAUD, MAUD.upper(), MAUD.title()] * 2
    assert [ask(browser, one).status_code for one in typed] == [303] * 5 + [429]
    other = ask(browser, "someone@else.example")
    refused = ask(browser)
    assert other.status_code == 303
    assert 0 < int(refused.headers["Retry-After"]) <= 15 * 60
    assert len(letters(browser.application)) == 5


def test_one_network_asks_for_sixty_links_an_hour(browser, maud):
    browser.application.config["RATELIMIT_ENABLED"] = True
    where = [f"2001:db8:0:1::{i:x}" for i in range(61)]
    statuses = [
        browser.post(
            "/sign-in", data={"email": f"{i}@x.example"}, environ_base={"REMOTE_ADDR": address}
        ).status_code
        for i, address in enumerate(where)
    ]
    assert statuses == [303] * 60 + [429]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:0:1::7", "2001:db8:0:1::/64"), ("a socket", "a socket"),
    ],
)  # fmt: skip
def test_who_comes_from_elsewhere_is_another_network_however_it_is_written(
    browser, address, network
):
    """Servers write IPv4 within IPv6 (RFC 4291 section 2.5.5.2): all of it is not one network."""
    with browser.application.test_request_context(environ_base={"REMOTE_ADDR": address}):
        assert rates.network() == network


# --- using it -----------------------------------------------------------------------


def test_a_mail_scanner_that_opens_the_link_uses_nothing_up_and_gets_no_session(browser, maud):
    link = link_for(maud)
    scanner = browser.application.test_client()
    for look in (scanner.head, scanner.get, scanner.get, scanner.options):
        assert look(link).status_code == 200
    assert scanner.get("/me").location == "/sign-in?next=/me"
    assert browser.post(link).status_code == 303
    assert browser.get("/me").status_code == 200


def test_a_link_opens_the_door_once(browser, maud):
    link = link_for(maud)
    assert browser.post(link).status_code == 303
    second = browser.application.test_client()
    answers = [second.get(link), second.post(link)]
    assert [answer.status_code for answer in answers] == [410, 410]
    assert all("This link was used already" in answer.text for answer in answers)
    assert second.get("/me").status_code == 303


def test_a_link_that_is_too_old_offers_a_new_one(browser, maud):
    link = link_for(maud, lifetime=timedelta(minutes=15))
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=15), tick=False):
        answer = browser.post(link)
    assert answer.status_code == 410
    assert "This link is too old" in answer.text
    assert 'href="/sign-in"' in answer.text


def test_a_link_nobody_made_opens_nothing(browser, maud):
    answers = [browser.get("/sign-in/abc"), browser.post("/sign-in/abc")]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert all("This link opens nothing" in answer.text for answer in answers)


def test_a_session_ends_with_the_membership(browser, maud, sign_in):
    sign_in(browser, MAUD)
    assert browser.get("/me").status_code == 200
    maud.left_at = datetime.now(UTC)
    db.session.commit()
    assert browser.get("/me").location == "/sign-in?next=/me"


def test_the_page_behind_the_link_tells_its_address_to_nobody(browser, maud):
    for answer in (browser.get(link_for(maud)), browser.get("/sign-in/abc")):
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"


def test_coming_in_starts_a_fresh_session(browser, maud):
    with browser.session_transaction() as session:
        session["planted"] = "by somebody else"
    browser.post(link_for(maud))
    with browser.session_transaction() as session:
        assert "planted" not in session
        assert session.permanent


def test_the_door_leads_where_the_person_wanted_and_nowhere_else(browser, maud):
    places = {
        "/me": "/me",
        "": "/",
        "https://evil.example/": "/",
        "//evil.example/": "/",
        "/\\evil.example": "/",
    }
    for wanted, reached in places.items():
        assert browser.post(link_for(maud), data={"next": wanted}).location == reached


def test_who_has_no_profile_yet_is_led_to_it(browser, space):
    member = add_member("Aïcha", email="aicha@x.example")
    member.account.member = None
    db.session.commit()
    assert browser.post(link_for_address("aicha@x.example")).location == "/me/first"


def test_signed_in_people_do_not_ask_again(browser, maud, sign_in):
    sign_in(browser, MAUD)
    assert browser.get("/sign-in?next=/me").location == "/me"
    assert "You are signed in: go on" in browser.get("/sign-in/abc").text


def test_signing_out_closes_the_door(browser, maud, sign_in):
    sign_in(browser, MAUD)
    assert browser.get("/sign-out").status_code == 405
    assert browser.post("/sign-out").location == "/"
    assert browser.get("/me").location == "/sign-in?next=/me"


def test_the_secret_itself_is_kept_nowhere(browser, maud):
    ask(browser)
    secret = link_in(letters(browser.application)[0]).rpartition("/")[2]
    with Session(db.engine) as session:
        [link] = session.scalars(select(SignInLink))
        assert secret not in repr(vars(link))


def test_a_form_from_elsewhere_opens_nothing(tmp_path):
    app = build(tmp_path / "strict")
    app.config["WTF_CSRF_ENABLED"] = True
    with app.app_context():
        maud = add_member("Maud Le Goff", email=MAUD)
        db.session.commit()
        link = link_for(maud)
        browser = app.test_client()
        over_tls = {"base_url": "https://lepalier.example"}
        assert browser.post(link, **over_tls).status_code == 400
        token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(link, **over_tls).text)
        # No Referer comes along: the page asks browsers not to send one.
        answer = browser.post(link, data={"csrf_token": token[1]}, **over_tls)
        assert answer.status_code == 303


# --- what is asked of htmx ------------------------------------------------------------


def test_a_part_of_a_members_page_sends_the_whole_window_to_the_door(browser, space):
    answer = browser.get("/me", headers={"HX-Request-Type": "partial"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/sign-in")


def link_for_address(address):
    account = db.session.scalars(db.select(Account).filter_by(email=address)).one()
    secret = issue_link(db.session(), account, datetime.now(UTC))
    db.session.commit()
    return f"/sign-in/{secret}"


def without_nonce(page):
    return re.sub(r'(nonce|value)="[^"]*"', "", page)
