"""Cities by their names, in a table of our own, offline."""

from __future__ import annotations

import pytest

from app.search.cities import cities_called


@pytest.mark.parametrize(
    "text",
    ["", " ", ",", "FR", "Xyzzyville", "Nantes, DE", "Nantes, Atlantis", "Nantes\t", "Lyon\nParis",
     "(((", "a" * 5000, "\x00", "%", "Nantes, FR, FR"],
)  # fmt: skip
def test_what_is_no_city_is_none(text):
    assert cities_called(text) == () or text.strip() == "Nantes"


@pytest.mark.parametrize(
    ("text", "name", "country"),
    [
        ("nantes", "Nantes", "FR"),
        ("Nantes, FR", "Nantes", "FR"),
        ("Nantes (France)", "Nantes", "FR"),
        ("saint etienne", "Saint-Étienne", "FR"),
        ("Londres", "London", "GB"),
        ("München, Deutschland", "Munich", "DE"),
        ("Munich, Alemania", "Munich", "DE"),
        ("València, es", "Valencia", "ES"),
    ],
)
def test_a_city_is_known_by_its_names_in_four_languages_with_or_without_its_country(
    text, name, country
):
    (first, *_) = cities_called(text)
    assert (first.name, first.country) == (name, country)


def test_of_cities_that_share_a_name_the_largest_of_each_country_comes_by_size():
    countries = [city.country for city in cities_called("Valencia")][:3]
    assert countries == ["VE", "ES", "US"]
    assert len(countries) == len(set(countries))
