"""What is told to us by machines: refused when anything about it is wrong, and never a stranger's
errand."""

from __future__ import annotations

from io import RawIOBase

import pytest
from sqlalchemy import delete, select

from app.exchange import outbox, peers
from app.exchange.work import MESSAGE_ATTEMPTS
from app.models.feed import PeerAck, Receipt
from app.models.job import Job
from app.models.journal import JournalEntry
from app.models.peer import Peer
from app.wire.messages import PULL_REST
from federation import tree
from federation.keys import new_key
from federation.limits import JWS_BYTES
from tests.wire.conftest import NANTES, problem

PEERING, NOTIFY, ACK = "/federation/v1/peering", "/federation/v1/notify", "/federation/v1/ack"
JWT = "application/jwt"


def post(client, path, body, content_type=JWT):
    return client.post(path, data=body, content_type=content_type)


def jobs(town, kind):
    with town.at("nantes") as session:
        return [job.key for job in session.scalars(select(Job).filter_by(kind=kind))]


# --- before anything is read


@pytest.mark.parametrize("path", [PEERING, NOTIFY, ACK])
@pytest.mark.parametrize(
    "media_type", ["application/json", "text/plain", "application/jwt; charset=utf-8", "", "a"]
)
def test_any_other_media_type_is_refused(town, nantes, letters, path, media_type):
    answer = post(nantes, path, letters.notice(), media_type)
    assert problem(answer) == (415, "invalid-document")


@pytest.mark.parametrize("path", [PEERING, NOTIFY, ACK])
def test_a_body_larger_than_a_document_is_refused(town, nantes, path):
    assert problem(post(nantes, path, b"a" * 30_000)) == (413, "too-large")


class Pouring(RawIOBase):
    """A body that goes on and on; it remembers how much of it was taken."""

    taken = 0

    def readable(self):
        return True

    def readinto(self, buffer):
        self.taken += len(buffer)
        assert self.taken < 20_000_000, "nobody puts an end to it"
        buffer[:] = b"a" * len(buffer)
        return len(buffer)


@pytest.mark.parametrize(
    "announced",
    [
        {"CONTENT_LENGTH": "10000000"},
        {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True},
    ],
    ids=["announced", "never announced"],
)
@pytest.mark.parametrize("path", [PEERING, NOTIFY, ACK])
def test_of_a_body_that_goes_on_no_more_is_read_than_a_document_may_have(
    town, nantes, path, announced
):
    """R10: counted as it comes, not once it is here."""
    body = Pouring()
    poured = {"wsgi.input": body, **announced}
    answer = nantes.post(path, content_type=JWT, environ_overrides=poured)
    assert problem(answer) == (413, "too-large")
    assert body.taken <= JWS_BYTES + 64 * 1024


@pytest.mark.parametrize("path", [PEERING, NOTIFY, ACK])
@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"\xff\xfe", b"a.b.c", b"..", b"e30.e30.e30", b"null", b"a" * 20_000],
    ids=["empty", "json", "binary", "letters", "dots", "braces", "null", "long"],
)
def test_what_is_no_signed_document_is_refused(neighbours, nantes, path, body):
    status, told = problem(post(nantes, path, body))
    assert (status, told) in ((400, "invalid-document"), (413, "too-large"))


def test_an_unsigned_document_is_refused(neighbours, nantes, letters):
    header, payload, signature = letters.notice().split(".")
    for forged in (f"{header}.{payload}.", f"{header}.{payload}.{'A' * 86}"):
        assert problem(post(nantes, NOTIFY, forged)) == (400, "invalid-document")


@pytest.mark.parametrize(("path", "kind"), [(NOTIFY, "ack"), (ACK, "notice"), (PEERING, "notice")])
def test_a_document_of_another_kind_is_refused(neighbours, nantes, letters, path, kind):
    answer = post(nantes, path, getattr(letters, kind)())
    assert problem(answer) == (400, "invalid-document")


