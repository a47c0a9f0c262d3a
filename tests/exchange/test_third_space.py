"""A request that goes around three spaces: asked in Lyon, passed on in Nantes, taken up in Berlin.

Maud of Lyon asks Claire of Nantes, who proposes Jonas of Berlin. Lyon and Berlin need to be
neighbours for that; Nantes carries nothing between them but a name.
"""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.exchange import conversations, passing, peers
from app.exchange.conversations import Recipient, Request
from app.models.conversation import SAY, Conversation, Silence
from app.models.member import Member
from app.models.peer import MirroredProfile
from federation import signing
from federation.introductions import Introduction
from tests.neighbourhood import Neighbourhood, url_of
from tests.spaces import add_member, service, sign_in

WORDS = "Could you read a contract?"


@pytest.fixture
def town(tmp_path):
    """Nantes knows both; Lyon and Berlin do not know each other yet."""
    town = Neighbourhood(tmp_path, "lyon", "nantes", "berlin")
    for space, name in (("lyon", "Maud"), ("nantes", "Claire"), ("berlin", "Jonas")):
        with town.at(space):
            add_member(
                name, audience="me", email=f"{name.lower()}@x.example",
                services=(service(f"Contracts by {name}"),),
            )  # fmt: skip
        town.publish(space, name)
    town.befriend("lyon", "nantes")
    town.befriend("berlin", "nantes")
    town.network.requests.clear()
    yield town
    town.close()


def member(session, name):
    return session.scalars(select(Member).filter_by(name=name)).one()


def recipient(session, name):
    profile = session.scalars(select(MirroredProfile).filter_by(name=name)).one()
    return Recipient(profile.subject, name, "", profile.peer.name, profile.peer)


def talk_of(session, name):
    owner = member(session, name)
    mine = select(Conversation).filter_by(member_id=owner.id).order_by(Conversation.id.desc())
    return session.scalars(mine).first()


def ask_and_propose(town):
    with town.at("lyon") as session:
        conversations.ask(
            session, member(session, "Maud"), recipient(session, "Claire"),
            Request("quote", WORDS, timing="in May", budget="300 euros"),
            town.identity("lyon"), town.now,
        )  # fmt: skip
    town.work()
    with town.at("nantes") as session:
        passing.propose(
            session, talk_of(session, "Claire"), recipient(session, "Jonas").subject,
            "He knows leases.", town.identity("nantes"), town.now,
        )  # fmt: skip
    town.work()


def browser(town):
    client = town.apps["lyon"].test_client()
    sign_in(client, "maud@x.example")
    return client


def agree(town, client):
    """Press Maud's button, as the page of her conversation with Claire has it."""
    with town.at("lyon") as session:
        claire = select(Conversation.ref).filter_by(other_name="Claire")
        ref = session.scalars(claire).one()
    page = client.get(f"/introductions/{ref}").text
    button = f"/introductions/{ref}/passed"
    return page, button in page, client.post(button)


def known_in_berlin(town):
    with town.at("berlin") as session:
        return [
            (one.other_name, one.other_space, one.kind, one.timing, one.budget, one.passed_by,
             [each.text for each in one.messages])
            for one in session.scalars(select(Conversation))
        ]  # fmt: skip


def test_nobody_is_asked_in_a_space_that_the_askers_space_does_not_know(town):
    ask_and_propose(town)
    page, offered, answer = agree(town, browser(town))
    assert not offered
    assert answer.status_code == 303
    assert "Jonas" not in page
    town.work()
    assert known_in_berlin(town) == []
    assert ("POST", "berlin", "/federation/v1/intro") not in town.network.requests


@pytest.mark.parametrize("verb", [peers.suspend, peers.end])
def test_nor_in_one_with_which_it_has_parted_since_the_proposal(town, verb):
    town.befriend("lyon", "berlin")
    ask_and_propose(town)
    town.decide(verb, "lyon", "berlin")
    _page, offered, _answer = agree(town, browser(town))
    town.work()
    assert not offered
    assert known_in_berlin(town) == []


