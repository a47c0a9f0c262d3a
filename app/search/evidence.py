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

from collections.abc import Iterable, Iterator

from sqlalchemy import Connection

from app.search.guessing import NEAR
from app.search.keys import BEGINNINGS, LONGEST, phrase_keys
from app.search.kinds import BEGINS_FROM
from app.search.levels import WHOLE, Levels, joined, lift
from app.search.lexicon import Phrase
from app.search.parts import Part, Term
from app.search.people import NOBODY, People, union
from app.search.slips import letters_apart, letters_of, slips, typos_allowed
from app.search.snapshot import Snapshot
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
#: The column that holds long texts: most words of all, and worth the least.
LONG = "body"
#: Every column that holds words.
WORDED = (*(column for column, _ in TEXT_COLUMNS), "aside")
#: Worth of a word in a text that only resembles what was typed: a butcher is no Buch.
GUESSED = 0.5
#: Letters from which the beginning of a word stands for the word.
SURE_LETTERS = 6
#: Where words introduce the person, rather than tell a story.
OWN_COLUMNS = ("title", "profession", "headline")
#: Where words say which kind of their speciality somebody does.
KIND_COLUMNS = (*OWN_COLUMNS, "body", "aside")
#: Worth of a space or city named in the question.
PLACE = 0.9
#: Added when the person's own word stands in a title, profession or headline beside the code.
OWN_WORD = 0.06
#: For a word that means a speciality, where it proves less than it would for any other word:
#: interests are no offer, and a title may speak of somebody else's work.
MEANT = {"title": 0.75, "profession": 0.85, "headline": 0.7, "extra": 0.4}
#: The same behind "for" or as an epithet: a trainer for lawyers is no lawyer.
ASIDE = 0.5
#: A speciality of many kinds, when nothing says that somebody does the one that was asked for.
OF_ANOTHER_KIND = 0.5
#: Words of profiles that are considered for a word that nobody has.
SLIPS = 8
#: Words of one question that may be slips; who mistypes more of them is not understood.
FORGIVEN = 6


class Index:
    """What occurs in the profiles, and in whose; see :class:`app.search.reading.Terms`."""

    def __init__(self, connection: Connection, held: Snapshot) -> None:
        self._connection, self._held = connection, held
        self._forgiven = 0

    def has(self, stem: str) -> bool:
        """Tell whether some profile holds ``stem``."""
        keys = [f"{column}:{stem[:LONGEST]}" for column in WORDED]
        self._held.look_up(self._connection, keys)
        return any(self._held.having(self._connection, key) for key in keys)

    def like(self, stem: str) -> list[str]:
        """Return the stems in profiles that ``stem`` may be a slip for, nearest first."""
        most = typos_allowed(stem)
        if not most or self._forgiven == FORGIVEN:
            return []
        self._forgiven += 1
        mask = letters_of(stem)
        near = sorted(
            (distance, word)
            for size in range(len(stem) - most, len(stem) + most + 1)
            for word, letters in self._held.words_like(self._connection, stem[0], size).items()
            if (mask ^ letters).bit_count() <= letters_apart(size, len(stem), most)
            and (distance := slips(stem, word, most)) <= most
        )
        nearest = [word for _, word in near[:SLIPS]]
        self._held.look_up(self._connection, [f"{c}:{word}" for word in nearest for c in WORDED])
        return [word for word in nearest if self.has(word)]

    def look_up(self, parts: Iterable[Part]) -> None:
        """Read at once whatever weighing ``parts`` will ask for."""
        self._held.look_up(self._connection, {key for part in parts for key in _asked(part)})

    def coded(self, column: str, codes: Iterable[str]) -> People:
        """Return who has any of ``codes`` in ``column``."""
        having = self._held.having
        return union([having(self._connection, f"{column}:{token(code)}") for code in codes])

    def of_kind(self, stems: Phrase) -> People:
        """Return whose texts hold any of ``stems``, long ones also as the beginning of a word."""
        having, beginning = self._held.having, self._held.having_any
        return union(
            [
                (beginning if len(stem) >= BEGINS_FROM else having)(
                    self._connection, f"{column}:{stem[:LONGEST]}"
                )
                for stem in stems
                for column in KIND_COLUMNS
            ]
        )

    def worded(self, column: str, term: Term) -> People:
        """Return who has the words of ``term`` in ``column``, one after another."""
        held, connection = self._held, self._connection
        if _ranges(term):
            return held.having_any(connection, f"{column}:{term.stems[-1][:LONGEST]}")
        found, *more = (held.having(connection, key) for key in _keys(column, term))
        for people in more:
            found &= people
        return found


