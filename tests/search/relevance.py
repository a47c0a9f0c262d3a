"""How often the right person is among the first five: ``make relevance``.

The people of a town stand in ``judgements/people*.toml``, the questions that it is asked in
``judgements/queries*.toml``; both were written before the search was tuned to anything. Nothing
here knows how the search works. ``--database=postgresql`` asks PostgreSQL.

The blind sets (``judgements/queries-blind-*.toml``) ask a town in which each speciality of the
vocabulary has one person, who chose it and says nothing else, in one of its languages by turns.
There whoever is right is named by the code. What came before anybody had tuned to a set is told in
``docs/decisions/0022``; what comes now says less.
"""

from __future__ import annotations

import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from app.models.member import Member, Service
from app.models.scope import Reader
from app.models.space import Space
from app.search.find import find
from app.search.index import rebuild
from app.search.query import Query
from federation.vocabulary import LANGUAGES, specialities
from tests.databases import POSTGRESQL, databases

HERE = Path(__file__).parent / "judgements"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
NONE = "none"
#: How the files of each town end.
TOWNS = ("", "-in-words", "-at-work", "-side-by-side")
#: How the files of questions end that are asked in the town of everybody.
BLIND = ("-blind-1", "-blind-2", "-blind-3")
#: Before somebody who must not be said to fit, because one word of the question is another trade.
NOT = "!"
#: Among how many of the first the right person must be.
FIRST = 5


@dataclass(frozen=True)
class Judged:
    """One question, who was right, and who came."""

    kind: str
    language: str
    words: str
    right: frozenset[str]
    wrong: frozenset[str]
    """Who must not surely come, whatever else does."""

    found: tuple[str, ...]
    sure: tuple[str, ...]

    @property
    def good(self) -> bool:
        if self.kind == NONE:
            return not self.sure
        return bool(self.right & set(self.found[:FIRST])) and not self.mistaken

    @property
    def mistaken(self) -> frozenset[str]:
        """Who is said to fit and does another thing."""
        return self.wrong & set(self.sure)

    @property
    def surely(self) -> bool:
        """Somebody right is among the first five, and not under "perhaps"."""
        return bool(self.right & set(self.found[:FIRST]) & set(self.sure))

    @property
    def reciprocal(self) -> float:
        """1 for the first place, 1/2 for the second, ... 0 when nobody right came."""
        places = [place for place, who in enumerate(self.found, 1) if who in self.right]
        return 1 / places[0] if places else 0.0


def judge() -> list[Judged]:
    """Ask every question of every town and return what came."""
    return [one for town in TOWNS for one in _judged(town, _people(town))]


def judge_blind(town: str) -> list[Judged]:
    """Ask one of the blind sets in the town of everybody."""
    return _judged(town, _everybody())


def questions(town: str) -> Iterator[tuple[str, str, str, frozenset[str], frozenset[str]]]:
    """Every question of a town: its kind, its language, its words, who is right and who wrong."""
    for kind, languages in _read(f"queries{town}.toml").items():
        for language, asked in languages.items():
            for words, names in asked.items():
                wrong = frozenset(one for one in names.split() if one.startswith(NOT))
                right = frozenset(names.split()) - wrong
                yield kind, language, words, right, frozenset(one[len(NOT) :] for one in wrong)


def share(judged: list[Judged]) -> float:
    """Return the part of ``judged`` that is good, from 0 to 1."""
    return sum(one.good for one in judged) / len(judged) if judged else 1.0


def _judged(town: str, people: Iterable[Member]) -> list[Judged]:
    database = databases.engine()
    with Session(database) as session:
        space = _furnish(session, people)
        judged = [
            Judged(kind, language, words, right, wrong, *_asked(session, space, words))
            for kind, language, words, right, wrong in questions(town)
        ]
    database.dispose()
    return judged


def _asked(session: Session, space: Space, words: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    found = find(session, Query(words=words), Reader.MEMBER, space, NOW)
    hits = (*found.hits, *found.perhaps)
    everybody = tuple(hit.card.external_id or "" for hit in hits)
    return everybody, tuple(hit.card.external_id or "" for hit in hits if hit.confident)


def _furnish(session: Session, people: Iterable[Member]) -> Space:
    space = Space(url="https://lyon.example", name="La Navette", city="Lyon", country="FR")
    space.created_at = NOW
    session.add(space)
    session.add_all(people)
    session.flush()
    rebuild(session)
    session.commit()
    return space


def _people(town: str) -> Iterator[Member]:
    for name, claims in _read(f"people{town}.toml").items():
        yield _member(name, claims)


def _everybody() -> Iterator[Member]:
    for turn, (code, speciality) in enumerate(specialities().items()):
        language = LANGUAGES[turn % len(LANGUAGES)]
        label = speciality.labels[language]
        claims = {"name": f"Z{turn:03}", "locale": language, "profession": "", "headline": ""}
        yield _member(code, claims | {"services": [f"{code} | {label}"]})


def _member(external_id: str, claims: dict[str, Any]) -> Member:
    services = [[part.strip() for part in text.split("|")] for text in claims.pop("services")]
    return Member(
        external_id=external_id,
        audience="space",
        created_at=NOW,
        updated_at=NOW,
        services=[
            Service(position=place, speciality=code, title=title, description="".join(rest))
            for place, (code, title, *rest) in enumerate(services)
        ],
        **{"bio": "", "languages": [], "interests": [], "location": "", "availability": ""}
        | claims,
    )


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((HERE / name).read_text(encoding="utf-8"))


def _table(judged: list[Judged]) -> None:
    groups: dict[tuple[str, str], list[Judged]] = defaultdict(list)
    for one in judged:
        for key in ((one.kind, one.language), (one.kind, "all"), ("all", one.language)):
            groups[key].append(one)
    print(f"{'kind':16} {'language':8} {'questions':>9} {'first 5':>8} {'surely':>8} {'MRR':>6}")
    for (kind, language), of in sorted(groups.items()):
        print(f"{kind:16} {language:8} {len(of):9} {share(of):8.1%} {_rank(kind, of)}")


def _rank(kind: str, of: list[Judged]) -> str:
    if kind in (NONE, "all"):
        return ""
    surely = sum(one.surely for one in of) / len(of)
    return f"{surely:8.1%} {sum(one.reciprocal for one in of) / len(of):6.2f}"


def _print(title: str, judged: list[Judged]) -> None:
    print(f"\n{title}")
    _table(judged)
    for one in judged:
        if not one.good:
            wanted = " ".join(sorted(one.right)) or "nobody"
            came = one.sure if one.kind == NONE else one.found[:FIRST]
            print(f"  {one.kind}/{one.language}: {one.words!r} wanted {wanted}; came {came}")
            if one.mistaken:
                print(f"    surely, and wrong: {' '.join(sorted(one.mistaken))}")
        elif one.kind != NONE and not one.surely:
            print(f"  only perhaps: {one.kind}/{one.language}: {one.words!r}; sure {one.sure}")
    some = [one for one in judged if one.kind != NONE]
    none = [one for one in judged if one.kind == NONE]
    print(f"success@5 {share(some):.1%} of {len(some)}; nonsense {1 - share(none):.1%}")
    print(f"surely {sum(one.surely for one in some) / len(some):.1%}")


def main() -> int:
    if f"--database={POSTGRESQL}" in sys.argv:
        databases.start()
    _print("Towns", judge())
    for town in BLIND:
        _print(f"Everybody{town}", judge_blind(town))
    databases.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
