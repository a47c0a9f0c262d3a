"""By what a row of the index can be found: its keys, each a field and a token (``title:avocat``).

Pure. Tokens are stems and codes. Beside them stand the beginnings of words of two and three letters
(``tra*``; of longer ones the keys of whole words are read) and the phrases that a question may be
cut into (``droit travail``): those of the vocabulary, small words left out.

What every search needs of everybody, facets and spaces, has keys that begin with ``@``.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from app.search.lexicon import lexicon
from app.search.text import STOP
from app.search.writing import BORDER, COLUMNS

#: Facets whose values stand in the index; those of places are computed from the peers. What a
#: service costs coworkers is no visitor's business, hence two prices.
KEPT = (
    "speciality",
    "domain",
    "language",
    "mode",
    "remote",
    "coworker_rate",
    "price",
    "public_price",
    "availability",
)
#: Columns that hold codes: no words of anybody, never looked for by their beginning.
CODED = ("service", "derived", "hint")
#: Lengths of the beginnings that have a key of their own; of longer ones there are few words each.
BEGINNINGS = (2, 3)
#: Where a few letters say nothing: most biographies have some word that begins with any two.
UNBEGUN = "body"
#: Characters of a word that are compared.
LONGEST = 60
#: Letters of a name by which people are kept in their order.
INITIALS = 2


def keys_of(
    kind: str, peer_id: int | None, public: bool, facets: str, columns: Sequence[str]
) -> set[str]:
    """Return everything by which a row of the index can be found."""
    keys = shared_keys(kind, peer_id, public, json.loads(facets))
    for column, text in zip(COLUMNS, columns, strict=True):
        if text:
            stems = text.split()
            tokens = {token for stem in stems for token in _tokens(column, stem)}
            keys.update([f"{column}:{token}" for token in tokens])
            keys.update(phrases_of(column, stems))
    return keys


def keys_by_stem(
    column: str, having: Mapping[str, list[int]]
) -> Iterator[tuple[str, str, Sequence[int]]]:
    """Do for all rows at once what :func:`keys_of` does for one, its phrases excepted.

    :param having: the rows that have each stem in ``column``; many share theirs.
    :returns: each key, the word that it stands for (empty for none), and who has it, perhaps twice.
    """
    begun: dict[str, list[int]] = defaultdict(list)
    for stem, rows in having.items():
        for token in _tokens(column, stem):
            if token[-1] == "*":
                begun[token] += rows
            else:
                known = column in CODED or len(stem) > LONGEST
                yield f"{column}:{token}", "" if known else stem, rows
    for token, rows in begun.items():
        yield f"{column}:{token}", "", sorted(set(rows))


def phrases_of(column: str, stems: Sequence[str]) -> list[str]:
    """Return the keys of the phrases that stand in a text."""
    if column in CODED or _openings().isdisjoint(stems):
        return []
    return [f"{column}:{phrase}" for phrase in _phrases_in(stems)]


def _tokens(column: str, stem: str) -> Sequence[str]:
    if column in CODED:
        return (stem,)
    if stem == BORDER:
        return ()
    word = stem[:LONGEST]
    if column == UNBEGUN:
        return (word,)
    return [word, *[word[:letters] + "*" for letters in BEGINNINGS if len(word) >= letters]]


def shared_keys(
    kind: str, peer_id: int | None, public: bool, values: Mapping[str, Sequence[str]]
) -> set[str]:
    """Return the keys of a row that every search needs: what and whose it is, and its facets."""
    keys = {f"@{name}:{value}".replace("\0", "") for name in KEPT for value in values.get(name, ())}
    keys.add(f"@kind:{kind}")
    keys.add(f"@initials:{values['name'][0][:INITIALS]}")
    if public:
        keys.add("@public:1")
    if peer_id is not None:
        keys.add(f"@peer:{peer_id}")
    return keys


def words_of(columns: Sequence[str]) -> set[str]:
    """Return the words of a row."""
    found: set[str] = set()
    for column, text in zip(COLUMNS, columns, strict=True):
        if text and column not in CODED:
            found.update(text.split())
    found.discard(BORDER)
    if any(len(one) > LONGEST for one in found):
        found = {one for one in found if len(one) <= LONGEST}
    return found


def phrase_keys(column: str, stems: Sequence[str]) -> list[str]:
    """Return the keys that a row must all have for ``stems`` to stand side by side in ``column``.

    A phrase of the vocabulary has a key of its own; of any other the words are asked for.
    """
    phrase = " ".join(stems)
    if len(stems) > 1 and phrase in _phrases():
        return [f"{column}:{phrase}"]
    return [f"{column}:{one[:LONGEST]}" for one in stems]


def _phrases_in(stems: Sequence[str]) -> Iterator[str]:
    known, openings = _phrases(), _openings()
    for at, phrase in enumerate(stems):
        if phrase not in openings:
            continue
        for stem in stems[at + 1 :]:
            # With each phrase its beginnings are known: what is none begins none.
            if (phrase := f"{phrase} {stem}") not in known:
                break
            yield phrase


@cache
def _openings() -> frozenset[str]:
    """The first words of these phrases: most words of a text are none of them."""
    return frozenset(phrase.partition(" ")[0] for phrase in _phrases())


@cache
def _phrases() -> frozenset[str]:
    """The phrases of several words that a question may be cut into, and their beginnings."""
    return frozenset(
        " ".join(stems[:size])
        for phrase in lexicon().meanings
        for stems in (phrase, tuple(stem for stem in phrase if stem not in STOP))
        for size in range(2, len(stems) + 1)
    )
