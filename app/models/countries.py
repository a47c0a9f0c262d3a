"""Which two letters are a country: the codes of ISO 3166-1, from the data of CLDR."""

from __future__ import annotations

from functools import lru_cache

from babel import Locale

#: Codes that CLDR adds to the countries of ISO 3166-1: unions, exclaves, and test regions.
_NO_COUNTRIES = frozenset(
    ("AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ")
)


@lru_cache(maxsize=1)
def country_codes() -> frozenset[str]:
    """Return every country there is (ISO 3166-1 alpha-2, upper case)."""
    codes = (str(code) for code in Locale("en").territories)
    return frozenset(code for code in codes if len(code) == 2 and code.isalpha()) - _NO_COUNTRIES
