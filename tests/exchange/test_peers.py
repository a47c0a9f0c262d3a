"""How two spaces become neighbours, and how they stop: in every order, and never by themselves."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.exchange import outbox, peers
from app.models.feed import PeerAck
from app.models.job import Job
from app.models.journal import JournalEntry
from app.models.peer import Peer
from federation import signing
from federation.errors import (
    ForbiddenAddressError,
    MalformedAnswerError,
    RedirectRefusedError,
    UnreachableError,
)
from federation.transport import Answer
from tests.neighbourhood import url_of

# --- knocking at a door


def knock_at(town, url):
    with town.at("lyon") as session:
        peers.knock(
            session, url, town.identity("lyon"), town.network, "",
            town.now, "admin",
        )  # fmt: skip


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("", "not-an-address"),
        ("nantes.example", "not-an-address"),
        ("https://", "not-an-address"),
        ("https://Nantes.example", "not-an-address"),
        ("https://nantes", "not-an-address"),
        ("https://nantes.example/?a=b", "not-an-address"),
        ("https://me@nantes.example", "not-an-address"),
        ("https://192.168.1.20", "not-an-address"),
        ("javascript:alert(1)", "not-an-address"),
        ("https://" + "a" * 5000 + ".example", "not-an-address"),
        ("http://nantes.example", "not-https"),
        ("https://localhost:8102", "private-address"),
        ("https://127.0.0.1:8102", "private-address"),
        ("https://lyon.example", "own-address"),
        ("https://lyon.example/", "own-address"),
        ("https://nobody.example", "unreachable"),
    ],
)
def test_a_knock_at_a_wrong_door_says_what_is_wrong(town, url, code):
    with pytest.raises(peers.PeeringError) as refused:
        knock_at(town, url)
    assert refused.value.code == code
    with town.at("lyon") as session:
        assert session.scalars(select(Peer)).all() == []


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (UnreachableError("no complete answer within 10 seconds"), "slow"),
        (UnreachableError("connection refused"), "unreachable"),
        (ForbiddenAddressError("10.0.0.7 is private"), "private-address"),
        (RedirectRefusedError("answered 302"), "not-a-space"),
        (MalformedAnswerError("packed"), "not-a-space"),
        (Answer(200, {"content-type": "text/html"}, b"<h1>Hello"), "not-a-space"),
        (Answer(404, {}, b""), "not-a-space"),
        (Answer(500, {}, b""), "unreachable"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_a_knock_where_no_space_answers_says_so(town, answer, code):
    town.network.instead["nantes"] = lambda method, path: answer
    with pytest.raises(peers.PeeringError) as refused:
        town.knock("lyon", "nantes")
    assert refused.value.code == code


def test_a_space_that_answers_in_the_name_of_another_is_refused(town):
    """Nantes answers with Lyon's own plate."""
    plate = town.apps["lyon"].test_client().get("/.well-known/openid-federation")
    told = {"content-type": plate.content_type}
    town.network.instead["nantes"] = lambda method, path: Answer(200, told, plate.data)
    with pytest.raises(peers.PeeringError) as refused:
        town.knock("lyon", "nantes")
    assert refused.value.code == "not-a-space"


def test_knocking_at_a_neighbours_door_says_that_they_are_one(neighbours):
    with pytest.raises(peers.PeeringError) as refused:
        neighbours.knock("lyon", "nantes")
    assert refused.value.code == "already-neighbours"


def test_knocking_where_a_request_already_waits_here_is_answered_by_the_request(town):
    town.knock("nantes", "lyon")
    town.work()
    with pytest.raises(peers.PeeringError) as refused:
        town.knock("lyon", "nantes")
    assert refused.value.code == "asked-already"


def test_a_knock_arrives_with_its_note_and_waits_for_the_admin(town):
    town.knock("lyon", "nantes", "Bonjour, c’est Inès")
    town.work()
    assert town.stands("nantes", "lyon") == ("requested", "approved")
    assert town.peer("nantes", "lyon", "name", "city", "their_note") == (
        "Lyon",
        "Lyon",
        "Bonjour, c’est Inès",
    )


def test_a_knock_waits_for_a_space_that_is_away_and_arrives_when_it_is_back(town):
    town.knock("lyon", "nantes")
    town.cut("nantes")
    town.work()
    assert town.peer("lyon", "nantes", "told_n") == 0
    town.mend("nantes")
    town.later(minutes=5)
    town.work()
    assert town.stands("nantes", "lyon") == ("requested", "approved")
    assert town.peer("lyon", "nantes", "told_n") > 0


