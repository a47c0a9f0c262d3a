"""The parts of a question, and how much of it each carries beside the others.

Pure. What a part means, and which words stand for it, :mod:`app.search.reading` has found out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.search.lexicon import Meaning, Phrase

#: From here on a meaning is clear.
CLEAR = 0.7
#: Weight of a wish to buy or sell beside the thing: more than the thing's, which nobody offers.
FOR_SALE = 1.2
#: Weight of a field ("juridique") beside what is done in it ("traduction").
IN_A_FIELD = 0.65


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

    light: bool = False
    """A verb or manner of asking: fix, create, urgent."""

    asking: bool = False
    """It asks what something would cost, which is no more than a manner of asking for it."""

    trading: bool = False
    """Somebody wants to buy or sell the thing, and have nothing done to it."""

    aside: bool = False
    """It stands behind "for": for whom or for what, when something else was asked for."""

    unknown: bool = False
    """Neither the vocabulary nor any profile has it."""

    strange: bool = False
    """No profile has it and the vocabulary only inside longer phrases, nor is it a client."""

    broad: bool = False
    """Suits everybody of a domain, though one speciality bears it as its name: lawyer."""

    near: tuple[str, ...] = ()
    """Specialities beside those that were meant."""

    @property
    def clear(self) -> bool:
        """True when the vocabulary says clearly what is meant."""
        return bool(self.meanings) and self.meanings[0].sure >= CLEAR

    @property
    def field(self) -> bool:
        """True when only a field of work is meant, such as law, and nothing that is done in it."""
        return self.clear and all(meaning.how == "domain" for meaning in self.meanings)


def balanced(parts: list[Part], *, spoken: bool) -> tuple[Part, ...]:
    """Weigh the parts against each other: those with a clear meaning carry the question.

    :param spoken: somebody tells what they need, in a whole sentence.
    """
    parts = _in_order(parts)
    return tuple(
        replace(
            part,
            weight=round(part.weight * _share(part, parts[:at], parts, spoken=spoken), 3),
            near=_not_meant(part.near, [one for one in parts if one.broad]),
        )
        for at, part in enumerate(parts)
    )


def _in_order(parts: list[Part]) -> list[Part]:
    """Return the parts as their order says what each is: a quote for tiling is tiling asked for."""
    if len(parts) > 1 and parts[0].asking and any(not one.light for one in parts[1:]):
        parts = [replace(parts[0], light=True), *parts[1:]]
    named = [one.clear and not one.light for one in parts]
    return [replace(part, aside=part.aside and any(named[:at])) for at, part in enumerate(parts)]


def _not_meant(near: tuple[str, ...], parts: list[Part]) -> tuple[str, ...]:
    """Return ``near`` without what ``parts`` mean: being a lawyer makes nobody a criminal one."""
    meant = {one.code for part in parts for one in part.meanings if one.sure >= CLEAR}
    return tuple(code for code in near if code not in meant)


def _share(part: Part, before: list[Part], parts: list[Part], *, spoken: bool) -> float:
    others = [one for one in parts if one is not part]
    if part.trading and others:
        return FOR_SALE
    if part.light and any(not one.light for one in others):
        named = any(one.clear and not (one.light or one.generic or one.aside) for one in others)
        return 0.2 if named else 1.0 if part.clear else 0.4
    if part.aside and any(one.clear for one in before):
        return (
            1.0 if part.strange and not spoken else 0.3
        )  # for whom, not what; yet nobody coaches dogs
    if part.generic and any(not one.generic for one in others):
        return 0.6 if part.clear else 0.3
    if part.field and any(_says_what(one) for one in others):
        return IN_A_FIELD
    if not part.clear and any(one.clear for one in others):
        if spoken and part.unknown:
            return 0.3 if len(parts) > 3 else 0.5
        if sum(not one.light for one in parts) < 3:
            return 0.85  # "maître-chien" is not half answered by a maître
        # In a long sentence a word that nobody knows is a manner of speaking.
        return 0.3 if part.unknown and len(parts) > 3 else 0.8 if part.unknown else 0.5
    return 1.0


def _says_what(part: Part) -> bool:
    """Tell whether ``part`` says what is to be done, and not only in which field."""
    return part.clear and not (part.field or part.generic or part.light or part.aside)
