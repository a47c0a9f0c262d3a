"""Another JOSE implementation (jwcrypto) reads what we sign, and we read what it signs."""

from __future__ import annotations

import json

import pytest
from jwcrypto import jwk, jws

from federation import entity, keys, signing, strict_json
from federation.documents import Profile
from federation.errors import SignatureError
from tests.federation.samples import LYON, NOW, profile, statement
from tests.vectors.writing import OPERATIONAL, ROOT, STRANGER, ack, assertion, notice, plate, sign

DOCUMENTS = [profile(), notice(), ack(), assertion()]


def theirs(key):
    """Return the key as the other implementation holds it."""
    return jwk.JWK(
        **{name: value for name, value in keys.private_jwk(key).items() if name != "kid"}
    )


def read_by_them(token, key):
    read = jws.JWS()
    read.allowed_algs = ["Ed25519"]
    read.deserialize(token, theirs(key))
    return json.loads(read.payload), json.loads(read.objects["protected"])


def signed_by_them(payload, key, typ, **header):
    made = jws.JWS(payload)
    made.allowed_algs = ["Ed25519"]
    protected = {"alg": "Ed25519", "kid": theirs(key).thumbprint(), "typ": typ} | header
    made.add_signature(theirs(key), protected=json.dumps(protected))
    return made.serialize(compact=True)


def test_they_refuse_our_document_under_another_key():
    with pytest.raises(jws.InvalidJWSSignature):
        read_by_them(sign(profile()), STRANGER)


def test_we_refuse_their_document_under_another_key():
    token = signed_by_them(
        strict_json.dumps(profile().to_claims()), STRANGER, Profile.typ, kid=keys.kid(OPERATIONAL)
    )
    with pytest.raises(SignatureError):
        signing.read(token, keys.keyring([keys.public_jwk(OPERATIONAL)]), Profile)


def test_both_give_a_key_the_same_name():
    assert theirs(ROOT).thumbprint() == keys.kid(ROOT)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: each.typ)
def test_they_read_what_we_sign(document):
    claims, header = read_by_them(sign(document), OPERATIONAL)
    assert claims == document.to_claims()
    assert header == {"alg": "Ed25519", "kid": keys.kid(OPERATIONAL), "typ": document.typ}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: each.typ)
def test_we_read_what_they_sign(document):
    token = signed_by_them(strict_json.dumps(document.to_claims()), OPERATIONAL, document.typ)
    ring = keys.keyring([json.loads(theirs(OPERATIONAL).export_public())])
    assert signing.read(token, ring, type(document)).document == document


def test_both_sign_the_same_bytes_alike():
    token = sign(statement(), ROOT)
    _, protected = read_by_them(token, ROOT)
    other = jws.JWS(strict_json.dumps(statement().to_claims()))
    other.allowed_algs = ["Ed25519"]
    other.add_signature(theirs(ROOT), protected=strict_json.dumps(protected).decode())
    assert other.serialize(compact=True) == token


def test_our_door_plate_is_an_entity_configuration_for_others_too():
    claims, header = read_by_them(plate(), ROOT)
    assert (claims["iss"], claims["sub"], header["typ"]) == (LYON, LYON, entity.TYP)
    again = signed_by_them(strict_json.dumps(claims), ROOT, entity.TYP)
    assert entity.read(again, LYON, NOW, pinned_kid=keys.kid(ROOT)).entity_id == LYON