def test_both_admins_see_the_same_six_words(town):
    town.knock("lyon", "nantes")
    town.work()
    words = []
    for here, there in (("lyon", "nantes"), ("nantes", "lyon")):
        with town.at(here) as session:
            peer = town.peer_in(session, there)
            words.append(peers.pair_code_of(peer, town.identity(here)))
    assert words[0] == words[1]
    assert len(words[0]) == 6


def test_two_spaces_that_knock_at_each_other_at_once_are_neighbours(town):
    town.publish("nantes", "Claire Vasseur")
    town.knock("lyon", "nantes")
    town.knock("nantes", "lyon")
    town.work()
    assert town.stands("lyon", "nantes") == town.stands("nantes", "lyon") == ("approved",) * 2
    assert town.held("lyon") == {"Claire Vasseur"}


# --- deciding


def test_what_nobody_asked_for_cannot_be_approved(town):
    with town.at("lyon") as session:
        session.add(Peer(url=url_of("nantes"), name="Nantes", created_at=town.now))
    with pytest.raises(peers.PeeringError, match="has not asked for anything"):
        town.approve("lyon", "nantes")
    assert town.stands("lyon", "nantes") == ("none", "none")


def test_our_own_request_cannot_be_approved_by_ourselves(town):
    town.knock("lyon", "nantes")
    with pytest.raises(peers.PeeringError):
        town.approve("lyon", "nantes")


@pytest.mark.parametrize("verb", [peers.resume, peers.decline, peers.unblock, peers.approve])
def test_a_decision_that_makes_no_sense_is_refused_and_changes_nothing(neighbours, verb):
    with pytest.raises(peers.PeeringError) as refused:
        neighbours.decide(verb, "lyon", "nantes")
    assert refused.value.code == "not-allowed"
    assert neighbours.stands("lyon", "nantes") == ("approved", "approved")


def test_a_decision_is_in_the_journal_with_who_made_it(town):
    town.knock("nantes", "lyon")
    town.work()
    town.approve("lyon", "nantes")
    with town.at("lyon") as session:
        line = session.scalars(select(JournalEntry).filter_by(kind="decision")).one()
        assert (line.code, line.actor, line.peer.name) == ("peer.approved", "admin", "Nantes")


def test_a_declined_space_never_comes_back_by_itself(town):
    town.knock("nantes", "lyon")
    town.work()
    town.decide(peers.decline, "lyon", "nantes")
    town.work()
    for _ in range(3):
        town.later(days=1)
        town.knock("nantes", "lyon")
        town.work()
    assert town.stands("lyon", "nantes")[0] == "ended"
    assert town.held("lyon") == town.held("nantes") == set()


def test_an_admin_who_declined_can_still_change_their_mind(town):
    town.knock("nantes", "lyon")
    town.work()
    town.decide(peers.decline, "lyon", "nantes")
    town.work()
    town.later(days=1)
    town.knock("nantes", "lyon")
    town.work()
    town.approve("lyon", "nantes")
    town.work()
    assert town.stands("lyon", "nantes") == town.stands("nantes", "lyon") == ("approved",) * 2


def test_a_blocked_space_is_not_heard(town):
    town.knock("nantes", "lyon")
    town.work()
    town.decide(peers.block, "lyon", "nantes")
    town.later(days=1)
    town.work()
    assert town.stands("lyon", "nantes") == ("blocked", "approved")


# --- suspending and ending


def test_suspending_hides_at_once_and_resuming_restores_without_a_transfer(neighbours):
    neighbours.decide(peers.suspend, "lyon", "nantes")
    assert (neighbours.seen("lyon"), neighbours.held("lyon")) == (set(), {"Claire Vasseur"})
    assert neighbours.search("lyon", "avocate") == []
    neighbours.work()
    neighbours.cut("nantes")
    neighbours.decide(peers.resume, "lyon", "nantes")
    assert neighbours.seen("lyon") == {"Claire Vasseur"}
    assert neighbours.search("lyon", "avocate") == ["Claire Vasseur"]


