"""Text from elsewhere is hostile until it is plain."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.text import is_plain, plain


@pytest.mark.parametrize(
    "text",
    [
        "abc\u202egnp.exe",
        "\u2066Aïcha\u2069",
        "Ai\u0308cha",  # NFD: looks the same and compares otherwise
        "bell\x07",
        "nul\x00",
        "two\nlines",
        "tab\t",
        "\u2028",
        "\ufeffname",
        "\ue000",
        "\x85",
    ],
)
def test_text_that_is_not_what_it_looks_like_is_not_plain(text):
    assert not is_plain(text)


@pytest.mark.parametrize("text", ["Aïcha", "東京", "مرحبا", "R&D <b>", "👩‍⚖️", "", "’"])
def test_text_of_any_language_is_plain(text):
    assert is_plain(text)


def test_line_feeds_are_for_biographies_only():
    assert is_plain("a\nb", lines=True)
    assert not is_plain("a\r\nb", lines=True)


def test_our_own_text_is_made_fit():
    assert plain(" Ai\u0308cha\r\n\u202eB\x00 ") == "Aïcha B"
    assert plain("a\r\nb\tc", lines=True) == "a\nbc"
    assert plain("abcdef ghi", longest=7) == "abcdef"


@given(st.text(), st.booleans(), st.none() | st.integers(1, 20))
def test_whatever_we_make_fit_is_plain(text, lines, longest):
    made = plain(text, lines=lines, longest=longest)
    assert is_plain(made, lines=lines)
    assert longest is None or len(made) <= longest
