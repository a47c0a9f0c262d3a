"""Words in a skills column, and the specialities that they name.

A word that is a label or a synonym of the shared vocabulary, in any of its languages, gets that
code; any other word stays the title of a service without a code. Nothing is guessed: a synonym
that two specialities share names neither.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from app.members.person import Draft, Offer
from app.members.texts import folded
from app.models.member import QUOTE
from federation import vocabulary

#: Services of one member, as the protocol caps them.
SERVICES = 20
TITLE_CHARACTERS = 120


def offers(words: Iterable[str], draft: Draft) -> tuple[Offer, ...]:
    """Return one service a word, to be quoted for; the operator is told how each was understood."""
    found: dict[str, Offer] = {}
    for word in words:
        title = draft.fit("skill", word, TITLE_CHARACTERS)
        found.setdefault(folded(title), _offer(title, draft))
    if len(found) > SERVICES:
        draft.remarks.append(f"only the first {SERVICES} of {len(found)} skills are kept")
    return tuple(found.values())[:SERVICES]


def _offer(title: str, draft: Draft) -> Offer:
    code = code_of(title)
    if code:
        draft.remarks.append(f"skill “{title}” is the speciality “{vocabulary.label(code, 'en')}”")
    else:
        draft.remarks.append(f"skill “{title}” becomes a service of that name")
    digest = hashlib.sha256(folded(title).encode() or title.encode()).hexdigest()
    # "ux" is not helped by a capital.
    shown = title[:1].upper() + title[1:] if len(title) > 2 else title
    return Offer(ref=f"k{digest[:12]}", title=shown, speciality=code, unit=QUOTE)


def code_of(word: str) -> str:
    """Return the code of the speciality that ``word`` names; empty when none, or several, do."""
    wanted = folded(word)
    return _labels().get(wanted) or _words().get(wanted, "")


@cache
def _labels() -> Mapping[str, str]:
    return _unshared(
        (folded(form), speciality.code)
        for speciality in vocabulary.specialities().values()
        for label in speciality.labels.values()
        for form in (label, *_forms(label))
    )


@cache
def _words() -> Mapping[str, str]:
    return _unshared(
        (folded(word), speciality.code)
        for speciality in vocabulary.specialities().values()
        for words in speciality.words.values()
        for word in words
    )


def _forms(label: str) -> Iterator[str]:
    """Yield the forms that one label stands for: "Avocat·e", "Abogada/Abogado"."""
    for form in label.split("/"):
        yield form
        if "·" in form:
            yield form.replace("·", "")
            yield re.sub(r"·\w+", "", form)


def _unshared(pairs: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    codes: dict[str, set[str]] = {}
    for word, code in pairs:
        codes.setdefault(word, set()).add(code)
    return {word: only.pop() for word, only in codes.items() if word and len(only) == 1}
