"""Doors that are closed until a day, and requests that are passed on: who learns what, and when."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from app.exchange import arrivals, conversations, passing
from app.exchange.contacts import TooManyContactsError, require_room
from app.exchange.conversations import NoConversationError, Recipient, Request
from app.exchange.passing import NobodyToAskError
from app.models.conversation import DECLINE, SAY, Conversation, HeardMail, Silence
from app.models.job import Job
from app.models.member import Member
from app.models.peer import MirroredProfile
from federation.introductions import Reply
from tests.neighbourhood import Neighbourhood, url_of
from tests.spaces import add_member, service

MAY = date(2026, 5, 1)


@pytest.fixture
def town(tmp_path):
    """Maud of Lyon knows nobody; Claire of Nantes is asked, Youenn of Nantes could be."""
    town = Neighbourhood(tmp_path, "lyon", "nantes")
    with town.at("nantes"):
        for name in ("Claire", "Youenn", "Solène"):
            add_member(
                name, audience="me", email=f"{name[:4].lower()}@x.example",
                services=(service(f"Contracts by {name}"),),
            )  # fmt: skip
    for name in ("Claire", "Youenn"):
        town.publish("nantes", name)
    town.publish("nantes", "Solène", audience="space")
    with town.at("lyon"):
        add_member("Maud", audience="me", email="maud@x.example")
    town.befriend("lyon", "nantes")
    yield town
    town.close()


def member(session, name):
    return session.scalars(select(Member).filter_by(name=name)).one()


def profile_of(session, town, name):
    """What Lyon holds of somebody of Nantes."""
    return session.scalars(select(MirroredProfile).filter_by(name=name)).one()


def recipient(session, town, name):
    profile = profile_of(session, town, name)
    return Recipient(profile.subject, name, "", "Nantes", profile.peer, "fr")


def ask(town, kind="question", name="Claire", **more):
    with town.at("lyon") as session:
        conversations.ask(
            session, member(session, "Maud"), recipient(session, town, name),
            Request(kind, "Could you read a contract?", **more), town.identity("lyon"), town.now,
        )  # fmt: skip


def close(town, name="Claire", until=MAY, word="Two leases at once", publish=True):
    with town.at("nantes") as session:
        member(session, name).closed_until = until
        member(session, name).closed_word = word
    if publish:
        town.publish("nantes", name)


def talks(town, space, name):
    """What somebody's conversations look like: state, day, and who said what."""
    with town.at(space) as session:
        owner = member(session, name)
        return [
            (
                one.other_name, one.state, one.reopens_on,
                [("I" if each.mine else "they", each.act, each.text) for each in one.messages],
            )
            for one in session.scalars(
                select(Conversation).filter_by(member_id=owner.id).order_by(Conversation.id)
            )
        ]  # fmt: skip


def mails(town, space):
    with town.at(space) as session:
        return len(session.scalars(select(Job).filter_by(kind="mail")).all())


def propose(town, name="Youenn", why="He knows leases.", subject=None):
    with town.at("nantes") as session:
        claire = member(session, "Claire")
        one = session.scalars(select(Conversation).filter_by(member_id=claire.id)).one()
        to = subject or f"{url_of('nantes')}/m/{member(session, name).ref}"
        passing.propose(session, one, to, why, town.identity("nantes"), town.now)
    town.work()


def take_up(town, name="Youenn"):
    with town.at("lyon") as session:
        maud = member(session, "Maud")
        one = session.scalars(select(Conversation).filter_by(member_id=maud.id)).first()
        passing.take_up(
            session, one, recipient(session, town, name), "", town.identity("lyon"), town.now
        )
    town.work()


# --- closed doors -------------------------------------------------------------------------


ASKED = ("they", "ask", "Could you read a contract?")