@pytest.mark.parametrize(("path", "kind"), [(NOTIFY, "notice"), (ACK, "ack")])
def test_a_document_by_somebody_elses_key_is_refused(neighbours, nantes, letters, path, kind):
    answer = post(nantes, path, getattr(letters, kind)(key=new_key()))
    assert problem(answer) == (401, "key-unknown")


@pytest.mark.parametrize(
    ("path", "kind"), [(NOTIFY, "notice"), (ACK, "ack"), (PEERING, "statement")]
)
def test_a_document_for_another_space_is_refused(neighbours, nantes, letters, path, kind):
    answer = post(nantes, path, getattr(letters, kind)(aud="https://paris.example"))
    assert problem(answer) == (403, "wrong-audience")


@pytest.mark.parametrize(("path", "kind"), [(NOTIFY, "notice"), (ACK, "ack")])
def test_a_document_of_a_stranger_is_refused_and_causes_no_visit(
    neighbours, nantes, letters, path, kind
):
    del neighbours.network.requests[:]
    token = getattr(letters, kind)(iss="https://stranger.example")
    assert problem(post(nantes, path, token)) == (403, "unknown-issuer")
    neighbours.work_at("nantes")
    assert neighbours.network.requests == []


# --- notices


def test_a_notice_makes_the_next_pull_due(neighbours, nantes, letters):
    neighbours.later(minutes=5)
    assert post(nantes, NOTIFY, letters.notice()).status_code == 202
    assert neighbours.peer("nantes", "lyon", "next_pull_at") > neighbours.now
    with neighbours.at("nantes") as session:
        job = session.scalars(select(Job).filter_by(kind=outbox.PULL)).one()
        assert job.due_at == neighbours.now


def test_a_hundred_notices_are_one_pull(neighbours, nantes, letters):
    for _ in range(100):
        post(nantes, NOTIFY, letters.notice())
    assert len(jobs(neighbours, outbox.PULL)) == 1


def test_notices_one_after_the_other_do_not_make_us_ask_without_a_pause(
    neighbours, nantes, letters
):
    """R14: who was read a moment ago is read again after a rest, whatever it says."""
    with neighbours.at("nantes") as session:
        session.execute(delete(Job).filter_by(kind=outbox.PULL))
        neighbours.peer_in(session, "lyon").last_success_at = neighbours.now
        session.commit()
    assert post(nantes, NOTIFY, letters.notice()).status_code == 202
    with neighbours.at("nantes") as session:
        job = session.scalars(select(Job).filter_by(kind=outbox.PULL)).one()
        assert job.due_at == neighbours.now + PULL_REST


def test_a_notice_of_what_we_know_causes_no_pull(neighbours, nantes, letters):
    epoch, seq = neighbours.peer("nantes", "lyon", "epoch", "their_seq")
    neighbours.later(minutes=5)
    assert post(nantes, NOTIFY, letters.notice(epoch=epoch, seq=seq)).status_code == 202
    with neighbours.at("nantes") as session:
        job = session.scalars(select(Job).filter_by(kind=outbox.PULL)).one()
        assert job.due_at > neighbours.now


def test_a_notice_of_a_suspended_neighbour_is_refused(neighbours, nantes, letters):
    neighbours.decide(peers.suspend, "nantes", "lyon")
    assert problem(post(nantes, NOTIFY, letters.notice())) == (403, "suspended")


# --- acknowledgements


def kept_ack(town):
    with town.at("nantes") as session:
        return session.scalars(select(PeerAck)).one().jws


@pytest.mark.parametrize(
    "claims",
    [
        {"root": "0" * 64},
        {"seq": 99},
        {"seq": 0},
        {"epoch": "another"},
        {"count": 7},
        {"view": "public"},
        {"root": tree.EMPTY_ROOT.hex()},
    ],
    ids=lambda claims: next(iter(claims)),
)
def test_an_acknowledgement_of_what_we_never_signed_is_refused_and_journalled(
    neighbours, nantes, letters, claims
):
    before = kept_ack(neighbours)
    token = letters.ack(**claims)
    assert problem(post(nantes, ACK, token)) == (400, "invalid-document")
    assert kept_ack(neighbours) == before
    with neighbours.at("nantes") as session:
        line = session.scalars(select(JournalEntry).filter_by(kind="refusal")).one()
        assert (line.code, line.evidence, line.peer.name) == ("unknown-checkpoint", token, "Lyon")


