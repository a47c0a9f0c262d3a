"""Photos on pages: sent in with the profile, shown to whoever sees the person, and nobody else."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from app.database import db
from app.exchange import pictures
from app.models.account import Account
from app.models.feed import FeedEntry
from app.models.member import Member
from app.models.photo import Photo
from federation import signing
from federation.documents import Profile
from tests.neighbourhood import Neighbourhood
from tests.pictures import CAMERA, HTML, SVG, bomb, moving, picture, with_exif
from tests.spaces import add_member, sign_in

MAUD = "maud@x.example"


@pytest.fixture
def maud(space, browser):
    member = add_member("Maud Le Goff", email=MAUD, audience="space", headline="Bees")
    db.session.commit()
    sign_in(browser, MAUD)
    return member


def send(browser, sent=None, **given):
    """Save the profile as the form of a browser without JavaScript does."""
    page = browser.get("/me").text
    seen = re.search(r'name="seen" value="([^"]*)"', page)[1]
    told = {"name": "Maud Le Goff", "headline": "Bees", "audience": "space", "seen": seen} | given
    if sent is not None:
        told["photo"] = FileStorage(io.BytesIO(sent), filename="me.jpg")
    return post(browser, "/me", told)


def post(browser, path, told):
    # Packed here: a large body of the test client's own making stays open behind it.
    boundary, body = encode_multipart(told)
    return browser.post(path, data=body, content_type=f'multipart/form-data; boundary="{boundary}"')


def photo_on(page):
    found = re.search(r'<img class="avatar[^"]*" src="([^"]+)" alt="([^"]*)"', page)
    return (found[1], found[2]) if found else None


def same(answer):
    """The page without what is drawn by lot for each."""
    return re.sub(r'(nonce|value)="[^"]+"', "", answer.text)


def kept():
    db.session.expire_all()
    return db.session.scalar(select(func.count()).select_from(Photo))


# --- what is refused

REFUSED = {
    "nothing": (b"", "This file is empty"),
    "a drawing": (SVG, "not a JPEG, PNG or WebP"),
    "a page": (HTML, "not a JPEG, PNG or WebP"),
    "a bomb": (bomb(), "too many pixels"),
    "a film": (moving(), "This picture moves"),
    "half of it": (picture()[:1500], "The end of this photo is missing"),
    "a page behind it": (picture() + HTML, "something else in this file"),
    "a stamp": (picture("PNG", (9, 9)), "at least 64 pixels"),
    "too much": (picture() + bytes(pictures.SENT_BYTES), "at most 10 MB"),
}


@pytest.mark.parametrize(("sent", "sentence"), REFUSED.values(), ids=REFUSED)
def test_a_photo_that_is_none_is_refused_with_what_to_do_and_what_was_typed_stays(
    maud, browser, sent, sentence
):
    answer = send(browser, sent, headline="Bees and <b>honey</b>", crop="top")
    assert answer.status_code == 422
    assert sentence in answer.text
    assert "Bees and &lt;b&gt;honey&lt;/b&gt;" in answer.text
    assert '<option value="top" selected>' in answer.text
    assert 'aria-describedby="photo-hint photo-error"' in answer.text
    assert '<a href="#photo">' in answer.text
    assert (kept(), maud.headline) == (0, "Bees")


def test_a_form_that_comes_back_says_that_the_photo_has_to_be_chosen_again(maud, browser):
    for given in ({"name": ""}, {"seen": "yesterday"}, {"do": "add-service"}):
        answer = send(browser, picture(), **given)
        assert "Choose the photo once more" in answer.text
        assert kept() == 0


def test_nobody_sends_a_large_form_without_being_signed_in(space, browser):
    told = {"photo": FileStorage(io.BytesIO(bytes(2_000_000)), filename="me.jpg")}
    assert post(browser, "/me", told).location.startswith("/sign-in")


def test_no_other_form_may_be_as_large(maud, browser):
    told = {"photo": FileStorage(io.BytesIO(bytes(2_000_000)), filename="me.jpg")}
    assert post(browser, "/me/preview", told).status_code == 413


# --- what is shown


def test_a_photo_is_shown_instead_of_initials_and_says_nothing_of_where_it_was_taken(maud, browser):
    assert photo_on(browser.get(f"/m/{maud.ref}").text) is None
    assert send(browser, with_exif()).status_code == 303
    where, said = photo_on(browser.get(f"/m/{maud.ref}").text.partition("<main")[2])
    assert said == "Photo of Maud Le Goff"
    answer = browser.get(where)
    assert (answer.status_code, answer.content_type) == (200, "image/webp")
    assert CAMERA not in answer.data
    told = answer.headers
    assert told["X-Content-Type-Options"] == "nosniff"
    assert told["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert told["Cache-Control"] == "private, max-age=600"
    again = browser.get(where, headers={"If-None-Match": told["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert "img-src 'self'" in browser.get("/").headers["Content-Security-Policy"]


def test_beside_the_name_a_photo_says_nothing_more(maud, browser):
    send(browser, picture())
    for page in ("/", "/search?q=bees&scope=here"):
        where, said = photo_on(browser.get(page).text.partition("<main")[2])
        assert (where.startswith(f"/m/{maud.ref}/photo/"), said) == (True, "")


def test_another_photo_takes_the_place_of_the_first_and_none_stays_where_it_was(maud, browser):
    send(browser, picture())
    first = photo_on(browser.get("/me").text)[0]
    send(browser, headline="More bees")
    assert photo_on(browser.get("/me").text)[0] == first
    send(browser, picture(colours=[(9, 9, 9)] * 4))
    second = photo_on(browser.get("/me").text)[0]
    assert second != first
    assert browser.get(first).status_code == 404
    assert send(browser, **{"photo-off": "on"}).status_code == 303
    assert browser.get(second).status_code == 404
    assert (photo_on(browser.get("/me").text), kept()) == (None, 0)


def test_the_part_that_was_chosen_is_kept(maud, browser):
    digests = set()
    for crop in ("left", "right"):
        send(browser, picture(size=(1200, 300)), crop=crop)
        db.session.expire_all()
        digests.add(maud.photo["digest"])
    assert len(digests) == 2


# --- who sees it


def test_who_may_not_see_the_person_may_not_see_the_photo(maud, browser):
    send(browser, picture())
    where = photo_on(browser.get("/me").text)[0]
    add_member("Yann", email="yann@x.example")
    db.session.commit()
    stranger, yann = (browser.application.test_client() for _ in range(2))
    sign_in(yann, "yann@x.example")
    absent = f"/m/{maud.ref}/photo/{'0' * 64}"
    for audience, seen in (("web", 200), ("space", 404), ("me", 404)):
        send(browser, audience=audience)
        answer = stranger.get(where)
        assert answer.status_code == seen
        if seen == 404:
            assert same(answer) == same(stranger.get(absent))
    assert yann.get(where).status_code == 404
    assert browser.get(where).status_code == 200


def test_the_photo_is_signed_with_the_profile_and_leaves_with_it(maud, browser):
    send(browser, picture(), audience="neighbours")
    claims = signing.unverified_claims(db.session.scalars(select(FeedEntry.jws)).one(), Profile.typ)
    assert claims["photo"]["digest"] == maud.photo["digest"]
    assert claims["photo"]["url"].startswith("https://lepalier.example/federation/v1/photo/")
    assert browser.post("/me/deletion").status_code == 303
    assert kept() == 0
    assert db.session.scalars(select(Member)).all() == []


def test_who_has_no_profile_yet_can_begin_with_a_photo(space, browser):
    db.session.add(Account(email="new@x.example", role="member", created_at=datetime.now(UTC)))
    db.session.commit()
    sign_in(browser, "new@x.example")
    assert send(browser, picture(), seen="").status_code == 303
    assert kept() == 1


# --- neighbours' people


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    town = Neighbourhood(tmp_path_factory.mktemp("town"), "lyon", "nantes")
    for person, audience in (("Claire Vasseur", "web"), ("Dov Levi", "neighbours")):
        town.publish("nantes", person, audience=audience, headline="Avocate")
        town.wear("nantes", person, picture())
    with town.at("lyon"):
        add_member("Reader", email="reader@lyon.example", audience="me")
    town.befriend("lyon", "nantes")
    yield town
    town.close()


def photos_in(browser):
    page = browser.get("/search?q=avocate&scope=everywhere").text.partition("<main")[2]
    return re.findall(r'<img class="avatar" src="([^"]+)"', page)


def test_neighbours_photos_come_from_here_and_only_to_who_may_see_the_people(town):
    member, visitor = (town.apps["lyon"].test_client() for _ in range(2))
    sign_in(member, "reader@lyon.example")
    shown = photos_in(member)
    assert len(shown) == 2
    assert all(where.startswith("/n/") for where in shown)
    assert {member.get(where).status_code for where in shown} == {200}
    seen = photos_in(visitor)
    assert len(seen) == 1
    assert [visitor.get(where).status_code for where in shown if where not in seen] == [404]
    town.network.cut.add("nantes")
    assert visitor.get(seen[0]).status_code == 200
    town.network.cut.clear()
