"""Who sees which block goes along with an archive, and no list widens what is kept narrower."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from sqlalchemy import select

from app.exchange.publish import publish_member
from app.members.archive import archive
from app.members.leaving import leave
from app.models.account import Account
from app.models.consent import standing
from app.models.member import BLOCKS, NAME, Member
from tests.members.test_jsonl import reasons

MAUD = {
    "name": "Maud Le Goff",
    "email": "maud@legoff.example",
    "audience": "web",
    "headline": "Contracts that hold",
    "profession": "avocate",
    "interests": ["sailing"],
    "availability": "Monday",
    "services": [
        {"id": "read", "title": "Reading a contract"},
        {"id": "sail", "title": "Sailing lessons"},
    ],
}
APART = {"work": "space", "interests": "me", "availability": "neighbours"}


def circles(member):
    found = {block: member.circle_of(block) for block in (NAME, *BLOCKS)}
    return found | {one.title: member.circle_of(one) for one in member.services}


@pytest.fixture
def maud(directory):
    """Somebody whom a list made public, and who then kept some of it back."""
    directory.load([MAUD], publish=True)
    maud = directory["Maud Le Goff"]
    choose(directory, maud, "web", APART, sail="me")
    return maud


def choose(directory, member, usual, blocks, **services):
    for service in member.services:
        service.audience = services.get(service.ref, "")
    member.present(usual, blocks, directory.now)
    publish_member(directory.session, member, directory.identity, directory.now)
    directory.session.commit()


def gone_with_archive(directory, member):
    """Return the file of ``member``, who leaves; the directory is another space's to them."""
    account = directory.session.scalars(select(Account).filter_by(member=member)).one()
    taken = archive(directory.session, account, "", directory.now)
    leave(directory.session, account, directory.identity, directory.now)
    directory.session.commit()
    assert directory.session.scalars(select(Member)).all() == []
    with zipfile.ZipFile(io.BytesIO(taken)) as folder:
        return folder.read("member.jsonl").decode()


# --- refused


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (
            {"audience": "web", "audiences": ["words"]},
            'audiences is not an object such as {"words": "space"}',
        ),
        (
            {"audience": "web", "audiences": {"nickname": "me"}},
            "audiences names “nickname”, which is no block; "
            "there are words, work, languages, interests, availability",
        ),
        (
            {"audience": "web", "audiences": {"name": "me"}},
            "audiences names “name”, which is no block; "
            "there are words, work, languages, interests, availability",
        ),
        (
            {"audience": "web", "audiences": {"words": "everybody"}},
            "audiences has words “everybody”; it can be me, space, neighbours, web",
        ),
        (
            {"audience": "web", "audiences": {"words": ["me"]}},
            "audiences has words “['me']”; it can be me, space, neighbours, web",
        ),
        (
            {"audience": "web", "services": [{"title": "Law", "audience": "friends"}]},
            "service 1 has audience “friends”; it can be me, space, neighbours, web",
        ),
        (
            {"audiences": {"words": "web"}},
            "some blocks or services have an audience of their own, and the row has none for all "
            "the others: give it an audience, one of me, space, neighbours, web",
        ),
        (
            {"services": [{"title": "Law", "audience": "me"}]},
            "some blocks or services have an audience of their own, and the row has none for all "
            "the others: give it an audience, one of me, space, neighbours, web",
        ),
    ],
)
def test_blocks_and_circles_that_there_are_not_refuse_the_row(given, reason):
    assert reasons(**given) == (reason,)


def test_a_refused_row_changes_nothing_about_who_sees_what(directory, maud):
    before = circles(maud)
    row = MAUD | {"audience": "web", "audiences": {"work": "web", "mood": "me"}}
    assert directory.load([row], publish=True).counts["refused"] == 1
    assert circles(directory["Maud Le Goff"]) == before


# --- along with the archive


def test_an_archive_brings_every_circle_to_another_space(directory, maud):
    before = circles(maud)
    assert before == {
        "name": "web", "words": "web", "work": "space", "languages": "web", "interests": "me",
        "availability": "neighbours", "Reading a contract": "web", "Sailing lessons": "me",
    }  # fmt: skip
    written = gone_with_archive(directory, maud)
    directory.load(written, publish=True)
    again = directory["Maud Le Goff"]
    assert circles(again) == before
    assert directory.jsonl == written
    shown = {"name", "words", "languages", "service:read"}
    assert set(standing(again.consents, "web")) == shown
    assert set(standing(again.consents, "neighbours")) == shown | {"availability"}
    assert all(line.said_by == "list" and line.given for line in again.consents)


