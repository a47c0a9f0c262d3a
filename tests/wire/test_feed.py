"""What a machine gets that asks for the directory, and what it is refused."""

from __future__ import annotations

import gzip
import json

import pytest

from app.exchange import peers
from federation import signing
from federation.documents import Checkpoint, Profile
from federation.keys import keyring, new_key, public_jwk
from federation.limits import PAGE_BYTES
from tests.neighbourhood import url_of
from tests.wire.conftest import LYON, NANTES, problem

FEED = "/federation/v1/feed"


def ask(client, token=None, path=FEED, **headers):
    given = {"Authorization": f"Bearer {token}"} if token else {}
    return client.get(path, headers={**given, **headers})


def names(town, answer):
    keys = keyring([public_jwk(town.identity("nantes").operational_key)])
    read = [signing.read(item["jws"], keys, Profile) for item in answer.get_json()["items"]]
    return [signed.document.name for signed in read]


# --- who asks


def test_somebody_who_does_not_say_who_they_are_gets_the_public_profiles_only(neighbours, nantes):
    answer = ask(nantes)
    assert (answer.status_code, names(neighbours, answer)) == (200, ["Youenn Kerbrat"])


def test_a_neighbour_gets_what_members_show_to_neighbours(neighbours, nantes, letters):
    answer = ask(nantes, letters.assertion())
    assert names(neighbours, answer) == ["Claire Vasseur", "Youenn Kerbrat"]


def test_an_assertion_is_used_once(neighbours, nantes, letters):
    token = letters.assertion()
    assert ask(nantes, token).status_code == 200
    assert problem(ask(nantes, token)) == (400, "expired")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"aud": LYON}, (403, "wrong-audience")),
        ({"htm": "POST"}, (403, "wrong-audience")),
        ({"htu": NANTES + "/federation/v1/index"}, (403, "wrong-audience")),
        ({"htu": "https://other.example" + FEED}, (403, "wrong-audience")),
        ({"sub": NANTES}, (403, "unknown-issuer")),
        ({"iss": "https://stranger.example"}, (403, "unknown-issuer")),
        ({"iat": 1, "exp": 100}, (400, "expired")),
        ({"exp": 9_999_999_999}, (400, "invalid-document")),
        ({"jti": ""}, (400, "invalid-document")),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_an_assertion_for_anything_else_is_refused(neighbours, nantes, letters, wrong, told):
    assert problem(ask(nantes, letters.assertion(**wrong))) == told


def test_an_assertion_by_a_key_that_is_not_the_neighbours_is_refused(neighbours, nantes, letters):
    assert problem(ask(nantes, letters.assertion(key=new_key()))) == (401, "key-unknown")


def test_an_assertion_of_the_root_key_is_refused_it_signs_other_things(neighbours, nantes, letters):
    assert problem(ask(nantes, letters.assertion(key=letters.root))) == (401, "key-unknown")


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer x", "Basic eDp5", "Bearer a.b.c", "Bearer ..."]
)
def test_words_that_are_no_assertion_are_refused(neighbours, nantes, header):
    answer = nantes.get(FEED, headers={"Authorization": header})
    assert problem(answer)[1] == "invalid-document"


def test_a_stranger_is_refused_and_never_looked_up(neighbours, nantes, letters):
    del neighbours.network.requests[:]
    ask(nantes, letters.assertion(iss="https://stranger.example", sub="https://stranger.example"))
    neighbours.work_at("nantes")
    assert [name for _, name, _ in neighbours.network.requests if name == "stranger"] == []


def test_a_space_that_only_asked_gets_nothing(town, nantes, letters):
    town.publish("nantes", "Claire Vasseur")
    town.knock("lyon", "nantes")
    town.work()
    assert problem(ask(nantes, letters.assertion())) == (403, "not-peered")


def test_a_suspended_neighbour_is_told_so(neighbours, nantes, letters):
    neighbours.decide(peers.suspend, "nantes", "lyon")
    assert problem(ask(nantes, letters.assertion())) == (403, "suspended")


def test_a_former_neighbour_gets_nothing(neighbours, nantes, letters):
    neighbours.decide(peers.end, "nantes", "lyon")
    assert problem(ask(nantes, letters.assertion())) == (403, "not-peered")


# --- what they ask for


@pytest.mark.parametrize(
    "query",
    [
        "since=9",
        "since=e.-1",
        "since=e.1%00",
        "since=../../etc",
        "since=" + "9" * 5000,
        "limit=0",
        "limit=201",
        "limit=-1",
        "limit=many",
        "limit=1e2",
    ],
)
def test_a_cursor_or_a_limit_that_we_never_gave_out_is_refused(neighbours, nantes, query):
    assert problem(ask(nantes, path=f"{FEED}?{query}")) == (400, "invalid-document")


