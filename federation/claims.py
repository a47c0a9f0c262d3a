"""What a single claim may hold, as types for the models of :mod:`federation.documents`.

Each type reads what JSON gives (strings, whole numbers, arrays) and what Python has (``datetime``,
``Decimal``, tuples), refuses everything else, and writes plain JSON. Nothing is ever repaired.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, PlainValidator

from federation import limits
from federation.errors import ForbiddenAddressError
from federation.identifiers import EntityId, is_ref, origin
from federation.text import is_plain

_MONEY = re.compile(
    rf"(?:0|[1-9][0-9]{{0,{limits.MONEY_DIGITS - 1}}})(?:\.[0-9]{{1,{limits.MONEY_DECIMALS}}})?",
    re.ASCII,
)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_LAST_SECOND = 253_402_300_799


def _entity(value: object) -> EntityId:
    # Whether plain http is acceptable was decided where the peer was first named (knock, set-up);
    # a document only has to name it in its canonical form.
    if not isinstance(value, str):
        raise ValueError("must be an entity identifier")  # noqa: TRY004  # pydantic takes ValueError
    return _parsed(value)


@lru_cache(maxsize=1024)
def _parsed(value: str) -> EntityId:
    # A page of two hundred records names its space four hundred times.
    try:
        return EntityId.parse(value, development=True)
    except ForbiddenAddressError as error:
        raise ValueError(f"must be an entity identifier: {error}") from error


def _audience(value: str) -> str:
    return value if value in ("public", "peers") else _entity(value)


def _subject(value: str) -> str:
    space, found, ref = value.rpartition("/m/")
    if not found or not is_ref(ref):
        raise ValueError("must be {space}/m/{ref}")
    return f"{_entity(space)}/m/{ref}"


def _ref(value: str) -> str:
    if not is_ref(value):
        raise ValueError("must be 1 to 64 letters, digits, hyphens or underscores")
    return value


def _url(value: str) -> str:
    try:
        origin(value)
    except ForbiddenAddressError as error:
        raise ValueError(str(error)) from error
    # These become links: javascript: and data: are addresses too.
    if not value.startswith(("https://", "http://")):
        raise ValueError("must begin with https://")
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("must be an address in plain ASCII")
    return value


def _line(value: str) -> str:
    if not is_plain(value):
        raise ValueError("must be one line of plain text in NFC")
    return value


def _lines(value: str) -> str:
    if not is_plain(value, lines=True):
        raise ValueError("must be plain text in NFC")
    return value


def _name(value: str) -> str:
    if not value or value != value.strip():
        raise ValueError("must not be blank, nor begin or end with a blank")
    return _line(value)


def _moment(value: object) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).replace(microsecond=0)
    # bool is an int in Python: without this, {"iat": true} would be the first second of 1970.
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LAST_SECOND:
        return datetime.fromtimestamp(value, UTC)
    raise ValueError("must be whole seconds since 1970")


def _seconds(value: datetime) -> int:
    return int(value.timestamp())


def _money(value: object) -> Decimal:
    text = format(value, "f") if isinstance(value, Decimal) else value
    if not isinstance(text, str) or len(text) > 20 or not _MONEY.fullmatch(text):
        raise ValueError(
            f'must be an amount such as "45.50", at most {limits.MONEY_DIGITS} digits '
            f"and {limits.MONEY_DECIMALS} decimals"
        )
    return Decimal(text)


def _written_money(value: Decimal) -> str:
    return format(value, "f")


def _day(value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and _DAY.fullmatch(value):
        return date.fromisoformat(value)
    raise ValueError("must be a day such as 2027-03-31")


def as_tuple(value: object) -> object:
    """Turn an array of JSON into the tuple that a frozen model holds; leave the rest to fail."""
    return tuple(value) if isinstance(value, list) else value


def _shaped(pattern: str, meant: str) -> Callable[[str], str]:
    compiled = re.compile(pattern, re.ASCII)

    def check(value: str) -> str:
        if len(value) > limits.REF_CHARACTERS or not compiled.fullmatch(value):
            raise ValueError(f"must be {meant}")
        return value

    return check


#: A space; see :class:`federation.identifiers.EntityId`.
Entity = Annotated[EntityId, PlainValidator(_entity), PlainSerializer(str)]

#: ``public``, ``peers`` or a space.
Audience = Annotated[str, AfterValidator(_audience)]

#: A member of some space.
Subject = Annotated[str, AfterValidator(_subject)]

#: The opaque part of an identifier, or a number used once.
Ref = Annotated[str, AfterValidator(_ref)]
Refs = Annotated[tuple[Ref, ...], BeforeValidator(as_tuple)]

#: An absolute URL in ASCII.
Url = Annotated[str, Field(max_length=limits.URL_CHARACTERS), AfterValidator(_url)]

#: One line of plain text; several; one line that is not blank.
Line = Annotated[str, AfterValidator(_line)]
Lines = Annotated[str, AfterValidator(_lines)]
Name = Annotated[str, AfterValidator(_name)]

#: A moment: aware UTC datetime here, NumericDate there.
Moment = Annotated[datetime, PlainValidator(_moment), PlainSerializer(_seconds, return_type=int)]

#: An amount of money: ``Decimal`` here, a decimal string there; never a float.
Money = Annotated[Decimal, PlainValidator(_money), PlainSerializer(_written_money, return_type=str)]

#: A day, ISO 8601.
Day = Annotated[date, PlainValidator(_day), PlainSerializer(date.isoformat, return_type=str)]

#: The shape of BCP 47 tags (RFC 5646), not the registry behind it.
Language = Annotated[
    str, AfterValidator(_shaped(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*", "a BCP 47 language"))
]
Languages = Annotated[tuple[Language, ...], BeforeValidator(as_tuple)]

#: The shape of ISO 4217 codes; which of them exist is not a reason to lose a profile.
Currency = Annotated[str, AfterValidator(_shaped(r"[A-Z]{3}", "an ISO 4217 currency"))]

#: ISO 3166-1 alpha-2, by shape.
Country = Annotated[str, AfterValidator(_shaped(r"[A-Z]{2}", "an ISO 3166-1 country"))]

#: A code of a vocabulary, ours or another; empty for none.
Category = Annotated[
    str, AfterValidator(_shaped(r"(?:[a-z0-9][a-z0-9._/-]*)?", "a code in small letters"))
]

#: The name of a claim, a scope, a colour.
Word = Annotated[str, AfterValidator(_shaped(r"[a-z][a-z0-9_-]*", "a word in small letters"))]
Words = Annotated[tuple[Word, ...], BeforeValidator(as_tuple)]

#: SHA-256 in lower-case hexadecimal.
Digest = Annotated[str, AfterValidator(_shaped(r"[0-9a-f]{64}", "64 hexadecimal digits"))]

#: A key's thumbprint (RFC 7638).
Thumbprint = Annotated[str, AfterValidator(_shaped(r"[A-Za-z0-9_-]{43}", "a key's thumbprint"))]
Thumbprints = Annotated[tuple[Thumbprint, ...], BeforeValidator(as_tuple)]

#: Lines of plain text that are not blank, as a list.
Names = Annotated[tuple[Name, ...], BeforeValidator(as_tuple)]
