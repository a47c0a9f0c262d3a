"""One way in: size, form, header, key, signature, JSON, claims. R2, R4 to R10."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import keys, signing
from federation.documents import Notice, Profile, Withdrawal
from federation.errors import (
    DocumentError,
    FederationError,
    KeyUnknownError,
    SignatureError,
    TooLargeError,
    UnknownTypeError,
)
from federation.limits import JWS_BYTES
from tests.federation.samples import (
    LYON,
    OPERATIONAL,
    RING,
    STRANGER,
    encode,
    forge,
    profile,
    signed,
    withdrawal,
)

CLAIMS = json.dumps(profile().to_claims()).encode()
TOKEN = signed(profile())


def test_what_was_signed_is_read_back():
    assert signing.read(TOKEN, RING, Profile, Withdrawal) == signing.Signed(
        profile(), TOKEN, keys.kid(OPERATIONAL)
    )
    assert signing.verify(TOKEN, RING, Profile.typ) == profile().to_claims()


def test_a_forgery_made_right_is_read_so_that_the_refusals_below_mean_something():
    assert signing.read(forge(CLAIMS, {}), RING, Profile).document == profile()


def test_of_many_documents_each_bad_one_is_refused_in_its_place_and_the_others_are_read():
    forged = forge(CLAIMS, {"kid": keys.kid(OPERATIONAL)}, STRANGER)
    claimed = forge(b'{"iss":"https://lyon.example"}', {})
    tokens = ["no token", TOKEN, forged, claimed, forge(b"[]", {}), signed(withdrawal())]
    found = signing.read_all(tokens, RING, Profile, Withdrawal)
    kinds = [type(one if isinstance(one, FederationError) else one.document) for one in found]
    assert kinds == [
        DocumentError, Profile, SignatureError, DocumentError, DocumentError, Withdrawal
    ]  # fmt: skip
    assert found[1] == signing.read(TOKEN, RING, Profile, Withdrawal)


# --- size


def test_a_document_past_the_limit_is_refused_before_it_is_decoded():
    with pytest.raises(TooLargeError):
        signing.verify("%" * (JWS_BYTES + 1), RING, Profile.typ)


def test_what_is_too_large_to_be_read_is_not_signed():
    with pytest.raises(TooLargeError):
        signing.sign({"a": "x" * 16384}, OPERATIONAL, Profile.typ)


# --- form


def respelled():
    """The same bytes in other spellings, each of which some decoder accepts."""
    header, payload, signature = TOKEN.split(".")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    # 64 bytes are 85.3 characters: the last carries four bits that decode to nothing.
    spare = alphabet[alphabet.index(signature[-1]) ^ 1]
    return {
        "spare bits": f"{header}.{payload}.{signature[:-1]}{spare}",
        "padding": f"{TOKEN}==",
        "line feed": f"{TOKEN}\n",
        "space": f" {TOKEN}",
        "four parts": f"{TOKEN}.",
        "no payload": f"{header}..{signature}",
        "two parts": f"{header}.{payload}",
        "standard alphabet": f"{header}.{payload}.+{signature[1:]}",
        "not ASCII": f"{header}.{payload}.é{signature[1:]}",
        "JSON": json.dumps({"payload": payload, "protected": header, "signature": signature}),
        "nothing": "",
        "short signature": f"{header}.{payload}.{encode(bytes(63))}",
    }


@pytest.mark.parametrize("spelling", respelled().values(), ids=respelled())
def test_another_spelling_of_the_same_document_is_refused(spelling):
    with pytest.raises(DocumentError):
        signing.verify(spelling, RING, Profile.typ)


def test_our_own_gate_refuses_spare_bits_and_short_signatures_whatever_the_library_does():
    with pytest.raises(DocumentError, match="canonical"):
        signing.verify(respelled()["spare bits"], RING, Profile.typ)
    with pytest.raises(SignatureError, match="64 bytes"):
        signing.verify(respelled()["short signature"], RING, Profile.typ)


# --- header


@pytest.mark.parametrize("alg", ["none", "EdDSA", "HS256", "ed25519", None, ["Ed25519"]])
def test_our_own_gate_refuses_another_algorithm_whatever_the_library_does(alg):
    with pytest.raises(SignatureError, match="alg"):
        signing.verify(forge(CLAIMS, {"alg": alg}), RING, Profile.typ)


@pytest.mark.parametrize(
    ("header", "error"),
    [
        ({"typ": "JWT"}, UnknownTypeError),
        ({"typ": None}, UnknownTypeError),
        ({"typ": "CDF-profile+jwt"}, UnknownTypeError),
        ({"typ": "application/cdf-profile+jwt"}, UnknownTypeError),
        ({"typ": Withdrawal.typ}, UnknownTypeError),
        ({"typ": [Profile.typ]}, UnknownTypeError),
        ({"alg": "none"}, SignatureError),
        ({"alg": "EdDSA"}, SignatureError),
        ({"alg": "HS256"}, SignatureError),
        ({"alg": "ed25519"}, SignatureError),
        ({"alg": None}, SignatureError),
        ({"crit": ["exp"]}, DocumentError),
        ({"crit": []}, DocumentError),
        ({"b64": False}, DocumentError),
        ({"b64": True}, DocumentError),
        ({"kid": None}, KeyUnknownError),
        ({"kid": 7}, KeyUnknownError),
        ({"kid": "A" * 43}, KeyUnknownError),
    ],
)
def test_a_header_that_asks_for_anything_else_is_refused(header, error):
    with pytest.raises(error):
        signing.verify(forge(CLAIMS, header), RING, Profile.typ)


@pytest.mark.parametrize(
    "header",
    [
        b'{"alg":"Ed25519","alg":"none","typ":"cdf-profile+jwt"}',
        b"[]",
        b"\xff",
        b'{"a":' + b"[" * 9 + b"]" * 9 + b"}",
    ],
)
def test_a_header_with_two_readings_is_refused(header):
    _, payload, signature = TOKEN.split(".")
    with pytest.raises(DocumentError):
        signing.verify(f"{encode(header)}.{payload}.{signature}", RING, Profile.typ)


def test_a_key_that_the_document_brings_along_is_never_used():
    brought = {"jwk": keys.public_jwk(STRANGER), "jku": "https://evil.example/jwks"}
    for header in (brought, brought | {"kid": keys.kid(OPERATIONAL)}):
        with pytest.raises((KeyUnknownError, SignatureError)):
            signing.verify(forge(CLAIMS, {"kid": None} | header, STRANGER), RING, Profile.typ)


def test_such_a_key_is_ignored_in_a_document_that_is_otherwise_good():
    header = {"jwk": keys.public_jwk(STRANGER), "x5u": "https://evil.example", "note": "hello"}
    assert signing.verify(forge(CLAIMS, header), RING, Profile.typ) == profile().to_claims()


# --- key and signature


def test_the_key_of_another_space_signs_nothing_here():
    with pytest.raises(KeyUnknownError):
        signing.verify(signing.issue(profile(), STRANGER), RING, Profile.typ)


def test_a_stranger_who_names_our_peer_s_key_is_found_out():
    token = forge(CLAIMS, {"kid": keys.kid(OPERATIONAL)}, STRANGER)
    with pytest.raises(SignatureError):
        signing.verify(token, RING, Profile.typ)


def test_one_changed_letter_breaks_the_signature():
    header, _, signature = TOKEN.split(".")
    altered = encode(CLAIMS.replace(b"Benali", b"Benalj"))
    with pytest.raises(SignatureError):
        signing.verify(f"{header}.{altered}.{signature}", RING, Profile.typ)


@given(st.integers(0, len(TOKEN) - 1), st.characters(codec="ascii"))
def test_no_single_character_can_be_exchanged(place, character):
    altered = TOKEN[:place] + character + TOKEN[place + 1 :]
    if altered == TOKEN:
        return
    with pytest.raises(FederationError):
        signing.verify(altered, RING, Profile.typ)


# --- payload


@pytest.mark.parametrize(
    "payload",
    [
        b'{"iss":"https://lyon.example","iss":"https://nantes.example"}',
        b"[]",
        b"null",
        b"\xff",
        b'{"a":NaN}',
        b'{"a":' + b"[" * 6 + b"]" * 6 + b"}",
    ],
)
def test_signed_is_not_enough_when_the_payload_has_two_readings(payload):
    with pytest.raises(DocumentError):
        signing.verify(forge(payload, {}), RING, Profile.typ)


def test_signed_is_not_enough_when_a_claim_is_wrong():
    with pytest.raises(DocumentError):
        signing.read(forge(b'{"iss":"https://lyon.example"}', {}), RING, Profile)


def test_a_type_that_does_not_belong_here_is_refused_however_good_it_is():
    with pytest.raises(UnknownTypeError):
        signing.read(TOKEN, RING, Notice)
    assert isinstance(
        signing.read(signed(withdrawal()), RING, Profile, Withdrawal).document, Withdrawal
    )


# --- before anything is verified


def test_the_claimed_issuer_is_only_what_it_says():
    assert signing.claimed_issuer(forge(CLAIMS, {}, STRANGER), Profile.typ) == LYON
    for payload in (b"{}", b'{"iss":7}', b"[]"):
        with pytest.raises(DocumentError):
            signing.claimed_issuer(forge(payload, {}), Profile.typ)


def test_a_journal_can_name_what_was_refused():
    assert signing.typ_of(forge(CLAIMS, {"typ": "cdf-need+jwt"})) == "cdf-need+jwt"
    assert signing.typ_of(forge(CLAIMS, {"typ": 7})) == ""
    assert len(signing.digest(TOKEN)) == 64


@given(st.text(max_size=60))
def test_any_text_is_refused_with_our_own_error(text):
    with pytest.raises(FederationError):
        signing.verify(text, RING, Profile.typ)
