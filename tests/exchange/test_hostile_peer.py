"""A neighbour that attacks: the others go on, nothing is lost, and the admin reads one line.

Mallory is a real space that both admins approved, with keys of its own; only its answers are not a
space's. Nantes is the good neighbour beside it, read by the same worker in the same round.
"""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import count, pairwise

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.database import db
from app.exchange import copies, intake, peers, turn
from app.exchange.pull import PAGES_PER_PULL, SENTENCES, pull
from app.exchange.turn import TURN_SECONDS
from app.models.job import Job
from app.models.journal import JournalEntry
from app.models.peer import MirroredProfile, MirroredWithdrawal, Peer
from app.worker import run_round
from federation import signing
from federation.documents import Profile, Withdrawal
from federation.errors import (
    EndlessFeedError,
    ForbiddenAddressError,
    RedirectRefusedError,
    TooLargeError,
    UnreachableError,
)
from federation.limits import CLOCK_SKEW, TOTAL_SECONDS
from federation.transport import Answer
from tests.neighbourhood import Neighbourhood, url_of

MALLORY = url_of("mallory")
JSON = {"content-type": "application/json"}
FEED = "/federation/v1/feed"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    town = Neighbourhood(tmp_path_factory.mktemp("town"), "lyon", "nantes", "mallory")
    town.publish("mallory", "Mona Held")
    town.befriend("lyon", "nantes")
    town.befriend("lyon", "mallory")
    yield town
    town.close()


@pytest.fixture
def town(built):
    """Lyon with both neighbours, all well, each due to be read."""
    built.network.instead.clear()
    with built.at("lyon") as session:
        session.execute(update(Peer).values(failures=0, behind_until=None, last_error_text=""))
        session.execute(update(Job).values(attempts=0, leased_until=None))
    built.later(days=2)
    built.work()
    assert built.held("lyon") >= {"Mona Held"}
    built.later(hours=2)
    return built


def page(*jws, following="e.1", more=False, epoch="e", first=1, **changed):
    items = [{"seq": first + at, "jws": token} for at, token in enumerate(jws)]
    told = {
        "epoch": epoch, "items": items, "next": following, "more": more, "checkpoint": "",
    }  # fmt: skip
    return Answer(200, JSON, json.dumps(told | changed).encode())


def feed(*answers):
    """Answer each question for the feed with the next of ``answers``, the last one for ever."""
    asked = count()

    def answer(_method, path):
        if not path.startswith(FEED):
            return None
        found = answers[min(next(asked), len(answers) - 1)]
        return found(path) if callable(found) else found

    return answer


def everywhere(answer):
    return lambda method, path: answer


def numbered(make):
    """Answer the n-th question for the feed with ``make(n)``."""
    asked = count()

    def answer(_method, path):
        if not path.startswith(FEED):
            return None
        number = next(asked)
        assert number < 500, "nobody puts an end to it"
        return make(number)

    return answer


def words(code):
    return SENTENCES[code]


SILENT = words("unreachable")
STRANGE = words("malformed-answer")
CIRCLES = words("endless-feed")

