"""Not hearing somebody: on the page, across the wall, and without their noticing."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from app.exchange import outbox
from app.models.conversation import BLOCK, MUTE, Conversation, Message, Silence
from app.models.job import Job
from app.models.member import Member
from tests.neighbourhood import Neighbourhood
from tests.spaces import add_member, service
from tests.web.people import at_a_screen, page_in, text


@pytest.fixture
def town(tmp_path):
    """Claire of Nantes offers contracts; Maud of Lyon writes to her, and Youenn next door too."""
    town = Neighbourhood(tmp_path, "lyon", "nantes")
    with town.at("nantes"):
        add_member(
            "Claire Vasseur", audience="me", email="claire@x.example", services=(service("Law"),)
        )
        add_member("Youenn Kerbrat", audience="space", email="youenn@x.example")
    town.publish("nantes", "Claire Vasseur")
    with town.at("lyon"):
        add_member(
            "Maud Le Goff", audience="me", email="maud@x.example", services=(service("Art"),)
        )
    town.publish("lyon", "Maud Le Goff")
    town.befriend("lyon", "nantes")
    yield town
    town.close()


@pytest.fixture
def youenn(town):
    return at_a_screen(town, "nantes", "youenn@x.example")


def ask(town, browser, space, words="Could you read my lease?"):
    page = page_in(town, space, "Claire Vasseur")
    answer = browser.post(f"{page}/ask", data={"text": words})
    town.work()
    return answer


def threads(browser):
    listed = browser.get("/introductions").text
    return sorted(set(re.findall(r'href="(/introductions/\w{26})#', listed)))


def heard(town, space="nantes", name="Claire Vasseur"):
    """Return what reached somebody, and how many letters by mail it made."""
    with town.at(space) as session:
        words = session.scalars(
            select(Message.text)
            .join(Message.conversation)
            .join(Conversation.member)
            .where(Member.name == name, Message.mine.is_(False))
            .order_by(Message.id)
        ).all()
        mails = session.scalars(select(Job).filter_by(kind=outbox.MAIL)).all()
        for one in mails:
            session.delete(one)
        return list(words), len(mails)


def silences(town, space="nantes"):
    with town.at(space) as session:
        rows = session.scalars(select(Silence).order_by(Silence.name))
        return [(one.name, one.space, one.kind) for one in rows]


# --- who may not ----------------------------------------------------------------------


def test_visitors_silence_nobody_and_nobody_silences_themselves(town, claire):
    visitor = town.apps["nantes"].test_client()
    for name in ("Youenn Kerbrat", "Maud Le Goff"):
        path = f"{page_in(town, 'nantes', name)}/silence"
        assert visitor.post(path, data={"kind": BLOCK}).location.startswith("/sign-in")
    assert visitor.post("/me/silences/end").location.startswith("/sign-in")
    mine = f"{page_in(town, 'nantes', 'Claire Vasseur')}/silence"
    assert claire.post(mine, data={"kind": BLOCK}).status_code == 403
    other = f"{page_in(town, 'nantes', 'Youenn Kerbrat')}/silence"
    assert claire.post(other, data={"kind": "shout"}).status_code == 400
    assert silences(town) == []


def test_the_conversation_of_somebody_else_silences_nobody(town, claire, youenn, maud):
    ask(town, maud, "lyon")
    [address] = set(
        re.findall(r'href="(/introductions/\w{26})#', claire.get("/introductions").text)
    )
    assert youenn.post(f"{address}/silence", data={"kind": BLOCK}).status_code == 404
    assert silences(town) == []


def test_nobody_ends_the_silence_of_somebody_else(town, claire, youenn):
    claire.post(f"{page_in(town, 'nantes', 'Maud Le Goff')}/silence", data={"kind": BLOCK})
    with town.at("nantes") as session:
        other = session.scalars(select(Silence.other)).one()
    youenn.post("/me/silences/end", data={"other": other})
    assert silences(town) == [("Maud Le Goff", "Lyon", BLOCK)]


# --- blocked --------------------------------------------------------------------------


@pytest.mark.parametrize(("space", "name", "address"), [
    ("lyon", "Maud Le Goff", "maud@x.example"), ("nantes", "Youenn Kerbrat", "youenn@x.example"),
])  # fmt: skip
def test_who_is_blocked_sees_all_as_before_and_reaches_nobody(town, claire, space, name, address):
    writer = at_a_screen(town, space, address)
    open_, shut = [], []
    claire.post(f"{page_in(town, 'nantes', name)}/silence", data={"kind": BLOCK})
    shut.append(ask(town, writer, space).status_code)
    said = re.findall(r'href="(/introductions/\w{26})#', writer.get("/introductions").text)
    shut.append(writer.post(said[0], data={"do": "message", "text": "Hello?"}).status_code)
    town.work()
    assert heard(town) == ([], 0)
    shown = text(writer.get(said[0]))
    assert "on its way" not in shown
    claire.post("/me/silences/end", data={"other": _other(town)})
    with town.at(space) as session:
        for one in session.scalars(select(Conversation)):
            session.delete(one)
    open_.append(ask(town, writer, space).status_code)
    said = re.findall(r'href="(/introductions/\w{26})#', writer.get("/introductions").text)
    open_.append(writer.post(said[0], data={"do": "message", "text": "Hello?"}).status_code)
    town.work()
    assert open_ == shut
    assert heard(town)[0] == ["Could you read my lease?", "Hello?"]
    neutral = re.compile(r"\d\d:\d\d")
    assert neutral.sub("", text(writer.get(said[0]))) == neutral.sub("", shown)


def _other(town):
    with town.at("nantes") as session:
        return session.scalars(select(Silence.other)).one()


def test_blocking_from_a_conversation_ends_it_on_this_side_alone(town, claire, maud):
    ask(town, maud, "lyon")
    [address] = set(
        re.findall(r'href="(/introductions/\w{26})#', claire.get("/introductions").text)
    )
    assert claire.post(f"{address}/silence", data={"kind": BLOCK}).location == "/me/silences"
    town.work()
    with town.at("nantes") as session:
        assert session.scalars(select(Conversation.state)).one() == "closed"
    with town.at("lyon") as session:
        assert session.scalars(select(Conversation.state)).one() == "waiting"


# --- muted ----------------------------------------------------------------------------


def test_who_is_muted_reaches_the_page_and_rings_no_bell(town, claire, maud):
    claire.post(f"{page_in(town, 'nantes', 'Maud Le Goff')}/silence", data={"kind": MUTE})
    ask(town, maud, "lyon")
    assert heard(town) == (["Could you read my lease?"], 0)
    page = claire.get("/introductions").text
    assert "Maud Le Goff" in page
    assert 'class="badge"' not in re.search(r"<nav.*?</nav>", page, re.S)[0]
    claire.post("/me/silences/end", data={"other": _other(town)})
    assert 'class="badge"' in claire.get("/introductions").text


def test_who_is_neither_rings_the_bell(town, claire, maud):
    ask(town, maud, "lyon")
    assert heard(town) == (["Could you read my lease?"], 1)
    assert 'class="badge"' in claire.get("/introductions").text


# --- the page -------------------------------------------------------------------------


def test_the_page_names_everybody_with_their_space_and_lets_each_speak_again(town, claire):
    claire.post(f"{page_in(town, 'nantes', 'Maud Le Goff')}/silence", data={"kind": BLOCK})
    claire.post(f"{page_in(town, 'nantes', 'Youenn Kerbrat')}/silence", data={"kind": MUTE})
    said = text(claire.get("/me/silences"))
    assert "Maud Le Goff Lyon · blocked: nothing arrives" in said
    assert "Youenn Kerbrat Nantes · muted: it arrives, and you are not told" in said
    for other in re.findall(r'name="other" value="([^"]+)"', claire.get("/me/silences").text):
        claire.post("/me/silences/end", data={"other": other})
    assert silences(town) == []
    assert "You hear everybody" in text(claire.get("/me/silences"))


def test_choosing_anew_takes_the_place_of_what_was_chosen(town, claire):
    path = f"{page_in(town, 'nantes', 'Maud Le Goff')}/silence"
    claire.post(path, data={"kind": BLOCK})
    claire.post(path, data={"kind": MUTE})
    assert silences(town) == [("Maud Le Goff", "Lyon", MUTE)]


def test_somebody_without_a_profile_has_an_empty_page(town, claire):
    with town.at("nantes") as session:
        session.scalars(select(Member).filter_by(name="Claire Vasseur")).one().account.member = None
    assert claire.get("/me/silences").status_code == 200
    assert claire.post("/me/silences/end", data={"other": "x"}).status_code == 303
