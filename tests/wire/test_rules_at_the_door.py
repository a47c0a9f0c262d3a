"""The rules of PROTOCOL.md, section 9, at each endpoint that relies on them.

Lyon is a neighbour of Nantes, and so is Berlin. Each letter here is right but for the one thing
that its name says, and is signed with Lyon's real key wherever the attack allows it.
"""

from __future__ import annotations

import json

import pytest
from limits import RateLimitItemPerMinute
from sqlalchemy import delete, func, select, update

from app.exchange import outbox, peers
from app.models.base import Base
from app.models.job import Job, SeenAssertion
from app.models.journal import JournalEntry
from app.models.peer import Peer
from app.wire import callers
from federation import keys, signing
from federation.documents import Ack, Assertion, Notice, PeeringStatement
from federation.introductions import Introduction, Reply
from federation.keys import new_key
from tests.federation.samples import encode, forge
from tests.neighbourhood import Neighbourhood
from tests.wire.conftest import LYON, NANTES, Letters, problem

PATH = "/federation/v1"
STRANGER = new_key()

#: Where letters are posted, and where an assertion is shown; by what is written there.
LETTERS = {
    "statement": "peering",
    "notice": "notify",
    "ack": "ack",
    "introduction": "intro",
    "reply": "intro",
}
READS = ("feed", "checkpoint", "index", "held")
DOORS = [*LETTERS, *(f"assertion for {path}" for path in READS)]
TYPES = {
    "statement": PeeringStatement,
    "notice": Notice,
    "ack": Ack,
    "assertion": Assertion,
    "introduction": Introduction,
    "reply": Reply,
}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    town = Neighbourhood(tmp_path_factory.mktemp("town"), "lyon", "nantes", "berlin")
    town.publish("nantes", "Claire Vasseur")
    town.befriend("lyon", "nantes")
    town.befriend("berlin", "nantes")
    yield town
    town.close()


class Door:
    """One endpoint of Nantes, and the letter that Lyon may rightly write there."""

    def __init__(self, town, name):
        self.town, self.name = town, name
        kind, _, self.path = name.partition(" for ")
        letters = Letters(town)
        given = {"path": f"{PATH}/{self.path}"} if self.path else {}
        self.right = getattr(letters, kind)(**given)
        self.typ = TYPES[kind].typ
        self.key = letters.root if kind == "statement" else letters.key
        self.claims = signing.unverified_claims(self.right, self.typ)
        self.kind = kind

    def forge(self, header=None, key=None, **claims):
        """The letter with another header, key or claim, and a signature that is right for it."""
        told = {"typ": self.typ, "kid": keys.kid(self.key)} | (header or {})
        payload = json.dumps(self.claims | claims).encode()
        return forge(payload, told, key or self.key)

    def forge_as(self, name):
        """The letter in Lyon's name, with the key that ``name`` signs such letters with."""
        identity = self.town.identity(name)
        key = identity.root_key if self.kind == "statement" else identity.operational_key
        return self.forge({"kid": keys.kid(key)}, key)

    def forge_bytes(self, payload):
        return forge(payload, {"typ": self.typ}, self.key)

    def show(self, token):
        client = self.town.apps["nantes"].test_client()
        if self.path:
            bearer = {"Authorization": f"Bearer {token}"}
            return client.get(f"{PATH}/{self.path}", headers=bearer)
        address = f"{PATH}/{LETTERS[self.kind]}"
        return client.post(address, data=token, content_type="application/jwt")


@pytest.fixture(params=DOORS)
def door(built, request):
    return Door(built, request.param)


