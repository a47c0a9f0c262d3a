"""Taking everything along, and leaving for good, without asking anybody."""

from __future__ import annotations

import io
import json
import re
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import func, select, text

from app.database import db
from app.exchange import publish, silences
from app.exchange.describing import subject_of
from app.models.account import Account, SignInLink
from app.models.base import Base
from app.models.conversation import MUTE
from app.models.feed import FeedEntry
from app.models.member import Member, Service
from app.models.sign_in import FRESH, SignIn
from tests.neighbourhood import Neighbourhood
from tests.spaces import add_member, service, sign_in

MAUD = "maud@legoff.example"


@pytest.fixture
def maud(space, browser):
    member = add_member(
        "Maud Le Goff",
        email=MAUD,
        audience="me",
        headline="Contracts that hold",
        bio="First line\nsecond, with <b> & é",
        profession="avocate",
        locale="fr",
        languages=["fr", "br"],
        interests=["sailing", "tea; strong"],
        availability="Monday",
        location="Nantes",
        services=(service("Reading a contract", "", ("120.00", "90.50")),),
    )
    add_member("Yves", email="yves@x.example", admin=True)
    db.session.commit()
    sign_in(browser, MAUD)
    return member


def archive_of(browser):
    answer = browser.get("/me/data/archive")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as folder:
        return {name: folder.read(name).decode() for name in folder.namelist()}


# --- who may ------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/me/data", "/me/data/archive", "/me/deletion"])
def test_visitors_are_sent_to_the_door(space, address):
    assert space.test_client().get(address).location == f"/sign-in?next={address}"


def test_a_sign_in_of_long_ago_takes_nothing_along_and_deletes_nothing(maud, browser):
    with time_machine.travel(datetime.now(UTC) + FRESH):
        answers = [browser.get("/me/data/archive"), browser.post("/me/deletion")]
        assert [answer.location.partition("?")[0] for answer in answers] == ["/sign-in"] * 2
        assert db.session.scalars(select(Member).filter_by(name="Maud Le Goff")).one()


@pytest.mark.parametrize("address", ["/me/data", "/me/deletion"])
def test_no_link_saves_the_page_of_the_door_as_if_it_were_the_archive(maud, browser, address):
    """Browsers save whatever a link marked as a download leads to, the door too."""
    page = browser.get(address).text
    assert 'href="/me/data/archive"' in page
    assert " download" not in page
    disposition = browser.get("/me/data/archive").headers["Content-Disposition"]
    assert disposition.startswith("attachment; ")


# --- taking it along ----------------------------------------------------------------


def test_the_archive_holds_what_one_wrote_and_nothing_of_anybody_else(maud, browser):
    files = archive_of(browser)
    assert set(files) == {"profile.html", "account.json", "member.jsonl"}
    assert "Yves" not in "".join(files.values())
    assert "yves@x.example" not in "".join(files.values())
    said = json.loads(files["member.jsonl"])
    assert (said["name"], said["email"], said["audience"]) == ("Maud Le Goff", MAUD, "me")
    assert said["services"][0]["coworker_rate"] == "90.50"
    kept = json.loads(files["account.json"])
    assert (kept["email"], kept["role"], len(kept["signed_in"])) == (MAUD, "member", 1)


def test_the_page_in_the_archive_is_text_whatever_was_written(maud, browser):
    page = archive_of(browser)["profile.html"]
    assert "second, with &lt;b&gt; &amp; é" in page
    assert "Contracts that hold" in page
    assert not re.search(r"(src|href|style)=", page)


