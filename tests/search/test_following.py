"""What a process holds of everybody follows each change, and is what it would read anew."""

from __future__ import annotations

from dataclasses import fields

import pytest

from app.models.peer import MirroredProfile
from app.search.index import index_member, index_mirrored, remove_member, remove_mirrored
from app.search.keys import CODED
from app.search.moving import MANY, Coded
from app.search.people import NOBODY, People
from app.search.postings import beginning
from app.search.snapshot import Snapshot, snapshot
from tests.search.town import service

LAWYER = {"id": "1", "category": "lawyer", "title": "Beratung", "mode": "exchange"}
LOGO = {"id": "1", "category": "logo", "title": "Logo", "remote": True, "rate": "70"}


@pytest.fixture
def followed(town):
    """A town whose people are held in memory, their specialities too."""
    town.peer = town.neighbour("Werkhof", "Berlin")
    town.anna = town.mirrored(town.peer, "Anna", LAWYER, public=True, web=["name"])
    town.bert = town.mirrored(town.peer, "Bert", LAWYER, LOGO)
    town.claire = town.member("Claire", service("Conseil", "lawyer"))
    town.session.commit()
    assert same(town)
    return town


def same(town):
    """Tell whether the sets that are held are those of the tables; commits what was changed."""
    town.session.commit()
    held = snapshot(town.session)
    connection = town.session.connection()
    anew = Snapshot.of(held.epoch, held.stamp, beginning(connection, "@"))
    for field in fields(Snapshot):
        if field.name in ("kinds", "public", "of_peer", "facets", "initials", "everybody"):
            assert getattr(held, field.name) == getattr(anew, field.name), field.name
    for column in CODED:
        codes = beginning(connection, f"{column}:")
        for key in {*codes, f"{column}:lawyer", f"{column}:logo"}:
            assert held.having(connection, key) == codes.get(key, NOBODY), key
    return held.coded is not None


def rewritten(town, profile: MirroredProfile, **claims):
    profile.document = profile.document | claims
    profile.name = profile.document["name"]
    index_mirrored(town.session, profile, town.peer)


def test_who_changes_trade_and_name_stands_where_they_are_now_and_nowhere_else(followed):
    rewritten(followed, followed.anna, name="Zita", services=[LOGO])
    assert same(followed)
    rewritten(followed, followed.anna, services=[LOGO, LAWYER], languages=["de"])
    rewritten(followed, followed.bert, services=[])
    assert same(followed)
    assert followed.names("lawyer") == ["Claire", "Zita"]


def test_who_shows_all_to_visitors_or_nothing_gains_and_loses_a_front(followed):
    followed.anna.public = False
    rewritten(followed, followed.anna)
    assert same(followed)
    followed.anna.public = True
    rewritten(followed, followed.anna)
    assert same(followed)


def test_who_comes_and_who_leaves_is_in_every_set_or_in_none(followed):
    followed.mirrored(followed.neighbour("Kanal", "Brussels"), "Dora", LOGO)
    assert same(followed)
    remove_mirrored(followed.session, followed.bert.subject)
    remove_member(followed.session, followed.claire)
    assert same(followed)


def test_a_member_of_ours_who_says_less_to_the_web_gets_a_face(followed):
    followed.claire.audience = "web"
    index_member(followed.session, followed.claire)
    assert same(followed)
    followed.claire.name = "Élise"
    index_member(followed.session, followed.claire)
    assert same(followed)


def test_after_many_changes_the_specialities_are_read_anew():
    read = Coded({"service:logo": People([1, 2])})
    some = read.followed(People([2]), {"service:lawyer": [2]})
    assert some.get("service:logo") == People([1])
    assert some.get("service:lawyer") == People([2])
    back = some.followed(People([2]), {"service:logo": [2]})
    assert back.get("service:logo") == People([1, 2])
    assert back.get("service:lawyer") == NOBODY
    assert back.followed(People(range(MANY + 1)), {}) is None