def test_an_acknowledgement_is_kept_as_signed(neighbours, nantes, letters):
    neighbours.later(minutes=1)
    token = letters.ack()
    assert post(nantes, ACK, token).status_code == 202
    assert kept_ack(neighbours) == token


def test_an_older_acknowledgement_does_not_replace_a_newer_one(neighbours, nantes, letters):
    earlier = letters.ack()
    neighbours.publish("nantes", "Gwen Le Bihan")
    neighbours.work()
    newer = letters.ack()
    post(nantes, ACK, newer)
    post(nantes, ACK, earlier)
    assert kept_ack(neighbours) == newer


def confirmed(town):
    with town.at("nantes") as session:
        return [receipt.jws for receipt in session.scalars(select(Receipt))]


def test_an_acknowledgement_is_the_receipt_of_what_it_covers_and_of_nothing_later(
    neighbours, nantes, letters
):
    earlier = letters.ack()
    emptied = letters.ack(root=tree.EMPTY_ROOT.hex(), count=0)
    neighbours.later(minutes=1)
    neighbours.publish("nantes", "Claire Vasseur", audience="me")
    neighbours.work_at("nantes")
    for token in (earlier, emptied):
        assert post(nantes, ACK, token).status_code == 202
        assert confirmed(neighbours) == [""]
    later = letters.ack()
    assert post(nantes, ACK, later).status_code == 202
    assert confirmed(neighbours) == [later]


def test_the_empty_root_is_heard_from_a_space_that_holds_nothing_any_more(
    neighbours, nantes, letters
):
    token = letters.ack(root=tree.EMPTY_ROOT.hex(), count=0, epoch="long ago")
    assert post(nantes, ACK, token).status_code == 202
    assert kept_ack(neighbours) == token


# --- statements


def test_a_statement_by_another_root_key_is_refused_kept_and_their_plate_is_read(
    neighbours, nantes, letters
):
    answer = post(nantes, PEERING, letters.statement(key=new_key(), state="ended"))
    assert problem(answer) == (401, "key-unknown")
    assert neighbours.stands("nantes", "lyon") == ("approved", "approved")
    assert neighbours.journal("nantes", "refusal") == ["key-unknown"]
    assert len(jobs(neighbours, outbox.ENTITY)) == 1


def test_a_statement_by_the_operational_key_is_refused(neighbours, nantes, letters):
    answer = post(nantes, PEERING, letters.statement(key=letters.key, state="ended"))
    assert problem(answer) == (401, "key-unknown")


def test_a_replayed_statement_changes_nothing(neighbours, nantes, letters):
    suspended = letters.statement(state="suspended")
    post(nantes, PEERING, suspended)
    later = letters.statement(state="approved", n=2_000_000_000)
    post(nantes, PEERING, later)
    assert post(nantes, PEERING, suspended).status_code == 202
    assert neighbours.stands("nantes", "lyon") == ("approved", "approved")


def test_a_statement_in_our_own_name_is_refused(town, nantes, letters):
    assert problem(post(nantes, PEERING, letters.statement(iss=NANTES))) == (403, "unknown-issuer")


def test_a_blocked_space_is_neither_heard_nor_told_so(neighbours, nantes, letters):
    neighbours.decide(peers.block, "nantes", "lyon")
    assert post(nantes, PEERING, letters.statement(n=2_000_000_000)).status_code == 202
    assert neighbours.stands("nantes", "lyon")[0] == "blocked"


def test_a_declined_space_that_takes_its_word_back_and_asks_anew_stays_declined(
    town, nantes, letters
):
    post(nantes, PEERING, letters.statement())
    town.work_at("nantes")
    town.decide(peers.decline, "nantes", "lyon")
    for number, state in enumerate(("ended", "approved")):
        post(nantes, PEERING, letters.statement(state=state, n=2_000_000_000 + number))
    assert town.stands("nantes", "lyon") == ("ended", "approved")


