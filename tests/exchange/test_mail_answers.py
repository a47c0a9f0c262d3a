"""Answers by mail: whose they may be, what is taken of them, and what mails do that mean harm."""

from __future__ import annotations

import base64
from datetime import timedelta
from email.message import EmailMessage

import pytest
from sqlalchemy import select

from app.exchange import conversations, mail_answers, mailed
from app.exchange.conversations import Recipient, Request
from app.exchange.mail_answers import MailRefusedError
from app.exchange.mail_text import of_html, without_quotes
from app.models.conversation import Conversation, HeardMail
from app.models.member import Member
from tests.neighbourhood import Neighbourhood, url_of
from tests.spaces import add_member, service

PATTERN = "reply+{token}@lyon.example"
SECRET = "a secret of at least thirty-two characters"
CLAIRE, YOUENN = "claire@x.example", "youenn@x.example"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    town = Neighbourhood(tmp_path_factory.mktemp("town"), "lyon")
    with town.at("lyon"):
        add_member("Claire", audience="space", email=CLAIRE, services=(service("Contracts"),))
        add_member("Youenn", audience="space", email=YOUENN)
    yield town
    town.close()


@pytest.fixture
def town(built):
    """Claire and Youenn of one space, talking anew."""
    with built.at("lyon") as session:
        for one in session.scalars(select(Conversation)):
            session.delete(one)
        for heard in session.scalars(select(HeardMail)):
            session.delete(heard)
        claire = member(session, "Claire")
        claire.account.banned_at = claire.left_at = None
        session.flush()
        to = Recipient(f"{url_of('lyon')}/m/{claire.ref}", "Claire", "", "Lyon", None)
        conversations.ask(
            session, member(session, "Youenn"), to, Request("question", "Is this lease fair?"),
            built.identity("lyon"), built.now,
        )  # fmt: skip
    return built


def member(session, name):
    return session.scalars(select(Member).filter_by(name=name)).one()


def of(session, name):
    owner = member(session, name)
    return session.scalars(select(Conversation).filter_by(member_id=owner.id)).one()


def mail(text="Mostly.\n", sender=f"Claire <{CLAIRE}>", **headers):
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, "x@lyon.example", "Re: Youenn"
    made["Message-ID"] = "<1@x.example>"
    for name, value in headers.items():
        del made[name.replace("_", "-")]
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return made


def hand_over(town, raw, *, who="Claire", address=None, sender="claire@x.example", judge=""):
    with town.at("lyon") as session:
        to = address or mail_answers.address_of(of(session, who), PATTERN, SECRET)
        try:
            return mail_answers.hear(
                session, raw if isinstance(raw, bytes) else raw.as_bytes(), to, sender, PATTERN,
                SECRET, town.identity("lyon"), town.now, judge=judge,
            )  # fmt: skip
        finally:
            session.commit()


def refused(town, raw, **given):
    with pytest.raises(MailRefusedError) as error:
        hand_over(town, raw, **given)
    return error.value.code


def heard(town, name="Youenn"):
    with town.at("lyon") as session:
        return [one.text for one in of(session, name).messages if not one.mine]


def test_the_answer_is_heard_by_the_other_and_by_nobody_else(town):
    assert hand_over(town, mail()) == "heard"
    assert heard(town) == ["Mostly."]


# --- whose it may be ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "sender",
    [
        f"Youenn <{YOUENN}>", "claire@x.example.evil.example", f"a@evil.example, {CLAIRE}",
        f'"{CLAIRE}" <a@evil.example>', "", "Claire",
    ],
)  # fmt: skip
def test_who_has_the_token_and_another_address_is_refused(town, sender):
    assert refused(town, mail(sender=sender)) == 77
    assert heard(town) == []


def test_two_froms_are_none(town):
    raw = mail().as_bytes().replace(b"From:", b"From: a@evil.example\nFrom:", 1)
    assert refused(town, raw) == 77


def test_who_has_the_address_and_not_the_token_is_refused(town):
    with town.at("lyon") as session:
        own = mail_answers.address_of(of(session, "Claire"), PATTERN, SECRET)
        other = mail_answers.address_of(of(session, "Youenn"), PATTERN, SECRET)
    for wrong in (
        own[:-15] + "a" + own[-14:], own.replace("reply+", ""), "reply+@lyon.example", "",
        "x" * 9999, own.replace("lyon", "evil"), own.replace("@", "\n@"),
    ):  # fmt: skip
        assert refused(town, mail(), address=wrong or " ") == 67
    assert refused(town, mail(), address=other) == 77
    assert heard(town) == []


def test_a_token_is_read_in_capitals_too_as_mail_servers_may_write_it(town):
    with town.at("lyon") as session:
        own = mail_answers.address_of(of(session, "Claire"), PATTERN, SECRET)
    assert hand_over(town, mail(), address=own.upper()) == "heard"


