"""Testing a neighbour says which step fails, and changes nothing but the report."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from app.exchange import trial
from app.models.feed import FeedState, OwnCheckpoint
from app.models.journal import JournalEntry
from app.models.peer import Peer
from app.models.watch import Trial
from federation import signing
from federation.documents import Checkpoint
from federation.errors import (
    CertificateError,
    ForbiddenAddressError,
    NameUnknownError,
    UnreachableError,
)
from federation.transport import Answer

ALL = list(trial.STEPS)


def tried(town, name="lyon", about="nantes"):
    """What a test finds now: the steps that passed, and those that failed with their code."""
    with town.at(name) as session:
        peer = town.peer_in(session, about)
        return trial.run(session, peer, town.network, town.identity(name), town.now)


def failed(steps):
    return {step.name: step.code for step in steps if step.verdict == trial.FAILED}


def untried(steps):
    return {step.name: step.code for step in steps if step.verdict == trial.UNTRIED}


def passed(steps):
    return [step.name for step in steps if step.verdict == trial.PASSED]


@pytest.mark.parametrize(
    ("answer", "step", "code"),
    [
        (NameUnknownError("no machine"), "name", "name-unknown"),
        (ForbiddenAddressError("10.0.0.7 is private"), "name", "forbidden-address"),
        (UnreachableError("no connection"), "connection", "unreachable"),
        (CertificateError("another name"), "connection", "bad-certificate"),
        (Answer(500, {}, b""), "door", "unreachable"),
        (Answer(404, {}, b""), "door", "malformed-answer"),
        (Answer(200, {"content-type": "text/html"}, b"<h1>Hello"), "door", "malformed-answer"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_fails_first_is_named_and_what_stands_on_it_is_not_tried(
    neighbours, answer, step, code
):
    neighbours.network.instead["nantes"] = lambda method, path: answer
    steps = tried(neighbours)
    assert failed(steps) == {step: code}
    assert passed(steps) == ALL[: ALL.index(step)]
    assert [each.name for each in steps] == ALL


def test_an_address_that_none_can_be_is_the_first_step(neighbours):
    with neighbours.at("lyon") as session:
        neighbours.peer_in(session, "nantes").url = "https://127.0.0.1:8000"
    with neighbours.at("lyon") as session:
        peer = session.scalars(select(Peer)).one()
        del neighbours.network.requests[:]
        steps = trial.run(
            session, peer, neighbours.network, neighbours.identity("lyon"), neighbours.now
        )
    assert failed(steps) == {"address": "forbidden-address"}
    assert neighbours.network.requests == []


def test_a_key_that_was_never_announced_fails_at_the_door_and_freezes_nothing(neighbours):
    neighbours.new_root_key("nantes")
    steps = tried(neighbours)
    assert failed(steps) == {"door": "key-hold"}
    assert neighbours.stands("lyon", "nantes") == ("approved", "approved")


def test_a_key_that_is_published_no_more_is_named(neighbours):
    neighbours.new_operational_key("nantes")
    steps = tried(neighbours)
    assert failed(steps)["keys"] == "key-unknown"


def test_a_neighbour_that_does_not_let_us_in_fails_there(neighbours):
    with neighbours.at("nantes") as session:
        neighbours.peer_in(session, "lyon").ours = "ended"
    steps = tried(neighbours)
    assert failed(steps) == {"authorisation": "not-peered", "notice": "not-peered"}
    assert untried(steps) == {
        "feed": "needs-earlier",
        "checkpoint": "needs-earlier",
        "root": "needs-earlier",
    }


def test_a_pause_over_there_is_told_from_a_refusal(neighbours):
    with neighbours.at("nantes") as session:
        neighbours.peer_in(session, "lyon").ours = "suspended"
    assert failed(tried(neighbours))["authorisation"] == "suspended"


def instead_of_the_feed(town, change):
    """Let Nantes give a changed first page, and everything else as it is."""
    client = town.apps["nantes"].test_client()

    def answer(method, path):
        if "/feed" not in path:
            return None
        found = client.get("/federation/v1/feed").json
        change(found)
        body = json.dumps(found).encode()
        return Answer(200, {"content-type": "application/json"}, body)

    town.network.instead["nantes"] = answer


def test_a_page_that_cannot_be_read_fails_at_the_feed(neighbours):
    instead_of_the_feed(neighbours, lambda page: page.pop("next"))
    steps = tried(neighbours)
    assert failed(steps) == {"feed": "malformed-answer"}
    assert "authorisation" in passed(steps)


def checkpoint_of(town, **claims):
    """A checkpoint of Nantes' peers view, signed with its own key."""
    with town.at("nantes") as session:
        epoch = session.get(FeedState, 1).epoch
        last = session.scalars(
            select(OwnCheckpoint).filter_by(view="peers", epoch=epoch).order_by(OwnCheckpoint.id)
        ).all()[-1]
        told = signing.unverified_claims(last.jws, Checkpoint.typ) | claims
    return signing.sign(told, town.identity("nantes").operational_key, Checkpoint.typ)


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"root": "ab" * 32}, "fork"),
        ({"seq": 0}, "rollback"),
        ({"view": "public"}, "invalid-document"),
    ],
    ids=str,
)
def test_a_state_that_contradicts_an_earlier_one_fails_and_is_not_believed(
    neighbours, claims, code
):
    before = neighbours.peer("lyon", "nantes", "their_checkpoint", "roots_agree")
    token = checkpoint_of(neighbours, **claims)
    instead_of_the_feed(neighbours, lambda page: page.update(items=[], checkpoint=token))
    steps = tried(neighbours)
    assert failed(steps) == {"checkpoint": code}
    assert neighbours.peer("lyon", "nantes", "their_checkpoint", "roots_agree") == before


