"""A member presents themselves in Nantes and is known in Lyon."""

from __future__ import annotations

from app.exchange import peers


def test_until_both_admins_approve_no_profile_crosses(town):
    town.publish("nantes", "Claire Vasseur")
    town.publish("lyon", "Bastien Rey")
    town.work()
    assert (town.held("lyon"), town.held("nantes")) == (set(), set())
    town.knock("lyon", "nantes")
    town.work()
    assert (town.held("lyon"), town.held("nantes")) == (set(), set())
    town.approve("nantes", "lyon")
    town.work()
    assert (town.held("lyon"), town.held("nantes")) == ({"Claire Vasseur"}, {"Bastien Rey"})


def test_both_roots_agree_after_the_exchange(neighbours):
    assert neighbours.peer("lyon", "nantes", "roots_agree") is True
    assert neighbours.peer("nantes", "lyon", "roots_agree") is True
