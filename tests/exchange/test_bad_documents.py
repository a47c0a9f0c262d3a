"""A neighbour whose feed holds something bad: journalled with the evidence, the rest taken in.

The bad documents are signed with Nantes' real key wherever the attack allows it, and travel
through the real endpoint, pull and database.
"""

from __future__ import annotations

import base64
import json

import pytest
from sqlalchemy import event, select, text

from app.database import db
from app.exchange.pull import PAGES_PER_PULL, pull
from app.models.feed import FeedEntry, FeedState, OwnCheckpoint
from app.models.journal import JournalEntry
from app.models.peer import MirroredProfile, MirroredWithdrawal
from federation import signing
from federation.documents import Checkpoint, Profile, Withdrawal
from federation.errors import FederationError, UnreachableError
from federation.keys import kid, new_key
from federation.transport import Answer
from tests.neighbourhood import url_of

NANTES = url_of("nantes")
PHOTO = {
    "url": f"{NANTES}/photo", "digest": "0" * 64, "type": "image/webp", "bytes": 9, "size": 320,
}  # fmt: skip


class Forger:
    """Puts documents of any kind into the feed of Nantes."""

    def __init__(self, town):
        self.town = town
        self.key = town.identity("nantes").operational_key

    def claims(self, **changed):
        now = int(self.town.now.timestamp())
        right = {
            "iss": NANTES,
            "sub": f"{NANTES}/m/mallory",
            "rev": 1,
            "iat": now,
            "exp": now + 86_400,
            "aud": "peers",
            "consent_at": now,
            "name": "Mallory",
        }
        return {name: value for name, value in (right | changed).items() if value is not None}

    def put(self, jws, subject="forged"):
        with self.town.at("nantes") as session:
            state = session.get(FeedState, 1)
            state.seq += 1
            now = self.town.now
            session.add(
                FeedEntry(
                    subject=f"{subject}-{state.seq}", seq=state.seq, kind="profile", revision=1,
                    audience="peers", jws=jws, digest="0" * 64, signed_at=now, expires_at=now,
                    latest_expiry=now,
                )
            )  # fmt: skip

    def sign(self, claims, key=None, typ=Profile.typ):
        return signing.sign(claims, key or self.key, typ)

    def sign_bytes(self, payload, header=None):
        """Sign bytes that no JSON library would have written."""
        head = header or {"alg": "Ed25519", "kid": kid(self.key), "typ": Profile.typ}
        parts = [json.dumps(head).encode(), payload]
        body = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
        signature = self.key.private_key.sign(body.encode())
        return body + "." + base64.urlsafe_b64encode(signature).rstrip(b"=").decode()


@pytest.fixture
def forger(neighbours):
    return Forger(neighbours)


BAD = {
    "malformed": (lambda f: "this is no document", "invalid-document"),
    "oversized": (lambda f: "a" * 25_000, "too-large"),
    "unsigned": (lambda f: f.sign(f.claims()).rpartition(".")[0] + ".", "invalid-document"),
    "alg none": (
        lambda f: f.sign_bytes(
            json.dumps(f.claims()).encode(), {"alg": "none", "kid": kid(f.key), "typ": Profile.typ}
        ),
        "bad-signature",
    ),
    "wrongly signed": (
        lambda f: f.sign(f.claims())[:-86] + f.sign(f.claims(name="Eve"))[-86:],
        "bad-signature",
    ),
    "signed by a stranger": (lambda f: f.sign(f.claims(), key=new_key()), "key-unknown"),
    "a photo at another space": (
        lambda f: f.sign(f.claims(photo=PHOTO | {"url": "https://evil.example/beacon.webp"})),
        "invalid-document",
    ),
    "a photo that tells who asks": (
        lambda f: f.sign(f.claims(photo=PHOTO | {"url": f"{NANTES}/photo?reader=lyon"})),
        "invalid-document",
    ),
    "foreign subject": (
        lambda f: f.sign(f.claims(sub="https://lyon.example/m/bastien")),
        "foreign-subject",
    ),
    "subject of a longer host": (
        lambda f: f.sign(f.claims(sub="https://nantes.example.evil.example/m/x")),
        "foreign-subject",
    ),
    "foreign issuer": (
        lambda f: f.sign(f.claims(iss="https://berlin.example")),
        "unknown-issuer",
    ),
    "duplicate key": (
        lambda f: f.sign_bytes(json.dumps(f.claims()).encode()[:-1] + b',"name":"Somebody else"}'),
        "invalid-document",
    ),
    "deep": (lambda f: f.sign_bytes(b'{"a":' + b"[" * 50 + b"]" * 50 + b"}"), "invalid-document"),
    "not a number": (
        lambda f: f.sign_bytes(json.dumps(f.claims()).replace('"rev": 1', '"rev": NaN').encode()),
        "invalid-document",
    ),
    "revision true": (lambda f: f.sign(f.claims(rev=True)), "invalid-document"),
    "unknown type": (lambda f: f.sign(f.claims(), typ="cdf-recipe+jwt"), "unknown-type"),
    "no name": (lambda f: f.sign(f.claims(name=None)), "invalid-document"),
    "name that reads backwards": (
        lambda f: f.sign(f.claims(name="\u202eyrollaM")),
        "invalid-document",
    ),
    "not for us": (lambda f: f.sign(f.claims(aud="https://berlin.example")), "wrong-audience"),
    "expired": (lambda f: f.sign(f.claims(iat=1000, exp=2000)), "expired"),
    "from the future": (
        lambda f: f.sign(f.claims(iat=1_900_000_000, exp=1_900_086_400)),
        "expired",
    ),
    "eternal": (lambda f: f.sign(f.claims(exp=9_999_999_999)), "invalid-document"),
    "critical extension": (
        lambda f: f.sign_bytes(
            json.dumps(f.claims()).encode(),
            {"alg": "Ed25519", "kid": kid(f.key), "typ": Profile.typ, "crit": ["x"], "x": 1},
        ),
        "invalid-document",
    ),
}


