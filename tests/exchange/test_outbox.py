"""What is to be done later: asked for once or twice, done by one worker at a time, never lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.exchange import outbox
from app.exchange.jobs import WORK, Round
from app.exchange.work import perform
from app.models.engine import open_engine
from app.models.job import Job
from app.models.peer import Peer
from tests.databases import databases

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def engine(tmp_path):
    engine = open_engine(databases.migrated(tmp_path))
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine):
    with Session(engine) as session:
        yield session


def ask(session, key="", now=NOW, kind="pull", **given):
    outbox.request(session, kind, key, now, **given)
    session.commit()


def waiting(session):
    session.expire_all()
    return {job.key: (job.due_at, job.leased_until) for job in session.scalars(select(Job))}


def test_asking_twice_is_asking_once(session):
    ask(session, "1")
    ask(session, "1")
    assert waiting(session) == {"1": (NOW, None)}


def test_asking_again_makes_it_due_earlier_and_never_later(session):
    ask(session, "1", due_at=LATER)
    ask(session, "1")
    ask(session, "1", due_at=LATER)
    assert waiting(session) == {"1": (NOW, None)}


def test_nothing_is_taken_before_it_is_due(session):
    ask(session, "1", due_at=LATER)
    assert outbox.claim(session, NOW) is None
    assert outbox.claim(session, LATER).key == "1"


def test_what_was_due_longest_is_taken_first(session):
    ask(session, "second")
    ask(session, "first", due_at=NOW - timedelta(minutes=1))
    assert [outbox.claim(session, NOW).key for _ in range(2)] == ["first", "second"]


def test_what_somebody_waits_for_is_taken_before_what_is_merely_due(session):
    ask(session, "read", due_at=NOW - timedelta(minutes=1))
    ask(session, "tell", kind="notice")
    assert [outbox.claim(session, NOW).key for _ in range(2)] == ["tell", "read"]


def neighbour(session, name, behind_until=None):
    peer = Peer(url=f"https://{name}.example", created_at=NOW, behind_until=behind_until)
    session.add(peer)
    session.flush()
    return {"peer_id": peer.id}


def test_who_took_long_and_strangers_come_after_everybody_however_urgent_they_are(session):
    slow = neighbour(session, "slow", NOW + timedelta(minutes=1))
    better = neighbour(session, "better", NOW)
    ask(session, "https://stranger.example", kind="knock", due_at=NOW - timedelta(hours=2))
    ask(session, "slow", kind="notice", due_at=NOW - timedelta(hours=1), **slow)
    ask(session, "better", due_at=NOW - timedelta(seconds=1), **better)
    ask(session, "", kind="renew")
    taken = [outbox.claim(session, NOW).kind for _ in range(4)]
    assert taken == ["pull", "renew", "notice", "knock"]


def test_a_job_in_somebodys_hands_is_not_taken_by_another(session):
    ask(session, "1")
    assert outbox.claim(session, NOW) is not None
    assert outbox.claim(session, NOW) is None
    assert outbox.claim_one(session, "pull", "1", NOW) is None


def test_what_a_killed_worker_held_is_taken_again_when_its_lease_has_run_out(session):
    ask(session, "1")
    outbox.claim(session, NOW)
    assert outbox.claim(session, NOW + outbox.LEASE - timedelta(seconds=1)) is None
    again = outbox.claim(session, NOW + outbox.LEASE)
    assert (again.key, again.attempts) == ("1", 2)


def test_eight_workers_never_do_the_same_job(engine, session):
    for number in range(60):
        ask(session, str(number))

    def work(_):
        done = []
        with Session(engine) as own:
            while (held := outbox.claim(own, NOW)) is not None:
                done.append(held.key)
                outbox.finish(own, held)
                own.commit()
        return done

    with ThreadPoolExecutor(8) as pool:
        done = [key for part in pool.map(work, range(8)) for key in part]
    assert sorted(done, key=int) == [str(number) for number in range(60)]
    assert waiting(session) == {}


def test_a_finished_job_is_forgotten_or_comes_again_when_it_should(session):
    ask(session, "once")
    ask(session, "hourly")
    for _ in range(2):
        held = outbox.claim(session, NOW)
        assert outbox.finish(session, held, next_due=LATER if held.key == "hourly" else None)
        session.commit()
    assert waiting(session) == {"hourly": (LATER, None)}


def test_what_was_asked_for_during_the_work_is_done_once_more(session):
    ask(session, "1")
    held = outbox.claim(session, NOW)
    ask(session, "1")
    assert outbox.finish(session, held, next_due=LATER)
    session.commit()
    assert waiting(session) == {"1": (NOW, None)}


def test_a_worker_that_overslept_its_lease_does_not_end_the_job_of_another(session):
    ask(session, "1")
    slow = outbox.claim(session, NOW)
    quick = outbox.claim(session, NOW + outbox.LEASE)
    assert outbox.finish(session, slow) is False
    session.commit()
    assert waiting(session) == {"1": (NOW, quick.leased_until)}


def test_a_job_that_meets_a_bug_of_ours_is_given_back_and_waits_its_turn(session, monkeypatch):
    def stumble(_round, _held):
        raise ZeroDivisionError("a bug")

    monkeypatch.setitem(WORK, outbox.LAG, stumble)
    ask(session, kind=outbox.LAG)
    held = outbox.claim(session, NOW)
    with pytest.raises(ZeroDivisionError):
        perform(Round(session, None, None, NOW), held)
    session.rollback()
    [(due_at, leased_until)] = waiting(session).values()
    assert leased_until is None
    assert due_at > NOW
    assert session.scalars(select(Job.last_error)).one() == "ZeroDivisionError: a bug"


def test_a_failed_job_waits_longer_each_time_but_never_more_than_a_day(session):
    ask(session, "1")
    waits, now = [], NOW
    for _ in range(14):
        held = outbox.claim(session, now)
        again = outbox.fail(session, held, now, "no answer")
        session.commit()
        waits.append(again - now)
        now = again
    assert waits[0] <= outbox.FIRST_WAIT
    assert all(wait <= outbox.LONGEST_WAIT for wait in waits)
    assert waits[-1] >= outbox.LONGEST_WAIT * (1 - outbox.JITTER)


def test_a_failed_job_waits_as_long_as_the_other_side_asked(session):
    ask(session, "1")
    held = outbox.claim(session, NOW)
    again = outbox.fail(session, held, NOW, "busy", at_least=timedelta(hours=2))
    assert again == NOW + timedelta(hours=2)
    held = outbox.claim(session, again)
    ask(session, "1", now=again)
    soon = outbox.fail(session, held, again, "busy", at_least=timedelta(hours=2))
    assert soon == again + timedelta(hours=2)


def test_news_about_a_failing_job_is_heard_soon(session):
    ask(session, "1")
    now = NOW
    for _ in range(10):
        held = outbox.claim(session, now)
        now = outbox.fail(session, held, now, "no answer")
        session.commit()
    held = outbox.claim(session, now)
    ask(session, "1", now=now)
    assert outbox.fail(session, held, now, "no answer") - now <= outbox.FIRST_WAIT


def test_the_worker_knows_when_to_look_again(session):
    assert outbox.next_due(session) is None
    ask(session, "1", due_at=LATER)
    assert outbox.next_due(session) == LATER
    ask(session, "2")
    assert outbox.next_due(session) == NOW
    outbox.claim(session, NOW)
    assert outbox.next_due(session) == NOW + outbox.LEASE
