"""Hiding, warning, banning: who disappears where, and what comes back when it is taken back."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.exchange import outbox, peers
from app.exchange.describing import subject_of
from app.members import moderation
from app.members.moderation import NotPossibleError, Person
from app.members.roles import LastAdminError
from app.models.account import Account, SignInLink, issue_link
from app.models.job import Job
from app.models.journal import JournalEntry
from app.models.measure import BAN, HIDE, WARN, Measure
from app.models.member import Member
from app.models.sign_in import SignIn, begin
from tests.neighbourhood import Neighbourhood
from tests.spaces import add_member, service


@pytest.fixture
def town(tmp_path):
    """Claire of Nantes is known in Lyon; Maud runs Lyon, Inès runs Nantes."""
    town = Neighbourhood(tmp_path, "lyon", "nantes")
    with town.at("lyon"):
        add_member("Maud", audience="me", email="maud@x.example", admin=True)
    with town.at("nantes"):
        add_member("Inès", audience="me", email="ines@x.example", admin=True)
        add_member(
            "Claire", audience="me", email="claire@x.example", services=(service("Contracts"),)
        )
    town.publish("nantes", "Claire")
    town.befriend("lyon", "nantes")
    yield town
    town.close()


def admin(session):
    return session.scalars(select(Account).filter_by(role="admin")).first()


def person_in(session, town, space, name):
    member = session.scalars(select(Member).filter_by(name=name)).one()
    return Person(subject_of(member, town.identity(space)), name, member=member)


def decide(town, space, kind, name="Claire", reason="As it is written"):
    with town.at(space) as session:
        person = person_in(session, town, space, name)
        moderation.decide(
            session, kind, person, reason, admin(session), town.identity(space), town.now
        )
    town.work()


def hide_in_lyon(town):
    subject = town.subject("nantes", "Claire")
    with town.at("lyon") as session:
        person = Person(subject, "Claire", peer=town.peer_in(session, "nantes"))
        moderation.decide(
            session, HIDE, person, "Spam", admin(session), town.identity("lyon"), town.now
        )


def undo(town, space):
    with town.at(space) as session:
        taken = session.scalars(select(Measure).order_by(Measure.id.desc())).first()
        moderation.undo(session, taken, admin(session), town.identity(space), town.now)
    town.work()


# --- what is not possible -------------------------------------------------------------


@pytest.mark.parametrize("kind", [HIDE, WARN, BAN])
def test_nothing_is_decided_without_a_reason_or_about_oneself(town, kind):
    with town.at("nantes") as session:
        for name, reason, why in (("Claire", "", "no-reason"), ("Inès", "Fun", "oneself")):
            with pytest.raises(NotPossibleError) as refused:
                moderation.decide(
                    session, kind, person_in(session, town, "nantes", name), reason,
                    admin(session), town.identity("nantes"), town.now,
                )  # fmt: skip
            assert refused.value.reason == why
        assert session.scalars(select(Measure)).all() == []


@pytest.mark.parametrize("kind", [WARN, BAN])
def test_a_neighbours_person_is_neither_warned_nor_banned_from_here(town, kind):
    subject = town.subject("nantes", "Claire")
    with town.at("lyon") as session:
        person = Person(subject, "Claire")
        with pytest.raises(NotPossibleError):
            moderation.decide(
                session, kind, person, "Spam", admin(session), town.identity("lyon"), town.now
            )


def test_a_member_without_an_account_can_be_hidden_and_nothing_else(town):
    with town.at("nantes"):
        add_member("Paper", audience="space")
    for kind in (WARN, BAN):
        with pytest.raises(NotPossibleError):
            decide(town, "nantes", kind, "Paper")
    decide(town, "nantes", HIDE, "Paper")


def test_the_last_admin_is_not_banned_by_one_who_is_none_any_more(town):
    """Two admins in the same moment: the second decision finds the first."""
    with town.at("nantes") as session:
        add_member("Tom", audience="me", email="tom@x.example", admin=True)
        tom = session.scalars(select(Account).filter_by(email="tom@x.example")).one()
        tom.role = "member"
        session.flush()
        with pytest.raises(LastAdminError):
            moderation.decide(
                session, BAN, person_in(session, town, "nantes", "Inès"), "Quarrel",
                tom, town.identity("nantes"), town.now,
            )  # fmt: skip


def test_a_warning_cannot_be_taken_back_and_nothing_twice(town):
    decide(town, "nantes", WARN)
    with pytest.raises(NotPossibleError):
        undo(town, "nantes")
    decide(town, "nantes", HIDE)
    undo(town, "nantes")
    with pytest.raises(NotPossibleError):
        undo(town, "nantes")


# --- a member of ours -----------------------------------------------------------------


def test_whom_an_admin_hides_is_shown_nowhere_until_it_is_taken_back(town):
    assert town.search("nantes", "contracts") == town.search("lyon", "contracts") == ["Claire"]
    decide(town, "nantes", HIDE)
    assert town.search("nantes", "contracts") == town.search("lyon", "contracts") == []
    assert town.held("lyon") == set()
    undo(town, "nantes")
    assert town.search("nantes", "contracts") == town.search("lyon", "contracts") == ["Claire"]


def test_what_somebody_hidden_chooses_meanwhile_is_kept_and_shown_to_nobody(town):
    decide(town, "nantes", HIDE)
    town.publish("nantes", "Claire", audience="web")
    town.work()
    assert town.held("lyon") == set()
    with town.at("nantes") as session:
        member = session.scalars(select(Member).filter_by(name="Claire")).one()
        assert member.audience == "web"
        assert not (member.listed_here)
        assert not (member.listed_elsewhere)
        assert not (member.on_the_web)


def test_whom_two_decisions_hide_stays_hidden_until_both_are_taken_back(town):
    decide(town, "nantes", HIDE)
    decide(town, "nantes", BAN)
    undo(town, "nantes")
    with town.at("nantes") as session:
        claire = session.scalars(select(Account).filter_by(email="claire@x.example")).one()
        assert claire.banned_at is None
    assert town.held("lyon") == set()


def test_deciding_the_same_twice_is_deciding_it_once(town):
    decide(town, "nantes", HIDE)
    decide(town, "nantes", HIDE, reason="Once more")
    with town.at("nantes") as session:
        assert [one.reason for one in session.scalars(select(Measure))] == ["As it is written"]


def test_who_is_banned_is_signed_out_everywhere_and_no_link_opens(town):
    with town.at("nantes") as session:
        claire = session.scalars(select(Account).filter_by(email="claire@x.example")).one()
        begin(session, claire, "phone", town.now, town.now)
        issue_link(session, claire, town.now)
    decide(town, "nantes", BAN)
    with town.at("nantes") as session:
        claire = session.scalars(select(Account).filter_by(email="claire@x.example")).one()
        assert claire.banned_at is not None
        assert session.scalars(select(SignIn).filter_by(account_id=claire.id)).all() == []
        assert session.scalars(select(SignInLink).filter_by(account_id=claire.id)).all() == []
    assert town.held("lyon") == set()


def test_a_banned_admin_runs_nothing_afterwards_either(town):
    with town.at("nantes"):
        add_member("Tom", audience="me", email="tom@x.example", admin=True)
    decide(town, "nantes", BAN, "Tom")
    undo(town, "nantes")
    with town.at("nantes") as session:
        tom = session.scalars(select(Account).filter_by(email="tom@x.example")).one()
        assert (tom.role, tom.banned_at) == ("member", None)


def test_every_decision_is_in_the_journal_with_its_reason_and_who_made_it(town):
    for kind in (HIDE, WARN, BAN):
        decide(town, "nantes", kind)
    undo(town, "nantes")
    subject = town.subject("nantes", "Claire")
    with town.at("nantes") as session:
        lines = session.scalars(select(JournalEntry).filter_by(subject=subject, kind="decision"))
        by = admin(session).ref
        assert [(one.code, one.actor, one.detail) for one in lines] == [
            (code, by, "As it is written")
            for code in ("person.hidden", "person.warned", "person.banned", "person.unbanned")
        ]


# --- a neighbour's person -------------------------------------------------------------


def test_a_neighbours_person_is_hidden_here_without_a_word_to_their_space(town):
    before = len(town.network.requests)
    hide_in_lyon(town)
    assert town.seen("lyon") == set()
    assert town.search("lyon", "contracts") == []
    assert town.search("lyon", "Claire") == []
    assert town.held("lyon") == {"Claire"}
    with town.at("lyon") as session:
        # No letter, and nothing to be delivered.
        assert (
            session.scalars(select(Job).where(Job.kind.in_((outbox.MAIL, outbox.LETTER)))).all()
            == []
        )
    assert len(town.network.requests) == before
    assert town.search("nantes", "contracts") == ["Claire"]


def test_reading_the_profile_again_shows_nobody_who_is_hidden(town):
    hide_in_lyon(town)
    town.publish("nantes", "Claire", headline="Something new to read", audience="web")
    town.work()
    town.later(hours=3)
    town.work()
    assert town.held("lyon") == {"Claire"}
    assert town.seen("lyon") == set()
    assert town.peer("lyon", "nantes", "roots_agree") is True


def test_who_is_hidden_stays_hidden_when_the_spaces_part_and_meet_again(town):
    hide_in_lyon(town)
    town.decide(peers.end, "lyon", "nantes")
    town.work()
    town.later(days=40)
    town.work()
    town.befriend("lyon", "nantes")
    town.work()
    assert town.held("lyon") == {"Claire"}
    assert town.seen("lyon") == set()
    undo(town, "lyon")
    assert town.seen("lyon") == {"Claire"}
