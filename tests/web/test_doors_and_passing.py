"""Closing one's doors, passing a request on, and agreeing to it: the pages and what they keep."""

from __future__ import annotations

import io
import json
import re
import zipfile
from datetime import date, datetime
from email.policy import default

import pytest
from sqlalchemy import select

from app.models.conversation import Conversation
from app.models.member import Member
from app.models.peer import MirroredProfile
from app.models.scope import Reader
from app.models.space import Space
from app.search.cards import card_of_member, card_of_mirrored
from tests.neighbourhood import Neighbourhood, url_of
from tests.spaces import add_member, service
from tests.web.people import at_a_screen, page_in
from tests.web.test_introductions import send_mail, thread


@pytest.fixture
def town(tmp_path):
    town = Neighbourhood(tmp_path, "lyon", "nantes")
    with town.at("nantes"):
        for name, address in (("Claire", "claire"), ("Youenn", "youenn"), ("Solène", "solene")):
            add_member(
                name, audience="me", email=f"{address}@x.example",
                services=(service("Contracts"),),
            )  # fmt: skip
    for name in ("Claire", "Youenn"):
        town.publish("nantes", name)
    town.publish("nantes", "Solène", audience="space")
    with town.at("lyon"):
        add_member("Maud Le Goff", audience="me", email="maud@x.example")
    town.befriend("lyon", "nantes")
    yield town
    town.close()


def page_of(town, name="Claire"):
    return page_in(town, "lyon", name)


def subject(town, name):
    with town.at("nantes") as session:
        ref = session.scalars(select(Member.ref).filter_by(name=name)).one()
        return f"{url_of('nantes')}/m/{ref}"


def ask(town, browser, text="Could you read my lease?", **more):
    return browser.post(f"{page_of(town)}/ask", data={"text": text, **more})


DOORS = {"questions": "on", "quotes": "on", "until": "2026-05-01", "word": "Two <b>leases</b>"}


# --- doors ---------------------------------------------------------------------------------


def test_visitors_are_sent_to_sign_in_and_whoever_has_no_profile_writes_one_first(town):
    visitor = town.apps["nantes"].test_client()
    assert visitor.get("/me/doors").location == "/sign-in?next=/me/doors"
    assert visitor.post("/me/doors", data=DOORS).location.startswith("/sign-in")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"until": "2026-03-02"}, "from tomorrow on"),
        ({"until": "2029-01-01"}, "within a year"),
        ({"until": "soon"}, "Enter a day"),
        ({"word": "a" * 161}, "Shorten this by 1 character."),
    ],
    ids=str,
)
def test_what_cannot_be_saved_is_kept_and_explained(town, claire, given, said):
    answer = claire.post("/me/doors", data={**DOORS, **given})
    assert answer.status_code == 422
    assert said in answer.text
    assert next(iter(given.values())) in answer.text
    with town.at("nantes") as session:
        assert session.scalars(select(Member).filter_by(name="Claire")).one().closed_until is None


def test_a_closed_door_shows_on_the_profile_and_in_lists_here_and_at_neighbours(town, maud, claire):
    assert claire.post("/me/doors", data=DOORS).status_code == 303
    town.work()
    shown = maud.get(page_of(town)).text
    assert "Full until" in shown
    assert "Two &lt;b&gt;leases&lt;/b&gt;" in shown
    assert "takes no requests until" in shown
    assert 'name="text"' not in shown
    assert "Full until" in maud.get("/search?q=Contracts&scope=everywhere").text
    ref = subject(town, "Claire").rpartition("/")[2]
    youenn = at_a_screen(town, "nantes", "youenn@x.example")
    assert "Full until" in youenn.get(f"/m/{ref}").text
    assert "Full until" in youenn.get("/").text