ATTACKS = {
    # What HttpsTransport makes of a drip, a cut, a reset (tests/federation/test_transport.py).
    "a drip": (everywhere(UnreachableError("no complete answer within 10 seconds")), SILENT),
    "a cut": (everywhere(UnreachableError("the answer ended before it was complete")), SILENT),
    "a bomb, or ten megabytes": (everywhere(TooLargeError("too many bytes")), words("too-large")),
    "a redirect": (everywhere(RedirectRefusedError("answered 302")), words("redirect-refused")),
    "an address that turned private": (
        everywhere(ForbiddenAddressError("the name leads to an address that is not public")),
        words("forbidden-address"),
    ),
    "errors only": (everywhere(Answer(500, {}, b"")), SILENT),
    "another kind of content": (feed(Answer(200, {"content-type": "text/html"}, b"{}")), STRANGE),
    "a type with a parameter that matters": (
        feed(Answer(200, {"content-type": "application/jsonp"}, b"{}")),
        STRANGE,
    ),
    "deep brackets": (feed(Answer(200, JSON, b"[" * 500_000)), STRANGE),
    "a key twice": (feed(Answer(200, JSON, b'{"epoch":"e","epoch":"f"}')), STRANGE),
    "one long line": (feed(Answer(200, JSON, b'"' + b"a" * 1_000_000 + b'"')), STRANGE),
    "half a character": (feed(Answer(200, JSON, b'{"epoch":"\\ud800"}')), STRANGE),
    "a position below the first": (feed(page("a", "b", first=-1)), STRANGE),
    "items that fall": (
        feed(page(items=[{"seq": 9, "jws": "a"}, {"seq": 8, "jws": "b"}])),
        STRANGE,
    ),
    "two items at one position": (
        feed(page(items=[{"seq": 9, "jws": "a"}, {"seq": 9, "jws": "b"}])),
        STRANGE,
    ),
    "pages that fall": (
        numbered(lambda n: page("a", more=True, following=f"e.{n + 1}", first=1000 - n)),
        CIRCLES,
    ),
    "more than a page holds": (feed(page(*["a"] * 201)), STRANGE),
    "a page that leads back to itself": (
        numbered(lambda n: page("a", more=True, following="e.1", first=n + 1)),
        CIRCLES,
    ),
    "more, and nothing in it": (numbered(lambda n: page(more=True, following=f"e.{n}")), CIRCLES),
    "another epoch at each request": (
        numbered(lambda n: page("a", more=True, epoch=f"e{n}", following=f"e{n}.1")),
        CIRCLES,
    ),
    "an epoch that always just ended": (
        feed(
            Answer(
                410,
                {"content-type": "application/problem+json"},
                b'{"type": "urn:cdf:problem:epoch-changed"}',
            )
        ),
        CIRCLES,
    ),
    "a cursor that ends a header": (feed(page(following="e\r\nX: y")), STRANGE),
    "a promise of nothing new, unasked": (feed(Answer(304, {}, b"")), STRANGE),
}

PEOPLE = count()


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_stops_nobody_else_loses_nothing_and_is_one_line(town, name):
    attack, sentence = ATTACKS[name]
    newcomer = f"Person {next(PEOPLE)}"
    town.publish("nantes", newcomer)
    with town.at("lyon") as session:
        town.peer_in(session, "mallory").feed_etag = ""
    town.network.instead["mallory"] = attack
    town.work_at("lyon")
    assert newcomer in town.held("lyon")
    assert town.peer("lyon", "nantes", "failures", "last_error_text") == (0, "")
    assert town.peer("lyon", "mallory", "failures", "last_error_text") == (1, sentence)
    assert "Mona Held" in town.seen("lyon")


def test_a_hostile_space_that_behaves_again_is_read_again(town):
    town.network.instead["mallory"] = everywhere(UnreachableError("reset"))
    town.work_at("lyon")
    del town.network.instead["mallory"]
    town.publish("mallory", "Moritz Back")
    town.later(minutes=5)
    town.work()
    assert "Moritz Back" in town.held("lyon")
    assert town.peer("lyon", "mallory", "failures", "last_error_text") == (0, "")


# --- how long others wait


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [
        ("7200", timedelta(hours=2), timedelta(hours=2, minutes=1)),
        ("99999999999999999999999", timedelta(hours=23), timedelta(days=1)),
        ("-5", timedelta(0), timedelta(minutes=1)),
        ("Fri, 31 Dec 2999 23:59:59 GMT", timedelta(0), timedelta(minutes=1)),
        ("7\u00b2", timedelta(0), timedelta(minutes=1)),
    ],
    ids=["two hours", "for ever", "less than nothing", "a date", "a number that is none"],
)
def test_who_asks_us_to_wait_is_heard_up_to_a_day_and_delays_nobody_else(town, asked, least, most):
    town.network.instead["mallory"] = everywhere(Answer(429, {"retry-after": asked}, b""))
    newcomer = f"Person {next(PEOPLE)}"
    town.publish("nantes", newcomer)
    town.work_at("lyon")
    assert newcomer in town.held("lyon")
    text, again = town.peer("lyon", "mallory", "last_error_text", "next_pull_at")
    assert text == words("rate-limited")
    assert least <= again - town.now <= most


def dripping(town, seconds):
    """Each answer comes just in time, and says that there is more."""

    def slow(n):
        town.later(seconds=seconds)
        return page("rubbish", more=True, following=f"e.{n + 1}", first=n + 1)

    return numbered(slow)


def next_job(town):
    """Let the worker of Lyon do what comes first now, as its loop does; what that was, and how."""
    with town.apps["lyon"].app_context():
        engine = db.engine
    done = run_round(
        lambda: Session(engine), town.network, town.identity("lyon"), town.now,
        jobs=1, clock=lambda: town.now.timestamp(),
    )  # fmt: skip
    return done.outcomes[0] if done.outcomes else None


