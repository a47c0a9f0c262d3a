"""What somebody takes along comes in again elsewhere as it was."""

from __future__ import annotations

import io
import zipfile

from sqlalchemy import select

from app.members.archive import archive
from app.members.leaving import leave
from app.models.account import Account

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