def test_the_suspended_side_hides_us_too_and_resuming_tells_it(neighbours):
    neighbours.publish("lyon", "Bastien Rey")
    neighbours.work()
    neighbours.decide(peers.suspend, "lyon", "nantes")
    neighbours.work()
    assert neighbours.stands("nantes", "lyon") == ("approved", "suspended")
    assert neighbours.seen("nantes") == set()
    neighbours.decide(peers.resume, "lyon", "nantes")
    neighbours.work()
    assert neighbours.seen("nantes") == {"Bastien Rey"}


def test_what_is_suspended_for_a_month_is_deleted_and_comes_back_by_a_new_pull(neighbours):
    neighbours.decide(peers.suspend, "lyon", "nantes")
    neighbours.work()
    neighbours.later(days=31)
    neighbours.work_at("lyon")
    assert neighbours.held("lyon") == set()
    neighbours.decide(peers.resume, "lyon", "nantes")
    neighbours.work()
    assert neighbours.held("lyon") == {"Claire Vasseur"}


def test_ending_deletes_everything_on_both_sides_and_says_so(neighbours):
    neighbours.publish("lyon", "Bastien Rey")
    neighbours.work()
    neighbours.decide(peers.end, "lyon", "nantes")
    assert neighbours.held("lyon") == set()
    neighbours.work()
    assert neighbours.held("nantes") == set()
    assert neighbours.stands("nantes", "lyon") == ("none", "ended")
    with neighbours.at("nantes") as session:
        assert session.scalars(select(PeerAck)).one().count == 0


def test_after_an_end_nothing_crosses_until_both_admins_say_yes_again(neighbours):
    neighbours.decide(peers.end, "lyon", "nantes")
    neighbours.work()
    neighbours.later(days=2)
    neighbours.publish("nantes", "Gwen Le Bihan")
    neighbours.work()
    assert neighbours.held("lyon") == set()
    neighbours.knock("nantes", "lyon")
    neighbours.work()
    assert neighbours.held("lyon") == set()
    neighbours.approve("lyon", "nantes")
    neighbours.work()
    assert neighbours.held("lyon") == {"Claire Vasseur", "Gwen Le Bihan"}


def test_ending_with_a_space_that_is_gone_works_here_at_once(neighbours):
    neighbours.cut("nantes")
    neighbours.decide(peers.end, "lyon", "nantes")
    assert (neighbours.held("lyon"), neighbours.seen("lyon")) == (set(), set())
    neighbours.work_at("lyon")
    with neighbours.at("lyon") as session:
        kinds = {job.kind for job in session.scalars(select(Job).where(Job.peer_id.is_not(None)))}
        assert kinds == {outbox.STATEMENT, outbox.ACK}


def test_no_pull_is_due_while_the_peering_rests(neighbours):
    neighbours.decide(peers.suspend, "lyon", "nantes")
    neighbours.work()
    neighbours.later(days=1)
    del neighbours.network.requests[:]
    neighbours.work_at("lyon")
    assert [path for _, _, path in neighbours.network.requests if path.endswith("feed")] == []


# --- keys


def test_a_new_root_key_freezes_the_peering_and_keeps_the_last_good_copy(neighbours, tmp_path):
    neighbours.build_again("nantes")
    neighbours.later(days=8)
    neighbours.work_at("lyon")
    assert neighbours.stands("lyon", "nantes")[0] == "key_hold"
    assert neighbours.peer("lyon", "nantes", "last_error") == "key-hold"
    assert neighbours.seen("lyon") == {"Claire Vasseur"}
    assert "key-hold" in neighbours.journal("lyon", "refusal")
    neighbours.later(days=2)
    del neighbours.network.requests[:]
    neighbours.work_at("lyon")
    assert neighbours.network.requests == []


@pytest.mark.parametrize("stands", ["key_hold", "suspended"])
def test_no_look_at_the_door_takes_a_key_that_no_admin_compared(neighbours, stands):
    confirmed = neighbours.peer("lyon", "nantes", "root_kid", "entity_jws")
    if stands == "suspended":
        neighbours.decide(peers.suspend, "lyon", "nantes")
    neighbours.new_root_key("nantes")
    neighbours.later(days=8)
    neighbours.work_at("lyon")
    assert neighbours.stands("lyon", "nantes")[0] == stands
    for _ in range(2):
        with neighbours.at("lyon") as session:
            peers.look_again(session, neighbours.peer_in(session, "nantes"), neighbours.now)
        neighbours.work_at("lyon")
        assert neighbours.peer("lyon", "nantes", "root_kid", "entity_jws") == confirmed
    assert neighbours.stands("lyon", "nantes")[0] == stands