def test_an_archive_without_publish_shows_nobody_anything_until_the_operator_agrees(
    directory, maud
):
    before = circles(maud)
    written = gone_with_archive(directory, maud)
    [held] = directory.load(written).outcomes
    assert held.remarks == (
        "who sees words, work, languages, availability, service:read stays as it is: "
        "more needs --publish",
    )
    assert set(circles(directory["Maud Le Goff"]).values()) == {"me"}
    assert directory["Maud Le Goff"].consents == []
    assert directory.published() == {}
    directory.load(written, publish=True)
    assert circles(directory["Maud Le Goff"]) == before


def test_one_block_for_the_web_and_nothing_else_for_anybody_comes_back_so(directory, maud):
    choose(directory, maud, "me", {"words": "web"})
    before = circles(maud)
    directory.load(gone_with_archive(directory, maud), publish=True)
    assert circles(directory["Maud Le Goff"]) == before


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_what_is_exported_imports_again_to_nothing_changed(directory, maud, kind):
    before = circles(maud)
    assert directory.load(getattr(directory, kind), publish=True).counts["unchanged"] == 1
    assert circles(directory["Maud Le Goff"]) == before


def test_a_table_says_no_audience_of_who_keeps_blocks_apart(directory, maud):
    table = directory.csv
    assert table.splitlines()[1].endswith("Sailing lessons,")
    gone_with_archive(directory, maud)
    directory.load(table, publish=True)
    assert set(circles(directory["Maud Le Goff"]).values()) == {"me"}


# --- what lists cannot widen


@pytest.mark.parametrize("audience", ["neighbours", "web"])
def test_a_list_with_one_audience_widens_no_block_that_is_kept_narrower(directory, maud, audience):
    before = circles(maud)
    directory.load(f"name,email,audience\nMaud Le Goff,{MAUD['email']},{audience}\n", publish=True)
    after = circles(directory["Maud Le Goff"])
    order = ("me", "space", "neighbours", "web").index
    assert [block for block in after if order(after[block]) > order(before[block])] == []


def test_whose_widest_block_is_as_before_has_chosen_all_the_same(directory):
    directory.load([MAUD | {"audience": "neighbours"}], publish=True)
    maud = directory["Maud Le Goff"]
    choose(directory, maud, "me", {"words": "neighbours"})
    before = circles(maud)
    [row] = directory.load([MAUD], publish=True).outcomes
    assert row.remarks == ("audience stays “neighbours”: the member chose it",)
    assert circles(directory["Maud Le Goff"]) == before


def test_a_list_that_names_no_blocks_keeps_apart_what_an_earlier_one_kept(directory):
    row = MAUD | {"audience": "neighbours", "audiences": {"work": "space"}}
    directory.load([row], publish=True)
    directory.load([MAUD | {"audience": "web"}], publish=True)
    found = circles(directory["Maud Le Goff"])
    assert (found["words"], found["work"]) == ("web", "space")


def test_a_list_that_names_blocks_widens_none_beyond_what_the_member_chose(directory, maud):
    before = circles(maud)
    row = MAUD | {"audiences": {"work": "neighbours", "interests": "web", "languages": "space"}}
    [outcome] = directory.load([row], publish=True).outcomes
    assert outcome.remarks == (
        "who sees work, interests, availability, service:sail stays as it is: the member chose it",
    )
    assert circles(directory["Maud Le Goff"]) == before | {"languages": "space"}


def test_a_list_that_narrows_everything_opens_nothing(directory, maud):
    choose(directory, maud, "me", {"words": "web"})
    before = circles(maud)
    directory.load([MAUD | {"audience": "space"}])
    assert before["work"] == "me"
    assert circles(directory["Maud Le Goff"]) == before | {"name": "space", "words": "space"}


def test_a_service_that_moves_to_another_place_in_the_list_is_shown_to_no_more(directory):
    def rows(*titles):
        return [MAUD | {"services": [{"title": title} for title in titles]}]

    directory.load(rows("Secret", "Known"), publish=True)
    maud = directory["Maud Le Goff"]
    choose(directory, maud, "web", {}, s1="me")
    directory.load(rows("New", "Secret", "Known"), publish=True)
    assert circles(directory["Maud Le Goff"])["Secret"] == "me"
    assert json.loads(directory.jsonl)["services"][1]["audience"] == "me"


def test_to_be_shown_to_fewer_opens_nothing_that_was_narrower(directory, maud):
    choose(directory, maud, "me", {"words": "web"})
    maud.show_to("space", directory.now)
    assert (maud.circle_of("words"), maud.circle_of("work")) == ("space", "me")
