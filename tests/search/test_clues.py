"""What the index keeps of a text leads to whatever a question may find in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.models.scope import Reader
from app.search.cards import card_of_member
from app.search.clues import Clues, Trail
from app.search.naming import named_in
from app.search.pieces import stems
from app.search.text import beginning_kept, stem, words
from app.search.writing import entry_of
from federation.vocabulary import LANGUAGES, specialities
from tests.search.town import NOW, service


def said() -> Iterator[tuple[str, str]]:
    """Whatever the vocabulary says, with its language."""
    for one in specialities().values():
        for language in LANGUAGES:
            for text in (one.labels[language], *one.words[language]):
                yield text, language


@pytest.fixture
def clues(town):
    """Return what the index keeps of somebody."""

    def of(**said):
        services = said.pop("services", ())
        member = town.member("Anna", *services, **said)
        card = card_of_member(member, town.here, NOW.date(), Reader.MEMBER)
        return Clues.of(entry_of(card).columns)

    return of


def test_the_stem_of_a_word_begins_with_what_is_kept_of_its_beginning():
    every = {word.folded for text, _ in said() for word in words(text)}
    for word in sorted(every)[::5]:
        for size in range(2, len(word) + 1):
            assert stem(word).startswith(beginning_kept(word[:size])), (word, size)
    assert beginning_kept("traductri") == "tradu"
    assert beginning_kept("avoc") == "avo"


def test_whatever_names_a_speciality_leaves_a_clue_to_it():
    chosen = [*said()][::7]
    assert len(chosen) > 2000
    found = 0
    for text, language in chosen:
        here = Clues({"headline": f" {' '.join(stems(text))} "}, frozenset())
        for code in {one.code for one in named_in(text, language)[0]}:
            assert here.hint(Trail.of((), (), (code,)), "headline", language), (text, code)
            found += 1
    assert found > 2000


def test_a_word_is_looked_for_only_where_it_stands(clues):
    here = clues(headline="Avocate à Lyon", bio="Je plaide", services=(service("Bail"),))
    trail = Trail.of(("avocat",), (), ())
    assert [name for name in ("headline", "body", "title", "name") if here.say(trail, name)] == [
        "headline"
    ]
    begun = Trail.of((), ("plaid",), ())
    assert [name for name in ("headline", "body", "title") if here.say(begun, name)] == ["body"]


def test_a_speciality_that_nothing_names_is_not_looked_for(clues):
    here = clues(headline="Avocate à Lyon", locale="fr")
    assert here.name(Trail.of((), (), ("lawyer",)))
    assert not here.name(Trail.of((), (), ("plumbing",)))
    assert not here.hint(Trail.of((), (), ("plumbing",)), "headline", "fr")
    # A compound of German may name it, whatever its stem is.
    assert here.hint(Trail.of((), (), ("plumbing",)), "headline", "de")