def _asked(part: Part) -> Iterator[str]:
    """The keys that say who answers ``part``."""
    codes = [meaning.code for meaning in part.meanings]
    for column, _ in CODE_COLUMNS:
        yield from (f"{column}:{token(code)}" for code in (*codes, *part.near))
    for term in part.terms:
        if not _ranges(term):
            for column in WORDED:
                yield from _keys(column, term)


def _keys(column: str, term: Term) -> list[str]:
    return [f"{column}:{term.stems[0]}*"] if term.prefix else phrase_keys(column, term.stems)


def _ranges(term: Term) -> bool:
    """Tell whether ``term`` is a beginning too long to have a key of its own."""
    return term.prefix and len(term.stems[0]) not in BEGINNINGS


def worth_of(part: Part, index: Index, named: People, *, long_texts: bool = True) -> Levels:
    """Return what ``part`` is worth, in thousandths, and to whom.

    :param named: who is where the part says.
    :param long_texts: False to leave out who has a word that begins so in a long text, and perhaps
        nowhere else: nobody's worth is more than :func:`begun_in_long_texts` for that alone.
    """
    by_code = _codes_worth(part, index)
    own, elsewhere = _words_worth(part, index, long_texts=long_texts)
    worth = joined(by_code, own, round(OWN_WORD * WHOLE), WHOLE // 2)
    for level, people in elsewhere.items():
        lift(worth, people, level)
    lift(worth, named, round(PLACE * WHOLE))
    return worth


def _codes_worth(part: Part, index: Index) -> Levels:
    sures: dict[tuple[float, Phrase], list[str]] = {}
    for meaning in part.meanings:
        sures.setdefault((meaning.sure, meaning.kind), []).append(meaning.code)
    worth: Levels = {}
    for (sure, kind), codes in sures.items():
        for column, value in CODE_COLUMNS:
            people = index.coded(column, codes)
            if kind:
                _take(worth, people, min(sure * value, OF_ANOTHER_KIND))
                people = people & index.of_kind(kind)
            _take(worth, people, sure * value)
    if part.near:
        _take(worth, index.coded("service", part.near), NEAR)
        _take(worth, index.coded("derived", part.near), NEAR * 0.9)
    return worth


def begun_in_long_texts(part: Part) -> int:
    """Return what ``part`` is worth, in thousandths, to who has only a word of a long text for it
    that begins so; 0 when it is no beginning whose words are read one by one.
    """
    value = dict(TEXT_COLUMNS)[LONG]
    return max((round(value * one.sure * WHOLE) for one in part.terms if _ranges(one)), default=0)


def _words_worth(part: Part, index: Index, *, long_texts: bool) -> tuple[Levels, Levels]:
    """Return what words are worth where they introduce the person, and elsewhere."""
    own: Levels = {}
    elsewhere: Levels = {}
    meant = any(meaning.sure >= 0.7 for meaning in part.meanings)
    # Of a word that was mistyped nobody knows whether a trade was meant or a name.
    trade = any(meaning.sure >= 0.7 and meaning.how != "typo" for meaning in part.meanings)
    for term in part.terms:
        passing = index.worded("aside", term) if meant else NOBODY
        for column, value in TEXT_COLUMNS:
            if column == "name" and trade and term.how != "word":
                continue
            if column == LONG and not long_texts and _ranges(term):
                continue
            if meant:
                value = MEANT.get(column, value)
            if column != "name" and _guessed(term):
                value = min(value, GUESSED)
            into = own if column in OWN_COLUMNS else elsewhere
            found = index.worded(column, term)
            if into is own and (aside := found & passing):
                _take(own, aside, ASIDE * term.sure)
                found ^= aside
            _take(into, found, value * term.sure)
    return own, elsewhere


def _guessed(term: Term) -> bool:
    """Tell whether ``term`` only resembles what was typed; names alone may be taken at that."""
    begun = term.prefix and len(term.stems[0]) < SURE_LETTERS and term.how == "prefix"
    return begun or term.how == "typo"


def _take(worth: Levels, found: People, value: float) -> None:
    if found:
        lift(worth, found, round(value * WHOLE))
