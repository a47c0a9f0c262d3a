"""Two to five spaces: people, admins, machines and accidents, in whatever order.

After each step a witness looks at all databases (:mod:`tests.exchange.witness`). In the end the
weather clears, and every pair of neighbours must come to agree by itself.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise, permutations

import pytest
from hypothesis import HealthCheck, register_random, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from app.exchange import outbox, peers, rotation
from app.exchange.peers import PeeringError
from app.members import reading
from app.members.load import load
from app.members.plan import plan
from app.models.peer import Peer
from federation.keys import kid
from tests.bad_weather import BadWeather, Fault, Killed
from tests.exchange.witness import Witness
from tests.neighbourhood import url_of

# A backup is put back as the file that SQLite keeps.
pytestmark = pytest.mark.sqlite

# What is left to chance there would be another thing at each attempt to shrink a failure.
register_random(outbox._chance)

#: By the night, ``--hypothesis-profile=long``; else the same few towns each time.
LONG = settings.get_current_profile_name() == "long"
SETTINGS = settings(
    max_examples=2000 if LONG else 20,
    stateful_step_count=40 if LONG else 15,
    derandomize=not LONG,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

#: Waits double up to a day, and daily jobs do the rest.
DAYS_TO_SETTLE = 8

NAMES = ("lyon", "nantes", "berlin", "ghent", "porto")
PEOPLE = ("Ada", "Bea", "Cyd")
VERBS = (
    peers.approve, peers.decline, peers.suspend, peers.resume, peers.end, peers.block,
    peers.unblock, peers.confirm_key,
)  # fmt: skip
YES = (peers.approve, peers.resume, peers.confirm_key)

#: Clocks that are a little wrong, which nobody may notice, and much.
SKEWS = [
    timedelta(minutes=4), timedelta(minutes=-4), timedelta(hours=30), timedelta(hours=-30),
]  # fmt: skip
PASSING = [
    timedelta(seconds=30), timedelta(minutes=20), timedelta(hours=2), timedelta(days=1),
    timedelta(days=8), timedelta(days=31), timedelta(days=65), timedelta(days=500),
]  # fmt: skip

space = st.integers(0, 4)
person = st.sampled_from(PEOPLE)


class Town(BadWeather):
    """A row of spaces, each the neighbour of the next, with one member who agreed in each."""

    witness = None

    def befriend_all(self):
        for guest, host in pairwise(self.apps):
            self.knock(guest, host)
        self.work()
        for guest, host in pairwise(self.apps):
            self.approve(host, guest)
        for name in self.apps:
            self.publish(name, PEOPLE[0])
        self.work()

    def served(self, name, reader):
        if self.witness is not None:
            self.witness.served(name, reader)


class Towns:
    """Founding a town takes longer than all that befalls it: each is founded once, and kept."""

    def __init__(self, folder):
        self.folder = folder
        self.founded = {}

    def open(self, number):
        kept = self.folder / f"{number} kept"
        if number not in self.founded:
            town = self.founded[number] = Town(self.folder / str(number), *NAMES[:number])
            town.befriend_all()
            town.keep(kept)
            town.close()
        self.founded[number].begin_from(kept)
        return self.founded[number]


class AnyOrder(RuleBasedStateMachine):
    """What people, machines and accidents do; the numbers of spaces wrap around."""

    def __init__(self, towns):
        super().__init__()
        self.towns = towns

    @initialize(number=st.sampled_from((2, 3, 2, 3, 4, 5)))
    def found(self, number):
        self.town = self.towns.open(number)
        self.town.witness = self.witness = Witness(self.town)
        self.backed_up = set()
        for pair in pairwise(self.town.apps):
            for name, about in permutations(pair):
                self.witness.decided(name, about, True)
        self.witness.look()

    def name(self, number):
        return NAMES[number % len(self.town.apps)]

    def two(self, number, step):
        """Return two different spaces."""
        count = len(self.town.apps)
        first = number % count
        return NAMES[first], NAMES[(first + 1 + step % (count - 1)) % count]

    def unless_killed(self, do):
        try:
            return do()
        except Killed:
            return None

    # --- people

    @rule(at=space, who=person, audience=st.sampled_from(["neighbours", "web"]),
          says=st.sampled_from(["Law", "Tax", ""]))  # fmt: skip
    def somebody_shows_themselves(self, at, who, audience, says):
        self.let(at, who, audience=audience, headline=says, left_at=None)

    @rule(at=space, who=person, audience=st.sampled_from(["me", "space"]))
    def somebody_withdraws(self, at, who, audience):
        self.let(at, who, audience=audience)

    @rule(at=space, who=person)
    def somebody_leaves(self, at, who):
        self.let(at, who, audience="me", left_at=self.town.now)

    def let(self, at, who, **chosen):
        """Let a member choose; the page may be lost with the process that saves it."""
        name = self.name(at)
        with self.witness.watching(name):
            self.unless_killed(lambda: self.town.publish(name, who, **chosen))

    @rule(at=space, number=st.integers(1, 12), says=st.sampled_from(["Law", "Tax"]),
          audience=st.sampled_from(["neighbours", "me"]), publish=st.booleans())  # fmt: skip
    def a_list_is_imported(self, at, number, says, audience, publish):
        name = self.name(at)
        rows = "\n".join(
            f'{{"name": "Guest {one}", "external_id": "{one}", "headline": "{says}", '
            f'"audience": "{audience}"}}'
            for one in range(number)
        )

        def do():
            with self.town.at(name) as session:
                now, identity = self.town.now, self.town.identity(name)
                listing = reading.read(rows.encode(), now.date())
                load(session, plan(session, listing, identity, now, publish=publish), identity, now)

        with self.witness.watching(name):
            self.unless_killed(do)

    # --- admins

    @rule(one=space, step=space)
    def an_admin_knocks(self, one, step):
        guest, host = self.two(one, step)
        self.decide(guest, host, lambda: self.town.knock(guest, host), yes=True)

    @rule(one=space, step=space, verb=st.sampled_from(VERBS))
    def an_admin_decides(self, one, step, verb):
        name, about = self.two(one, step)
        with self.town.looking_into(name) as session:
            if session.scalars(select(Peer).filter_by(url=url_of(about))).one_or_none() is None:
                return
        self.decide(name, about, lambda: self.town.decide(verb, name, about), yes=verb in YES)

    def decide(self, name, about, do, *, yes):
        before = self.witness.yes.get((name, about), False)
        # Told first: a page may be asked for before we are back.
        self.witness.decided(name, about, yes)
        try:
            do()
        except (PeeringError, Killed):
            self.witness.decided(name, about, before)

    @rule(one=space, step=space)
    def an_admin_lets_records_go(self, one, step):
        name, about = self.two(one, step)
        self.unless_killed(lambda: self.accept_drop(name, about))

    def accept_drop(self, name, about):
        with self.town.at(name) as session:
            peer = session.scalars(select(Peer).filter_by(url=url_of(about))).one_or_none()
            if peer is not None and peer.drop_waiting is not None:
                peers.accept_drop(session, peer, self.town.now, "admin")

    # --- machines

    @rule(at=space)
    def a_worker_works(self, at):
        self.unless_killed(lambda: self.town.work_at(self.name(at)))

    @rule()
    def all_workers_work(self):
        self.unless_killed(lambda: self.town.work(rounds=3))

    @rule(at=space, steps=st.integers(1, 25))
    def a_process_is_killed_on_the_way(self, at, steps):
        self.town.doom[self.name(at)] = steps
        self.unless_killed(lambda: self.town.work_at(self.name(at)))

    @rule(at=space)
    def a_backup_is_made(self, at):
        self.town.back_up(self.name(at))
        self.backed_up.add(self.name(at))

    @precondition(lambda self: getattr(self, "backed_up", None))
    @rule(which=space, declared=st.booleans())
    def a_backup_is_put_back(self, which, declared):
        name = sorted(self.backed_up)[which % len(self.backed_up)]
        self.town.doom.pop(name, None)
        self.town.restore(name, declared=declared)
        self.witness.lost_memory(name)

    # --- post and clocks

    @rule(plan=st.lists(st.sampled_from(Fault), min_size=1, max_size=8))
    def the_network_is_bad(self, plan):
        self.town.network.plan = plan

    @rule(at=space)
    def a_space_is_cut_off(self, at):
        self.town.cut(self.name(at))

    @rule(at=space)
    def a_space_is_reached_again(self, at):
        self.town.mend(self.name(at))

    @precondition(lambda self: hasattr(self, "town") and self.town.network.sent)
    @rule(which=st.integers(0, 10_000))
    def an_old_message_arrives(self, which):
        sent = self.town.network.sent
        self.town.network.arrive_again(*sent[which % len(sent)])

    @precondition(lambda self: hasattr(self, "town") and self.town.network.late)
    @rule()
    def a_late_message_arrives(self):
        self.town.network.arrive_again(*self.town.network.late.pop())

    @rule(passing=st.sampled_from(PASSING))
    def time_passes(self, passing):
        self.town.time.shift(passing)

    @rule(at=space, ahead=st.sampled_from(SKEWS))
    def a_clock_goes_wrong(self, at, ahead):
        self.town.skew[self.name(at)] = ahead
        self.witness.clocks_right = False

    @rule(at=space)
    def a_clock_is_set_right(self, at):
        self.town.skew.pop(self.name(at), None)

    # --- keys

    @rule(at=space)
    def an_operational_key_is_rotated(self, at):
        self.change_key(lambda: self.town.rotate(self.name(at)))

    @rule(at=space, which=st.integers(0, 7))
    def an_operational_key_is_revoked(self, at, which):
        name = self.name(at)
        self.witness.revoked(name)
        kids = [kid(key) for key in self.town.identity(name).published_keys]
        self.change_key(lambda: self.town.revoke(name, kids[which % len(kids)]))

    @rule(at=space)
    def a_root_key_rolls(self, at):
        self.change_key(lambda: self.town.roll_root(self.name(at)))

    @rule(at=space)
    def a_root_key_is_lost(self, at):
        self.town.new_root_key(self.name(at))

    def change_key(self, change):
        try:
            change()
        except (rotation.KeyChangeError, Killed):
            # So often lately that peers would refuse so many keys; or interrupted.
            return

    # --- what must hold

    @invariant()
    def nothing_is_there_that_must_not_be(self):
        if hasattr(self, "town"):
            self.witness.look()

    def teardown(self):
        if not hasattr(self, "town"):
            return
        try:
            self.settle()
            wrong = self.witness.disagreements()
            assert not wrong, wrong
            self.witness.nobody_came_back()
        finally:
            self.town.close()

    def settle(self):
        """Let the weather clear, and everybody work until nothing moves any more."""
        self.town.clear_up()
        for day in range(DAYS_TO_SETTLE):
            self.town.later(hours=25)
            self.town.work(rounds=12)
            for name, about in permutations(self.town.apps, 2):
                self.accept_drop(name, about)
            self.witness.look()
            if day and not self.witness.disagreements():
                return


def test_whatever_happens_in_whatever_order_neighbours_come_to_agree(tmp_path):
    towns = Towns(tmp_path)
    run_state_machine_as_test(lambda: AnyOrder(towns), settings=SETTINGS)
