"""What a service costs, as bands that people choose from.

Rates are compared only with rates of the same currency and the same unit. Nothing is converted: a
day is not eight hours for everybody, and a rate of exchange would be out of date tomorrow. A fixed
price is for one thing and says nothing beside another's, so it falls into no band.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from app.models.member import DAY, HOUR

#: Where bands begin, in whole units of most currencies.
BEGINNINGS = {HOUR: (0, 30, 60, 90, 120), DAY: (0, 250, 500, 750, 1000)}
#: Currencies whose unit buys less, by how much; roughly, so that bands hold people there too.
SMALLER = {"CZK": 25, "DKK": 10, "HUF": 400, "JPY": 150, "NOK": 10, "PLN": 4, "SEK": 10}

_WRITTEN = re.compile(r"([A-Z]{3})-(hour|day)-(0|[1-9][0-9]{0,5})")


@dataclass(frozen=True, slots=True)
class Band:
    """Rates from ``least`` up to, but not including, ``below``."""

    currency: str
    """ISO 4217."""

    unit: str
    """``hour`` or ``day``."""

    least: int
    below: int | None
    """None for the highest band, which has no end."""

    @classmethod
    def of(cls, amount: Decimal, currency: str, unit: str) -> Self | None:
        """Return the band that a rate falls into; None when it falls into none."""
        if unit not in BEGINNINGS or not re.fullmatch("[A-Z]{3}", currency) or amount < 0:
            return None
        return cls._beginning(
            max(one for one in beginnings(currency, unit) if one <= amount), currency, unit
        )

    @classmethod
    def read(cls, value: str) -> Self | None:
        """Return the band that a URL calls ``value``, such as ``EUR-hour-60``; None for none."""
        written = _WRITTEN.fullmatch(value)
        if written is None or int(written[3]) not in beginnings(written[1], written[2]):
            return None
        return cls._beginning(int(written[3]), written[1], written[2])

    @classmethod
    def _beginning(cls, least: int, currency: str, unit: str) -> Self:
        above = [one for one in beginnings(currency, unit) if one > least]
        return cls(currency, unit, least, min(above, default=None))

    def __str__(self) -> str:
        return f"{self.currency}-{self.unit}-{self.least}"


def beginnings(currency: str, unit: str) -> list[int]:
    """Return where the bands of a unit begin in a currency."""
    return [one * SMALLER.get(currency, 1) for one in BEGINNINGS[unit]]