def pulled(town):
    with town.at("lyon") as session:
        peer = town.peer_in(session, "nantes")
        return pull(session, peer, town.network, town.identity("lyon"), town.now)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_document_is_journalled_and_the_rest_of_the_page_is_taken_in(
    neighbours, forger, name
):
    make, code = BAD[name]
    bad = make(forger)
    forger.put(bad)
    neighbours.publish("nantes", "Gwen Le Bihan")
    outcome = pulled(neighbours)
    assert [refused for refused, _ in outcome.refused] == [code]
    assert outcome.admitted == [neighbours.subject("nantes", "Gwen Le Bihan")]
    assert neighbours.held("lyon") == {"Claire Vasseur", "Gwen Le Bihan"}
    with neighbours.at("lyon") as session:
        line = session.scalars(select(JournalEntry).filter_by(kind="refusal")).one()
        assert (line.code, line.evidence, line.peer.name) == (code, bad[: 24 * 1024], "Nantes")
    assert [refused for refused, _ in pulled(neighbours).refused] == []


def test_a_replayed_older_revision_is_refused_and_the_newer_one_stays(neighbours, forger):
    subject = neighbours.subject("nantes", "Claire Vasseur")
    with neighbours.at("nantes") as session:
        earlier = session.get(FeedEntry, subject).jws
    neighbours.publish("nantes", "Claire Vasseur", headline="Avocate en baux")
    pulled(neighbours)
    forger.put(earlier)
    assert pulled(neighbours).refused == [("stale-rev", subject)]
    with neighbours.at("lyon") as session:
        row = session.scalars(select(MirroredProfile)).one()
        assert row.document["headline"] == "Avocate en baux"


def test_two_documents_of_one_revision_are_refused_and_kept_as_evidence(neighbours, forger):
    forger.put(forger.sign(forger.claims()))
    pulled(neighbours)
    forger.put(forger.sign(forger.claims(name="Mallory the second")))
    assert pulled(neighbours).refused == [("equivocation", f"{NANTES}/m/mallory")]
    assert neighbours.held("lyon") == {"Claire Vasseur", "Mallory"}


def test_a_withdrawal_of_somebody_elses_member_deletes_nothing(neighbours, forger):
    neighbours.publish("lyon", "Bastien Rey")
    now = int(neighbours.now.timestamp())
    claims = {
        "iss": NANTES,
        "sub": neighbours.subject("lyon", "Bastien Rey"),
        "rev": 99,
        "iat": now,
        "exp": now + 100,
        "reason": "withdrawn",
    }
    forger.put(forger.sign(claims, typ=Withdrawal.typ))
    assert [code for code, _ in pulled(neighbours).refused] == ["foreign-subject"]
    with neighbours.at("lyon") as session:
        assert session.scalars(select(MirroredWithdrawal)).all() == []