def test_the_page_in_the_archive_says_in_words_what_programs_say_in_codes(maud, browser):
    maud.present("web", {"interests": "space"}, datetime.now(UTC))
    maud.services[0].remote = True
    db.session.commit()
    page = archive_of(browser)["profile.html"]
    told = re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)</dd>", page)
    for line in (
        ("These texts are written in", "French"),
        ("Languages you speak", "French, Breton"),
        ("Who may see you", "Public web"),
        ("What you like to do with others", "My space"),
        ("In return for", "Money"),
        ("Counted", "per hour"),
        ("Remotely too", "yes"),
    ):
        assert line in told
    # Moments as people read them, the same in the log of consents and for sign-ins.
    assert len(re.findall(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", page)) > 2
    assert not re.search(r"\dT\d", page)


def test_who_never_published_and_has_no_profile_gets_an_archive_too(space, browser):
    db.session.add(Account(email="new@x.example", role="member", created_at=datetime.now(UTC)))
    db.session.commit()
    sign_in(browser, "new@x.example")
    assert set(archive_of(browser)) == {"profile.html", "account.json"}


# --- leaving ------------------------------------------------------------------------


def everything_kept():
    """Every value in every table, as one text."""
    db.session.expire_all()
    return "\n".join(
        str(tuple(row))
        for table in Base.metadata.sorted_tables
        for row in db.session.execute(table.select())
    )


def test_looking_at_the_page_deletes_nothing(maud, browser):
    page = browser.get("/me/deletion").text
    assert "Delete everything now" in page
    assert "until the last copy has expired" in page
    assert "a list that they alone see" in page
    assert db.session.scalar(select(func.count(Member.id))) == 2


def test_the_last_admin_cannot_leave_the_space_to_nobody(space, browser):
    add_member("Youenn", email="youenn@x.example", admin=True)
    gone = add_member("Gone", email="gone@x.example", admin=True)
    gone.left_at = datetime.now(UTC)
    db.session.commit()
    sign_in(browser, "youenn@x.example")
    answer = browser.post("/me/deletion")
    assert answer.status_code == 409
    assert "Let somebody else become an admin first" in answer.text
    assert browser.get("/me").status_code == 200


def test_nothing_that_names_the_person_is_left(maud, browser):
    ref = maud.account.ref
    yves = db.session.scalars(select(Member).filter_by(name="Yves")).one()
    subject = subject_of(maud, browser.application.extensions["identity"])
    silences.keep(db.session(), yves, subject, "Maud Le Goff", "", MUTE, datetime.now(UTC))
    db.session.commit()
    answer = browser.post("/me/deletion")
    assert answer.status_code == 303
    kept = everything_kept() + str(db.session.execute(text("SELECT * FROM search_doc")).all())
    for trace in ("Maud", "legoff", "Contracts", "avocate", "sailing", ref):
        assert trace not in kept
    counted = [
        db.session.scalar(select(func.count()).select_from(table)) for table in (Service, SignIn)
    ]
    assert counted == [0, 0]
    assert db.session.scalar(select(func.count()).select_from(SignInLink)) == 0


def test_nobody_finds_who_left_and_their_other_browsers_are_signed_out(maud, browser):
    phone = browser.application.test_client()
    sign_in(phone, MAUD)
    browser.post("/me/deletion")
    assert [one.get("/me").status_code for one in (browser, phone)] == [303, 303]
    assert "Maud" not in browser.get("/search?q=avocate&scope=here").text


def test_who_was_shown_nowhere_else_leaves_no_tombstone_that_says_they_existed(maud, browser):
    browser.post("/me/deletion")
    assert db.session.scalars(select(FeedEntry)).all() == []


def test_the_farewell_opens_for_nobody_without_its_address(maud, browser):
    place = browser.post("/me/deletion").location
    assert browser.get(place).status_code == 200
    assert browser.get(place).headers["Referrer-Policy"] == "no-referrer"
    # Not the last character: two of its six bits decode to nothing.
    forged = place[:-3] + ("A" if place[-3] != "A" else "B") + place[-2:]
    assert browser.get(forged).status_code == 404
    assert browser.get("/farewell/x").status_code == 404


@pytest.fixture
def town(tmp_path):
    town = Neighbourhood(tmp_path, "lyon", "nantes")
    with town.at("nantes"):
        add_member("Yves", email="yves@x.example", admin=True, audience="me")
        add_member("Claire Vasseur", email="claire@x.example", audience="me", headline="Notes")
    town.publish("nantes", "Claire Vasseur")
    town.befriend("lyon", "nantes")
    yield town
    town.close()


def test_who_leaves_is_withdrawn_everywhere_and_sees_who_confirmed(town):
    browser = town.apps["nantes"].test_client()
    sign_in(browser, "claire@x.example")
    assert "signed.jws" in archive_of(browser)
    place = browser.post("/me/deletion").location
    before = browser.get(place).text
    assert "Lyon has not answered yet" in before
    assert f'data-hx-get="{place}"' in before
    town.work()
    after = browser.get(place).text
    assert "Withdrawn: 1 of 1 space confirmed" in after
    assert "data-hx-get" not in after[after.index('id="withdrawal"') : after.index("</main>")]
    assert "Claire" not in after
    assert "Claire" not in town.apps["lyon"].test_client().get("/search?q=claire").text
    with town.at("nantes"):
        kept = everything_kept()
    assert "Claire" not in kept
    assert "Notes" not in kept


def test_a_key_that_is_changed_later_signs_the_withdrawal_again_without_the_person(town):
    browser = town.apps["nantes"].test_client()
    sign_in(browser, "claire@x.example")
    browser.post("/me/deletion")
    town.work()
    town.later(hours=1)
    with town.at("nantes") as session:
        [entry] = session.scalars(select(FeedEntry))
        assert publish._sign_again(session, entry, town.identity("nantes"), town.now + timedelta(1))
        assert (entry.kind, entry.member_id) == ("withdrawal", None)
