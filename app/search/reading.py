"""Reading a question: its parts, and for each part what it may mean and where to look for it.

Knows the vocabulary, not the index: which words occur in profiles is asked through ``known_terms``.
A part is a phrase of the vocabulary (longest first), or one word. For a word that the vocabulary
does not have, the other ways in are tried, from the surest to the boldest, until one leads
somewhere: written together or apart, half typed, mistyped, compounded, derived, part of a phrase.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Protocol

from app.search.lexicon import Lexicon, Meaning, Phrase, compound, lexicon
from app.search.text import STOP, Word, root, slips, typos_allowed, words
from federation import vocabulary

#: How sure a way of reaching a meaning leaves us; multiplied with the meaning's own.
PREFIX, TYPO, TAIL, HEAD, ROOT, PARTIAL = 0.9, 0.85, 0.75, 0.55, 0.7, 0.4
#: A speciality beside the one that was meant: shown under "perhaps", never surely.
NEAR = 0.35
#: A word that follows from a longer word being typed, when the short one is a word of its own.
LONGER = 0.6
#: Letters before a last word may stand for longer ones.
PREFIX_LETTERS = 3
#: Letters from which a half-typed word is sure enough to call the answer an answer.
SURE_PREFIX_LETTERS = 4

_GENERIC = """
coach consultant consultanc consulting conseil conseiller berater beratung consultor consultori
asesor asesori adviser advisor advice expert expertis specialist special especialist freelanc
freelancer designer design developer developpeur development engineer ingenieur ingenier manager
management director directeur teacher trainer formateur formation lehrer profesor professeur
instructor instructeur agent agenc agency servic compan company business studio atelier workshop
cour course kur lesson clas professional professionnel professionel pro artist technician
technicien tecnic maker planner analyst guid operator assistant assistanc chef doctor architect
therapist therapeut produc producer producteur editor worker officer entwickler entwicklung
planer trainerin schulung unterricht projekt project projet support entrepris empres unternehm
firm societ personal person team equip client cliente kunde work travail trabaj arbeit digital
online international local new nouveau petit small gros grand bon good best meilleur mejor gut
profi job product produit produkt producto system web site specialis problem question idee idea
strategi strategy creation projekte organisation analys
"""
#: Words that need another word beside them before they say what somebody does.
GENERIC = frozenset(_GENERIC.split())


class Terms(Protocol):
    """What occurs in the profiles, as far as reading a question needs to know it."""

    def has(self, stem: str) -> bool:
        """Tell whether some profile holds ``stem``."""

    def like(self, stem: str) -> list[str]:
        """Return the stems in profiles that ``stem`` may be a slip for, nearest first."""


@dataclass(frozen=True, slots=True)
class Term:
    """Stems to look for in the texts, next to each other."""

    stems: Phrase
    prefix: bool = False
    sure: float = 1.0
    how: str = "word"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a question."""

    said: str
    meanings: tuple[Meaning, ...]
    terms: tuple[Term, ...]
    weight: float
    """How much of the question this part carries, beside the others."""

    generic: bool = False
    """Says little alone: coach, service, project."""

    unknown: bool = False
    """Neither the vocabulary nor any profile has it."""

    near: tuple[str, ...] = field(default=())
    """Specialities beside those that were meant."""


def read(question: str, terms: Terms) -> tuple[Part, ...]:
    """Return the parts of ``question`` that carry meaning, in their order."""
    book = lexicon()
    every = words(question)
    open_ended = bool(question) and not question[-1].isspace()
    parts: list[Part] = []
    at = 0
    while at < len(every):
        taken, at = _next(question, every, at, book)
        if taken is None:
            continue
        phrase, start, end = taken
        last = open_ended and end == len(every)
        if phrase is None:
            parts.append(_one_word(question, every[start], book, terms, last=last))
        else:
            parts.append(_phrase(question, every[start:end], phrase, book, last=last))
    if not parts and every:
        parts = [_one_word(question, word, book, terms, last=open_ended) for word in every]
    return _balanced(parts)