def spare_bits(token):
    """The same signature, spelled with the bits set that its last character does not need."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + letters[letters.index(token[-1]) + 1]


def other_payload(door):
    head, _, signature = door.right.split(".")
    claims = door.claims | {"iat": door.claims.get("iat", 0) + 1}
    return f"{head}.{encode(json.dumps(claims).encode())}.{signature}"


BROKEN, WRONG = (400, "invalid-document"), (403, "wrong-audience")
UNKNOWN_KEY, LARGE = (401, "key-unknown"), (413, "too-large")
OWN = keys.public_jwk(STRANGER)

FORGERIES = {
    "R2 another space's key": (lambda d: d.forge({"kid": keys.kid(STRANGER)}, STRANGER),
                               UNKNOWN_KEY),
    "R2 another space's key under the neighbour's name": (lambda d: d.forge(key=STRANGER), BROKEN),
    "R2 another neighbour's key": (lambda d: d.forge_as("berlin"), UNKNOWN_KEY),
    "R2 our own key": (lambda d: d.forge_as("nantes"), UNKNOWN_KEY),
    "R3 other claims under the signature": (other_payload, BROKEN),
    "R3 no signature": (lambda d: d.right.rpartition(".")[0] + ".", BROKEN),
    "R5 of no type": (lambda d: d.forge({"typ": None}), BROKEN),
    "R5 a profile": (lambda d: d.forge({"typ": "cdf-profile+jwt"}), BROKEN),
    "R5 in capitals": (lambda d: d.forge({"typ": d.typ.upper()}), BROKEN),
    "R6 another spelling of the signature": (lambda d: spare_bits(d.right), BROKEN),
    "R6 a claim twice": (
        lambda d: d.forge_bytes(json.dumps(d.claims).encode()[:-1] + b',"aud":"x","aud":"y"}'),
        BROKEN,
    ),
    "R6 something behind it": (lambda d: d.forge_bytes(json.dumps(d.claims).encode() + b"{}"),
                               BROKEN),
    "R7 a key that it brings along": (
        lambda d: d.forge({"kid": keys.kid(STRANGER), "jwk": OWN}, STRANGER), UNKNOWN_KEY,
    ),
    "R8 no algorithm": (lambda d: d.forge({"alg": "none"}), BROKEN),
    "R8 the old name": (lambda d: d.forge({"alg": "EdDSA"}), BROKEN),
    "R8 a shared secret": (lambda d: d.forge({"alg": "HS256"}), BROKEN),
    "R9 something critical": (lambda d: d.forge({"crit": ["b64"], "b64": False}), BROKEN),
    "R9 a payload in no base64": (lambda d: d.forge({"b64": False}), BROKEN),
    "R10 too large": (lambda d: d.right + "A" * 24_576, LARGE),
    "R10 a header too large": (lambda d: d.forge({"x": "x" * 1100}), LARGE),
    "R10 deep": (lambda d: d.forge(x=[[[[[[[1]]]]]]]), BROKEN),
    "R11 for another space": (lambda d: d.forge(aud="https://paris.example"), WRONG),
    "R11 for several": (lambda d: d.forge(aud=[NANTES]), BROKEN),
    "R11 for a longer name": (lambda d: d.forge(aud=f"{NANTES}.evil.example"), WRONG),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_is_refused_at_every_door(door, name):
    make, expected = FORGERIES[name]
    assert problem(door.show(make(door))) == expected


NAMES = {
    "R1 a stranger": "https://stranger.example",
    "R1 the space itself": NANTES,
    "R17 with a slash": f"{LYON}/",
    "R17 in capitals": "https://Lyon.example",
    "R17 with its port": f"{LYON}:443",
    "R21 eight thousand letters": f"{LYON}/{'a' * 8000}",
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("at", [door for door in DOORS if door != "statement"])
def test_a_name_that_is_not_the_neighbours_is_refused_and_nobody_is_visited(built, at, name):
    door = Door(built, at)
    changed = {"iss": NAMES[name]} | ({"sub": NAMES[name]} if door.path else {})
    del built.network.requests[:]
    assert problem(door.show(door.forge(**changed))) in ((403, "unknown-issuer"), BROKEN)
    built.work_at("nantes")
    assert {host for _, host, _ in built.network.requests} <= {"lyon", "berlin"}


LONG = {
    "statement": ("note", "kid_seen", "state"),
    "notice": ("epoch",),
    "ack": ("epoch", "root", "view"),
    "assertion": ("jti", "htm", "htu"),
    "introduction": ("text", "when", "budget", "id", "kind", "service"),
    "reply": ("text", "id", "act", "email"),
}


@pytest.mark.parametrize("at", DOORS)
def test_a_long_or_unprintable_text_is_refused_wherever_it_stands(built, at):
    """R18, R21."""
    door = Door(built, at)
    for claim in LONG[door.kind]:
        for text in ("a" * 8000, "a\x07b", "a\u202eb", 7):
            status, told = problem(door.show(door.forge(**{claim: text})))
            assert (status, told) in (BROKEN, WRONG), (claim, text)


def test_a_right_letter_is_taken_so_that_the_refusals_above_mean_something(door):
    assert door.show(door.right).status_code == (200 if door.path else 202)


@pytest.mark.parametrize("path", READS)
def test_an_assertion_opens_its_own_door_alone(built, path):
    """R11: ``htu`` is the address that is asked for."""
    for other in READS:
        if other != path:
            token = Door(built, f"assertion for {other}").right
            client = built.apps["nantes"].test_client()
            answer = client.get(f"{PATH}/{path}", headers={"Authorization": f"Bearer {token}"})
            assert problem(answer) == WRONG


# --- R20 and R22: what all of this leaves behind


def test_strangers_letters_make_one_visit_due_and_not_before_its_time(built):
    """R14, R22: whoever names an unknown key aims our visits at nobody."""
    built.later(hours=1)
    letters = [Door(built, kind) for kind in ("statement", "notice")]
    with built.at("nantes") as session:
        session.execute(delete(Job).filter_by(kind="entity"))
        session.execute(update(Peer).values(entity_read_at=built.now))
    for _ in range(5):
        for door in letters:
            door.show(door.forge({"kid": keys.kid(STRANGER)}, STRANGER))
    with built.at("nantes") as session:
        due = list(session.scalars(select(Job.due_at).filter_by(kind="entity")))
    assert due == [built.now + callers.PLATE_REST]


def test_a_letter_that_comes_during_our_visit_causes_no_second_one(neighbours):
    """R14."""
    door = Door(neighbours, "notice")
    forged = door.forge({"kid": keys.kid(STRANGER)}, STRANGER)
    visits = []

    def look_up(_method, path):
        if path.startswith("/.well-known/"):
            visits.append(path)
            if len(visits) == 1:
                door.show(forged)

    door.show(forged)
    neighbours.later(minutes=10)
    neighbours.network.instead["lyon"] = look_up
    neighbours.work_at("nantes")
    assert len(visits) == 1


def test_no_letter_in_the_name_of_a_blocked_space_makes_us_visit_it(neighbours):
    """R14: it hears what everybody hears, and sees by no visit that anybody wrote."""

    def answers():
        doors = [Door(neighbours, name) for name in DOORS]
        forged = [door.forge({"kid": keys.kid(STRANGER)}, STRANGER) for door in doors]
        return [door.show(letter).status_code for door, letter in zip(doors, forged, strict=True)]

    def looks():
        with neighbours.at("nantes") as session:
            return session.scalars(select(Job.key).filter_by(kind=outbox.ENTITY)).all()

    assert set(answers()) == {401}
    assert len(looks()) == 1
    neighbours.decide(peers.block, "nantes", "lyon")
    neighbours.work_at("nantes")
    del neighbours.network.requests[:]
    neighbours.later(hours=1)
    neighbours.work_at("nantes")
    assert looks() == []
    told = dict(zip(DOORS, answers(), strict=True))
    assert (told.pop("statement"), set(told.values())) == (202, {401})
    assert looks() == []
    neighbours.later(hours=1)
    neighbours.work_at("nantes")
    assert "lyon" not in {host for _, host, _ in neighbours.network.requests}


#: Each door with what counts who comes there, and how one comes.
COUNTED = {
    "feed": ("feed.READS", "GET"),
    "checkpoint": ("feed.READS", "GET"),
    "index": ("feed.READS", "GET"),
    "held": ("held.READS", "GET"),
    "photo/<digest>": ("photo.READS", "GET"),
    "peering": ("messages.STATEMENTS", "POST"),
    "notify": ("messages.MESSAGES", "POST"),
    "ack": ("messages.MESSAGES", "POST"),
    "intro": ("intro.MESSAGES", "POST"),
}


@pytest.mark.parametrize("door", COUNTED)
def test_every_door_counts_who_comes_before_anything_is_looked_at(built, monkeypatch, door):
    """R14, R20: also those who are refused, or whoever floods us with rubbish would not count."""
    counter, method = COUNTED[door]
    monkeypatch.setattr(f"app.wire.{counter}", RateLimitItemPerMinute(2))
    monkeypatch.setitem(built.apps["nantes"].config, "RATELIMIT_ENABLED", True)
    client = built.apps["nantes"].test_client()
    address = f"{PATH}/{door.replace('<digest>', '0' * 64)}"
    network = {"REMOTE_ADDR": f"192.0.2.{list(COUNTED).index(door)}"}
    answers = [
        client.open(address, method=method, data="rubbish", environ_base=network) for _ in range(3)
    ]
    assert 429 not in {answer.status_code for answer in answers[:2]}
    assert problem(answers[2]) == (429, "rate-limited")


def test_no_door_is_left_out(built):
    paths = {rule.rule for rule in built.apps["nantes"].url_map.iter_rules()}
    assert {path for path in paths if path.startswith(f"{PATH}/")} == {
        f"{PATH}/{door}" for door in COUNTED
    }


def test_what_strangers_make_us_write_down_is_counted_by_the_hour(built):
    """R20: anybody can write a statement in a neighbour's name that nobody signed."""
    built.later(hours=2)
    door = Door(built, "statement")
    with built.at("nantes") as session:
        before = session.scalar(select(func.count()).select_from(JournalEntry))
        for number in range(40):
            door.show(door.forge({"kid": keys.kid(STRANGER)}, STRANGER, n=number + 1))
        after = session.scalar(select(func.count()).select_from(JournalEntry))
    assert after - before == 26


