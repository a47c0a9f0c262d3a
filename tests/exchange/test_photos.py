"""Photos of neighbours' people: fetched by the worker, and gone with whom they show."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from sqlalchemy import func, select

from app.exchange import outbox, peers, photos
from app.exchange.pictures import digest_of
from app.exchange.publish import publish_member
from app.models.job import Job
from app.models.journal import JournalEntry
from app.models.member import Member
from app.models.peer import MirroredProfile
from app.models.photo import MirroredPhoto
from federation.errors import RateLimitedError, RedirectRefusedError, UnreachableError
from federation.transport import Answer
from tests.pictures import CAMERA, HTML, SVG, bomb, moving, picture, with_exif

CLAIRE = "Claire Vasseur"
PHOTO = "/federation/v1/photo/"


def instead(town, answer):
    """Let Nantes answer this where photos are; everything else as it does."""
    town.network.instead["nantes"] = lambda _method, path: (
        answer if path.startswith(PHOTO) else None
    )


def image(body, media_type="image/webp"):
    return Answer(200, {"content-type": media_type}, body)


def kept(town, name="lyon"):
    """How many photos there are of neighbours, and of how many it is known that they are none."""
    with town.at(name) as session:
        count = select(func.count()).select_from(MirroredPhoto)
        good = session.scalar(count.where(MirroredPhoto.image != b""))
        return good, session.scalar(count) - good


def claim(town, sent, media_type="image/webp"):
    """Let Nantes sign that ``sent``, whatever it is, is Claire's photo, and answer with it."""
    with town.at("nantes") as session:
        member = session.scalars(select(Member).filter_by(name=CLAIRE)).one()
        member.photo = {
            "digest": digest_of(sent), "type": media_type, "bytes": len(sent), "size": 320,
        }  # fmt: skip
        publish_member(session, member, town.identity("nantes"), town.now)
    instead(town, image(sent, media_type))


# --- what is refused


HOSTILE = {
    "a page": HTML,
    "a drawing that runs": SVG,
    "a bomb": bomb(),
    "half a picture": picture()[:1500],
    "a picture and a page": picture("WEBP") + HTML,
    "a film": moving(),
    "a stamp": picture("PNG", (8, 8)),
}


@pytest.mark.parametrize("sent", HOSTILE.values(), ids=HOSTILE)
def test_a_signed_photo_that_is_no_picture_is_refused_and_the_person_comes(neighbours, sent):
    claim(neighbours, sent)
    neighbours.work()
    assert neighbours.seen("lyon") == {CLAIRE}
    assert kept(neighbours) == (0, 1)
    assert neighbours.journal("lyon", "refusal") == ["photo-refused"]


