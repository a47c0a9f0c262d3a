"""The vectors once more, where they would arrive: in a page that is pulled, at an endpoint.

A function that verifies is no use at a door that forgets to call it.
"""

from __future__ import annotations

import json

import pytest
from sqlalchemy import delete, select

from app.exchange import entities
from app.exchange.pull import pull
from app.models.conversation import Introduced
from app.models.job import SeenAssertion
from app.models.journal import JournalEntry
from app.models.peer import MirroredProfile, MirroredWithdrawal, Peer
from federation import entity, keys
from federation.transport import Answer
from tests.federation.samples import LYON, NOW
from tests.federation.test_vectors import VECTORS, token_of
from tests.neighbourhood import MORNING, Neighbourhood
from tests.vectors.writing import ROOT, plate

LETTERS = {
    "peering": "peering",
    "notice": "notify",
    "ack": "ack",
    "introduction": "intro",
    "reply": "intro",
}
#: What the letters before one leave behind.
LEFT = (MirroredProfile, MirroredWithdrawal, JournalEntry, SeenAssertion, Introduced, Peer)


def vectors(*kinds):
    return [name for name, vector in VECTORS.items() if vector.get("kind") in kinds]


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """Nantes, at the moment of the vectors, whose neighbour Lyon has the keys of the vectors."""
    town = Neighbourhood(tmp_path_factory.mktemp("town"), "nantes")
    town.later(seconds=(NOW - MORNING).total_seconds())
    yield town
    town.close()


@pytest.fixture
def nantes(town):
    """Its session, with a fresh row for Lyon that is active and of which nothing is held."""
    with town.at("nantes") as session:
        for table in LEFT:
            session.execute(delete(table))
        kid = keys.kid(ROOT)
        peer = Peer(
            url=LYON, created_at=NOW, ours="approved", our_n=1, theirs="approved", their_n=0,
            root_kid=kid, their_kid_seen=town.identity("nantes").root_kid, active_since=NOW,
        )  # fmt: skip
        session.add(peer)
        found = entity.read(plate(), LYON, NOW, pinned_kid=kid)
        entities.hang(peer, found, NOW)
        session.commit()
        yield session


def serve(town, *, items=(), checkpoint=""):
    page = {
        "epoch": "e1",
        "items": [{"seq": at + 1, "jws": jws} for at, jws in enumerate(items)],
        "next": "e1.1",
        "more": False,
        "checkpoint": checkpoint,
    }
    body = json.dumps(page).encode()

    def answer(_method, path):
        if path.startswith("/.well-known"):
            return Answer(200, {"content-type": entity.MEDIA_TYPE}, plate().encode())
        return Answer(200, {"content-type": "application/json"}, body)

    town.network.instead["lyon"] = answer


def pulled(town, session):
    peer = session.scalars(select(Peer).filter_by(url=LYON)).one()
    return pull(session, peer, town.network, town.identity("nantes"), NOW)


@pytest.mark.parametrize("name", vectors("record"))
def test_a_page_brings_in_what_may_be_believed_and_journals_the_rest(town, nantes, name):
    token, error = token_of(VECTORS[name]["token"]), VECTORS[name]["error"]
    serve(town, items=[token])
    found = pulled(town, nantes)
    assert [code for code, _ in found.refused] == ([error["code"]] if error else [])
    kept = list(nantes.scalars(select(JournalEntry.code).filter_by(kind="refusal")))
    assert kept == ([error["code"]] if error else [])
    held = list(nantes.scalars(select(MirroredProfile.jws)))
    assert held == ([] if error else [token])


@pytest.mark.parametrize("name", [name for name, one in VECTORS.items() if "visitors" in one])
def test_visitors_are_shown_the_services_that_are_for_them_and_no_others(town, nantes, name):
    """PROTOCOL.md, section 3: on the page of the person, and among what a search finds."""
    serve(town, items=[VECTORS[name]["token"]])
    assert pulled(town, nantes).refused == []
    profile = nantes.scalars(select(MirroredProfile)).one()
    nantes.commit()
    page = f"/n/{profile.peer.ref}/{profile.ref}"
    visitor = town.apps["nantes"].test_client()
    titles = ("advice", "lease")
    shown = visitor.get(page).text
    assert [one for one in titles if f"<h3>{one}" in shown] == VECTORS[name]["visitors"], shown
    found = [one for one in titles if profile.name in visitor.get(f"/search?q={one}").text]
    assert found == VECTORS[name]["visitors"]


@pytest.mark.parametrize("name", vectors("checkpoint"))
def test_a_checkpoint_that_may_not_be_believed_is_said_and_not_kept(town, nantes, name):
    token, error = token_of(VECTORS[name]["token"]), VECTORS[name]["error"]
    serve(town, checkpoint=token)
    assert pulled(town, nantes).problem == (error["code"] if error else "")
    kept = nantes.scalars(select(Peer.their_checkpoint)).one()
    assert kept == ("" if error else token)


def told(answer):
    if answer.status_code < 300:
        return ""
    assert answer.content_type == "application/problem+json"
    return answer.get_json(force=True)["type"].removeprefix("urn:cdf:problem:")


@pytest.mark.parametrize("name", vectors(*LETTERS))
def test_a_letter_is_taken_in_or_refused_with_the_problem_that_is_named(town, nantes, name):
    vector = VECTORS[name]
    answer = (
        town.apps["nantes"]
        .test_client()
        .post(
            f"/federation/v1/{LETTERS[vector['kind']]}",
            data=token_of(vector["token"]),
            content_type="application/jwt",
        )
    )
    assert told(answer) == (vector["error"] or {"problem": ""})["problem"]
    assert (answer.status_code == 202) is (vector["error"] is None)


@pytest.mark.parametrize("name", vectors("assertion"))
def test_a_reader_is_believed_or_refused_with_the_problem_that_is_named(town, nantes, name):
    vector = VECTORS[name]
    bearer = {"Authorization": f"Bearer {token_of(vector['token'])}"}
    answer = town.apps["nantes"].test_client().get("/federation/v1/feed", headers=bearer)
    assert told(answer) == (vector["error"] or {"problem": ""})["problem"]
