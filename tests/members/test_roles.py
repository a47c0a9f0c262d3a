"""Somebody always runs the space, whoever decides what in the same moment: on every database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.exchange.identity import create_keys, load_identity
from app.members import roles
from app.members.leaving import leave
from app.members.roles import LastAdminError, NoAdminError
from app.models.account import ADMIN, MEMBER, Account, account_of
from app.models.engine import open_engine
from app.models.journal import JournalEntry
from app.models.member import Member
from tests.databases import databases

NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)


@pytest.fixture
def engine(tmp_path):
    engine = open_engine(databases.migrated(tmp_path))
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO feed_state (id, epoch, seq) VALUES (1, 'a', 0)"))
    yield engine
    engine.dispose()


@pytest.fixture
def identity(tmp_path):
    create_keys(tmp_path / "keys")
    return load_identity(tmp_path / "keys", "https://lepalier.example")


def add(session, name, role=ADMIN, **given):
    member = Member(name=name, created_at=NOW, updated_at=NOW, left_at=given.pop("left_at", None))
    account = Account(email=f"{name}@x.example", role=role, member=member, created_at=NOW, **given)
    session.add(account)
    session.commit()
    return account


def admins(engine):
    with Session(engine) as session:
        found = session.scalars(select(Account.email).filter_by(role=ADMIN))
        return sorted(one.partition("@")[0] for one in found)


def at_once(engine, *decisions):
    """Let each decision be made in a thread of its own, in the same moment."""
    together = Barrier(len(decisions))

    def make(decide):
        together.wait()
        with Session(engine) as session:
            try:
                decide(session)
            except LastAdminError:
                return "refused"
            session.commit()
            return "done"

    with ThreadPoolExecutor(len(decisions)) as pool:
        return sorted(pool.map(make, decisions))


def taking(name, by):
    def take(session):
        roles.take(session, account_of(session, f"{name}@x.example"), by, NOW)

    return take


def leaving(name, identity):
    def go(session):
        leave(session, account_of(session, f"{name}@x.example"), identity, NOW)

    return go


def test_the_last_admin_stays_one_also_beside_those_who_cannot_come_in(engine):
    with Session(engine) as session:
        maud = add(session, "maud")
        add(session, "gone", left_at=NOW)
        add(session, "shut", banned_at=NOW)
        add(session, "ines", MEMBER)
        with pytest.raises(LastAdminError):
            roles.take(session, maud, "command", NOW)
    assert admins(engine) == ["gone", "maud", "shut"]


def test_two_admins_who_take_the_role_from_each_other_at_once_leave_one(engine):
    with Session(engine) as session:
        add(session, "maud")
        add(session, "ines")
    assert at_once(engine, taking("maud", "ines"), taking("ines", "maud")) == ["done", "refused"]
    assert len(admins(engine)) == 1


def test_two_admins_who_leave_at_once_leave_one(engine, identity):
    with Session(engine) as session:
        add(session, "maud")
        add(session, "ines")
    decisions = (leaving("maud", identity), leaving("ines", identity))
    assert at_once(engine, *decisions) == ["done", "refused"]
    assert len(admins(engine)) == 1


def test_one_who_leaves_and_one_who_is_made_a_member_at_once_leave_one(engine, identity):
    with Session(engine) as session:
        add(session, "maud")
        add(session, "ines")
    decisions = (leaving("maud", identity), taking("ines", "maud"))
    assert at_once(engine, *decisions) == ["done", "refused"]
    assert len(admins(engine)) == 1


@pytest.mark.parametrize("shut", [{"left_at": NOW}, {"banned_at": NOW}])
def test_nobody_becomes_an_admin_who_cannot_come_in(engine, shut):
    with Session(engine) as session:
        gone = add(session, "gone", MEMBER, **shut)
        with pytest.raises(NoAdminError):
            roles.give(session, gone, "command", NOW)
    assert admins(engine) == []


def test_the_role_is_given_and_taken_and_the_journal_says_by_whom(engine):
    with Session(engine) as session:
        maud, ines = add(session, "maud"), add(session, "ines", MEMBER)
        roles.give(session, ines, maud.ref, NOW)
        roles.take(session, maud, ines.ref, NOW)
        session.commit()
        lines = session.scalars(select(JournalEntry).order_by(JournalEntry.id)).all()
        assert [(line.code, line.actor, line.detail) for line in lines] == [
            ("account.admin", maud.ref, f"Account {ines.ref}."),
            ("account.member", ines.ref, f"Account {maud.ref}."),
        ]
    assert admins(engine) == ["ines"]