def _next(
    question: str, every: list[Word], at: int, book: Lexicon
) -> tuple[tuple[Phrase | None, int, int] | None, int]:
    """Return the phrase or word at ``at`` (None for a small word) and where the next begins."""
    word = every[at]
    found = book.longest(every, at)
    small = word.folded in STOP and not question[word.start : word.end].isupper()
    if found and not (small and found[1] == at + 1):
        return (found[0], at, found[1]), found[1]
    if small:
        return None, at + 1
    # "web design" is in the book as "webdesign", or the other way round.
    if at + 1 < len(every):
        together = word.folded + every[at + 1].folded
        stemmed = book.stem_of.get(together, word.folded + every[at + 1].stem)
        for phrase in ((stemmed,), book.joined.get(stemmed)):
            if phrase in book.meanings:
                return (phrase, at, at + 2), at + 2
    return (None, at, at + 1), at + 1


def _phrase(question: str, taken: list[Word], phrase: Phrase, book: Lexicon, *, last: bool) -> Part:
    meanings = list(book.meanings[phrase])
    own = tuple(word.stem for word in taken if word.folded not in STOP) or phrase
    # Of "it support" only "support" would remain, which is another question.
    terms = [Term(own)] if len(own) > 1 or len(phrase) == 1 else []
    if len(taken) == 1:
        # Steuer -> Steuerberatung: German writes together what others write apart.
        if last and len(taken[0].folded) >= SURE_PREFIX_LETTERS:
            longer = [one for one in book.starts_with(taken[0].folded) if one != taken[0].folded]
            meanings += _by(book, ((book.stem_of[one],) for one in longer), LONGER, "prefix")
            terms.append(Term(own, prefix=True, sure=LONGER, how="prefix"))
        elif len(taken[0].folded) >= 5:
            longer = [one for one in book.starts_with(taken[0].folded) if one != taken[0].folded]
            meanings += _by(book, ((book.stem_of[one],) for one in longer), LONGER * 0.8, "prefix")
    generic = len(phrase) == 1 and phrase[0] in GENERIC
    return _part(question, taken, meanings, terms, generic=generic)


def _one_word(question: str, word: Word, book: Lexicon, terms: Terms, *, last: bool) -> Part:
    """Try every way in which the vocabulary or the profiles may have ``word``."""
    present = terms.has(word.stem)
    wanted = [Term((word.stem,))]
    meanings: list[Meaning] = []
    if joined := book.joined.get(word.stem) or book.joined.get(word.folded):
        meanings += _by(book, [joined], 1.0, "synonym")
    if last and len(word.folded) >= PREFIX_LETTERS:
        meanings += _half_typed(word, book)
        wanted.append(Term((word.folded,), prefix=True, sure=PREFIX, how="prefix"))
    elif last and len(word.folded) == 2:
        wanted.append(Term((word.folded,), prefix=True, sure=PREFIX, how="prefix"))
    if not meanings:
        meanings += _compounded(word, book)
    if (
        not present
        and word.folded not in book.stem_of
        and (not meanings or meanings[0].how == "prefix")
    ):
        slipped = _mistyped(word, book)
        meanings = slipped + meanings if slipped else meanings
        if not slipped:
            wanted += [Term((s,), sure=TYPO, how="typo") for s in terms.like(word.stem)[:4]]
    if not meanings:
        meanings += _derived(word, book)
    if not meanings:
        meanings += _by(book, book.holding.get(word.stem, ()), PARTIAL, "near")[:6]
    unknown = not meanings and not present and len(wanted) == 1
    part = _part(question, [word], meanings, wanted, generic=word.stem in GENERIC)
    return replace(part, unknown=unknown)


def _half_typed(word: Word, book: Lexicon) -> list[Meaning]:
    reached = book.starts_with(word.folded)
    # The shorter the rest, the likelier the word.
    phrases = [(book.stem_of[one],) for one in sorted(reached, key=len)]
    sure = PREFIX if len(word.folded) >= SURE_PREFIX_LETTERS else PREFIX * 0.85
    meanings = _by(book, phrases, sure, "prefix")
    # "transl" also begins "translation agency", whose first word may be no phrase of its own.
    if not meanings:
        starts = [
            phrase
            for first, phrases_ in book.starting.items()
            if first.startswith(word.folded)
            for phrase in phrases_
        ]
        meanings = _by(book, starts[:20], sure * 0.8, "prefix")
    return meanings


