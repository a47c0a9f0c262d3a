"""Our copy differs from what a neighbour signed: only the difference is fetched, and only believed
as far as it is proved."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from app.exchange import copies, peers
from app.exchange.roots import forget
from app.models.feed import FeedEntry
from app.models.journal import JournalEntry
from app.models.peer import MirroredProfile
from federation import signing
from federation.client import JSON
from federation.documents import Profile, Withdrawal
from federation.errors import TooLargeError
from federation.transport import Answer
from tests.neighbourhood import url_of

FEED, INDEX = "/federation/v1/feed", "/federation/v1/index"
CLAIRE, GWEN, IDRISS = "Claire Vasseur", "Gwen Le Bihan", "Idriss Diallo"


@pytest.fixture
def town(neighbours):
    """Lyon knows three people of Nantes, and has read everything."""
    neighbours.publish("nantes", GWEN)
    neighbours.publish("nantes", IDRISS)
    neighbours.work()
    assert neighbours.held("lyon") == {CLAIRE, GWEN, IDRISS}
    return neighbours


def lose(town, person=CLAIRE):
    """Let Lyon lose a profile, as no protocol can foresee."""
    with town.at("lyon") as session:
        row = session.scalars(select(MirroredProfile).filter_by(name=person)).one()
        copies.remove(session, [row.subject])


def have_too_many(town, person="Ravi Menon"):
    """Let Lyon hold somebody whose withdrawal it never heard of."""
    town.publish("nantes", person)
    town.work()
    subject = town.subject("nantes", person)
    with town.at("nantes") as session:
        session.execute(delete(FeedEntry).where(FeedEntry.subject == subject))
        forget(session)


def news(town, **passed):
    """Let something change in Nantes, so that Lyon compares."""
    town.later(**(passed or {"hours": 1}))
    town.publish("nantes", GWEN, headline=f"At {town.now:%d %H:%M:%S}")
    town.work()


def asked(town, path):
    """Return how often Lyon asked Nantes for ``path``, and forget it."""
    number = town.network.requests.count(("GET", "nantes", path))
    town.network.requests.clear()
    return number


def told(town, code="reconciled"):
    with town.at("lyon") as session:
        return list(session.scalars(select(JournalEntry.detail).filter_by(code=code)))


def instead(town, path, change):
    """Let ``change(honest body)`` be what Nantes answers to ``path``."""
    honest = town.network._answer

    def answer(method, url, max_bytes, headers, body):
        given = honest(method, url, max_bytes, headers, body)
        if not url.startswith(url_of("nantes") + path):
            return given
        changed = change(json.loads(given.body))
        if isinstance(changed, Exception):
            raise changed
        return Answer(200, {"content-type": JSON}, json.dumps(changed).encode())

    town.network._answer = answer


# --- an index that proves nothing


LIES = {
    "leaves somebody out": lambda index: index[1:],
    "has somebody more": lambda index: [*index, [f"{url_of('nantes')}/m/more", 1, "0" * 64]],
    "another digest": lambda index: [[*index[0][:2], "0" * 64], *index[1:]],
    "another revision": lambda index: [[index[0][0], 99, index[0][2]], *index[1:]],
    "somebody else's people": lambda index: [[f"{url_of('berlin')}/m/1", 1, "0" * 64], *index[1:]],
    "nobody": lambda index: [],
}


@pytest.mark.parametrize("lie", LIES)
def test_an_index_that_is_not_what_was_signed_changes_nothing_and_is_told_once(town, lie):
    have_too_many(town)
    lose(town)
    instead(town, INDEX, LIES[lie])
    news(town)
    news(town)
    assert town.held("lyon") == {GWEN, IDRISS, "Ravi Menon"}
    with town.at("lyon") as session:
        (entry,) = session.scalars(select(JournalEntry).filter_by(code="index-differs"))
        assert entry.evidence
    assert told(town) == []


@pytest.mark.parametrize(
    ("index", "code"),
    [
        ({}, "malformed-answer"),
        ([["x"]], "malformed-answer"),
        (TooLargeError("more than 35651584 bytes"), "too-large"),
    ],
    ids=["no list", "no entries", "too large"],
)
def test_what_is_no_index_changes_nothing_and_the_feed_goes_on(town, index, code):
    lose(town)
    instead(town, INDEX, lambda _: index)
    news(town)
    assert town.held("lyon") == {GWEN, IDRISS}
    assert town.journal("lyon", "refusal") == [code]
    assert town.peer("lyon", "nantes", "failures", "last_error") == (0, "")


def test_the_index_of_another_view_is_not_believed(town):
    town.publish("nantes", "Youenn Kerbrat", audience="web")
    town.work()
    lose(town)
    public = town.apps["nantes"].test_client().get(INDEX).get_json()
    instead(town, INDEX, lambda _: public)
    news(town)
    assert told(town, "index-differs") == ["its index is not the state that it signed for"]
    assert "Youenn Kerbrat" in town.held("lyon")


def test_a_space_that_moved_on_while_its_index_was_read_is_not_blamed(town):
    lose(town)

    def publish_meanwhile(index):
        town.publish("nantes", "Ravi Menon")
        return [*index, [town.subject("nantes", "Ravi Menon"), 1, "0" * 64]]

    honest = town.network._answer
    instead(town, INDEX, publish_meanwhile)
    news(town)
    assert town.journal("lyon", "refusal") == []
    town.network._answer = honest
    news(town)
    assert town.held("lyon") == {CLAIRE, GWEN, IDRISS, "Ravi Menon"}


# --- documents that are not what was asked for


def test_a_document_that_is_not_the_one_of_the_index_does_not_make_roots_agree(town):
    (old,) = _jws(town, CLAIRE)
    town.publish("nantes", CLAIRE, headline="Newer")
    town.work()
    lose(town)
    instead(town, f"{FEED}?refs", lambda page: page | {"items": [{"seq": 1, "jws": old}]})
    news(town)
    assert town.peer("lyon", "nantes", "roots_agree") is False
    assert told(town) == ["1 missing, 0 too many; 1 taken in, 0 dropped; the roots still differ"]


def test_documents_about_others_than_asked_for_are_left_alone(town):
    (gwen,) = _jws(town, GWEN)
    lose(town, GWEN)
    lose(town, CLAIRE)
    claims = signing.unverified_claims(gwen, Profile.typ)
    key = town.identity("nantes").operational_key
    elsewhere = signing.sign(claims | {"sub": f"{url_of('berlin')}/m/1"}, key, Profile.typ)
    stranger = signing.sign(claims | {"sub": f"{url_of('nantes')}/m/stranger"}, key, Profile.typ)
    items = [{"seq": at, "jws": jws} for at, jws in enumerate((elsewhere, stranger), 1)]
    instead(town, f"{FEED}?refs", lambda page: page | {"items": items})
    with town.at("lyon") as session:
        town.peer_in(session, "nantes").roots_agree = False
    town.later(hours=2)
    town.work()
    assert town.held("lyon") == {IDRISS}


def _jws(town, person):
    with town.at("lyon") as session:
        return [row.jws for row in session.scalars(select(MirroredProfile).filter_by(name=person))]


# --- only the difference


def test_only_who_is_missing_is_asked_for(town):
    lose(town)
    town.network.requests.clear()
    news(town)
    assert town.held("lyon") == {CLAIRE, GWEN, IDRISS}
    assert town.peer("lyon", "nantes", "roots_agree") is True
    # The index once; of the feed the page with the news and the one person, besides polls.
    assert asked(town, INDEX) == 1
    assert told(town) == ["1 missing, 0 too many; 1 taken in, 0 dropped; the roots agree now"]
    assert town.search("lyon", "avocate") == [CLAIRE]


def test_who_is_too_many_goes_because_the_signed_root_proves_it(town):
    have_too_many(town)
    news(town)
    assert town.held("lyon") == {CLAIRE, GWEN, IDRISS}
    assert told(town) == ["0 missing, 1 too many; 0 taken in, 1 dropped; the roots agree now"]
    assert asked(town, FEED) > 0


def test_what_an_admin_decides_while_an_index_is_read_holds(town):
    have_too_many(town)

    def decides(index):
        town.decide(peers.suspend, "lyon", "nantes")
        return index

    instead(town, INDEX, decides)
    news(town)
    assert town.stands("lyon", "nantes")[0] == "suspended"
    assert town.held("lyon") == {CLAIRE, GWEN, IDRISS, "Ravi Menon"}


def test_a_withdrawal_that_was_missed_is_heard_by_name(town):
    """Its position was given out again after a fault there, so that no page shows it to us."""
    town.publish("nantes", CLAIRE, audience="me")
    with town.at("lyon") as session:
        peer = town.peer_in(session, "nantes")
        epoch, seq = peer.cursor.split(".")
        peer.cursor = f"{epoch}.{int(seq) + 1}"
    news(town)
    assert town.held("lyon") == {GWEN, IDRISS}
    assert town.peer("lyon", "nantes", "roots_agree") is True


def test_many_that_would_go_at_once_wait_for_an_admin(town):
    for number in range(8):
        town.publish("nantes", f"Person {number}")
    town.work()
    subjects = [town.subject("nantes", f"Person {number}") for number in range(8)]
    with town.at("nantes") as session:
        session.execute(delete(FeedEntry).where(FeedEntry.subject.in_(subjects)))
        forget(session)
    news(town)
    assert len(town.held("lyon")) == 11
    assert town.peer("lyon", "nantes", "drop_waiting") == 8
    news(town)
    assert town.peer("lyon", "nantes", "drop_waiting") == 8
    with town.at("lyon") as session:
        peers.accept_drop(session, town.peer_in(session, "nantes"), town.now, "admin")
    town.work()
    assert town.held("lyon") == {CLAIRE, GWEN, IDRISS}
    assert town.peer("lyon", "nantes", "drop_waiting", "drop_accepted", "roots_agree") == (
        None, False, True,
    )  # fmt: skip


def test_more_than_can_be_asked_for_by_name_are_read_from_the_beginning(town, monkeypatch):
    monkeypatch.setattr("app.exchange.reconcile.ASKED_BY_NAME", 1)
    lose(town, CLAIRE)
    lose(town, IDRISS)
    news(town)
    assert town.held("lyon") == {CLAIRE, GWEN, IDRISS}
    assert town.peer("lyon", "nantes", "roots_agree") is True


def test_a_neighbour_that_does_not_know_the_question_does_no_harm(town):
    """It answers with the first page of its feed, and nobody else's documents are taken from it."""
    lose(town)
    page = town.apps["nantes"].test_client().get(FEED).get_json()
    instead(town, f"{FEED}?refs", lambda _: page | {"next": "x.1", "more": True})
    news(town)
    assert town.peer("lyon", "nantes", "failures") == 0


