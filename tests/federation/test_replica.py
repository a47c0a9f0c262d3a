"""Which documents may change what we hold of a peer. R1, R11, R20; checkpoints."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import tree
from federation.errors import (
    EquivocationError,
    ExpiredError,
    ForeignSubjectError,
    ForkError,
    FrozenError,
    RollbackError,
    StaleError,
    UnknownIssuerError,
    WrongAudienceError,
)
from federation.replica import Held, Outcome, Progress, Replica, drops_many, progress
from tests.federation.samples import (
    AICHA,
    BERLIN,
    DAY,
    LYON,
    NANTES,
    NOW,
    checkpoint,
    profile,
    withdrawal,
)

ONE, TWO, THREE = "1" * 64, "2" * 64, "3" * 64


@pytest.fixture
def replica():
    """Nantes's copy of Lyon, empty."""
    return Replica(LYON, NANTES)


@pytest.mark.parametrize(
    ("record", "error"),
    [
        (profile(issuer=BERLIN, subject=f"{BERLIN}/m/a"), UnknownIssuerError),
        (profile(issuer=BERLIN), UnknownIssuerError),
        (profile(subject=f"{BERLIN}/m/a"), ForeignSubjectError),
        (profile(subject=f"{LYON}/vaise/m/a"), ForeignSubjectError),
        (profile(subject="https://lyon.example.evil.example/m/a"), ForeignSubjectError),
        (withdrawal(issuer=BERLIN), UnknownIssuerError),
        (withdrawal(subject=f"{BERLIN}/m/a"), ForeignSubjectError),
        (profile(audience=BERLIN), WrongAudienceError),
        (profile(issued_at=NOW - DAY, expires_at=NOW), ExpiredError),
        (profile(issued_at=NOW + timedelta(minutes=6)), ExpiredError),
        (withdrawal(issued_at=NOW + timedelta(minutes=6)), ExpiredError),
    ],
)
def test_a_record_that_may_not_be_believed_changes_nothing(replica, record, error):
    with pytest.raises(error):
        replica.admit(record, ONE, NOW)
    assert replica.held == {}


@pytest.mark.parametrize("audience", ["public", "peers", NANTES])
def test_a_member_who_agreed_to_be_shown_to_us_is_taken_in(replica, audience):
    assert replica.admit(profile(audience=audience), ONE, NOW) is Outcome.NEW
    assert replica.held == {AICHA: Held(1, ONE, NOW + 90 * DAY)}


def test_an_older_revision_never_replaces_a_newer_one(replica):
    replica.admit(profile(revision=3), THREE, NOW)
    for record in (profile(revision=2), withdrawal(revision=2)):
        with pytest.raises(StaleError):
            replica.admit(record, TWO, NOW)
    assert replica.held[AICHA].rev == 3


def test_two_stories_under_one_revision_are_equivocation_and_the_first_stays(replica):
    replica.admit(profile(), ONE, NOW)
    with pytest.raises(EquivocationError):
        replica.admit(profile(), TWO, NOW)
    with pytest.raises(EquivocationError):
        replica.admit(withdrawal(revision=1), TWO, NOW)
    assert replica.held[AICHA].digest == ONE


def test_the_same_bytes_again_change_nothing(replica):
    replica.admit(profile(), ONE, NOW)
    assert replica.admit(profile(), ONE, NOW) is Outcome.UNCHANGED


def test_a_newer_profile_takes_the_older_one_s_place(replica):
    replica.admit(profile(), ONE, NOW)
    assert replica.admit(profile(revision=5), TWO, NOW) is Outcome.CHANGED
    assert replica.held == {AICHA: Held(5, TWO, NOW + 90 * DAY)}


def test_nothing_signed_before_a_withdrawal_comes_back_after_it(replica):
    replica.admit(profile(), ONE, NOW)
    assert replica.admit(withdrawal(), TWO, NOW) is Outcome.WITHDRAWN
    with pytest.raises(StaleError):
        replica.admit(profile(), ONE, NOW)
    assert replica.held == {AICHA: Held(2, TWO, NOW + 90 * DAY, withdrawn=True)}


def test_a_withdrawal_that_overtook_its_profile_keeps_it_out(replica):
    assert replica.admit(withdrawal(), TWO, NOW) is Outcome.REMEMBERED
    with pytest.raises(StaleError):
        replica.admit(profile(), ONE, NOW)


def test_a_member_who_returns_is_new_again(replica):
    replica.admit(withdrawal(), TWO, NOW)
    assert replica.admit(profile(revision=3), THREE, NOW) is Outcome.NEW


