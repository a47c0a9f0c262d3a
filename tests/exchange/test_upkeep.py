"""What others made us keep is swept away by the daily round, and by nothing that a peer does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.exchange import upkeep
from app.models.conversation import Introduced
from app.models.feed import FeedEntry, OwnCheckpoint
from app.models.job import SeenAssertion
from app.models.journal import JournalEntry, note
from app.models.peer import MirroredProfile, MirroredWithdrawal, Peer


def sweep(town, name="nantes"):
    with town.at(name) as session:
        upkeep.purge(session, town.identity(name), town.now)


def lines(town, name="nantes"):
    with town.at(name) as session:
        return list(session.scalars(select(JournalEntry.detail).order_by(JournalEntry.id)))


def test_many_refusals_push_out_the_oldest_refusals_and_no_decision(town, monkeypatch):
    """R20."""
    monkeypatch.setattr(upkeep, "JOURNAL_LINES", 3)
    with town.at("nantes") as session:
        note(session, town.now, "decision", "peer.ended", detail="decided")
        for number in range(5):
            note(session, town.now, "refusal", "stale-rev", detail=f"refused {number}")
            session.flush()
    sweep(town)
    assert lines(town) == ["decided", "refused 2", "refused 3", "refused 4"]


def test_the_journal_remembers_a_year(town):
    """R20."""
    with town.at("nantes") as session:
        note(session, town.now, "decision", "peer.ended", detail="decided")
    town.later(days=364)
    sweep(town)
    assert lines(town) == ["decided"]
    town.later(days=1)
    sweep(town)
    assert lines(town) == []


def test_what_was_used_or_counted_is_forgotten_when_it_has_reached_its_end(town):
    """R20: also when nobody comes again, at whose coming it would be."""
    with town.at("nantes") as session:
        session.add(SeenAssertion(jti="x", expires_at=town.now + timedelta(minutes=2)))
        session.add(Introduced(opened_by="x", wire_id="x", sender="x", at=town.now))
    sweep(town)
    with town.at("nantes") as session:
        assert session.scalars(select(SeenAssertion)).all() != []
        assert session.scalars(select(Introduced)).all() != []
    town.later(days=31)
    sweep(town)
    with town.at("nantes") as session:
        assert session.scalars(select(SeenAssertion)).all() == []
        assert session.scalars(select(Introduced)).all() == []


@pytest.mark.parametrize("stands", ["approved", "suspended"])
def test_a_copy_is_gone_at_its_end_although_its_space_is_not_heard_any_more(neighbours, stands):
    """R20: profiles, withdrawals and our own documents last as long as was signed."""
    neighbours.publish("nantes", "Gwen Le Bihan")
    neighbours.work()
    neighbours.publish("nantes", "Gwen Le Bihan", audience="me")
    neighbours.work()
    neighbours.cut("nantes")
    with neighbours.at("lyon") as session:
        session.execute(update(Peer).values(ours=stands, purge_at=None))
        kept = [*session.scalars(select(MirroredProfile)).all()]
        kept += session.scalars(select(MirroredWithdrawal)).all()
        assert len(kept) == 2
    neighbours.later(days=401)
    for name in ("lyon", "nantes"):
        sweep(neighbours, name)
    with neighbours.at("lyon") as session:
        assert session.scalars(select(MirroredProfile)).all() == []
        assert session.scalars(select(MirroredWithdrawal)).all() == []
    with neighbours.at("nantes") as session:
        assert session.scalars(select(FeedEntry).filter_by(kind="withdrawal")).all() == []


def test_our_past_checkpoints_are_kept_for_a_month_and_the_newest_for_ever(neighbours):
    """R20."""
    neighbours.publish("nantes", "Gwen Le Bihan")
    neighbours.work()

    def kept():
        with neighbours.at("nantes") as session:
            rows = select(OwnCheckpoint).filter_by(view="peers").order_by(OwnCheckpoint.id)
            return [row.seq for row in session.scalars(rows)]

    before = kept()
    assert len(before) > 1
    neighbours.later(days=29)
    sweep(neighbours)
    assert kept() == before
    neighbours.later(days=2)
    sweep(neighbours)
    assert kept() == before[-1:]
