"""What somebody may mean who is still typing: specialities first, then people by name.

Little is read for each letter, however many people there are: the vocabulary is in memory, names
are read from where their beginning stands (:mod:`app.search.names`), and only so many of them that
a list of a few can be filled with those whom the reader may see.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.peer import Peer
from app.models.scope import Reader, shown_peers
from app.models.space import Space
from app.search.cards import Card
from app.search.completions import LETTERS, Completion, completions
from app.search.index import ensure_usable
from app.search.names import beginning_with, parts_of
from app.search.query import Scope, clean
from app.search.ranking import in_turn
from app.search.sight import cards_of, visible_rows
from app.search.snapshot import Snapshot, as_set, rows, snapshot

#: Specialities and people in one list; more would not be read while typing.
SPECIALITIES, PEOPLE = 6, 4
#: Names that are read for one list. Of more that begin so, the later ones wait for a letter more.
NAMES_READ = 1000


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
) -> Suggestions:
    """Return what ``typed`` may become.

    :param language: in which specialities are told (BCP 47), one of the vocabulary's.
    """
    typed = clean(typed)
    possible = completions(typed.strip(), language)
    names = parts_of(typed)
    if not possible and len("".join(names)) < LETTERS:
        return Suggestions((), ())
    ensure_usable(session)
    held = snapshot(session)
    peers = session.scalars(select(Peer).where(shown_peers())).all()
    seen = visible_rows(session, held, peers, reader, now)
    if scope == "here":
        seen &= held.members
    found = _named(session, held, names, typed, seen, now.toordinal())[:PEOPLE]
    cards = cards_of(session, held, reader, here, now, found)
    people = tuple(cards[row] for row in found if row in cards)
    return Suggestions(_offered(held, possible, seen), people)


def _offered(held: Snapshot, possible: Sequence[Completion], seen: int) -> tuple[Completion, ...]:
    """Return the first few specialities; those that somebody offers before the others."""
    offers = held.facets["speciality"]
    with_people = [one for one in possible if offers.get(one.code, 0) & seen]
    others = [one for one in possible if one not in with_people]
    return tuple((with_people + others)[:SPECIALITIES])


def _named(
    session: Session, held: Snapshot, names: Sequence[str], typed: str, seen: int, day: int
) -> list[int]:
    """Return those of ``seen`` whose name has all of ``names``, the last perhaps half typed.

    Whoever bears just these words comes before whose name goes on from them; among themselves
    they take turns by day, as in an answer.
    """
    if len("".join(names)) < LETTERS:
        return []
    # The longest word begins the fewest names.
    found = beginning_with(session.connection(), max(names, key=len), NAMES_READ)
    complete = names if typed.endswith(" ") else names[:-1]
    just, longer = list[int](), list[int]()
    for row in rows(as_set(found) & seen):
        name = parts_of(held.name[row])
        if set(names) <= set(name):
            just.append(row)
        elif set(complete) <= set(name) and any(part.startswith(names[-1]) for part in name):
            longer.append(row)
    return in_turn(just, day) + in_turn(longer, day)
