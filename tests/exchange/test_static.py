"""A space that is only files: what is in them, and how a neighbour lives with it."""

from __future__ import annotations

import json
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from app.exchange import peers, static, trial
from app.exchange.static import files
from app.models.space import Space
from federation import client, entity, signing
from federation.documents import Checkpoint, PeeringStatement
from federation.identifiers import EntityId
from federation.transport import Answer
from tests.neighbourhood import url_of
from tests.pictures import picture

PEOPLE = ("Claire Vasseur", "Youenn Kerbrat", "Gwen Morvan", "Idriss Diallo", "Hélène Le Bihan")


class FileServer:
    """Plays any web server over what Nantes last wrote: no query, no POST, types by the ending."""

    def __init__(self, town):
        self.town, self.files = town, {}
        town.network.instead["nantes"] = self

    def write(self):
        with self.town.at("nantes") as session:
            space = session.get(Space, 1)
            made = files(session, space, self.town.identity("nantes"), self.town.now)
        self.files.update(made)
        return made

    def __call__(self, method, path):
        name = urlsplit(path).path.removeprefix("/")
        if method != "GET" or name not in self.files:
            return Answer(404, {"content-type": "text/html"}, b"<h1>Not found</h1>")
        kind = "application/json" if name.endswith(".json") else "application/octet-stream"
        return Answer(200, {"content-type": kind}, self.files[name])


@pytest.fixture
def site(town):
    """Nantes as files with five people for anybody, in pages of two, and one for neighbours."""
    for name in PEOPLE:
        town.publish("nantes", name, audience="web")
    town.publish("nantes", "Kenji Sato", audience="neighbours")
    site = FileServer(town)
    site.write()
    return site


@pytest.fixture
def pages_of_two(monkeypatch):
    monkeypatch.setattr(static, "PAGE_ITEMS", 2)


def plate_of(town):
    return client.read_entity(
        town.network, EntityId.parse(url_of("nantes")), town.now, pinned_kid=None
    )


def pages(made):
    return {name: json.loads(each) for name, each in made.items() if "/feed" in name}


def test_nothing_that_is_meant_for_neighbours_is_in_the_files(town, site):
    documents = [item["jws"] for page in pages(site.files).values() for item in page["items"]]
    claims = [signing.unverified_claims(each, "cdf-profile+jwt") for each in documents]
    assert {each["aud"] for each in claims} == {"public"}
    assert {each["name"] for each in claims} == set(PEOPLE)
    assert town.subject("nantes", "Kenji Sato").encode() not in b"".join(site.files.values())
    assert plate_of(town).members == 5


def test_a_space_that_cannot_hear_is_told_nothing(town, site):
    town.knock("lyon", "nantes")
    town.publish("lyon", "Maud Le Goff")
    town.work()
    town.decide(peers.suspend, "lyon", "nantes")
    town.decide(peers.end, "lyon", "nantes")
    town.work()
    asked = [request for request in town.network.requests if request[1] == "nantes"]
    assert {method for method, _, _ in asked} == {"GET"}


def test_a_test_of_files_asks_nothing_that_files_cannot_answer(town, site, pages_of_two):
    site.write()
    town.knock("lyon", "nantes")
    town.work()
    with town.at("lyon") as session:
        peer = town.peer_in(session, "nantes")
        steps = trial.run(session, peer, town.network, town.identity("lyon"), town.now)
    passed = [step.name for step in steps if step.verdict == trial.PASSED]
    assert passed == [name for name in trial.STEPS if name not in ("notice", "receipt")]
    assert {step.code for step in steps[-2:]} == {"plain-files"}


def test_nobody_is_shown_before_our_admin_said_yes_or_after_they_said_no(town, site):
    assert town.held("lyon") == set()
    town.knock("lyon", "nantes")
    town.work()
    assert town.seen("lyon") == set(PEOPLE)
    town.decide(peers.end, "lyon", "nantes")
    assert town.held("lyon") == set()
    town.later(hours=3)
    town.work()
    assert town.held("lyon") == set()


def test_files_that_begin_to_answer_have_to_say_yes_like_anybody(town, site):
    town.knock("lyon", "nantes")
    town.work()
    del town.network.instead["nantes"]
    town.later(days=8)
    town.work()
    assert town.stands("lyon", "nantes") == ("approved", "none")
    assert town.seen("lyon") == set()


