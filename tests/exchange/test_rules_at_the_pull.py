"""The rules of PROTOCOL.md, section 9, where we read: door plates, checkpoints and records.

Nantes signs with its real keys wherever the attack allows it, and its documents travel through the
real job, client and database of Lyon. Records that break a rule are in ``test_bad_documents``.
"""

from __future__ import annotations

import json

import pytest
from sqlalchemy import delete, select, update

from app.exchange import outbox, peers
from app.exchange.pull import pull
from app.models.job import Job
from app.models.journal import JournalEntry
from app.models.peer import MirroredProfile, Peer
from federation import entity, keys, limits, signing
from federation.documents import Checkpoint, Profile
from federation.keys import new_key
from federation.transport import Answer
from tests.federation.samples import forge
from tests.neighbourhood import Neighbourhood, url_of

NANTES = url_of("nantes")
PLATE, FEED = "/.well-known/openid-federation", "/federation/v1/feed"
STRANGER = new_key()


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    town = Neighbourhood(tmp_path_factory.mktemp("town"), "lyon", "nantes", "berlin")
    town.publish("nantes", "Claire Vasseur")
    town.befriend("lyon", "nantes")
    yield town
    town.close()


@pytest.fixture
def town(built):
    """Lyon, which knows the plate of Nantes, and will read it again now."""
    built.network.instead.clear()
    built.later(minutes=20)
    with built.at("lyon") as session:
        session.execute(delete(Job).filter_by(kind=outbox.ENTITY))
        session.execute(update(Peer).values(ours="approved", failures=0, last_error=""))
    return built


class Plates:
    """What Nantes might hang out: right by default, wrong where a test says so."""

    def __init__(self, town):
        self.key = town.identity("nantes").root_key
        self.operational = town.identity("nantes").operational_key
        found = town.apps["nantes"].test_client().get(PLATE)
        self.right = found.text
        self.claims = signing.unverified_claims(found.text, entity.TYP)
        self.berlin = town.apps["berlin"].test_client().get(PLATE).text

    def forge(self, header=None, key=None, **claims):
        told = {"typ": entity.TYP} | (header or {})
        return forge(json.dumps(self.claims | claims).encode(), told, key or self.key)

    def directory(self, **changes):
        told = json.loads(json.dumps(self.claims))
        told["metadata"]["coworking_directory"].update(changes)
        return forge(json.dumps(told).encode(), {"typ": entity.TYP}, self.key)

    def as_berlin(self):
        """All of it Berlin's, endpoints too; only whom it is about is right, and the key."""
        told = json.loads(json.dumps(self.claims).replace(NANTES, "https://berlin.example"))
        told["sub"] = NANTES
        return forge(json.dumps(told).encode(), {"typ": entity.TYP}, self.key)


