"""A member presents themselves in Nantes and is known in Lyon."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import event, select

from app.exchange import peers
from app.exchange.pull import Pulled, pull
from app.models.feed import FeedEntry, FeedState, PeerAck
from app.models.peer import MirroredProfile, MirroredWithdrawal
from federation.errors import NotPeeredError, UnreachableError


def pulled(town, reader, about):
    """Let ``reader`` pull once, as its worker would, and return what changed."""
    with town.at(reader) as session:
        peer = town.peer_in(session, about)
        return pull(session, peer, town.network, town.identity(reader), town.now)


def test_until_both_admins_approve_no_profile_crosses(town):
    town.publish("nantes", "Claire Vasseur")
    town.publish("lyon", "Bastien Rey")
    town.work()
    assert (town.held("lyon"), town.held("nantes")) == (set(), set())
    town.knock("lyon", "nantes")
    town.work()
    assert (town.held("lyon"), town.held("nantes")) == (set(), set())
    town.approve("nantes", "lyon")
    town.work()
    assert (town.held("lyon"), town.held("nantes")) == ({"Claire Vasseur"}, {"Bastien Rey"})


def test_a_member_who_did_not_agree_is_never_published(town):
    for circle in ("me", "space"):
        town.publish("nantes", f"Somebody for {circle}", audience=circle)
    town.befriend("lyon", "nantes")
    assert town.held("lyon") == set()
    with town.at("nantes") as session:
        assert session.scalars(select(FeedEntry)).all() == []


def test_pulling_again_brings_nothing_new(town):
    town.publish("nantes", "Claire Vasseur")
    town.befriend("lyon", "nantes")
    town.publish("nantes", "Claire Vasseur", headline="Avocate")
    subject = town.subject("nantes", "Claire Vasseur")
    assert pulled(town, "lyon", "nantes") == Pulled(admitted=[subject])
    assert pulled(town, "lyon", "nantes") == Pulled()


def test_a_poll_without_news_is_one_request_that_carries_no_page(neighbours):
    pulled(neighbours, "lyon", "nantes")
    del neighbours.network.requests[:]
    assert pulled(neighbours, "lyon", "nantes") == Pulled()
    assert neighbours.network.requests == [("GET", "nantes", "/federation/v1/feed")]
    with neighbours.at("lyon") as session:
        assert neighbours.peer_in(session, "nantes").feed_etag


def test_the_latest_edit_wins_whatever_the_number_of_pulls(neighbours):
    neighbours.publish("nantes", "Claire Vasseur", headline="Avocate en baux")
    neighbours.publish("nantes", "Claire Vasseur", headline="Avocate en marques")
    neighbours.work()
    with neighbours.at("lyon") as session:
        row = session.scalars(select(MirroredProfile)).one()
        assert (row.document["headline"], row.revision) == ("Avocate en marques", 3)


def test_an_edit_reaches_the_neighbour_by_a_notice_without_waiting_for_the_hour(neighbours):
    neighbours.later(minutes=1)
    neighbours.publish("nantes", "Gwen Le Bihan")
    neighbours.work()
    assert neighbours.held("lyon") == {"Claire Vasseur", "Gwen Le Bihan"}


def test_without_a_notice_the_hourly_pull_brings_the_edit(neighbours):
    neighbours.cut("lyon")
    neighbours.publish("nantes", "Gwen Le Bihan")
    neighbours.work_at("nantes")
    neighbours.mend("lyon")
    neighbours.later(hours=1, minutes=10)
    neighbours.work_at("lyon")
    assert neighbours.held("lyon") == {"Claire Vasseur", "Gwen Le Bihan"}


def test_a_withdrawn_profile_is_gone_over_there_and_cannot_come_back(neighbours):
    subject = neighbours.subject("nantes", "Claire Vasseur")
    with neighbours.at("nantes") as session:
        earlier = session.get(FeedEntry, subject).jws
    neighbours.publish("nantes", "Claire Vasseur", audience="space")
    neighbours.work()
    assert neighbours.held("lyon") == set()
    assert neighbours.peer("lyon", "nantes", "roots_agree") is True
    with neighbours.at("nantes") as session:
        entry = session.get(FeedEntry, subject)
        entry.jws, entry.seq = earlier, entry.seq + 1
    neighbours.later(hours=2)
    assert pulled(neighbours, "lyon", "nantes").admitted == []
    assert neighbours.held("lyon") == set()


def test_a_member_who_comes_back_after_withdrawing_is_found_again(neighbours):
    neighbours.publish("nantes", "Claire Vasseur", audience="space")
    neighbours.work()
    neighbours.publish("nantes", "Claire Vasseur", audience="neighbours")
    neighbours.work()
    assert neighbours.held("lyon") == {"Claire Vasseur"}
    with neighbours.at("lyon") as session:
        assert session.scalars(select(MirroredWithdrawal)).all() == []


def test_what_we_hold_stays_when_the_neighbour_is_off_line_and_costs_the_reader_nothing(
    neighbours,
):
    neighbours.cut("nantes")
    neighbours.later(hours=2)
    neighbours.work_at("lyon")
    del neighbours.network.requests[:]
    assert neighbours.seen("lyon") == {"Claire Vasseur"}
    assert neighbours.search("lyon", "avocate") == ["Claire Vasseur"]
    assert neighbours.network.requests == []
    assert neighbours.peer("lyon", "nantes", "failures", "last_error") == (1, "unreachable")


def test_a_silent_neighbour_is_asked_less_and_less_often_but_never_given_up(neighbours):
    neighbours.cut("nantes")
    waits = []
    for _ in range(14):
        neighbours.later(hours=24)
        neighbours.work_at("lyon")
        waits.append(neighbours.peer("lyon", "nantes", "next_pull_at") - neighbours.now)
    assert waits[0] <= timedelta(seconds=30)
    assert timedelta(hours=19) <= waits[-1] <= timedelta(hours=24)
    neighbours.mend("nantes")
    neighbours.later(hours=24)
    neighbours.publish("nantes", "Gwen Le Bihan")
    neighbours.work()
    assert neighbours.held("lyon") == {"Claire Vasseur", "Gwen Le Bihan"}
    # The checkpoint that came with it had expired; the next one says that all is well again.
    neighbours.later(hours=2)
    neighbours.work()
    assert neighbours.peer("lyon", "nantes", "failures", "last_error") == (0, "")


def test_copies_that_nobody_renews_disappear_when_they_expire(neighbours):
    neighbours.cut("nantes")
    neighbours.later(days=91)
    assert neighbours.seen("lyon") == set()
    neighbours.work_at("lyon")
    assert neighbours.held("lyon") == set()


def test_a_profile_is_signed_again_long_before_it_expires(neighbours):
    for _ in range(5):
        neighbours.later(days=20)
        neighbours.work()
    assert neighbours.seen("lyon") == {"Claire Vasseur"}
    with neighbours.at("nantes") as session:
        assert session.scalars(select(FeedEntry)).one().revision == 2


def test_the_neighbour_gets_a_signed_word_that_our_copy_is_complete(neighbours):
    with neighbours.at("nantes") as session:
        ack = session.scalars(select(PeerAck)).one()
        assert (ack.view, ack.count) == ("peers", 1)
        root = ack.root
    assert neighbours.peer("lyon", "nantes", "acked_root") == root


def test_a_feed_of_many_pages_arrives_whole(town, monkeypatch):
    monkeypatch.setattr("app.exchange.feeds.RECORDS_AT_ONCE", 3)
    everybody = {f"Person {number}" for number in range(8)}
    for person in sorted(everybody):
        town.publish("nantes", person)
    town.befriend("lyon", "nantes")
    assert town.held("lyon") == everybody
    assert town.peer("lyon", "nantes", "roots_agree") is True


def three_pages(town, monkeypatch):
    """Eight people, published before anybody reads them, in pages of three."""
    monkeypatch.setattr("app.exchange.feeds.RECORDS_AT_ONCE", 3)
    town.befriend("lyon", "nantes")
    for number in range(8):
        town.publish("nantes", f"Person {number}")


def fails_at_the_third(town):
    """Let Nantes go off line behind the second page that it gives."""
    given = []

    def answer(method, path):
        if path.startswith("/federation/v1/feed"):
            given.append(path)
        return UnreachableError("gone") if len(given) > 2 else None

    town.network.instead["nantes"] = answer


@pytest.mark.parametrize(("most", "transactions"), [(1000, 1), (3, 3)])
def test_pages_are_written_together_as_far_as_there_is_room(town, monkeypatch, most, transactions):
    monkeypatch.setattr("app.exchange.several.RECORDS_WRITTEN", most)
    three_pages(town, monkeypatch)
    with town.at("lyon") as session:
        peer = town.peer_in(session, "nantes")
        before, cursors = peer.cursor, set()
        event.listen(session, "before_commit", lambda _: cursors.add(peer.cursor))
        got = pull(session, peer, town.network, town.identity("lyon"), town.now)
    assert (len(got.admitted), got.more) == (8, False)
    assert len(cursors - {before}) == transactions


def test_what_came_before_a_neighbour_fell_silent_is_kept_and_read_no_second_time(
    town, monkeypatch
):
    three_pages(town, monkeypatch)
    fails_at_the_third(town)
    with pytest.raises(UnreachableError):
        pulled(town, "lyon", "nantes")
    assert len(town.held("lyon")) == 6
    assert town.peer("lyon", "nantes", "last_error", "failures") == ("unreachable", 1)
    del town.network.instead["nantes"]
    assert len(pulled(town, "lyon", "nantes").admitted) == 2


def test_a_neighbour_that_loses_many_at_once_waits_for_our_admin(town):
    people = [f"Person {number}" for number in range(10)]
    for person in people:
        town.publish("nantes", person)
    town.befriend("lyon", "nantes")
    for person in people[:7]:
        town.publish("nantes", person, audience="me")
    town.work()
    assert town.held("lyon") == set(people)
    assert town.peer("lyon", "nantes", "drop_waiting") == 7
    assert "drop-waits" in town.journal("lyon")
    with town.at("lyon") as session:
        peers.accept_drop(session, town.peer_in(session, "nantes"), town.now, "admin")
    town.work()
    assert town.held("lyon") == set(people[7:])
    assert town.peer("lyon", "nantes", "drop_waiting", "drop_accepted") == (None, False)


def test_many_that_are_lost_page_by_page_wait_as_well_however_often_we_read(town, monkeypatch):
    """A tenth at each reading is all of it after a day."""
    for module in ("federation.replica", "app.exchange.pull"):
        monkeypatch.setattr(f"{module}.DROP_RECORDS", 1)
    people = [f"Person {number:02}" for number in range(20)]
    for person in people:
        town.publish("nantes", person)
    town.befriend("lyon", "nantes")
    monkeypatch.setattr("app.exchange.feeds.RECORDS_AT_ONCE", 2)
    monkeypatch.setattr("app.exchange.several.RECORDS_WRITTEN", 2)
    for person in people[:12]:
        town.publish("nantes", person, audience="me")
    for _ in range(3):
        town.work()
        town.later(hours=2)
    assert town.held("lyon") == set(people[4:])
    assert town.peer("lyon", "nantes", "drop_waiting") is not None
    with town.at("lyon") as session:
        peers.accept_drop(session, town.peer_in(session, "nantes"), town.now, "admin")
    town.work()
    assert town.held("lyon") == set(people[12:])


@pytest.mark.parametrize("verb", [peers.suspend, peers.end])
def test_what_an_admin_decides_while_a_neighbour_answers_holds(neighbours, verb):
    """Nothing of the answer is written: what is paused is not read, what is over stays deleted."""
    neighbours.publish("nantes", "Gwen Le Bihan")
    neighbours.work_at("nantes")
    before = neighbours.held("lyon") if verb is peers.suspend else set()

    def decides(_method, path):
        if path.startswith("/federation/v1/feed"):
            neighbours.network.instead.clear()
            neighbours.decide(verb, "lyon", "nantes")

    neighbours.network.instead["nantes"] = decides
    with neighbours.at("lyon") as session:
        peer = neighbours.peer_in(session, "nantes")
        with pytest.raises(NotPeeredError):
            pull(session, peer, neighbours.network, neighbours.identity("lyon"), neighbours.now)
    assert neighbours.held("lyon") == before


def test_a_space_restored_from_a_backup_is_read_again_from_the_beginning(neighbours):
    with neighbours.at("nantes") as session:
        restart(session)
    neighbours.publish("nantes", "Gwen Le Bihan")
    neighbours.later(hours=2)
    neighbours.work()
    assert neighbours.held("lyon") == {"Claire Vasseur", "Gwen Le Bihan"}
    assert neighbours.peer("lyon", "nantes", "epoch", "roots_agree") == ("restored", True)


def test_what_a_restarted_feed_leaves_out_goes_only_when_its_signed_root_says_so(
    neighbours, monkeypatch
):
    # A space whose software does not ask what it forgot: ours would take Claire home again.
    monkeypatch.setattr("app.exchange.awaiting.doubt", lambda *_: None)
    with neighbours.at("nantes") as session:
        restart(session)
        session.delete(session.scalars(select(FeedEntry)).one())
    neighbours.publish("nantes", "Gwen Le Bihan")
    neighbours.later(hours=2)
    neighbours.work()
    assert neighbours.held("lyon") == {"Gwen Le Bihan"}
    assert neighbours.peer("lyon", "nantes", "roots_agree") is True


class Watched:
    """The network, and whether the reader had a transaction open while it waited for an answer."""

    def __init__(self, network, session):
        self._network, self._session, self.open = network, session, []

    def get(self, url, **options):
        self.open.append(self._session.in_transaction())
        return self._network.get(url, **options)


def test_nobody_waits_for_the_lock_of_writers_while_a_neighbour_answers(neighbours):
    with neighbours.at("lyon") as session:
        watched = Watched(neighbours.network, session)
        peer = neighbours.peer_in(session, "nantes")
        pull(session, peer, watched, neighbours.identity("lyon"), neighbours.now)
    assert watched.open == [False]


def test_the_neighbours_lawyer_is_found_by_a_search_here(neighbours):
    assert neighbours.search("lyon", "avocate") == ["Claire Vasseur"]
    neighbours.decide(peers.suspend, "lyon", "nantes")
    assert neighbours.search("lyon", "avocate") == []


def restart(session):
    """Do to the feed what restoring a backup does."""
    session.get(FeedState, 1).epoch = "restored"