def test_files_whose_key_says_that_it_is_over_are_believed(town, site):
    town.knock("lyon", "nantes")
    town.work()
    now = town.now
    said = PeeringStatement(
        issuer=url_of("nantes"), audience=url_of("lyon"), n=int(now.timestamp()) + 9, state="ended",
        kid_seen=town.identity("lyon").root_kid, issued_at=now, expires_at=now + timedelta(days=1),
    )  # fmt: skip
    token = signing.issue(said, town.identity("nantes").root_key)
    client.deliver(town.network, f"{url_of('lyon')}/federation/v1/peering", token)
    town.later(hours=3)
    town.work()
    assert town.held("lyon") == set()


@pytest.mark.usefixtures("pages_of_two")
def test_a_copy_of_many_files_agrees_with_what_was_signed(town, site):
    town.knock("lyon", "nantes")
    site.files.clear()
    made = site.write()
    assert len(pages(made)) == 3
    assert list(made)[-1] == "federation/v1/feed.json"
    town.work()
    assert town.held("lyon") == set(PEOPLE)
    assert town.peer("lyon", "nantes", "roots_agree", "last_error", "cursor") == (True, "", "")


@pytest.mark.usefixtures("pages_of_two")
def test_what_changed_in_the_files_changes_in_the_copy(town, site):
    site.write()
    town.knock("lyon", "nantes")
    town.work()
    town.publish("nantes", "Claire Vasseur", audience="me")
    town.publish("nantes", "Ravi Menon", audience="web")
    site.write()
    town.later(hours=2)
    town.work()
    assert town.held("lyon") == {*PEOPLE, "Ravi Menon"} - {"Claire Vasseur"}
    assert town.peer("lyon", "nantes", "roots_agree") is True


def test_photos_lie_beside_the_documents_and_have_no_type(town, site):
    town.wear("nantes", "Claire Vasseur", picture())
    town.wear("nantes", "Kenji Sato", picture(size=(90, 90)))
    made = site.write()
    assert len([name for name in made if "/photo/" in name]) == 1
    town.knock("lyon", "nantes")
    town.work()
    assert town.faces("lyon") == {"Claire Vasseur": True}


def test_who_is_for_neighbours_alone_from_now_on_is_missed_by_the_index(town, site):
    """No tombstone says so to who reads what is public: the signed root does, and the index."""
    town.knock("lyon", "nantes")
    town.work()
    town.publish("nantes", "Gwen Morvan", audience="neighbours")
    site.write()
    town.later(hours=2)
    town.work()
    assert town.held("lyon") == set(PEOPLE) - {"Gwen Morvan"}
    assert town.peer("lyon", "nantes", "roots_agree") is True


def test_files_of_two_states_change_nothing_until_they_are_written_again(town, site):
    town.knock("lyon", "nantes")
    town.work()
    old = site.files["federation/v1/index.json"]
    town.publish("nantes", "Gwen Morvan", audience="neighbours")
    site.write()
    site.files["federation/v1/index.json"] = old
    town.later(hours=2)
    town.work()
    assert (town.held("lyon"), town.journal("lyon", "refusal")) == (set(PEOPLE), ["index-differs"])
    site.write()
    town.later(days=1, hours=2)
    town.work()
    assert town.held("lyon") == set(PEOPLE) - {"Gwen Morvan"}


def test_files_written_again_say_the_same_and_vouch_for_longer(town, site):
    first = dict(site.files)
    town.later(days=3)
    second = site.write()
    told = [json.loads(each["federation/v1/feed.json"]) for each in (first, second)]
    assert told[0]["items"] == told[1]["items"]
    expires = [
        signing.unverified_claims(each["checkpoint"], Checkpoint.typ)["exp"] for each in told
    ]
    assert expires[1] - expires[0] == 3 * 24 * 3600
    assert first["federation/v1/index.json"] == second["federation/v1/index.json"]


def test_the_checkpoint_and_the_index_beside_the_feed_are_those_of_the_public_view(town, site):
    plate = plate_of(town)
    token = client.read_checkpoint(town.network, plate)
    checkpoint = signing.read(token, plate.operational_keys, Checkpoint).document
    assert (plate.static, checkpoint.view, checkpoint.count) == (True, "public", 5)
    assert client.index_agrees(client.read_index(town.network, plate), checkpoint)
    assert plate.endpoints == entity.Endpoints.of_files(url_of("nantes"))