def test_a_token_is_of_one_person_one_conversation_and_one_secret(town):
    with town.at("lyon") as session:
        tokens = {
            mail_answers.token_of(of(session, name), secret)
            for name in ("Claire", "Youenn")
            for secret in (SECRET, SECRET[::-1])
        }
    assert len(tokens) == 4
    assert all(len(token) == 52 for token in tokens)


@pytest.mark.parametrize("gone", ["left", "banned"])
def test_whoever_cannot_come_in_any_more_is_not_heard_by_mail_either(town, gone):
    with town.at("lyon") as session:
        claire = member(session, "Claire")
        if gone == "left":
            claire.left_at = town.now
        else:
            claire.account.banned_at = town.now
    assert refused(town, mail()) == 77


def test_what_the_own_mail_server_found_forged_is_refused_and_nobody_elses_word_counts(town):
    forged = "mx.lyon.example; spf=fail; dmarc=fail header.from=x.example"
    assert refused(town, mail(Authentication_Results=forged), judge="mx.lyon.example") == 77
    elsewhere = mail(Authentication_Results="mx.evil.example; dmarc=fail")
    assert hand_over(town, elsewhere, judge="mx.lyon.example") == "heard"
    # Whoever forges a mail can write "pass" below what our server puts on top.
    raw = (
        b"Authentication-Results: mx.lyon.example; dmarc=fail\n"
        + mail(Authentication_Results="mx.lyon.example; dmarc=pass", Message_ID="<2@x>").as_bytes()
    )
    assert refused(town, raw, judge="mx.lyon.example") == 77


# --- loops and repetition -------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"}, {"Auto_Submitted": "auto-generated; x=y"},
        {"Precedence": "bulk"}, {"Precedence": "Auto_Reply"}, {"Precedence": "list"},
        {"List_Id": "<a.x.example>"}, {"X_Auto_Response_Suppress": "All"}, {"Return_Path": "<>"},
    ],
    ids=str,
)  # fmt: skip
def test_what_a_program_wrote_is_forgotten_without_an_answer(town, headers):
    assert hand_over(town, mail(**headers)) == "not heard: written by a program"
    assert heard(town) == []


@pytest.mark.parametrize("sender", ["", "<>", "MAILER-DAEMON"])
def test_a_notice_of_a_mail_server_is_forgotten_without_an_answer(town, sender):
    assert hand_over(town, mail(), sender=sender).startswith("not heard")
    assert heard(town) == []


def test_a_mail_that_comes_twice_is_heard_once(town):
    assert [hand_over(town, mail()) for _ in range(2)] == ["heard", "heard before"]
    unnamed = mail("Another.").as_bytes().replace(b"Message-ID: <1@x.example>\n", b"")
    assert [hand_over(town, unnamed) for _ in range(2)] == ["heard", "heard before"]
    assert heard(town) == ["Mostly.", "Another."]


def test_after_sixty_letters_within_an_hour_the_mail_server_tries_again_later(town):
    for number in range(60):
        hand_over(town, mail(f"{number}", Message_ID=f"<{number}@x>"))
    assert refused(town, mail("61", Message_ID="<61@x>")) == 75
    town.later(seconds=timedelta(hours=1).seconds + 1)
    assert hand_over(town, mail("61", Message_ID="<61@x>")) == "heard"


def test_a_conversation_that_is_over_hears_nothing(town):
    with town.at("lyon") as session:
        of(session, "Claire").state = "closed"
    assert refused(town, mail()) == 69


# --- what is taken of it ----------------------------------------------------------------------


def test_attachments_are_left_out_with_a_sign_and_the_own_address_is_not_told(town):
    made = mail(f"Call me.\n{CLAIRE.upper()}\n")
    made.add_attachment(b"MZ\0", maintype="application", subtype="exe", filename="../../a.exe")
    hand_over(town, made)
    assert heard(town) == ["Call me.\n(…)\n[…]"]


def test_headers_cannot_be_smuggled_and_markup_is_text(town):
    hand_over(town, mail("Bcc: all@x.example\n<script>x</script> **b**", Subject="a"))
    assert heard(town) == ["Bcc: all@x.example\n<script>x</script> **b**"]


@pytest.mark.parametrize(
    ("text", "code"), [("> only quoted\n", 65), ("", 65), ("a" * 2001, 65)], ids=["q", "e", "l"]
)
def test_nothing_and_too_much_are_refused_with_a_sentence(town, text, code):
    assert refused(town, mail(text)) == code


