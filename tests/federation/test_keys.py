"""Keys are named by what they are; R7."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import keys
from federation.errors import DocumentError, TooLargeError

#: RFC 8037 appendix A.
PUBLIC = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
PRIVATE = PUBLIC | {"d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}
THUMBPRINT = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
KNOWN_PAIR = ("shingle", "sequoia", "chime", "quilt", "fifteen", "chorus")


def test_the_name_of_a_key_is_its_thumbprint():
    assert keys.kid(keys.import_public(PUBLIC)) == THUMBPRINT


def test_a_name_that_a_jwk_gives_itself_is_ignored():
    assert set(keys.keyring([PUBLIC | {"kid": "admin"}])) == {THUMBPRINT}


@pytest.mark.parametrize(
    "jwk",
    [
        PRIVATE,
        PUBLIC | {"x": PUBLIC["x"] + "="},
        PUBLIC | {"x": PUBLIC["x"][:-1]},
        PUBLIC | {"x": PUBLIC["x"][:-1] + "p"},
        PUBLIC | {"x": 7},
        PUBLIC | {"kty": "EC"},
        {"crv": "Ed25519"},
    ],
)
def test_what_only_looks_like_a_public_key_is_refused(jwk):
    with pytest.raises(DocumentError):
        keys.keyring([jwk])


def test_kinds_of_keys_that_we_do_not_use_are_passed_over():
    assert keys.keyring([{"kty": "EC", "crv": "P-256", "x": "a", "y": "b"}]) == {}


def test_more_keys_than_anybody_needs_are_refused():
    with pytest.raises(TooLargeError):
        keys.keyring([PUBLIC] * 9)


def test_a_private_key_survives_its_file():
    key = keys.new_key()
    assert keys.private_jwk(keys.import_private(keys.private_jwk(key))) == keys.private_jwk(key)
    assert "d" not in keys.public_jwk(key)


@pytest.mark.parametrize(
    "jwk",
    [{}, PUBLIC, PRIVATE | {"x": keys.public_jwk(keys.new_key())["x"]}, PRIVATE | {"d": "AA"}],
)
def test_a_file_that_holds_no_private_key_is_refused(jwk):
    with pytest.raises(DocumentError):
        keys.import_private(jwk)


def test_a_public_key_has_no_private_form():
    with pytest.raises(ValueError, match="public"):
        keys.private_jwk(keys.import_public(PUBLIC))


def test_both_screens_show_the_same_six_words():
    a, b = THUMBPRINT, keys.kid(keys.new_key())
    assert keys.pair_code(a, b) == keys.pair_code(b, a)
    assert keys.pair_code(a, b) != keys.pair_code(a, a)


def test_the_words_of_a_known_pair_never_change():
    assert keys.pair_code("A" * 43, "B" * 43) == KNOWN_PAIR


def test_the_words_are_told_apart_on_a_bad_line():
    words = keys.pair_words()
    assert len(words) == len(set(words)) == 1024
    assert all(word.isascii() and word.islower() and 3 <= len(word) <= 9 for word in words)
    # One letter misheard, missed or added never makes another word of the list.
    shortened = [{word} | {word[:i] + word[i + 1 :] for i in range(len(word))} for word in words]
    blanked = [word[:i] + "?" + word[i + 1 :] for word in words for i in range(len(word))]
    assert len(blanked) == len(set(blanked))
    assert not any(
        shorter in set(words)
        for forms, word in zip(shortened, words, strict=True)
        for shorter in forms - {word}
    )


@given(st.dictionaries(st.sampled_from(["kty", "crv", "x", "d"]), st.text(max_size=50)))
def test_any_jwk_is_a_key_or_our_own_error(jwk):
    try:
        ring = keys.keyring([jwk])
    except DocumentError:
        return
    assert ring == {}