# --- no loop


def test_what_is_refused_for_a_good_reason_is_looked_into_once_a_day(town):
    key = town.identity("nantes").operational_key
    subject = town.subject("nantes", CLAIRE)
    with town.at("nantes") as session:
        entry = session.get_one(FeedEntry, subject)
        claims = signing.unverified_claims(entry.jws, Profile.typ)
        claims |= {"aud": url_of("berlin"), "rev": entry.revision + 1}
        entry.jws = signing.sign(claims, key, Profile.typ)
        entry.digest, entry.revision = signing.digest(entry.jws), entry.revision + 1
        forget(session)
    news(town)
    town.network.requests.clear()
    for _ in range(8):
        news(town, hours=3)
    refused = [code for code in town.journal("lyon", "refusal") if code == "wrong-audience"]
    assert (asked(town, INDEX) <= 8, refused) == (True, ["wrong-audience"])
    with town.at("nantes") as session:
        quiet = session.scalars(select(FeedEntry)).all()[0].signed_at
    assert quiet + timedelta(days=2) > town.now


def test_the_same_root_is_not_looked_into_twice_in_a_day(town):
    have_too_many(town)
    lose(town)
    instead(town, f"{FEED}?refs", lambda page: page | {"items": []})
    news(town)
    town.network.requests.clear()
    for _ in range(20):
        town.later(hours=1)
        with town.at("lyon") as session:
            # Asked as if it had never answered that nothing changed.
            town.peer_in(session, "nantes").feed_etag = ""
        town.work(1)
    assert asked(town, INDEX) == 0
    town.later(hours=6)
    town.work()
    assert asked(town, INDEX) == 1


def test_a_newer_document_than_the_index_has_is_kept(town):
    """Nantes states an older one, as after a return from a backup: ours is signed by it too."""
    (old,) = _jws(town, CLAIRE)
    town.publish("nantes", CLAIRE, audience="me")
    town.work()
    assert CLAIRE not in town.held("lyon")
    subject = town.subject("nantes", CLAIRE)
    with town.at("nantes") as session:
        entry = session.get_one(FeedEntry, subject)
        assert signing.typ_of(entry.jws) == Withdrawal.typ
        entry.kind, entry.jws, entry.digest, entry.revision = (
            "profile", old, signing.digest(old), entry.revision - 1,
        )  # fmt: skip
        forget(session)
    town.network.requests.clear()
    news(town)
    assert CLAIRE not in town.held("lyon")
    assert told(town) == ["1 missing, 0 too many; 0 taken in, 0 dropped; the roots still differ"]
    assert town.journal("lyon", "refusal") == [], "it is not asked for what would be refused"