def test_the_colleague_gets_it_from_the_askers_space_and_nantes_learns_nothing_of_it(town):
    town.befriend("lyon", "berlin")
    ask_and_propose(town)
    assert known_in_berlin(town) == []
    town.network.requests.clear()
    page, offered, _answer = agree(town, browser(town))
    assert offered
    assert "Jonas" in page
    town.work()
    [got] = known_in_berlin(town)
    assert got == ("Maud", "Lyon", "quote", "in May", "300 euros", "Claire", [WORDS])
    letters = [host for _m, host, path in town.network.requests if path.endswith("/intro")]
    assert letters == ["berlin"]
    with town.at("berlin") as session:
        # What is said of the third person is the word of Lyon alone, and is shown as that.
        jonas = talk_of(session, "Jonas").ref
    client = town.apps["berlin"].test_client()
    sign_in(client, "jonas@x.example")
    assert "Claire proposed to ask you, as Lyon says" in client.get(f"/introductions/{jonas}").text


def test_a_third_space_that_is_down_for_a_week_gets_it_once_and_answers(town):
    town.befriend("lyon", "berlin")
    ask_and_propose(town)
    town.cut("berlin")
    client = browser(town)
    agree(town, client)
    # Whoever is unsure presses again: there is nothing more to take up.
    agree(town, client)
    for _day in range(7):
        town.later(days=1)
        town.work(2)
    assert known_in_berlin(town) == []
    with town.at("lyon") as session:
        assert talk_of(session, "Maud").messages[0].delivered_at is None
    town.mend("berlin")
    town.later(days=1)
    town.work()
    assert [one[0] for one in known_in_berlin(town)] == ["Maud"]
    with town.at("berlin") as session:
        conversations.say(
            session, talk_of(session, "Jonas"), SAY, "Gern.", town.identity("berlin"), town.now
        )
    town.work()
    with town.at("lyon") as session:
        said = [(one.mine, one.text) for one in talk_of(session, "Maud").messages]
        assert said == [(True, WORDS), (False, "Gern.")]


def test_the_space_that_passed_it_on_may_be_gone_by_then(town):
    town.befriend("lyon", "berlin")
    ask_and_propose(town)
    town.cut("nantes")
    agree(town, browser(town))
    town.work()
    assert [one[5] for one in known_in_berlin(town)] == ["Claire"]


def test_whom_the_colleague_blocked_in_a_third_space_is_not_named_to_them(town):
    town.befriend("lyon", "berlin")
    with town.at("berlin") as session:
        session.add(
            Silence(
                member_id=member(session, "Jonas").id, other=town.subject("nantes", "Claire"),
                since=town.now,
            )
        )  # fmt: skip
    ask_and_propose(town)
    agree(town, browser(town))
    town.work()
    assert [one[5] for one in known_in_berlin(town)] == [""]


def test_nantes_cannot_ask_in_the_name_of_somebody_of_lyon(town):
    """Who passes it on never sends it: a letter by Nantes about Maud is none."""
    town.befriend("lyon", "berlin")
    sender = {"sub": town.subject("lyon", "Maud"), "name": "Maud"}
    now = int(town.now.timestamp())
    claims = {
        "iss": url_of("nantes"), "aud": url_of("berlin"), "iat": now, "exp": now + 86_400,
        "sub": town.subject("berlin", "Jonas"), "id": "talk", "kind": "question", "text": WORDS,
        "sender": sender, "passed_by": {"sub": town.subject("nantes", "Claire"), "name": "Claire"},
    }  # fmt: skip
    token = signing.sign(claims, town.identity("nantes").operational_key, Introduction.typ)
    answer = town.apps["berlin"].test_client().post(
        "/federation/v1/intro", data=token, content_type="application/jwt"
    )  # fmt: skip
    assert answer.status_code == 400
    town.work()
    assert known_in_berlin(town) == []
