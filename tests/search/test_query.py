"""A question as a URL: what is refused, what is cut, what comes back the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from app.search.query import (
    LAST_PAGE,
    WORDS_CHARACTERS,
    WORDS_COUNT,
    Query,
    QueryError,
    clean,
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scope", "moon"),
        ("sort", "price"),
        ("within", "51"),
        ("page", "0"),
        ("page", "-1"),
        ("page", "²"),
        ("page", "9" * 5000),
        ("remote", "perhaps"),
        ("mode", "gift"),
        ("price", "cheap"),
        ("price", "EUR-hour-61"),
        ("availability", "someday"),
        ("near", "Xyzzyville"),
        ("near", "48.85,2.35"),
        ("near", "Nantes, Atlantis"),
    ],
)
def test_an_impossible_value_is_refused_by_name(name, value):
    with pytest.raises(QueryError) as refused:
        Query.from_args({name: [value]})
    assert (refused.value.filter, refused.value.value) == (name, value[:120])


def test_unknown_filters_and_empty_ones_are_ignored():
    asked = MultiDict([("q", ""), ("colour", "red"), ("city", ""), ("remote", ""), ("page", "")])
    assert Query.from_args(asked) == Query()


def test_a_page_beyond_the_last_is_the_last():
    assert Query.from_args({"page": ["1000000000"]}).page == LAST_PAGE


@pytest.mark.parametrize(
    "hostile",
    ["x" * 10_000, "avocat " * 500, "\x00\x1b[31m", "‮evil‬", '" OR NEAR(*'],
)
def test_words_are_cut_and_cleaned(hostile):
    words = Query.from_args({"q": [hostile]}).words
    assert len(words) <= WORDS_CHARACTERS
    assert len(words.split()) <= WORDS_COUNT
    assert all(char.isprintable() for char in words)


def test_a_space_at_the_end_says_that_the_word_is_complete():
    assert (clean(" droit  du "), clean("droit")) == ("droit du ", "droit")


def test_the_url_says_everything_and_leaves_defaults_out():
    query = Query(words="avocat", city=("Lyon", "Nantes"), remote=True, within=50, page=3)
    assert query.to_args() == [
        ("q", "avocat"),
        ("city", "Lyon"),
        ("city", "Nantes"),
        ("remote", "1"),
        ("within", "50"),
        ("page", "3"),
    ]
    assert query.toggled("city", "Lyon")[-1] == ("within", "50")
    assert query.filters == (
        ("city", "Lyon"),
        ("city", "Nantes"),
        ("remote", "1"),
        ("within", "50"),
    )
    assert Query().to_args() == []


texts = st.text(max_size=30).map(lambda text: clean(text).strip()).filter(bool)


@given(
    st.builds(
        Query,
        words=st.text(max_size=60).map(clean),
        scope=st.sampled_from(["here", "everywhere"]),
        speciality=st.lists(texts, unique=True, max_size=3).map(tuple),
        city=st.lists(texts, unique=True, max_size=3).map(tuple),
        mode=st.sampled_from([(), ("paid",), ("paid", "exchange")]),
        price=st.sampled_from([(), ("EUR-hour-60", "CHF-day-0")]),
        availability=st.sampled_from([(), ("mon", "sun")]),
        near=st.sampled_from(["", "Nantes", "Saint-Étienne, FR"]),
        remote=st.booleans(),
        within=st.sampled_from([None, 10, 50, 200]),
        sort=st.sampled_from(["match", "distance", "name"]),
        page=st.integers(1, LAST_PAGE),
    )
)
def test_a_url_read_again_is_the_same_question(query):
    again = Query.from_args(MultiDict(query.to_args()))
    assert again.to_args() == query.to_args()
    assert again == query
