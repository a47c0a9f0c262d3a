"""Blocks with circles of their own: what is signed, withdrawn, agreed to, and taken back."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.exchange.given import given
from app.exchange.publish import publish_member
from app.models.consent import BY_LIST
from app.models.member import NAME, Member
from app.models.scope import Reader, may_see
from app.models.seen import as_seen
from tests.neighbourhood import Neighbourhood
from tests.spaces import add_member, service


@pytest.fixture
def town(tmp_path):
    town = Neighbourhood(tmp_path, "nantes")
    with town.at("nantes"):
        add_member(
            "Claire", audience="me", headline="Words", profession="Lawyer",
            services=(service("Advice"), service("Coffee")),
        )  # fmt: skip
    yield town
    town.close()


def choose(town, usual, apart=(), services=(), **said):
    """Let Claire choose, publish, and return what neighbours get and what the log says anew."""
    with town.at("nantes") as session:
        claire = session.scalars(select(Member)).one()
        for one, circle in zip(claire.services, services, strict=False):
            one.audience = circle
        before = len(claire.consents)
        claire.present(usual, dict(apart), town.now, **said)
        identity = town.identity("nantes")
        signed = publish_member(session, claire, identity, town.now)
        session.flush()
        found = given(session, claire, identity)
        log = [(line.circle, line.block, line.given) for line in claire.consents[before:]]
        return signed, found and found.claims, log, claire.audience


def test_nothing_is_agreed_to_and_nothing_is_signed_while_nothing_leaves_the_space(town):
    assert choose(town, "space") == (False, None, [], "space")


def test_an_unknown_circle_or_block_changes_nothing(town):
    for apart in ({"words": "everybody"}, {"shoe size": "web"}):
        with pytest.raises(ValueError, match="unknown"):
            choose(town, "space", apart)
    assert choose(town, "me")[3] == "me"


def test_one_block_for_neighbours_takes_the_name_along_and_nothing_else(town):
    signed, claims, log, widest = choose(town, "me", {"words": "neighbours"})
    assert (signed, widest) == (True, "neighbours")
    assert (claims["name"], claims["headline"]) == ("Claire", "Words")
    assert {"profession", "services", "web"}.isdisjoint(claims)
    assert log == [("neighbours", "name", True), ("neighbours", "words", True)]


def test_the_web_is_agreed_to_apart_and_each_service_by_itself(town):
    _signed, claims, log, _widest = choose(town, "neighbours", services=("web", ""))
    advice = claims["services"][0]["id"]
    assert (claims["aud"], claims["web_services"]) == ("peers", [advice])
    assert [line for line in log if line[0] == "web"] == [
        ("web", "name", True), ("web", f"service:{advice}", True),
    ]  # fmt: skip


def test_a_document_is_for_anybody_only_when_nothing_in_it_is_for_peers_alone(town):
    assert choose(town, "web")[1]["aud"] == "public"
    assert choose(town, "web", {"words": "neighbours"})[1]["aud"] == "peers"
    assert choose(town, "web", {"words": "space"})[1]["aud"] == "public"


def test_narrowing_the_last_block_withdraws_and_takes_the_consent_back(town):
    choose(town, "me", {"words": "neighbours"})
    signed, claims, log, widest = choose(town, "me", {"words": "space"})
    assert (signed, claims, widest) == (True, None, "space")
    assert log == [("neighbours", "name", False), ("neighbours", "words", False)]


def test_the_document_bears_the_day_of_the_consent_and_keeps_it(town):
    first = town.now
    choose(town, "neighbours")
    town.later(days=3)
    _signed, claims, _log, _widest = choose(town, "neighbours", {"work": "space"})
    assert claims["consent_at"] == int(first.timestamp())


def test_the_web_has_a_day_of_its_own_and_gets_no_more_than_what_it_was_given_for(town):
    choose(town, "neighbours")
    town.later(days=3)
    _signed, claims, log, _widest = choose(town, "neighbours", {"words": "web"})
    assert claims["consent_at"] == int(town.now.timestamp())
    assert log == [("web", "name", True), ("web", "words", True)]
    assert {"name", "headline", "locale"} <= set(claims["web"])
    assert {"profession", "services", "interests"}.isdisjoint(claims["web"])


def test_what_was_taken_back_and_is_given_again_is_a_new_consent(town):
    choose(town, "neighbours")
    choose(town, "space")
    town.later(days=3)
    _signed, claims, log, _widest = choose(town, "neighbours")
    assert claims["consent_at"] == int(town.now.timestamp())
    assert log[0] == ("neighbours", "name", True)


@pytest.mark.parametrize("away", ["hidden_at", "resting_at"])
def test_who_is_hidden_or_rests_agrees_on_the_day_all_the_same(town, away):
    """Else the day would be an earlier one when they are shown again."""
    choose(town, "neighbours")
    with town.at("nantes") as session:
        claire = session.scalars(select(Member)).one()
        setattr(claire, away, town.now)
        town.later(days=3)
        claire.present("web", {}, town.now)
        assert claire.consent_at == town.now


def test_who_sees_no_text_learns_neither_its_language_nor_that_it_was_translated(town):
    with town.at("nantes") as session:
        claire = session.scalars(select(Member)).one()
        claire.locale, claire.translations = "fr", [{"lang": "en", "headline": "Words"}]

        def told(apart, service="me"):
            claire.services[0].audience, claire.services[1].audience = service, "me"
            claire.present("me", apart, town.now)
            seen = as_seen(claire, Reader.NEIGHBOUR)
            return seen.locale, len(seen.translations)

        assert told({"interests": "neighbours"}) == ("", 0)
        assert told({"work": "neighbours"}) == ("fr", 0)
        assert told({}, service="neighbours") == ("fr", 0)
        assert told({"words": "neighbours"}) == ("fr", 1)


def test_a_list_says_on_whose_word_it_was(town):
    choose(town, "neighbours", by=BY_LIST, detail="members.csv")
    with town.at("nantes") as session:
        lines = session.scalars(select(Member)).one().consents
        assert {(line.said_by, line.detail) for line in lines} == {("list", "members.csv")}


def test_one_smaller_circle_for_everything_leaves_nothing_wider(town):
    choose(town, "space", {"words": "web"}, services=("web", "me"))
    with town.at("nantes") as session:
        claire = session.scalars(select(Member)).one()
        claire.show_to("space", town.now)
        assert [claire.circle_of(one) for one in claire.services] == ["space", "me"]
        assert (claire.circle_of("words"), claire.circle_of(NAME)) == ("space", "space")
        assert may_see(Reader.MEMBER, claire, NAME)
        assert not may_see(Reader.NEIGHBOUR, claire, NAME)