def test_a_tombstone_outlives_the_copy_whatever_it_says(replica):
    replica.admit(profile(), ONE, NOW)
    short = withdrawal(expires_at=NOW + DAY)
    assert replica.admit(short, TWO, NOW) is Outcome.WITHDRAWN
    assert replica.held[AICHA].expires_at == NOW + 90 * DAY


def test_a_withdrawal_is_heard_even_when_it_comes_late(replica):
    replica.admit(profile(), ONE, NOW)
    late = withdrawal(issued_at=NOW, expires_at=NOW + DAY)
    assert replica.admit(late, TWO, NOW + 2 * DAY) is Outcome.WITHDRAWN


def test_what_has_expired_is_named_and_counts_no_more(replica):
    replica.admit(profile(), ONE, NOW)
    assert list(replica.expired(NOW + 89 * DAY)) == []
    assert list(replica.expired(NOW + 90 * DAY)) == [AICHA]
    assert replica.count(NOW + 90 * DAY) == 0


def test_the_root_covers_live_profiles_and_nothing_else(replica):
    replica.admit(profile(), ONE, NOW)
    replica.admit(withdrawal(subject=f"{LYON}/m/b"), TWO, NOW)
    assert replica.root(NOW) == tree.root([tree.leaf_from_digest(AICHA, 1, bytes.fromhex(ONE))])
    assert replica.count(NOW) == 1
    told = checkpoint(root=replica.root(NOW).hex(), count=1)
    assert replica.agrees_with(told)
    assert not replica.agrees_with(checkpoint(root=told.root, count=2))
    assert not replica.agrees_with(checkpoint(root=ONE, count=1))


HISTORY = [profile(revision=1), withdrawal(revision=2), profile(revision=3), profile(revision=4)]


@given(st.lists(st.sampled_from(range(4)), max_size=12))
def test_lost_repeated_and_reordered_records_end_where_the_newest_leads(arrivals):
    replica = Replica(LYON, NANTES)
    for which in [*arrivals, 3]:
        try:
            replica.admit(HISTORY[which], str(which) * 64, NOW)
        except StaleError:
            continue
    assert replica.held == {AICHA: Held(4, "3" * 64, NOW + 90 * DAY)}


# --- checkpoints


def follow(now, after=NOW + DAY / 2, **changes):
    return progress(now, checkpoint(**changes) if changes else None, entity_id=LYON, now=after)


def test_a_checkpoint_of_somebody_else_or_from_tomorrow_is_refused():
    with pytest.raises(UnknownIssuerError):
        follow(checkpoint(issuer=BERLIN))
    with pytest.raises(ExpiredError):
        follow(checkpoint(), after=NOW - timedelta(minutes=6))


def test_a_state_that_nobody_vouches_for_any_more_is_frozen():
    with pytest.raises(FrozenError):
        follow(checkpoint(), after=NOW + DAY)


def test_a_lower_position_is_a_rollback():
    with pytest.raises(RollbackError):
        follow(checkpoint(seq=9), seq=10)


def test_an_earlier_epoch_that_returns_is_a_rollback():
    with pytest.raises(RollbackError):
        follow(checkpoint(epoch="e0"), epoch="e1", issued_at=NOW + timedelta(seconds=1))


def test_two_states_under_one_number_are_a_fork():
    with pytest.raises(ForkError):
        follow(checkpoint(root=TWO), root=ONE)
    with pytest.raises(ForkError):
        follow(checkpoint(count=2), count=1)


def test_a_rollback_is_called_so_even_when_it_has_expired_too():
    with pytest.raises(RollbackError):
        follow(checkpoint(seq=9), after=NOW + 2 * DAY, seq=10)


def test_a_checkpoint_that_goes_on_is_believed():
    assert follow(checkpoint()) is Progress.FIRST
    assert follow(checkpoint(), seq=10) is Progress.SAME
    assert follow(checkpoint(seq=11, root=TWO), seq=10) is Progress.ADVANCED
    assert follow(checkpoint(epoch="e2", seq=1), seq=10) is Progress.NEW_EPOCH


@pytest.mark.parametrize(
    ("before", "after", "waits"),
    [
        (100, 80, False),
        (100, 79, True),
        (10, 5, False),
        (10, 4, True),
        (5, 0, False),
        (0, 9, False),
    ],
)
def test_a_sudden_loss_waits_for_an_admin(before, after, waits):
    assert drops_many(before, after) is waits
