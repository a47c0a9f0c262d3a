"""Keys that change by themselves, unnoticed; programs that follow; a root key that is lost."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import worker
from app.cli import main
from app.database import db
from app.exchange import peers, rekeying, rotation
from app.exchange.identity import KEY_FILES, NEXT_OPERATIONAL, Keyholder, create_keys, load_identity
from app.exchange.rekeying import Schedule
from app.exchange.work import schedule_upkeep
from app.models.feed import FeedEntry
from app.models.peer import MirroredProfile
from app.search.cards import card_of_mirrored
from federation import signing
from federation.keys import kid
from tests.databases import databases
from tests.neighbourhood import Neighbourhood, url_of

QUARTER = timedelta(days=90)
CLAIRE, GWEN, JONAS = "Claire Vasseur", "Gwen Le Bihan", "Jonas Albrecht"


def keys_of(town, name):
    return town.folder / name / "keys"


def founded_at(folder, moment):
    """Let the key files be as old as the space: files know the real clock, the town its own."""
    for name in (*KEY_FILES, NEXT_OPERATIONAL):
        os.utime(folder / name, (moment.timestamp(), moment.timestamp()))


def work_with(town, name, after=QUARTER):
    """Let one space do what is due, as ``mitoyen worker`` does: with its schedule, and its keys."""
    town.read_keys(name)
    app = town.apps[name]
    with app.app_context():
        engine = db.engine
        with Session(engine) as session:
            schedule_upkeep(session, town.now)
            session.commit()
    summary = worker.run_round(
        lambda: Session(engine),
        town.network,
        town.identity(name),
        town.now,
        schedule=Schedule(keys_of(town, name), after),
    )
    town.read_keys(name)
    assert not summary.broken
    return {outcome.kind: outcome.told for outcome in summary.outcomes}


@pytest.fixture
def folder(tmp_path):
    create_keys(tmp_path / "keys")
    return tmp_path / "keys"


# --- when a key is due


def test_a_young_key_is_left_alone_and_an_old_one_follows_its_announcement(folder):
    founded = datetime(2026, 1, 1, tzinfo=UTC)
    founded_at(folder, founded)
    announced = kid(load_identity(folder, url_of("x")).next_operational)
    assert rotation.rotate_if_due(folder, founded + timedelta(days=89), QUARTER) is None
    assert rotation.rotate_if_due(folder, founded + QUARTER, QUARTER) == announced
    assert rotation.rotate_if_due(folder, founded + QUARTER + timedelta(days=1), QUARTER) is None
    assert rotation.age(folder, founded + timedelta(days=100)) == timedelta(days=10)


def test_nothing_is_changed_while_the_former_key_is_still_published(folder):
    now = datetime(2026, 1, 1, tzinfo=UTC)
    founded_at(folder, now)
    day = timedelta(days=1)
    assert rotation.rotate_if_due(folder, now + day, day) is not None
    assert rotation.rotate_if_due(folder, now + 30 * day, day) is None
    assert rotation.rotate_if_due(folder, now + 32 * day, day) is not None


def test_zero_is_never(neighbours):
    founded_at(keys_of(neighbours, "nantes"), neighbours.now - timedelta(days=3000))
    neighbours.later(days=1)
    assert work_with(neighbours, "nantes", timedelta())["rotate"] == "not by schedule"
    assert neighbours.identity("nantes").retired.operational == ()


def test_what_another_process_signed_with_the_former_key_a_moment_later_is_found(neighbours):
    """A request that had read the former key ends after the change."""
    former = neighbours.identity("nantes")
    neighbours.later(days=1)
    rotation.rotate(keys_of(neighbours, "nantes"), neighbours.now)
    with neighbours.at("nantes") as session:
        neighbours.read_keys("nantes")
        rekeying.follow(session, neighbours.identity("nantes"), neighbours.now)
    neighbours.later(seconds=20)
    current = neighbours.identity("nantes")
    neighbours.apps["nantes"].extensions["identity"] = former
    neighbours.publish("nantes", GWEN)
    neighbours.apps["nantes"].extensions["identity"] = current
    for _ in range(3):
        neighbours.later(days=1)
        work_with(neighbours, "nantes")
    with neighbours.at("nantes") as session:
        signers = {signing.kid_of(jws) for jws in session.scalars(select(FeedEntry.jws))}
    assert signers == {kid(current.operational_key)}


# --- a year


def test_over_a_year_keys_change_by_schedule_and_nobody_notices(tmp_path):
    town = Neighbourhood(tmp_path, "lyon", "nantes", "berlin")
    spaces = ("lyon", "nantes", "berlin")
    try:
        for age, name in enumerate(spaces):
            founded_at(keys_of(town, name), town.now - timedelta(days=30 * age))
        people = {"lyon": GWEN, "nantes": CLAIRE, "berlin": JONAS}
        for name, person in people.items():
            town.publish(name, person)
        town.befriend("lyon", "nantes")
        town.befriend("berlin", "nantes")
        town.befriend("berlin", "lyon")
        first = {name: kid(town.identity(name).operational_key) for name in spaces}
        used = {name: set() for name in spaces}
        pairs = [(here, there) for here in spaces for there in spaces if here != there]
        for _ in range(365 // 6):
            town.later(days=6)
            for _ in range(2):
                for name in spaces:
                    used[name].add(kid(town.identity(name).operational_key))
                    work_with(town, name)
                town.later(seconds=6)
            for here, there in pairs:
                assert people[there] in town.seen(here), (here, there)
                assert town.peer(here, there, "failures", "ours") == (0, "approved")
        # Whoever rotated last is read once more.
        town.work()
        for here, there in pairs:
            assert town.peer(here, there, "roots_agree") is True
        assert {len(kids) for kids in used.values()} <= {4, 5}
        assert [town.journal(name, "refusal") for name in spaces] == [[], [], []]
        for name in spaces:
            assert first[name] != kid(town.identity(name).operational_key)
            assert town.journal(name).count("keys.rotated") == len(used[name]) - 1
    finally:
        town.close()


# --- running programs


class Watch:
    """Stops the loop after some pauses, and does something in each; the event that it waits on."""

    def __init__(self, *steps):
        self.steps = list(steps)

    def is_set(self):
        return not self.steps

    def wait(self, _seconds):
        self.steps.pop(0)()


def run_worker(town, name, *steps):
    """Run the worker's own loop until it has nothing to do, once for each step."""
    with town.apps[name].app_context():
        engine = db.engine
    keyholder = Keyholder(keys_of(town, name), url_of(name))
    heartbeat = town.folder / name / worker.HEARTBEAT
    watch: threading.Event = Watch(*steps)
    worker.run(lambda: Session(engine), town.network, keyholder, heartbeat, stop=watch)
    return keyholder


