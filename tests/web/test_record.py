"""The signed record of a neighbour's person: who gets the file, and that it proves itself."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from app.exchange import peers
from app.exchange.roots import forget
from app.models.peer import MirroredProfile, Peer
from federation import keys, proof
from federation.errors import KeyChangedError
from federation.proof import Proof
from tests import spaces
from tests.neighbourhood import Neighbourhood
from tests.web.people import address_of, text

MAUD = "maud@lyon.example"


@pytest.fixture
def town(tmp_path):
    """Lyon, where Maud reads, and Nantes with people for neighbours and for the web."""
    town = Neighbourhood(tmp_path, "lyon", "nantes")
    town.publish("nantes", "Claire Vasseur", bio="Between ourselves")
    town.publish("nantes", "Youenn Kerbrat", audience="web")
    town.publish("nantes", "Gwen Morvan")
    town.befriend("lyon", "nantes")
    with town.at("lyon"):
        spaces.add_member("Maud Le Goff", email=MAUD)
    yield town
    town.close()


@pytest.fixture
def visitor(town):
    return town.apps["lyon"].test_client()


@pytest.fixture
def member(town, visitor):
    spaces.sign_in(visitor, MAUD)
    return visitor


def page_of(town, name):
    with town.at("lyon") as session:
        return address_of(session.scalars(select(MirroredProfile).filter_by(name=name)).one())


def record_of(town, name):
    return f"{page_of(town, name)}/record"


def change(town, table, **values):
    with town.at("lyon") as session:
        session.execute(update(table).values(**values))
        forget(session)


def test_a_visitor_gets_no_record_of_whom_they_may_not_see(town, visitor):
    assert visitor.get(record_of(town, "Claire Vasseur")).status_code == 404


def test_a_visitor_gets_no_record_that_says_more_than_the_page(town, visitor):
    with town.at("lyon") as session:
        row = session.scalars(select(MirroredProfile).filter_by(name="Youenn Kerbrat")).one()
        row.document = {**row.document, "web": ["name", "headline"]}
    assert visitor.get(page_of(town, "Youenn Kerbrat")).status_code == 200
    assert visitor.get(record_of(town, "Youenn Kerbrat")).status_code == 404


@pytest.mark.parametrize("verb", [peers.suspend, peers.block])
def test_nobody_gets_a_record_of_a_space_that_is_no_neighbour_now(town, member, verb):
    record = record_of(town, "Claire Vasseur")
    town.decide(verb, "lyon", "nantes")
    assert member.get(record).status_code == 404


def test_a_record_does_not_open_under_another_address(town, member):
    record = record_of(town, "Claire Vasseur")
    assert member.get(record.replace("/n/", "/n/x")).status_code == 404
    assert member.get(record.replace("/record", "x/record")).status_code == 404


def test_an_expired_profile_has_no_record(town, member):
    record = record_of(town, "Claire Vasseur")
    town.later(days=91)
    assert member.get(record).status_code in (303, 404)
    spaces.sign_in(member, MAUD)
    assert member.get(record).status_code == 404


@pytest.mark.parametrize(
    ("table", "values"),
    [
        (Peer, {"their_checkpoint": ""}),
        (MirroredProfile, {"revision": 9}),
        (MirroredProfile, {"digest": "ab" * 32}),
        (Peer, {"root_kid": "k" * 43}),
        (Peer, {"entity_jws": "a.b.c"}),
    ],
)
def test_a_copy_that_its_space_did_not_sign_for_is_given_no_broken_proof(
    town, member, table, values
):
    record = record_of(town, "Claire Vasseur")
    change(town, table, **values)
    answer = member.get(record)
    assert answer.status_code == 409
    assert "nothing leads from this profile to that signature" in text(answer)
    assert "Content-Disposition" not in answer.headers


def test_the_page_offers_no_proof_while_the_roots_differ(town, member):
    change(town, Peer, roots_agree=False)
    page = member.get(page_of(town, "Claire Vasseur"))
    assert record_of(town, "Claire Vasseur") not in page.text
    assert "No proof can be downloaded just now" in text(page)


def test_a_member_downloads_a_record_that_proves_itself_to_anybody(town, member):
    assert record_of(town, "Claire Vasseur") in member.get(page_of(town, "Claire Vasseur")).text
    answer = member.get(record_of(town, "Claire Vasseur"))
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    nantes = keys.kid(town.identity("nantes").root_key)
    found = proof.verify(Proof.from_bytes(answer.data), town.now, root_kid=nantes)
    assert found.profile.name == "Claire Vasseur"
    assert found.checkpoint.count == 3
    assert found.current(town.now)
    with pytest.raises(KeyChangedError):
        proof.verify(Proof.from_bytes(answer.data), town.now, root_kid="k" * 43)


def test_a_visitor_gets_the_record_of_whom_put_everything_on_the_web(town, visitor):
    assert record_of(town, "Youenn Kerbrat") in visitor.get(page_of(town, "Youenn Kerbrat")).text
    answer = visitor.get(record_of(town, "Youenn Kerbrat"))
    found = proof.verify(Proof.from_bytes(answer.data), town.now)
    assert found.profile.name == "Youenn Kerbrat"