PLATES = {
    "R1 in another space's name": lambda p: p.forge(iss="https://berlin.example"),
    "R1 in another space's name, with its endpoints": lambda p: p.as_berlin(),
    "R1 about another space": lambda p: p.forge(sub="https://berlin.example"),
    "R3 another signature": lambda p: ".".join(
        [*p.right.split(".")[:2], p.berlin.split(".")[2]]
    ),
    "R5 a profile": lambda p: p.forge({"typ": Profile.typ}),
    "R5 a bare JWT": lambda p: p.forge({"typ": "JWT"}),
    "R6 a claim twice": lambda p: forge(
        json.dumps(p.claims).encode()[:-1] + b',"exp":9999999999}', {"typ": entity.TYP}, p.key
    ),
    "R6 padded": lambda p: p.right + "==",
    "R8 no algorithm": lambda p: p.forge({"alg": "none"}),
    "R9 something critical": lambda p: p.forge({"crit": ["x"], "x": 1}),
    "R10 too large": lambda p: p.right + "A" * limits.ENTITY_BYTES,
    "R15 the feed elsewhere": lambda p: p.directory(feed_endpoint="https://berlin.example/feed"),
    "R15 the feed on another port": lambda p: p.directory(feed_endpoint=f"{NANTES}:8443/feed"),
    "R15 the feed within": lambda p: p.directory(feed_endpoint="https://127.0.0.1/feed"),
    "R15 the feed without TLS": lambda p: p.directory(feed_endpoint="http://nantes.example/feed"),
    "R15 acknowledgements elsewhere": lambda p: p.directory(ack_endpoint="https://evil.example/a"),
    "R17 its name with a slash": lambda p: p.forge(iss=f"{NANTES}/", sub=f"{NANTES}/"),
    "R18 a name that reads backwards": lambda p: p.forge(
        metadata=p.claims["metadata"]
        | {"federation_entity": {"organization_name": "\u202esetnaN"}}
    ),
    "R20 nine keys": lambda p: p.directory(jwks={"keys": [keys.public_jwk(p.operational)] * 9}),
    "R21 an endpoint of eight thousand letters": lambda p: p.directory(
        feed_endpoint=f"{NANTES}/{'a' * 8000}"
    ),
    "expired": lambda p: p.forge(iat=1000, exp=2000),
    "from before the last one": lambda p: p.forge(iat=p.claims["iat"] - 86_400),
}  # fmt: skip


def hang(town, token, media_type=entity.MEDIA_TYPE):
    """Let Nantes show ``token`` on its door."""
    town.network.instead["nantes"] = lambda method, path: (
        Answer(200, {"content-type": media_type}, token.encode()) if path == PLATE else None
    )


def look(town):
    """Let Lyon look at the door of Nantes."""
    with town.at("lyon") as session:
        peers.look_again(session, town.peer_in(session, "nantes"), town.now)
    del town.network.requests[:]
    town.work_at("lyon")


@pytest.mark.parametrize("name", PLATES)
def test_a_plate_that_breaks_a_rule_changes_nothing_and_leads_nowhere(town, name):
    before = town.peer("lyon", "nantes", "entity_jws", "root_kid", "name", "ours")
    hang(town, PLATES[name](Plates(town)))
    look(town)
    assert ("GET", "nantes", PLATE) in town.network.requests
    assert town.peer("lyon", "nantes", "entity_jws", "root_kid", "name", "ours") == before
    # The feed is still read where the plate that was believed has it, and nothing else is.
    with town.at("lyon") as session:
        peers.pull_soon(session, town.peer_in(session, "nantes"), town.now)
    town.work_at("lyon")
    assert {host for _, host, _ in town.network.requests} <= {"nantes"}
    assert ("GET", "nantes", FEED) in town.network.requests
    assert town.seen("lyon") == {"Claire Vasseur"}


@pytest.mark.parametrize("media_type", ["text/html", "application/json", "application/jwt", "a"])
def test_a_plate_of_another_media_type_is_none(town, media_type):
    """R5."""
    before = town.peer("lyon", "nantes", "entity_jws")
    hang(town, Plates(town).right, media_type)
    look(town)
    assert town.peer("lyon", "nantes", "entity_jws") == before


@pytest.mark.parametrize("name", [name for name in PLATES if "before" not in name])
def test_nobody_becomes_known_by_a_plate_that_breaks_a_rule(town, tmp_path, name):
    """The same at a first visit, where any key is read and none is known yet."""
    hang(town, PLATES[name](Plates(town)))
    with town.at("berlin") as session:
        with pytest.raises(peers.PeeringError):
            peers.knock(
                session, NANTES, town.identity("berlin"), town.network, "", town.now, "admin"
            )
        assert session.scalars(select(Peer)).all() == []