def test_a_running_worker_signs_with_a_key_that_was_changed_beside_it(neighbours):
    folder = keys_of(neighbours, "nantes")
    before = kid(neighbours.identity("nantes").operational_key)

    def somebody_rotates():
        neighbours.later(seconds=5)
        rotation.rotate(folder, neighbours.now)
        neighbours.later(days=2)

    keyholder = run_worker(neighbours, "nantes", somebody_rotates, lambda: None)
    after = kid(load_identity(folder, url_of("nantes")).operational_key)
    assert kid(keyholder.identity.operational_key) == after != before
    with neighbours.at("nantes") as session:
        assert {signing.kid_of(jws) for jws in session.scalars(select(FeedEntry.jws))} == {after}


def test_a_worker_whose_keys_others_can_read_does_nothing_until_they_are_closed(neighbours):
    folder = keys_of(neighbours, "nantes")
    requests = neighbours.network.requests

    def open_up():
        (folder / "operational.json").chmod(0o644)
        os.utime(folder / "operational.json", (1, 1))
        neighbours.later(days=2)
        requests.clear()

    def close():
        assert requests == []
        (folder / "operational.json").chmod(0o600)

    run_worker(neighbours, "nantes", open_up, close, lambda: None)
    assert requests != []


def test_a_worker_that_was_away_reads_its_neighbours_and_says_that_it_is_back(neighbours):
    heartbeat = neighbours.folder / "lyon" / worker.HEARTBEAT
    heartbeat.touch()
    neighbours.cut("lyon")
    neighbours.publish("nantes", GWEN)
    for _ in range(8):
        neighbours.later(hours=3)
        neighbours.work_at("nantes")
    assert neighbours.peer("nantes", "lyon", "failures") > 0
    neighbours.mend("lyon")
    os.utime(heartbeat, (1, 1))
    with neighbours.at("lyon") as session:
        # Its own next visit is far away.
        for job in session.scalars(select(worker.outbox.Job)):
            job.due_at = neighbours.now + timedelta(days=1)
    run_worker(neighbours, "lyon", lambda: None)
    assert neighbours.held("lyon") == {CLAIRE, GWEN}
    neighbours.work_at("nantes")
    assert neighbours.peer("nantes", "lyon", "failures") == 0