# --- strangers who knock


def test_a_stranger_is_put_aside_and_looked_at_later(town, nantes, letters):
    assert post(nantes, PEERING, letters.statement()).status_code == 202
    assert town.network.requests == []
    with town.at("nantes") as session:
        assert session.scalars(select(Peer)).all() == []
    town.work_at("nantes")
    assert town.stands("nantes", "lyon") == ("requested", "approved")


def test_a_stranger_who_knocks_ten_times_is_visited_once(town, nantes, letters):
    for _ in range(10):
        post(nantes, PEERING, letters.statement())
    town.work_at("nantes")
    visits = [path for _, name, path in town.network.requests if name == "lyon"]
    assert visits == ["/.well-known/openid-federation"]


def test_whoever_knocks_on_and_on_aims_no_visits_at_a_door_that_does_not_answer(
    town, nantes, letters
):
    town.cut("lyon")
    post(nantes, PEERING, letters.statement())
    for _ in range(3):
        town.work_at("nantes")
        assert post(nantes, PEERING, letters.statement()).status_code == 202
    assert [name for _, name, _ in town.network.requests] == ["lyon"]


def test_a_door_that_never_answers_is_given_up_and_not_looked_for_again_within_the_hour(
    town, nantes, letters
):
    town.cut("lyon")
    post(nantes, PEERING, letters.statement())
    for _ in range(MESSAGE_ATTEMPTS + 2):
        town.work_at("nantes")
        town.later(minutes=5)
    assert [name for _, name, _ in town.network.requests] == ["lyon"] * MESSAGE_ATTEMPTS
    answer = post(nantes, PEERING, letters.statement())
    assert problem(answer) == (429, "rate-limited")
    town.later(hours=1)
    assert post(nantes, PEERING, letters.statement()).status_code == 202


def test_a_knock_in_the_name_of_another_space_never_reaches_the_admin(town, nantes, letters):
    post(nantes, PEERING, letters.statement(key=new_key()))
    town.work_at("nantes")
    with town.at("nantes") as session:
        assert session.scalars(select(Peer)).all() == []
    assert town.journal("nantes", "refusal") == ["key-unknown"]
    answer = post(nantes, PEERING, letters.statement(key=new_key()))
    assert problem(answer) == (429, "rate-limited")


@pytest.mark.parametrize(
    "issuer",
    [
        "http://lyon.example",
        "https://127.0.0.1",
        "https://localhost:8101",
        "https://10.0.0.1",
        "https://lyon.example/?x",
        "https://Lyon.example",
        "ftp://lyon.example",
        "https://a@lyon.example",
    ],
)
def test_a_knock_from_an_address_that_no_space_can_have_is_refused(town, nantes, letters, issuer):
    answer = post(nantes, PEERING, letters.statement(iss=issuer))
    assert problem(answer) == (400, "invalid-document")
    assert jobs(town, outbox.KNOCK) == []


def test_one_domain_may_not_fill_the_hall(town, nantes, letters):
    answers = [
        post(nantes, PEERING, letters.statement(iss=f"https://space{number}.crowd.example"))
        for number in range(4)
    ]
    assert [answer.status_code for answer in answers] == [202, 202, 202, 429]
    assert post(nantes, PEERING, letters.statement()).status_code == 202


def test_the_hall_holds_a_hundred(town, nantes, letters):
    for number in range(100):
        post(nantes, PEERING, letters.statement(iss=f"https://space.city{number}.example"))
    answer = post(nantes, PEERING, letters.statement())
    assert problem(answer) == (429, "rate-limited")
    assert answer.headers["Retry-After"] == "3600"


def test_a_request_that_nobody_answers_fades_after_a_month(town, nantes, letters):
    post(nantes, PEERING, letters.statement())
    town.work_at("nantes")
    town.later(days=31)
    town.work_at("nantes")
    with town.at("nantes") as session:
        assert session.scalars(select(Peer)).all() == []
