"""My profile as others get it, beside what they really get."""

from __future__ import annotations

import html
import json
import re
from urllib.parse import quote

import pytest
from sqlalchemy import select

from app.database import db
from app.exchange.publish import publish_member
from app.models.feed import FeedEntry
from app.models.member import Member
from app.search.index import index_member
from federation import signing
from federation.documents import Profile
from tests.neighbourhood import Neighbourhood
from tests.spaces import add_member, service, sign_in

ARTICLE = re.compile(r'<article class="rooms" id="profile".*?</article>', re.DOTALL)
RECORD = re.compile(r'<pre class="record"[^>]*>(.*?)</pre>', re.DOTALL)
#: Where somebody is looked at from: the distance, and which of the spaces keeps the photo.
FROM_THERE = re.compile(r'\s*<span class="small soft">(?:(?!</span>).)*#pin.*?</span>', re.DOTALL)
CLAIRE = "claire@nantes.example"


@pytest.fixture
def town(tmp_path):
    town = Neighbourhood(tmp_path, "lyon", "nantes")
    with town.at("nantes") as session:
        member = add_member(
            "Claire Vasseur", audience="me", email=CLAIRE, headline="For neighbours",
            bio="More of it", profession="Lawyer", location="Chantenay", locale="fr",
            languages=["fr", "br"], interests=["chess"], availability="Mondays",
            services=(
                service("Advice", rates=("90", "60"), audience="web"),
                service("A second look", audience="neighbours"),
                service("Coffee", audience="space"),
            ),
        )  # fmt: skip
        circles = {"work": "web", "words": "neighbours", "interests": "space"}
        member.present("me", circles, town.now)
        publish_member(session, member, town.identity("nantes"), town.now)
        index_member(session, member)
        add_member("Reader", audience="me", email="reader@nantes.example")
    with town.at("lyon"):
        add_member("Reader", audience="me", email="reader@lyon.example")
    town.befriend("lyon", "nantes")
    town.work()
    yield town
    town.close()


def looking(town, space, email=""):
    client = town.apps[space].test_client()
    if email:
        sign_in(client, email)
    return client


def ref_of(town):
    with town.at("nantes") as session:
        return session.scalars(select(Member.ref).filter_by(name="Claire Vasseur")).one()


def shown_as(town, who):
    page = looking(town, "nantes", CLAIRE).get(f"/me/as/{who}")
    assert page.status_code == 200
    record = RECORD.search(page.text)
    claims = json.loads(html.unescape(record[1])) if record else None
    article = ARTICLE.search(page.text)
    return (article[0] if article else ""), claims


@pytest.mark.parametrize(("who", "email"), [("visitor", ""), ("member", "reader@nantes.example")])
def test_the_page_is_byte_by_byte_what_they_get(town, who, email):
    theirs = looking(town, "nantes", email).get(f"/m/{ref_of(town)}").text
    ours, _claims = shown_as(town, who)
    assert ours == ARTICLE.search(theirs)[0]
    assert ("60" in ours, "Coffee" in ours) == ((True, True) if email else (False, False))


def test_a_neighbours_member_gets_the_page_made_of_the_signed_document(town):
    with town.at("lyon"):
        found = looking(town, "lyon", "reader@lyon.example").get("/search?q=Advice").text
    link = re.search(rf'href="(/n/\w+/{ref_of(town)})"', found)[1]
    theirs = looking(town, "lyon", "reader@lyon.example").get(link).text
    ours, _claims = shown_as(town, "neighbour")
    assert ours == FROM_THERE.sub("", ARTICLE.search(theirs)[0])
    assert "A second look" in ours
    assert "Coffee" not in ours


@pytest.mark.parametrize("who", ["neighbour", "space"])
def test_a_neighbouring_space_gets_the_claims_that_are_shown(town, who):
    _article, claims = shown_as(town, who)
    with town.at("nantes") as session:
        entry = session.scalars(select(FeedEntry)).one()
        assert claims == signing.unverified_claims(entry.jws, Profile.typ)
    assert claims["aud"] == "peers"
    assert claims["web"] == ["name", "locale", "location", "profession", "photo"]
    assert len(claims["services"]) == 2
    assert claims["web_services"] == [claims["services"][0]["id"]]
    assert "interests" not in claims


def test_it_is_said_that_a_document_with_parts_for_neighbours_is_in_no_public_list(town):
    said = "neither in the public feed nor among plain files"
    assert said in looking(town, "nantes", CLAIRE).get("/me/as/space").text
    assert said not in looking(town, "nantes", CLAIRE).get("/me/as/visitor").text
    with town.at("nantes") as session:
        member = session.scalars(select(Member).filter_by(name="Claire Vasseur")).one()
        member.show_to("neighbours", town.now)
        publish_member(session, member, town.identity("nantes"), town.now)
    page = looking(town, "nantes", CLAIRE).get("/me/as/space")
    assert (page.status_code, said in page.text) == (200, False)


@pytest.mark.parametrize("who", ["visitor", "member"])
def test_a_program_is_answered_the_data_that_are_shown(town, who):
    _article, claims = shown_as(town, who)
    answer = looking(town, "nantes").get(f"/api/search?q={quote('Claire Vasseur')}&lang=en").json
    assert answer["results"] == [claims]
    assert claims["headline"] == ""


@pytest.mark.parametrize("who", ["visitor", "member", "neighbour", "space"])
def test_whoever_shows_nothing_is_told_that_others_get_nothing(town, who):
    with town.at("nantes") as session:
        member = session.scalars(select(Member).filter_by(name="Claire Vasseur")).one()
        member.show_to("me", town.now)
        publish_member(session, member, town.identity("nantes"), town.now)
        index_member(session, member)
        db.session.commit()
    assert shown_as(town, who) == ("", None)


@pytest.mark.parametrize("who", ["visitor", "member", "neighbour", "space"])
def test_whom_an_admin_hides_is_told_that_others_get_nothing(town, who):
    with town.at("nantes") as session:
        member = session.scalars(select(Member).filter_by(name="Claire Vasseur")).one()
        member.hidden_at = town.now
        publish_member(session, member, town.identity("nantes"), town.now)
        db.session.commit()
    assert shown_as(town, who) == ("", None)


def test_nobody_looks_through_other_eyes_without_being_signed_in(town):
    assert looking(town, "nantes").get("/me/as/visitor").status_code == 303
    assert looking(town, "nantes", CLAIRE).get("/me/as/admin").status_code == 404