# --- a root key that is lost


@pytest.fixture
def type_in(neighbours):
    folder = neighbours.folder / "nantes"
    environment = {
        "MITOYEN_DATA": str(folder),
        "MITOYEN_DATABASE": databases.of(folder),
        "MITOYEN_MAIL": "console",
    }

    def type_in(*words, **given):
        return CliRunner().invoke(main, words, env=environment, **given)

    return type_in


def test_a_root_key_is_made_anew_only_after_a_yes(neighbours, type_in):
    before = neighbours.identity("nantes").root_kid
    assert type_in("keys", "anew", input="n\n").exit_code == 1
    neighbours.read_keys("nantes")
    assert neighbours.identity("nantes").root_kid == before


def test_a_root_key_from_before_the_loss_is_nobody_s_any_more(folder):
    now = datetime.now(UTC)
    former = load_identity(folder, url_of("x")).root_kid
    rotation.roll_root(folder, now)
    assert former in load_identity(folder, url_of("x")).root_kids
    (folder / "root.json").unlink()
    fresh = rotation.found_root_anew(folder, now)
    found = load_identity(folder, url_of("x"))
    assert found.root_kids == (fresh,)
    assert former not in found.root_kids
    assert found.next_kid not in (former, fresh)


def test_operational_keys_that_are_lost_as_well_are_made_anew_with_the_root_key(folder):
    for path in folder.iterdir():
        path.unlink()
    rotation.found_root_anew(folder, datetime(2026, 1, 1, tzinfo=UTC))
    found = load_identity(folder, url_of("x"))
    assert len(found.published_keys) == 2


def test_lost_root_keys_are_made_anew_and_each_neighbour_confirms_the_new_words(
    neighbours, type_in
):
    folder = keys_of(neighbours, "nantes")
    operational = kid(neighbours.identity("nantes").operational_key)
    for name in ("root.json", "next_root.json"):
        (folder / name).unlink()
    done = type_in("keys", "anew", "--yes")
    assert done.exit_code == 0, done.output
    neighbours.read_keys("nantes")
    assert kid(neighbours.identity("nantes").operational_key) == operational
    # The statement with the new key makes Lyon look at the door again, though not at every knock.
    neighbours.work()
    neighbours.later(minutes=11)
    neighbours.work()
    assert neighbours.stands("lyon", "nantes")[0] == "key_hold"
    assert neighbours.seen("lyon") == {CLAIRE}
    with neighbours.at("lyon") as session:
        peer = neighbours.peer_in(session, "nantes")
        words = " ".join(peers.pair_code_of(peer, neighbours.identity("lyon")))
    assert f"Lyon: {words}" in done.output
    neighbours.publish("nantes", GWEN)
    neighbours.later(minutes=5)
    neighbours.work()
    assert neighbours.held("lyon") == {CLAIRE}
    neighbours.decide(peers.confirm_key, "lyon", "nantes")
    neighbours.later(hours=2)
    neighbours.work()
    assert neighbours.held("lyon") == {CLAIRE, GWEN}
    assert neighbours.stands("lyon", "nantes") == neighbours.stands("nantes", "lyon")
    assert neighbours.peer("lyon", "nantes", "roots_agree") is True


def test_a_copy_under_a_held_key_is_marked_and_a_confirmed_one_is_not(neighbours):
    neighbours.new_root_key("nantes")
    neighbours.later(days=8)
    neighbours.work_at("lyon")
    held = neighbours.now
    neighbours.later(days=1)
    with neighbours.at("lyon") as session:
        card = card_of_mirrored(session.scalars(select(MirroredProfile)).one(), neighbours.now)
    assert card.unconfirmed
    assert card.confirmed_at < held
    neighbours.decide(peers.confirm_key, "lyon", "nantes")
    neighbours.work_at("nantes")
    neighbours.work_at("lyon")
    assert neighbours.peer("lyon", "nantes", "unconfirmed_since") is None
    with neighbours.at("lyon") as session:
        card = card_of_mirrored(session.scalars(select(MirroredProfile)).one(), neighbours.now)
    assert (card.unconfirmed, card.confirmed_at) == (
        False,
        neighbours.peer("lyon", "nantes", "last_success_at"),
    )