def test_a_withdrawal_from_tomorrow_deletes_nothing_today(neighbours, forger):
    tomorrow = int(neighbours.now.timestamp()) + 86_400
    claims = {
        "iss": NANTES,
        "sub": neighbours.subject("nantes", "Claire Vasseur"),
        "rev": 99,
        "iat": tomorrow,
        "exp": tomorrow + 86_400,
        "reason": "withdrawn",
    }
    forger.put(forger.sign(claims, typ=Withdrawal.typ))
    assert [code for code, _ in pulled(neighbours).refused] == ["expired"]
    assert neighbours.held("lyon") == {"Claire Vasseur"}


def test_a_page_full_of_rubbish_fills_the_journal_only_so_far(neighbours, forger):
    for number in range(60):
        forger.put(f"rubbish {number}")
    neighbours.publish("nantes", "Gwen Le Bihan")
    outcome = pulled(neighbours)
    assert len(outcome.refused) == 60
    codes = neighbours.journal("lyon", "refusal")
    assert codes == ["invalid-document"] * 20 + ["many-refusals"]
    assert neighbours.held("lyon") == {"Claire Vasseur", "Gwen Le Bihan"}


# --- whole answers


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, {"content-type": "text/html"}, b"<h1>Maintenance</h1>"),
        Answer(200, {"content-type": "application/json"}, b""),
        Answer(200, {"content-type": "application/json"}, b'{"epoch": "e", "items": []'),
        Answer(200, {"content-type": "application/json"}, b'{"items": {}, "items": []}'),
        Answer(200, {"content-type": "application/json"}, b"[" * 100_000),
        Answer(
            200,
            {"content-type": "application/json"},
            b'{"epoch":1,"items":[],"next":"","more":false}',
        ),
        Answer(500, {}, b""),
        Answer(404, {}, b"not here"),
        Answer(403, {"content-type": "application/problem+json"}, b"{}"),
        Answer(304, {}, b""),
        UnreachableError("reset"),
    ],
    ids=["html", "empty", "cut", "twice", "deep", "shape", "500", "404", "403", "304", "reset"],
)
def test_an_answer_that_is_no_page_deletes_nothing_and_is_said_in_words(neighbours, answer):
    neighbours.network.instead["nantes"] = lambda method, path: (
        answer if path.startswith("/federation/v1/feed") else None
    )
    with neighbours.at("lyon") as session:
        peer = neighbours.peer_in(session, "nantes")
        peer.feed_etag = ""
        session.commit()
        with pytest.raises(FederationError):
            pull(session, peer, neighbours.network, neighbours.identity("lyon"), neighbours.now)
    assert neighbours.seen("lyon") == {"Claire Vasseur"}
    failures, words = neighbours.peer("lyon", "nantes", "failures", "last_error_text")
    assert (failures, words.endswith(".")) == (1, True)


def test_a_feed_without_end_gets_its_turn_and_no_more(neighbours, forger):
    served = []

    def endless(method, path):
        if not path.startswith("/federation/v1/feed"):
            return None
        served.append(path)
        item = {"seq": len(served), "jws": "rubbish"}
        page = {
            "epoch": "e", "items": [item], "next": f"e.{len(served)}", "more": True,
            "checkpoint": "",
        }  # fmt: skip
        return Answer(200, {"content-type": "application/json"}, json.dumps(page).encode())

    neighbours.network.instead["nantes"] = endless
    assert pulled(neighbours).more is True
    assert len(served) == PAGES_PER_PULL


def test_whoever_says_that_we_are_none_is_told_our_half_again_once_a_day(neighbours):
    """R14."""
    told = json.dumps({"type": "urn:cdf:problem:not-peered", "status": 403}).encode()
    neighbours.network.instead["nantes"] = lambda _method, path: (
        Answer(403, {"content-type": "application/problem+json"}, told)
        if path.startswith("/federation/v1/feed")
        else None
    )
    neighbours.later(hours=2)
    del neighbours.network.requests[:]
    for _ in range(8):
        neighbours.work_at("lyon")
        neighbours.later(minutes=30)
    asked = [path for _, _, path in neighbours.network.requests]
    assert asked.count("/federation/v1/feed") > 3
    assert asked.count("/federation/v1/peering") == 1
    assert asked.count("/.well-known/openid-federation") == 1