def test_a_cursor_of_an_earlier_epoch_is_told_to_begin_again(neighbours, nantes):
    assert problem(ask(nantes, path=f"{FEED}?since=another.1")) == (410, "epoch-changed")


def test_a_cursor_ahead_of_us_is_told_to_begin_again(neighbours, nantes):
    epoch = ask(nantes).get_json()["epoch"]
    assert problem(ask(nantes, path=f"{FEED}?since={epoch}.999")) == (410, "epoch-changed")


def test_pages_follow_each_other_by_their_cursor(neighbours, nantes, letters):
    first = ask(nantes, letters.assertion(), f"{FEED}?limit=1")
    after = first.get_json()["next"]
    second = ask(nantes, letters.assertion(), f"{FEED}?limit=1&since={after}")
    assert [names(neighbours, page) for page in (first, second)] == [
        ["Claire Vasseur"],
        ["Youenn Kerbrat"],
    ]
    assert [page.get_json()["more"] for page in (first, second)] == [True, False]


def test_a_page_never_grows_past_a_megabyte(neighbours, nantes, monkeypatch):
    for number in range(60):
        neighbours.publish("nantes", f"Person {number}", audience="web", bio="ž" * 4000)
    monkeypatch.setattr("app.wire.feed.PAGE_BYTES", 300_000)
    seen, since = [], ""
    while True:
        answer = ask(nantes, path=f"{FEED}?since={since}")
        assert len(answer.data) < 300_000 < PAGE_BYTES
        seen += names(neighbours, answer)
        since = answer.get_json()["next"]
        if not answer.get_json()["more"]:
            break
    assert len(seen) == 61


def test_what_did_not_change_is_not_sent_again(neighbours, nantes):
    first = ask(nantes)
    again = ask(nantes, **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    neighbours.publish("nantes", "Gwen Le Bihan", audience="web")
    assert ask(nantes, **{"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_a_packed_page_is_the_same_page_and_keeps_its_tag(neighbours, nantes):
    packed = ask(nantes, **{"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(packed.data)) == ask(nantes).get_json()
    tag = packed.headers["ETag"]
    again = ask(nantes, **{"Accept-Encoding": "gzip", "If-None-Match": tag})
    assert again.status_code == 304


def test_the_page_says_nothing_that_is_not_signed_about_anybody(neighbours, nantes):
    page = ask(nantes).get_json()
    assert set(page) == {"epoch", "from", "items", "next", "more", "checkpoint"}
    assert set(page["items"][0]) == {"seq", "jws"}


# --- checkpoint, index, plate


def test_the_checkpoint_is_of_the_view_that_the_reader_may_see(neighbours, nantes, letters):
    keys = keyring([public_jwk(neighbours.identity("nantes").operational_key)])
    path = "/federation/v1/checkpoint"
    public = ask(nantes, path=path)
    private = ask(nantes, letters.assertion(path=path), path)
    read = [signing.read(each.text, keys, Checkpoint).document for each in (public, private)]
    assert [(each.view, each.count) for each in read] == [("public", 1), ("peers", 2)]
    assert public.content_type == "application/jwt"


def test_the_index_lists_what_is_live_in_the_view(neighbours, nantes, letters):
    path = "/federation/v1/index"
    items = ask(nantes, letters.assertion()).get_json()["items"]
    expected = sorted(
        [neighbours.subject("nantes", name), 1, signing.digest(item["jws"])]
        for name, item in zip(("Claire Vasseur", "Youenn Kerbrat"), items, strict=True)
    )
    assert ask(nantes, letters.assertion(path=path), path).get_json() == expected
    assert len(ask(nantes, path=path).get_json()) == 1


def test_the_plate_is_signed_by_the_root_key_and_the_same_for_an_hour(town, nantes):
    first = nantes.get("/.well-known/openid-federation")
    town.later(minutes=30)
    assert nantes.get("/.well-known/openid-federation").data == first.data
    assert first.content_type == "application/entity-statement+jwt"
    keys = keyring([public_jwk(town.identity("nantes").root_key)])
    claims = signing.verify(first.text, keys, "entity-statement+jwt", max_bytes=32 * 1024)
    assert claims["iss"] == claims["sub"] == url_of("nantes")


# --- what Flask would answer with a page


def test_a_wrong_method_is_a_problem_and_not_a_page(town, nantes):
    answer = nantes.post(FEED, data=b"")
    assert answer.status_code == 405


def test_no_machine_gets_a_cookie(neighbours, nantes, letters):
    for answer in (ask(nantes), ask(nantes, letters.assertion())):
        assert "Set-Cookie" not in answer.headers


def test_who_asks_too_often_is_told_when_to_come_back(town, nantes, monkeypatch):
    town.apps["nantes"].config["RATELIMIT_ENABLED"] = True
    answers = [ask(nantes) for _ in range(301)]
    assert problem(answers[-1]) == (429, "rate-limited")
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
