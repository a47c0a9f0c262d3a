"""Reporting what is wrong, and what an admin does about it: who learns of it, and who does not."""

from __future__ import annotations

import io
import json
import re
import zipfile
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.exchange import upkeep
from app.models.measure import Measure
from app.models.member import Member
from app.models.peer import MirroredProfile
from app.models.report import REPORT_LIFETIME, Report
from app.web import mail
from tests.neighbourhood import Neighbourhood
from tests.postman import carry
from tests.spaces import add_member, service
from tests.web.people import at_a_screen, page_in, text

WRONG = "zqreporttext He sells magnets"


@pytest.fixture
def town(tmp_path):
    """In Lyon Maud reads, Inès and Tom run the space, Paul sells; Claire coworks in Nantes."""
    town = Neighbourhood(tmp_path, "lyon", "nantes")
    with town.at("nantes"):
        add_member("Keeper", audience="me", email="keeper@n.example", admin=True)
        add_member(
            "Claire Vasseur",
            audience="me",
            email="claire@n.example",
            headline="Contracts that people read",
            services=(service("Contracts"),),
        )
    town.publish("nantes", "Claire Vasseur")
    with town.at("lyon"):
        add_member("Maud Le Goff", audience="me", email="maud@l.example")
        add_member("Inès Roux", audience="space", email="ines@l.example", admin=True)
        add_member("Tom Marks", audience="space", email="tom@l.example", admin=True)
        add_member(
            "Paul Fer",
            audience="space",
            email="paul@l.example",
            headline="Magnets for everybody",
            services=(service("Magnets", description="They heal"),),
        )
    town.befriend("lyon", "nantes")
    yield town
    town.close()


def person(town, address, space="lyon"):
    return at_a_screen(town, space, address)


@pytest.fixture
def maud(town):
    return person(town, "maud@l.example")


@pytest.fixture
def ines(town):
    return person(town, "ines@l.example")


def page_of(town, name):
    return page_in(town, "lyon", name)


def report(town, browser, name="Paul Fer", **more):
    return browser.post(f"{page_of(town, name)}/report", data={"text": WRONG, **more})


def found(town, space="lyon"):
    with town.at(space) as session:
        return [one.ref for one in session.scalars(select(Report).order_by(Report.id))]


def decide(town, admin, do, reason="Healing magnets do not heal"):
    [ref] = found(town)
    return admin.post(f"/reports/{ref}/measures", data={"do": do, "reason": reason})


def take_back(town, admin):
    with town.at("lyon") as session:
        ref = session.scalars(select(Measure.ref).order_by(Measure.id.desc())).first()
    return admin.post(f"/measures/{ref}/end")


def send_mail(town, space="lyon"):
    """Let the worker send what waits; return the letters."""
    town.later(hours=2)
    return carry(town.apps[space], town.now, town.network)


# --- who may not ----------------------------------------------------------------------


def test_visitors_report_nothing_and_members_read_no_reports(town, maud, ines):
    visitor = town.apps["lyon"].test_client()
    for name in ("Paul Fer", "Claire Vasseur"):
        assert visitor.post(f"{page_of(town, name)}/report").location.startswith("/sign-in")
        assert "/report" not in visitor.get(page_of(town, name)).text
    report(town, maud)
    [ref] = found(town)
    for browser, status in ((maud, 403), (visitor, 303)):
        assert browser.get("/reports").status_code == status
        assert browser.get(f"/reports/{ref}").status_code == status
        assert browser.post(f"/reports/{ref}/closure").status_code == status
        data = {"do": "ban", "reason": "Because"}
        assert browser.post(f"/reports/{ref}/measures", data=data).status_code == status
    decide(town, ines, "hide")
    with town.at("lyon") as session:
        taken = session.scalars(select(Measure.ref)).one()
    assert maud.post(f"/measures/{taken}/end").status_code == 403
    with town.at("lyon") as session:
        assert session.scalars(select(Measure)).one().undone_at is None


def test_nobody_reports_themselves_or_somebody_whom_they_cannot_see(town, maud):
    with town.at("lyon") as session:
        mine = session.scalars(select(Member.ref).filter_by(name="Maud Le Goff")).one()
        hidden = add_member("Shy", audience="me").ref
    assert maud.post(f"/m/{hidden}/report", data={"text": WRONG}).status_code == 404
    assert maud.post(f"/m/{mine}/report", data={"text": WRONG}).status_code == 404
    ines = person(town, "ines@l.example")
    assert ines.post(f"{page_of(town, 'Inès Roux')}/report", data={"text": "x"}).status_code == 403
    assert found(town) == []