def test_a_feed_full_of_unknown_keys_makes_us_look_at_the_door_once(neighbours, forger):
    """R14."""
    strange = forger.sign(forger.claims(), key=new_key())

    def strangers(_method, path):
        if not path.startswith("/federation/v1/feed"):
            return None
        before = int(path.partition("since=e.")[2].partition("&")[0] or 0)
        page = {
            "epoch": "e", "items": [{"seq": before + 1, "jws": strange}],
            "next": f"e.{before + 1}", "more": before < 10, "checkpoint": "",
        }  # fmt: skip
        return Answer(200, {"content-type": "application/json"}, json.dumps(page).encode())

    neighbours.network.instead["nantes"] = strangers
    del neighbours.network.requests[:]
    assert len(pulled(neighbours).refused) == 11
    asked = [path for _, _, path in neighbours.network.requests]
    assert len([path for path in asked if path.startswith("/.well-known/")]) == 1


# --- checkpoints


def checkpoint(town, **changed):
    with town.at("nantes") as session:
        row = session.scalars(
            select(OwnCheckpoint).filter_by(view="peers").order_by(OwnCheckpoint.id.desc())
        ).first()
        claims = signing.unverified_claims(row.jws, Checkpoint.typ)
        claims |= {"iat": int(town.now.timestamp())}
        row.jws = signing.sign(
            claims | changed, town.identity("nantes").operational_key, Checkpoint.typ
        )


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"root": "f" * 64}, "fork"),
        ({"count": 7}, "fork"),
        ({"seq": 0}, "rollback"),
        ({"iss": "https://berlin.example"}, "unknown-issuer"),
        ({"view": "public"}, "invalid-document"),
    ],
    ids=["another root", "another count", "going back", "another issuer", "another view"],
)
def test_a_checkpoint_that_contradicts_the_last_one_is_refused_and_said(neighbours, changed, code):
    neighbours.later(minutes=10)
    checkpoint(neighbours, **changed)
    assert pulled(neighbours).problem == code
    assert neighbours.peer("lyon", "nantes", "last_error") == code
    assert code in neighbours.journal("lyon", "refusal")
    assert neighbours.held("lyon") == {"Claire Vasseur"}


def test_a_directory_frozen_for_a_week_is_noticed(neighbours):
    neighbours.later(days=8)
    with neighbours.at("nantes") as session:
        session.get(FeedState, 1).seq += 1
    assert pulled(neighbours).problem == "frozen"
    assert neighbours.seen("lyon") == {"Claire Vasseur"}


def test_a_record_that_is_kept_from_us_is_noticed_by_the_root(neighbours):
    neighbours.publish("nantes", "Gwen Le Bihan")
    neighbours.work_at("nantes")
    with neighbours.at("nantes") as session:
        entry = session.get(FeedEntry, _subject(session, "Gwen Le Bihan"))
        session.delete(entry)
    pulled(neighbours)
    assert neighbours.peer("lyon", "nantes", "roots_agree") is False
    assert "roots-differ" in neighbours.journal("lyon")


def _subject(session, name):
    ref = session.execute(text("SELECT ref FROM member WHERE name = :name"), {"name": name})
    return f"{NANTES}/m/{ref.scalar_one()}"


# --- our own disk


@pytest.mark.sqlite
def test_a_full_disk_while_pulling_loses_nothing_and_is_said_and_tried_again(neighbours):
    for number in range(150):
        neighbours.publish("nantes", f"Person {number}", bio="x" * 3000)
    neighbours.later(hours=2)
    with neighbours.at("lyon") as session:
        pages = session.scalar(text("PRAGMA page_count"))
        before = neighbours.peer_in(session, "nantes").cursor
    fill_disk(neighbours, pages + 4)
    neighbours.work_at("lyon")
    assert neighbours.held("lyon") == {"Claire Vasseur"}
    cursor, error, words = neighbours.peer(
        "lyon", "nantes", "cursor", "last_error", "last_error_text"
    )
    assert (cursor, error) == (before, "database")
    assert "disk may be full" in words
    fill_disk(neighbours, 1_000_000)
    neighbours.later(hours=1)
    neighbours.work_at("lyon")
    assert len(neighbours.held("lyon")) == 151
    assert neighbours.peer("lyon", "nantes", "failures", "roots_agree") == (0, True)


def fill_disk(town, pages):
    """Let the database of Lyon grow to so many pages, on every connection from now on."""
    with town.apps["lyon"].app_context():
        db.engine.dispose()

        @event.listens_for(db.engine, "connect")
        def limit(connection, _record):
            connection.execute(f"PRAGMA max_page_count = {pages}")