def test_who_writes_to_a_closed_door_is_told_until_when_and_nobody_is_disturbed(town):
    close(town)
    ask(town)
    town.work()
    word = "Two leases at once"
    assert talks(town, "lyon", "Maud") == [
        ("Claire", "declined", MAY,
         [("I", "ask", ASKED[2]), ("they", "decline", word)]),
    ]  # fmt: skip
    assert talks(town, "nantes", "Claire") == [
        ("Maud", "declined", MAY, [ASKED, ("I", "decline", word)])
    ]
    assert mails(town, "nantes") == 0


def test_somebody_blocked_is_answered_by_a_closed_door_as_everybody_and_not_heard(town):
    """Silence at a door that answers all the others would tell them."""
    close(town)
    with town.at("nantes") as session:
        with town.at("lyon") as there:
            maud = f"{url_of('lyon')}/m/{member(there, 'Maud').ref}"
        session.add(Silence(member_id=member(session, "Claire").id, other=maud, since=town.now))
    ask(town)
    town.work()
    [(_name, state, day, said)] = talks(town, "lyon", "Maud")
    assert (state, day, said[-1][:2]) == ("declined", MAY, ("they", "decline"))
    assert talks(town, "nantes", "Claire") == []


@pytest.mark.parametrize("hidden", ["nobody there", "shown to their space alone"])
def test_a_closed_door_tells_nothing_to_those_who_cannot_see_it(town, hidden):
    close(town, "Solène", publish=False)
    with town.at("lyon") as session:
        peer = town.peer_in(session, "nantes")
        with town.at("nantes") as there:
            ref = member(there, "Solène").ref if "space" in hidden else "nobody"
        there = Recipient(f"{url_of('nantes')}/m/{ref}", "Solène", "", "Nantes", peer)
        conversations.ask(
            session, member(session, "Maud"), there, Request("question", "Hello?"),
            town.identity("lyon"), town.now,
        )  # fmt: skip
    town.work()
    [(_name, state, _day, said)] = talks(town, "lyon", "Maud")
    assert (state, said) == ("waiting", [("I", "ask", "Hello?")])


def test_the_doors_open_by_themselves_on_the_day(town):
    close(town)
    town.time.move_to("2026-05-01T06:00:00Z")
    ask(town)
    town.work()
    [(_name, state, day, _said)] = talks(town, "nantes", "Claire")
    assert (state, day) == ("waiting", None)


def test_whoever_takes_no_questions_is_still_asked_for_quotes(town):
    with town.at("nantes") as session:
        member(session, "Claire").takes_questions = False
    ask(town)
    ask(town, kind="quote", timing="in May")
    town.work()
    assert [state for _n, state, *_ in talks(town, "nantes", "Claire")] == ["declined", "waiting"]


def test_neighbours_hold_the_day_as_a_signed_claim_and_nothing_of_a_day_that_has_passed(town):
    close(town)
    town.work()
    with town.at("lyon") as session:
        claims = profile_of(session, town, "Claire").document
    assert (claims["closed_until"], claims["closed_word"]) == ("2026-05-01", "Two leases at once")
    assert "doors" not in claims
    close(town, until=date(2026, 1, 1))
    town.work()
    with town.at("lyon") as session:
        assert "closed_until" not in profile_of(session, town, "Claire").document


def test_a_closed_door_is_none_of_the_five_new_contacts_of_the_day(town):
    with town.at("lyon") as session:
        for number in range(6):
            session.add(
                Conversation(
                    member=member(session, "Maud"), opened_by=url_of("lyon"),
                    wire_id=str(number), mine=True, other=f"https://x.example/m/{number}",
                    other_name="X", kind="question", reopens_on=MAY, created_at=town.now,
                    updated_at=town.now,
                )
            )  # fmt: skip
        session.flush()
        require_room(session, member(session, "Maud"), "https://x.example/m/9", town.now)


# --- passing on -----------------------------------------------------------------------------


def test_nothing_of_the_request_reaches_a_colleague_before_the_asker_agrees(town):
    ask(town)
    town.work()
    propose(town)
    assert talks(town, "nantes", "Youenn") == []
    [(_name, state, _day, said)] = talks(town, "lyon", "Maud")
    assert (state, said[-1]) == ("declined", ("they", "decline", "He knows leases."))


