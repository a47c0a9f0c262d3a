"""Asking, answering, and what the page and the mail about it never give away."""

from __future__ import annotations

import io
import json
import re
import zipfile
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.models.account import Account
from app.models.conversation import Conversation
from app.models.member import Member
from app.models.peer import MirroredProfile
from app.web import mail
from tests.neighbourhood import Neighbourhood
from tests.postman import carry
from tests.spaces import add_member, service
from tests.web.people import at_a_screen


@pytest.fixture
def town(tmp_path):
    """Claire of Nantes offers two services; Maud of Lyon, seen by nobody, looks for help."""
    town = Neighbourhood(tmp_path, "lyon", "nantes")
    with town.at("nantes"):
        add_member(
            "Claire Vasseur",
            audience="me",
            email="claire@x.example",
            services=(service("Contracts"), service("Leases")),
        )
        add_member("Youenn Kerbrat", audience="space", email="youenn@x.example")
    town.publish("nantes", "Claire Vasseur")
    with town.at("lyon"):
        add_member("Maud Le Goff", audience="me", email="maud@x.example")
        add_member("Inès", audience="space", email="ines@x.example", services=(service("Tax"),))
    town.befriend("lyon", "nantes")
    yield town
    town.close()


@pytest.fixture
def page(town):
    """Where Claire stands in Lyon."""
    with town.at("lyon") as session:
        profile = session.scalars(select(MirroredProfile)).one()
        return f"/n/{profile.peer.ref}/{profile.ref}"


def service_of(browser, page):
    return re.search(r'<option value="(\w+)"', browser.get(page).text)[1]


def ask(browser, page, text="Could you read my lease?", **more):
    given = {"text": text, "service": service_of(browser, page), **more}
    return browser.post(f"{page}/ask", data=given)


def thread(browser):
    listed = browser.get("/introductions").text
    [address] = set(re.findall(r'href="(/introductions/\w{26})#thread"', listed))
    return address


def send_mail(town, space):
    """Let the worker send what waits; return the letters."""
    town.later(hours=2)
    return carry(town.apps[space], town.now, town.network)


# --- who may not ----------------------------------------------------------------------


def test_visitors_see_no_door_and_are_sent_to_sign_in(town, page):
    visitor = town.apps["nantes"].test_client()
    assert visitor.get("/introductions").location == "/sign-in?next=/introductions"
    with town.at("nantes") as session:
        ref = session.scalars(select(Member.ref).filter_by(name="Claire Vasseur")).one()
    assert visitor.post(f"/m/{ref}/ask", data={"text": "Hi"}).location.startswith("/sign-in")


def test_nobody_reads_or_continues_the_conversation_of_somebody_else(town, maud, page):
    ask(maud, page)
    address = thread(maud)
    ines = at_a_screen(town, "lyon", "ines@x.example")
    assert ines.get(address).status_code == 404
    assert ines.post(address, data={"do": "message", "text": "Me too"}).status_code == 404


def test_nobody_asks_themselves_or_somebody_they_cannot_see(town, claire):
    with town.at("nantes") as session:
        own = session.scalars(select(Member.ref).filter_by(name="Claire Vasseur")).one()
        asked = session.scalars(select(Member)).all()
        own_service = next(one for one in asked if one.ref == own).services[0].ref
    given = {"text": "Hello me", "service": own_service}
    assert claire.post(f"/m/{own}/ask", data=given).status_code == 403
    with town.at("lyon") as session:
        hidden = session.scalars(select(Member.ref).filter_by(name="Maud Le Goff")).one()
    ines = at_a_screen(town, "lyon", "ines@x.example")
    assert ines.get(f"/m/{hidden}/ask").status_code == 404


def test_who_offers_nothing_has_no_door(town, claire):
    with town.at("nantes") as session:
        ref = session.scalars(select(Member.ref).filter_by(name="Youenn Kerbrat")).one()
    assert "/ask" not in claire.get(f"/m/{ref}").text
    assert claire.get(f"/m/{ref}/ask").status_code == 404


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"text": "  "}, "Write what you need"),
        ({"text": "a" * 281}, "That is 281 characters; 280 fit."),
        ({"text": "Hello", "service": "another"}, "Choose what it is about."),
        ({"text": "Hello", "kind": "quote", "timing": "x" * 161}, "Keep it to one line."),
    ],
)
def test_what_cannot_be_sent_is_kept_and_explained(maud, page, given, said):
    answer = ask(maud, page, **given)
    assert answer.status_code == 422
    assert said in answer.text
    assert given["text"].strip() in answer.text
    assert 'role="alert"' in answer.text


