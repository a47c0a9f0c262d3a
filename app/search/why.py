"""Why somebody is in the answer, said from their card: reasons for people, spans to mark.

Looks at one card at a time, for the few that are shown. The index decided that they match; this
finds the words to show for it, in the order in which they would convince.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Self

from app.search.answers import Field, How, Reason, Span
from app.search.cards import Card, CardService
from app.search.clues import Clues, Trail
from app.search.naming import places_named
from app.search.parts import Part, Term
from app.search.text import STOP, Word, stem, words
from app.search.tongues import TONGUES
from app.search.translations import in_further_languages, is_translated, written_first
from app.search.writing import titled_by_more

_TAGS = {stem(name): tag for name, tag in TONGUES.items()}

#: Characters of a longer text shown around what was found in it.
AROUND = 60


@dataclass(frozen=True, slots=True)
class Wanted:
    """A part of a question, as texts are compared with it."""

    part: Part
    codes: Mapping[str, str]
    """How each speciality that it may mean was reached."""

    firsts: frozenset[str]
    """With one of these stems its words begin, wherever they stand."""

    begun: tuple[str, ...]
    """Letters with which a word may begin instead."""

    how: How
    """How words that were found belong to the person's: a slip, a beginning, or as typed."""

    tags: frozenset[str]
    """Languages that it names."""

    trail: Trail
    """What it leaves in the index wherever it is found."""

    @classmethod
    def of(cls, part: Part) -> Self:
        """Work out what is the same for every text."""
        slipped = all(term.how == "typo" for term in part.terms[1:]) and len(part.terms) > 1
        named = (_TAGS.get(term.stems[0], "") for term in part.terms if len(term.stems) == 1)
        codes = {meaning.code: meaning.how for meaning in part.meanings}
        firsts = frozenset(term.stems[0] for term in part.terms)
        begun = tuple(term.stems[0] for term in part.terms if term.prefix)
        return cls(
            part,
            codes,
            firsts,
            begun,
            "typo" if slipped else "word",
            frozenset(filter(None, named)),
            Trail.of(firsts, begun, codes),
        )


def explain(
    card: Card, parts: Sequence[Wanted], clues: Clues
) -> tuple[tuple[Reason, ...], dict[str, tuple[Span, ...]]]:
    """Return a reason for each part that ``card`` answers, and the spans to mark by field.

    The biography is marked for those parts only that nothing else answers.

    :param clues: what the index keeps of the card; only texts are read that have some.
    """
    marks: dict[str, set[Span]] = defaultdict(set)
    reasons = []
    for part in parts:
        found = list(_found(card, part, clues, marks))
        # Long texts are read for those only who say it nowhere else.
        reason = found[0] if found else next(_in_long_texts(card, part, clues, marks), None)
        if reason is None or reason.how == "near":
            reason = _unshown(card, part, clues) or reason
        if reason:
            reasons.append(reason)
    spans = {name: _apart(of) for name, of in marks.items() if of}
    return tuple(dict.fromkeys(reasons)), spans


def _found(
    card: Card, wanted: Wanted, clues: Clues, marks: dict[str, set[Span]]
) -> Iterator[Reason]:
    """Every reason that speaks for ``wanted``, the most convincing first; marks on the way."""
    said, trail = wanted.part.said, wanted.trail
    yield from _in_services(card, wanted, clues, marks)
    yield from _in_text(wanted, "profession", card.profession, card.locale, clues, marks)
    lang = card.headline_lang or card.locale
    yield from _in_text(wanted, "headline", card.headline, lang, clues, marks)
    if clues.say(trail, "name"):
        for span in _spans(wanted, card.name):
            marks["name"].add(span)
            yield Reason(said, card.name, "name", wanted.how)
    more = clues.say(trail, "extra")
    for text in (card.space.city, card.space.name, card.location if more else ""):
        if _spans(wanted, text):
            yield Reason(said, text, "place", "word")
    if wanted.tags:
        for tag in card.languages:
            if tag.lower().split("-")[0] in wanted.tags:
                yield Reason(said, tag, "languages", "word")
    for interest in card.interests if more else ():
        if _spans(wanted, interest):
            yield Reason(said, interest, "interests", wanted.how, "", card.locale)
    yield from _near(card, wanted.part)


def _in_long_texts(
    card: Card, wanted: Wanted, clues: Clues, marks: dict[str, set[Span]]
) -> Iterator[Reason]:
    said = wanted.part.said
    if clues.say(wanted.trail, "body"):
        texts = ((service.description, service.description_lang) for service in card.services)
        for at, (text, lang) in enumerate(((card.bio, card.bio_lang), *texts)):
            spans = _spans(wanted, text)
            if not at:
                marks["bio"].update(spans)
            for span in spans:
                yield Reason(said, _around(text, span), "bio", wanted.how, "", lang or card.locale)
    if not clues.hint(wanted.trail, "body", card.locale):
        return
    if touched := _touched(card, wanted.codes):
        yield Reason(said, card.headline or card.profession, "bio", "near", touched[0])


