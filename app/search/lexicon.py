"""The shared vocabulary, turned round: from the words people use to the specialities they mean.

Built once per process from labels and synonyms of all four languages together; a question does
not say its language. A phrase is the sequence of its stems without small words, so "droit du
travail" and "droits travail" are one phrase. How surely a phrase means a code:

* the code's own label 1.0, one of its words 0.92, half of a label with "and" in it 0.8;
* a word of the whole domain 0.8 for each of its specialities;
* less when many specialities claim the phrase, because then it says little about any.
"""

from __future__ import annotations

import gc
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol

from app.search.forms import form_of
from app.search.slips import letters_apart, letters_of, slips, typos_allowed
from app.search.text import fold, root, stem, words
from federation import vocabulary

LABEL, SYNONYM, HALF, DOMAIN = 1.0, 0.92, 0.8, 0.8
#: Claimed by this many specialities or more, a phrase says little about each.
VAGUE_FROM = 4
VAGUE = 0.8
_SMALL = """
a and au aux d da das dans de del della dem den der des die du e ein el en et for fur gegen il
im in l la las le les los mit nach of ohne on para per por pour sans sin sur the to um un und
une von y zu zum zur auf avec con o ou or oder with within my mon ma mes
our your notre nos votre vos mein meine meinen meinem meiner unser unsere unseren unserem unserer
mi mis nuestra nuestro is are was were been est sont ete ist sind wurde wurden worden esta estan
"""
#: Small words inside phrases; their loss changes no meaning within a label.
SMALL = frozenset(_SMALL.split())

#: Letters from which a word of another language is taken for itself.
FOREIGN_LETTERS = 6
#: Words that are remembered with what they may be slips for.
LIKED_KEPT = 4096

Phrase = tuple[str, ...]