def _compounded(word: Word, book: Lexicon) -> list[Meaning]:
    head, tail = compound(word.folded, book)
    meanings: list[Meaning] = []
    if tail and tail[0] not in GENERIC:
        meanings += _by(book, [tail], TAIL, "synonym")
    if head and head[0] not in GENERIC:
        # With a generic end (Steuer|service), the beginning is what is meant.
        plain = tail is None or tail[0] in GENERIC
        meanings += _by(book, [head], TAIL if plain else HEAD, "synonym")
    return meanings


def _mistyped(word: Word, book: Lexicon) -> list[Meaning]:
    found = book.like(word.folded)
    phrases = [((book.stem_of[one],), made) for one, made in found]
    meanings: list[Meaning] = []
    for phrase, made in phrases:
        sure = TYPO if made == 1 else TYPO * 0.95
        if phrase in book.meanings:
            meanings += _by(book, [phrase], sure, "typo")
        else:
            meanings += _by(book, book.holding.get(phrase[0], ())[:4], PARTIAL * sure, "typo")
    return sorted(meanings, key=lambda meaning: -meaning.sure)


def _derived(word: Word, book: Lexicon) -> list[Meaning]:
    stump = root(word.folded)
    return _by(book, book.roots.get(stump, ()), ROOT, "synonym") if stump else []


def _by(book: Lexicon, phrases: Iterable[Phrase], sure: float, how: str) -> list[Meaning]:
    """Return what ``phrases`` mean, less surely and reached in the way ``how`` says."""
    return [
        replace(
            meaning,
            sure=round(meaning.sure * sure, 3),
            how=how if how != "synonym" else meaning.how,
        )
        for phrase in phrases
        for meaning in book.meanings.get(phrase, ())
    ]


def _part(
    question: str, taken: list[Word], meanings: list[Meaning], terms: list[Term], *, generic: bool
) -> Part:
    best: dict[str, Meaning] = {}
    for meaning in meanings:
        if meaning.code not in best or best[meaning.code].sure < meaning.sure:
            best[meaning.code] = meaning
    kept = sorted(best.values(), key=lambda meaning: -meaning.sure)[:40]
    clear = [meaning for meaning in kept if meaning.sure >= 0.7 and meaning.how != "domain"][:3]
    near = {
        code
        for meaning in clear
        if meaning.code in vocabulary.specialities()
        for code in vocabulary.specialities()[meaning.code].near
    } - best.keys()
    carried = sum(1 for word in taken if word.folded not in STOP) or 1
    return Part(
        said=question[taken[0].start : taken[-1].end],
        meanings=tuple(kept),
        terms=tuple(terms),
        weight=float(carried) ** 0.5,
        generic=generic,
        near=tuple(sorted(near)),
    )


def _balanced(parts: list[Part]) -> tuple[Part, ...]:
    """Weigh the parts against each other: those with a clear meaning carry the question."""
    clear = [p for p in parts if not p.generic and p.meanings and p.meanings[0].sure >= 0.7]
    others = [p for p in parts if not p.generic]
    return tuple(
        replace(
            part,
            weight=part.weight
            * (0.3 if part.generic and others else 1.0 if part in clear or not clear else 0.5),
        )
        for part in parts
    )


def matches(term: Term, texts: list[Word]) -> list[tuple[int, int]]:
    """Return the spans of ``texts`` where ``term`` stands, small words between ignored."""
    plain = [word for word in texts if word.folded not in STOP] or texts
    size = len(term.stems)
    spans = []
    for at in range(len(plain) - size + 1):
        window = plain[at : at + size]
        exact = all(word.stem == wanted for word, wanted in zip(window, term.stems, strict=True))
        begun = term.prefix and size == 1 and window[0].folded.startswith(term.stems[0])
        if exact or begun:
            spans.append((window[0].start, window[-1].end))
    return spans


__all__ = ["GENERIC", "NEAR", "Part", "Term", "Terms", "matches", "read", "slips", "typos_allowed"]
