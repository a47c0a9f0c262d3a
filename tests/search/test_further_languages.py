"""Texts in further languages: found by the words of each, and read in the reader's own."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from app.exchange.publish import publish_member
from app.models.member import Member
from app.models.peer import MirroredProfile
from app.models.scope import Reader
from app.models.space import Space
from app.search.cards import Copy, Place, Standing, card_of_copy, card_of_member, for_visitors
from app.search.find import find
from app.search.index import check, index_member, rebuild
from app.search.postings import beginning
from app.search.query import Query
from app.search.translations import for_reader, languages_of
from app.search.versions import Version, best
from tests.neighbourhood import MORNING, Neighbourhood
from tests.spaces import add_member, service

ENGLISH = {"lang": "en", "headline": "Leases explained", "bio": "I love beekeeping."}
ADVICE = [{"lang": "en", "title": "Reading your tenancy", "description": "One hour."}]


@pytest.fixture
def town(tmp_path):
    town = Neighbourhood(tmp_path, "nantes", "lyon")
    with town.at("nantes") as session:
        claire = add_member(
            "Claire", audience="web", headline="Les baux expliqués", bio="J’aime la voile.",
            locale="fr", translations=[ENGLISH],
            services=(service("Relecture du bail", translations=ADVICE),),
        )  # fmt: skip
        index_member(session, claire)
        session.commit()
    yield town
    town.close()


def asked(town, words, *ranges, reader=Reader.MEMBER, at="nantes"):
    """Search at a space as somebody who reads ``ranges``."""
    with town.at(at) as session:
        space = session.get(Space, 1)
        found = find(session, Query(words=words), reader, space, town.now, ranges=ranges)
        return [*found.hits, *found.perhaps]


@pytest.mark.parametrize(
    ("ranges", "tag"),
    [
        (["fr"], "fr"), (["en"], "en"), (["fr-CA", "en"], "fr"), (["de", "EN-us"], "en"),
        (["pt"], "pt-BR"), (["zh-Hant-x-a"], ""), (["it"], ""), ([], ""), (["*"], ""), ([""], ""),
    ],
)  # fmt: skip
def test_a_range_is_cut_until_it_is_a_tag_and_then_begins_one(ranges, tag):
    assert best(ranges, ["fr", "en", "pt-BR", ""]) == tag


@pytest.mark.parametrize(
    ("ranges", "headline", "title", "lang"),
    [
        (["fr"], "Les baux expliqués", "Relecture du bail", ""),
        (["en-GB"], "Leases explained", "Reading your tenancy", "en"),
        (["de", "en"], "Leases explained", "Reading your tenancy", "en"),
        (["de"], "Les baux expliqués", "Relecture du bail", ""),
        ([], "Les baux expliqués", "Relecture du bail", ""),
    ],
)
def test_each_reader_gets_theirs_and_whoever_reads_none_what_was_written_first(
    town, ranges, headline, title, lang
):
    [hit] = asked(town, "bail", *ranges)
    [offered] = hit.card.services
    assert (hit.card.headline, offered.title) == (headline, title)
    assert (hit.card.headline_lang, offered.title_lang) == (lang, lang)
    assert languages_of(hit.card) == ["fr", "en"]


@pytest.mark.parametrize("words", ["beekeeping", "tenancy", "leases", "voile", "baux"])
def test_somebody_is_found_by_the_words_of_every_language(town, words):
    for ranges in (["fr"], ["en"]):
        assert [hit.card.name for hit in asked(town, words, *ranges)] == ["Claire"]


def test_what_is_found_in_a_text_that_is_not_shown_is_said_to_be_there(town):
    [hit] = asked(town, "beekeeping", "fr")
    [reason] = hit.why
    assert (reason.field, reason.lang, reason.unshown) == ("bio", "en", True)
    assert "beekeeping" in reason.found
    assert hit.highlights == {}
    [hit] = asked(town, "beekeeping", "en")
    assert (hit.why[0].lang, hit.why[0].unshown) == ("en", False)
    assert set(hit.highlights) == {"bio"}
    [hit] = asked(town, "voile", "en")
    assert (hit.why[0].lang, hit.why[0].unshown) == ("fr", True)


def test_what_calls_itself_a_translation_into_the_language_of_the_original_is_none(town):
    """A neighbour may sign one all the same; what was written first is shown."""
    [hit] = asked(town, "bail")
    twice = replace(hit.card, translations=(Version("fr", "Autre chose", "Autre chose"),))
    assert for_reader(twice, ["fr"]).headline == "Les baux expliqués"


@pytest.mark.parametrize(
    ("ranges", "headline", "lang"),
    [
        (["fr", "de"], "Mietrecht erklärt", "de"), (["fr", "en"], "Leases explained", "en"),
        (["it"], "Leases explained", "en"),
    ],
)  # fmt: skip
def test_a_text_that_is_missing_in_the_original_is_read_in_another_language(
    town, ranges, headline, lang
):
    """In one that the reader reads, if there is one; any is better than none."""
    with town.at("nantes") as session:
        claire = session.scalars(select(Member).filter_by(name="Claire")).one()
        claire.headline = ""
        claire.translations = [ENGLISH, {"lang": "de", "headline": "Mietrecht erklärt"}]
        card = card_of_member(claire, session.get(Space, 1), town.now.date(), Reader.MEMBER)
        read = for_reader(card, ranges)
    assert (read.headline, read.headline_lang) == (headline, lang)


def test_visitors_find_nobody_by_a_translation_of_what_is_kept_from_them(town):
    with town.at("nantes") as session:
        [claire] = session.scalars(select(Member))
        claire.present("web", {"words": "space"}, town.now)
        index_member(session, claire)
        session.commit()
    assert asked(town, "beekeeping", "en", reader=Reader.VISITOR) == []
    assert [hit.card.name for hit in asked(town, "tenancy", "en", reader=Reader.VISITOR)]
    assert len(asked(town, "beekeeping", "en")) == 1


def test_the_claim_web_covers_the_translation_of_what_it_names():
    claims = {
        "web": ["name", "headline"],
        "locale": "fr",
        "headline": "Les baux",
        "bio": "La voile",
        "translations": [ENGLISH, {"lang": "de", "bio": "Imkern"}, "rubbish", {"lang": 7}],
    }
    nowhere = Standing(Place("", "", "", "", "", "", None, None), None, stale=False,
                       unconfirmed=False)  # fmt: skip
    card = card_of_copy(Copy("s/m/1", "Claire", claims, "", MORNING), MORNING.date(), nowhere)
    assert [one.lang for one in card.translations] == ["en", "de"]
    open_ = for_visitors(card, claims)
    assert [tuple(one) for one in open_.translations] == [("en", "Leases explained", "")]
    assert for_reader(open_, ["en"]).headline == "Leases explained"
    assert (for_reader(open_, ["en"]).bio, for_reader(card, ["de"]).bio) == ("", "Imkern")


def test_making_the_index_anew_gives_the_same_sets_as_writing_into_it(town):
    with town.at("nantes") as session:
        before = {k: set(v) for k, v in beginning(session.connection(), "").items()}
        assert check(session) == []
        rebuild(session)
        after = {k: set(v) for k, v in beginning(session.connection(), "").items()}
        assert before == after


def test_neighbours_find_the_second_language_until_it_is_taken_back(town):
    town.befriend("lyon", "nantes")
    with town.at("nantes") as session:
        [claire] = session.scalars(select(Member))
        publish_member(session, claire, town.identity("nantes"), town.now)
        session.commit()
    town.work()
    [hit] = asked(town, "beekeeping", "en", at="lyon")
    assert (hit.card.headline, hit.card.headline_lang) == ("Leases explained", "en")
    [hit] = asked(town, "bail", "de", at="lyon")
    assert (hit.card.headline, hit.card.services[0].title) == (
        "Les baux expliqués", "Relecture du bail",
    )  # fmt: skip
    town.later(minutes=5)
    with town.at("nantes") as session:
        [claire] = session.scalars(select(Member))
        claire.translations = []
        publish_member(session, claire, town.identity("nantes"), town.now)
        session.commit()
    town.work()
    assert asked(town, "beekeeping", "en", at="lyon") == []
    with town.at("lyon") as session:
        [copy] = session.scalars(select(MirroredProfile))
        assert "translations" not in copy.document
        assert "translations" in copy.document["services"][0]


def test_one_person_of_two_spaces_is_read_in_both_languages_through_each(tmp_path):
    """Claire coworks in Nantes and in Lyon; Berlin, which both know, does not call the two one."""
    town = Neighbourhood(tmp_path, "nantes", "lyon", "berlin")
    try:
        advice = {"nantes": ("Relecture du bail", ADVICE), "lyon": ("Un bail à relire", ADVICE)}
        for name, (title, turned) in advice.items():
            with town.at(name):
                add_member(
                    "Claire", audience="me", locale="fr", headline="Les baux expliqués",
                    translations=[ENGLISH], services=(service(title, translations=turned),),
                )  # fmt: skip
            town.publish(name, "Claire")
            town.befriend("berlin", name)

        def told(words, *ranges):
            return {
                (hit.card.space.name, hit.card.headline, hit.card.services[0].title,
                 hit.card.services[0].title_lang)
                for hit in asked(town, words, *ranges, at="berlin")
            }  # fmt: skip

        english = ("Leases explained", "Reading your tenancy", "en")
        assert told("tenancy", "en-GB") == {("Nantes", *english), ("Lyon", *english)}
        assert told("tenancy", "fr") == told("bail", "fr") == {
            ("Nantes", "Les baux expliqués", "Relecture du bail", ""),
            ("Lyon", "Les baux expliqués", "Un bail à relire", ""),
        }  # fmt: skip
        # Each membership is its own: who leaves one is there through the other.
        town.later(minutes=5)
        town.publish("nantes", "Claire", audience="space")
        town.work()
        assert told("tenancy", "en") == {("Lyon", *english)}
    finally:
        town.close()
