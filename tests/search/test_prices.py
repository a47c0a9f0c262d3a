"""Bands of rates: which rate falls where, and what no rate is."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.search.prices import BEGINNINGS, SMALLER, Band


@pytest.mark.parametrize(
    "value",
    ["", "EUR", "EUR-hour", "EUR-hour-61", "eur-hour-60", "EUR-fixed-0", "EUR-hour-060",
     "EUR-hour--60", "EUR-hour-60 ", "EUR-hour-" + "9" * 5000, "EUR-hour-٦٠", "SEK-hour-60"],
)  # fmt: skip
def test_what_names_no_band_is_none(value):
    assert Band.read(value) is None


@pytest.mark.parametrize(
    ("amount", "currency", "unit"),
    [("50", "EUR", "fixed"), ("50", "EUR", "quote"), ("50", "", "hour"), ("-1", "EUR", "hour")],
)
def test_a_rate_that_compares_with_nothing_falls_into_no_band(amount, currency, unit):
    assert Band.of(Decimal(amount), currency, unit) is None


@pytest.mark.parametrize(
    ("amount", "currency", "unit", "band"),
    [
        ("0", "EUR", "hour", "EUR-hour-0"),
        ("29.99", "EUR", "hour", "EUR-hour-0"),
        ("30", "EUR", "hour", "EUR-hour-30"),
        ("75.50", "CHF", "hour", "CHF-hour-60"),
        ("99999999", "EUR", "hour", "EUR-hour-120"),
        ("650", "EUR", "day", "EUR-day-500"),
        ("650", "SEK", "hour", "SEK-hour-600"),
    ],
)
def test_each_rate_falls_into_one_band_of_its_currency_and_unit(amount, currency, unit, band):
    found = Band.of(Decimal(amount), currency, unit)
    assert str(found) == band
    assert Band.read(band) == found
    assert found.least <= Decimal(amount)
    assert found.below is None or Decimal(amount) < found.below


def test_every_band_ends_where_the_next_begins():
    for currency in ("EUR", *SMALLER):
        for unit, count in ((unit, len(of)) for unit, of in BEGINNINGS.items()):
            band, walked = Band.read(f"{currency}-{unit}-0"), 1
            while band.below is not None:
                band, walked = Band.read(f"{currency}-{unit}-{band.below}"), walked + 1
            assert walked == count