def test_however_many_drip_a_good_neighbour_waits_for_one_turn(tmp_path):
    """Six spaces answer each question after nine seconds, for ever; then somebody withdraws."""
    hostile = [f"m{number}" for number in range(6)]
    town = Neighbourhood(tmp_path, "lyon", "nantes", *hostile)
    try:
        for name in ("nantes", *hostile):
            town.befriend("lyon", name)
        town.publish("nantes", "Claire Vasseur")
        town.work()
        town.network.instead.update({name: dripping(town, 9) for name in hostile})
        town.later(hours=2)
        # Each of them has its first long turn, which nobody could foresee.
        spent = [town.now]
        while {town.peer("lyon", name, "behind_until") for name in hostile} & {None}:
            next_job(town)
            spent.append(town.now)
        longest = max(after - before for before, after in pairwise(spent))
        assert longest < timedelta(seconds=TURN_SECONDS + TOTAL_SECONDS)
        # From now on a withdrawal is asked for in the middle of one turn, and read after it.
        moments = []

        def and_nantes_withdraws(n):
            if n == 0:
                moments.append(town.now)
                town.publish("nantes", "Claire Vasseur", audience="me")
                town.work_at("nantes")
            town.later(seconds=9)
            return page("rubbish", more=True, following=f"f.{n + 1}", epoch="f", first=n + 1)

        town.network.instead.update({name: numbered(and_nantes_withdraws) for name in hostile})
        town.later(minutes=10)
        while not moments:
            next_job(town)
        next_job(town)
        assert "Claire Vasseur" not in town.held("lyon")
        assert town.now - moments[0] < timedelta(seconds=TURN_SECONDS + TOTAL_SECONDS)
    finally:
        town.close()


def test_a_feed_that_goes_on_and_on_is_read_once_in_a_round(town):
    town.network.instead["mallory"] = numbered(
        lambda n: page("rubbish", more=True, following=f"e.{n + 1}", first=n + 1)
    )
    del town.network.requests[:]
    for rounds in (1, 2):
        town.work_at("lyon")
        assert town.network.requests.count(("GET", "mallory", FEED)) == rounds * PAGES_PER_PULL
        town.later(seconds=2)


def test_one_turn_ends_after_its_time_and_the_request_that_was_begun(town):
    town.network.instead["mallory"] = dripping(town, 9)
    with town.at("lyon") as session:
        peer = town.peer_in(session, "mallory")
        begun = town.now
        mine = turn.Turn(town.network, lambda: town.now.timestamp())
        assert pull(session, peer, mine, town.identity("lyon"), begun).more is True
    assert (town.now - begun).total_seconds() < TURN_SECONDS + TOTAL_SECONDS


# --- what is kept of it


class Signer:
    """Signs whatever Mallory wants to have said."""

    def __init__(self, town):
        self.town = town
        self.key = town.identity("mallory").operational_key

    def profile(self, ref, revision=1, **changed):
        now = int(self.town.now.timestamp())
        claims = {
            "iss": MALLORY, "sub": f"{MALLORY}/m/{ref}", "rev": revision, "aud": "peers",
            "iat": now, "exp": now + 86_400 * 300, "consent_at": now, "name": ref,
        }  # fmt: skip
        return signing.sign(claims | changed, self.key, Profile.typ)

    def withdrawal(self, ref, revision=2):
        now = int(self.town.now.timestamp())
        claims = {
            "iss": MALLORY, "sub": f"{MALLORY}/m/{ref}", "rev": revision, "iat": now,
            "exp": now + 86_400 * 300, "reason": "left",
        }  # fmt: skip
        return signing.sign(claims, self.key, Withdrawal.typ)


@pytest.fixture
def signer(town):
    return Signer(town)


def stored(town, table):
    with town.at("lyon") as session:
        peer = town.peer_in(session, "mallory").id
        return session.scalar(select(func.count()).select_from(table).filter_by(peer_id=peer))


def told(town, code):
    with town.at("lyon") as session:
        return list(session.scalars(select(JournalEntry.detail).filter_by(code=code)))


def read_from(town, *pages):
    """Let Lyon read these pages of Mallory as one pull; returns what was refused, by reference."""
    last = len(pages) - 1
    answers = [
        page(*jws, first=100 * at + 1, following=f"e.{at + 1}", more=at < last)
        for at, jws in enumerate(pages)
    ]
    town.network.instead["mallory"] = feed(*answers)
    with town.at("lyon") as session:
        peer = town.peer_in(session, "mallory")
        peer.cursor = peer.feed_etag = ""
        found = pull(session, peer, town.network, town.identity("lyon"), town.now)
    return [(code, subject.rpartition("/")[2]) for code, subject in found.refused]


