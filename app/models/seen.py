"""A member as one reader sees them: what pages, the index, documents and files are made of.

Which blocks a reader may see is decided in :mod:`app.models.scope`; here the others become empty.
Whether the reader may see the person at all (who left, whom an admin hides) is asked of the rows,
each time anew: it is no part of what a member says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.models.member import FIELDS_OF, WORDS, WORK, Member, Service
from app.models.scope import Reader, goes_as_far


@dataclass(frozen=True, slots=True)
class Seen:
    """What one reader sees; texts that are not shown to them are empty."""

    name: str
    photo: Mapping[str, Any]
    headline: str
    bio: str
    profession: str
    location: str
    locale: str
    """The language of the texts; empty where there are none to read."""

    languages: tuple[str, ...]
    interests: tuple[str, ...]
    availability: str
    services: tuple[Service, ...]
    translations: tuple[Mapping[str, str], ...] = ()
    """Headline and biography in further languages, seen by whoever sees these."""


def as_seen(member: Member, reader: Reader) -> Seen:
    """Return what ``reader`` sees of ``member``; saved or not."""
    shown = {
        field
        for block, fields in FIELDS_OF.items()
        if goes_as_far(member, block, reader)
        for field in fields
    }
    services = tuple(one for one in member.services if goes_as_far(member, one, reader))
    texts = services or any(goes_as_far(member, block, reader) for block in (WORDS, WORK))

    def text(field: str) -> str:
        return (getattr(member, field) or "") if field in shown else ""

    def texts_of(field: str) -> tuple[str, ...]:
        return tuple(getattr(member, field) or ()) if field in shown else ()

    return Seen(
        name=text("name"),
        photo=(member.photo or {}) if "photo" in shown else {},
        headline=text("headline"),
        bio=text("bio"),
        profession=text("profession"),
        location=text("location"),
        locale=(member.locale or "") if texts else "",
        languages=texts_of("languages"),
        interests=texts_of("interests"),
        availability=text("availability"),
        services=services,
        translations=tuple(member.translations or ()) if "headline" in shown else (),
    )
