"""A neighbour that is plain files, and hostile: the same rules, where nobody can be told so."""

from __future__ import annotations

import json

import pytest

from app.exchange import peers, static
from app.exchange.pull import SENTENCES
from federation import client
from federation.entity import MEDIA_TYPE
from federation.transport import Answer
from tests.exchange.test_static import PEOPLE
from tests.exchange.test_static import site as site

FEED, PLATE = "/federation/v1/feed.json", "/.well-known/openid-federation"


@pytest.fixture
def read(town, site, monkeypatch):
    """Lyon has read the files of Nantes, in pages of two; then they are written again."""
    monkeypatch.setattr(static, "PAGE_ITEMS", 2)
    town.knock("lyon", "nantes")
    town.work()
    assert town.held("lyon") == set(PEOPLE)
    town.publish("nantes", "Ravi Menon", audience="web")
    site.files.clear()
    site.write()
    return site


def first(site):
    return json.loads(site.files[FEED[1:]])


def lead_to(site, name, cursor):
    """Let the page in the file ``name`` be followed by the one behind ``cursor``."""
    page = json.loads(site.files[name[1:]]) | {"next": cursor, "more": True}
    site.files[name[1:]] = json.dumps(page).encode()


def second(site):
    return f"{FEED.removesuffix('.json')}-{first(site)['next']}.json"


def third(site):
    return json.loads(site.files[second(site)[1:]])["next"]


ATTACKS = {
    "another folder": (lambda s: lead_to(s, FEED, "../../../etc/passwd"), "malformed-answer"),
    "another machine": (lambda s: lead_to(s, FEED, "@evil.example"), "malformed-answer"),
    "a question": (lambda s: lead_to(s, FEED, "a?b=c"), "malformed-answer"),
    "itself": (lambda s: lead_to(s, second(s), first(s)["next"]), "endless-feed"),
    "a circle of two": (
        lambda s: lead_to(s, f"{FEED.removesuffix('.json')}-{third(s)}.json", first(s)["next"]),
        "endless-feed",
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_pages_that_lead_elsewhere_are_not_followed(town, read, name):
    attack, code = ATTACKS[name]
    attack(read)
    del town.network.requests[:]
    town.later(hours=3)
    town.work_at("lyon")
    assert town.peer("lyon", "nantes", "last_error_text") == SENTENCES[code]
    assert set(PEOPLE) <= town.seen("lyon")
    asked = {(host, path.rpartition("/")[0]) for _, host, path in town.network.requests}
    assert asked <= {("nantes", "/federation/v1"), ("nantes", "/.well-known")}


@pytest.mark.parametrize("path", [FEED, PLATE])
@pytest.mark.parametrize("media_type", ["text/html", "application/octet-stream", ""])
def test_only_what_names_its_type_under_its_signature_comes_without_one(
    town, read, path, media_type
):
    """R5: nobody signed the feed, so its type is exact; the plate bears its own."""

    def served(method, asked):
        answer = read(method, asked)
        if asked.partition("?")[0] != path:
            return answer
        return Answer(answer.status, {"content-type": media_type}, answer.body)

    town.network.instead["nantes"] = served
    town.later(days=10)
    with town.at("lyon") as session:
        peers.look_again(session, town.peer_in(session, "nantes"), town.now)
    before = town.peer("lyon", "nantes", "entity_read_at")
    town.work_at("lyon")
    if path == PLATE:
        believed = media_type in (*client.UNNAMED, MEDIA_TYPE)
        assert (town.peer("lyon", "nantes", "entity_read_at") > before) is believed
    else:
        assert "Ravi Menon" not in town.held("lyon")
    assert set(PEOPLE) <= town.seen("lyon")
