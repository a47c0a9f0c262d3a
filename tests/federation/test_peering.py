"""Two halves, each decided by an admin; R20. Statements may be lost, repeated, late, reordered."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from federation import peering
from federation.errors import DecisionNotAllowedError
from federation.peering import Decision, Half, Peering, Received, decide, receive
from tests.federation.samples import DAY, LYON, NANTES, NOW, statement

LYON_KID, NANTES_KID, OTHER_KID = "L" * 43, "N" * 43, "O" * 43
N = int(NOW.timestamp())

#: Nantes's view of Lyon, both admins having said yes.
FRIENDS = Peering(Half.APPROVED, 5, Half.APPROVED, 7, NANTES_KID, LYON_KID)


def test_nothing_is_approved_by_a_statement():
    heard = receive(Peering(root_kid=LYON_KID), statement(n=3), NOW)
    assert heard == Received(
        Peering(Half.REQUESTED, 0, Half.APPROVED, 3, "k" * 43, LYON_KID), news=True, asks=True
    )


@pytest.mark.parametrize("ours", [Half.ENDED, Half.BLOCKED])
@pytest.mark.parametrize("n", [8, 9999])
def test_a_declined_or_blocked_space_never_comes_back_by_itself(ours, n):
    before = replace(FRIENDS, ours=ours)
    heard = receive(before, statement(n=n, seen_n=5), NOW)
    assert (heard.peering.ours, heard.asks) == (ours, False)
    assert not peering.active(heard.peering, [NANTES_KID])


def test_a_blocked_space_is_not_heard_at_all():
    before = replace(FRIENDS, ours=Half.BLOCKED)
    assert receive(before, statement(n=99), NOW) == Received(before)


@pytest.mark.parametrize("state", ["approved", "suspended", "ended"])
@pytest.mark.parametrize("n", [1, 6, 7])
def test_a_statement_that_is_not_newer_changes_nothing(state, n):
    heard = receive(FRIENDS, statement(n=n, state=state, seen_n=5), NOW)
    assert heard == Received(FRIENDS)


def test_an_old_statement_cannot_be_replayed_to_make_us_answer():
    assert not receive(FRIENDS, statement(n=6, seen_n=0), NOW).answer
    assert receive(FRIENDS, statement(n=7, seen_n=0), NOW).answer


@pytest.mark.parametrize(
    ("ours", "decision"),
    [
        (Half.NONE, Decision.DECLINE),
        (Half.NONE, Decision.SUSPEND),
        (Half.NONE, Decision.END),
        (Half.REQUESTED, Decision.RESUME),
        (Half.APPROVED, Decision.APPROVE),
        (Half.APPROVED, Decision.DECLINE),
        (Half.SUSPENDED, Decision.APPROVE),
        (Half.ENDED, Decision.RESUME),
        (Half.BLOCKED, Decision.APPROVE),
        (Half.KEY_HOLD, Decision.APPROVE),
        (Half.KEY_HOLD, Decision.RESUME),
    ],
)
def test_a_decision_that_makes_no_sense_is_not_allowed(ours, decision):
    with pytest.raises(DecisionNotAllowedError):
        decide(replace(FRIENDS, ours=ours), decision, NOW)
    assert decision not in peering.allowed(ours)


def test_nobody_is_approved_whose_key_is_not_known():
    with pytest.raises(DecisionNotAllowedError):
        decide(Peering(), Decision.APPROVE, NOW)


def test_confirming_a_new_key_takes_the_key():
    held = replace(FRIENDS, ours=Half.KEY_HOLD)
    with pytest.raises(DecisionNotAllowedError):
        decide(held, Decision.CONFIRM_KEY, NOW)
    confirmed = decide(held, Decision.CONFIRM_KEY, NOW, root_kid=OTHER_KID)
    assert confirmed == replace(FRIENDS, root_kid=OTHER_KID, our_n=N)


@pytest.mark.parametrize(
    ("ours", "decision", "after"),
    [
        (Half.NONE, Decision.APPROVE, Half.APPROVED),
        (Half.REQUESTED, Decision.APPROVE, Half.APPROVED),
        (Half.REQUESTED, Decision.DECLINE, Half.ENDED),
        (Half.REQUESTED, Decision.BLOCK, Half.BLOCKED),
        (Half.APPROVED, Decision.SUSPEND, Half.SUSPENDED),
        (Half.SUSPENDED, Decision.RESUME, Half.APPROVED),
        (Half.APPROVED, Decision.END, Half.ENDED),
        (Half.ENDED, Decision.APPROVE, Half.APPROVED),
        (Half.BLOCKED, Decision.UNBLOCK, Half.ENDED),
        (Half.KEY_HOLD, Decision.END, Half.ENDED),
    ],
)
def test_what_an_admin_decides_is_what_is_stated_next(ours, decision, after):
    assert decide(replace(FRIENDS, ours=ours), decision, NOW) == replace(
        FRIENDS, ours=after, our_n=N
    )


def test_the_key_that_the_admin_saw_is_the_key_that_is_approved():
    asked = Peering(Half.REQUESTED, root_kid=LYON_KID)
    assert decide(asked, Decision.APPROVE, NOW, root_kid=OTHER_KID).root_kid == OTHER_KID


@pytest.mark.parametrize("ours", [half for half in Half if half is not Half.APPROVED])
def test_without_our_yes_nothing_crosses(ours):
    assert not peering.active(replace(FRIENDS, ours=ours), [NANTES_KID])


@pytest.mark.parametrize("theirs", [half for half in Half if half is not Half.APPROVED])
def test_without_their_yes_nothing_crosses(theirs):
    assert not peering.active(replace(FRIENDS, theirs=theirs), [NANTES_KID])
    assert not peering.shown(replace(FRIENDS, theirs=theirs))


def test_a_yes_to_another_key_is_no_yes():
    assert not peering.active(replace(FRIENDS, their_kid_seen=OTHER_KID), [NANTES_KID])
    assert not peering.active(replace(FRIENDS, root_kid=""), [NANTES_KID])
    assert peering.active(FRIENDS, [NANTES_KID])


def test_while_our_key_rolls_the_one_before_still_counts():
    assert peering.active(FRIENDS, [OTHER_KID, NANTES_KID])


def test_an_unexpected_key_freezes_what_was_approved_and_leaves_it_to_be_seen():
    held = peering.key_changed(FRIENDS)
    assert held == replace(FRIENDS, ours=Half.KEY_HOLD)
    assert peering.shown(held)
    assert not peering.active(held, [NANTES_KID])
    assert peering.statement(held, issuer=NANTES, audience=LYON, now=NOW) is None
    suspended = replace(FRIENDS, ours=Half.SUSPENDED)
    assert peering.key_changed(suspended) == suspended


def test_an_announced_key_is_taken_and_told():
    assert peering.key_rolled(FRIENDS, OTHER_KID, NOW) == replace(
        FRIENDS, root_kid=OTHER_KID, our_n=N
    )


def test_their_end_undoes_our_yes_so_that_it_is_asked_for_again():
    heard = receive(FRIENDS, statement(n=8, state="ended", seen_n=5), NOW)
    assert heard == Received(
        Peering(Half.NONE, N, Half.ENDED, 8, "k" * 43, LYON_KID), news=True, answer=True, over=True
    )
    again = receive(heard.peering, statement(n=9, seen_n=N), NOW)
    assert (again.peering.ours, again.asks) == (Half.REQUESTED, True)


def test_a_space_that_lost_its_database_is_told_so_and_says_where_it_stands():
    heard = receive(Peering(root_kid=LYON_KID), statement(n=8, seen_n=N + 9), NOW)
    assert heard.answer
    assert heard.peering == Peering(Half.REQUESTED, N + 10, Half.APPROVED, 8, "k" * 43, LYON_KID)
    told = peering.statement(heard.peering, issuer=NANTES, audience=LYON, now=NOW)
    assert told is not None
    assert (told.state, told.n) == ("requested", N + 10)


def test_a_request_that_is_taken_back_waits_no_longer():
    asked = receive(Peering(root_kid=LYON_KID), statement(n=3), NOW).peering
    heard = receive(asked, statement(n=4, state="ended"), NOW)
    assert heard == Received(
        replace(asked, ours=Half.NONE, theirs=Half.ENDED, their_n=4), news=True
    )


def test_a_space_that_lost_its_database_counts_above_what_it_said_before():
    assert peering.next_n(0, NOW) == N
    assert peering.next_n(N + 50, NOW) == N + 51


def test_there_is_nothing_to_tell_before_anything_was_decided():
    for quiet in (Peering(), Peering(Half.REQUESTED, 0, Half.APPROVED, 3, "", LYON_KID)):
        assert peering.statement(quiet, issuer=NANTES, audience=LYON, now=NOW) is None


def test_a_statement_carries_the_whole_half():
    told = peering.statement(FRIENDS, issuer=NANTES, audience=LYON, now=NOW, note="Bonjour")
    assert told == statement(
        issuer=NANTES,
        audience=LYON,
        n=5,
        kid_seen=LYON_KID,
        seen_n=7,
        note="Bonjour",
        expires_at=NOW + 30 * DAY,
    )


class TwoAdmins(RuleBasedStateMachine):
    """Lyon and Nantes decide what they like; the post between them does what it likes."""

    def __init__(self):
        super().__init__()
        self.now = NOW
        self.kids = {LYON: LYON_KID, NANTES: NANTES_KID}
        self.sides = {
            LYON: Peering(root_kid=NANTES_KID),
            NANTES: Peering(root_kid=LYON_KID),
        }
        self.wishes = dict.fromkeys(self.sides)
        self.post = {LYON: [], NANTES: []}

    def other(self, side):
        return NANTES if side == LYON else LYON

    def send(self, side):
        told = peering.statement(
            self.sides[side], issuer=side, audience=self.other(side), now=self.now
        )
        if told is not None:
            self.post[self.other(side)].append(told)
        return told

    @rule(side=st.sampled_from([LYON, NANTES]), data=st.data(), minutes=st.integers(0, 3))
    def an_admin_decides(self, side, data, minutes):
        self.now += timedelta(minutes=minutes)
        decision = data.draw(st.sampled_from(peering.allowed(self.sides[side].ours)))
        self.sides[side] = decide(self.sides[side], decision, self.now)
        self.wishes[side] = decision
        self.send(side)

    @rule(side=st.sampled_from([LYON, NANTES]), data=st.data())
    def the_post_delivers_something_it_was_ever_given(self, side, data):
        if self.post[side]:
            self.deliver(side, data.draw(st.sampled_from(self.post[side])))

    @rule(side=st.sampled_from([LYON, NANTES]))
    def a_space_loses_its_database(self, side):
        self.now += timedelta(seconds=1)
        kid = self.kids[self.other(side)]
        self.sides[side], self.wishes[side] = Peering(root_kid=kid), None

    def deliver(self, side, told):
        heard = receive(self.sides[side], told, self.now)
        self.sides[side] = heard.peering
        if heard.answer:
            self.send(side)
        return heard

    @invariant()
    def nobody_approved_but_an_admin(self):
        for side, half in self.sides.items():
            if half.ours is Half.APPROVED:
                assert self.wishes[side] in (Decision.APPROVE, Decision.RESUME)

    def teardown(self):
        """Once the post works again, both sides agree whether they are neighbours."""
        for _ in range(6):
            for side in self.sides:
                told = self.send(side)
                if told is not None:
                    self.deliver(self.other(side), told)
        if Half.BLOCKED in (self.sides[LYON].ours, self.sides[NANTES].ours):
            blocked_by = [side for side in self.sides if self.sides[side].ours is Half.BLOCKED]
            assert not any(self.active(side) for side in blocked_by)
            return
        assert self.active(LYON) == self.active(NANTES)
        if all(half.ours is Half.APPROVED for half in self.sides.values()):
            assert self.active(LYON)

    def active(self, side):
        return peering.active(self.sides[side], [self.kids[side]])


TestTwoAdmins = TwoAdmins.TestCase
TestTwoAdmins.settings = settings(max_examples=150, stateful_step_count=20, deadline=None)
