"""The black-box checker: what it finds wrong with a peer that is broken, and with ours."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from app.exchange.static import files
from app.models.space import Space
from federation import keys, signing
from federation.conformance import conforms, examine
from federation.documents import Profile
from federation.errors import RateLimitedError, UnreachableError
from federation.examination import Verdict
from federation.identifiers import EntityId
from federation.transport import Answer
from tests.wire.conftest import NANTES

FEED, INDEX = "/federation/v1/feed", "/federation/v1/index"
HELD = "/federation/v1/held"
CHECKPOINT, PLATE = "/federation/v1/checkpoint", "/.well-known/openid-federation"


@pytest.fixture
def nantes_feed(neighbours):
    """Nantes with three people for anybody, one for neighbours, and one who withdrew."""
    for name in ("Gwen Morvan", "Idriss Diallo"):
        neighbours.publish("nantes", name, audience="web")
    neighbours.publish("nantes", "Ravi Menon", audience="web")
    neighbours.work()
    neighbours.publish("nantes", "Ravi Menon", audience="me")
    neighbours.work()
    return neighbours


def examined(town):
    return examine(town.network, EntityId.parse(NANTES), town.now)


def failed(findings):
    return {finding.check for finding in findings if finding.verdict is Verdict.FAILED}


def break_nantes(town, change):
    """Let ``change(method, path, answer)`` have the last word about what Nantes answers."""
    honest = town.network._answer

    def answer(method, url, max_bytes, headers, body):
        given = honest(method, url, max_bytes, headers, body)
        path = url.removeprefix(NANTES)
        changed = change(method, path, given) or given
        if isinstance(changed, Exception):
            raise changed
        return changed

    town.network._answer = answer


def page(change):
    """Return a change of each page of the feed by ``change(page)``."""

    def changed(method, path, given):
        if not path.startswith(FEED) or method != "GET" or given.status != 200:
            return None
        return replace(given, body=json.dumps(change(json.loads(given.body))).encode())

    return changed


def at(path, changed, *, method="GET", status=None):
    """Return a change of every answer below ``path``."""

    def change(asked, asked_path, given):
        if asked != method or not asked_path.startswith(path):
            return None
        if status is not None and given.status != status:
            return None
        return changed(given) if callable(changed) else changed

    return change


def as_html(given):
    return replace(given, headers=given.headers | {"content-type": "text/html"})


def more_by_stranger(told):
    jws = signing.sign({"iss": NANTES}, keys.new_key(), Profile.typ)
    return told | {"items": [*told["items"], {"seq": 9999, "jws": jws}]}


CASES = {
    "no plate": (at(PLATE, Answer(404)), {"entity.believable"}),
    "a plate as a page": (at(PLATE, as_html), {"entity.believable"}),
    "a plate of no declared type": (
        at(PLATE, lambda given: replace(given, headers={})), {"entity.media-type"}),
    "a feed as a page": (at(FEED, as_html, status=200), {"feed.read"}),
    "a stranger's document": (page(more_by_stranger), 
        {"feed.documents", "feed.public-only", "feed.limit", "feed.end", "feed.refs"}),
    "an endless feed": (page(lambda told: told | {"more": True}), {"feed.read"}),
    "something behind the end": (
        lambda method, path, given: page(
            lambda told: told | {"items": [{"seq": 1, "jws": "a"}]})(method, path, given)
        if "since=" in path and "limit" not in path else None,
        {"feed.end"}),
    "others than those asked for": (
        lambda method, path, given: page(lambda told: told | {"items": told["items"][:1]})(
            method, path, given) if "refs=0" in path else None,
        {"feed.refs"}),
    "more than asked for": (
        lambda method, path, given: page(lambda told: told | {"more": True, "next": "x"})(
            method, path, given) if "refs=" in path and given.status == 200 else None,
        {"feed.refs"}),
    "strangers told what is held": (
        at(HELD, Answer(200, {"content-type": "application/json"}, b"{}")),
        {"refuses.unknown-holder"}),
    "no etag": (
        at(FEED, lambda given: replace(given, headers={"content-type": "application/json"}),
           status=200), {"feed.etag"}),
    "an etag that means nothing": (
        at(FEED, Answer(200, {"content-type": "application/json"}, b"{}"), status=304),
        {"feed.etag"}),
    "a lost record": (
        page(lambda told: told | {"items": told["items"][1:]}),
        {"checkpoint.root", "feed.limit", "feed.refs"}),
    "no checkpoint": (at(CHECKPOINT, Answer(404)), {"checkpoint.believable"}),
    "an index of nobody": (
        at(INDEX, Answer(200, {"content-type": "application/json"}, b"[]")), {"index.root"}),
    "an error page": (
        at("/federation/v1/notify", as_html, method="POST"),
        {"refuses.media-type", "refuses.oversized", "refuses.unsigned", "refuses.unknown-issuer"}),
    "a door that takes everything": (
        at("/federation/v1/ack", Answer(202), method="POST"),
        {"refuses.media-type", "refuses.oversized", "refuses.unsigned", "refuses.wrong-typ"}),
    "an error of its own": (
        at("/federation/v1/peering", Answer(500), method="POST"),
        {"refuses.media-type", "refuses.oversized", "refuses.unsigned", "refuses.wrong-typ"}),
    "silence": (
        lambda method, path, given: UnreachableError("nobody"), {"entity.believable"}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_is_broken_is_named_and_nothing_else(nantes_feed, case):
    change, expected = CASES[case]
    break_nantes(nantes_feed, change)
    assert failed(examined(nantes_feed)) == expected


def test_who_shows_neighbours_people_to_strangers_is_found_out(nantes_feed, monkeypatch):
    monkeypatch.setattr("app.wire.feed._view", lambda _: "peers")
    assert failed(examined(nantes_feed)) == {
        "feed.public-only",
        "checkpoint.believable",
        "checkpoint.in-feed",
    }


def test_who_asks_to_wait_is_not_called_broken(nantes_feed):
    break_nantes(
        nantes_feed,
        lambda method, path, given: RateLimitedError("slowly") if method == "POST" else None,
    )
    findings = examined(nantes_feed)
    assert conforms(findings)
    assert "the space asked us to wait" in {finding.said for finding in findings}


def test_our_own_space_passes_every_check(nantes_feed):
    findings = examined(nantes_feed)
    assert [each for each in findings if each.verdict is not Verdict.PASSED] == []
    assert len(findings) == 27


def test_the_examination_leaves_nothing_behind(nantes_feed):
    before = nantes_feed.journal("nantes")
    examined(nantes_feed)
    assert nantes_feed.journal("nantes") == before
    with nantes_feed.at("nantes") as session:
        session.expire_all()
    assert all(outcome.kind != "knock" for outcome in nantes_feed.work_at("nantes"))


def test_a_space_of_plain_files_passes_what_applies_to_it(nantes_feed):
    with nantes_feed.at("nantes") as session:
        space, identity = session.get(Space, 1), nantes_feed.identity("nantes")
        made = files(session, space, identity, nantes_feed.now)

    def serve(method, path):
        name = path.partition("?")[0].removeprefix("/")
        kind = "application/json" if name.endswith(".json") else "application/octet-stream"
        return Answer(200, {"content-type": kind}, made[name]) if name in made else Answer(404)

    nantes_feed.network.instead["nantes"] = serve
    findings = examined(nantes_feed)
    assert failed(findings) == set()
    passed = {each.check for each in findings if each.verdict is Verdict.PASSED}
    assert {"checkpoint.root", "index.root", "feed.public-only"} <= passed