@pytest.mark.parametrize(("day", "shut"), [("2026-04-30", True), ("2026-05-01", False)])
def test_full_until_may_is_said_before_the_day_and_no_more_on_it(town, claire, day, shut):
    """Here and at neighbours, who hold the day as it was signed; nobody does anything on it."""
    claire.post("/me/doors", data=DOORS)
    town.work()
    until = date(2026, 5, 1) if shut else None
    with town.at("nantes") as session:
        member = session.scalars(select(Member).filter_by(name="Claire")).one()
        space = session.get(Space, 1)
        card = card_of_member(member, space, date.fromisoformat(day), Reader.MEMBER)
        assert card.closed_until == until
        member.services[0].audience = "me"
        # Without a service to be seen there is no door that could be closed.
        card = card_of_member(member, space, date.fromisoformat(day), Reader.MEMBER)
        assert (card.services, card.closed_until) == ((), None)
    with town.at("lyon") as session:
        copy = session.scalars(select(MirroredProfile).filter_by(name="Claire")).one()
        noon = datetime.fromisoformat(f"{day}T12:00+00:00")
        assert card_of_mirrored(copy, noon).closed_until == until


def test_one_takes_along_what_one_said_of_ones_doors(claire):
    claire.post("/me/doors", data={**DOORS, "quotes": ""})
    taken = zipfile.ZipFile(io.BytesIO(claire.get("/me/data/archive").data))
    told = json.loads(taken.read("account.json"))["profile"]
    assert (told["full_until"], told["full_word"]) == ("2026-05-01", "Two <b>leases</b>")


def test_who_had_the_page_open_reads_until_when_and_keeps_what_they_typed(town, maud, claire):
    claire.post("/me/doors", data=DOORS)
    town.work()
    answer = ask(town, maud, "A question typed in vain")
    assert answer.status_code == 409
    assert "A question typed in vain" in answer.text
    assert "takes no requests until" in answer.text


def test_whoever_takes_quotes_alone_is_not_asked_a_quick_question(town, maud, claire):
    claire.post("/me/doors", data={"quotes": "on"})
    town.work()
    shown = maud.get(page_of(town)).text
    assert 'maxlength="280"' not in shown
    assert "kind=quote" in shown
    assert 'maxlength="280"' not in maud.get(f"{page_of(town)}/ask").text
    assert ask(town, maud).status_code == 422
    assert ask(town, maud, kind="quote").status_code == 303


def test_whoever_takes_nothing_has_no_door(town, maud, claire):
    claire.post("/me/doors", data={})
    town.work()
    assert "/ask" not in maud.get(page_of(town)).text
    assert ask(town, maud).status_code == 404


# --- passing on ------------------------------------------------------------------------------


def test_in_two_clicks_a_colleague_is_proposed_and_with_a_third_persons_yes_asked(
    town, maud, claire
):
    ask(town, maud, "Is <i>this</i> fair?", kind="quote", timing="in May")
    town.work()
    assert f"{thread(claire)}/passing" in claire.get(thread(claire)).text
    offered = claire.get(f"{thread(claire)}/passing").text
    assert f'value="{subject(town, "Youenn")}"' in offered
    for hidden in ("Solène", "Claire"):
        assert f'value="{subject(town, hidden)}"' not in offered
    proposed = claire.post(
        f"{thread(claire)}/passing", data={"to": subject(town, "Youenn"), "text": "He knows."}
    )
    assert proposed.status_code == 303
    town.work()
    youenn = at_a_screen(town, "nantes", "youenn@x.example")
    assert "Maud" not in youenn.get("/introductions").text
    told = maud.get(thread(maud)).text
    assert "Claire proposes to ask Youenn" in told
    assert "Is &lt;i&gt;this&lt;/i&gt; fair?" in told
    assert "He knows." in told
    assert maud.post(f"{thread(maud)}/passed").status_code == 303
    town.work()
    got = youenn.get(thread(youenn)).text
    assert "Is &lt;i&gt;this&lt;/i&gt; fair?" in got
    assert "Claire proposed to ask you" in got
    assert "in May" in got


