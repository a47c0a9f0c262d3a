"""What a space is told that we hold of it, and who is told nothing."""

from __future__ import annotations

import pytest

from app.exchange import peers
from federation import signing
from federation.documents import Profile, Withdrawal
from federation.keys import new_key
from tests.wire.conftest import LYON, NANTES, problem

HELD = "/federation/v1/held"


@pytest.fixture
def three(neighbours):
    """Nantes holds two people of Lyon, one who withdrew, and somebody of Paris."""
    for person in ("Aïcha Benali", "Bastien Rey", "Chloé Sorel"):
        neighbours.publish("lyon", person)
    neighbours.work()
    neighbours.publish("lyon", "Chloé Sorel", audience="me")
    neighbours.build("paris")
    neighbours.publish("paris", "Dilan Kaya")
    neighbours.befriend("paris", "nantes")
    assert neighbours.held("nantes") == {"Aïcha Benali", "Bastien Rey", "Dilan Kaya"}
    return neighbours


def ask(client, token=None, query=""):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return client.get(HELD + query, headers=headers)


def test_whoever_does_not_say_who_they_are_is_told_nothing(three, nantes):
    assert problem(ask(nantes)) == (403, "not-peered")


@pytest.mark.parametrize(
    ("wrong", "refused"),
    [
        ({"key": new_key()}, (401, "key-unknown")),
        ({"iss": "https://stranger.example"}, (403, "unknown-issuer")),
        ({"aud": LYON}, (403, "wrong-audience")),
        ({"htu": NANTES + "/federation/v1/feed"}, (403, "wrong-audience")),
        ({"iat": 1, "exp": 100}, (400, "expired")),
    ],
    ids=["another key", "a stranger", "for another space", "for the feed", "old"],
)
def test_whoever_says_it_wrongly_is_told_nothing(three, nantes, letters, wrong, refused):
    assert problem(ask(nantes, letters.assertion(path=HELD, **wrong))) == refused


def test_an_assertion_tells_it_once(three, nantes, letters):
    token = letters.assertion(path=HELD)
    assert ask(nantes, token).status_code == 200
    assert problem(ask(nantes, token)) == (400, "expired")


@pytest.mark.parametrize(
    ("verb", "refused"), [(peers.suspend, "suspended"), (peers.end, "not-peered")]
)
def test_who_is_no_neighbour_now_is_told_nothing(three, nantes, letters, verb, refused):
    three.decide(verb, "nantes", "lyon")
    assert problem(ask(nantes, letters.assertion(path=HELD))) == (403, refused)


@pytest.mark.parametrize("since", ["../x", "a.b", "x" * 65, "%00", "a b"])
def test_a_cursor_that_we_never_gave_out_is_refused(three, nantes, letters, since):
    token = letters.assertion(path=HELD)
    assert problem(ask(nantes, token, f"?since={since}")) == (400, "invalid-document")


def test_a_neighbour_is_told_its_own_documents_and_its_own_word_about_the_whole(
    three, nantes, letters
):
    answer = ask(nantes, letters.assertion(path=HELD))
    page = answer.get_json()
    assert (set(page), page["more"]) == ({"items", "next", "more", "checkpoint"}, False)
    kinds = sorted(signing.typ_of(jws) for jws in page["items"])
    assert kinds == [Profile.typ, Profile.typ, Withdrawal.typ]
    issuers = {signing.unverified_claims(jws, signing.typ_of(jws))["iss"] for jws in page["items"]}
    assert issuers == {LYON}
    assert page["checkpoint"] == three.peer("nantes", "lyon", "their_checkpoint")
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_pages_follow_each_other_by_their_cursor(three, nantes, letters, monkeypatch):
    whole = ask(nantes, letters.assertion(path=HELD)).get_json()["items"]
    monkeypatch.setattr("app.wire.held.PAGE_ITEMS", 1)
    seen, since, more = [], "", True
    while more:
        page = ask(nantes, letters.assertion(path=HELD), f"?since={since}").get_json()
        seen += page["items"]
        since, more = page["next"], page["more"]
    assert seen == whole


def test_a_page_holds_no_more_bytes_than_a_page_may_have(three, nantes, letters, monkeypatch):
    whole = ask(nantes, letters.assertion(path=HELD)).get_json()["items"]
    monkeypatch.setattr("app.wire.held.PAGE_BYTES", 26_000 + len(whole[0]))
    page = ask(nantes, letters.assertion(path=HELD)).get_json()
    assert (page["items"], page["more"]) == (whole[:1], True)


# --- asking the feed for some people


FEED = "/federation/v1/feed"


def about(town, client, letters, query, *, known=True):
    headers = {"Authorization": f"Bearer {letters.assertion()}"} if known else {}
    return client.get(f"{FEED}?{query}", headers=headers)


@pytest.mark.parametrize(
    "query",
    [
        "refs=",
        "refs=a,,b",
        "refs=../x",
        "refs=a%00",
        "refs=" + ",".join(f"r{number}" for number in range(51)),
        "refs=" + "a" * 65,
        "refs=a&since=e.1",
        "refs=a&limit=1",
    ],
)
def test_a_question_that_is_none_is_refused(neighbours, nantes, letters, query):
    assert problem(about(neighbours, nantes, letters, query)) == (400, "invalid-document")


def test_a_neighbour_gets_what_the_feed_has_about_those_it_names(neighbours, nantes, letters):
    claire, youenn = (
        neighbours.subject("nantes", name).rpartition("/")[2]
        for name in ("Claire Vasseur", "Youenn Kerbrat")
    )
    page = about(neighbours, nantes, letters, f"refs={claire},nobody").get_json()
    assert [len(page["items"]), page["next"], page["more"]] == [1, "", False]
    strangers = about(neighbours, nantes, letters, f"refs={claire},{youenn}", known=False)
    (only,) = strangers.get_json()["items"]
    assert signing.unverified_claims(only["jws"], Profile.typ)["name"] == "Youenn Kerbrat"


# --- is our database older than theirs?


def doubts(town):
    return [outcome.kind for outcome in town.work_at("nantes") if outcome.kind == "doubt"]


def test_a_neighbour_with_a_cursor_ahead_of_us_is_asked_to_show_our_signature(
    neighbours, nantes, letters
):
    epoch = nantes.get(FEED).get_json()["epoch"]
    headers = {"Authorization": f"Bearer {letters.assertion()}"}
    answer = nantes.get(f"{FEED}?since={epoch}.999", headers=headers)
    assert problem(answer) == (410, "epoch-changed")
    assert doubts(neighbours) == ["doubt"]


def test_a_stranger_with_such_a_cursor_is_not(neighbours, nantes):
    epoch = nantes.get(FEED).get_json()["epoch"]
    assert problem(nantes.get(f"{FEED}?since={epoch}.999")) == (410, "epoch-changed")
    assert doubts(neighbours) == []
