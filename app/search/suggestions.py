"""What somebody may mean who is still typing: specialities first, then people by name.

Little is read for each letter, however many people there are: the vocabulary is in memory, names
are read from where their beginning stands (:mod:`app.search.names`), and only so many of them that
a list of a few can be filled with those whom the reader may see.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.models.scope import Reader
from app.models.space import Space
from app.search.cards import Card
from app.search.completions import LETTERS, Completion, completions, spoken
from app.search.index import ensure_usable
from app.search.names import beginning_with, names_of, parts_of
from app.search.people import NOBODY, People
from app.search.query import Scope, clean
from app.search.ranking import in_turn
from app.search.shown import shown
from app.search.sight import Sight
from app.search.snapshot import Snapshot, snapshot
from app.search.text import words
from app.search.translations import for_reader
from federation import vocabulary

#: Specialities and people in one list; more would not be read while typing.
SPECIALITIES, PEOPLE = 6, 4
#: Names that are read for one list. Of more that begin so, the later ones wait for a letter more.
NAMES_READ = 300


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What to offer under the field."""

    specialities: tuple[Completion, ...]
    people: tuple[Card, ...]

    @property
    def count(self) -> int:
        return len(self.specialities) + len(self.people)


def suggest(
    session: Session,
    typed: str,
    language: str,
    reader: Reader,
    here: Space,
    now: datetime,
    scope: Scope = "everywhere",
    *,
    ranges: Sequence[str] = (),
) -> Suggestions:
    """Return what ``typed`` may become.

    :param language: in which specialities are told (BCP 47), one of the vocabulary's.
    :param ranges: what the reader reads of people's texts (RFC 4647), the best first.
    """
    typed = clean(typed)
    possible = _of_the_space(here, typed, language) + completions(typed.strip(), language)
    names = parts_of(typed)
    if not possible and len("".join(names)) < LETTERS:
        return Suggestions((), ())
    ensure_usable(session)
    held = snapshot(session)
    sight = Sight.of(session, reader, now)
    seen = sight.rows(held)
    if scope == "here":
        seen &= held.members
    found = _named(session, names, typed, seen, now.toordinal())[:PEOPLE]
    seen_now = shown(session, held, reader, here, now, found, sight.peers)
    people = tuple(for_reader(seen_now[row].card, ranges) for row in found if row in seen_now)
    return Suggestions(_offered(held, possible, seen), people)


def _of_the_space(here: Space, typed: str, language: str) -> tuple[Completion, ...]:
    """Return what the space's own words lead to that go on from what was typed, at any word."""
    wanted = " ".join(word.folded for word in words(typed))
    if len(wanted) < LETTERS:
        return ()
    found = []
    for said, code in sorted((here.labels or {}).items()):
        every = [word.folded for word in words(said)]
        begun = (" ".join(every[at:]).startswith(wanted) for at in range(len(every)))
        if code in vocabulary.specialities() and any(begun):
            name = spoken(vocabulary.label(code, language) or code)
            found.append(Completion(code, name, said, ""))
    return tuple(found[:SPECIALITIES])


def _offered(
    held: Snapshot, possible: Sequence[Completion], seen: People
) -> tuple[Completion, ...]:
    """Return the first few specialities; those that somebody offers before the others."""
    offers = held.facets["speciality"]
    # What the space calls it comes before what the shared list does, and once.
    once = {one.code: one for one in reversed(possible)}
    possible = [one for one in possible if once[one.code] is one]
    with_people = [one for one in possible if seen.intersect(offers.get(one.code, NOBODY))]
    first = {one.code for one in with_people}
    others = [one for one in possible if one.code not in first]
    return tuple((with_people + others)[:SPECIALITIES])


def _named(session: Session, names: Sequence[str], typed: str, seen: People, day: int) -> list[int]:
    """Return those of ``seen`` whose name has all of ``names``, the last perhaps half typed.

    Whoever bears just these words comes before whose name goes on from them; among themselves
    they take turns by day, as in an answer.
    """
    if len("".join(names)) < LETTERS:
        return []
    # The longest word begins the fewest names.
    longest = max(names, key=len)
    found = beginning_with(session.connection(), longest, NAMES_READ)
    inside = list(seen & People(found))
    finished = typed.endswith(" ")
    if len(names) > 1:
        complete = names if finished else names[:-1]
        whole = names_of(session.connection(), inside)
        inside = [row for row in inside if _fits(whole[row], complete, names[-1])]
    just = [row for row in inside if found[row] == longest]
    longer = [row for row in inside if found[row] != longest and not finished]
    return in_turn(just, day) + in_turn(longer, day)


def _fits(name: str, complete: Sequence[str], begun: str) -> bool:
    parts = parts_of(name)
    return set(complete) <= set(parts) and any(part.startswith(begun) for part in parts)
