"""What a space makes of its own documents, shown by a neighbour after a return from a backup."""

from __future__ import annotations

import pytest

from federation.errors import ExpiredError, ForeignSubjectError, UnknownIssuerError
from federation.recall import Finding, Ours, judge
from tests.federation.samples import DAY, LYON, NANTES, NOW, profile, withdrawal

KNOWN = {"known": True, "hidden": False}


def found(document, ours=None, *, digest="new", **person):
    return judge(document, digest, ours, **{**KNOWN, **person}, entity_id=LYON, now=NOW)


def has(rev, digest="old", *, at=NOW - DAY):
    return Ours(rev, digest, at)


@pytest.mark.parametrize(
    ("document", "error"),
    [
        (profile(issuer=NANTES), UnknownIssuerError),
        (profile(subject=f"{NANTES}/m/1"), ForeignSubjectError),
        (withdrawal(subject=f"{LYON}/b/m/1"), ForeignSubjectError),
        (profile(issued_at=NOW + DAY), ExpiredError),
        (withdrawal(issued_at=NOW + DAY), ExpiredError),
    ],
    ids=["by another space", "about another's", "below another name", "tomorrow", "tomorrow too"],
)
def test_what_is_not_ours_or_not_of_today_is_refused(document, error):
    with pytest.raises(error):
        found(document)


def test_what_is_older_than_ours_says_nothing():
    assert found(profile(revision=2), has(3)) is Finding.NOTHING
    assert found(withdrawal(revision=2), has(3)) is Finding.NOTHING


def test_the_very_document_that_we_have_says_nothing():
    assert found(profile(revision=3), has(3, "same"), digest="same") is Finding.NOTHING


def test_a_later_withdrawal_is_taken_whoever_it_was_about():
    for person in (KNOWN, {"known": False}, {"hidden": True}):
        assert found(withdrawal(revision=4), has(3), **person) is Finding.TAKE
    assert found(withdrawal(revision=4)) is Finding.TAKE
    assert found(withdrawal(revision=3), has(3)) is Finding.TAKE
    assert found(withdrawal(revision=4), has(3, at=NOW)) is Finding.TAKE


def test_a_later_profile_comes_home():
    assert found(profile(revision=4), has(3)) is Finding.TAKE
    assert found(profile(revision=4)) is Finding.TAKE


def test_a_profile_that_expired_says_nothing():
    gone = profile(revision=4, issued_at=NOW - 2 * DAY, expires_at=NOW)
    assert found(gone, has(3)) is Finding.NOTHING


def test_a_profile_for_one_space_alone_says_nothing():
    assert found(profile(revision=4, audience=NANTES), has(3)) is Finding.NOTHING


def test_who_is_not_known_any_more_or_hides_since_is_withdrawn():
    assert found(profile(revision=4), known=False) is Finding.WITHDRAW
    assert found(profile(revision=4), has(3), hidden=True) is Finding.WITHDRAW


def test_our_own_later_word_is_said_again():
    assert found(profile(revision=4, issued_at=NOW - DAY), has(3, at=NOW)) is Finding.REPEAT
    assert found(profile(revision=3, issued_at=NOW - DAY), has(3, at=NOW)) is Finding.REPEAT