def test_withdrawals_without_number_are_forgotten_and_no_replay_gains_by_it(
    town, signer, monkeypatch
):
    for module in (copies, intake):
        monkeypatch.setattr(module, "PEER_WITHDRAWALS", 250)
    early = {ref: signer.profile(ref) for ref in ("n5", "stays", "returns")}
    read_from(town, [early["stays"], early["returns"]])
    read_from(town, [signer.withdrawal("returns")])
    town.later(minutes=1)
    made = (signer.withdrawal(f"n{number}") for number in count())
    for _ in range(2):
        read_from(town, *[[next(made) for _ in range(100)] for _ in range(5)])
        assert stored(town, MirroredWithdrawal) == 250
    assert told(town, "too-many-withdrawals") == [
        "more than 250 withdrawals: the oldest are forgotten, and older profiles of people who are "
        "not held are refused"
    ]
    # A profile from before its forgotten withdrawal stays away; so does one whose withdrawal was
    # real; whom we hold may still be withdrawn, and who was never withdrawn is still welcome.
    assert read_from(town, [early["n5"], early["returns"]]) == [
        ("stale-rev", "n5"),
        ("stale-rev", "returns"),
    ]
    assert read_from(town, [signer.withdrawal("stays")]) == []
    town.later(seconds=CLOCK_SKEW.total_seconds() + 60)
    assert read_from(town, [signer.profile("fresh"), signer.profile("returns", 3)]) == []
    assert {"fresh", "returns"} <= town.held("lyon")
    assert not {"stays", "n5"} & town.held("lyon")


def test_more_profiles_than_a_directory_has_are_refused_and_those_held_stay(
    town, signer, monkeypatch
):
    already = stored(town, MirroredProfile)
    monkeypatch.setattr("app.exchange.pull.PEER_PROFILES", already + 2)
    first = [signer.profile(f"p{number}") for number in range(4)]
    assert read_from(town, first[:3], first[3:]) == [("too-large", "p2"), ("too-large", "p3")]
    assert {"p0", "p1", "Mona Held"} <= town.held("lyon")
    # A change of who is held needs no room, and a withdrawal makes some.
    changes = [signer.profile("p0", 2, name="p0 again"), signer.withdrawal("p1"), first[2]]
    assert read_from(town, changes) == []
    assert town.held("lyon") & {"p0 again", "p1", "p2"} == {"p0 again", "p2"}


def test_a_feed_longer_than_any_directory_is_given_up_until_it_ends(town, signer, monkeypatch):
    monkeypatch.setattr("app.exchange.pull.FEED_RECORDS", 30)
    town.network.instead["mallory"] = numbered(
        lambda n: page("rubbish", more=True, following=f"e.{n + 1}", first=n + 1)
    )
    del town.network.requests[:]
    with town.at("lyon") as session:
        peer = town.peer_in(session, "mallory")
        for _ in range(3):
            with pytest.raises(EndlessFeedError):
                pull(session, peer, town.network, town.identity("lyon"), town.now)
    asked = [path for _, name, path in town.network.requests if name == "mallory"]
    assert asked.count(FEED) < PAGES_PER_PULL
    assert town.peer("lyon", "mallory", "last_error_text") == CIRCLES
    assert read_from(town, [signer.profile("ended")]) == []
    assert town.peer("lyon", "mallory", "since_end", "last_error_text") == (0, "")


def test_a_thousand_refusals_are_few_lines_and_push_no_other_evidence_away(town):
    before = len(told(town, "invalid-document"))
    for hour in range(20):
        read_from(town, *[[f"rubbish {hour} {n} {at}" for at in range(50)] for n in range(2)])
    lines = told(town, "invalid-document")[before:]
    assert len(lines) == 26
    assert lines[-1] == "further ones of this hour are not written down"
    town.later(hours=2)
    read_from(town, ["rubbish once more"])
    assert len(told(town, "invalid-document")) == before + 27


def test_ending_with_a_hostile_space_leaves_nothing_of_it(town):
    town.decide(peers.end, "lyon", "mallory")
    assert (stored(town, MirroredProfile), stored(town, MirroredWithdrawal)) == (0, 0)
    columns = ("since_end", "forgotten_until", "cursor", "held_seq")
    assert town.peer("lyon", "mallory", *columns) == (0, None, "", 0)