def test_while_a_key_is_held_nothing_of_the_new_one_is_believed(neighbours):
    neighbours.new_root_key("nantes")
    neighbours.later(days=8)
    neighbours.publish("nantes", "Gwen Le Bihan")
    neighbours.work()
    neighbours.later(days=1)
    neighbours.work()
    assert neighbours.held("lyon") == neighbours.seen("lyon") == {"Claire Vasseur"}
    plate = neighbours.peer("lyon", "nantes", "entity_jws")
    assert signing.kid_of(plate, max_bytes=100_000) == neighbours.peer("lyon", "nantes", "root_kid")


def test_no_other_key_than_the_one_on_the_door_can_be_confirmed(neighbours):
    with pytest.raises(peers.PeeringError):
        neighbours.decide(peers.confirm_key, "lyon", "nantes")
    with neighbours.at("lyon") as session:
        neighbours.peer_in(session, "nantes").ours = "key_hold"
    with pytest.raises(peers.PeeringError):
        neighbours.decide(peers.confirm_key, "lyon", "nantes")
    assert neighbours.stands("lyon", "nantes")[0] == "key_hold"


def test_a_confirmed_key_lets_the_exchange_go_on_from_where_it_stopped(neighbours):
    neighbours.new_root_key("nantes")
    neighbours.later(days=8)
    neighbours.publish("nantes", "Gwen Le Bihan")
    neighbours.work()
    neighbours.decide(peers.confirm_key, "lyon", "nantes")
    assert neighbours.seen("lyon") == {"Claire Vasseur"}
    neighbours.work()
    assert neighbours.held("lyon") == {"Claire Vasseur", "Gwen Le Bihan"}
    assert neighbours.stands("lyon", "nantes") == neighbours.stands("nantes", "lyon")
    assert neighbours.peer("lyon", "nantes", "root_kid") == neighbours.identity("nantes").root_kid
    assert "peer.key-confirmed" in neighbours.journal("lyon", "decision")


def test_a_space_that_lost_everything_is_confirmed_here_and_has_to_say_yes_again(neighbours):
    neighbours.build_again("nantes")
    neighbours.later(days=8)
    neighbours.work_at("lyon")
    neighbours.decide(peers.confirm_key, "lyon", "nantes")
    neighbours.work()
    assert neighbours.stands("nantes", "lyon") == ("requested", "approved")
    neighbours.publish("nantes", "Gwen Le Bihan")
    neighbours.approve("nantes", "lyon")
    neighbours.later(days=1)
    neighbours.work()
    assert neighbours.stands("lyon", "nantes") == neighbours.stands("nantes", "lyon")
    assert "Gwen Le Bihan" in neighbours.held("lyon")


def test_a_space_founded_anew_before_anybody_approved_it_is_asked_about_with_its_new_key(town):
    town.knock("nantes", "lyon")
    town.work()
    first = town.peer("lyon", "nantes", "root_kid")
    town.build_again("nantes")
    town.later(minutes=1)
    town.knock("nantes", "lyon")
    town.work()
    town.later(minutes=11)
    town.work()
    assert town.peer("lyon", "nantes", "root_kid") == town.identity("nantes").root_kid != first
    town.approve("lyon", "nantes")
    town.work()
    assert town.stands("lyon", "nantes") == town.stands("nantes", "lyon") == ("approved",) * 2


def test_the_announced_key_takes_the_place_of_the_old_one_without_a_question(neighbours):
    neighbours.roll_root_key("nantes")
    neighbours.later(days=8)
    neighbours.work()
    assert neighbours.peer("lyon", "nantes", "ours", "root_kid") == (
        "approved",
        neighbours.identity("nantes").root_kid,
    )
    assert "peer.key-rolled" in neighbours.journal("lyon")


def test_a_new_operational_key_is_met_by_reading_the_door_plate_again(neighbours):
    neighbours.new_operational_key("nantes")
    neighbours.later(hours=2)
    neighbours.publish("nantes", "Gwen Le Bihan")
    neighbours.work()
    # What the former key signed is believed no more: nobody rotated it, it was simply replaced.
    assert neighbours.held("lyon") == {"Gwen Le Bihan"}
