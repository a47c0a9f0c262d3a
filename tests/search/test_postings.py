"""Sets beside the rows: true in every piece, gone when nobody is left, counted as each would be."""

from __future__ import annotations

import json
import random

from sqlalchemy import delete, func, select

from app.search.facets import DENSE, FEW, OPTIONS, Counted, Sets
from app.search.keys import keys_of, phrase_keys, shared_keys, words_of
from app.search.people import BEHIND, NOBODY, People, more_of
from app.search.postings import PIECE_BITS, Changes, beginning, holding, words_like
from app.search.tables import posting, word
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


def test_who_is_written_behind_a_set_is_in_it_as_if_it_had_been_opened():
    chance = random.Random(7)
    for piece in (0, 1, 3):
        for size in (0, 1, 2, BEHIND, 4090, 4096, 5000, 60_000):
            before = sorted(chance.sample(range(60_000), size))
            for count in (1, 2, BEHIND, BEHIND + 1, 300):
                rising = sorted(chance.sample(range(60_000, 65_536), count))
                anywhere = chance.choices(range(65_536), k=count)
                for added in (rising, anywhere, list(range(count))):
                    held = People([piece << PIECE_BITS | one for one in before])
                    more = more_of(held.serialize() if before else None, piece, added)
                    wanted = held | People([piece << PIECE_BITS | one for one in added])
                    assert People.deserialize(more) == wanted, (piece, size, count)


def test_whoever_is_written_with_others_is_found_as_if_written_alone(town):
    connection = town.session.connection()
    texts = [
        ("k_lawyer k_tax", "", "k_x", "droit travail k_ droit", "avocat", "", "", "bio", "", "é"),
        ("k_lawyer", "", "", "droit k_ travail", "av avo avocat", "", "x", "a" * 70, "", "anna an"),
        ("", "", "", "a" * 61 + " " + "a" * 70, "", "", "", "bio bio", "日本語", "anna"),
    ]
    everything = select(posting).order_by(posting.c.key), select(word).order_by(word.c.word)
    written = []
    for together in (True, False):
        for table in (posting, word):
            connection.execute(delete(table))
        changes = Changes()
        for number, columns in enumerate(texts, (1 << PIECE_BITS) - 2):
            row = ("mirrored", 7, True, NAMED)
            if together:
                changes.add_new(number, shared_keys(*row[:3], json.loads(NAMED)), columns)
            else:
                changes = Changes()
                changes.add(number, set(), keys_of(*row, columns), words_of(columns))
                changes.write(connection)
        if together:
            changes.write(connection)
        written.append([connection.execute(each).all() for each in everything])
    [(sets, known), (alone, known_alone)] = written
    assert known == known_alone
    assert [(key, piece, People.deserialize(those)) for key, piece, those in sets] == [
        (key, piece, People.deserialize(those)) for key, piece, those in alone
    ]


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
