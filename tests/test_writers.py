"""Whoever writes is alone with it, whoever reads waits for nobody: on every database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.models.account import Account, LinkNotValidError, issue_link, spend_link
from app.models.engine import open_engine, reading
from app.models.member import Member
from tests.databases import databases

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)


@pytest.fixture
def engine(tmp_path):
    engine = open_engine(databases.migrated(tmp_path))
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO feed_state (id, epoch, seq) VALUES (1, 'a', 0)"))
    yield engine
    engine.dispose()


def seq(connection):
    return connection.scalar(text("SELECT seq FROM feed_state"))


def test_two_writers_never_lose_each_others_work(engine):
    """Both read, then both write: by default the second overwrites what the first wrote."""

    def add_one(_):
        with engine.begin() as connection:
            held = seq(connection)
            connection.execute(text("UPDATE feed_state SET seq = :seq"), {"seq": held + 1})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add_one, range(200)))
    with engine.connect() as connection:
        assert seq(connection) == 200


def test_a_reader_waits_for_no_writer_and_sees_one_moment_to_the_end(engine):
    with reading(), engine.connect() as reader:
        assert seq(reader) == 0
        with ThreadPoolExecutor(1) as pool:
            # Another thread: it has not announced that it reads.
            pool.submit(write, engine, 7).result()
        assert seq(reader) == 0
    with reading(), engine.connect() as later:
        assert seq(later) == 7


def test_a_reader_begins_while_somebody_is_writing(engine):
    with engine.begin() as writer:
        writer.execute(text("UPDATE feed_state SET seq = 7"))
        with reading(), engine.connect() as reader:
            assert seq(reader) == 0


def write(engine, number):
    with engine.begin() as connection:
        connection.execute(text("UPDATE feed_state SET seq = :seq"), {"seq": number})


def test_a_link_that_is_opened_eight_times_at_once_lets_in_once(engine):
    with Session(engine) as session:
        member = Member(name="Maud", created_at=NOW, updated_at=NOW)
        account = Account(email="maud@legoff.example", member=member, created_at=NOW)
        session.add(account)
        secret = issue_link(session, account, NOW)
        session.commit()
    together = Barrier(8)

    def click(_):
        together.wait()
        with Session(engine) as session:
            try:
                spend_link(session, secret, NOW)
            except LinkNotValidError as error:
                return error.reason
            session.commit()
            return "in"

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(click, range(8)))
    assert sorted(answers) == ["in", *["used"] * 7]