def test_the_conversation_of_somebody_else_is_not_reported(town, maud):
    _talk(town, maud)
    [address] = _threads(maud)
    paul = person(town, "paul@l.example")
    assert paul.get(f"{address}/report").status_code == 404
    assert paul.post(f"{address}/report", data={"text": WRONG}).status_code == 404
    assert found(town) == []


def test_the_form_asks_for_one_thing_and_says_who_reads_it(town, maud):
    for name in ("Paul Fer", "Claire Vasseur"):
        said = maud.get(f"{page_of(town, name)}/report")
        assert said.status_code == 200
        assert said.text.count(" required") == 1
        assert "see that it comes from you" in text(said)
    _talk(town, maud)
    [address] = _threads(maud)
    assert 'name="attach"' in maud.get(f"{address}/report").text


@pytest.mark.parametrize("typed", ["", "  ", "x" * 2001])
def test_a_report_that_says_nothing_or_too_much_keeps_what_was_typed(town, maud, typed):
    answer = report(town, maud, text=typed, kind="spam")
    assert answer.status_code == 422
    assert typed.strip() in answer.text
    assert re.search(r'value="spam" selected', answer.text)
    assert found(town) == []


def test_a_kind_that_does_not_exist_is_no_kind(town, maud):
    report(town, maud, kind="treason")
    with town.at("lyon") as session:
        assert session.scalars(select(Report.kind)).one() == ""


def test_an_admin_who_is_reported_reads_nothing_of_it_and_decides_nothing(town, maud):
    report(town, maud, "Tom Marks")
    [ref] = found(town)
    tom = person(town, "tom@l.example")
    assert "Tom Marks" not in re.search(r"<main.*", tom.get("/reports").text, re.S)[0]
    assert tom.get(f"/reports/{ref}").status_code == 404
    assert tom.post(f"/reports/{ref}/closure").status_code == 404
    assert decide(town, tom, "hide").status_code == 404
    assert [letter["To"] for letter in send_mail(town)] == ["ines@l.example"]


# --- what reaches whom ----------------------------------------------------------------


def test_the_admins_get_a_letter_with_a_link_and_nothing_personal(town, maud):
    report(town, maud)
    letters = send_mail(town)
    assert sorted(letter["To"] for letter in letters) == ["ines@l.example", "tom@l.example"]
    [ref] = found(town)
    for letter in letters:
        said = letter.as_string()
        assert f"https://lyon.example/reports/{ref}" in letter.get_content()
        for word in ("Maud", "Paul", "magnet", "zqreport", "maud@", "paul@"):
            assert word.lower() not in said.lower()
    assert send_mail(town) == []


def test_a_mail_server_that_is_down_delays_the_letter_and_does_not_lose_it(town, maud, monkeypatch):
    report(town, maud)
    with monkeypatch.context() as broken:

        def down(_letters):
            raise mail.MailNotSentError("nobody there")

        broken.setattr(mail, "send", down)
        assert send_mail(town) == []
    assert len(send_mail(town)) == 2


def test_the_report_shows_the_page_as_it_stood_and_who_reported_it(town, maud, ines):
    report(town, maud, kind="false")
    with town.at("lyon") as session:
        paul = session.scalars(select(Member).filter_by(name="Paul Fer")).one()
        paul.headline = "Nothing to see here"
        paul.audience = "me"
    [ref] = found(town)
    said = text(ines.get(f"/reports/{ref}"))
    assert WRONG in said
    assert "Magnets for everybody" in said
    assert "They heal" in said
    assert "Nothing to see here" not in said
    assert "by Maud Le Goff" in said
    assert "not true" in said


def test_what_was_only_said_in_another_language_is_in_the_report(town, maud, ines):
    with town.at("lyon") as session:
        paul = session.scalars(select(Member).filter_by(name="Paul Fer")).one()
        paul.locale, paul.languages = "en", ["fr", "en"]
        paul.translations = [{"lang": "fr", "headline": "Des aimants", "bio": "Bande de nuls"}]
        paul.services[0].translations = [{"lang": "de", "title": "Magnete", "description": "Heil"}]
    report(town, maud)
    [ref] = found(town)
    page = ines.get(f"/reports/{ref}").text
    assert '<dt>French</dt><dd lang="fr">Des aimants<br>Bande de nuls</dd>' in page
    assert '<span lang="de">Magnete<br>Heil</span>' in page
    assert "French, English</dd>" in page


