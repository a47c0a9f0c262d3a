"""Writing to somebody, here and across the wall: what arrives once, what never, who learns what."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event, select

from app.database import db
from app.exchange import arrivals, contacts, conversations, hearing, peers
from app.exchange.contacts import TooManyContactsError
from app.exchange.conversations import NoConversationError, Recipient, Request
from app.members.leaving import leave
from app.models.conversation import (
    CLOSE,
    DECLINE,
    SAY,
    SHARE,
    Conversation,
    Introduced,
    Silence,
)
from app.models.member import Member
from app.models.peer import MirroredProfile
from federation import signing
from federation.errors import RateLimitedError, UnreachableError
from federation.introductions import Introduction
from tests.neighbourhood import Neighbourhood, url_of
from tests.spaces import add_member, service


@pytest.fixture
def town(tmp_path):
    town = Neighbourhood(tmp_path, "lyon", "nantes")
    with town.at("nantes"):
        add_member(
            "Claire", audience="me", email="claire@x.example", services=(service("Contracts"),)
        )
        add_member("Youenn", audience="space", email="youenn@x.example", services=(service("Tax"),))
    town.publish("nantes", "Claire")
    with town.at("lyon"):
        add_member("Maud", audience="me", email="maud@x.example", headline="I draw bees")
    town.befriend("lyon", "nantes")
    yield town
    town.close()


def member(session, name):
    return session.scalars(select(Member).filter_by(name=name)).one()


def to_claire(session):
    profile = session.scalars(select(MirroredProfile)).one()
    return Recipient(profile.subject, "Claire", "", "Nantes", profile.peer)


def ask(town, text="Could you read a contract?", who="Maud", recipient=None):
    """Let somebody in Lyon ask Claire; return the reference of the conversation."""
    with town.at("lyon") as session:
        there = recipient or to_claire(session)
        asked = conversations.ask(
            session, member(session, who), there, Request("question", text),
            town.identity("lyon"), town.now,
        )  # fmt: skip
        return asked.ref


def conversation(town, space, name):
    with town.at(space) as session:
        owner = member(session, name)
        found = session.scalars(select(Conversation).filter_by(member_id=owner.id)).one_or_none()
        if found is not None:
            session.expunge(found)
        return found


def say(town, space, name, act=SAY, text=""):
    with town.at(space) as session:
        owner = member(session, name)
        found = session.scalars(select(Conversation).filter_by(member_id=owner.id)).one()
        conversations.say(session, found, act, text, town.identity(space), town.now)


def heard(town, space, name):
    """What somebody sees of their one conversation: who did what, and what was said."""
    with town.at(space) as session:
        owner = member(session, name)
        found = session.scalars(select(Conversation).filter_by(member_id=owner.id)).all()
        return [
            ("I" if one.mine else "they", one.act, one.text)
            for each in found
            for one in each.messages
        ]


def addresses(town):
    found = [conversation(town, "lyon", "Maud"), conversation(town, "nantes", "Claire")]
    return [one.their_email for one in found]


# --- what is not said to whom ---------------------------------------------------------


@pytest.mark.parametrize("gone", ["left", "hidden", "offers nothing", "wants no more"])
def test_nobody_learns_whether_somebody_is_there_or_wants_to_hear(town, gone):
    with town.at("nantes") as session:
        claire = member(session, "Claire")
        if gone == "left":
            claire.left_at = town.now
        elif gone == "hidden":
            claire.show_to("space", town.now)
        elif gone == "offers nothing":
            claire.services.clear()
    if gone == "wants no more":
        ask(town)
        town.work()
        with town.at("nantes") as session:
            conversations.silence(session, session.scalars(select(Conversation)).one(), town.now)
        say(town, "lyon", "Maud", text="Did you read it?")
    else:
        ask(town)
    told = [outcome for outcome in town.work_at("lyon") if outcome.kind == "letter"]
    assert [(one.done, one.told) for one in told] == [(True, "1 delivered")]
    said = [text for _who, _act, text in heard(town, "nantes", "Claire")]
    assert said == (["Could you read a contract?"] if gone == "wants no more" else [])


def test_a_member_shown_to_this_space_alone_cannot_be_written_to_from_another(town):
    with town.at("nantes") as session:
        ref = member(session, "Youenn").ref
    with town.at("lyon") as session:
        peer = town.peer_in(session, "nantes")
        hidden = Recipient(f"{url_of('nantes')}/m/{ref}", "Youenn", "", "Nantes", peer)
        conversations.ask(
            session, member(session, "Maud"), hidden, Request("question", "Hello?"),
            town.identity("lyon"), town.now,
        )  # fmt: skip
    town.work()
    assert conversation(town, "nantes", "Youenn") is None


@pytest.mark.parametrize("agreed", ["nobody", "Maud", "Claire"])
def test_an_address_that_nobody_asked_for_is_not_taken(town, agreed):
    """A space that tells one before both have agreed gains nothing by it."""
    ask(town)
    town.work()
    if agreed != "nobody":
        say(town, {"Maud": "lyon", "Claire": "nantes"}[agreed], agreed, SHARE)
        town.work()
    before = heard(town, "lyon", "Maud")
    with town.at("nantes") as session:
        found = session.scalars(select(Conversation)).one()
        found.i_share_at = found.they_share_at = town.now
        conversations._add(session, found, "address", "", town.identity("nantes"), town.now)
    town.work()
    assert addresses(town)[0] == ""
    assert heard(town, "lyon", "Maud") == before


def test_an_address_is_not_taken_from_somebody_who_was_blocked_while_it_was_on_its_way(town):
    ask(town)
    town.work()
    say(town, "lyon", "Maud", SHARE)
    town.work()
    say(town, "nantes", "Claire", SHARE)
    town.work_at("nantes")
    with town.at("nantes") as session:
        conversations.silence(session, session.scalars(select(Conversation)).one(), town.now)
    town.work()
    assert addresses(town) == ["claire@x.example", ""]
    assert ("they", "address", "") not in heard(town, "nantes", "Claire")


def test_one_side_that_agrees_sees_no_address_and_lets_none_out_of_the_house(town):
    """Not to the other space either, which would only have to keep what it does not show."""
    ask(town)
    town.work()
    for _twice in range(2):
        say(town, "lyon", "Maud", SHARE)
    town.work()
    assert addresses(town) == ["", ""]
    assert [act for _who, act, _text in heard(town, "lyon", "Maud")] == ["ask", "share"]
    # Neither did the house of whoever has not agreed yet send what the other would not take.
    assert [act for _who, act, _text in heard(town, "nantes", "Claire")] == ["ask", "share"]


# --- how much is too much --------------------------------------------------------------


def test_the_sixth_new_person_of_a_day_has_to_wait(town):
    def other(number, session):
        peer = town.peer_in(session, "nantes")
        return Recipient(f"{url_of('nantes')}/m/{number}", f"N{number}", "", "Nantes", peer)

    with town.at("lyon") as session:
        maud = member(session, "Maud")
        request = Request("question", "Hello?")
        for number in range(5):
            conversations.ask(
                session, maud, other(number, session), request, town.identity("lyon"), town.now
            )
        with pytest.raises(TooManyContactsError) as refused:
            conversations.ask(
                session, maud, other(6, session), request, town.identity("lyon"), town.now
            )
        assert refused.value.again_at == town.now + timedelta(days=1)
        town.later(days=1)
        conversations.ask(
            session, maud, other(6, session), request, town.identity("lyon"), town.now
        )


def letter(to, number, at, sender="spammer"):
    """What a space that counts nothing signs for one of its members."""
    return Introduction.model_validate(
        {
            "issuer": url_of("lyon"), "audience": url_of("nantes"),
            "subject": f"{url_of('nantes')}/m/{to}",
            "id": f"c{number}", "kind": "question", "text": "Buy!",
            "issued_at": at, "expires_at": at + timedelta(days=1),
            "sender": {"sub": f"{url_of('lyon')}/m/{sender}", "name": "Spammer"},
        }
    )  # fmt: skip


def hand_over(town, session, handed):
    """Let Lyon hand a letter over at the door of Nantes, as it signs it."""
    token = signing.issue(handed, town.identity("lyon").operational_key)
    arrivals.put_aside(session, town.peer_in(session, "lyon"), handed, token, town.now)


def test_a_space_that_does_not_count_is_counted_by_the_other(town):
    """Its member's sixth letter of a day is refused at the door, and so is everybody's 201st."""
    with town.at("nantes") as session:
        claire = member(session, "Claire").ref
        for number in range(5):
            hand_over(town, session, letter(claire, number, town.now))
        with pytest.raises(RateLimitedError, match="this member"):
            hand_over(town, session, letter(claire, 5, town.now))
        for number in range(6, 201):
            hand_over(town, session, letter(claire, number, town.now, f"s{number}"))
        with pytest.raises(RateLimitedError, match="this space"):
            hand_over(town, session, letter(claire, 999, town.now, "another"))


def test_what_others_wrote_and_what_came_yesterday_closes_nobody_the_door(town):
    """Two hundred letters a day are each space's own, and five each member's."""
    sender = f"{url_of('lyon')}/m/spammer"
    with town.at("nantes") as session:
        for number in range(contacts.FROM_ONE_SPACE):
            for space, writer, hours in (("other.example", "", 0), (url_of("lyon"), sender, 24)):
                session.add(
                    Introduced(
                        opened_by=space, wire_id=f"w{number}", sender=writer,
                        at=town.now - timedelta(hours=hours, seconds=1),
                    )
                )  # fmt: skip
        hand_over(town, session, letter(member(session, "Claire").ref, 0, town.now))
    town.work_at("nantes")
    assert heard(town, "nantes", "Claire") == [("they", "ask", "Buy!")]


def test_whoever_offers_a_neighbour_nothing_is_not_written_to_from_there(town):
    """The page that the asker reads may be of yesterday; what is shown today decides."""
    ask(town)
    with town.at("nantes") as session:
        member(session, "Claire").services[0].audience = "space"
    town.work()
    assert heard(town, "nantes", "Claire") == []
    assert conversation(town, "lyon", "Maud").state == "waiting"


@pytest.mark.parametrize("fifth", ["nobody", "Claire, who wants no more of them", "Claire"])
def test_a_refusal_does_not_tell_whether_the_letters_before_reached_anybody(town, fifth):
    """Or a space could write four letters to one who is there, and the fifth to whom it probes."""
    with town.at("nantes") as session:
        claire = member(session, "Claire").ref
        for number in range(4):
            hand_over(town, session, letter(claire, number, town.now))
    town.work_at("nantes")
    with town.at("nantes") as session:
        if "no more" in fifth:
            opened = session.scalars(select(Conversation)).first()
            conversations.silence(session, opened, town.now)
        probed = "nobody" if fifth == "nobody" else claire
        hand_over(town, session, letter(probed, 4, town.now))
        with pytest.raises(RateLimitedError, match="this member"):
            hand_over(town, session, letter(claire, 5, town.now))


@pytest.mark.parametrize("to", ["Claire", "nobody"])
def test_a_letter_that_came_days_ago_is_known_whether_or_not_it_reached_anybody(town, to):
    """Or it would be counted anew for nobody, and whoever sends it often learns so at the fifth."""
    with town.at("nantes") as session:
        ref = member(session, "Claire").ref if to == "Claire" else to
        hand_over(town, session, letter(ref, 0, town.now))
    town.work_at("nantes")
    town.later(days=2)
    with town.at("nantes") as session:
        conversations.sweep(session, town.now)
        for _ in range(6):
            hand_over(town, session, letter(ref, 0, town.now))


def test_no_more_letters_wait_to_be_opened_than_there_is_room_for(town, monkeypatch):
    monkeypatch.setattr(arrivals, "WAITING", 2)
    with town.at("nantes") as session:
        for number in range(2):
            hand_over(town, session, letter("nobody", number, town.now))
        with pytest.raises(RateLimitedError, match="wait to be opened"):
            hand_over(town, session, letter("nobody", 2, town.now))


def test_a_conversation_has_room_for_so_many_messages_and_no_more(town, monkeypatch):
    """R20: a space that does not count would fill our disk with one conversation."""
    monkeypatch.setattr(hearing, "MESSAGES_KEPT", 3)
    ask(town, "One")
    for text in ("Two", "Three", "Four", "Five"):
        say(town, "lyon", "Maud", text=text)
    town.work()
    assert [text for _, _, text in heard(town, "nantes", "Claire")] == ["One", "Two", "Three"]


def test_the_door_does_the_same_work_for_somebody_for_nobody_and_for_whoever_is_blocked(town):
    """Counted in statements: none of them may ask about the person, or time would tell."""
    with town.at("nantes") as session:
        claire, youenn = member(session, "Claire"), member(session, "Youenn")
        other = f"{url_of('lyon')}/m/blocked"
        session.add(Silence(member_id=claire.id, other=other, since=town.now))
        people = {"there": claire.ref, "hidden": youenn.ref, "nobody": "nobody"}
    done = {}
    for number, (who, ref) in enumerate([*people.items(), ("blocked", people["there"])]):
        sender = "blocked" if who == "blocked" else f"s{number}"
        with town.at("nantes") as session, statements(session) as seen:
            hand_over(town, session, letter(ref, number, town.now, sender))
        done[who] = seen
    assert len(done["there"]) > 3
    assert done["there"] == done["hidden"] == done["nobody"] == done["blocked"]
    assert not any(name in each for each in done["there"] for name in ("FROM member", "silence"))


@contextmanager
def statements(session):
    """Collect what is asked of the database meanwhile, without the values."""
    seen = []

    def note(_connection, _cursor, statement, *_rest):
        seen.append(statement)

    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
        session.flush()
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_a_letter_that_was_taken_is_taken_as_known_when_there_were_enough(town):
    """Else a lost answer to the fifth would hold back all that is said in its conversation."""
    with town.at("nantes") as session:
        claire = member(session, "Claire").ref
        for number in (0, 1, 2, 3, 4, 4):
            hand_over(town, session, letter(claire, number, town.now))
    town.work_at("nantes")
    with town.at("nantes") as session:
        assert len(session.scalars(select(Conversation)).all()) == 5


def test_what_was_counted_is_forgotten_when_the_letter_can_be_sent_no_more(town):
    ask(town)
    town.work()
    with town.at("nantes") as session:
        assert len(session.scalars(select(Introduced)).all()) == 1
    town.later(days=31)
    with town.at("nantes") as session:
        conversations.sweep(session, town.now)
        assert session.scalars(select(Introduced)).all() == []


# --- what arrives -----------------------------------------------------------------------


def test_a_question_and_its_answer_cross_the_wall(town):
    ask(town)
    town.work()
    found = conversation(town, "nantes", "Claire")
    assert (found.other_name, found.other_headline, found.other_space, found.state) == (
        "Maud", "", "Lyon", "waiting",
    )  # fmt: skip
    say(town, "nantes", "Claire", text="Gladly. Send me the draft.")
    town.work()
    assert heard(town, "lyon", "Maud") == [
        ("I", "ask", "Could you read a contract?"),
        ("they", "message", "Gladly. Send me the draft."),
    ]
    assert conversation(town, "lyon", "Maud").state == "talking"


@pytest.mark.parametrize("first", ["Maud", "Claire"])
def test_both_addresses_appear_when_both_have_agreed_in_either_order(town, first):
    ask(town)
    town.work()
    places = {"Maud": "lyon", "Claire": "nantes"}
    for name in (first, *({"Maud", "Claire"} - {first})):
        say(town, places[name], name, SHARE)
        town.work()
    assert addresses(town) == ["claire@x.example", "maud@x.example"]


def test_both_addresses_appear_when_both_agree_at_once(town):
    ask(town)
    town.work()
    say(town, "lyon", "Maud", SHARE)
    say(town, "nantes", "Claire", SHARE)
    town.work()
    assert addresses(town) == ["claire@x.example", "maud@x.example"]


def test_whoever_answers_with_the_button_alone_has_answered(town):
    """Nobody waits for a word of somebody who would like to exchange addresses."""
    ask(town)
    town.work()
    say(town, "lyon", "Maud", SHARE)
    town.work()
    states = [conversation(town, *who).state for who in (("lyon", "Maud"), ("nantes", "Claire"))]
    assert states == ["waiting", "waiting"]
    say(town, "nantes", "Claire", SHARE)
    town.work()
    states = [conversation(town, *who).state for who in (("lyon", "Maud"), ("nantes", "Claire"))]
    assert states == ["talking", "talking"]


def test_two_people_of_one_space_talk_without_a_network(town):
    with town.at("nantes") as session:
        youenn, claire = member(session, "Youenn"), member(session, "Claire")
        subject = f"{url_of('nantes')}/m/{claire.ref}"
        here = Recipient(subject, "Claire", "", "Nantes", None)
        conversations.ask(
            session, youenn, here, Request("question", "Lunch?"), town.identity("nantes"), town.now
        )
    say(town, "nantes", "Claire", text="At one.")
    say(town, "nantes", "Youenn", SHARE)
    say(town, "nantes", "Claire", SHARE)
    assert [said for *_, said in heard(town, "nantes", "Youenn")][:2] == ["Lunch?", "At one."]
    emails = [conversation(town, "nantes", name).their_email for name in ("Youenn", "Claire")]
    assert emails == ["claire@x.example", "youenn@x.example"]


def test_a_space_that_is_down_for_a_week_gets_everything_once_and_in_order(town):
    town.cut("nantes")
    ask(town)
    say(town, "lyon", "Maud", text="It is about a lease.")
    for _ in range(7):
        town.work_at("lyon")
        town.later(days=1)
    town.mend("nantes")
    town.work()
    assert heard(town, "nantes", "Claire") == [
        ("they", "ask", "Could you read a contract?"),
        ("they", "message", "It is about a lease."),
    ]


def test_what_was_taken_before_a_crash_is_not_taken_twice(town):
    """The other space took it, and its word that it did was lost."""
    ask(town)
    deliver = town.network.post
    lost = []

    def lose_the_answer(url, body, **given):
        answer = deliver(url, body, **given)
        if url.endswith("/intro") and not lost:
            lost.append(url)
            raise UnreachableError("cut")
        return answer

    town.network.post = lose_the_answer
    town.work_at("lyon")
    town.later(hours=1)
    town.work()
    assert len(lost) == 1
    assert heard(town, "nantes", "Claire") == [("they", "ask", "Could you read a contract?")]


def test_who_is_not_reached_for_a_month_is_given_up_and_the_asker_sees_it(town):
    town.cut("nantes")
    ask(town)
    town.work_at("lyon")
    town.later(days=31)
    town.work_at("lyon")
    assert conversation(town, "lyon", "Maud").state == "lost"
    town.mend("nantes")
    town.work()
    assert conversation(town, "nantes", "Claire") is None


@pytest.mark.parametrize(("act", "state"), [(DECLINE, "declined"), (CLOSE, "closed")])
def test_after_a_no_or_an_end_nothing_more_is_said_on_either_side(town, act, state):
    ask(town)
    town.work()
    say(town, "nantes", "Claire", act, "Full until May.")
    with pytest.raises(NoConversationError):
        say(town, "nantes", "Claire", text="One more thing")
    town.work()
    assert conversation(town, "lyon", "Maud").state == state
    with pytest.raises(NoConversationError):
        say(town, "lyon", "Maud", text="Please?")


def test_nothing_is_sent_to_a_space_that_is_no_neighbour_any_more(town):
    ask(town)
    town.decide(peers.end, "lyon", "nantes")
    town.work()
    assert conversation(town, "nantes", "Claire") is None
    assert all("/intro" not in path for _method, _name, path in town.network.requests)


def test_what_nobody_spoke_in_for_a_year_is_deleted(town):
    ask(town)
    town.work()
    town.later(days=364)
    with town.at("nantes") as session:
        conversations.sweep(session, town.now)
    assert conversation(town, "nantes", "Claire") is not None
    town.later(days=1)
    with town.at("nantes") as session:
        conversations.sweep(session, town.now)
        assert db.session.scalars(select(Conversation)).all() == []


# --- who goes in the middle ---------------------------------------------------------------


def test_who_leaves_while_their_letter_is_on_its_way_leaves_no_job_that_fails(town):
    ask(town)
    say(town, "lyon", "Maud", text="It is about a lease.")
    deliver = town.network.post

    def leave_meanwhile(url, body, **given):
        answer = deliver(url, body, **given)
        if url.endswith("/intro"):
            town.network.post = deliver
            with town.at("lyon") as session:
                maud = member(session, "Maud")
                leave(session, maud.account, town.identity("lyon"), town.now)
        return answer

    town.network.post = leave_meanwhile
    told = [outcome for outcome in town.work_at("lyon") if outcome.kind == "letter"]
    assert [(one.done, one.told) for one in told] == [(True, "1 delivered")]
    town.work_at("nantes")
    assert heard(town, "nantes", "Claire") == [("they", "ask", "Could you read a contract?")]


def test_whoever_writes_to_somebody_they_silenced_hears_the_answer(town):
    ask(town)
    with town.at("lyon") as session:
        opened = session.scalars(select(Conversation)).one()
        conversations.silence(session, opened, town.now)
        recipient = to_claire(session)
        assert conversations.open_with(session, member(session, "Maud"), recipient) is None
        session.delete(opened)
    with town.at("nantes") as session:
        assert session.scalars(select(Conversation)).all() == []
    ask(town, "I was too quick. Are you still there?")
    town.work()
    say(town, "nantes", "Claire", text="I am.")
    town.work()
    assert heard(town, "lyon", "Maud")[-1] == ("they", "message", "I am.")


def test_nothing_more_is_said_to_somebody_whose_space_was_forgotten(town):
    ask(town)
    town.work()
    say(town, "nantes", "Claire", SAY, "Gladly.")
    town.work()
    with town.at("lyon") as session:
        session.scalars(select(Conversation)).one().peer_id = None
    with pytest.raises(NoConversationError):
        say(town, "lyon", "Maud", SAY, "It is ten pages.")


def test_a_conversation_whose_space_was_forgotten_does_not_stand_in_the_way_of_another(town):
    ask(town)
    with town.at("lyon") as session:
        session.scalars(select(Conversation)).one().peer_id = None
    with town.at("lyon") as session:
        recipient = to_claire(session)
        assert conversations.open_with(session, member(session, "Maud"), recipient) is None