@pytest.mark.parametrize(
    ("written", "taken"),
    [
        ("Yes.\n\nOn Mon, 2 Mar 2026, Le Palier\n<a@b.example> wrote:\n> Hello\n", "Yes."),
        ("Oui.\n\nLe lun. 2 mars, Le Palier a écrit :\n\n> Bonjour\n", "Oui."),
        ("Oui.\nLe lun. 2 mars, X a écrit :\n\n~~~ Écris ici ~~~\n\nBonjour", "Oui."),
        ("> A?\nYes.\n> B?\nNo.", "Yes.\nNo."),
        ("Yes.\n-- \nClaire, lawyer", "Yes."),
        ("Yes.\n--\nClaire", "Yes."),
        ("Yes.\n\nSent from my phone", "Yes."),
        ("Yes.\n-----Original Message-----\nFrom: x", "Yes."),
        ("Yes.\r\n________________________________\r\nFrom: x", "Yes."),
        ("On it. You wrote:\nthat is fine.", "On it. You wrote:\nthat is fine."),
        ("a -- b\n\n\n\nc", "a -- b\n\nc"),
    ],
)
def test_of_a_text_what_was_written_is_kept_and_what_programs_add_is_not(written, taken):
    assert without_quotes(written) == taken


@pytest.mark.parametrize(
    ("html", "taken"),
    [
        ("<p>Yes &amp; no.</p><p>Two</p>", "Yes & no.\n\nTwo"),
        ("<style>x{}</style><script>alert(1)</script>Yes<br>no", "Yes\nno"),
        ("Yes<blockquote>Hello<blockquote>x</blockquote></blockquote>", "Yes"),
        ("<a href='javascript:x'>Yes</a><img src=x onerror=y>", "Yes"),
        ("Yes<svg><title>x</svg>", "Yes"),
        ("<!-- a note -->Yes<!-- > another", "Yes another"),
        ("Yes</blockquote></div>", "Yes"),
    ],
    ids=str,
)
def test_of_html_the_words_are_kept_and_nothing_else(html, taken):
    assert of_html(html) == taken


def test_a_mail_in_html_alone_is_read(town):
    made = mail()
    made.set_content("<p>Mostly.</p><blockquote>Is it?</blockquote>", subtype="html")
    hand_over(town, made)
    assert heard(town) == ["Mostly."]


# --- mails that mean harm -----------------------------------------------------------------------


def test_fifty_megabytes_are_refused_before_they_are_read(town):
    assert refused(town, mail().as_bytes() + b"a" * 50 * 1024 * 1024) == 65


@pytest.mark.parametrize("depth", [30, 1000])
def test_parts_within_parts_are_read_or_refused_and_never_followed_to_the_end(town, depth):
    head, body = [], []
    for at in range(depth):
        head.append(f"Content-Type: multipart/mixed; boundary=b{at}\n\n--b{at}\n")
    body.append("Content-Type: text/plain\n\nMostly.\n")
    raw = f"From: {CLAIRE}\nMessage-ID: <n@x>\n" + "".join([*head, *body])
    if depth > 40:
        assert refused(town, raw.encode()) == 65
    else:
        assert hand_over(town, raw.encode()) == "heard"


def test_ten_thousand_parts_are_refused(town):
    parts = "--b\nContent-Type: text/plain\n\nx\n" * 10_000
    raw = f"From: {CLAIRE}\nContent-Type: multipart/mixed; boundary=b\n\n{parts}--b--\n"
    assert refused(town, raw.encode()) == 65


@pytest.mark.parametrize(
    "charset",
    ["nonsense", "zip", "hex", "base64", "idna", "punycode", "unicode_escape", "utf-7", "\xff", ""],
)
def test_a_charset_that_is_none_breaks_nothing(town, charset):
    raw = (
        f"From: {CLAIRE}\nMessage-ID: <c@x>\nContent-Type: text/plain; charset={charset}\n\n"
        "Mostly \xe9.\n"
    ).encode("latin-1")
    assert hand_over(town, raw) == "heard"
    assert heard(town)[0].startswith("Mostly")


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"\0" * 100, b"\n\n\n", b"From", b"From: \xff\xfe\n\n\0", b":" * 9999,
        b"Content-Type: multipart/mixed\n\nno boundary", b"Content-Type: " + b"x" * 99_999,
        b"From: =?utf-8?b?////?=\n\nx", b"Content-Transfer-Encoding: base64\n\n====",
    ],
    ids=range(10),
)  # fmt: skip
def test_what_is_no_mail_is_refused_and_no_bug(town, raw):
    assert refused(town, raw) in (65, 77)


def test_signs_that_cannot_be_seen_do_not_arrive(town):
    raw = f"From: {CLAIRE}\nMessage-ID: <z@x>\n\nMost\0ly.\x1b[31m \u202efair\n".encode()
    hand_over(town, raw)
    assert heard(town) == ["Mostly.[31m fair"]


def test_a_text_part_that_unpacks_to_a_lot_is_read_no_further_than_is_needed(town):
    packed = base64.encodebytes(b"a" * 5_000_000).decode()
    raw = (
        f"From: {CLAIRE}\nMessage-ID: <l@x>\nContent-Type: text/plain\n"
        f"Content-Transfer-Encoding: base64\n\n{packed}"
    )
    assert refused(town, raw.encode()) == 65
    assert len(mailed.read(raw.encode()).text) <= mailed.TEXT_BYTES