def test_once_the_asker_agrees_the_colleague_gets_the_request_and_who_passed_it_on(town):
    ask(town, kind="quote", timing="in May", budget="300 euros")
    town.work()
    propose(town)
    take_up(town)
    with town.at("nantes") as session:
        youenn = member(session, "Youenn")
        got = session.scalars(select(Conversation).filter_by(member_id=youenn.id)).one()
        assert (got.kind, got.timing, got.budget) == ("quote", "in May", "300 euros")
        assert (got.other_name, got.passed_by, got.state) == ("Maud", "Claire", "waiting")
        assert [one.text for one in got.messages] == ["Could you read a contract?"]
    with pytest.raises(NoConversationError):
        take_up(town)


def test_a_request_is_passed_on_to_nobody_but_whom_was_proposed(town):
    ask(town)
    town.work()
    propose(town)
    with pytest.raises(NoConversationError):
        take_up(town, "Claire")


def test_whoever_asked_passes_nothing_on_and_nobody_proposes_one_of_the_two(town):
    ask(town)
    town.work()
    with town.at("lyon") as session:
        mine = session.scalars(select(Conversation)).one()
        with pytest.raises(NoConversationError):
            passing.propose(
                session, mine, f"{url_of('nantes')}/m/x", "", town.identity("lyon"), town.now
            )
        asker = f"{url_of('lyon')}/m/{member(session, 'Maud').ref}"
    with pytest.raises(NobodyToAskError):
        propose(town, subject=asker)
    with pytest.raises(NobodyToAskError):
        propose(town, "Claire")


def test_whom_somebody_proposes_who_was_not_asked_is_nobodys_business(town):
    """The asker's space may sign such a thing; whoever was asked is offered nobody by it."""
    ask(town)
    town.work()
    with town.at("lyon") as session:
        mine = session.scalars(select(Conversation)).one()
        there, talk = recipient(session, town, "Youenn").subject, mine.wire_id
    signed = Reply.model_validate(
        {
            "issuer": url_of("lyon"), "audience": url_of("nantes"), "issued_at": town.now,
            "expires_at": town.now + timedelta(days=1), "opened_by": url_of("lyon"), "id": talk,
            "n": 1, "act": DECLINE, "pass_to": there,
        }
    )  # fmt: skip
    with town.at("nantes") as session:
        peer = town.peer_in(session, "lyon")
        conversations.receive(session, peer, signed, town.identity("nantes"), town.now)
        heard = session.scalars(select(Conversation)).one()
        assert (heard.state, heard.proposed) == ("declined", "")
        # Nor would a proposal of one's own be taken up by oneself.
        heard.proposed = there
        assert not passing.may_be_taken_up(heard)


def test_a_colleague_shown_to_their_own_space_alone_is_not_told_of_to_another(town):
    ask(town)
    town.work()
    with town.at("nantes") as session:
        one = session.scalars(select(Conversation)).one()
        assert not passing.may_be_told_of(one, member(session, "Solène"))
        assert passing.may_be_told_of(one, member(session, "Youenn"))


def test_passing_on_leads_around_no_block_and_nobody_learns_of_it(town):
    with town.at("nantes") as session:
        with town.at("lyon") as there:
            maud = f"{url_of('lyon')}/m/{member(there, 'Maud').ref}"
        session.add(Silence(member_id=member(session, "Youenn").id, other=maud, since=town.now))
    ask(town)
    town.work()
    propose(town)
    take_up(town)
    assert talks(town, "nantes", "Youenn") == []
    assert talks(town, "lyon", "Maud")[-1][:2] == ("Youenn", "waiting")