def test_the_sixth_new_person_of_a_day_is_refused_politely_and_the_text_is_kept(town, maud, page):
    with town.at("lyon") as session:
        owner = session.scalars(select(Member).filter_by(name="Maud Le Goff")).one()
        for number in range(5):
            session.add(
                Conversation(
                    member=owner, opened_by="https://lyon.example", wire_id=str(number),
                    mine=True, other=f"https://x.example/m/{number}", other_name="X",
                    kind="question", created_at=town.now, updated_at=town.now,
                )
            )  # fmt: skip
    answer = ask(maud, page, "The sixth question")
    assert answer.status_code == 429
    assert "five new people within a day" in answer.text
    assert "The sixth question" in answer.text


# --- asking and answering ----------------------------------------------------------------


def test_from_somebodys_page_one_field_and_one_button_send_a_question(town, maud, claire, page):
    shown = maud.get(page).text
    assert f'action="{page}/ask"' in shown
    asked = ask(maud, page, "Is <b>this</b> lease fair?")
    # On a narrow screen the list comes first: who follows a link or sends lands behind it.
    assert (asked.status_code, asked.location) == (303, f"{thread(maud)}#thread")
    assert 'id="thread"' in maud.get(asked.location).text
    told = maud.get(thread(maud)).text
    assert "Is &lt;b&gt;this&lt;/b&gt; lease fair?" in told
    assert "on its way" in told
    town.work()
    assert "on its way" not in maud.get(thread(maud)).text
    home = claire.get("/").text
    assert re.search(r'Introductions <span class="badge">1', home)
    assert "Somebody would like to ask you something" in claire.get("/introductions").text
    claire.post(thread(claire), data={"do": "message", "text": "Mostly."})
    town.work()
    assert "Mostly." in maud.get(thread(maud)).text


def test_asking_again_goes_on_in_the_same_conversation(maud, page):
    ask(maud, page)
    ask(maud, page, "And the garden?")
    assert "And the garden?" in maud.get(thread(maud)).text


def test_a_quote_says_when_and_for_how_much(town, maud, claire, page):
    form = maud.get(f"{page}/ask?kind=quote").text
    assert 'name="timing"' in form
    ask(maud, page, "x" * 1500, kind="quote", timing="in May", budget="300 euros")
    town.work()
    told = claire.get(thread(claire)).text
    assert "in May · 300 euros" in told


def test_addresses_appear_only_when_both_have_pressed_the_button(town, maud, claire, page):
    ask(maud, page)
    town.work()
    claire.post(thread(claire), data={"do": "share"})
    town.work()
    for browser, address in ((maud, "claire@x.example"), (claire, "maud@x.example")):
        assert address not in browser.get(thread(browser)).text
    maud.post(thread(maud), data={"do": "share"})
    town.work()
    assert "claire@x.example" in maud.get(thread(maud)).text
    assert "maud@x.example" in claire.get(thread(claire)).text


@pytest.mark.parametrize(("act", "said"), [("decline", "does not fit"), ("close", "ended the")])
def test_a_no_is_kind_and_nothing_more_can_be_typed(town, maud, claire, page, act, said):
    ask(maud, page)
    town.work()
    claire.post(thread(claire), data={"do": act})
    town.work()
    told = maud.get(thread(maud)).text
    assert said in told
    assert "<textarea" not in told
    late = maud.post(thread(maud), data={"do": "message", "text": "But please"})
    assert late.status_code == 409
    assert "But please" in late.text


def test_who_is_silenced_is_not_told_and_not_heard(town, maud, claire, page):
    ask(maud, page)
    town.work()
    claire.post(thread(claire), data={"do": "silence"})
    maud.post(thread(maud), data={"do": "message", "text": "Hello? Hello?"})
    town.work()
    assert "on its way" not in maud.get(thread(maud)).text
    assert "Hello? Hello?" not in claire.get(thread(claire)).text


@pytest.mark.parametrize("button", ["message", "share", "decline", "close"])
def test_what_was_typed_is_said_whichever_button_is_pressed(town, maud, claire, page, button):
    ask(maud, page)
    town.work()
    claire.post(thread(claire), data={"do": button, "text": "Thank you for asking."})
    town.work()
    assert "Thank you for asking." in maud.get(thread(maud)).text


def test_one_takes_along_what_was_said_and_the_page_says_that_it_is_kept(town, maud, claire, page):
    ask(maud, page)
    town.work()
    claire.post(thread(claire), data={"do": "message", "text": "Mostly."})
    claire.post(thread(claire), data={"do": "silence"})
    assert "wrote to each other" in claire.get("/me/data").text
    assert "stays with them" in claire.get("/me/deletion").text
    taken = zipfile.ZipFile(io.BytesIO(claire.get("/me/data/archive").data))
    readable = taken.read("profile.html").decode()
    assert "Maud Le Goff: Could you read my lease?" in readable
    assert "You: Mostly." in readable
    kept = json.loads(taken.read("account.json"))
    [told] = kept["conversations"]
    said = [(one["by_me"], one["act"], one["text"]) for one in told["messages"]]
    assert said == [(False, "ask", "Could you read my lease?"), (True, "message", "Mostly.")]
    assert (told["with"], told["space"], told["stands"]) == ("Maud Le Goff", "Lyon", "closed")
    assert [one["number"] for one in kept["hears_no_more_of"]] == [told["number"]]
    assert kept["told_by_mail"] is True


