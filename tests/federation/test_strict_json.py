"""One reading of the bytes, or none."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import DocumentError, FederationError, TooLargeError
from federation.strict_json import dumps, loads, loads_object


@pytest.mark.parametrize(
    "data",
    [
        b'{"sub":"a","sub":"b"}',
        b'{"x":{"a":1,"\\u0061":2}}',
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"1e999",
        b"\xef\xbb\xbf{}",
        b'"\xff"',
        b'"\\ud800"',
        b'{"\\udc00":1}',
        b'"\t"',
        b"{} {}",
        b"{}x",
        b"{'a':1}",
        b"[1,]",
        b"",
        b"9" * 33,
        b"0." + b"9" * 40,
        b"01",
        b"\x00{}",
        "{}".encode("utf-16"),
    ],
)
def test_bytes_that_two_parsers_could_read_differently_are_refused(data):
    with pytest.raises(DocumentError):
        loads(data, max_bytes=1000)


def test_too_many_bytes_are_refused_before_they_are_decoded():
    with pytest.raises(TooLargeError):
        loads(b"\xff" * 11, max_bytes=10)


@pytest.mark.parametrize("data", [b"[" * 7 + b"]" * 7, b'{"a":' * 7 + b"1" + b"}" * 7])
def test_nesting_past_the_limit_is_refused(data):
    with pytest.raises(DocumentError, match="nested|levels"):
        loads(data, max_bytes=1000)


def test_a_megabyte_of_brackets_is_an_error_and_not_a_crash():
    with pytest.raises(DocumentError):
        loads(b"[" * 500_000, max_bytes=1_000_000)


def test_nesting_up_to_the_limit_is_read():
    assert loads(b"[[[[[[1]]]]]]", max_bytes=100) == [[[[[[1]]]]]]


def test_what_is_no_object_is_refused_where_an_object_is_due():
    with pytest.raises(DocumentError):
        loads_object(b"[]", max_bytes=100)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(JSON)
def test_what_we_write_we_read_back_the_same(value):
    data = dumps(value)
    assert loads(data, max_bytes=10**6, max_depth=50) == value


@given(st.binary(max_size=200))
def test_any_bytes_end_in_a_value_or_in_our_own_error(data):
    try:
        value = loads(data, max_bytes=100)
    except FederationError:
        return
    assert value == json.loads(data)
