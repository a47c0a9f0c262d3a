"""What somebody takes along comes in again elsewhere as it was."""

from __future__ import annotations

import base64
import io
import zipfile

from PIL import Image
from sqlalchemy import select

from app.exchange import photos
from app.exchange.pictures import digest_of, drawn_anew
from app.members.archive import archive
from app.members.leaving import leave
from app.models.account import Account
from app.models.photo import Photo
from tests.pictures import HTML, picture

MAUD = {
    "name": "Maud Le Goff",
    "email": "maud@legoff.example",
    "profession": "avocate",
    "headline": "Contracts that hold",
    "bio": "First line\nsecond, with <b> & é",
    "locale": "fr",
    "languages": ["fr", "br"],
    "interests": ["sailing", "tea; strong"],
    "availability": "Monday",
    "location": "Nantes",
    "services": [
        {
            "title": "Reading a contract",
            "mode": "paid",
            "rate": "120.00",
            "coworker_rate": "90.50",
            "currency": "EUR",
            "unit": "hour",
            "valid_until": "2027-06-30",
            "remote": True,
            "languages": ["fr"],
        }
    ],
}


def test_an_archive_imports_again_with_nothing_lost(directory):
    directory.load([MAUD])
    before = directory.jsonl
    account = directory.session.scalars(select(Account)).one()
    taken = archive(directory.session, account, "", directory.now)
    leave(directory.session, account, directory.identity, directory.now)
    directory.session.commit()
    assert directory.names == []
    with zipfile.ZipFile(io.BytesIO(taken)) as folder:
        assert {one.compress_type for one in folder.infolist()} == {zipfile.ZIP_DEFLATED}
        directory.load(folder.read("member.jsonl"))
    assert directory.jsonl == before
    assert '"coworker_rate": "90.50"' in before


def test_who_left_is_new_to_the_list_that_still_names_them_and_seen_by_nobody(directory):
    directory.load([MAUD], publish=True)
    number = directory["Maud Le Goff"].ref
    account = directory.session.scalars(select(Account)).one()
    leave(directory.session, account, directory.identity, directory.now)
    directory.load([MAUD])
    again = directory["Maud Le Goff"]
    assert (again.ref == number, again.audience, directory.published()) == (False, "me", {})


def test_a_photo_is_taken_along_and_comes_in_again(directory):
    directory.load([MAUD | {"photo": base64.b64encode(picture()).decode()}])
    before, worn = directory.jsonl, directory["Maud Le Goff"].photo
    account = directory.session.scalars(select(Account)).one()
    taken = archive(directory.session, account, "", directory.now)
    leave(directory.session, account, directory.identity, directory.now)
    directory.session.commit()
    assert directory.session.scalars(select(Photo)).all() == []
    with zipfile.ZipFile(io.BytesIO(taken)) as folder:
        assert digest_of(folder.read("photo.webp")) == worn["digest"]
        directory.load(folder.read("member.jsonl"))
    again = directory.session.scalars(select(Photo)).one()
    assert Image.open(io.BytesIO(again.image)).size == (320, 320)
    assert directory["Maud Le Goff"].photo["digest"] == digest_of(again.image)
    assert '"photo": "UklGR' in before


def test_the_same_photo_twice_changes_nothing_and_another_one_replaces_a_list_s(directory):
    first, second = (
        base64.b64encode(picture(colours=[(shade,) * 3] * 4)).decode() for shade in (40, 200)
    )
    directory.load([MAUD | {"photo": first}])
    worn = directory["Maud Le Goff"].photo
    assert directory.load([MAUD | {"photo": first}]).counts["unchanged"] == 1
    assert directory.load(directory.jsonl.encode()).counts["unchanged"] == 1
    assert directory["Maud Le Goff"].photo == worn
    directory.load([MAUD | {"photo": second}])
    assert directory["Maud Le Goff"].photo != worn


def test_a_photo_that_the_member_chose_stays_and_one_that_is_none_is_left_out(directory):
    directory.load([MAUD])
    member = directory["Maud Le Goff"]
    photos.show(directory.session, member, drawn_anew(picture()), directory.now)
    directory.session.commit()
    worn = member.photo
    other = base64.b64encode(picture(size=(90, 90))).decode()
    [kept] = directory.load([MAUD | {"photo": other}]).outcomes
    assert kept.remarks == ("photo is kept as the member chose it",)
    assert directory["Maud Le Goff"].photo == worn
    photos.remove(directory.session, member)
    directory.session.commit()
    for wrong, remark in (
        ("§", "the photo is not base64"),
        (base64.b64encode(HTML).decode(), "photo is left out: not a JPEG, PNG or WebP"),
    ):
        [left] = directory.load([MAUD | {"photo": wrong}]).outcomes
        assert left.remarks == (remark,)
    assert directory["Maud Le Goff"].photo == {}
