"""From the bytes of a file to the people in it.

Encodings: UTF-8 and UTF-16 with or without their mark, else Windows-1252, which is what
spreadsheets in western Europe write. Shapes: tables (``table``), memberships of Cobot's API
(``cobot``), our own JSON Lines (``jsonl``). Whatever cannot be read as a whole is refused as a
whole, in one sentence, before anything is changed.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from app.members import cobot, jsonl, table
from app.members.columns import Columns, MappingError
from app.members.person import Person, Refused

#: Bytes of a list: 10,000 members with long profiles are about 20 MB.
FILE_BYTES = 50 * 1000 * 1000

ACCEPTED = (
    "Accepted are: tables (CSV or TSV), Cobot's memberships (API version 1, a JSON array), and "
    "Mitoyen's own JSON Lines (one member a line)."
)


class UnreadableFileError(Exception):
    """The file is no list of members; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What a file says."""

    kind: str
    """``table``, ``cobot`` or ``jsonl``."""

    encoding: str
    rows: tuple[Person | Refused, ...]
    unit: str = "line"
    """What ``line`` of a row counts: a line, or an entry of an array."""

    delimiter: str = ""
    columns: Columns | None = None
    ignored: tuple[str, ...] = field(default=())
    """Keys of JSON objects that we have no field for."""


def read_file(path: Path, today: date, chosen: Mapping[str, str] | None = None) -> Listing:
    """Return what the file at ``path`` says; see :func:`read`.

    :raises UnreadableFileError: it cannot be opened, or is no list of members.
    """
    try:
        with path.open("rb") as file:
            # A size is a promise, and pipes have none: read one byte past the limit.
            data = file.read(FILE_BYTES + 1)
    except OSError as error:
        raise UnreadableFileError(f"{path}: cannot be read ({error.strerror}).") from None
    if len(data) > FILE_BYTES:
        raise UnreadableFileError(
            f"The file is larger than {FILE_BYTES // 1_000_000} MB. Split the list into several "
            "files; nothing is lost when they are loaded one after the other."
        )
    return read(data, today, chosen)


def read(data: bytes, today: date, chosen: Mapping[str, str] | None = None) -> Listing:
    """Return what ``data`` says.

    :param today: decides whether a membership has ended.
    :param chosen: header by field for tables, as the operator says.
    :raises UnreadableFileError: empty, binary, cut short, or of a shape that we do not know.
    """
    text, encoding = decoded(data)
    start = text.lstrip()[:1]
    if not start:
        raise UnreadableFileError("The file is empty.")
    if start == "[":
        return _array(text, encoding, today)
    if start == "{":
        return _lines(text, encoding)
    return _table(text, encoding, chosen or {}, today)


def decoded(data: bytes) -> tuple[str, str]:
    """Return the text in ``data`` and the name of its encoding.

    :raises UnreadableFileError: binary.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    elif b"\0" in data[:4]:
        encodings = ["utf-16-le" if data[1:2] == b"\0" else "utf-16-be"]
    else:
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not _binary(text):
            return text, encoding.removesuffix("-sig")
    raise UnreadableFileError(f"The file is binary, not text. {_what_it_is(data)}{ACCEPTED}")


def _binary(text: str) -> bool:
    return any(text.count(sign) for sign in map(chr, range(32)) if sign not in "\t\n\r\x0b\x0c\x1a")


def _what_it_is(data: bytes) -> str:
    if data.startswith(b"PK"):
        return "A workbook (.xlsx, .ods) must first be saved as CSV. "
    return "It is compressed: unpack it first. " if data.startswith(b"\x1f\x8b") else ""


def _array(text: str, encoding: str, today: date) -> Listing:
    try:
        given = jsonl.parse(text)
    except ValueError as error:
        raise UnreadableFileError(
            f"The JSON cannot be read; the file may be cut short ({error})."
        ) from None
    if not cobot.recognised(given):
        raise UnreadableFileError(f"This JSON array is no list that we know. {ACCEPTED}")
    return Listing("cobot", encoding, tuple(cobot.read(given, today)), unit="entry")


def _lines(text: str, encoding: str) -> Listing:
    if _one_document(text):
        raise UnreadableFileError(f"This JSON document is no list that we know. {ACCEPTED}")
    unknown: set[str] = set()
    try:
        rows = tuple(jsonl.read(text, unknown))
    except jsonl.CutShortError as error:
        raise UnreadableFileError(
            f"Line {error.line}, the last, stops in the middle: the file is cut short."
        ) from None
    return Listing("jsonl", encoding, rows, ignored=tuple(sorted(unknown)))


def _one_document(text: str) -> bool:
    """Tell whether the whole file is a single object that is no member."""
    try:
        given: Any = jsonl.parse(text)
    except ValueError:
        # Several lines of objects, or one object over several lines that is cut short.
        return text.lstrip().split("\n", 1)[0].strip() == "{"
    return isinstance(given, dict) and "name" not in given


def _table(text: str, encoding: str, chosen: Mapping[str, str], today: date) -> Listing:
    delimiter = table.delimiter_of(text)
    try:
        columns, rows = table.read(text, delimiter, chosen, today)
    except (table.NotATableError, MappingError) as error:
        raise UnreadableFileError(str(error)) from None
    return Listing(
        "table", encoding, tuple(rows), delimiter=table.DELIMITERS[delimiter], columns=columns
    )
