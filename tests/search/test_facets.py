"""Counts that are true: each equals the results one gets, in any combination."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.search.query import DISTANCES, MANY, SWITCHES, Query
from tests.search import town as towns
from tests.search.town import service

CODES = ("lawyer", "notary", "branding", "illustration", "our-own-code")
CITIES = {"Berlin": (52.52, 13.405), "Grenoble": (45.19, 5.72), "Villeurbanne": (45.77, 4.88)}


@pytest.fixture(scope="module")
def crowd():
    """Thirty people of different services, languages, modes and places."""
    with towns.town() as town:
        peers = [town.neighbour(f"In {city}", city, at) for city, at in CITIES.items()]
        for number in range(30):
            code = CODES[number % 5]
            mode = ("paid", "exchange", "pro_bono")[number % 3]
            languages = [("fr", "de-CH", "en")[number % 3], ("es", "en")[number % 2]]
            if number % 4 == 0:
                one = service("Conseil", code, mode=mode, remote=number % 8 == 0)
                one.coworker_rate = 50 if number % 3 else None
                town.member(f"P{number}", one, languages=languages)
            else:
                offer = {"id": "1", "category": code, "title": "Conseil", "mode": mode}
                offer |= {"remote": number % 2 == 0, "coworker_rate": "50" if number % 3 else None}
                town.mirrored(peers[number % 3], f"P{number}", offer, languages=languages)
        yield town


@cache
def values():
    """Every value of every filter that the crowd has, and one that it has not."""
    found = {
        "speciality": (*CODES, "nobody"),
        "domain": ("law", "design"),
        "city": (*CITIES, "Lyon"),
        "country": ("DE", "FR"),
        "language": ("fr", "de", "en", "es"),
        "mode": ("paid", "exchange", "pro_bono"),
    }
    return {name: st.sets(st.sampled_from(of), max_size=2) for name, of in found.items()}


@st.composite
def queries(draw):
    many = {name: tuple(sorted(draw(of))) for name, of in values().items()}
    return Query(
        words=draw(st.sampled_from(["", "", "lawyer", "conseil", "design"])),
        scope=draw(st.sampled_from(["here", "everywhere"])),
        remote=draw(st.booleans()) and draw(st.booleans()),
        coworker_rate=draw(st.booleans()) and draw(st.booleans()),
        within=draw(st.sampled_from([None, None, *DISTANCES])),
        **many,
    )


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(query=queries())
def test_each_count_equals_the_results_of_choosing_that_value(crowd, query):
    asked = vars_of(query)
    for facet in crowd.ask(**asked).facets:
        for option in facet.options:
            alone = replace(query, **{facet.name: only(facet.name, option.value)})
            assert option.count == crowd.ask(**vars_of(alone)).total, (facet.name, option)
            assert option.selected == (option.value in chosen(query, facet.name))


def test_within_a_facet_any_value_is_enough_and_between_facets_all_must_hold(crowd):
    both = crowd.ask(speciality=("lawyer", "notary")).total
    assert both == crowd.ask(speciality=("lawyer",)).total + crowd.ask(speciality=("notary",)).total
    fewer = crowd.ask(speciality=("lawyer", "notary"), language=("es",)).total
    assert 0 < fewer < both


def test_what_is_chosen_stays_offered_though_nobody_is_left(crowd):
    (facet,) = [one for one in crowd.ask(speciality=("nobody",)).facets if one.name == "speciality"]
    assert [(o.value, o.count) for o in facet.options if o.selected] == [("nobody", 0)]


def test_a_space_is_offered_by_its_name(crowd):
    (facet,) = [one for one in crowd.ask().facets if one.name == "space"]
    assert {option.label for option in facet.options} == {
        "La Navette",
        "In Berlin",
        "In Grenoble",
        "In Villeurbanne",
    }


def vars_of(query):
    return {name: getattr(query, name) for name in query.__dataclass_fields__}


def only(name, value):
    if name in MANY:
        return (value,)
    return True if name in SWITCHES else int(value)


def chosen(query, name):
    held = getattr(query, name)
    if name in MANY:
        return held
    return ("1",) if held is True else (str(held),) if held else ()