def test_a_neighbours_report_keeps_the_digest_of_what_their_space_signed(town, maud, ines):
    report(town, maud, "Claire Vasseur")
    with town.at("lyon") as session:
        digest = session.scalars(select(MirroredProfile.digest)).one()
        row = session.scalars(select(Report)).one()
        assert (row.digest, row.context["headline"]) == (digest, "Contracts that people read")
    [ref] = found(town)
    said = text(ines.get(f"/reports/{ref}"))
    assert digest in said
    assert "Hidden here only" in said
    assert 'value="ban"' not in ines.get(f"/reports/{ref}").text


def test_neither_the_other_space_nor_the_person_learns_of_a_report(town, maud):
    before = len(town.network.requests)
    report(town, maud, "Claire Vasseur")
    town.work()
    assert not [one for one in town.network.requests[before:] if one[0] == "POST"]
    assert found(town, "nantes") == []
    keeper = person(town, "keeper@n.example", "nantes")
    assert "Maud" not in keeper.get("/journal").text + keeper.get("/reports").text
    report(town, maud)
    paul = person(town, "paul@l.example")
    own = [paul.get(path).text for path in ("/me", "/me/silences", "/me/data", "/introductions")]
    assert WRONG not in "".join(own)
    assert "Maud" not in "".join(own)


def test_who_reported_sees_that_it_arrived_and_that_somebody_looked(town, maud, ines):
    answer = report(town, maud)
    assert answer.location == "/me/silences#reports"
    assert re.search(rf"Paul Fer\s+received\s+{WRONG}", text(maud.get("/me/silences")))
    [ref] = found(town)
    ines.post(f"/reports/{ref}/closure")
    assert re.search(rf"Paul Fer\s+looked at\s+{WRONG}", text(maud.get("/me/silences")))


def _talk(town, maud, words="zqsecret Could you read my lease?"):
    page = page_of(town, "Claire Vasseur")
    chosen = re.search(r'<option value="(\w+)"', maud.get(page).text)
    about = chosen[1] if chosen else ""
    answer = maud.post(f"{page}/ask", data={"text": words, "service": about})
    assert answer.status_code == 303


def _threads(browser):
    return set(
        re.findall(r'href="(/introductions/\w{26})#thread"', browser.get("/introductions").text)
    )


@pytest.mark.parametrize("attach", [False, True])
def test_what_was_written_is_shown_only_if_the_reporter_says_so(town, maud, ines, attach):
    _talk(town, maud)
    [address] = _threads(maud)
    assert f"{address}/report" in maud.get(address).text
    data = {"text": WRONG, **({"attach": "on"} if attach else {})}
    assert maud.post(f"{address}/report", data=data).location == "/me/silences#reports"
    [ref] = found(town)
    said = text(ines.get(f"/reports/{ref}"))
    assert ("zqsecret" in said) is attach
    assert ("did not show it" in said) is not attach


# --- what an admin does ---------------------------------------------------------------


@pytest.mark.parametrize("do", ["hide", "warn", "ban"])
def test_nothing_is_done_without_a_reason(town, maud, ines, do):
    report(town, maud)
    answer = decide(town, ines, do, reason="  ")
    assert answer.status_code == 422
    assert "Write the reason" in text(answer)
    with town.at("lyon") as session:
        assert session.scalars(select(Measure)).all() == []


def test_what_does_not_exist_is_not_done(town, maud, ines):
    report(town, maud)
    assert decide(town, ines, "quarter").status_code == 400
    assert decide(town, ines, "hide", reason="x" * 501).status_code == 422


@pytest.mark.parametrize("do", ["warn", "ban"])
def test_a_neighbours_person_is_neither_warned_nor_shut_out(town, maud, ines, do):
    report(town, maud, "Claire Vasseur")
    answer = decide(town, ines, do, reason="Kept as typed")
    assert answer.status_code == 422
    assert "Kept as typed" in answer.text


def test_whom_an_admin_hides_is_told_the_reason_and_can_still_edit_and_leave(town, maud, ines):
    report(town, maud)
    assert decide(town, ines, "hide").status_code == 303
    assert maud.get(page_of(town, "Paul Fer")).status_code == 404
    assert "Paul Fer" not in maud.get("/").text
    [letter] = [one for one in send_mail(town) if one["To"] == "paul@l.example"]
    assert "Healing magnets do not heal" in letter.get_content()
    assert "Maud" not in letter.as_string()
    paul = person(town, "paul@l.example")
    said = text(paul.get("/me"))
    assert "have hidden your page" in said
    assert "Healing magnets do not heal" in said
    assert paul.get(page_of(town, "Paul Fer")).status_code == 200
    assert paul.post("/me/deletion").status_code == 303
    assert found(town) == []
    with town.at("lyon") as session:
        assert session.scalars(select(Measure)).all() == []


