"""Somebody who says one thing, in one language, is found by whoever says it in another."""

from __future__ import annotations

import random
import re

import pytest

from federation.vocabulary import LANGUAGES, specialities
from tests.search.town import service, town

#: Where the one text of a person stands.
PLACES = ("profession", "headline", "title")
#: Questions asked of the whole vocabulary, each about another speciality.
QUESTIONS = 120


def said(label):
    """A label as people write it: one form, no brackets."""
    return re.sub(r"\s*\([^)]*\)", "", label).split("/")[0].strip()


@pytest.fixture(scope="module")
def everybody():
    """One person for each speciality, who chose no code."""
    chance = random.Random(7)
    with town() as built:
        for code, one in specialities().items():
            language, place = chance.choice(LANGUAGES), chance.choice(PLACES)
            text = said(one.labels[language])
            services = [service(text)] if place == "title" else []
            texts = {} if place == "title" else {place: text}
            built.member(f"Somebody {code}", *services, locale=language, **texts)
        yield built


def test_a_label_in_one_language_surely_finds_who_bears_it_in_another(everybody):
    chance = random.Random(8)
    missed = []
    for code in chance.sample(list(specialities()), QUESTIONS):
        asked = said(specialities()[code].labels[chance.choice(LANGUAGES)])
        if f"Somebody {code}" not in everybody.names(asked)[:5]:
            missed.append((code, asked))
    assert len(missed) <= QUESTIONS * 0.02, missed
