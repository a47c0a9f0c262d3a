"""Reading a question: its parts, and for each part what it may mean and where to look for it.

Knows the vocabulary, not the index: which words occur in profiles is asked through ``known_terms``.
A part is a phrase of the vocabulary (longest first), or one word. For a word that the vocabulary
does not have, the other ways in are tried, from the surest to the boldest, until one leads
somewhere: written together or apart, half typed, mistyped, compounded, derived, part of a phrase.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from app.search.guessing import (
    ASKING,
    CLIENTS,
    DETERMINERS,
    FILLERS,
    GENERIC,
    LIGHT,
    LONGER,
    PREFIX,
    PREFIX_LETTERS,
    SPOKEN,
    SURE_PREFIX_LETTERS,
    TRADING,
    TYPO,
    begun,
    by_phrases,
    forms_first,
    guesses,
    longer,
    parted,
    respelled,
)
from app.search.kinds import kinds_of
from app.search.lexicon import SMALL, Lexicon, Meaning, Phrase, broad, neighbours
from app.search.own_words import lexicon_with
from app.search.parts import CLEAR, Part, Term, balanced
from app.search.text import STOP, Word, small, words

#: How surely the name of one kind of a speciality's work (trumpet) means the speciality.
OF_A_KIND = 0.6
#: Words of which a question has no more when it may be a name; each costs a look into the index.
NAME_WORDS = 3
#: Meanings that one part may have; the vaguest are dropped.
MEANINGS = 40
#: Words behind which the person says for whom they ask.
FOR = frozenset(("for", "pour", "fur", "para"))


class Terms(Protocol):
    """What occurs in the profiles, as far as reading a question needs to know it."""

    def has(self, stem: str) -> bool:
        """Tell whether some profile holds ``stem``."""

    def like(self, stem: str) -> list[str]:
        """Return the stems in profiles that ``stem`` may be a slip for, nearest first."""


def read(question: str, terms: Terms, own: Mapping[str, str] | None = None) -> tuple[Part, ...]:
    """Return the parts of ``question`` that carry meaning, in their order.

    :param own: codes by the space's own words for them.
    """
    reader = _Reading(question, lexicon_with(tuple(sorted((own or {}).items()))), terms)
    return balanced(reader.parts(), spoken=reader.spoken())


class _Reading:
    """One question on its way to parts."""

    def __init__(self, question: str, book: Lexicon, terms: Terms) -> None:
        self.question, self.book, self.terms = question, book, terms
        self.every = list(words(question))
        self.open = bool(question) and not question[-1].isspace()
        self.slipped: set[int] = set()
        self._part_compounds()

    def parts(self) -> list[Part]:
        """Read phrase by phrase, word by word; all words when none seems to carry meaning."""
        self._respell()
        found: list[Part] = []
        at = 0
        while at < len(self.every):
            part, at = self._next(at)
            found += [part] if part else []
        if not found:
            last = len(self.every) - 1
            found = [self._word(at, last=self.open and at == last) for at in range(last + 1)]
        return found

    def spoken(self) -> bool:
        """Tell whether somebody speaks of themselves, as one would aloud."""
        return any(word.folded in SPOKEN for word in self.every)

    def _part_compounds(self) -> None:
        self.every = [
            piece
            for at, word in enumerate(self.every)
            for piece in (not self._known(at) and parted(word, self.book)) or (word,)
        ]

    def _known(self, at: int) -> bool:
        word = self.every[at]
        known = word.folded in self.book.stem_of or word.stem in self.book.starting
        return known or self._small(at) or self.terms.has(word.stem)

    def _respell(self) -> None:
        for at in range(len(self.every)):
            if self._known(at):
                continue
            if better := respelled(self.every, at, self.book):
                self.every[at] = better
                self.slipped.add(at)

    def _next(self, at: int) -> tuple[Part | None, int]:
        """Return the part at ``at`` (None for a small word) and where the next begins."""
        found = self.book.longest(self.every, at)
        whole = found is not None and found[1] == len(self.every)
        begins = self.open and not whole and not self._small(at)
        if begins and (phrases := begun(self.every, at, self.book)):
            return self._begun(at, phrases), len(self.every)
        if found and not (self._small(at) and found[1] == at + 1):
            return self._phrase(found[0], at, found[1]), found[1]
        if self._small(at) or self._filler(at):
            return None, at + 1
        if together := self._together(at):
            return self._phrase(together, at, at + 2), at + 2
        last = self.open and at + 1 == len(self.every)
        # Of a word just begun nothing is known yet; the words before it say enough.
        if last and at and len(self.every[at].folded) < PREFIX_LETTERS:
            return None, at + 1
        return self._word(at, last=last), at + 1

    def _together(self, at: int) -> Phrase | None:
        """Return the phrase that two words are when written as one: web design, webdesign."""
        if at + 1 == len(self.every):
            return None
        one, other = self.every[at], self.every[at + 1]
        joined = one.folded + other.folded
        stemmed = self.book.stem_of.get(joined, one.folded + other.stem)
        tried = ((stemmed,), self.book.joined.get(stemmed))
        return next((phrase for phrase in tried if phrase in self.book.meanings), None)

    def _phrase(self, phrase: Phrase, start: int, end: int) -> Part:
        taken = self.every[start:end]
        last = self.open and end == len(self.every)
        slipped = not self.slipped.isdisjoint(range(start, end))
        meanings = by_phrases(
            self.book, [phrase], TYPO if slipped else 1.0, "typo" if slipped else "synonym"
        )
        if len(phrase) == len(taken) == 1:
            meanings = forms_first(meanings, taken[0], self.book)
        own = tuple(word.stem for word in taken if word.folded not in STOP) or phrase
        # Of "it support" only "support" would remain, which is another question.
        terms = [Term(own)] if len(own) > 1 or len(phrase) == 1 else []
        letters = len(taken[0].folded)
        if len(taken) == 1 and last and letters >= SURE_PREFIX_LETTERS:
            meanings += longer(taken[0], self.book, LONGER)
            terms.append(Term(own, prefix=True, sure=LONGER, how="prefix"))
        elif len(taken) == 1 and letters >= SURE_PREFIX_LETTERS + 1:
            meanings += longer(taken[0], self.book, LONGER * 0.8)
        generic = len(phrase) == 1 and phrase[0] in GENERIC
        part = self._part(start, end, meanings, terms, generic=generic)
        return replace(part, broad=broad(phrase))

    def _begun(self, at: int, phrases: list[Phrase]) -> Part:
        typed = self.every[-1].folded
        sure = PREFIX if len(typed) >= PREFIX_LETTERS else PREFIX * 0.85
        meanings = by_phrases(self.book, phrases, sure, "prefix")
        before = tuple(w.stem for w in self.every[at:-1] if w.folded not in STOP)
        # What stands complete keeps its meaning; it may be all that is wanted.
        meanings += by_phrases(self.book, [before], PREFIX, "synonym")
        terms = [Term(before, sure=0.8)] if before else []
        return self._part(at, len(self.every), meanings, terms)

    def _word(self, at: int, *, last: bool) -> Part:
        """Try every way in which the vocabulary or the profiles may have a word."""
        word = self.every[at]
        present = self.terms.has(word.stem)
        meanings = guesses(word, self.book, last=last, present=present)
        wanted = [Term((word.stem,))]
        if last and len(word.folded) >= 2:
            # "stratégi" begins a word whose stem ends in "y".
            typed = word.folded.removesuffix("i") if len(word.folded) > 4 else word.folded
            wanted.append(Term((typed,), prefix=True, sure=PREFIX, how="prefix"))
        slip = any(meaning.how == "typo" for meaning in meanings)
        # A slip for a word of the list may be one for a name too: "bauwer" is Anna Bauer.
        if not present and (not slip or len(self.every) <= NAME_WORDS):
            wanted += [
                Term((one,), sure=TYPO, how="typo") for one in self.terms.like(word.stem)[:4]
            ]
        part = self._part(at, at + 1, list(meanings), wanted, generic=word.stem in GENERIC)
        client = word.folded in CLIENTS or word.stem in CLIENTS
        unknown = not part.meanings and not present and len(wanted) == 1
        strange = not (present or part.clear or part.generic or part.light or client)
        plain = not (present or part.trading or (meanings and meanings[0].sure > OF_A_KIND))
        light = part.light or plain and self._task(at)
        return replace(part, unknown=unknown, strange=strange, light=light)

    def _task(self, at: int) -> bool:
        """Tell whether the word at ``at`` is by its place a verb: film our party, Hochzeit filmen.

        A word that is followed by an article is one at the beginning, and in German at the end
        one in small letters that ends as all of them do.
        """
        word = self.every[at]
        if at == 0:
            return len(self.every) > 2 and self.every[1].folded in DETERMINERS
        written = self.question[word.start : word.end]
        ends = self.every[at + 1 :]
        return (
            written.islower()
            and written.endswith(("en", "ern", "eln"))
            and all(one.folded in STOP | LIGHT for one in ends)
            and any(self.question[one.start].isupper() for one in self.every[:at])
        )

    def _small(self, at: int) -> bool:
        return small(self.every[at], self.question)

    def _filler(self, at: int) -> bool:
        """Tell whether the word at ``at`` only fills a sentence; the last may become another."""
        typed = self.open and at + 1 == len(self.every) and at == 0
        return self.every[at].folded in FILLERS and not typed

    def _aside(self, at: int) -> bool:
        """Tell whether "for", with whatever small words, stands before ``at``."""
        while at and self.every[at - 1].folded in SMALL | STOP:
            at -= 1
            if self.every[at].folded in FOR:
                return True
        return False

    def _part(
        self,
        start: int,
        end: int,
        meanings: list[Meaning],
        terms: list[Term],
        *,
        generic: bool = False,
    ) -> Part:
        taken = self.every[start:end]
        kept = _best_of(_of_kinds(meanings, taken))
        carried = sum(1 for word in taken if word.folded not in STOP) or 1
        return Part(
            said=self.question[taken[0].start : taken[-1].end],
            meanings=kept,
            terms=tuple(terms),
            weight=float(carried) ** 0.5,
            generic=generic,
            light=len(taken) == 1 and taken[0].folded in LIGHT,
            asking=len(taken) == 1 and taken[0].folded in ASKING,
            trading=len(taken) == 1 and taken[0].folded in TRADING,
            aside=self._aside(start),
            near=_near(kept),
        )


def _of_kinds(meanings: list[Meaning], taken: Sequence[Word]) -> list[Meaning]:
    """Say with each meaning which kind of it ``taken`` names; a mere kind means its speciality."""
    kinds = kinds_of(taken)
    if not kinds:
        return meanings
    meant = {meaning.code for meaning in meanings if meaning.sure >= OF_A_KIND}
    more = [
        Meaning(code, OF_A_KIND, "synonym", taken[0].folded)
        for code in kinds
        if code not in meant and len(taken) == 1
    ]
    return [
        replace(meaning, kind=kinds[meaning.code].stems) if meaning.code in kinds else meaning
        for meaning in meanings + more
    ]


def _best_of(meanings: list[Meaning]) -> tuple[Meaning, ...]:
    best: dict[str, Meaning] = {}
    for meaning in meanings:
        if meaning.code not in best or best[meaning.code].sure < meaning.sure:
            best[meaning.code] = meaning
    return tuple(sorted(best.values(), key=lambda meaning: -meaning.sure)[:MEANINGS])


def _near(kept: tuple[Meaning, ...]) -> tuple[str, ...]:
    """The specialities beside those that are clearly meant."""
    clear = [meaning.code for meaning in kept if meaning.sure >= CLEAR and meaning.how != "domain"]
    near = {code for clearly in clear[:3] for code in neighbours(clearly)}
    return tuple(sorted(near - {meaning.code for meaning in kept}))
