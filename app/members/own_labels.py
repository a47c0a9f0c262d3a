"""A space's own words for specialities of the shared list: read from a file, kept, and used.

The file is TOML that a non-programmer can write: each line a word and the code it stands for,
``"Dompteuse de tableurs" = "spreadsheets"``. The words replace those of an earlier file; one word
can be added or taken away as well. Members whose service bears such a word and has no code get the
code, so that neighbours find them too.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from app.exchange.identity import Identity
from app.exchange.publish import publish_members
from app.models.member import Member, Service
from app.models.space import Space
from app.search.index import index_members
from app.search.lexicon import known
from app.search.query import clean
from app.search.text import fold
from federation import vocabulary

#: Words of its own that a space may have, and characters of each (a service's label has as many).
WORDS, CHARACTERS = 500, 80


class OwnLabelsError(ValueError):
    """The file cannot be used; ``problems`` says why, a sentence each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def read_labels(text: str) -> dict[str, str]:
    """Return the codes by the words of a file.

    :raises OwnLabelsError: no TOML, or words or codes that cannot be; all that are wrong at once.
    """
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise OwnLabelsError([f"This is no TOML: {error}."]) from error
    problems = [sentence for word, code in given.items() if (sentence := _wrong(word, code))]
    folded = [fold(word) for word in given]
    problems += [
        f"“{word}” stands there twice."
        for at, word in enumerate(given)
        if fold(word) in folded[:at]
    ]
    problems += _too_many(given)
    if problems:
        raise OwnLabelsError(problems)
    return {word: str(code) for word, code in given.items()}


def with_word(labels: Mapping[str, str], word: str, code: str) -> dict[str, str]:
    """Return ``labels`` and ``word`` for ``code``, instead of what it was written like before.

    :raises OwnLabelsError: a word or a code that cannot be, or one word too many.
    """
    kept = {one: of for one, of in labels.items() if fold(one) != fold(word)}
    added = kept | {word: code}
    wrong = _wrong(word, code)
    if problems := [wrong] if wrong else _too_many(added):
        raise OwnLabelsError(problems)
    return added


def without_word(labels: Mapping[str, str], word: str) -> dict[str, str]:
    """Return ``labels`` without ``word``, however its letters and accents are written.

    :raises OwnLabelsError: it is not among them.
    """
    kept = {one: code for one, code in labels.items() if fold(one) != fold(word)}
    if len(kept) == len(labels):
        raise OwnLabelsError([f"“{word[:CHARACTERS]}” is no word of this space."])
    return kept


def _too_many(labels: Mapping[str, object]) -> list[str]:
    many = len(labels) > WORDS
    return [f"These are {len(labels)} words; a space may have {WORDS}."] if many else []


def _wrong(word: str, code: object) -> str:
    """Return what is wrong with one line; empty when nothing is."""
    if not isinstance(code, str) or code not in vocabulary.specialities():
        return f"“{word}”: the shared list has no code {code!r}."
    if clean(word) != word or not word.strip() or word != word.strip():
        return f"“{word}” is empty, or has blanks or signs that no word has."
    if len(word) > CHARACTERS:
        return f"“{word[:20]}…” has {len(word)} characters; {CHARACTERS} are the most."
    others = sorted({meaning.code for meaning in known(word)} - {code})
    return f"“{word}” already means {', '.join(others)} in the shared list." if others else ""


def adopt(
    session: Session, space: Space, labels: Mapping[str, str], identity: Identity, now: datetime
) -> int:
    """Let ``labels`` be the words of ``space``; return how many members this gives a code.

    Their profiles are signed anew, in the caller's transaction, if neighbours may read them.
    """
    space.labels = dict(labels)
    codes = {fold(word): code for word, code in labels.items()}
    without = select(Member).join(Member.services).where(Service.speciality == "").distinct()
    changed = [
        member
        for member in session.scalars(without.options(selectinload(Member.services)))
        if _coded(member, codes)
    ]
    for member in changed:
        member.updated_at = now
    index_members(session, changed, lambda _done: None)
    publish_members(session, changed, identity, now, lambda _done: None)
    return len(changed)


def _coded(member: Member, codes: Mapping[str, str]) -> bool:
    """Give services of ``member`` the code that their own word stands for; tell if any got one."""
    bare = [one for one in member.services if not one.speciality]
    meant = [(one, code) for one in bare if (code := codes.get(fold(one.speciality_label)))]
    for service, code in meant:
        service.speciality = code
    return bool(meant)
