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

from collections.abc import Iterable, Iterator, Mapping

from sqlalchemy import Connection

from app.search.guessing import NEAR
from app.search.levels import WHOLE, Levels, joined, lift
from app.search.reading import Part, Term
from app.search.snapshot import Snapshot, as_set
from app.search.store import store
from app.search.tables import Sought
from app.search.text import letters_of, slips, typos_allowed
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


#: Sets of people that a snapshot remembers by what was looked for, and the bytes they may take.
POSTINGS, POSTINGS_BYTES = 2000, 48 * 2**20


class Index:
    """What occurs in the profiles, and in whose; see :class:`app.search.reading.Terms`."""

    def __init__(self, connection: Connection, held: Snapshot) -> None:
        self._store, self._held = store(connection), held

    def has(self, stem: str) -> bool:
        """Tell whether some profile holds ``stem``."""
        return self._store.has(stem)

    def like(self, stem: str) -> list[str]:
        """Return the stems in profiles that ``stem`` may be a slip for, nearest first."""
        most = typos_allowed(stem)
        if not most:
            return []
        terms, mask = self._held.terms(self._store.words), letters_of(stem)
        near = sorted(
            (distance, term)
            for size in range(len(stem) - most, len(stem) + most + 1)
            # A copy: another thread may be adding what was just written.
            for term, letters in tuple(terms.get((stem[0], size), {}).items())
            # Each slip changes at most two of the letters that a word has.
            if (mask ^ letters).bit_count() <= 2 * most
            and (distance := slips(stem, term, most)) <= most
        )
        return [term for _, term in near]

    def people(self, column: str, sought: Iterable[Sought]) -> int:
        """Return who has any of ``sought`` in ``column``."""
        asked, known = (column, tuple(sought)), self._held.postings
        if asked not in known:
            if len(known) >= POSTINGS or len(known) * self._held.size // 8 > POSTINGS_BYTES:
                known.clear()
            known[asked] = as_set(self._store.people(*asked)) & self._held.everybody
        return known[asked]


def worth_of(part: Part, index: Index, places: Mapping[str, int]) -> Levels:
    """Return what ``part`` is worth, in thousandths, and to whom.

    :param places: words in the names of spaces and cities (stems), with the set of their people.
    """
    by_code = _codes_worth(part, index)
    own, elsewhere = _words_worth(part, index)
    worth = joined(by_code, own, round(OWN_WORD * WHOLE), WHOLE // 2)
    for level, people in elsewhere.items():
        lift(worth, people, level)
    for term in part.terms[:1]:
        lift(worth, places.get(" ".join(term.stems), 0), round(PLACE * WHOLE))
    return worth


def _codes_worth(part: Part, index: Index) -> Levels:
    sures: dict[float, list[str]] = {}
    for meaning in part.meanings:
        sures.setdefault(meaning.sure, []).append(meaning.code)
    worth: Levels = {}
    for sure, codes in sures.items():
        for column, value in CODE_COLUMNS:
            _take(worth, index.people(column, _codes(codes)), sure * value)
    if part.near:
        _take(worth, index.people("service", _codes(part.near)), NEAR)
        _take(worth, index.people("derived", _codes(part.near)), NEAR * 0.9)
    return worth


def _words_worth(part: Part, index: Index) -> tuple[Levels, Levels]:
    """Return what words are worth where they introduce the person, and elsewhere."""
    own: Levels = {}
    elsewhere: Levels = {}
    meant = any(meaning.sure >= 0.7 for meaning in part.meanings)
    for term in part.terms:
        phrase = [Sought(term.stems, term.prefix)]
        passing = index.people("aside", phrase) if meant else 0
        for column, value in TEXT_COLUMNS:
            if column == "name" and meant and term.how != "word":
                continue
            if meant:
                value = MEANT.get(column, value)
            if column != "name" and _guessed(term):
                value = min(value, GUESSED)
            into = own if column in OWN_COLUMNS else elsewhere
            found = index.people(column, phrase)
            if into is own and (aside := found & passing):
                _take(own, aside, ASIDE * term.sure)
                found ^= aside
            _take(into, found, value * term.sure)
    return own, elsewhere


def _guessed(term: Term) -> bool:
    """Tell whether ``term`` only resembles what was typed; names alone may be taken at that."""
    begun = term.prefix and len(term.stems[0]) < SURE_LETTERS and term.how == "prefix"
    return begun or term.how == "typo"


def _take(worth: Levels, found: int, value: float) -> None:
    if found:
        lift(worth, found, round(value * WHOLE))


def _codes(codes: Iterable[str]) -> Iterator[Sought]:
    return (Sought((token(code),)) for code in codes)