def test_what_was_hidden_is_shown_again_when_it_is_taken_back(town, maud, ines):
    report(town, maud)
    decide(town, ines, "hide")
    assert take_back(town, ines).location == "/reports"
    assert maud.get(page_of(town, "Paul Fer")).status_code == 200
    assert "have hidden your page" not in text(person(town, "paul@l.example").get("/me"))


def test_a_warning_is_a_letter_with_the_reason(town, maud, ines):
    report(town, maud)
    decide(town, ines, "warn")
    [letter] = [one for one in send_mail(town) if one["To"] == "paul@l.example"]
    assert "Healing magnets do not heal" in letter.get_content()
    assert maud.get(page_of(town, "Paul Fer")).status_code == 200


def test_who_is_shut_out_is_out_everywhere_and_the_door_answers_as_to_a_stranger(town, maud, ines):
    paul = person(town, "paul@l.example")
    report(town, maud)
    decide(town, ines, "ban")
    assert paul.get("/me").location.startswith("/sign-in")
    assert maud.get(page_of(town, "Paul Fer")).status_code == 404
    send_mail(town)
    answers = []
    for address in ("paul@l.example", "nobody@l.example"):
        guest = town.apps["lyon"].test_client()
        first = guest.post("/sign-in", data={"email": address})
        sent = re.sub(r'(nonce|value)="[^"]+"', "", guest.get("/sign-in/sent").text)
        answers.append((first.status_code, first.location, sent.replace(address, "")))
    assert answers[0] == answers[1]
    assert send_mail(town) == []
    take_back(town, ines)
    person(town, "paul@l.example")


def test_a_neighbours_person_who_is_hidden_is_found_nowhere_here(town, maud, ines):
    page = page_of(town, "Claire Vasseur")
    report(town, maud, "Claire Vasseur")
    decide(town, ines, "hide", reason="Not here")
    town.publish("nantes", "Claire Vasseur", headline="Other words", audience="web")
    town.work()
    visitor = town.apps["lyon"].test_client()
    for browser in (maud, ines, visitor):
        for path in (
            page, f"{page}/ask", f"{page}/record", f"{page}/report",
        ):  # fmt: skip
            assert browser.get(path).status_code in (303, 404)
        for path in (
            "/search?q=contracts&scope=everywhere", "/search?q=Claire&scope=everywhere",
            "/suggestions?q=Claire", "/search.json?q=contracts", "/",
        ):  # fmt: skip
            assert "Vasseur" not in browser.get(path).text.replace("q=Claire", "")
    assert "Vasseur" in person(town, "claire@n.example", "nantes").get("/me").text
    take_back(town, ines)
    assert maud.get(page).status_code == 200


def test_every_decision_names_its_reason_and_who_made_it(town, maud, ines):
    report(town, maud)
    decide(town, ines, "warn")
    [ref] = found(town)
    assert "by Inès Roux" in text(ines.get(f"/reports/{ref}"))
    said = text(ines.get("/journal"))
    assert "Somebody was warned" in said
    assert "Healing magnets do not heal" in said
    assert "by Inès Roux" in said
    assert "Maud" not in re.search(r"<main.*", ines.get("/journal").text, re.S)[0]


# --- the end --------------------------------------------------------------------------


def test_a_report_ends_with_its_context_after_its_time(town, maud):
    report(town, maud)
    town.later(days=REPORT_LIFETIME.days - 1)
    with town.at("lyon") as session:
        upkeep.purge(session, town.identity("lyon"), town.now)
    assert len(found(town)) == 1
    town.later(days=1, seconds=1)
    with town.at("lyon") as session:
        upkeep.purge(session, town.identity("lyon"), town.now)
    assert found(town) == []
    assert timedelta(days=180) == REPORT_LIFETIME


def test_who_leaves_takes_their_reports_along_and_the_archive_names_them(town, maud):
    report(town, maud)
    with zipfile.ZipFile(io.BytesIO(maud.get("/me/data/archive").data)) as folder:
        kept = json.loads(folder.read("account.json"))
    assert [one["text"] for one in kept["reported"]] == [WRONG]
    maud.post("/me/deletion")
    assert found(town) == []


def test_what_was_decided_about_me_is_in_my_archive(town, maud, ines):
    report(town, maud)
    decide(town, ines, "warn")
    paul = person(town, "paul@l.example")
    with zipfile.ZipFile(io.BytesIO(paul.get("/me/data/archive").data)) as folder:
        kept = json.loads(folder.read("account.json"))
    assert [(one["what"], one["reason"]) for one in kept["decided_about_me"]] == [
        ("warn", "Healing magnets do not heal")
    ]
    assert "Maud" not in json.dumps(kept)