ANSWERS = {
    "other bytes": image(picture("WEBP", (90, 90))),
    "another type": image(b"x", "text/html"),
    "no such photo": Answer(404, {}, b""),
    "somewhere else": RedirectRefusedError("answered 302"),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_what_is_not_the_photo_that_was_signed_is_refused_in_one_line(neighbours, answer):
    for person in ("Aya", "Bo", "Cléo", "Dov", "Eva"):
        neighbours.publish("nantes", person)
        neighbours.wear("nantes", person, picture())
    instead(neighbours, answer)
    neighbours.work()
    assert kept(neighbours) == (0, 5)
    with neighbours.at("lyon") as session:
        lines = session.scalars(select(JournalEntry).filter_by(code="photo-refused")).all()
        assert [line.detail.startswith("Aya: ") for line in lines] == [True]
        assert lines[0].detail.endswith("; and 2 more")


def test_what_was_refused_is_asked_for_again_after_a_week_or_when_it_is_another_one(neighbours):
    neighbours.wear("nantes", CLAIRE, picture())
    instead(neighbours, image(HTML))
    neighbours.work()
    asked = len(neighbours.network.requests)
    neighbours.later(days=2)
    neighbours.work()
    assert not [one for one in neighbours.network.requests[asked:] if one[2].startswith(PHOTO)]
    neighbours.network.instead.clear()
    neighbours.later(days=6)
    neighbours.work()
    assert neighbours.faces("lyon") == {CLAIRE: True}


@pytest.mark.parametrize(
    "error", [UnreachableError("no answer"), RateLimitedError("slowly", 60)], ids=["away", "busy"]
)
def test_a_photo_that_does_not_come_delays_nothing_and_comes_later(neighbours, error):
    neighbours.wear("nantes", CLAIRE, picture())
    instead(neighbours, error)
    neighbours.publish("nantes", "Dov")
    neighbours.work()
    assert neighbours.seen("lyon") == {CLAIRE, "Dov"}
    assert (kept(neighbours), neighbours.journal("lyon", "refusal")) == ((0, 0), [])
    assert neighbours.peer("lyon", "nantes", "failures") == 0
    neighbours.network.instead.clear()
    neighbours.later(minutes=10)
    neighbours.work()
    assert neighbours.faces("lyon") == {CLAIRE: True}


def test_whoever_drips_photos_ends_the_turn_and_not_the_round(neighbours):
    for person in ("Aya", "Bo", "Cléo"):
        neighbours.publish("nantes", person)
        neighbours.wear("nantes", person, picture())

    def drip(_method, path):
        if path.startswith(PHOTO):
            neighbours.later(seconds=9)

    neighbours.network.instead["nantes"] = drip
    neighbours.work_at("nantes")
    neighbours.later(seconds=6)
    done = [one for one in neighbours.work_at("lyon") if one.kind == outbox.PHOTOS]
    assert [one.told for one in done] == ["2 fetched"]
    neighbours.network.instead.clear()
    neighbours.later(minutes=1)
    neighbours.work()
    assert kept(neighbours) == (3, 0)


# --- how many there can be


def test_no_more_photos_and_bytes_of_one_space_are_kept_than_stated(neighbours, monkeypatch):
    monkeypatch.setattr(photos, "PEER_PHOTOS", 2)
    for person in ("Aya", "Bo", "Cléo"):
        neighbours.publish("nantes", person)
        neighbours.wear("nantes", person, picture())
    neighbours.work()
    assert kept(neighbours) == (2, 0)
    assert "too-many-photos" in neighbours.journal("lyon")
    with neighbours.at("lyon") as session:
        assert session.scalar(select(Job.id).filter_by(kind=outbox.PHOTOS)) is None
    monkeypatch.setattr(photos, "PEER_PHOTOS", 100)
    monkeypatch.setattr(photos, "PEER_BYTES", 100)
    neighbours.later(days=1, hours=1)
    neighbours.work()
    assert kept(neighbours) == (2, 0)


def test_many_photos_take_many_turns(neighbours, monkeypatch):
    monkeypatch.setattr(photos, "AT_ONCE", 1)
    for person in ("Aya", "Bo", "Cléo"):
        neighbours.publish("nantes", person)
        neighbours.wear("nantes", person, picture())
    neighbours.work()
    assert kept(neighbours) == (3, 0)


# --- what is taken in


def test_a_photo_comes_drawn_anew_and_with_nothing_but_its_pixels(neighbours):
    claim(neighbours, with_exif(orientation=6), "image/jpeg")
    neighbours.work()
    with neighbours.at("lyon") as session:
        row = session.scalars(select(MirroredPhoto)).one()
        profile = session.scalars(select(MirroredProfile)).one()
        assert CAMERA not in row.image
        assert Image.open(io.BytesIO(row.image)).size == (320, 320)
        assert profile.photo == row.digest == digest_of(row.image)
        assert profile.photo_claimed == row.claimed != row.digest


def test_nothing_is_fetched_twice(neighbours):
    neighbours.wear("nantes", CLAIRE, picture())
    neighbours.work()
    neighbours.publish("nantes", CLAIRE, headline="Avocate, toujours")
    neighbours.later(days=2)
    neighbours.work()
    asked = [path for _, _, path in neighbours.network.requests if path.startswith(PHOTO)]
    assert len(asked) == 1
    assert neighbours.faces("lyon") == {CLAIRE: True}


def test_another_photo_takes_the_place_of_the_first_and_none_takes_it_away(neighbours):
    neighbours.wear("nantes", CLAIRE, picture())
    neighbours.work()
    first = held_digest(neighbours)
    neighbours.wear("nantes", CLAIRE, picture(colours=[(0, 0, 0)] * 4))
    neighbours.cut("nantes")
    neighbours.work()
    assert held_digest(neighbours) == first
    neighbours.mend("nantes")
    neighbours.later(hours=2)
    neighbours.work()
    assert held_digest(neighbours) not in ("", first)
    neighbours.wear("nantes", CLAIRE, b"")
    neighbours.work()
    assert (held_digest(neighbours), kept(neighbours)) == ("", (0, 0))


def held_digest(town):
    with town.at("lyon") as session:
        return session.scalars(select(MirroredProfile.photo).filter_by(name=CLAIRE)).one()


# --- how it goes away


def withdrawn(town):
    town.publish("nantes", CLAIRE, audience="me")
    town.work()


def expired(town):
    town.cut("nantes")
    town.later(days=100)
    town.work()


def ended(town):
    town.decide(peers.end, "lyon", "nantes")
    town.work()


def blocked(town):
    town.decide(peers.block, "lyon", "nantes")
    town.work()


@pytest.mark.parametrize("goes", [withdrawn, expired, ended, blocked])
def test_a_photo_goes_with_whom_it_shows(neighbours, goes):
    neighbours.wear("nantes", CLAIRE, picture())
    neighbours.work()
    assert kept(neighbours) == (1, 0)
    goes(neighbours)
    assert kept(neighbours) == (0, 0)
