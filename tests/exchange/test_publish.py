"""What is signed about a member: what they chose, when they chose it, and nothing twice."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from app.exchange.describing import PROFILE_LIFETIME, NotPublishableError, preview
from app.exchange.publish import publish_member, withdraw_former
from app.models.feed import FeedEntry, FeedState
from app.models.member import Member
from federation import signing
from federation.documents import Profile, Withdrawal
from federation.keys import keyring, public_jwk
from tests import spaces


def sign(town, name, **changes):
    """Save and publish the member of Nantes with this name; say whether anything was signed."""
    with town.at("nantes") as session:
        member = session.scalars(select(Member).filter_by(name=name)).one()
        if "audience" in changes:
            member.show_to(changes.pop("audience"), town.now)
        for key, value in changes.items():
            setattr(member, key, value)
        return publish_member(session, member, town.identity("nantes"), town.now)


def feed(town):
    """Return what the feed of Nantes holds, verified: ``(seq, document)``."""
    keys = keyring([public_jwk(town.identity("nantes").operational_key)])
    with town.at("nantes") as session:
        rows = session.scalars(select(FeedEntry).order_by(FeedEntry.seq))
        return [
            (row.seq, signing.read(row.jws, keys, Profile, Withdrawal).document) for row in rows
        ]


@pytest.mark.parametrize("audience", ["me", "space"])
def test_who_was_never_published_is_never_withdrawn(town, audience):
    town.publish("nantes", "Claire", audience=audience)
    assert sign(town, "Claire") is False
    assert feed(town) == []


def test_an_unchanged_member_signs_nothing(town):
    town.publish("nantes", "Claire")
    before = feed(town)
    town.later(days=1)
    assert sign(town, "Claire") is False
    assert feed(town) == before


def test_a_change_takes_the_place_of_the_profile_at_a_later_position(town):
    town.publish("nantes", "Claire")
    town.publish("nantes", "Gwen")
    assert sign(town, "Claire", headline="Avocate") is True
    assert [(seq, each.name, each.revision) for seq, each in feed(town)] == [
        (2, "Gwen", 1),
        (3, "Claire", 2),
    ]


def test_a_withdrawal_says_nothing_about_the_person_and_outlives_every_copy(town):
    town.publish("nantes", "Claire", bio="Secret")
    town.later(days=10)
    sign(town, "Claire", audience="space")
    ((_, withdrawal),) = feed(town)
    assert isinstance(withdrawal, Withdrawal)
    assert set(withdrawal.to_claims()) == {"iss", "sub", "rev", "iat", "exp", "reason"}
    assert withdrawal.expires_at == town.now + PROFILE_LIFETIME - timedelta(days=10)
    assert (withdrawal.revision, withdrawal.reason) == (2, "withdrawn")


def test_withdrawing_twice_signs_once(town):
    town.publish("nantes", "Claire")
    assert sign(town, "Claire", audience="me") is True
    assert sign(town, "Claire", audience="me") is False


def test_whose_membership_ended_is_withdrawn_as_somebody_who_left(town):
    town.publish("nantes", "Claire")
    sign(town, "Claire", left_at=town.now)
    ((_, withdrawal),) = feed(town)
    assert withdrawal.reason == "left"


def test_a_member_whose_row_is_deleted_is_withdrawn_first(town):
    town.publish("nantes", "Claire")
    with town.at("nantes") as session:
        member = session.scalars(select(Member)).one()
        assert withdraw_former(session, member, town.identity("nantes"), town.now) is True
        session.delete(member)
    ((_, withdrawal),) = feed(town)
    assert isinstance(withdrawal, Withdrawal)


def test_revisions_go_on_rising_for_who_leaves_and_returns(town):
    town.publish("nantes", "Claire")
    sign(town, "Claire", audience="me")
    town.later(days=200)
    town.work_at("nantes")
    assert feed(town) == []
    sign(town, "Claire", audience="neighbours")
    assert [each.revision for _, each in feed(town)] == [3]


def test_neighbours_and_web_are_two_different_consents(town):
    town.publish("nantes", "Claire", audience="neighbours")
    ((_, first),) = feed(town)
    town.later(days=1)
    sign(town, "Claire", audience="web")
    ((_, second),) = feed(town)
    assert [(each.audience, bool(each.web)) for each in (first, second)] == [
        ("peers", False),
        ("public", True),
    ]
    assert second.consent_at == town.now


def test_money_and_languages_arrive_exactly(town):
    contract = spaces.service(
        "Relecture", "contract-law", ("65.50", "50"), languages=["fr", "en"], remote=True
    )
    town.publish("nantes", "Claire", services=(contract,))
    ((_, profile),) = feed(town)
    (service,) = profile.services
    assert (service.rate, service.coworker_rate) == (Decimal("65.50"), Decimal("50.00"))
    assert (service.currency, service.unit, service.languages) == ("EUR", "hour", ("fr", "en"))


def test_texts_are_cleaned_before_they_are_signed(town):
    town.publish("nantes", "Claire\u202e  ", headline="a\tb\nc", bio="one\r\ntwo\x1b")
    ((_, profile),) = feed(town)
    assert (profile.name, profile.headline, profile.bio) == ("Claire", "a b c", "one\ntwo")


def test_what_cannot_be_published_is_refused_with_its_name_and_changes_nothing(town):
    town.publish("nantes", "Claire")
    with town.at("nantes") as session:
        member = session.scalars(select(Member)).one()
        member.languages = ["not a language"]
        with pytest.raises(NotPublishableError, match="languages"):
            publish_member(session, member, town.identity("nantes"), town.now)
        session.rollback()
        assert session.get(FeedState, 1).seq == 1


def test_the_preview_is_what_is_signed_for_somebody_not_saved_yet_too(town):
    town.publish("nantes", "Claire", headline="Avocate", email="claire@nantes.example")
    with town.at("nantes") as session:
        member = session.scalars(select(Member)).one()
        shown = preview(member, town.identity("nantes"), town.now)
    ((_, profile),) = feed(town)
    signed = profile.to_claims()
    assert shown == {key: signed[key] for key in ("aud", "consent_at", "name", "headline")}
    assert preview(Member(name="New"), town.identity("nantes"), town.now)["name"] == "New"


def test_no_mail_address_leaves_the_space(town):
    town.publish("nantes", "Claire", email="claire@nantes.example")
    ((_, profile),) = feed(town)
    assert "@" not in str(profile.to_claims())