@pytest.mark.parametrize("words", ["Is this fair?", "x" * 1985])
def test_a_colleague_with_whom_the_asker_talks_already_reads_the_request_there(
    town, maud, claire, words
):
    """There is one conversation with each person: what is passed on is said in it."""
    maud.post(f"{page_of(town, 'Youenn')}/ask", data={"text": "Lunch at one?"})
    town.later(hours=1)
    ask(town, maud, words, kind="quote", timing="in May")
    town.work()
    claire.post(f"{thread(claire)}/passing", data={"to": subject(town, "Youenn")})
    town.work()
    with town.at("lyon") as session:
        offered = session.scalars(select(Conversation).filter_by(other_name="Claire")).one().ref
    assert (
        "On its way to Youenn"
        in maud.get(maud.post(f"/introductions/{offered}/passed").location).text
    )
    town.work()
    youenn = at_a_screen(town, "nantes", "youenn@x.example")
    got = youenn.get(thread(youenn)).text
    assert all(said in got for said in ("Lunch at one?", words, "When: in May"))
    assert ("Claire proposed that I ask you." in got) == (len(words) < 100)


@pytest.mark.parametrize("to", ["Solène", "Claire", "nobody", "Maud", ""])
def test_nobody_proposes_whom_the_asker_may_not_know_or_one_of_the_two(town, maud, claire, to):
    ask(town, maud)
    town.work()
    if to == "Maud":
        with town.at("nantes") as session:
            other = session.scalars(select(Conversation.other)).one()
    else:
        known = to in ("Solène", "Claire")
        other = subject(town, to) if known else to and f"{url_of('nantes')}/m/x"
    answer = claire.post(f"{thread(claire)}/passing", data={"to": other, "text": "Kept words"})
    assert answer.status_code == 422
    assert "Kept words" in answer.text
    town.work()
    assert "proposes" not in maud.get(thread(maud)).text


@pytest.mark.parametrize("doors", [{"quotes": "on"}, DOORS], ids=["quotes alone", "full until"])
def test_a_colleague_who_does_not_take_it_now_is_not_asked_though_they_were_proposed(
    town, maud, claire, doors
):
    youenn = at_a_screen(town, "nantes", "youenn@x.example")
    youenn.post("/me/doors", data=doors)
    ask(town, maud)
    town.work()
    claire.post(f"{thread(claire)}/passing", data={"to": subject(town, "Youenn")})
    town.work()
    told = maud.get(thread(maud)).text
    assert "They cannot be asked at the moment." in told
    assert "/passed" not in told
    answer = maud.post(f"{thread(maud)}/passed")
    assert "nothing was sent" in maud.get(answer.location).text
    town.work()
    assert "Maud" not in youenn.get("/introductions").text


def test_nobody_passes_on_or_agrees_for_somebody_else(town, maud, claire):
    ask(town, maud)
    town.work()
    youenn = at_a_screen(town, "nantes", "youenn@x.example")
    address, given = thread(claire), {"to": subject(town, "Youenn")}
    assert youenn.get(f"{address}/passing").status_code == 404
    assert youenn.post(f"{address}/passing", data=given).status_code == 404
    assert youenn.post(f"{address}/passed").status_code == 404
    # Whoever asked has nobody to pass their own request on for.
    assert maud.get(f"{thread(maud)}/passing").location == f"{thread(maud)}#thread"
    claire.post(f"{address}/passing", data=given)
    # Whoever was asked does not agree in the asker's place.
    claire.post(f"{address}/passed")
    town.work()
    heard = youenn.get("/introductions").text
    assert "Maud" not in heard
    assert "Could you read my lease?" not in heard


def test_a_proposal_of_somebody_whom_the_own_space_does_not_know_names_nobody(town, maud, claire):
    ask(town, maud)
    town.work()
    claire.post(f"{thread(claire)}/passing", data={"to": subject(town, "Youenn")})
    with town.at("nantes") as session:
        session.scalars(select(Member).filter_by(name="Youenn")).one().show_to("space", town.now)
    town.publish("nantes", "Youenn", audience="space")
    town.work()
    told = maud.get(thread(maud)).text
    assert "Your space does not know whom" in told
    assert "Youenn" not in told
    maud.post(f"{thread(maud)}/passed")
    town.work()
    youenn = at_a_screen(town, "nantes", "youenn@x.example")
    assert "Maud" not in youenn.get("/introductions").text


