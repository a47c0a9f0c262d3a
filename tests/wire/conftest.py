"""Lyon and Nantes as neighbours, and letters that Lyon might write to Nantes."""

from __future__ import annotations

import secrets

import pytest

from app.exchange import checkpoints
from app.models.feed import FeedState
from federation import signing
from federation.documents import Ack, Assertion, Notice, PeeringStatement
from federation.envelope import moment
from federation.introductions import Introduction, Reply
from federation.limits import INTRODUCTION_LIFETIME, STATEMENT_LIFETIME
from tests.neighbourhood import Neighbourhood, url_of

LYON, NANTES = url_of("lyon"), url_of("nantes")


class Letters:
    """What Lyon writes to Nantes: right by default, wrong where a test says so."""

    def __init__(self, town):
        self.town = town
        self.key = town.identity("lyon").operational_key
        self.root = town.identity("lyon").root_key

    def assertion(self, key=None, path="/federation/v1/feed", **claims):
        made = Assertion.of(
            LYON, NANTES, "GET", NANTES + path, secrets.token_urlsafe(16), self.town.now
        )
        return signing.sign(made.to_claims() | claims, key or self.key, Assertion.typ)

    def notice(self, key=None, **claims):
        made = Notice(issuer=LYON, audience=NANTES, epoch="e", seq=99)
        return signing.sign(made.to_claims() | claims, key or self.key, Notice.typ)

    def ack(self, key=None, **claims):
        with self.town.at("nantes") as session:
            epoch = session.get_one(FeedState, 1).epoch
            signed = checkpoints.newest(session, "peers", epoch)
            stated = (signed.seq, signed.count, signed.root) if signed else (0, 0, "0" * 64)
        made = Ack(
            issuer=LYON, audience=NANTES, view="peers", epoch=epoch, seq=stated[0],
            count=stated[1], root=stated[2], issued_at=moment(self.town.now),
        )  # fmt: skip
        return signing.sign(made.to_claims() | claims, key or self.key, Ack.typ)

    def introduction(self, key=None, **claims):
        now = moment(self.town.now)
        made = Introduction.model_validate(
            {
                "issuer": LYON, "audience": NANTES, "subject": f"{NANTES}/m/nobody",
                "id": "talk", "kind": "question", "text": "Is this lease fair?",
                "issued_at": now, "expires_at": now + INTRODUCTION_LIFETIME,
                "sender": {"sub": f"{LYON}/m/maud", "name": "Maud Le Goff"},
            }
        )  # fmt: skip
        return signing.sign(made.to_claims() | claims, key or self.key, Introduction.typ)

    def reply(self, key=None, **claims):
        now = moment(self.town.now)
        made = Reply(
            issuer=LYON, audience=NANTES, opened_by=LYON, id="talk", n=1, act="message",
            text="Mostly.", issued_at=now, expires_at=now + INTRODUCTION_LIFETIME,
        )  # fmt: skip
        return signing.sign(made.to_claims() | claims, key or self.key, Reply.typ)

    def statement(self, key=None, typ=PeeringStatement.typ, **claims):
        now = moment(self.town.now)
        made = PeeringStatement(
            issuer=LYON, audience=NANTES, n=int(now.timestamp()) + 1000, state="approved",
            kid_seen=self.town.identity("nantes").root_kid, issued_at=now,
            expires_at=now + STATEMENT_LIFETIME,
        )  # fmt: skip
        return signing.sign(made.to_claims() | claims, key or self.root, typ)


@pytest.fixture
def town(tmp_path):
    town = Neighbourhood(tmp_path, "lyon", "nantes")
    yield town
    town.close()


@pytest.fixture
def neighbours(town):
    town.publish("nantes", "Claire Vasseur")
    town.publish("nantes", "Youenn Kerbrat", audience="web")
    town.befriend("lyon", "nantes")
    return town


@pytest.fixture
def letters(town):
    return Letters(town)


@pytest.fixture
def nantes(town):
    """Whoever calls at the machines' door of Nantes."""
    return town.apps["nantes"].test_client()


def problem(answer):
    """Return status and problem of a refusal, which must be the protocol's and nothing else's."""
    assert answer.content_type == "application/problem+json", answer.text
    told = answer.get_json(force=True)
    assert told["status"] == answer.status_code
    return answer.status_code, told["type"].removeprefix("urn:cdf:problem:")
