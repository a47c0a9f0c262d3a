"""Who confirms that a withdrawn profile is gone, who stays silent, and what is no receipt."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.exchange import outbox, peers, receipts
from app.models.feed import Receipt
from app.models.job import Job
from app.models.member import Member
from federation import signing
from federation.documents import Ack
from tests.neighbourhood import Neighbourhood, url_of

CLAIRE = "Claire Vasseur"


@pytest.fixture
def three(tmp_path):
    """Nantes with two neighbours, Lyon and Berlin, who both hold Claire's profile."""
    town = Neighbourhood(tmp_path, "lyon", "nantes", "berlin")
    town.publish("nantes", CLAIRE)
    town.befriend("lyon", "nantes")
    town.befriend("berlin", "nantes")
    yield town
    town.close()


def withdraw(town, person=CLAIRE):
    town.publish("nantes", person, audience="me")


def told(town, person=CLAIRE):
    """What the member is shown: who confirmed, and who is silent."""
    with town.at("nantes") as session:
        member = session.scalars(select(Member).filter_by(name=person)).one()
        found = receipts.of_member(session, member)
        if found is None:
            return None
        return tuple(sorted(one.name for one in some) for some in (found.confirmed, found.silent))


def test_before_anything_is_withdrawn_there_is_nothing_to_tell(three):
    assert told(three) is None
    three.publish("nantes", "Youenn Kerbrat", audience="space")
    assert told(three, "Youenn Kerbrat") is None


def test_nobody_has_confirmed_before_they_said_so(three):
    withdraw(three)
    assert told(three) == ([], ["Berlin", "Lyon"])


def test_every_neighbour_confirms_by_its_signature(three):
    withdraw(three)
    three.work()
    assert told(three) == (["Berlin", "Lyon"], [])
    assert CLAIRE not in three.held("lyon") | three.held("berlin")
    with three.at("nantes") as session:
        issuers = {
            signing.claimed_issuer(receipt.jws, Ack.typ)
            for receipt in session.scalars(select(Receipt))
        }
    assert issuers == {url_of("lyon"), url_of("berlin")}


def test_a_space_that_is_away_stays_silent_and_confirms_when_it_is_back(three):
    three.cut("berlin")
    withdraw(three)
    for _ in range(3):
        for name in ("nantes", "lyon", "nantes", "lyon"):
            three.work_at(name)
            three.later(seconds=6)
        assert told(three) == (["Lyon"], ["Berlin"])
        three.later(days=1)
    three.mend("berlin")
    three.work()
    assert told(three) == (["Berlin", "Lyon"], [])


def test_the_time_of_a_confirmation_is_that_of_the_first(three):
    withdraw(three)
    three.work()
    with three.at("nantes") as session:
        first = {row.peer_id: row.confirmed_at for row in session.scalars(select(Receipt))}
    three.later(hours=3)
    three.publish("nantes", "Gwen Le Bihan")
    three.work()
    with three.at("nantes") as session:
        assert {row.peer_id: row.confirmed_at for row in session.scalars(select(Receipt))} == first


def test_what_was_published_and_withdrawn_while_nobody_read_is_confirmed_too(three):
    """The root is the one that was acknowledged before; only the position is another."""
    three.publish("nantes", "Gwen Le Bihan")
    withdraw(three, "Gwen Le Bihan")
    three.work()
    assert told(three, "Gwen Le Bihan") == (["Berlin", "Lyon"], [])


def test_a_space_that_became_a_neighbour_afterwards_is_not_counted(three):
    withdraw(three)
    three.work()
    three.build("paris")
    three.befriend("paris", "nantes")
    assert told(three) == (["Berlin", "Lyon"], [])


def test_a_suspended_neighbour_still_holds_a_copy_and_is_counted(three):
    three.later(hours=1)
    three.decide(peers.suspend, "nantes", "berlin")
    withdraw(three)
    three.work()
    assert told(three) == (["Lyon"], ["Berlin"])
    three.decide(peers.resume, "nantes", "berlin")
    three.work()
    assert told(three) == (["Berlin", "Lyon"], [])


def test_a_neighbour_suspended_before_the_member_agreed_never_had_a_copy(three):
    three.decide(peers.suspend, "nantes", "berlin")
    three.later(hours=1)
    three.publish("nantes", "Gwen Le Bihan")
    withdraw(three, "Gwen Le Bihan")
    three.work()
    assert told(three, "Gwen Le Bihan") == (["Lyon"], [])


def test_a_neighbour_that_ended_and_said_that_it_holds_nothing_is_not_asked(three):
    three.decide(peers.end, "berlin", "nantes")
    three.work()
    withdraw(three)
    three.work()
    assert told(three) == (["Lyon"], [])


def test_a_neighbour_that_ends_after_the_withdrawal_confirms_with_the_empty_root(three):
    withdraw(three)
    three.later(minutes=1)
    three.decide(peers.end, "berlin", "nantes")
    three.work_at("berlin")
    assert told(three) == (["Berlin"], ["Lyon"])


def test_who_shows_themselves_again_has_nothing_withdrawn(three):
    withdraw(three)
    three.work()
    three.publish("nantes", CLAIRE)
    assert told(three) is None
    withdraw(three)
    assert told(three) == ([], ["Berlin", "Lyon"])


def test_an_acknowledgement_that_never_arrived_is_sent_again_at_the_next_reading(three):
    withdraw(three)
    three.work_at("nantes")
    three.work_at("lyon")
    with three.at("lyon") as session:
        for job in session.scalars(select(Job).filter_by(kind=outbox.ACK)):
            session.delete(job)
        three.peer_in(session, "nantes").acked_root = ""
    three.later(hours=2)
    three.work()
    assert "Lyon" in told(three)[0]
