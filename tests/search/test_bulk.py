"""Rows given to the driver as they are: kept as the mapper keeps them, on every database."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from sqlalchemy import insert, select, text

from app.models.peer import MirroredProfile
from app.search.bulk import insert_all

#: Half past midnight in Nantes, with a part of a second: kept in UTC.
LATE = datetime(2026, 7, 1, 0, 30, 15, 250_000, tzinfo=timezone(timedelta(hours=2)))


def row(town, subject):
    peer = town.neighbour("Le Palier")
    return {
        "peer_id": peer.id,
        "subject": subject,
        "revision": 2**52,
        "epoch": "e",
        "jws": "a.b.c",
        "digest": "0" * 64,
        "kid": "k",
        "public": True,
        "document": {"name": "Zoë \N{SNOWMAN}", "services": [{"rate": "45.50", "remote": True}]},
        "name": "Zoë",
        "issued_at": LATE,
        "expires_at": LATE + timedelta(days=90),
        "received_at": LATE,
    }


def test_a_profile_is_kept_as_the_mapper_keeps_it_to_the_letter(town):
    one = row(town, "one")
    two = one | {"subject": "two"}
    town.session.execute(insert(MirroredProfile), [one])
    insert_all(town.session.connection(), MirroredProfile.__table__, [two])
    insert_all(town.session.connection(), MirroredProfile.__table__, [])
    as_kept = text("SELECT * FROM mirrored_profile ORDER BY id")
    first, second = [
        {name: value for name, value in kept._mapping.items() if name not in ("id", "subject")}
        for kept in town.session.execute(as_kept)
    ]
    assert first == second
    read = town.session.scalars(select(MirroredProfile).filter_by(subject="two")).one()
    assert {name: getattr(read, name) for name in two} == two
    assert (read.photo, read.photo_claimed) == ("", "")
