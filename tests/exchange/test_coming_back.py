"""A space comes back from a backup, and hears from its neighbours what it said afterwards."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import worker
from app.database import db
from app.exchange import awaiting, entities, outbox, peers, receipts, restoring
from app.exchange.identity import Keyholder
from app.exchange.publish import publish_members
from app.models.feed import FeedEntry, FeedState, OwnCheckpoint
from app.models.job import Job
from app.models.journal import JournalEntry
from app.models.member import Member
from app.models.peer import MirroredProfile, Peer
from federation import signing
from federation.documents import Checkpoint, Profile
from federation.entity import Endpoints
from federation.envelope import moment
from federation.keys import new_key
from federation.transport import Answer
from tests import spaces
from tests.neighbourhood import Neighbourhood, url_of

# A backup is put back as the file that SQLite keeps.
pytestmark = pytest.mark.sqlite

CLAIRE, GWEN = "Claire Vasseur", "Gwen Le Bihan"
HELD = "/federation/v1/held"


class Town(Neighbourhood):
    """Nantes and its neighbours; the database of Nantes can be put back."""

    def back_up(self):
        self._close()
        self.kept = (self.folder / "nantes" / "mitoyen.db").read_bytes()

    def put_back(self, *, declared=True):
        self._close()
        for path in self.folder.glob("nantes/mitoyen.db-*"):
            path.unlink()
        (self.folder / "nantes" / "mitoyen.db").write_bytes(self.kept)
        if declared:
            with self.at("nantes") as session:
                restoring.begin_again(session, self.now)

    def _close(self):
        with self.apps["nantes"].app_context():
            db.session.remove()
            db.engine.dispose()

    def work_at(self, name):
        """Do what is due, unless the space is away with all its machines."""
        return () if name in self.network.cut else super().work_at(name)

    def days(self, days):
        """Let days pass on which every space works."""
        for _ in range(days):
            self.later(days=1)
            self.work(2)

    def member(self, person=CLAIRE, *columns):
        with self.at("nantes") as session:
            row = session.scalars(select(Member).filter_by(name=person)).one()
            return tuple(getattr(row, column) for column in columns)

    def entry(self, *columns, ref=None):
        with self.at("nantes") as session:
            row = session.scalars(select(FeedEntry).where(FeedEntry.subject.endswith(ref))).one()
            return tuple(getattr(row, column) for column in columns)

    def awaited(self):
        with self.at("nantes") as session:
            return [peer.name for peer in awaiting.awaited(session)]

    def copies(self):
        """Say for each neighbour of Nantes whether its copy has the root that Nantes signed."""
        agree = {}
        for name in self.apps:
            if name != "nantes":
                agree[name] = self.peer(name, "nantes", "roots_agree")
                with self.at("nantes") as session:
                    epoch = session.get_one(FeedState, 1).epoch
                assert self.peer(name, "nantes", "epoch") == epoch
        return agree


AGREED = {"lyon": True, "berlin": True}


@pytest.fixture
def town(tmp_path):
    """Claire and Gwen of Nantes, known to Lyon and Berlin; Nantes has a backup of that evening."""
    town = Town(tmp_path, "lyon", "nantes", "berlin")
    contracts = spaces.service("Relecture de contrat", "lawyer", ("90", "70"))
    town.claire = town.publish("nantes", CLAIRE, headline="Avocate", services=(contracts,))
    town.publish("nantes", GWEN)
    for name in ("lyon", "berlin"):
        town.befriend(name, "nantes")
    town.back_up()
    town.later(days=1)
    yield town
    town.close()


def withdraw(town, person=CLAIRE):
    town.publish("nantes", person, audience="me")


def import_again(town, **changes):
    """Let a list say something new of Claire, and publish what it says."""
    with town.at("nantes") as session:
        member = session.scalars(select(Member).filter_by(name=CLAIRE)).one()
        for column, value in changes.items():
            setattr(member, column, value)
        member.updated_at = town.now
        publish_members(session, [member], town.identity("nantes"), town.now, lambda _: None)


# --- nothing comes back to life


def test_what_was_withdrawn_after_the_backup_stays_withdrawn_everywhere(town):
    withdraw(town)
    town.work()
    tombstone = town.entry("jws", "revision", ref=town.claire)
    town.put_back()
    town.work()
    assert town.entry("jws", "revision", ref=town.claire) == tombstone
    assert town.member(CLAIRE, "audience") == ("me",)
    town.days(3)
    assert (town.held("lyon"), town.held("berlin")) == ({GWEN}, {GWEN})
    assert town.search("nantes", "avocate") == []
    assert (town.copies(), town.awaited()) == (AGREED, [])


def test_who_confirmed_the_withdrawal_is_counted_again(town):
    withdraw(town)
    town.work()
    town.put_back()
    town.work()
    with town.at("nantes") as session:
        member = session.scalars(select(Member).filter_by(name=CLAIRE)).one()
        told = receipts.of_member(session, member)
    assert (sorted(one.name for one in told.confirmed), told.silent) == (["Berlin", "Lyon"], ())


def test_a_withdrawal_known_to_one_that_is_away_waits_for_it_for_months(town):
    """Only Berlin has heard it; Berlin is away when Nantes is back, and longer than a renewal."""
    town.cut("lyon")
    withdraw(town)
    town.work()
    assert (town.held("lyon"), town.held("berlin")) == ({CLAIRE, GWEN}, {GWEN})
    town.put_back()
    town.cut("berlin")
    town.mend("lyon")
    for _ in range(13):
        town.later(days=5)
        town.work(3)
    assert town.awaited() == ["Berlin"]
    assert town.entry("kind", "revision", ref=town.claire) == ("profile", 1)
    town.mend("berlin")
    town.later(days=2)
    town.work(12)
    town.later(hours=2)
    town.work(12)
    assert (town.held("lyon"), town.held("berlin")) == ({GWEN}, {GWEN})
    assert (town.copies(), town.awaited()) == (AGREED, [])


def test_two_neighbours_that_know_different_things_are_both_heard(town):
    town.cut("berlin")
    withdraw(town)
    town.work()
    town.cut("lyon")
    town.mend("berlin")
    town.later(hours=2)
    town.publish("nantes", GWEN, headline="Photographe")
    town.work()
    town.mend("lyon")
    town.put_back()
    town.work(10)
    assert town.member(GWEN, "headline") == ("Photographe",)
    assert (town.held("lyon"), town.held("berlin")) == ({GWEN}, {GWEN})
    assert town.copies() == AGREED


def test_somebody_whom_the_database_does_not_know_any_more_is_withdrawn(town):
    """Nobody here could change the profile, or take it back."""
    town.publish("nantes", "Idriss Diallo")
    town.work()
    assert "Idriss Diallo" in town.held("lyon") & town.held("berlin")
    town.cut("berlin")
    town.put_back()
    town.work()
    town.mend("berlin")
    town.later(days=1)
    town.work(10)
    assert (town.held("lyon"), town.held("berlin")) == ({CLAIRE, GWEN}, {CLAIRE, GWEN})
    with town.at("nantes") as session:
        kinds = [row.kind for row in session.scalars(select(FeedEntry).filter_by(member_id=None))]
        told = session.scalars(select(JournalEntry.detail).filter_by(code="recalled")).first()
    assert (kinds, told) == (["withdrawal"], "1 of people not known here any more")
    assert town.copies() == AGREED


def test_a_list_brings_nobody_back_while_neighbours_are_awaited_nor_afterwards(town):
    withdraw(town)
    town.work()
    town.put_back()
    import_again(town, headline="Avocate en contrats")
    assert town.entry("revision", ref=town.claire) == (1,)
    town.work()
    assert town.member(CLAIRE, "audience") == ("me",)
    import_again(town, headline="Avocate en contrats")
    town.days(2)
    assert (town.held("lyon"), town.copies()) == ({GWEN}, AGREED)


def test_a_list_about_who_withdrew_nothing_is_published_when_all_have_told(town):
    town.cut("berlin")
    town.put_back()
    import_again(town, headline="Avocate en contrats")
    town.work()
    assert town.entry("revision", ref=town.claire) == (1,)
    town.mend("berlin")
    town.later(days=1)
    town.work(10)
    with town.at("lyon") as session:
        row = session.scalars(select(MirroredProfile).filter_by(name=CLAIRE)).one()
        assert row.document["headline"] == "Avocate en contrats"
    assert town.copies() == AGREED


def test_what_expired_before_the_return_is_shown_to_nobody_until_its_member_says_so(town):
    """Neighbours forget a withdrawal when no copy can be valid: nobody is left to ask."""
    town.later(days=120)
    town.put_back()
    town.days(2)
    assert town.member(CLAIRE, "audience") == ("space",)
    assert town.held("lyon") == set()
    town.publish("nantes", CLAIRE)
    town.work()
    assert (town.held("lyon"), town.copies()) == ({CLAIRE}, AGREED)


# --- what members said comes home


def test_what_a_member_wrote_after_the_backup_comes_home_as_it_was_signed(town):
    town.publish(
        "nantes", CLAIRE, audience="web", headline="Avocate en contrats",
        interests=["escalade"], languages=["fr", "br"],
    )  # fmt: skip
    town.work()
    said = town.entry("jws", "digest", "fingerprint", ref=town.claire)
    town.put_back()
    town.work()
    assert town.entry("jws", "digest", "fingerprint", ref=town.claire) == said
    assert town.member(CLAIRE, "audience", "headline", "interests", "languages") == (
        "web", "Avocate en contrats", ["escalade"], ["fr", "br"],
    )  # fmt: skip
    with town.at("nantes") as session:
        member = session.scalars(select(Member).filter_by(name=CLAIRE)).one()
        assert [(each.title, str(each.rate)) for each in member.services] == [
            ("Relecture de contrat", "90.00")
        ]
    town.days(2)
    assert town.entry("jws", "digest", "fingerprint", ref=town.claire) == said
    assert town.copies() == AGREED


def test_what_a_member_says_while_neighbours_are_awaited_stands_above_what_they_hold(town):
    """Also when it is what the database said anyway: they have seen it, and saved it."""
    town.publish("nantes", GWEN, headline="Lost")
    town.work()
    town.put_back()
    town.later(minutes=1)
    town.publish("nantes", GWEN)
    town.work(10)
    with town.at("lyon") as session:
        row = session.scalars(select(MirroredProfile).filter_by(name=GWEN)).one()
        assert "headline" not in row.document
    assert town.copies() == AGREED


def test_who_withdraws_while_neighbours_are_awaited_stays_withdrawn(town):
    town.publish("nantes", CLAIRE, headline="Newer")
    town.work()
    town.put_back()
    town.later(minutes=1)
    withdraw(town)
    town.work(10)
    assert (town.member(CLAIRE, "audience"), town.held("lyon")) == (("me",), {GWEN})
    assert town.copies() == AGREED


def test_who_was_first_published_after_the_backup_and_hides_since_is_withdrawn(town):
    town.publish("nantes", "Idriss Diallo", audience="me")
    town.back_up()
    town.later(hours=1)
    town.publish("nantes", "Idriss Diallo")
    town.work()
    town.put_back()
    town.later(minutes=1)
    with town.at("nantes") as session:
        member = session.scalars(select(Member).filter_by(name="Idriss Diallo")).one()
        member.updated_at = town.now
    town.work(10)
    assert town.held("lyon") == town.held("berlin") == {CLAIRE, GWEN}
    assert town.copies() == AGREED


# --- who is believed


def shown(town, items=(), checkpoint=""):
    """Let Lyon answer that it holds ``items`` of Nantes."""
    body = json.dumps({"items": list(items), "next": "", "more": False, "checkpoint": checkpoint})

    def answer(method, path):
        if path.startswith(HELD):
            return Answer(200, {"content-type": "application/json"}, body.encode())
        return None

    town.network.instead["lyon"] = answer


def test_an_old_profile_shown_again_changes_nothing(town):
    old = town.entry("jws", ref=town.claire)
    withdraw(town)
    town.work()
    town.back_up()
    town.put_back()
    shown(town, old)
    town.work()
    assert town.entry("kind", "revision", ref=town.claire) == ("withdrawal", 2)


def test_a_document_that_we_did_not_sign_is_refused_and_the_rest_is_heard(town):
    withdraw(town)
    (tombstone,) = town.entry("jws", ref=town.claire)
    claims = signing.unverified_claims(tombstone, "cdf-withdrawal+jwt")
    forged = signing.sign(
        claims | {"sub": f"{url_of('nantes')}/m/other"}, new_key(), "cdf-withdrawal+jwt"
    )
    town.put_back()
    shown(town, [forged, "nonsense", tombstone])
    town.work_at("nantes")
    assert town.entry("kind", ref=town.claire) == ("withdrawal",)
    with town.at("nantes") as session:
        assert len(session.scalars(select(FeedEntry)).all()) == 2
        lyon = select(Peer.id).where(Peer.name == "Lyon").scalar_subquery()
        told = session.scalars(
            select(JournalEntry.detail).filter_by(code="recalled", peer_id=lyon)
        ).one()
    assert told == "1 withdrawals, 2 refused"


def test_ending_the_peering_ends_the_waiting(town):
    town.cut("berlin")
    town.put_back()
    town.work()
    assert town.awaited() == ["Berlin"]
    town.decide(peers.end, "nantes", "berlin")
    assert town.awaited() == []


def test_a_neighbour_whose_software_does_not_tell_is_not_awaited_for_ever(town):
    silent = Endpoints.below(url_of("lyon"))
    plates = entities.stored_configuration

    def older(peer):
        plate = plates(peer)
        return replace(plate, endpoints=replace(silent, held=""))

    town.put_back()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.exchange.entities.stored_configuration", older)
        patch.setattr("app.exchange.entities.refresh", lambda _, peer, *__: older(peer))
        town.work_at("nantes")
    assert town.awaited() == []


# --- noticing it


def test_a_database_that_went_back_is_noticed_when_the_worker_starts(town, tmp_path):
    withdraw(town)
    town.work()
    heartbeat = town.folder / "nantes" / worker.HEARTBEAT
    file = heartbeat.with_name(restoring.POSITION)
    with town.at("nantes") as session:
        restoring.remember(session, file)
        epoch = session.get_one(FeedState, 1).epoch
    start(town, heartbeat)
    with town.at("nantes") as session:
        assert session.get_one(FeedState, 1).epoch == epoch, "it did not go back yet"
    town.put_back(declared=False)
    start(town, heartbeat)
    town.work()
    assert town.journal("nantes", "decision")[-1] == "space.restored"
    assert (town.held("lyon"), town.copies()) == ({GWEN}, AGREED)


def start(town, heartbeat):
    """Start the worker of Nantes, and stop it before it does anything."""
    stop = threading.Event()
    stop.set()
    engine = None
    with town.apps["nantes"].app_context():
        engine = db.engine
    keys = Keyholder(town.folder / "nantes" / "keys", url_of("nantes"))
    worker.run(lambda: Session(engine), town.network, keys, heartbeat, stop=stop)


def test_a_position_that_cannot_be_read_says_nothing(town, tmp_path):
    with town.at("nantes") as session:
        for text in ("", "{", "[]", '{"epoch": 1}', '{"epoch": "x", "seq": "many"}'):
            (tmp_path / "position").write_text(text)
            assert restoring.notice(session, tmp_path / "position", town.now) is False


def test_a_neighbour_that_can_show_our_own_later_word_lets_us_notice_it(town):
    withdraw(town)
    town.work()
    town.put_back(declared=False)
    town.later(hours=2)
    town.work(12)
    assert "space.restored" in town.journal("nantes", "decision")
    assert (town.member(CLAIRE, "audience"), town.held("lyon")) == (("me",), {GWEN})
    assert town.copies() == AGREED


def test_what_we_signed_in_between_does_not_hide_that_we_went_back(town):
    withdraw(town)
    town.work()
    town.put_back(declared=False)
    for number in range(5):
        town.publish("nantes", f"Person {number}")
    town.work_at("nantes")
    town.days(2)
    town.work(6)
    assert "space.restored" in town.journal("nantes", "decision")
    assert CLAIRE not in town.held("lyon") | town.held("berlin")
    assert town.copies() == AGREED


@pytest.mark.parametrize("on", ["another machine", "this machine with all its files"])
def test_a_return_that_no_file_tells_of_is_noticed_when_the_worker_starts(town, on):
    """Nobody waits until a neighbour happens to read: who withdrew is shown for seconds."""
    withdraw(town)
    town.work()
    town.put_back(declared=False)
    assert town.member(CLAIRE, "audience") == ("neighbours",), "the backup shows them again"
    with town.at("nantes") as session:
        for job in session.scalars(select(Job)):
            job.due_at = town.now + timedelta(days=1)
    heartbeat = town.folder / "nantes" / worker.HEARTBEAT
    if on != "another machine":
        heartbeat.touch()
        os.utime(heartbeat, (1, 1))
    start(town, heartbeat)
    town.cut("berlin")
    town.work_at("nantes")
    assert town.member(CLAIRE, "audience") == ("me",)
    assert town.journal("nantes", "decision")[-1] == "space.restored"


def test_a_worker_that_starts_as_it_should_begins_nothing_anew(town):
    heartbeat = town.folder / "nantes" / worker.HEARTBEAT
    town.work()
    with town.at("nantes") as session:
        epoch = session.get_one(FeedState, 1).epoch
    start(town, heartbeat)
    town.work(10)
    with town.at("nantes") as session:
        assert session.get_one(FeedState, 1).epoch == epoch
        assert session.scalars(select(Job).filter_by(kind=outbox.DOUBT)).all() == []
    assert "space.restored" not in town.journal("nantes")


@pytest.mark.parametrize("forged", ["by another key", "about the future", "one that we know"])
def test_no_neighbour_makes_us_begin_again_by_its_own_word(town, forged):
    with town.at("nantes") as session:
        state = session.get_one(FeedState, 1)
        epoch = state.epoch
        known = session.scalars(select(OwnCheckpoint).filter_by(view="peers")).all()[-1].jws
        awaiting.doubt(session, town.peer_in(session, "lyon"), town.now)
    claims = signing.unverified_claims(known, Checkpoint.typ) | {"seq": 10_000}
    ours = town.identity("nantes").operational_key
    ahead = int(moment(town.now + timedelta(days=2)).timestamp())
    shown(town, checkpoint={
        "by another key": signing.sign(claims, new_key(), Checkpoint.typ),
        "about the future": signing.sign(
            claims | {"iat": ahead, "exp": ahead + 60}, ours, Checkpoint.typ
        ),
        "one that we know": known,
    }[forged])  # fmt: skip
    town.work()
    with town.at("nantes") as session:
        assert session.get_one(FeedState, 1).epoch == epoch
        assert session.scalars(select(Job).filter_by(kind=outbox.DOUBT)).all() == []
    assert "space.restored" not in town.journal("nantes")


@pytest.mark.parametrize("forged", ["by another key", "about the future", "over", "known to us"])
def test_no_neighbour_makes_us_begin_again_by_a_document_either(town, forged):
    (known,) = town.entry("jws", ref=town.claire)
    claims = signing.unverified_claims(known, Profile.typ)
    ours, now = town.identity("nantes").operational_key, int(moment(town.now).timestamp())

    def later(key, **changed):
        return signing.sign(claims | {"rev": claims["rev"] + 1} | changed, key, Profile.typ)

    with town.at("nantes") as session:
        epoch = session.get_one(FeedState, 1).epoch
        awaiting.doubt(session, town.peer_in(session, "lyon"), town.now)
    shown(town, [{
        "by another key": later(new_key()),
        "about the future": later(ours, iat=now + 86_400, exp=now + 2 * 86_400),
        "over": later(ours, iat=now - 7200, exp=now - 3600),
        "known to us": known,
    }[forged]])  # fmt: skip
    town.work()
    with town.at("nantes") as session:
        assert session.get_one(FeedState, 1).epoch == epoch
        assert session.scalars(select(Job).filter_by(kind=outbox.DOUBT)).all() == []
    assert "space.restored" not in town.journal("nantes")


def test_who_comes_back_twice_from_one_backup_counts_above_the_first_time(town):
    town.put_back()
    town.work(10)
    town.later(days=1)
    town.publish("nantes", CLAIRE, headline="First life")
    town.work(10)
    town.put_back()
    town.later(minutes=1)
    town.publish("nantes", CLAIRE, headline="Second life")
    town.work(12)
    with town.at("lyon") as session:
        row = session.scalars(select(MirroredProfile).filter_by(name=CLAIRE)).one()
        assert row.document["headline"] == "Second life"
    assert town.copies() == AGREED
    assert "equivocation" not in town.journal("lyon") + town.journal("berlin")
