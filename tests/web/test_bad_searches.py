"""Every kind of bad question at every place that takes one: an answer, or a sentence, in bounds.

What is counted are statements and rows. Each search reads who of our own may be seen (a row each),
and a page that has nobody to show searches up to eight times for what to try next; beyond that
neither may depend on what somebody types.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from sqlalchemy import event
from sqlalchemy.engine.cursor import CursorFetchStrategy

from app.database import db
from tests.spaces import service
from tests.web.people import listed, text

WORDS = {
    "operators": 'OR AND NOT NEAR(a b) col:x ^ * - + "',
    "quotes": "\"'`´’«»„“ ''; DROP TABLE member; --",
    "wildcards": "%_% ?* [a-z] .*",
    "NUL and control signs": "\x00\x01\x1f\x7f\x85",
    "emoji": "🧑‍⚖️🇫🇷" * 40,
    "right to left": "\u202eavocat\u202c محامي עורך דין",
    "half of a sign": "\ud83e",
    "marks upon marks": "a" + "\u0301" * 3000,
    "10,000 letters": "x" * 10_000,
    "one letter after another": "a b c d e f g h i j k l m n o p q r s t u v w x y z",
    "500 words": "mot " * 500,
    "500 different words": " ".join(f"wort{number}haus" for number in range(500)),
    "many slips": "avocta comtpable phtoographe tradcutrice journalsite archietcte develppeur",
    "a compound of compounds": "steuerberatungsfotografenvermittlungsagentur" * 5,
    "brackets": "(" * 3000,
    "an address": "https://lyon.example/?q=<script>alert(1)</script>",
    "blanks": " \t\r\n\u00a0\u2003\u200b",
}
FILTERS = {
    "a page beyond all": ("page=1000000000", 200),
    "a page of many digits": ("page=" + "9" * 4000, 400),
    "a page below the first": ("page=-1", 400),
    "no distance": ("within=7", 400),
    "an unknown city to be near": ("near=Xyzzyville&within=50", 400),
    "coordinates out of range": ("near=91.5,181", 400),
    "a city of nobody": ("city=Atlantis", 200),
    "a space of nobody": ("space=moon", 200),
    "a speciality of nobody": ("speciality=" + "x" * 3000, 200),
    "a hundred values": ("&".join(f"language=l{number}" for number in range(100)), 200),
    "a filter of nobody": ("starsign=leo", 200),
    "two answers to one": ("scope=here&scope=moon", 200),
    "another order": ("sort=stars", 400),
    "a price without a number": ("price=EUR-hour-x", 400),
    "a day of no week": ("availability=someday", 400),
}
#: Where a question may be asked, and what else the browser then says.
PLACES = {
    "page": ("/search", {}),
    "fragment": ("/search", {"HX-Request": "true", "HX-Request-Type": "partial"}),
    "suggestions": ("/search/suggestions", {}),
    "programs": ("/api/search", {}),
}
#: How many people answer to the same words.
PEOPLE = 20
#: Statements that one question may cost, and rows, whatever it is.
STATEMENTS, ROWS = 80, 9 * PEOPLE + 100


@dataclass
class Cost:
    statements: int = 0
    rows: int = 0


def too_much(cost):
    """Tell whether an answer took more than it may, or is longer than a page of twenty people."""
    _, statements, rows, size = cost
    return statements > STATEMENTS or rows > ROWS or size > 100_000


@contextmanager
def counted(monkeypatch):
    """Count what the database is asked and how many rows it hands over."""
    cost = Cost()
    fetch = CursorFetchStrategy.fetchall, CursorFetchStrategy.fetchmany

    def all_(self, *given):
        rows = fetch[0](self, *given)
        cost.rows += len(rows)
        return rows

    def many(self, *given):
        rows = fetch[1](self, *given)
        cost.rows += len(rows)
        return rows

    def said(*_given):
        cost.statements += 1

    event.listen(db.engine, "before_cursor_execute", said)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(CursorFetchStrategy, "fetchall", all_)
            patch.setattr(CursorFetchStrategy, "fetchmany", many)
            yield cost
    finally:
        event.remove(db.engine, "before_cursor_execute", said)


@pytest.fixture
def crowd(space):
    """Many who answer to the same words, each with a word of their own."""
    for number in range(PEOPLE):
        law = service(f"Avocat mot{number} wort{number}haus", "contract-law")
        listed(f"Maud {number}", services=(law,), audience="web", profession="Avocate")
    db.session.commit()


@pytest.mark.parametrize("place", PLACES)
def test_no_words_break_a_place_nor_make_it_work_hard(crowd, browser, monkeypatch, place):
    address, headers = PLACES[place]
    costs = {}
    for kind, words in WORDS.items():
        given = words.encode("utf-8", "surrogatepass")
        with counted(monkeypatch) as cost:
            answer = browser.get(address, query_string={"q": given}, headers=headers)
        costs[kind] = answer.status_code, cost.statements, cost.rows, len(answer.data)
    assert {kind: one for kind, one in costs.items() if one[0] != 200 or too_much(one)} == {}


@pytest.mark.parametrize("place", PLACES)
def test_no_filter_breaks_a_place_nor_makes_it_work_hard(crowd, browser, monkeypatch, place):
    address, headers = PLACES[place]
    costs, wanted, said = {}, {}, {}
    for kind, (asked, status) in FILTERS.items():
        with counted(monkeypatch) as cost:
            answer = browser.get(f"{address}?q=avocat&{asked}", headers=headers)
        costs[kind] = answer.status_code, cost.statements, cost.rows, len(answer.data)
        wanted[kind] = 200 if place == "suggestions" else status
        said[kind] = len(text(answer)) if answer.status_code == 400 else 200
    assert {kind: one[0] for kind, one in costs.items()} == wanted
    assert {kind: one for kind, one in costs.items() if too_much(one)} == {}
    assert {kind: letters for kind, letters in said.items() if letters < 40} == {}