def test_used_assertions_are_forgotten_when_they_end_and_never_more_than_there_is_room_for(
    built, monkeypatch
):
    """R20."""

    def remembered():
        with built.at("nantes") as session:
            return session.scalar(select(func.count()).select_from(SeenAssertion))

    monkeypatch.setattr(callers, "ASSERTIONS", 3)
    built.later(minutes=10)
    answers = [_read(built) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert problem(answers[3]) == (429, "rate-limited")
    assert remembered() == 3
    built.later(minutes=10)
    assert _read(built).status_code == 200
    assert remembered() == 1


def _read(town):
    door = Door(town, "assertion for feed")
    return door.show(door.right)


def test_a_request_that_is_taken_back_still_counts_and_fades(tmp_path):
    """R20: or a stranger could leave a row for each name that it has."""
    town = Neighbourhood(tmp_path, "lyon", "nantes")
    try:
        letters = Letters(town)
        client = town.apps["nantes"].test_client()

        def post(token):
            return client.post(f"{PATH}/peering", data=token, content_type="application/jwt")

        post(letters.statement())
        town.work_at("nantes")
        post(letters.statement(state="ended", n=2_000_000_000))
        assert town.stands("nantes", "lyon") == ("none", "ended")
        with town.at("nantes") as session:
            row = session.scalars(select(Peer)).one()
            row.url = "https://first.crowd.example"
        answers = [
            post(letters.statement(iss=f"https://space{number}.crowd.example"))
            for number in range(3)
        ]
        assert [answer.status_code for answer in answers] == [202, 202, 429]
        town.later(days=31)
        town.work_at("nantes")
        with town.at("nantes") as session:
            assert session.scalars(select(Peer)).all() == []
    finally:
        town.close()


#: R20: each table that a peer can make grow, or that names one, with what bounds it in number and
#: in time. The rest grows by what people here do.
BOUNDED = {
    "peer": ("100 requests wait, 3 of a domain", "30 days without an answer"),
    "mirrored_profile": ("limits.PEER_PROFILES", "exp, at most 400 days"),
    "mirrored_photo": ("photos.PEER_PHOTOS and photos.PEER_BYTES of each space", "its profile"),
    "mirrored_withdrawal": ("limits.PEER_WITHDRAWALS", "exp, at most 400 days"),
    "journal": ("25 an hour of one space and code, 20,000 of each kind", "365 days"),
    "job": ("one of each kind and space; 100 strangers' requests", "attempts, or the peering"),
    "seen_assertion": ("callers.ASSERTIONS of each space", "exp, at most 120 s"),
    "peer_ack": ("one of each space and view", "the peering"),
    "receipt": ("one of each space and withdrawal of ours", "the withdrawal's exp"),
    "conversation": ("200 a day of each space, with 500 messages each", "a year of silence"),
    "arrival": ("arrivals.WAITING of each space", "the next turn of the worker"),
    "introduced": ("200 a day of each space", "31 days"),
    "lag_sample": ("one an hour of each space", "a day"),
    "trial": ("one of each space", "the next trial"),
    # By the hands of people here alone: no letter of a peer makes one.
    "report": ("20 a day of each account", "report.REPORT_LIFETIME, 180 days"),
    "measure": ("what admins here decide", "the member's row; of a neighbour's person none"),
}


def test_every_table_that_names_a_peer_says_what_bounds_it():
    named = {
        table.name
        for table in Base.metadata.tables.values()
        if table.name == "peer"
        or any(key.column.table.name == "peer" for key in table.foreign_keys)
    }
    # Written by the issuer's name, or filled by strangers, without a column for the peer.
    assert named | {"seen_assertion", "introduced"} == set(BOUNDED)
