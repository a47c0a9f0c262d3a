"""The members as a file: our JSON Lines, which imports again to nothing changed, or CSV.

Only current members are written. CSV is for spreadsheets: cells that one would calculate get an
apostrophe, which our own import takes off again; it knows services by their titles only, and
further languages of headline and biography by columns of their own. It cannot say that some blocks
go less far than others, and then says no audience at all.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from app.members.circles import circles_of, service_key
from app.members.portraits import as_text
from app.members.table import neutralised
from app.models.member import Member, Service
from app.models.photo import Photo
from app.models.translations import TEXTS, languages_in, version

#: Columns of the CSV, in this order; each is a header that the import knows.
COLUMNS = (
    "external_id",
    "name",
    "email",
    "profession",
    "headline",
    "bio",
    "location",
    "locale",
    "languages",
    "interests",
    "availability",
    "skills",
    "audience",
)


def current_members(session: Session) -> list[Member]:
    """Return everybody whose membership has not ended, by name."""
    return list(
        session.scalars(
            select(Member)
            .where(Member.left_at.is_(None))
            .options(selectinload(Member.services), joinedload(Member.account))
            .order_by(Member.name, Member.id)
        )
    )


def as_jsonl(session: Session, members: Iterable[Member]) -> Iterator[str]:
    """Yield one line a member, each ending in a line break; empty fields are left out."""
    for member in members:
        photo = as_text(image_of(session, member))
        yield json.dumps(_filled(claims(member) | {"photo": photo}), ensure_ascii=False) + "\n"


def image_of(session: Session, member: Member) -> bytes:
    """Return the photo of ``member``, empty when there is none."""
    image = select(Photo.image).where(Photo.member_id == member.id)
    return (session.scalar(image) if member.photo else None) or b""


def as_csv(members: Iterable[Member]) -> Iterator[str]:
    """Yield the header, then a row a member; texts with line breaks are quoted."""
    everybody = list(members)
    spoken = sorted(languages_in(member.translations for member in everybody))
    further = [(name, lang) for lang in spoken for name in TEXTS]
    yield _csv_row([*COLUMNS, *(f"{name} ({lang})" for name, lang in further)])
    for member in everybody:
        cells = [_cell(member, column) for column in COLUMNS]
        cells += [version(member.translations, lang).get(name, "") for name, lang in further]
        yield _csv_row(neutralised(cell) for cell in cells)


def claims(member: Member) -> dict[str, Any]:
    """Return what our own format says about ``member``."""
    circles = circles_of(member)
    return {
        "external_id": member.external_id,
        "email": member.account.email if member.account else None,
        "audience": circles.usual,
        "audiences": circles.blocks,
        "name": member.name,
        "headline": member.headline,
        "bio": member.bio,
        "locale": member.locale,
        "translations": member.translations,
        "languages": member.languages,
        "profession": member.profession,
        "location": member.location,
        "interests": member.interests,
        "availability": member.availability,
        "services": [
            _filled(_service(one) | {"audience": circles.apart.get(service_key(one.ref))})
            for one in member.services
        ],
    }


def _service(service: Service) -> dict[str, Any]:
    return {
        "id": service.ref,
        "category": service.speciality,
        "label": service.speciality_label,
        "title": service.title,
        "description": service.description,
        "mode": service.mode,
        "rate": None if service.rate is None else str(service.rate),
        "coworker_rate": None if service.coworker_rate is None else str(service.coworker_rate),
        "currency": service.currency,
        "unit": service.unit,
        "valid_until": service.valid_until and service.valid_until.isoformat(),
        "remote": service.remote,
        "languages": service.languages,
        "translations": service.translations,
    }


def _filled(given: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in given.items() if value not in (None, "", [], {})}


def _cell(member: Member, column: str) -> str:
    if column == "email":
        return member.account.email if member.account else ""
    if column == "skills":
        return _list([service.title for service in member.services])
    if column == "audience":
        circles = circles_of(member)
        return "" if circles.apart else circles.usual
    value = getattr(member, column)
    return _list(value) if isinstance(value, list) else value or ""


def _list(entries: Iterable[str]) -> str:
    """Return ``entries`` with semicolons between them, and at the end if one holds a comma."""
    told = [entry.replace(";", ",").replace("|", "/").replace("\n", " ") for entry in entries]
    return "; ".join(told) + (";" if len(told) == 1 and "," in told[0] else "")


def _csv_row(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue()