def test_a_copy_that_is_not_what_they_signed_fails_at_the_root(neighbours):
    token = checkpoint_of(neighbours, root="ab" * 32, seq=9)
    instead_of_the_feed(neighbours, lambda page: page.update(items=[], checkpoint=token))
    assert failed(tried(neighbours)) == {"root": "roots-differ"}


def test_what_is_still_to_be_read_is_no_failure(neighbours):
    neighbours.publish("nantes", "Gwen Le Bihan")
    steps = tried(neighbours)
    assert failed(steps) == {}
    assert untried(steps) == {"root": "still-to-read"}


def test_a_healthy_neighbour_passes_every_step_and_nothing_is_stored(neighbours):
    def everything():
        with neighbours.at("lyon") as session:
            peer = neighbours.peer_in(session, "nantes")
            row = {column.name: getattr(peer, column.name) for column in Peer.__table__.columns}
            lines = len(session.scalars(select(JournalEntry)).all())
            return row, lines, session.scalars(select(Trial)).all()

    before = everything()
    steps = tried(neighbours)
    assert passed(steps) == ALL
    assert everything() == before


def test_a_worker_does_the_test_and_keeps_the_last_report_alone(neighbours):
    for _ in range(2):
        with neighbours.at("lyon") as session:
            trial.ask(session, neighbours.peer_in(session, "nantes"), neighbours.now)
        with neighbours.at("lyon") as session:
            waiting = session.scalars(select(Trial)).one()
            assert (waiting.asked_at, waiting.done_at) == (neighbours.now, None)
        neighbours.work_at("lyon")
        with neighbours.at("lyon") as session:
            report = session.scalars(select(Trial)).one()
            assert report.done_at == neighbours.now
            assert passed(trial.steps_of(report)) == ALL
        neighbours.later(minutes=1)


def test_asking_twice_before_it_was_done_is_asking_once(neighbours):
    first = neighbours.now
    for _ in range(2):
        with neighbours.at("lyon") as session:
            trial.ask(session, neighbours.peer_in(session, "nantes"), neighbours.now)
        neighbours.later(seconds=1)
    with neighbours.at("lyon") as session:
        assert session.scalars(select(Trial)).one().asked_at == first
    kinds = [outcome.kind for outcome in neighbours.work_at("lyon")]
    assert kinds.count("trial") == 1


def test_a_report_is_forgotten_after_a_month(neighbours):
    with neighbours.at("lyon") as session:
        trial.ask(session, neighbours.peer_in(session, "nantes"), neighbours.now)
    neighbours.work_at("lyon")
    neighbours.later(days=31)
    neighbours.work_at("lyon")
    with neighbours.at("lyon") as session:
        assert session.scalars(select(Trial)).all() == []


def test_a_notice_that_finds_nobody_makes_us_look_once(neighbours):
    neighbours.cut("lyon")
    neighbours.publish("nantes", "Gwen Le Bihan")
    neighbours.work_at("nantes")
    assert neighbours.peer("nantes", "lyon", "failures", "last_error") == (1, "unreachable")
    neighbours.later(minutes=1)
    del neighbours.network.requests[:]
    neighbours.work_at("nantes")
    # Both are tried again, each in its own time.
    assert len(neighbours.network.requests) <= 2