def test_a_word_to_somebody_who_ended_it_meanwhile_is_kept(town, maud, claire):
    ask(town, maud)
    town.work()
    maud.post(thread(maud), data={"do": "close"})
    town.work()
    typed = {"to": subject(town, "Youenn"), "text": "He knows more about leases"}
    answer = claire.post(f"{thread(claire)}/passing", data=typed)
    assert answer.status_code == 409
    assert "This conversation is over." in answer.text
    assert "He knows more about leases" in answer.text


# --- quotes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"title": ""}, "Write what it is"),
        ({"price": "x" * 161}, "Keep it to one line."),
        ({"until": "2026-03-01"}, "This day has passed"),
        ({"words": "a" * 2000}, "Shorten this by"),
    ],
    ids=str,
)
def test_a_quote_that_cannot_be_sent_is_kept_and_explained(town, maud, claire, given, said):
    ask(town, maud)
    town.work()
    typed = {"title": "Reading", "price": "90 euros", "words": "Gladly.", **given}
    answer = claire.post(f"{thread(claire)}/quote", data=typed)
    assert answer.status_code == 422
    assert said in answer.text
    assert typed["words"] in answer.text
    town.work()
    assert "Quote of" not in maud.get(thread(maud)).text


def test_a_quote_begins_with_the_members_own_rate_and_arrives_dated(town, maud, claire):
    with town.at("nantes") as session:
        [offered] = session.scalars(select(Member).filter_by(name="Claire")).one().services
        offered.mode, offered.rate, offered.coworker_rate = "paid", 120, 90
        offered.currency, offered.unit = "EUR", "hour"
    ask(town, maud)
    town.work()
    assert f"{thread(claire)}/quote" in claire.get(thread(claire)).text
    form = claire.get(f"{thread(claire)}/quote").text
    assert 'value="Contracts"' in form
    assert "90" in re.search(r'name="price"[^>]*value="([^"]*)"', form)[1]
    typed = {"title": "Contracts", "price": "90 €/h", "until": "2026-05-01", "words": "<b>Two</b>"}
    assert claire.post(f"{thread(claire)}/quote", data=typed).status_code == 303
    town.work()
    told = maud.get(thread(maud)).text
    for said in ("Quote of 2 March 2026", "Contracts: 90 €/h", "&lt;b&gt;Two&lt;/b&gt;"):
        assert said in told
    assert (
        at_a_screen(town, "nantes", "youenn@x.example").get(f"{thread(claire)}/quote").status_code
        == 404
    )


# --- what else conversations keep ----------------------------------------------------------------


def test_a_quote_into_an_open_conversation_says_when_and_for_how_much(town, maud, claire):
    ask(town, maud)
    ask(town, maud, "And a second one", kind="quote", timing="in May", budget="300 euros")
    town.work()
    told = claire.get(thread(claire)).text
    assert "in May" in told
    assert "300 euros" in told


def test_words_have_the_language_of_whoever_wrote_them(town, maud, claire):
    with town.at("lyon") as session:
        session.scalars(select(Member).filter_by(name="Maud Le Goff")).one().locale = "de"
    ask(town, maud, "Ist das fair?")
    town.work()
    assert re.search(
        r'class="message" lang="de">\s*<p>Ist das fair', claire.get(thread(claire)).text
    )


def test_who_waits_for_a_space_that_is_no_neighbour_any_more_reads_until_when(town, maud):
    ask(town, maud)
    with town.at("lyon") as session:
        town.peer_in(session, "nantes").ours = "ended"
    told = maud.get(thread(maud)).text
    assert "is no neighbour at the moment" in told
    assert "waits for a month" in told


def test_letters_have_an_address_for_answers_of_their_own_where_there_is_one(town, maud):
    town.apps["nantes"].config["REPLY_ADDRESS"] = "reply+{token}@nantes.example"
    ask(town, maud)
    town.work()
    [letter] = send_mail(town, "nantes")
    assert re.fullmatch(r"reply\+[0-9a-z]{52}@nantes\.example", letter["Reply-To"])
    assert letter.policy == default
    assert letter.get_content().startswith("~~~ ")
    assert "maud@x.example" not in letter.as_string()
