"""Whatever ends a pull has words for the admin, in a sentence and with what to do."""

from __future__ import annotations

import pytest

from app.exchange.pull import SENTENCES
from app.web import peering_words, troubles


@pytest.mark.parametrize("code", SENTENCES)
def test_each_way_in_which_a_pull_can_fail_is_said_and_answered(space, code):
    with space.test_request_context():
        found = troubles.meaning(code)
    assert found.said.endswith(".")
    assert found.to_do.endswith(".")


@pytest.mark.parametrize("code", ["endless-feed", "too-many-withdrawals", "many-refusals"])
def test_what_a_flood_leaves_in_the_journal_has_a_name(space, code):
    with space.test_request_context():
        assert peering_words.happened(code) != code
