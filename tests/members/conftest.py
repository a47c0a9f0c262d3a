"""A directory that lists can be loaded into, without pages and without commands."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from app.exchange.identity import Identity, create_keys, load_identity
from app.members import export, reading
from app.members.load import load
from app.members.plan import Plan, plan
from app.models.base import new_id
from app.models.engine import open_engine
from app.models.feed import FeedEntry, FeedState
from app.models.member import Member
from tests.databases import databases

FIXTURES = Path(__file__).parent.parent / "fixtures" / "members"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@dataclass
class Directory:
    """A space's members, and a clock that the test moves."""

    session: Session
    identity: Identity
    now: datetime = NOON
    written: Counter[str] = field(default_factory=Counter)
    """Statements that wrote, by their first word, since the last :meth:`load`."""

    def look(self, source, *, publish=False, **mapping) -> Plan:
        """Plan to load ``source`` (a fixture's name, text, bytes, or rows) and change nothing."""
        listing = self._read(source, mapping)
        return plan(self.session, listing, self.identity, self.now, publish=publish)

    def load(self, source, *, publish=False, **mapping) -> Plan:
        """Load ``source`` an hour after whatever happened before."""
        self.now += timedelta(hours=1)
        planned = self.look(source, publish=publish, **mapping)
        self.written.clear()
        load(self.session, planned, self.identity, self.now)
        self.session.commit()
        return planned

    def _read(self, source, mapping):
        if isinstance(source, Path):
            return reading.read_file(source, self.now.date(), mapping)
        if isinstance(source, list):
            source = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in source)
        data = source.encode() if isinstance(source, str) else source
        return reading.read(data, self.now.date(), mapping)

    def __getitem__(self, name: str) -> Member:
        return self.session.scalars(select(Member).filter_by(name=name)).one()

    @property
    def names(self) -> list[str]:
        return [member.name for member in export.current_members(self.session)]

    @property
    def jsonl(self) -> str:
        return "".join(export.as_jsonl(self.session, export.current_members(self.session)))

    @property
    def csv(self) -> str:
        return "".join(export.as_csv(export.current_members(self.session)))

    def published(self) -> dict[str, str]:
        """Return what peers can read: kind of document by member's name."""
        rows = self.session.execute(
            select(Member.name, FeedEntry.kind).join(FeedEntry, FeedEntry.member_id == Member.id)
        )
        return {name: kind for name, kind in rows}


@pytest.fixture
def directory(tmp_path):
    create_keys(tmp_path / "keys")
    engine = open_engine(databases.migrated(tmp_path))
    with Session(engine) as session:
        session.add(FeedState(id=1, epoch=new_id(), seq=0))
        session.commit()
        there = Directory(session, load_identity(tmp_path / "keys", "https://lepalier.example"))

        @event.listens_for(engine, "before_cursor_execute")
        def count(_connection, _cursor, statement, *_rest):
            word = statement.split(None, 1)[0].upper()
            if word in ("INSERT", "UPDATE", "DELETE"):
                there.written[word] += 1

        yield there
    engine.dispose()
