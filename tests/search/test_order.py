"""The order of an answer: how well, then how near, then each in turn."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from app.search.find import PERHAPS_SHOWN
from app.search.people import People
from app.search.postings import LAST
from app.search.ranking import FEW, HEAPS, in_turn, turns
from tests.search.town import NOW, service

LAWYER = {"id": "1", "category": "lawyer", "title": "Conseil"}


def test_over_sixty_days_each_of_eight_equals_leads_seven_or_eight_times(town):
    for number in range(8):
        town.member(f"Avocate {number}", service("Conseil", "lawyer"))
    first = Counter(town.names("lawyer", now=NOW + timedelta(days=day))[0] for day in range(60))
    assert sorted(first.values()) == [7, 7, 7, 7, 8, 8, 8, 8]


def test_within_a_day_everybody_sees_the_same_order(town):
    for number in range(8):
        town.member(f"Avocate {number}", service("Conseil", "lawyer"))
    assert town.names("lawyer", now=NOW) == town.names("avocat", now=NOW + timedelta(hours=11))


def test_pages_follow_each_other_without_gap_or_repetition(town):
    for number in range(25):
        town.member(f"Avocate {number}", service("Conseil", "lawyer"))
    first, second = town.ask("lawyer"), town.ask("lawyer", page=2)
    names = [hit.card.name for hit in (*first.hits, *second.hits)]
    assert (first.pages, len(first.hits), len(set(names))) == (2, 20, 25)
    assert town.ask("lawyer", page=3).hits == ()


def test_equals_come_from_here_then_from_nearby_then_from_far(town):
    berlin = town.neighbour("Werkhof", "Berlin", (52.52, 13.405))
    villeurbanne = town.neighbour("Le Tube", "Villeurbanne", (45.77, 4.88))
    nowhere = town.neighbour("Nowhere")
    for peer, name in ((berlin, "Anna"), (villeurbanne, "Bruno"), (nowhere, "Nemo")):
        town.mirrored(peer, name, LAWYER)
    town.member("Claire", service("Conseil", "lawyer"))
    found = town.ask("lawyer")
    assert [hit.group for hit in found.hits] == ["here", "near", "elsewhere", "elsewhere"]
    assert [hit.card.name for hit in found.hits[:2]] == ["Claire", "Bruno"]
    by_distance = town.ask("lawyer", sort="distance").hits
    assert [hit.card.name for hit in by_distance] == ["Claire", "Bruno", "Anna", "Nemo"]
    assert [hit.distance_km and round(hit.distance_km) for hit in by_distance] == [0, 3, 975, None]


def test_better_comes_before_nearer(town):
    berlin = town.neighbour("Werkhof", "Berlin", (52.52, 13.405))
    town.mirrored(berlin, "Anna", LAWYER)
    town.member("Claire", service("Contrats", "legal-adviser"), bio="Ancienne lawyer")
    assert town.names("lawyer") == ["Anna"]


def test_by_name_accents_and_case_do_not_count(town):
    for name in ("Zoé", "élodie", "Aïcha", "Eric"):
        town.member(name, service("Conseil", "lawyer"))
    assert town.names(sort="name") == ["Aïcha", "élodie", "Eric", "Zoé"]


@given(st.sets(st.integers(1, 10**6), min_size=1, max_size=40), st.integers(0, 10**6))
def test_a_round_keeps_everybody_and_moves_on_by_one_a_day(people, day):
    today, tomorrow = in_turn(sorted(people), day), in_turn(sorted(people), day + 1)
    assert set(today) == people
    assert tomorrow == today[1:] + today[:1]


def test_a_round_too_large_to_sort_keeps_everybody():
    people = set(range(7, 3 * FEW, 2)) | {10**6}
    today = turns(People(people), 20_000, len(people))
    assert (set(today), len(today)) == (people, len(people))


def test_of_a_round_too_large_to_sort_each_leads_once_before_anybody_leads_again():
    people = People(range(HEAPS * (FEW // HEAPS + 1)))
    leaders = [turns(people, 20_000 + day, 1)[0] for day in range(len(people))]
    assert len(set(leaders)) == len(people)


@given(st.integers(0, 10**6), st.integers(1, 400))
def test_the_first_of_a_large_round_are_those_of_the_whole_round(day, most):
    people = People(range(0, 2 * FEW + 300, 2)) | People(range(1, 999, 2))
    assert turns(people, day, most) == turns(people, day, len(people))[:most]


def test_who_has_a_beginning_in_a_long_text_comes_last_and_is_not_looked_for_before(town):
    town.member("Ines", bio="Nous parlons de zythologie")
    town.session.commit()
    for number in range(PERHAPS_SHOWN - 1):
        town.member(f"Noa {number}", headline="Zythologie")
    town.session.commit()
    names, read = _perhaps(town, "zyth")
    assert (len(names), names[-1], read) == (PERHAPS_SHOWN, "Ines", True)
    town.member("Noa", headline="Zythologie")
    town.session.commit()
    names, read = _perhaps(town, "zyth")
    assert (len(names), "Ines" in names, read) == (PERHAPS_SHOWN, False, False)
    names, read = _perhaps(town, "zyth", sort="name")
    assert (names[0], read) == ("Ines", True)


def _perhaps(town, words, **given):
    """Return who is perhaps meant, and whether long texts were looked through for it."""
    said = []

    def hear(_connection, _cursor, _statement, parameters, *_more):
        said.extend(parameters)

    engine = town.session.get_bind()
    event.listen(engine, "before_cursor_execute", hear)
    try:
        found = town.ask(words, **given)
    finally:
        event.remove(engine, "before_cursor_execute", hear)
    return [hit.card.name for hit in found.perhaps], f"body:zyth{LAST}" in said
