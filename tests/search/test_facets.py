"""Counts that are true: each equals the results one gets, in any combination."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.models.scope import Reader
from app.search.query import DISTANCES, MANY, SWITCHES, Query
from tests.search import town as towns
from tests.search.town import NOW, service

CODES = ("lawyer", "notary", "branding", "illustration", "our-own-code")
RATES = ("25", "45.50", "70", "95", "150")
#: The last day of a rate: already over, today, soon over, never.
UNTIL = tuple(NOW.date() + timedelta(days=days) for days in (-1, 0, 20)) + (None,)
WHEN = ("lundi et mardi", "Mo–Mi", "every day except Friday", "nach Absprache", "")
CITIES = {"Berlin": (52.52, 13.405), "Grenoble": (45.19, 5.72), "Villeurbanne": (45.77, 4.88)}


@pytest.fixture(scope="module")
def crowd():
    """Sixty people of different services, languages, modes, prices, days and places."""
    with towns.town() as town:
        peers = [town.neighbour(f"In {city}", city, at) for city, at in CITIES.items()]
        for number in range(60):
            code = CODES[number % 5]
            mode = ("paid", "exchange", "pro_bono")[number % 3]
            languages = [("fr", "de-CH", "en")[number % 3], ("es", "en")[number % 2]]
            said = {"languages": languages, "availability": WHEN[number % 5]}
            rate, less = RATES[number % 5], "20" if number % 3 else None
            unit, until = ("hour", "day", "fixed")[number % 7 % 3], UNTIL[number % 4]
            if number % 4 == 0:
                one = service("Conseil", code, mode=mode, remote=number % 8 == 0)
                one.rate, one.coworker_rate = Decimal(rate), less and Decimal(less)
                one.unit, one.currency, one.valid_until = unit, "EUR", until
                audience = "web" if number % 8 else "space"
                town.member(f"P{number}", one, audience=audience, **said)
            else:
                offer = {"id": "1", "category": code, "title": "Conseil", "mode": mode}
                offer |= {"remote": number % 2 == 0, "rate": rate, "coworker_rate": less}
                offer |= {"unit": unit, "currency": ("EUR", "CHF")[number % 9 == 0]}
                offer |= {"valid_until": until.isoformat()} if until else {}
                said["web"] = ["services", "availability"] if number % 5 else ["headline"]
                town.mirrored(
                    peers[number % 3], f"P{number}", offer, public=number % 2 == 0, **said
                )
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
        "price": ("EUR-hour-0", "EUR-hour-30", "EUR-day-0", "CHF-hour-60", "SEK-hour-0"),
        "availability": ("mon", "wed", "sun"),
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
        near=draw(st.sampled_from(["", "", "Potsdam", "Grenoble, FR"])),
        **many,
    )


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    query=queries(),
    reader=st.sampled_from(Reader),
    now=st.sampled_from([NOW, NOW + timedelta(days=1), NOW + timedelta(days=30)]),
)
def test_each_count_equals_the_results_of_choosing_that_value(crowd, query, reader, now):
    for facet in crowd.ask(**vars_of(query), reader=reader, now=now).facets:
        for option in facet.options:
            alone = replace(query, **{facet.name: only(facet.name, option.value)})
            found = crowd.ask(**vars_of(alone), reader=reader, now=now)
            assert option.count == found.total, (facet.name, option)
            assert option.selected == (option.value in chosen(query, facet.name))


def test_within_a_facet_any_value_is_enough_and_between_facets_all_must_hold(crowd):
    both = crowd.ask(speciality=("lawyer", "notary")).total
    assert both == crowd.ask(speciality=("lawyer",)).total + crowd.ask(speciality=("notary",)).total
    fewer = crowd.ask(speciality=("lawyer", "notary"), language=("es",)).total
    assert 0 < fewer < both


def test_what_is_chosen_stays_offered_though_nobody_is_left(crowd):
    (facet,) = [one for one in crowd.ask(speciality=("nobody",)).facets if one.name == "speciality"]
    assert [(o.value, o.count) for o in facet.options if o.selected] == [("nobody", 0)]


def test_a_rate_is_in_its_band_until_its_last_day_and_in_none_afterwards(town):
    until = date(2026, 12, 24)
    town.member("Ann", service("Logo", rate=Decimal(70), unit="hour", valid_until=until))
    christmas = NOW + timedelta(days=30)
    assert offered(town.ask(now=christmas), "price") == {"EUR-hour-60": 1}
    assert offered(town.ask(now=christmas + timedelta(days=1)), "price") == {}
    later = town.ask(price=("EUR-hour-60",), now=christmas + timedelta(days=1))
    assert (later.total, offered(later, "price")) == (0, {"EUR-hour-60": 0})


def test_the_price_is_what_the_reader_pays(town):
    offer = service("Logo", rate=Decimal(95), coworker_rate=Decimal(70), unit="hour")
    town.member("Ann", offer, audience="web")
    assert offered(town.ask(), "price") == {"EUR-hour-60": 1}
    visited = town.ask(reader=Reader.VISITOR)
    assert offered(visited, "price") == {"EUR-hour-90": 1}
    assert offered(visited, "coworker_rate") == {}
    assert town.ask(coworker_rate=True, reader=Reader.VISITOR).total == 0


def test_somebody_with_two_prices_in_one_band_is_counted_once_and_as_long_as_one_holds(town):
    first = service("Logo", rate=Decimal(70), unit="hour", valid_until=NOW.date())
    town.member("Ann", first, service("Menu", rate=Decimal(75), unit="hour"))
    for days in (0, 1, 400):
        assert offered(town.ask(now=NOW + timedelta(days=days)), "price") == {"EUR-hour-60": 1}


def test_prices_stand_by_currency_then_unit_then_height_and_days_in_their_order(town):
    for rate, currency, unit in [
        ("300", "EUR", "day"), ("95", "EUR", "hour"), ("10", "EUR", "hour"), ("70", "CHF", "hour"),
    ]:  # fmt: skip
        one = service("Logo", rate=Decimal(rate), currency=currency, unit=unit)
        town.member(rate, one, availability="samedi, lundi au mercredi")
    assert list(offered(town.ask(), "price")) == [
        "EUR-hour-0",
        "EUR-hour-90",
        "EUR-day-250",
        "CHF-hour-60",
    ]
    assert list(offered(town.ask(), "availability")) == ["mon", "tue", "wed", "sat"]


def test_distances_count_from_a_named_city_and_so_does_the_order(crowd):
    near = crowd.ask(near="Potsdam", sort="distance")
    assert (near.origin.name, near.hits[0].card.space.city) == ("Potsdam", "Berlin")
    assert (near.hits[0].group, round(near.hits[0].distance_km)) == ("near", 27)
    assert offered(near, "within") == {"50": 15, "200": 15}
    away = crowd.ask(near="Potsdam", space=("here",))
    assert {hit.group for hit in away.hits} == {"elsewhere"}


def test_of_several_cities_it_is_the_one_in_a_country_of_ours_then_the_largest(town):
    def meant(near):
        found = town.ask(near=near)
        return [city.country for city in (found.origin, *found.namesakes) if city]

    assert meant("") == []
    assert meant("Valence")[0] == "FR"
    assert meant("Valencia")[:2] == ["VE", "ES"]
    assert meant("Valencia, ES") == ["ES"]
    town.neighbour("El Patio", "Madrid").country = "ES"
    assert meant("Valencia")[:2] == ["ES", "VE"]


def test_a_space_is_offered_by_its_name(crowd):
    (facet,) = [one for one in crowd.ask().facets if one.name == "space"]
    assert {option.label for option in facet.options} == {
        "La Navette",
        "In Berlin",
        "In Grenoble",
        "In Villeurbanne",
    }


def offered(found, name):
    """What a facet offers, with the counts."""
    return {o.value: o.count for facet in found.facets if facet.name == name for o in facet.options}


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
