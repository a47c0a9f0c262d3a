"""Tables of members: CSV in the dialects that spreadsheets write.

The delimiter is the one under which the header makes most sense. Quoted cells may hold line
breaks. An apostrophe that our own export put before a formula is taken off again.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import date

from app.members import columns, skills
from app.members.columns import Columns
from app.members.person import LIMITS, Draft, Person, Refused
from app.members.services import yes_or_no
from app.members.texts import folded, one_line, parts
from app.models.translations import TEXTS

#: Signs between cells, and what the operator is told they are.
DELIMITERS = {";": "semicolon", ",": "comma", "\t": "tab", "|": "bar"}

#: Characters of one cell; more is a quotation mark that was never closed.
CELL_CHARACTERS = 100_000

#: First characters that make a spreadsheet calculate a cell (OWASP, CSV injection).
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class NotATableError(Exception):
    """The rows cannot be told apart; the message says where and why."""


def delimiter_of(text: str) -> str:
    """Return the sign under which the first line holds most names that we know, then most cells."""
    first = text.lstrip("\r\n").split("\n", 1)[0]
    return max(DELIMITERS, key=lambda sign: _sense(first, sign))


def read(
    text: str, delimiter: str, chosen: Mapping[str, str], today: date
) -> tuple[Columns, list[Person | Refused]]:
    """Return where the fields stand, and a person or a refusal for each row that is not empty.

    :param chosen: header by field, as the operator says.
    :raises NotATableError: no rows, or quotation marks that do not pair.
    :raises MappingError: the header cannot be understood.
    """
    rows = _rows(text, delimiter)
    found = next(rows, None)
    if found is None:
        raise NotATableError("The file has no rows.")
    where = columns.understand(found[1], chosen)
    return where, [_person(line, row, where, today) for line, row in rows]


def neutralised(cell: str) -> str:
    """Return ``cell`` so that no spreadsheet calculates it; :func:`plain` is the way back."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def plain(cell: str) -> str:
    """Return ``cell`` without the apostrophe that :func:`neutralised` put before a formula."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell


def _sense(first: str, sign: str) -> tuple[int, int]:
    cells = next(csv.reader([first], delimiter=sign), [])
    return columns.known(cells), len(cells)


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the line on which each row begins, and its cells."""
    csv.field_size_limit(CELL_CHARACTERS)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begins = 1
    try:
        for row in reader:
            # Excel's own hint about the delimiter is no row.
            if any(cell.strip() for cell in row) and row[0][:4].lower() != "sep=":
                yield begins, row
            begins = reader.line_num + 1
    except csv.Error as error:
        raise NotATableError(
            f"The quotation marks do not pair in the row that begins on line {begins}: "
            f"the file may be cut short ({error})."
        ) from None


def _person(line: int, row: list[str], where: Columns, today: date) -> Person | Refused:
    draft = Draft()
    if any(cell.strip() for cell in row[len(where.headers) :]):
        draft.problems.append(
            f"the row has {len(row)} cells and the header {len(where.headers)}: "
            "is a text with a delimiter in it not in quotation marks?"
        )

    def cell(field: str) -> str:
        return plain(where.cell(row, field).strip(" "))

    name = draft.name(cell("name") or f"{cell('first_name')} {cell('last_name')}")
    read = Person(
        line=line,
        name=name,
        email=draft.email(cell("email")),
        external_id=draft.external_id(cell("external_id")),
        headline=draft.text("headline", cell("headline") or cell("company")),
        bio=draft.text("bio", cell("bio")),
        profession=draft.text("profession", cell("profession")),
        location=_place(cell("location"), draft),
        locale=draft.locale(cell("locale")),
        translations=draft.translations(
            [
                {"lang": lang, **{name: plain(text.strip(" ")) for name, text in texts.items()}}
                for lang, texts in where.cells(row).items()
            ],
            {name: LIMITS[name] for name in TEXTS},
        ),
        availability=draft.text("availability", cell("availability")),
        languages=draft.languages(parts(cell("languages"))),
        interests=draft.interests(parts(cell("interests"))),
        skills=skills.offers(parts(cell("skills")), draft),
        audience=draft.audience(cell("audience")),
        left_on=_left_on(cell("active"), today, draft),
        remarks=tuple(draft.remarks),
    )
    return Refused(line, name, tuple(draft.problems)) if draft.problems else read


def _place(text: str, draft: Draft) -> str:
    """Return the place; a bare number is some program's identifier of one."""
    if one_line(text).isdigit():
        draft.remarks.append(f"location “{one_line(text)[:20]}” is a number, not a place")
        return ""
    return draft.text("location", text)


def _left_on(text: str, today: date, draft: Draft) -> date | None:
    """Return today for somebody whom the list calls inactive."""
    if not folded(text):
        return None
    answer = yes_or_no(text)
    if answer is None:
        draft.problems.append(f"active is “{one_line(text)[:20]}”; it can be yes or no")
    return today if answer is False else None
