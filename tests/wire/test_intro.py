"""Letters of members at the door: whose they may be, and that the answer tells nothing."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.exchange import peers
from app.models.conversation import Conversation
from app.models.member import Member
from federation.documents import Profile
from tests.spaces import add_member, service
from tests.wire.conftest import LYON, NANTES, problem


@pytest.fixture
def claire(town):
    """Somebody in Nantes who offers something; Lyon is a neighbour."""
    with town.at("nantes"):
        add_member("Claire", audience="me", email="c@x.example", services=(service("Contracts"),))
    town.publish("nantes", "Claire")
    town.befriend("lyon", "nantes")
    with town.at("nantes") as session:
        return f"{NANTES}/m/{session.scalars(select(Member.ref)).one()}"


def post(town, token, content_type="application/jwt"):
    client = town.apps["nantes"].test_client()
    return client.post("/federation/v1/intro", data=token, content_type=content_type)


def kept(town):
    """Return what people find once a worker has opened what arrived."""
    town.work_at("nantes")
    with town.at("nantes") as session:
        found = session.scalars(select(Conversation)).all()
        return [(each.other_name, [one.text for one in each.messages]) for each in found]


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": f"{LYON}/m/x"},
        {"sub": f"{NANTES}.evil.example/m/x"},
        {"sender": {"sub": f"{NANTES}/m/x", "name": "A member of Nantes"}},
        {"sender": {"sub": "https://paris.example/m/x", "name": "A member of Paris"}},
        {"sender": {"sub": f"{LYON}/m/x", "name": ""}},
        {"kind": "advert"},
        {"text": ""},
        {"text": "a" * 281},
        {"kind": "quote", "text": "a" * 2001},
        {"iat": 1.5},
    ],
    ids=str,
)
def test_a_letter_about_or_by_somebody_elses_member_or_of_another_shape_is_refused(
    town, claire, letters, claims
):
    assert problem(post(town, letters.introduction(**{"sub": claire, **claims}))) == (
        400, "invalid-document",
    )  # fmt: skip
    assert kept(town) == []


@pytest.mark.parametrize(
    "claims",
    [
        {"opened_by": "https://paris.example"},
        {"n": 0},
        {"act": "delete"},
        {"act": "message", "text": ""},
        {"act": "message", "email": "c@x.example"},
        {"act": "address"},
        {"act": "address", "email": "a" * 255},
    ],
    ids=str,
)
def test_a_reply_of_another_shape_is_refused(town, claire, letters, claims):
    assert problem(post(town, letters.reply(**claims))) == (400, "invalid-document")


def test_other_documents_and_media_types_are_refused(town, claire, letters):
    assert problem(post(town, letters.notice())) == (400, "invalid-document")
    profile = letters.introduction().replace(".", "", 1)
    assert problem(post(town, profile)) == (400, "invalid-document")
    assert Profile.typ not in ("cdf-intro+jwt", "cdf-intro-reply+jwt")
    assert problem(post(town, letters.introduction(), "application/json")) == (
        415, "invalid-document",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("verb", "code"), [(peers.end, "not-peered"), (peers.suspend, "suspended")]
)
def test_nothing_crosses_while_the_peering_is_not_active(town, claire, letters, verb, code):
    town.decide(verb, "nantes", "lyon")
    assert problem(post(town, letters.introduction(sub=claire))) == (403, code)
    assert kept(town) == []


def test_letters_of_yesterday_and_tomorrow_are_refused(town, claire, letters):
    old = letters.introduction(sub=claire)
    town.later(days=31)
    assert problem(post(town, old)) == (400, "expired")
    now = int(town.now.timestamp())
    early = letters.introduction(sub=claire, iat=now + 3600, exp=now + 7200)
    assert problem(post(town, early)) == (400, "expired")


def test_the_answer_is_the_same_whether_or_not_anybody_is_there(town, claire, letters):
    known = post(town, letters.introduction(sub=claire))
    unknown = post(town, letters.introduction(sub=f"{NANTES}/m/nobody", id="other"))
    for answer in (known, unknown):
        # A nonce of its own in each.
        answer.headers.pop("Content-Security-Policy")
    assert (known.status, known.data) == (unknown.status, unknown.data) == ("202 ACCEPTED", b"")
    assert dict(known.headers) == dict(unknown.headers)
    assert kept(town) == [("Maud Le Goff", ["Is this lease fair?"])]


def test_a_replayed_letter_is_answered_and_taken_once(town, claire, letters):
    token = letters.introduction(sub=claire)
    assert [post(town, token).status_code for _ in range(3)] == [202, 202, 202]
    changed = letters.introduction(sub=claire, text="Something else")
    assert post(town, changed).status_code == 202
    reply = letters.reply(text="And the garden?")
    assert [post(town, reply).status_code for _ in range(3)] == [202, 202, 202]
    assert kept(town) == [("Maud Le Goff", ["Is this lease fair?", "And the garden?"])]


def test_nobody_joins_a_conversation_of_two_others(town, claire, letters):
    """A neighbour that guesses an ``id`` speaks in no conversation but its own."""
    post(town, letters.introduction(sub=claire))
    town.work_at("nantes")
    with town.at("nantes") as session:
        session.scalars(select(Conversation)).one().peer_id = None
    assert post(town, letters.reply()).status_code == 202
    assert kept(town) == [("Maud Le Goff", ["Is this lease fair?"])]
