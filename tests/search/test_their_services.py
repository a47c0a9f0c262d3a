"""What a neighbour leaves out of a service, and what we then show."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from app.models.peer import MirroredProfile, Peer
from app.search.cards import card_of_mirrored

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def shown():
    def shown(**claims):
        peer = Peer(url="https://lyon.example", name="La Navette", city="Lyon", enamel="blue")
        given = {"id": "1", "title": "Relecture", "mode": "paid", "rate": "80.00", **claims}
        row = MirroredProfile(
            peer=peer,
            subject="https://lyon.example/m/01J0",
            document={"name": "Aïcha", "services": [{"currency": "EUR", **given}]},
            issued_at=NOW,
            expires_at=NOW,
        )
        return card_of_mirrored(row, NOW).services[0]

    return shown


def test_a_rate_whose_unit_was_left_out_is_one_per_hour(shown):
    assert (shown().unit, shown(unit="day").unit) == ("hour", "day")


def test_a_unit_that_we_do_not_know_promises_no_price_per_anything(shown):
    assert shown(unit="fortnight").unit == "quote"


def test_a_rate_past_its_validity_is_not_shown(shown):
    assert shown(valid_until="2026-03-01").rate is None
    assert shown(valid_until=date(2026, 3, 2).isoformat()).rate is not None
