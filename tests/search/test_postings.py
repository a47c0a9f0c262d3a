"""Sets beside the rows: true in every piece, gone when nobody is left, counted as each would be."""

from __future__ import annotations

import random

from sqlalchemy import func, select

from app.search.facets import DENSE, FEW, OPTIONS, Counted, Sets
from app.search.keys import keys_of, phrase_keys
from app.search.people import NOBODY, People
from app.search.postings import PIECE_BITS, Changes, beginning, holding, words_like
from app.search.tables import posting
from app.search.writing import COLUMNS

#: Rows at the ends of pieces.
ROWS = (1, (1 << PIECE_BITS) - 1, 1 << PIECE_BITS, 3 << PIECE_BITS)
NAMED = '{"name": ["anna"]}'


def change(connection, before, after, words=()):
    changes = Changes()
    for row in ROWS:
        changes.add(row, before, after, words)
    changes.write(connection)


def test_a_set_is_put_together_from_all_its_pieces(town):
    connection = town.session.connection()
    change(connection, set(), {"title:avocat", "title:avoine", "title:bois"})
    assert holding(connection, ["title:avocat", "title:nobody"]) == {"title:avocat": People(ROWS)}
    found = {"title:avocat": People(ROWS), "title:avoine": People(ROWS)}
    assert beginning(connection, "title:avo") == found


def test_who_loses_a_key_leaves_its_set_and_nothing_of_it_stays_for_nobody(town):
    connection = town.session.connection()
    before = connection.scalar(select(func.count()).select_from(posting))
    change(connection, set(), {"title:avocat", "title:bois"})
    change(connection, {"title:avocat", "title:bois"}, {"title:bois"})
    assert holding(connection, ["title:avocat", "title:bois"]) == {"title:bois": People(ROWS)}
    change(connection, {"title:bois"}, set())
    assert connection.scalar(select(func.count()).select_from(posting)) == before


def test_a_word_is_learnt_once(town):
    connection = town.session.connection()
    change(connection, set(), {"title:zzzavocat"}, ["zzzavocat"])
    change(connection, set(), {"body:zzzavocat"}, ["zzzavocat", "zzzavocas"])
    assert sorted(words_like(connection, "z", 9)) == ["zzzavocas", "zzzavocat"]


def test_a_phrase_of_the_vocabulary_is_looked_up_whole_and_never_over_the_border_of_two_texts():
    texts = dict.fromkeys(COLUMNS, "")
    [together] = phrase_keys("title", ("droit", "travail"))
    one = texts | {"title": "droit travail"}
    two = texts | {"title": "droit k_ travail"}
    found = [
        together in keys_of("member", None, False, NAMED, list(columns.values()))
        for columns in (one, two)
    ]
    assert (together, found) == ("title:droit travail", [True, False])
    assert phrase_keys("title", ("never", "said")) == ["title:never", "title:said"]


def test_large_and_small_answers_are_counted_alike():
    chance = random.Random(5)
    everybody = People(range(1, DENSE * FEW * 3))
    of = {
        str(size): People(chance.sample(range(1, len(everybody)), size)) for size in (1, 90, 9000)
    }
    sets = Sets({"mode": of}, everybody)
    for size in (0, FEW, FEW + 1, FEW * 2, FEW * 20):
        people = People(chance.sample(range(1, len(everybody)), size)) if size else NOBODY
        wanted = {value: len(set(people) & set(those)) for value, those in of.items()}
        counted = Counted.of(people, sets).all(of)
        assert counted == {value: count for value, count in wanted.items() if count}


def test_values_too_rare_to_be_offered_are_not_counted_and_none_other_is_missed():
    chance = random.Random(6)
    everybody = People(range(1, 5000))
    of = {
        f"v{number}": People(chance.sample(range(1, 5000), 3000 // number + 1))
        for number in range(1, 5 * OPTIONS)
    }
    sets = Sets({"speciality": of}, everybody)
    rarest = f"v{5 * OPTIONS - 1}"
    for size in (5, 60, 5000 // DENSE, 1500, 4999):
        counted = Counted.of(People(chance.sample(range(1, 5000), size)), sets)
        every, most = (
            counted.all(of),
            counted.most(of, [rarest], lambda: sets.by_size("speciality")),
        )
        offered = sorted(every, key=lambda value: (-every[value], value))[:OPTIONS]
        assert most | {value: every[value] for value in offered} == most
        assert most.get(rarest, 0) == every.get(rarest, 0)
        assert most.items() <= every.items()
    assert len(most) < len(every)
