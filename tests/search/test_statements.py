"""What each search asks the database is compiled once, and means the same as if it were not."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import bindparam, select

from app.models.base import Moment
from app.models.peer import MirroredProfile, Peer
from app.search.statements import Statement
from tests.search.town import NOW

_MOMENT = bindparam("moment", type_=Moment)
_LATER = Statement(
    select(
        MirroredProfile.name, MirroredProfile.document, MirroredProfile.expires_at, Peer.latitude
    )
    .join(MirroredProfile.peer)
    .where(MirroredProfile.expires_at > _MOMENT, Peer.ours.in_(["approved", "paused"]))
    .order_by(MirroredProfile.name),
    "moment",
)


def later(town, moment):
    return [row[0] for row in _LATER.rows(town.session.connection(), {"moment": moment})]


def test_a_moment_is_compared_as_one_also_when_it_is_another_one_the_second_time(town):
    peer, gone = town.neighbour("Werkhof", "Berlin"), town.neighbour("Kanal", "Brussels")
    town.mirrored(peer, "Anna").expires_at = NOW
    town.mirrored(peer, "Berta").expires_at = NOW + timedelta(days=1)
    town.mirrored(gone, "Carla").expires_at = NOW + timedelta(days=1)
    gone.ours = "suspended"
    town.session.flush()
    assert later(town, NOW - timedelta(seconds=1)) == ["Anna", "Berta"]
    assert later(town, NOW) == ["Berta"]
    assert later(town, NOW + timedelta(days=2)) == []


def test_values_are_read_as_the_types_of_their_columns_say(town):
    peer = town.neighbour("Werkhof", "Berlin", (52.52, 13.405))
    town.mirrored(peer, "Zoé", bio="Brume").expires_at = NOW + timedelta(days=1)
    town.session.flush()
    [(name, document, until, latitude)] = _LATER.rows(town.session.connection(), {"moment": NOW})
    assert name == "Zoé"
    assert document["bio"] == "Brume"
    assert until == NOW + timedelta(days=1)
    assert until.utcoffset() == timedelta()
    assert latitude == 52.52
    assert type(latitude) is float
