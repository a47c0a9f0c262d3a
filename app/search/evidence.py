"""Looking for the parts of a question in the index, and weighing what was found.

Every part of a question is looked for where it weighs most, then elsewhere; a person's part is
worth the best place it was found in. What a place is worth:

====================================  =====
a service's own code                  1.00
a code that title, profession or
headline name                         0.90
the words in a service's title        0.95
the words in the profession           0.95
the words in the headline             0.80
words that only say for whom          0.50
the name                              0.95
the city or space by its name         0.90
interests, location                   0.60
a code only touched on                0.42
biography, descriptions               0.45
====================================  =====
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection

from app.search.guessing import NEAR
from app.search.reading import Part, Term
from app.search.snapshot import rows
from app.search.text import slips, typos_allowed
from app.search.writing import token

#: Where a code may stand, with its worth.
CODE_COLUMNS = (("service", 1.0), ("derived", 0.9), ("hint", 0.42))
#: Where words may stand, with their worth.
TEXT_COLUMNS = (
    ("title", 0.95),
    ("profession", 0.95),
    ("headline", 0.8),
    ("name", 0.95),
    ("extra", 0.6),
    ("body", 0.45),
)
#: Worth of a word in a text that only resembles what was typed: a butcher is no Buch.
GUESSED = 0.5
#: Letters from which the beginning of a word stands for the word.
SURE_LETTERS = 6
#: Where words introduce the person, rather than tell a story.
OWN_COLUMNS = ("title", "profession", "headline")
#: Worth of a space or city named in the question.
PLACE = 0.9
#: Added when the person's own word stands in a title, profession or headline beside the code.
OWN_WORD = 0.06
#: For a word that means a speciality, where it proves less than it would for any other word:
#: interests are no offer, and a title may speak of somebody else's work.
MEANT = {"title": 0.75, "profession": 0.85, "headline": 0.7, "extra": 0.4}
#: The same behind "for" or as an epithet: a trainer for lawyers is no lawyer.
ASIDE = 0.5


class IndexedTerms:
    """What occurs in the profiles; see :class:`app.search.reading.Terms`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def has(self, stem: str) -> bool:
        """Tell whether some profile holds ``stem``."""
        found = self._connection.exec_driver_sql(
            "SELECT 1 FROM search_term WHERE term = ?", (stem,)
        )
        return found.first() is not None

    def like(self, stem: str) -> list[str]:
        """Return the stems in profiles that ``stem`` may be a slip for, nearest first."""
        most = typos_allowed(stem)
        if not most:
            return []
        terms = self._connection.exec_driver_sql(
            "SELECT term FROM search_term WHERE term >= ? AND term < ?"
            " AND length(term) BETWEEN ? AND ?",
            (stem[0], stem[0] + "\U0010ffff", len(stem) - most, len(stem) + most),
        ).scalars()
        near = sorted(
            (distance, term) for term in terms if (distance := slips(stem, term, most)) <= most
        )
        return [term for _, term in near]


Worth = dict[int, float]


def worth_of(part: Part, connection: Connection, places: Mapping[str, int]) -> Worth:
    """Return what ``part`` is worth, from 0 to 1, for each row of the index that has any of it.

    :param places: words in the names of spaces and cities (stems), with the set of their people.
    """
    by_code = _codes_worth(part, connection)
    own, elsewhere = _words_worth(part, connection)
    worth = by_code
    for row, value in own.items():
        held = worth.get(row, 0.0)
        worth[row] = min(1.0, max(held, value) + (OWN_WORD if held >= 0.5 else 0.0))
    for row, value in elsewhere.items():
        if worth.get(row, 0.0) < value:
            worth[row] = value
    for term in part.terms[:1]:
        here = rows(places.get(" ".join(term.stems), 0))
        worth.update({row: max(PLACE, worth.get(row, 0.0)) for row in here})
    return worth


def _codes_worth(part: Part, connection: Connection) -> Worth:
    sures: dict[float, list[str]] = {}
    for meaning in part.meanings:
        sures.setdefault(meaning.sure, []).append(meaning.code)
    worth: Worth = {}
    for sure, codes in sures.items():
        for column, value in CODE_COLUMNS:
            _take(worth, _rows(connection, column, map(token, codes)), sure * value)
    if part.near:
        _take(worth, _rows(connection, "service", map(token, part.near)), NEAR)
        _take(worth, _rows(connection, "derived", map(token, part.near)), NEAR * 0.9)
    return worth


def _words_worth(part: Part, connection: Connection) -> tuple[Worth, Worth]:
    """Return what words are worth where they introduce the person, and elsewhere."""
    own: Worth = {}
    elsewhere: Worth = {}
    meant = any(meaning.sure >= 0.7 for meaning in part.meanings)
    for term in part.terms:
        phrase = _phrase(term)
        passing: set[int] = set()
        for column, value in TEXT_COLUMNS:
            if column == "name" and meant and term.how != "word":
                continue
            if meant:
                value = MEANT.get(column, value)
            if column != "name" and _guessed(term):
                value = min(value, GUESSED)
            into = own if column in OWN_COLUMNS else elsewhere
            found = _rows(connection, column, [phrase], quoted=True)
            if found and meant and into is own:
                passing = passing or set(_rows(connection, "aside", [phrase], quoted=True))
                _take(own, [row for row in found if row in passing], ASIDE * term.sure)
                found = [row for row in found if row not in passing]
            _take(into, found, value * term.sure)
    return own, elsewhere


def _guessed(term: Term) -> bool:
    """Tell whether ``term`` only resembles what was typed; names alone may be taken at that."""
    begun = term.prefix and len(term.stems[0]) < SURE_LETTERS and term.how == "prefix"
    return begun or term.how == "typo"


def _take(worth: Worth, found: list[int], value: float) -> None:
    value = round(value, 3)
    for row in found:
        if worth.get(row, 0.0) < value:
            worth[row] = value


def _phrase(term: Term) -> str:
    # Stems are letters and digits; the quotes keep FTS5 from reading them as its operators.
    quoted = '"' + " ".join(term.stems).replace('"', "") + '"'
    return quoted + ("*" if term.prefix else "")


def _rows(
    connection: Connection, column: str, tokens: Iterable[str], *, quoted: bool = False
) -> list[int]:
    wanted = " OR ".join(tokens if quoted else (f'"{one}"' for one in tokens))
    # One text instead of thousands of rows: the driver makes an object of each row it hands over.
    found = connection.exec_driver_sql(
        "SELECT group_concat(rowid) FROM search_text WHERE search_text MATCH ?",
        (f"{column} : ({wanted})",),
    ).scalar_one()
    return [int(number) for number in found.split(",")] if found else []
