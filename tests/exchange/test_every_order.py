"""Peering in every order: one clause a test, and nothing that comes back by itself."""

from __future__ import annotations

import shutil
from itertools import permutations

import pytest
from sqlalchemy import func, select

from app.exchange import outbox, peers
from app.models.feed import PeerAck
from app.models.job import Job
from app.models.journal import JournalEntry
from app.models.peer import MirroredProfile, Peer
from federation import signing, tree
from federation.documents import Ack

CLAIRE, GWEN = "Claire Vasseur", "Gwen Le Bihan"


@pytest.fixture
def overheard(neighbours, monkeypatch):
    """Whatever was posted, in its order: ``(to whom, path, body)``."""
    heard = []
    post = neighbours.network.post

    def listen(url, body, **given):
        name = url.removeprefix("https://").partition(".")[0]
        heard.append((name, url.partition(".example")[2], body))
        return post(url, body, **given)

    monkeypatch.setattr(neighbours.network, "post", listen)
    return heard


def say(town, name, path, body):
    """Post a document that was overheard; return the status of the answer."""
    client = town.apps[name].test_client()
    return client.post(path, data=body, content_type="application/jwt").status_code


def lose_database(town, name):
    """The space begins with an empty database; its keys were in a safe place."""
    town.build_again(name)
    keys = town.folder / name / "keys"
    shutil.rmtree(keys)
    shutil.copytree(town.folder / f"{name} before" / "keys", keys)
    town.read_keys(name)


# --- both at once, and one that forgot


def test_a_space_that_lost_its_database_is_asked_again_by_whoever_remembers_it(neighbours):
    lose_database(neighbours, "nantes")
    neighbours.later(hours=2)
    neighbours.work()
    assert neighbours.stands("nantes", "lyon") == ("requested", "approved")
    assert (neighbours.held("nantes"), neighbours.seen("lyon")) == (set(), {CLAIRE})
    neighbours.publish("nantes", GWEN)
    neighbours.approve("nantes", "lyon")
    neighbours.later(days=1)
    neighbours.work()
    assert neighbours.stands("lyon", "nantes") == neighbours.stands("nantes", "lyon")
    assert GWEN in neighbours.held("lyon")


def test_whoever_lost_the_database_and_knocks_first_is_a_neighbour_at_once(neighbours):
    lose_database(neighbours, "nantes")
    neighbours.later(days=1)
    neighbours.knock("nantes", "lyon")
    neighbours.publish("nantes", GWEN)
    neighbours.work()
    neighbours.later(hours=2)
    neighbours.work()
    assert neighbours.stands("nantes", "lyon") == neighbours.stands("lyon", "nantes")
    assert GWEN in neighbours.held("lyon")


# --- lost, twice, in another order, years late


@pytest.fixture
def story(neighbours, overheard):
    """All that Nantes says of its half: a pause, its end, a no, and a yes again."""
    for verb in (peers.suspend, peers.resume, peers.end):
        neighbours.later(minutes=1)
        neighbours.decide(verb, "nantes", "lyon")
        neighbours.work_at("nantes")
    said = [body for name, path, body in overheard if (name, path[-7:]) == ("lyon", "peering")]
    assert len(said) == 3
    return said


def test_statements_in_any_order_and_any_number_end_where_the_last_one_says(neighbours, story):
    for order in permutations(story):
        for body in (*order, *order):
            assert say(neighbours, "lyon", "/federation/v1/peering", body) == 202
        assert neighbours.stands("lyon", "nantes") == ("none", "ended")
        assert neighbours.held("lyon") == set()


def test_a_statement_that_was_lost_is_made_good_by_any_later_one(neighbours, overheard):
    neighbours.decide(peers.suspend, "nantes", "lyon")
    with neighbours.at("nantes") as session:
        outbox.drop(session, outbox.STATEMENT, "1")
    neighbours.work()
    assert neighbours.seen("lyon") == {CLAIRE}
    neighbours.later(minutes=1)
    neighbours.decide(peers.end, "nantes", "lyon")
    neighbours.work()
    assert neighbours.stands("lyon", "nantes") == ("none", "ended")
    assert neighbours.held("lyon") == set()


def test_a_yes_that_comes_years_late_is_past_its_date(neighbours, overheard):
    neighbours.decide(peers.suspend, "nantes", "lyon")
    neighbours.decide(peers.resume, "nantes", "lyon")
    neighbours.work_at("nantes")
    yes = [body for name, path, body in overheard if path.endswith("peering")][-1]
    neighbours.decide(peers.end, "nantes", "lyon")
    neighbours.work()
    neighbours.later(days=3 * 365)
    neighbours.work()
    assert say(neighbours, "lyon", "/federation/v1/peering", yes) == 400
    assert neighbours.stands("lyon", "nantes") == ("none", "ended")


# --- suspend and resume


