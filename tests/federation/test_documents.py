"""Documents: what a claim may hold, and that both sides read it alike. R11, R18."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from federation.documents import Ack, Assertion, Checkpoint, Notice, Profile, Service, Withdrawal
from federation.errors import (
    DocumentError,
    ExpiredError,
    UnknownIssuerError,
    WrongAudienceError,
)
from tests.federation import samples
from tests.federation.samples import BERLIN, DAY, LYON, NANTES, NOW, profile

PHOTO = {
    "url": f"{LYON}/federation/v1/photo/{'0a' * 32}", "digest": "0a" * 32, "type": "image/webp",
    "bytes": 9000, "size": 320,
}  # fmt: skip
ADVICE = {"id": "s1", "title": "Conseil", "mode": "paid", "rate": "90.00", "currency": "EUR"}


@pytest.mark.parametrize(
    "claims",
    [
        {"name": ""},
        {"name": " Aïcha"},
        {"name": None},
        {"name": "A" * 121},
        {"name": "abc\u202egnp"},
        {"headline": "two\nlines"},
        {"bio": "nul\x00"},
        {"bio": "b" * 4001},
        {"rev": 0},
        {"rev": True},
        {"rev": "1"},
        {"rev": 1.0},
        {"rev": 2**53},
        {"iat": 1.5},
        {"consent_at": True},
        {"iat": "2026-11-24"},
        {"iat": -1},
        {"exp": 10**15},
        {"exp": int(NOW.timestamp())},
        {"exp": int((NOW + 401 * DAY).timestamp())},
        {"consent_at": None},
        {"sub": LYON},
        {"sub": f"{LYON}/m/"},
        {"sub": f"{LYON}/m/a/b"},
        {"sub": f"{LYON}/m/a b"},
        {"iss": "lyon"},
        {"iss": "https://LYON.example"},
        {"aud": [NANTES]},
        {"aud": "everybody"},
        {"aud": ""},
        {"languages": "fr"},
        {"languages": ["not a language"]},
        {"languages": ["fr"] * 21},
        {"interests": ["x" * 61]},
        {"interests": [""]},
        {"web": ["<b>"]},
        {"services": [ADVICE] * 2},
        {"services": [ADVICE | {"id": str(n)} for n in range(21)]},
        {"services": [ADVICE | {"rate": 90}]},
        {"services": [ADVICE | {"rate": 90.5}]},
        {"services": [ADVICE | {"rate": "-1"}]},
        {"services": [ADVICE | {"rate": "1e3"}]},
        {"services": [ADVICE | {"rate": "0.001"}]},
        {"services": [ADVICE | {"rate": "NaN"}]},
        {"services": [ADVICE | {"rate": "٩"}]},
        {"services": [ADVICE | {"rate": "007"}]},
        {"services": [ADVICE | {"rate": "999999999"}]},
        {"services": [ADVICE | {"currency": "€"}]},
        {"services": [ADVICE | {"currency": None}]},
        {"services": [ADVICE | {"mode": "barter"}]},
        {"services": [ADVICE | {"unit": "year"}]},
        {"services": [ADVICE | {"remote": 1}]},
        {"services": [ADVICE | {"id": "a b"}]},
        {"services": [ADVICE | {"category": "Law!"}]},
        {"services": [ADVICE | {"valid_until": "31.12.2026"}]},
        {"services": [ADVICE | {"valid_until": "2026-02-30"}]},
        {"services": [ADVICE | {"title": ""}]},
        {"services": ["advice"]},
        {"photo": PHOTO["url"]},
        {"photo": {}},
        {"photo": PHOTO | {"url": f"{NANTES}/photo"}},
        {"photo": PHOTO | {"url": "http://lyon.example/photo"}},
        {"photo": PHOTO | {"url": f"{LYON}:8443/photo"}},
        {"photo": PHOTO | {"url": f"{LYON}.evil.example/photo"}},
        {"photo": PHOTO | {"url": f"{LYON}@evil.example/photo"}},
        {"photo": PHOTO | {"url": f"{LYON}\\@evil.example/photo"}},
        {"photo": PHOTO | {"url": f"{LYON}/photo?of=me"}},
        {"photo": PHOTO | {"url": f"{LYON}/photo#me"}},
        {"photo": PHOTO | {"url": LYON}},
        {"photo": PHOTO | {"url": "/photo"}},
        {"photo": PHOTO | {"url": "data:image/webp;base64,AAAA"}},
        {"photo": PHOTO | {"digest": "0A" * 32}},
        {"photo": PHOTO | {"digest": "0a" * 31}},
        {"photo": PHOTO | {"type": "image/svg+xml"}},
        {"photo": PHOTO | {"type": "image/gif"}},
        {"photo": PHOTO | {"type": "text/html"}},
        {"photo": PHOTO | {"bytes": 0}},
        {"photo": PHOTO | {"bytes": 65 * 1024}},
        {"photo": PHOTO | {"bytes": "9000"}},
        {"photo": PHOTO | {"bytes": True}},
        {"photo": PHOTO | {"size": 1025}},
        {"photo": PHOTO | {"size": 0}},
    ],
)
def test_a_claim_that_is_not_what_it_must_be_is_refused(claims):
    with pytest.raises(DocumentError):
        Profile.from_claims(profile().to_claims() | claims)


@pytest.mark.parametrize("name", ["iss", "sub", "rev", "aud", "iat", "exp", "consent_at", "name"])
def test_a_claim_that_is_missing_is_named(name):
    claims = profile().to_claims()
    del claims[name]
    with pytest.raises(DocumentError, match=name):
        Profile.from_claims(claims)


def test_a_claim_in_our_own_spelling_is_not_the_claim():
    claims = profile().to_claims()
    claims["issuer"] = claims.pop("iss")
    with pytest.raises(DocumentError, match="iss"):
        Profile.from_claims(claims)


def test_claims_of_the_future_are_ignored_and_unknown_categories_kept():
    claims = profile().to_claims() | {"mood": {"a": 1}, "services": [ADVICE | {"category": "x.y"}]}
    read = Profile.from_claims(claims)
    assert read.services[0].category == "x.y"
    assert "mood" not in read.to_claims()


def test_a_photo_at_home_is_taken_as_it_was_signed():
    read = Profile.from_claims(profile().to_claims() | {"photo": PHOTO})
    assert read.to_claims()["photo"] == PHOTO
    assert "photo" not in profile().to_claims()


def test_a_document_unfit_to_be_signed_cannot_be_made():
    with pytest.raises(ValidationError):
        profile(name="")
    with pytest.raises(ValidationError):
        profile(issued_at=datetime(2026, 1, 1))  # noqa: DTZ001  # the point of the test


def test_a_whole_profile_is_written_and_read_back():
    service = Service(
        id="s1",
        category="law.employment",
        label="Droit du travail",
        title="Conseil",
        description="Contrats\net ruptures",
        mode="paid",
        rate=Decimal("120.50"),
        coworker_rate=Decimal("90"),
        currency="EUR",
        unit="hour",
        valid_until=date(2027, 6, 30),
        remote=True,
        languages=("fr", "zh-Hant-TW"),
    )
    whole = profile(services=(service,), bio="Une\nligne", locale="fr", web=("name", "headline"))
    claims = whole.to_claims()
    assert claims["services"] == [
        {
            "id": "s1",
            "category": "law.employment",
            "label": "Droit du travail",
            "title": "Conseil",
            "description": "Contrats\net ruptures",
            "mode": "paid",
            "rate": "120.50",
            "coworker_rate": "90",
            "currency": "EUR",
            "valid_until": "2027-06-30",
            "remote": True,
            "languages": ["fr", "zh-Hant-TW"],
        }
    ]
    assert Profile.from_claims(claims) == whole


def test_what_says_nothing_is_not_sent():
    assert profile(headline="", languages=()).to_claims() == {
        "iss": LYON,
        "sub": samples.AICHA,
        "rev": 1,
        "aud": "peers",
        "iat": int(NOW.timestamp()),
        "exp": int((NOW + 90 * DAY).timestamp()),
        "consent_at": int((NOW - DAY).timestamp()),
        "name": "Aïcha Benali",
    }


def test_moments_are_whole_seconds_in_utc():
    paris = timezone(timedelta(hours=1))
    made = profile(issued_at=datetime(2026, 11, 24, 10, 30, 0, 999_999, tzinfo=paris))
    assert made.issued_at == NOW
    assert made.issued_at.tzinfo is UTC


@given(st.decimals(0, Decimal("99999999.99"), places=2))
def test_no_cent_is_lost(amount):
    service = Service(id="a", title="a", mode="paid", rate=amount, currency="EUR")
    claims = profile(services=(service,)).to_claims()
    assert Profile.from_claims(claims).services[0].rate == amount


def test_rates_hold_until_their_last_day():
    service = Service(id="a", title="a", mode="paid", valid_until=date(2026, 12, 31))
    assert service.rates_hold(date(2026, 12, 31))
    assert not service.rates_hold(date(2027, 1, 1))


@pytest.mark.parametrize(
    "claims",
    [{"root": "AB" * 32}, {"root": "0" * 63}, {"view": "all"}, {"seq": -1}, {"count": "0"}],
)
def test_a_checkpoint_that_states_no_state_is_refused(claims):
    with pytest.raises(DocumentError):
        Checkpoint.from_claims(samples.checkpoint().to_claims() | claims)


def test_a_checkpoint_lives_for_a_week_at_most():
    with pytest.raises(ValidationError):
        samples.checkpoint(expires_at=NOW + 8 * DAY)


def test_a_withdrawal_carries_no_personal_data():
    assert set(samples.withdrawal().to_claims()) == {"iss", "sub", "rev", "iat", "exp", "reason"}
    with pytest.raises(DocumentError):
        Withdrawal.from_claims(samples.withdrawal().to_claims() | {"reason": "she moved to Berlin"})


# --- who it is by, and for whom


def test_a_statement_for_somebody_else_is_refused():
    told = samples.statement()
    with pytest.raises(UnknownIssuerError):
        told.require(BERLIN, NANTES, NOW)
    with pytest.raises(WrongAudienceError):
        told.require(LYON, BERLIN, NOW)
    with pytest.raises(ExpiredError):
        told.require(LYON, NANTES, NOW + DAY)
    with pytest.raises(ExpiredError):
        told.require(LYON, NANTES, NOW - timedelta(minutes=6))
    told.require(LYON, NANTES, NOW - timedelta(minutes=4))


def test_a_notice_for_somebody_else_is_refused():
    notice = Notice(issuer=LYON, audience=NANTES, epoch="e", seq=3)
    with pytest.raises(UnknownIssuerError):
        notice.require(BERLIN, NANTES)
    with pytest.raises(WrongAudienceError):
        notice.require(LYON, BERLIN)
    assert notice.to_claims() == {"iss": LYON, "aud": NANTES, "epoch": "e", "seq": 3}


def test_an_acknowledgement_from_tomorrow_is_refused():
    ack = Ack(
        issuer=LYON,
        audience=NANTES,
        view="peers",
        epoch="e",
        seq=3,
        count=0,
        root="0" * 64,
        issued_at=NOW,
    )
    with pytest.raises(ExpiredError):
        ack.require(LYON, NANTES, NOW - DAY)
    with pytest.raises(WrongAudienceError):
        ack.require(LYON, BERLIN, NOW)
    ack.require(LYON, NANTES, NOW + 30 * DAY)


FEED = f"{NANTES}/federation/v1/feed"


@pytest.mark.parametrize(
    ("issuer", "audience", "method", "url", "at", "error"),
    [
        (BERLIN, NANTES, "GET", FEED, NOW, UnknownIssuerError),
        (LYON, BERLIN, "GET", FEED, NOW, WrongAudienceError),
        (LYON, NANTES, "POST", FEED, NOW, WrongAudienceError),
        (LYON, NANTES, "GET", f"{FEED}/x", NOW, WrongAudienceError),
        (LYON, NANTES, "GET", FEED, NOW + timedelta(seconds=120), ExpiredError),
        (LYON, NANTES, "GET", FEED, NOW - timedelta(minutes=6), ExpiredError),
    ],
)
def test_an_assertion_opens_one_door_once(issuer, audience, method, url, at, error):
    assertion = Assertion.of(LYON, NANTES, "GET", f"{FEED}?since=7", "j1", NOW)
    with pytest.raises(error):
        assertion.require(issuer, audience, method, url, at)
    assertion.require(LYON, NANTES, "GET", f"{FEED}?since=8", NOW)


def test_an_assertion_that_lives_longer_than_two_minutes_is_refused():
    claims = Assertion.of(LYON, NANTES, "GET", FEED, "j1", NOW).to_claims()
    with pytest.raises(DocumentError):
        Assertion.from_claims(claims | {"exp": claims["exp"] + 1})


def test_an_assertion_for_somebody_else_s_account_is_refused():
    claims = Assertion.of(LYON, NANTES, "GET", FEED, "j1", NOW).to_claims() | {"sub": BERLIN}
    with pytest.raises(UnknownIssuerError):
        Assertion.from_claims(claims).require(LYON, NANTES, "GET", FEED, NOW)