# --- the letters about it ------------------------------------------------------------------


def test_a_letter_says_who_wrote_and_holds_neither_address_nor_a_second_line_in_its_head(
    town, maud, page
):
    with town.at("lyon") as session:
        writer = session.scalars(select(Member).filter_by(name="Maud Le Goff")).one()
        writer.name = "Maud\u2028Bcc: all@x.example"
    ask(maud, page)
    town.work()
    [letter] = send_mail(town, "nantes")
    assert letter["To"] == "claire@x.example"
    assert letter["Bcc"] is None
    text = letter.as_string()
    assert "maud@x.example" not in text
    assert "Could you read my lease?" in letter.get_content()
    assert "https://nantes.example/introductions/" in letter.get_content()
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_the_letter_about_a_quote_says_what_for_when_and_for_how_much(town, maud, claire, page):
    ask(maud, page, kind="quote", timing="in May", budget="300 euros")
    town.work()
    [letter] = send_mail(town, "nantes")
    assert "\nAbout: Contracts · in May · 300 euros\n" in letter.get_content()
    talk = thread(claire)
    claire.post(talk, data={"do": "message", "text": "Gladly."})
    maud.post(thread(maud), data={"do": "message", "text": "Good."})
    town.work()
    later = send_mail(town, "nantes")
    assert "Good." in later[-1].get_content()
    assert "About:" not in later[-1].get_content()


@pytest.mark.parametrize(("chosen", "written"), [("fr", "en"), ("", "fr-CA")])
def test_a_letter_speaks_the_language_of_who_reads_it(town, maud, page, chosen, written):
    """The one they chose, or else the one they write in."""
    with town.at("nantes") as session:
        account = session.scalars(select(Account).filter_by(email="claire@x.example")).one()
        account.locale, account.member.locale = chosen, written
    ask(maud, page)
    town.work()
    [letter] = send_mail(town, "nantes")
    assert letter.get_content().startswith("Bonjour Claire")


def test_a_mail_server_that_fails_delays_the_letter_and_loses_nothing(
    town, maud, page, monkeypatch
):
    ask(maud, page)
    town.work()
    real = mail.send

    def fail(_letters):
        raise mail.MailNotSentError("off")

    monkeypatch.setattr(mail, "send", fail)
    for _ in range(10):
        assert send_mail(town, "nantes") == []
        town.later(days=1)
    monkeypatch.setattr(mail, "send", real)
    assert len(send_mail(town, "nantes")) == 1
    assert send_mail(town, "nantes") == []


def test_whoever_cannot_come_in_any_more_gets_no_letter(town, maud, page):
    ask(maud, page)
    town.work()
    with town.at("nantes") as session:
        session.scalars(select(Member).filter_by(name="Claire Vasseur")).one().left_at = town.now
    assert send_mail(town, "nantes") == []


def test_one_click_without_a_sign_in_stops_the_letters_and_a_scanner_does_not(town, maud, page):
    ask(maud, page)
    town.work()
    [letter] = send_mail(town, "nantes")
    address = letter["List-Unsubscribe"].strip(" <>").removeprefix("https://nantes.example")
    program = town.apps["nantes"].test_client()
    assert program.get(address).status_code == 200
    assert program.post(address[:-9] + "x/stop").status_code == 404
    maud.post(thread(maud), data={"do": "message", "text": "And one more"})
    town.work()
    assert len(send_mail(town, "nantes")) == 1
    town.apps["nantes"].config["WTF_CSRF_ENABLED"] = True
    stopped = program.post(address, data={"List-Unsubscribe": "One-Click"})
    town.apps["nantes"].config["WTF_CSRF_ENABLED"] = False
    assert "No more letters" in stopped.text
    maud.post(thread(maud), data={"do": "message", "text": "And another"})
    town.later(seconds=timedelta(minutes=1).seconds)
    town.work()
    assert send_mail(town, "nantes") == []


def test_whoever_stopped_the_letters_reads_so_and_gets_them_again_with_a_button(
    town, maud, claire, page
):
    with town.at("nantes") as session:
        session.scalars(select(Account).filter_by(email="claire@x.example")).one().letters = False
    assert 'action="/introductions/letters"' in claire.get("/introductions").text
    assert claire.post("/introductions/letters").location == "/introductions"
    assert "/introductions/letters" not in claire.get("/introductions").text
    ask(maud, page)
    town.work()
    assert len(send_mail(town, "nantes")) == 1