def test_resuming_restores_the_same_root_and_transfers_nothing(neighbours, monkeypatch):
    neighbours.later(hours=2)
    neighbours.work()
    before = neighbours.peer("lyon", "nantes", "their_root", "acked_root", "cursor", "roots_agree")
    neighbours.decide(peers.suspend, "lyon", "nantes")
    neighbours.work()
    neighbours.later(days=6)
    neighbours.work()
    answers, get = [], neighbours.network.get

    def listen(url, **given):
        answer = get(url, **given)
        if "/feed" in url or "/index" in url:
            answers.append((url.rpartition("/")[2][:4], answer.status, b'"jws"' in answer.body))
        return answer

    monkeypatch.setattr(neighbours.network, "get", listen)
    neighbours.decide(peers.resume, "lyon", "nantes")
    assert neighbours.seen("lyon") == {CLAIRE}
    for _ in range(3):
        neighbours.later(hours=2)
        neighbours.work()
    after = neighbours.peer("lyon", "nantes", "their_root", "acked_root", "cursor", "roots_agree")
    assert after == before
    from_nantes = [answer for answer in answers if answer[0] == "feed"]
    assert from_nantes
    assert not any(with_records for _, _, with_records in from_nantes)
    assert [answer for answer in answers if answer[0] == "inde"] == []


# --- ending


def last_word(town, name, about):
    """What ``name`` keeps as the newest acknowledgement of the other space."""
    with town.at(name) as session:
        peer_id = town.peer_in(session, about).id
        kept = session.get(PeerAck, (peer_id, "peers"))
        told = signing.unverified_claims(kept.jws, Ack.typ)
        return told["root"], told["count"]


NOTHING = (tree.EMPTY_ROOT.hex(), 0)


def test_an_end_is_told_to_a_space_that_was_away_when_it_comes_back(neighbours):
    assert last_word(neighbours, "nantes", "lyon") != NOTHING
    neighbours.cut("nantes")
    neighbours.decide(peers.end, "lyon", "nantes")
    for _ in range(12):
        neighbours.later(hours=20)
        neighbours.work_at("lyon")
    neighbours.mend("nantes")
    neighbours.later(days=1)
    neighbours.work()
    assert neighbours.stands("nantes", "lyon") == ("none", "ended")
    assert last_word(neighbours, "nantes", "lyon") == NOTHING


def test_a_suspended_copy_that_reached_its_end_is_deleted_and_said_to_be(neighbours):
    neighbours.decide(peers.suspend, "lyon", "nantes")
    neighbours.work()
    neighbours.later(days=29)
    neighbours.work()
    assert neighbours.held("lyon") == {CLAIRE}
    assert last_word(neighbours, "nantes", "lyon") != NOTHING
    neighbours.later(days=2)
    neighbours.work()
    assert neighbours.held("lyon") == set()
    assert last_word(neighbours, "nantes", "lyon") == NOTHING


# --- blocking and declining


def rows(town, name):
    """How many lines the space keeps in the tables that others can fill."""
    with town.at(name) as session:
        tables = (JournalEntry, Job, Peer, MirroredProfile)
        return [session.scalar(select(func.count()).select_from(table)) for table in tables]


def test_a_blocked_space_hears_what_everybody_hears_and_nothing_is_kept_of_it(
    neighbours, overheard
):
    neighbours.decide(peers.suspend, "nantes", "lyon")
    neighbours.work_at("nantes")
    neighbours.decide(peers.resume, "nantes", "lyon")
    neighbours.decide(peers.block, "lyon", "nantes")
    neighbours.work_at("lyon")
    neighbours.cut("nantes")
    neighbours.later(minutes=10)
    neighbours.work_at("lyon")
    before = rows(neighbours, "lyon")
    neighbours.work_at("nantes")
    said = [body for name, path, body in overheard if (name, path[-7:]) == ("lyon", "peering")]
    for body in (*said, b"not.a.document"):
        status = say(neighbours, "lyon", "/federation/v1/peering", body)
        assert status == (202 if body in said else 400)
    assert rows(neighbours, "lyon") == before
    assert neighbours.stands("lyon", "nantes")[0] == "blocked"


@pytest.mark.parametrize("verbs", [(peers.block,), (peers.block, peers.unblock), (peers.end,)])
def test_a_space_that_was_sent_away_never_comes_back_by_itself(neighbours, verbs):
    for verb in verbs:
        neighbours.decide(verb, "lyon", "nantes")
    neighbours.work()
    for _ in range(3):
        neighbours.later(days=2)
        neighbours.knock("nantes", "lyon", "Please")
        neighbours.work()
    assert neighbours.stands("lyon", "nantes")[0] in ("blocked", "ended")
    assert neighbours.held("lyon") == neighbours.held("nantes") == set()
    assert neighbours.seen("lyon") == set()


def test_a_blocked_space_that_founds_itself_anew_is_as_blocked_as_before(neighbours):
    neighbours.decide(peers.block, "lyon", "nantes")
    neighbours.work()
    neighbours.build_again("nantes")
    neighbours.later(days=1)
    neighbours.knock("nantes", "lyon")
    neighbours.work()
    assert neighbours.stands("lyon", "nantes")[0] == "blocked"
    with neighbours.at("lyon") as session:
        assert session.scalars(select(Job.key).where(Job.kind == outbox.KNOCK)).all() == []