def test_who_is_blocked_by_the_colleague_is_not_named_as_the_one_who_passed_it_on(town):
    with town.at("nantes") as session:
        claire = f"{url_of('nantes')}/m/{member(session, 'Claire').ref}"
        session.add(Silence(member_id=member(session, "Youenn").id, other=claire, since=town.now))
    ask(town)
    town.work()
    propose(town)
    take_up(town)
    with town.at("nantes") as session:
        youenn = member(session, "Youenn")
        got = session.scalars(select(Conversation).filter_by(member_id=youenn.id)).one()
        assert (got.other_name, got.passed_by) == ("Maud", "")


def test_a_colleague_whose_doors_are_closed_answers_so(town):
    close(town, "Youenn", word="")
    ask(town)
    town.work()
    propose(town)
    take_up(town)
    assert talks(town, "lyon", "Maud")[-1][:3] == ("Youenn", "declined", MAY)


def test_a_request_that_was_passed_on_is_none_of_the_five_new_contacts_of_the_day(town):
    ask(town)
    town.work()
    propose(town)
    with town.at("lyon") as session:
        for number in range(4):
            session.add(
                Conversation(
                    member=member(session, "Maud"), opened_by=url_of("lyon"),
                    wire_id=str(number), mine=True, other=f"https://x.example/m/{number}",
                    other_name="X", kind="question", created_at=town.now, updated_at=town.now,
                )
            )  # fmt: skip
        session.flush()
        with pytest.raises(TooManyContactsError):
            require_room(session, member(session, "Maud"), "https://x.example/m/9", town.now)
    take_up(town)
    assert talks(town, "nantes", "Youenn")[0][:2] == ("Maud", "waiting")
    with town.at("lyon") as session:
        session.delete(session.scalars(select(Conversation).filter_by(wire_id="3")).one())
        session.flush()
        # Four by herself, and Youenn: one more is left of the five.
        require_room(session, member(session, "Maud"), "https://x.example/m/9", town.now)


# --- what a backup forgets --------------------------------------------------------------------


def test_a_reply_after_a_return_from_a_backup_is_not_taken_for_one_from_before(town):
    """Nantes forgot that Claire answered; what she says now bears no number of then."""
    ask(town)
    town.work()

    def say(text):
        with town.at("nantes") as session:
            one = session.scalars(select(Conversation)).one()
            conversations.say(session, one, SAY, text, town.identity("nantes"), town.now)
        town.work()

    say("Gladly.")
    with town.at("nantes") as session:
        one = session.scalars(select(Conversation)).one()
        one.messages = [each for each in one.messages if not each.mine]
    town.later(hours=1)
    say("Send me the draft.")
    assert [text for *_, text in talks(town, "lyon", "Maud")[0][3]][1:] == [
        "Gladly.", "Send me the draft.",
    ]  # fmt: skip


def test_what_is_on_its_way_to_a_space_that_was_forgotten_is_said_not_to_arrive(town):
    ask(town)
    with town.at("lyon") as session:
        peer = town.peer_in(session, "nantes")
        conversations.give_up(session, peer, town.now)
    assert talks(town, "lyon", "Maud")[0][1] == "lost"


def test_mails_that_were_heard_are_forgotten_after_a_while(town):
    with town.at("nantes") as session:
        session.add(HeardMail(digest="d", at=town.now))
        session.flush()
        conversations.sweep(session, town.now + timedelta(days=30))
        assert session.scalars(select(HeardMail)).all() != []
        conversations.sweep(session, town.now + timedelta(days=91))
        assert session.scalars(select(HeardMail)).all() == []


def test_what_a_closed_door_says_waits_in_the_outbox_without_a_name(town):
    """It is kept apart from conversations, of which there may be none."""
    close(town)
    ask(town)
    town.work_at("lyon")
    with town.at("nantes") as session:
        for talk in {job.key for job in session.scalars(select(Job).filter_by(kind="arrival"))}:
            arrivals.open_waiting(session, talk, town.identity("nantes"), town.now)
        [said] = session.scalars(select(Job.body).filter_by(kind="answer"))
    assert set(json.loads(said)) == {"id", "n", "text", "until"}
