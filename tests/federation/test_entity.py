"""Who a space says it is, and which root key of it is believed. R7, R15, R17."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import ValidationError

from federation import entity, keys, signing
from federation.errors import (
    DocumentError,
    ExpiredError,
    KeyChangedError,
    KeyUnknownError,
    SignatureError,
    StaleError,
    TooLargeError,
    UnknownIssuerError,
    UnknownTypeError,
    UnsupportedVersionError,
)
from federation.limits import ENTITY_BYTES
from tests.federation.samples import (
    DAY,
    LYON,
    NANTES,
    NOW,
    OPERATIONAL,
    ROOT,
    STRANGER,
    configuration,
    profile,
)

PINNED = keys.kid(ROOT)


def read(token, **changes):
    told = {"pinned_kid": PINNED} | changes
    return entity.read(token, LYON, told.pop("now", NOW), **told)


def altered(change, key=ROOT):
    """Lyon's configuration after ``change(claims)``, properly signed."""
    claims = signing.unverified_claims(configuration(), entity.TYP)
    change(claims)
    return signing.sign(claims, key, entity.TYP, max_bytes=ENTITY_BYTES)


def test_a_root_key_that_nobody_confirmed_or_announced_is_refused():
    with pytest.raises(KeyChangedError):
        read(configuration(root_key=STRANGER))


def test_a_root_key_that_was_announced_is_taken():
    following = configuration(root_key=STRANGER)
    found = read(following, announced=[keys.kid(STRANGER)])
    assert found.root_kid == keys.kid(STRANGER)


def test_a_key_cannot_announce_itself():
    with pytest.raises(KeyChangedError):
        read(configuration(root_key=STRANGER, next_kids=[keys.kid(STRANGER)]))


def test_on_first_contact_any_key_is_read_and_none_is_hidden():
    found = read(configuration(root_key=STRANGER), pinned_kid=None)
    assert found.root_kid == keys.kid(STRANGER)


def test_naming_the_pinned_key_without_having_it_is_found_out():
    def bring_both(claims):
        claims["jwks"]["keys"].append(keys.public_jwk(STRANGER))

    token = altered(bring_both, STRANGER)
    header, payload, signature = configuration().split(".")
    with pytest.raises(SignatureError):
        read(f"{header}.{token.split('.')[1]}.{signature}")


def test_a_key_that_is_not_in_the_configuration_does_not_sign_it():
    def bring_another(claims):
        claims["jwks"]["keys"] = [keys.public_jwk(STRANGER)]

    with pytest.raises(KeyUnknownError):
        read(altered(bring_another))


def test_the_configuration_of_another_space_is_refused():
    with pytest.raises(UnknownIssuerError):
        read(configuration(entity_id=NANTES))
    with pytest.raises(UnknownIssuerError):
        read(altered(lambda claims: claims.update(sub=NANTES)))
    with pytest.raises(UnknownIssuerError):
        read(altered(lambda claims: claims.update(iss=NANTES)))


def test_an_expired_or_future_configuration_is_refused():
    with pytest.raises(ExpiredError):
        read(configuration(), now=NOW + 30 * DAY)
    with pytest.raises(ExpiredError):
        read(configuration(), now=NOW - timedelta(minutes=6))
    with pytest.raises(DocumentError):
        read(altered(lambda claims: claims.update(exp=claims["exp"] + 1)))


def test_an_older_configuration_does_not_come_back():
    with pytest.raises(StaleError):
        read(configuration(), newer_than=NOW + timedelta(seconds=1))
    assert read(configuration(), newer_than=NOW).issued_at == NOW


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/feed",
        "http://lyon.example/feed",
        "https://lyon.example:8443/feed",
        "https://lyon.example.evil.example/feed",
        "https://lyon.example@evil.example/feed",
        "https://lyon.example\\@evil.example/feed",
        "https://LYON.example/feed",
        "https://lyon.example",
        "https://lyon.example/feed?to=x",
        "https://lyon.example/feed#x",
        "javascript:alert(1)",
        "/feed",
        "",
    ],
)
@pytest.mark.parametrize("endpoint", ["feed", "held"])
def test_an_endpoint_that_is_not_at_the_space_s_own_origin_is_refused(endpoint, url):
    def move(claims):
        claims["metadata"]["coworking_directory"][f"{endpoint}_endpoint"] = url

    if (endpoint, url) == ("held", ""):
        assert read(altered(move)).endpoints.held == ""
        return
    with pytest.raises(DocumentError):
        read(altered(move))


