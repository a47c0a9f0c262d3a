"""Founding a space: what is asked is checked as a whole, then written as a whole.

All problems are found before anything is written, so that an operator corrects them at once and
a mistyped address leaves no keys behind.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from babel import Locale
from babel.languages import get_official_languages
from sqlalchemy.orm import Session

from app.exchange.identity import create_keys
from app.models.base import new_id
from app.models.countries import country_codes
from app.models.feed import FeedState
from app.models.space import ENAMELS, Space
from app.search.cities import City, find_city
from app.search.index import ensure_current
from config.settings import Settings
from federation.errors import ForbiddenAddressError
from federation.identifiers import EntityId

NAME_CHARACTERS = 80
CITY_CHARACTERS = 80
LANGUAGE_CHARACTERS = 12


class DoorPlateError(Exception):
    """What is to stand on the door cannot; ``problems`` lists every reason."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class DoorPlate:
    """What is known of a space before it opens."""

    name: str
    city: str
    country: str
    url: str
    latitude: float
    longitude: float
    languages: tuple[str, ...]
    enamel: str

    @classmethod
    def checked(
        cls,
        *,
        name: str,
        city: str,
        country: str,
        url: str,
        latitude: float | None = None,
        longitude: float | None = None,
        languages: tuple[str, ...] = (),
        enamel: str = "blue",
        development: bool = False,
    ) -> DoorPlate:
        """Return the door plate if all of it can be used.

        :raises DoorPlateError: listing everything that cannot.
        """
        country = country.strip().upper()
        name, city = " ".join(name.split()), " ".join(city.split())
        problems = [
            *_text_problems("--name", name, NAME_CHARACTERS),
            *_text_problems("--city", city, CITY_CHARACTERS),
            *_country_problems(country),
            *_url_problems(url, development=development),
            *_language_problems(languages),
            *([] if enamel in ENAMELS else [f"--enamel: one of {', '.join(ENAMELS)}"]),
        ]
        place, place_problems = _place(city, country, latitude, longitude)
        if problems or place_problems or place is None:
            raise DoorPlateError([*problems, *place_problems])
        spoken = languages or (_spoken_in(country),)
        return cls(name, city, country, url, place.latitude, place.longitude, spoken, enamel)


def found(session: Session, settings: Settings, plate: DoorPlate, now: datetime) -> Space:
    """Make keys, secret and rows of a new space; the caller commits.

    Keys that are there already are kept: an earlier set-up was interrupted.
    """
    if not (settings.key_folder / "root.json").exists():
        create_keys(settings.key_folder)
    if not settings.secret_key.get_secret_value():
        _write_secret(settings.data / "secret_key")
    space = Space(
        id=1,
        url=plate.url,
        name=plate.name,
        city=plate.city,
        country=plate.country,
        latitude=plate.latitude,
        longitude=plate.longitude,
        enamel=plate.enamel,
        languages=list(plate.languages),
        created_at=now,
    )
    session.add(space)
    if session.get(FeedState, 1) is None:
        session.add(FeedState(id=1, epoch=new_id(), seq=0))
    ensure_current(session)
    return space


def _write_secret(path: Path) -> None:
    if path.exists():
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(48))


def _text_problems(option: str, text: str, most: int) -> list[str]:
    if not text or not text.isprintable():
        return [f"{option}: must be readable text"]
    return [] if len(text) <= most else [f"{option}: {len(text)} characters, at most {most}"]


def _country_problems(country: str) -> list[str]:
    if country in country_codes():
        return []
    return [f"--country: “{country}” is no country code; two letters such as FR or DE (ISO 3166-1)"]


def _url_problems(url: str, *, development: bool) -> list[str]:
    try:
        EntityId.parse(url, development=development)
    except ForbiddenAddressError as error:
        kind = "https, or http on this machine" if development else "https"
        return [f"--url: “{url}” cannot be the address of a space ({kind}): {error}"]
    return []


def _language_problems(languages: tuple[str, ...]) -> list[str]:
    known = {str(code).lower() for code in Locale("en").languages}
    return [
        f"--language: “{tag}” is no language tag such as fr or de"
        for tag in languages
        if tag.split("-")[0].lower() not in known or len(tag) > LANGUAGE_CHARACTERS
    ]


def _place(
    city: str, country: str, latitude: float | None, longitude: float | None
) -> tuple[City | None, list[str]]:
    """Return where the space is: as given, else where its city is."""
    if latitude is None and longitude is None:
        found = find_city(city, country)
        ask = "--city: not in our table of cities; give --latitude and --longitude as well"
        return found, [] if found else [ask]
    if latitude is None or longitude is None:
        return None, ["--latitude and --longitude belong together"]
    # Compared this way round, "not a number" is out of range as well.
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        return None, ["--latitude is -90 to 90, --longitude -180 to 180, in degrees"]
    return City(city, country, latitude, longitude, 0), []


def _spoken_in(country: str) -> str:
    """Return the language that most pages of a space there would be in."""
    spoken = get_official_languages(country, de_facto=True)
    return spoken[0].split("_")[0] if spoken else "en"