def _unshown(card: Card, wanted: Wanted, clues: Clues) -> Reason | None:
    """Return the reason that stands in a text of another language than the one that is shown."""
    if not is_translated(card):
        return None
    aside: dict[str, set[Span]] = defaultdict(set)
    for other in (written_first(card), *in_further_languages(card)):
        for look in (_found, _in_long_texts):
            for reason in look(other, wanted, clues, aside):
                if reason.field in ("service", "headline", "bio") and reason.how != "near":
                    return replace(reason, unshown=True)
    return None


def _in_services(
    card: Card, wanted: Wanted, clues: Clues, marks: dict[str, set[Span]]
) -> Iterator[Reason]:
    worded: list[Reason] = []
    coded: list[tuple[int, Reason]] = []
    part, codes = wanted.part, wanted.codes
    trail = wanted.trail
    said, may_name = clues.say(trail, "title"), clues.name(trail)
    for service in card.services:
        spans = _spans(wanted, service.title) if said else []
        marks[f"service:{service.ref}"].update(spans)
        named = service.speciality if service.speciality in codes else ""
        lang = service.title_lang or card.locale
        # The index reads a title together with a label, which may change what it names.
        may_name_here = may_name or titled_by_more(service)
        if not named and may_name_here and clues.hint(trail, "title", lang):
            inside = _naming(codes, service.title, lang)
            marks[f"service:{service.ref}"].update(span for span, _ in inside)
            named = inside[0][1] if inside else ""
        if spans:
            worded.append(_service_reason(card, part, service, named, wanted.how))
        elif named:
            how: How = codes[named]  # type: ignore[assignment]  # meanings say how as reasons do
            rank = list(codes).index(named)
            coded.append((rank, _service_reason(card, part, service, named, how)))
    yield from worded
    yield from (reason for _, reason in sorted(coded, key=lambda one: one[0]))


def _service_reason(card: Card, part: Part, service: CardService, code: str, how: How) -> Reason:
    lang = service.title_lang or card.locale
    return Reason(part.said, service.title or service.label, "service", how, code, lang)


def _in_text(
    wanted: Wanted,
    field: Field,
    text: str,
    lang: str,
    clues: Clues,
    marks: dict[str, set[Span]],
) -> Iterator[Reason]:
    said, trail = wanted.part.said, wanted.trail
    spans = _spans(wanted, text) if clues.say(trail, field) else []
    names = clues.name(trail) and clues.hint(trail, field, lang)
    coded = _naming(wanted.codes, text, lang) if names else []
    marks[field].update(spans)
    marks[field].update(span for span, _ in coded)
    if spans:
        yield Reason(said, text, field, wanted.how, coded[0][1] if coded else "", lang)
    elif coded:
        (start, end), code = coded[0]
        how: How = wanted.codes[code]  # type: ignore[assignment]  # meanings say how as reasons do
        yield Reason(said, text[start:end], field, how, code, lang)


def _near(card: Card, part: Part) -> Iterator[Reason]:
    for service in card.services:
        if service.speciality in part.near:
            yield _service_reason(card, part, service, service.speciality, "near")


def _spans(wanted: Wanted, text: str) -> list[Span]:
    every, firsts, begun = words(text), wanted.firsts, wanted.begun
    if not any(
        [word.stem in firsts or (begun and word.folded.startswith(begun)) for word in every]
    ):
        return []
    plain = [word for word in every if word.folded not in STOP] or every
    return [span for term in wanted.part.terms for span in _places(term, plain)]


def _places(term: Term, plain: Sequence[Word]) -> list[tuple[int, int]]:
    """Return the spans where ``term`` stands among the ``plain`` words of a text."""
    size = len(term.stems)
    spans = []
    for at in range(len(plain) - size + 1):
        window = plain[at : at + size]
        exact = all(word.stem == wanted for word, wanted in zip(window, term.stems, strict=True))
        begun = term.prefix and size == 1 and window[0].folded.startswith(term.stems[0])
        if exact or begun:
            spans.append((window[0].start, window[-1].end))
    return spans


def _naming(codes: Mapping[str, str], text: str, language: str) -> list[tuple[Span, str]]:
    """Return the places in ``text`` that name one of ``codes``."""
    return [(span, code) for span, code in _coded(text, language) if code in codes]


@lru_cache(maxsize=4096)
def _coded(text: str, language: str) -> tuple[tuple[Span, str], ...]:
    """The places in ``text`` that name specialities, with their codes."""
    return tuple(places_named(text, language))


def _touched(card: Card, codes: Mapping[str, str]) -> list[str]:
    """Return those of ``codes`` that long texts touch on."""
    texts = (card.bio, *(service.description for service in card.services))
    return [code for text in texts for _, code in _naming(codes, text, card.locale)]


def _apart(spans: set[Span]) -> tuple[Span, ...]:
    """The spans in order, overlapping ones joined, so that marking them nests nothing."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def _around(text: str, span: Span) -> str:
    """A short piece of ``text`` around ``span``, cut between words."""
    start, end = max(0, span[0] - AROUND), min(len(text), span[1] + AROUND)
    while 0 < start < span[0] and not text[start - 1].isspace():
        start += 1
    while span[1] < end < len(text) and not text[end].isspace():
        end -= 1
    piece = " ".join(text[start:end].split())
    return ("… " if start else "") + piece + (" …" if end < len(text) else "")