OWN = keys.public_jwk(STRANGER)
UNKNOWN = {
    "R1 another space's plate": lambda p: p.berlin,
    "R2 by the operational key": lambda p: p.forge(key=p.operational),
    "R7 by a key that nobody announced": lambda p: p.forge(key=STRANGER, jwks={"keys": [OWN]}),
    "R7 by one that it brings along": lambda p: p.forge({"jwk": OWN}, STRANGER),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_plate_by_an_unknown_root_key_freezes_the_peering(town, name):
    kid = town.peer("lyon", "nantes", "root_kid")
    hang(town, UNKNOWN[name](Plates(town)))
    look(town)
    assert town.peer("lyon", "nantes", "ours", "root_kid") == ("key_hold", kid)
    assert town.seen("lyon") == {"Claire Vasseur"}


def test_the_right_plate_is_taken_so_that_the_refusals_above_mean_something(town):
    before = town.peer("lyon", "nantes", "entity_read_at")
    hang(town, Plates(town).right)
    look(town)
    assert town.peer("lyon", "nantes", "entity_read_at") > before


# --- checkpoints


class Checkpoints:
    """What Nantes signs about the whole of its directory, at a position that Lyon has not seen."""

    def __init__(self, town):
        self.key = town.identity("nantes").operational_key
        self.root = town.identity("nantes").root_key
        epoch, token = town.peer("lyon", "nantes", "epoch", "their_checkpoint")
        now = int(town.now.timestamp())
        believed = signing.unverified_claims(token, Checkpoint.typ)
        self.claims = believed | {"seq": believed["seq"] + 1, "iat": now, "exp": now + 3600}
        self.epoch = epoch

    def forge(self, header=None, key=None, **claims):
        told = {"typ": Checkpoint.typ} | (header or {})
        return forge(json.dumps(self.claims | claims).encode(), told, key or self.key)


CHECKPOINTS = {
    "R1 of another space": (lambda c: c.forge(iss="https://berlin.example"), "unknown-issuer"),
    "R2 by a stranger": (lambda c: c.forge(key=STRANGER), "key-unknown"),
    "R2 by the root key": (lambda c: c.forge(key=c.root), "key-unknown"),
    "R3 cut": (lambda c: c.forge()[:-10], "bad-signature"),
    "R5 a profile": (lambda c: c.forge({"typ": Profile.typ}), "unknown-type"),
    "R6 a claim twice": (
        lambda c: forge(
            json.dumps(c.claims).encode()[:-1] + b',"count":1}', {"typ": Checkpoint.typ}, c.key
        ),
        "invalid-document",
    ),
    "R7 with its own key": (
        lambda c: c.forge({"jwk": keys.public_jwk(STRANGER)}, STRANGER),
        "key-unknown",
    ),
    "R8 no algorithm": (lambda c: c.forge({"alg": "none"}), "bad-signature"),
    "R9 something critical": (lambda c: c.forge({"crit": ["x"], "x": 1}), "invalid-document"),
    "R10 a large header": (lambda c: c.forge({"x": "x" * 1100}), "too-large"),
    "R11 of another view": (lambda c: c.forge(view="public"), "invalid-document"),
    "of another epoch": (lambda c: c.forge(epoch="elsewhere"), "invalid-document"),
    "for ever": (lambda c: c.forge(exp=9_999_999_999), "invalid-document"),
    "from tomorrow": (
        lambda c: c.forge(iat=c.claims["iat"] + 86_400, exp=c.claims["iat"] + 90_000),
        "expired",
    ),
}


def show(town, checkpoint, epoch=""):
    """Let Nantes answer with an empty page and this checkpoint; returns what came of it."""
    epoch = epoch or town.peer("lyon", "nantes", "epoch")
    page = {
        "epoch": epoch, "items": [], "next": f"{epoch}.9", "more": False, "checkpoint": checkpoint,
    }  # fmt: skip
    answer = Answer(200, {"content-type": "application/json"}, json.dumps(page).encode())
    town.network.instead["nantes"] = lambda method, path: answer if path.startswith(FEED) else None
    with town.at("lyon") as session:
        peer = town.peer_in(session, "nantes")
        return pull(session, peer, town.network, town.identity("lyon"), town.now).problem


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_a_checkpoint_that_breaks_a_rule_is_journalled_and_the_last_good_one_stays(town, name):
    make, code = CHECKPOINTS[name]
    before = town.peer("lyon", "nantes", "their_checkpoint", "their_root", "their_seq")
    token = make(Checkpoints(town))
    assert show(town, token) == code
    assert town.peer("lyon", "nantes", "their_checkpoint", "their_root", "their_seq") == before
    with town.at("lyon") as session:
        kept = session.scalars(select(JournalEntry.evidence).filter_by(code=code))
        assert any(evidence.startswith(token[:1000]) for evidence in kept)
    assert town.seen("lyon") == {"Claire Vasseur"}


def test_an_earlier_epoch_that_is_shown_again_is_a_rollback(town):
    """Whoever replays what a space said before its restart is found out by the date alone."""
    before = town.peer("lyon", "nantes", "their_checkpoint")
    held = signing.unverified_claims(before, Checkpoint.typ)
    token = Checkpoints(town).forge(epoch="before", iat=held["iat"] - 1)
    assert show(town, token, epoch="before") == "rollback"
    assert town.peer("lyon", "nantes", "their_checkpoint", "roots_agree") == (before, False)
    with town.at("lyon") as session:
        kept = session.scalars(select(JournalEntry.evidence).filter_by(code="rollback")).one()
    assert token in kept, "and the one that it contradicts"
    assert before in kept
    assert town.seen("lyon") == {"Claire Vasseur"}
    town.network.instead.clear()
    with town.at("lyon") as session:
        peer = town.peer_in(session, "nantes")
        assert pull(session, peer, town.network, town.identity("lyon"), town.now).problem == ""
    assert town.peer("lyon", "nantes", "epoch", "roots_agree") == (held["epoch"], True)


def test_a_checkpoint_that_keeps_the_rules_is_believed(town):
    right = Checkpoints(town).forge()
    assert show(town, right) == ""
    assert town.peer("lyon", "nantes", "their_checkpoint") == right


# --- pictures


@pytest.mark.parametrize("claim", ["picture", "image", "logo_uri", "avatar"])
def test_a_picture_that_is_no_photo_at_home_is_neither_fetched_nor_kept_nor_shown(town, claim):
    """R18: the one photo has a claim of its own, whose address cannot be a beacon."""
    now = int(town.now.timestamp())
    url = "https://evil.example/beacon.png"
    claims = {
        "iss": NANTES, "sub": f"{NANTES}/m/pictured", "rev": now, "aud": "public", "iat": now,
        "exp": now + 86_400, "consent_at": now, "name": "Pia Bild", "web": ["name", claim],
        claim: url,
    }  # fmt: skip
    token = signing.sign(claims, town.identity("nantes").operational_key, Profile.typ)
    page = {
        "epoch": town.peer("lyon", "nantes", "epoch"), "items": [{"seq": now, "jws": token}],
        "next": "", "more": False, "checkpoint": "",
    }  # fmt: skip
    answer = Answer(200, {"content-type": "application/json"}, json.dumps(page).encode())
    town.network.instead["nantes"] = lambda method, path: answer if path.startswith(FEED) else None
    del town.network.requests[:]
    with town.at("lyon") as session:
        peer = town.peer_in(session, "nantes")
        pull(session, peer, town.network, town.identity("lyon"), town.now)
        row = session.scalars(select(MirroredProfile).filter_by(name="Pia Bild")).one()
        assert url not in json.dumps(row.document)
    assert {host for _, host, _ in town.network.requests} == {"nantes"}
    shown = town.apps["lyon"].test_client().get("/search?q=Pia+Bild&scope=everywhere")
    assert "Pia Bild" in shown.text
    assert "evil.example" not in shown.text