class Spoken(Protocol):
    """A word of a text or a question, as far as phrases are looked for in it."""

    @property
    def folded(self) -> str: ...

    @property
    def stem(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Meaning:
    """A speciality that a phrase may mean."""

    code: str
    sure: float
    """From 0 to 1."""

    how: str
    """``synonym`` (also for the label), ``domain``, or how the phrase was reached."""

    phrase: str
    """The label or word as the vocabulary writes it."""

    kind: Phrase = ()
    """What somebody's own words must hold too, any of these stems: of a speciality with many kinds
    one was asked for."""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Every phrase of the vocabulary, ready to be found by what people type."""

    meanings: Mapping[Phrase, tuple[Meaning, ...]]
    starting: Mapping[str, tuple[Phrase, ...]]
    """Phrases by their first stem, longest first."""

    joined: Mapping[str, Phrase]
    """Phrases of two or three words by their letters written together."""

    holding: Mapping[str, tuple[Phrase, ...]]
    """Longer phrases by each of their stems."""

    singles: tuple[str, ...]
    """Every folded word that is a phrase by itself, sorted."""

    stem_of: Mapping[str, str]
    """The stem of each folded word of the vocabulary, also of those inside phrases."""

    roots: Mapping[str, tuple[Phrase, ...]]
    spelled: Mapping[Phrase, frozenset[tuple[str, Phrase]]]
    """How each phrase is written: language and folded words."""

    by_size: Mapping[tuple[str, int], tuple[tuple[str, int], ...]]
    """Folded words by first letter and length with their letters, to compare with few."""

    written: Mapping[tuple[str, str], frozenset[tuple[str, str]]]
    """How single words are written, by stem and code: language and folded word. Those of a domain
    stand under no code."""

    liked: dict[str, list[tuple[str, int]]] = field(default_factory=dict, compare=False)
    """What words were found to be slips for."""

    def starts_with(self, prefix: str, most: int = 40) -> list[str]:
        """Return single words that begin with ``prefix`` (folded)."""
        start = bisect_left(self.singles, prefix)
        found = []
        for word in self.singles[start : start + most]:
            if not word.startswith(prefix):
                break
            found.append(word)
        return found

    def like(self, folded: str) -> list[tuple[str, int]]:
        """Return the vocabulary's words that ``folded`` may be a slip for, with the slips made."""
        # Asked twice for each word: for the phrase that it may complete, and for itself.
        if (found := self.liked.get(folded)) is None:
            if len(self.liked) >= LIKED_KEPT:
                self.liked.clear()
            self.liked[folded] = found = self._like(folded)
        return found

    def _like(self, folded: str) -> list[tuple[str, int]]:
        allowed = typos_allowed(folded)
        if not allowed:
            return []
        firsts = {folded[0], folded[1]} if allowed == 1 else set("abcdefghijklmnopqrstuvwxyz")
        mask = letters_of(folded)
        near: list[tuple[str, int]] = []
        for first in sorted(firsts):
            most = allowed if _alike(folded[0], first) else 1
            for size in range(len(folded) - most, len(folded) + most + 1):
                apart = letters_apart(size, len(folded), most)
                near += [
                    (word, distance)
                    for word, letters in self.by_size.get((first, size), ())
                    if (mask ^ letters).bit_count() <= apart
                    and (allowed > 1 or _begun_alike(folded, word))
                    and (distance := slips(folded, word, most)) <= most
                ]
        least = min((distance for _, distance in near), default=0)
        return [(word, distance) for word, distance in near if distance == least]

    def longest(self, words_: Sequence[Spoken], at: int) -> tuple[Phrase, int] | None:
        """Return the longest phrase beginning at ``at`` and where it ends; small words may pass."""
        best: tuple[Phrase, int] | None = None
        following = _following(words_, at)
        for phrase in self.starting.get(words_[at].stem, ()):
            if len(phrase) == 1:
                end: int | None = at + 1
            elif phrase[1] in following:
                end = _reach(words_, at, phrase)
            else:
                # So it is with almost all phrases that begin with a common word.
                continue
            if end and (best is None or end > best[1]):
                best = (phrase, end)
        return best

    def lists(self, meaning: Meaning, word: Spoken) -> bool:
        """Tell whether ``word`` is a form of what is listed, and has not only its stem."""
        code = "" if meaning.how == "domain" else meaning.code
        ways = self.written.get((word.stem, code), ())
        if not ways or word.folded == fold(meaning.phrase):
            return True
        return any(form_of(word.folded, listed, of) for of, listed in ways)

    def native(self, phrase: Phrase, folded: Phrase, language: str) -> bool:
        """Tell whether ``phrase``, written as ``folded``, can be meant in a text of ``language``.

        A phrase of another language must be spelled as there, and not be a short word alone:
        the French "venu" is no venue, and "pain" is bread.
        """
        ways = self.spelled.get(phrase, frozenset())
        if not language or any(of == language for of, _ in ways):
            return True
        short = len(folded) == 1 and len(folded[0]) < FOREIGN_LETTERS
        return not short and any(written == folded for _, written in ways)


@cache
def lexicon() -> Lexicon:
    """Return the lexicon of the shared vocabulary."""
    # Nothing of what is made here is dropped before all of it is; the collector would look through
    # it in vain again and again, for a fifth of the time.
    collects = gc.isenabled()
    gc.disable()
    try:
        book = _built()
    finally:
        if collects:
            gc.enable()
    # It stays as long as the process: looking through it takes as long as ten searches.
    gc.collect()
    gc.freeze()
    return book


def _built() -> Lexicon:
    found: dict[Phrase, dict[str, Meaning]] = defaultdict(dict)
    forms: dict[str, str] = {}
    spelled: dict[Phrase, set[tuple[str, Phrase]]] = defaultdict(set)
    written: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    for language, text, codes, sure, how in _entries():
        pieces = [word for word in words(text) if word.folded not in SMALL] or words(text)
        phrase = tuple(word.stem for word in pieces)
        if not phrase:
            continue
        forms.update((word.folded, word.stem) for word in pieces)
        spelled[phrase].add((language, tuple(word.folded for word in pieces)))
        if len(pieces) == 1:
            code = "" if how == "domain" else codes[0]
            written[phrase[0], code].add((language, pieces[0].folded))
        for code in codes:
            held = found[phrase].get(code)
            if held is None or held.sure < sure:
                found[phrase][code] = Meaning(code, sure, how, text)
    weighed = {phrase: _weighed(of) for phrase, of in found.items()}
    return _arranged(weighed, forms, spelled, written)


def _entries() -> Iterator[tuple[str, str, tuple[str, ...], float, str]]:
    """Every label, word and half of a label, with its language and the codes it means."""
    for code, speciality in vocabulary.specialities().items():
        for language in vocabulary.LANGUAGES:
            label = speciality.labels[language]
            for form in _forms(label):
                yield language, form, (code,), LABEL, "synonym"
            for half in _halves(label):
                yield language, half, (code,), HALF, "synonym"
            for word in speciality.words[language]:
                for form in _forms(word):
                    yield language, form, (code,), SYNONYM, "synonym"
    for domain in vocabulary.domains().values():
        for language in vocabulary.LANGUAGES:
            for word in (domain.labels[language], *domain.words[language]):
                yield language, word, domain.specialities, DOMAIN, "domain"


_BRACKETS = re.compile(r"\s*\(([^)]*)\)")
_AND = re.compile(r"\s+(?:et|and|und|y|e|&)\s+|\s*,\s*")


def _forms(label: str) -> Iterator[str]:
    """The ways in which a label is meant: without its brackets, and each side of a slash."""
    plain = _BRACKETS.sub("", label).strip()
    if "/" not in plain:
        yield plain
        return
    sides = [side.strip() for side in plain.split("/") if side.strip()]
    longest = max(len(side.split()) for side in sides)
    # "Asesora/Asesor jurídico": the shorter side alone would lose the adjective, and its meaning.
    yield from (side for side in sides if len(side.split()) == longest)


def _halves(label: str) -> Iterator[str]:
    """What stands in brackets, and what stands on both sides of an "and"."""
    for inside in _BRACKETS.findall(label):
        yield from _AND.split(inside)
    sides = _AND.split(_BRACKETS.sub("", label))
    if len(sides) > 1:
        yield from sides


def _weighed(of: dict[str, Meaning]) -> tuple[Meaning, ...]:
    # A phrase that one speciality bears as its label means the others less.
    owned = any(meaning.sure == LABEL for meaning in of.values())
    own = [meaning for meaning in of.values() if meaning.how != "domain"]
    factor = VAGUE if len(own) >= VAGUE_FROM else 1.0
    weighed = [
        Meaning(
            meaning.code,
            round(
                meaning.sure
                * (1.0 if meaning.sure == LABEL else factor)
                * (0.9 if owned and meaning.sure < LABEL else 1.0),
                3,
            ),
            meaning.how,
            meaning.phrase,
        )
        for meaning in of.values()
        if meaning.how != "domain" or not own
    ]
    return tuple(sorted(weighed, key=lambda meaning: -meaning.sure))


def _arranged(
    meanings: dict[Phrase, tuple[Meaning, ...]],
    forms: dict[str, str],
    spelled: dict[Phrase, set[tuple[str, Phrase]]],
    written: dict[tuple[str, str], set[tuple[str, str]]],
) -> Lexicon:
    starting: dict[str, list[Phrase]] = defaultdict(list)
    holding: dict[str, list[Phrase]] = defaultdict(list)
    roots: dict[str, list[Phrase]] = defaultdict(list)
    for phrase in meanings:
        starting[phrase[0]].append(phrase)
        for one in set(phrase) if len(phrase) > 1 else ():
            holding[one].append(phrase)
    singles = sorted(folded for folded, stemmed in forms.items() if (stemmed,) in meanings)
    for folded in singles:
        if stump := root(folded):
            roots[stump].append((forms[folded],))
    sizes: dict[tuple[str, int], list[tuple[str, int]]] = defaultdict(list)
    for folded in forms:
        sizes[folded[0], len(folded)].append((folded, letters_of(folded)))
    return Lexicon(
        meanings=meanings,
        starting={
            first: tuple(sorted(phrases, key=len, reverse=True))
            for first, phrases in starting.items()
        },
        joined={"".join(phrase): phrase for phrase in meanings if 1 < len(phrase) <= 3},
        holding={one: tuple(phrases) for one, phrases in holding.items()},
        singles=tuple(singles),
        stem_of=forms,
        roots={stump: tuple(dict.fromkeys(phrases)) for stump, phrases in roots.items()},
        spelled={phrase: frozenset(of) for phrase, of in spelled.items()},
        by_size={key: tuple(of) for key, of in sizes.items()},
        written={key: frozenset(of) for key, of in written.items()},
    )


#: First letters that sound the same in some words: fotógrafa, photographer.
_SOUNDS = frozenset(map(frozenset, ("fp", "ck", "cs", "sz", "cz", "ij", "gj", "vw", "fv", "iy")))


def _alike(one: str, other: str) -> bool:
    """Tell whether words of two slips may begin so: nobody mistypes a bookkeeper as a zookeeper."""
    return one == other or frozenset((one, other)) in _SOUNDS


def _begun_alike(typed: str, word: str) -> bool:
    """Tell whether short words may be the same: people mistype the beginning of a word least.

    Two first letters change places, a mute h is forgotten or put; but flights are no lights.
    """
    return typed[0] == word[0] or typed[:2] == word[1::-1] or "h" in (typed[0], word[0])


def _following(words_: Sequence[Spoken], at: int) -> list[str]:
    """Return the stems with which a phrase may go on behind ``at``, small words passed over."""
    found: list[str] = []
    for position in range(at + 1, len(words_)):
        word = words_[position]
        found.append(word.stem)
        if word.folded not in SMALL:
            break
    return found


def _reach(words_: Sequence[Spoken], at: int, phrase: Phrase) -> int | None:
    """Return the position after ``phrase`` if it stands at ``at``, small words between ignored."""
    position = at
    for wanted in phrase:
        while position > at and position < len(words_) and words_[position].folded in SMALL:
            if words_[position].stem == wanted:
                break
            position += 1
        if position >= len(words_) or words_[position].stem != wanted:
            return None
        position += 1
    return position


def compound(folded: str, book: Lexicon) -> tuple[Phrase | None, Phrase | None]:
    """Return the known words that a German compound begins and ends with (Hochzeits|fotograf).

    Only words of ten letters and more, into a beginning of five or more and an end of six or more.
    """
    if len(folded) < 10 or not folded.isalpha():
        return None, None
    head = tail = None
    for cut in range(5, len(folded) - 3):
        begins = folded[:cut]
        if begins in book.stem_of and (phrase := (stem(begins),)) in book.meanings:
            head = phrase
    for cut in range(4, len(folded) - 5):
        ends = folded[cut:]
        if (phrase := (stem(ends),)) in book.meanings:
            tail = phrase
            break
    return head, tail


@cache
def _links() -> Mapping[str, frozenset[str]]:
    links: dict[str, set[str]] = defaultdict(set)
    for code, one in vocabulary.specialities().items():
        for other in one.near:
            links[code].add(other)
            links[other].add(code)
    return {code: frozenset(others) for code, others in links.items()}


def neighbours(code: str) -> frozenset[str]:
    """Return the specialities near ``code``, whichever of the two says so."""
    return _links().get(code, frozenset())


@cache
def _broad() -> frozenset[Phrase]:
    return frozenset(
        tuple(one.stem for one in words(word) if one.folded not in SMALL)
        for domain in vocabulary.domains().values()
        for language in vocabulary.LANGUAGES
        for word in domain.words[language]
    )


def broad(phrase: Phrase) -> bool:
    """Tell whether ``phrase`` says somebody of a whole domain, as "avocat" does of all of law."""
    return phrase in _broad()


def label_of(code: str, language: str) -> str:
    """Return the speciality's name in ``language``, or the code itself when we do not know it."""
    return vocabulary.label(code, language) or code


def known(text: str) -> tuple[Meaning, ...]:
    """Return what the whole of ``text`` means in the vocabulary; nothing when it is not in it."""
    phrase = tuple(word.stem for word in words(text) if word.folded not in SMALL)
    return lexicon().meanings.get(phrase, ())


__all__ = [
    "Lexicon",
    "Meaning",
    "Phrase",
    "broad",
    "compound",
    "fold",
    "known",
    "label_of",
    "lexicon",
    "neighbours",
]