def test_a_space_may_leave_out_that_it_tells_what_it_holds():
    def leave_out(claims):
        del claims["metadata"]["coworking_directory"]["held_endpoint"]

    assert read(altered(leave_out)).endpoints.held == ""


@pytest.mark.parametrize(
    ("section", "claims"),
    [
        ("federation_entity", {"organization_name": ""}),
        ("federation_entity", {"organization_name": "x" * 121}),
        ("federation_entity", {"organization_name": "a\u202eb"}),
        ("federation_entity", {"policy_uri": "javascript://lyon.example/%0aalert(1)"}),
        ("federation_entity", {"contacts": ["a"] * 6}),
        ("coworking_directory", {"location": None}),
        ("coworking_directory", {"location": {"country": "fr", "city": "Lyon"}}),
        ("coworking_directory", {"location": {"country": "FR", "city": "L", "lat": 91, "lon": 0}}),
        ("coworking_directory", {"members": -1}),
        ("coworking_directory", {"enamel": "url(x)"}),
        ("coworking_directory", {"jwks": {"keys": []}}),
        ("coworking_directory", {"jwks": {"keys": ["x"]}}),
        ("coworking_directory", {"ack_endpoint": None}),
    ],
)
def test_a_claim_that_is_not_what_it_must_be_is_refused(section, claims):
    with pytest.raises(DocumentError):
        read(altered(lambda whole: whole["metadata"][section].update(claims)))


@pytest.mark.parametrize("jwks", [None, [], {"keys": {}}, {"keys": [7]}, {"keys": []}])
def test_a_configuration_without_keys_is_refused(jwks):
    with pytest.raises((DocumentError, KeyUnknownError)):
        read(altered(lambda claims: claims.update(jwks=jwks)))


def test_a_private_key_that_was_published_is_refused():
    with pytest.raises(DocumentError, match="private"):
        read(altered(lambda claims: claims["jwks"]["keys"].append(keys.private_jwk(STRANGER))))


def test_a_space_of_another_version_is_refused_in_so_many_words():
    def age(claims):
        claims["metadata"]["coworking_directory"]["versions"] = ["2"]

    with pytest.raises(UnsupportedVersionError):
        read(altered(age))


def test_another_document_of_the_same_key_is_no_configuration():
    with pytest.raises(UnknownTypeError):
        read(signing.issue(profile(), ROOT))


def test_a_configuration_past_the_limit_is_refused():
    with pytest.raises(TooLargeError):
        read("x" * (ENTITY_BYTES + 1))


def test_a_name_unfit_to_be_published_is_not_signed():
    with pytest.raises(ValidationError):
        configuration(organization_name="")


def test_a_space_is_read_as_it_described_itself():
    token = configuration(
        next_kids=[keys.kid(STRANGER)],
        languages=["fr", "en"],
        enamel="blue",
        members=61,
        policy_uri=f"{LYON}/policy",
        contacts=["accueil@lyon.example"],
    )
    found = read(token)
    assert set(found.operational_keys) == {keys.kid(OPERATIONAL)}
    assert set(found.root_keys) == {PINNED}
    assert replace(found, operational_keys={}, root_keys={}) == entity.EntityConfiguration(
        entity_id=LYON,
        issued_at=NOW,
        expires_at=NOW + 30 * DAY,
        root_kid=PINNED,
        root_keys={},
        next_kids=(keys.kid(STRANGER),),
        operational_keys={},
        organization_name="Le Palier",
        endpoints=entity.Endpoints(
            *(f"{LYON}/federation/v1/{name}" for name in entity.Endpoints.__slots__)
        ),
        location=entity.Location("FR", "Lyon", 45.764, 4.8357),
        languages=("fr", "en"),
        enamel="blue",
        members=61,
        policy_uri=f"{LYON}/policy",
        contacts=("accueil@lyon.example",),
        jws=token,
    )
    assert found.next_reading() == NOW + 7 * DAY


def test_a_space_may_keep_its_coordinates_to_itself():
    found = read(configuration(location=entity.Location("FR", "Lyon")))
    assert found.location == entity.Location("FR", "Lyon", None, None)


def test_a_static_space_whose_feed_has_no_ending_to_put_a_page_before_is_refused():
    with pytest.raises(DocumentError):
        read(configuration(static=True, endpoints=entity.Endpoints.below(LYON)))


def test_a_space_says_that_it_is_files():
    assert read(configuration(static=True)).static
    assert not read(configuration()).static
