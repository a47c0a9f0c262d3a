"""Nobody is found whom the reader may not see, whatever the index remembers."""

from __future__ import annotations

from datetime import timedelta

from app.models.measure import Measure
from app.models.scope import Reader
from app.search.cards import WITHHELD
from app.search.index import check, index_mirrored, remove_mirrored
from tests.search.town import NOW, service

LAWYER = {"id": "1", "category": "lawyer", "title": "Beratung"}


def everybody(found):
    return {hit.card.name for hit in (*found.hits, *found.perhaps)}


def test_people_of_a_suspended_neighbour_disappear_at_once_and_return(town):
    peer = town.neighbour("Werkhof", "Berlin")
    town.mirrored(peer, "Anna", LAWYER)
    assert town.names("lawyer") == ["Anna"]
    peer.ours = "suspended"
    found = town.ask("lawyer")
    assert (everybody(found), found.total, found.facets) == (set(), 0, ())
    assert everybody(town.ask()) == set()
    peer.ours = "approved"
    assert town.names("lawyer") == ["Anna"]


def test_a_neighbour_who_suspended_us_is_not_shown(town):
    peer = town.neighbour("Werkhof")
    town.mirrored(peer, "Anna", LAWYER)
    peer.theirs = "suspended"
    assert town.names("lawyer") == []


def test_an_expired_profile_is_not_found(town):
    town.mirrored(town.neighbour("Werkhof"), "Anna", LAWYER)
    assert town.names("lawyer", now=NOW + timedelta(days=89)) == ["Anna"]
    assert town.names("lawyer", now=NOW + timedelta(days=91)) == []


def test_a_neighbours_person_who_is_hidden_here_is_neither_shown_nor_counted(town):
    peer = town.neighbour("Werkhof")
    town.mirrored(peer, "Anna", LAWYER)
    uwe = town.mirrored(peer, "Uwe", LAWYER, public=True, web=["services"])
    taken = Measure(
        kind="hide", subject=uwe.subject, name="Uwe", peer_id=peer.id, reason="Spam",
        decided_by="Nadia", at=NOW,
    )  # fmt: skip
    town.session.add(taken)
    found = town.ask("lawyer")
    assert (everybody(found), found.total, town.ask().total) == ({"Anna"}, 1, 1)
    assert town.ask("lawyer", reader=Reader.VISITOR).total == 0
    taken.undone_at = NOW
    assert town.ask("lawyer").total == 2


def test_a_member_who_hides_is_not_found_even_before_the_index_hears_of_it(town):
    claire = town.member("Claire", service("Conseil", "lawyer"))
    claire.audience = "me"
    found = town.ask("lawyer")
    assert (everybody(found), found.total) == (set(), 0)


def test_a_former_member_is_not_found(town):
    claire = town.member("Claire", service("Conseil", "lawyer"))
    claire.left_at = NOW
    assert town.names() == []


def test_visitors_find_only_those_who_chose_the_web(town):
    peer = town.neighbour("Werkhof")
    town.member("Claire", service("Conseil", "lawyer"), audience="neighbours")
    town.member("Nadia", service("Conseil", "lawyer"), audience="web")
    town.mirrored(peer, "Anna", LAWYER)
    town.mirrored(peer, "Uwe", LAWYER, public=True, web=["services"])
    seen = town.ask("lawyer", reader=Reader.VISITOR)
    assert everybody(seen) == {"Nadia", "Uwe"}
    assert seen.total == 2
    assert everybody(town.ask("lawyer")) == {"Claire", "Nadia", "Anna", "Uwe"}


def test_what_a_neighbour_keeps_from_the_web_answers_no_visitor(town):
    peer = town.neighbour("Werkhof")
    claims = {"profession": "Tischler", "bio": "Auch Imker.", "languages": ["de", "pl"]}
    uwe = town.mirrored(peer, "Uwe", LAWYER, public=True, web=["profession"], **claims)

    def seen(words="", **filters):
        found = town.ask(words, reader=Reader.VISITOR, **filters)
        assert found.total == len(found.hits)
        return everybody(found), {facet.name for facet in found.facets}

    by_place = {"space", "country"}
    assert seen() == ({"Uwe"}, by_place)
    assert seen("tischler") == ({"Uwe"}, by_place)
    assert seen("Uwe") == ({"Uwe"}, by_place)
    for hidden in ("lawyer", "Beratung", "Imker"):
        assert seen(hidden) == (set(), set())
        assert everybody(town.ask(hidden)) == {"Uwe"}
    assert seen(language=("pl",))[0] == set()
    assert town.names(language=("pl",)) == ["Uwe"]
    assert town.names() == ["Uwe"]

    uwe.document = uwe.document | {"web": [*WITHHELD]}
    index_mirrored(town.session, uwe, peer)
    assert seen("lawyer")[0] == {"Uwe"}
    assert check(town.session) == []
    uwe.public = False
    index_mirrored(town.session, uwe, peer)
    assert seen("tischler") == (set(), set())
    assert check(town.session) == []


def test_a_neighbour_who_leaves_is_found_by_nobody_not_even_in_part(town):
    peer = town.neighbour("Werkhof")
    uwe = town.mirrored(peer, "Uwe", LAWYER, public=True, web=[], profession="Tischler")
    remove_mirrored(town.session, uwe.subject)
    town.session.delete(uwe)
    town.session.flush()
    assert everybody(town.ask("Uwe", reader=Reader.VISITOR)) == set()
    assert everybody(town.ask("Uwe")) == set()
    assert check(town.session) == []


def test_this_space_alone_says_how_many_there_are_elsewhere(town):
    town.member("Claire", service("Conseil", "lawyer"))
    town.mirrored(town.neighbour("Werkhof"), "Anna", LAWYER)
    found = town.ask("lawyer", scope="here")
    assert [hit.card.name for hit in found.hits] == ["Claire"]
    assert (found.total, found.everywhere, found.spaces, found.here) == (1, 2, 1, 1)


def test_strange_claims_of_a_neighbour_break_nothing(town):
    peer = town.neighbour("Werkhof")
    strange = {"id": 7, "category": ["lawyer"], "title": None, "rate": "NaN", "mode": "gift"}
    town.mirrored(peer, "Anna", strange, "no object", headline=3, languages="fr", interests=[None])
    (hit,) = town.ask().hits
    assert (hit.card.headline, hit.card.languages, hit.card.services[0].rate) == ("", (), None)
