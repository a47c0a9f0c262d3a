"""A list meets the directory: who is new, what changes, and what nobody may change for a member."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from app.exchange.publish import publish_member
from app.members.plan import Verdict
from app.models.account import ADMIN, Account
from app.models.feed import FeedEntry
from app.models.journal import JournalEntry
from app.models.member import Member
from app.models.scope import Reader
from app.models.space import Space
from app.search.find import find
from app.search.index import check
from app.search.query import Query
from tests.members.conftest import FIXTURES

TABLES = sorted(path.name for path in FIXTURES.iterdir() if path.suffix in (".csv", ".txt"))
LISTS = [*TABLES, "cobot_v1_memberships.json"]
ZOE = {"external_id": "1", "email": "zoe@example.org", "name": "Zoé"}


def verdicts(planned):
    return [(outcome.line, outcome.verdict.value) for outcome in planned.outcomes]


def reasons(planned):
    return [
        (outcome.line, *outcome.reasons)
        for outcome in planned.outcomes
        if outcome.verdict is Verdict.REFUSED
    ]


def only(planned):
    (outcome,) = planned.outcomes
    return outcome


#: Twenty services of 2000 characters: each fits, together they fill no document.
LONG = [{"title": f"Service {number}", "description": "mot " * 499} for number in range(20)]


# --- what neighbours could not receive


def test_who_is_too_long_for_a_document_is_refused_and_the_others_come(directory):
    rows = [ZOE | {"audience": "web", "services": LONG}, {"name": "Li", "audience": "web"}]
    loaded = directory.load(rows, publish=True)
    assert verdicts(loaded) == [(1, "refused"), (2, "new")]
    assert reasons(loaded)[0][1].startswith("together the texts are too long for neighbours")
    assert (directory.names, directory.published()) == (["Li"], {"Li": "profile"})


def test_who_is_too_long_for_a_document_is_welcome_where_nobody_else_sees_them(directory):
    assert verdicts(directory.load([ZOE | {"services": LONG}])) == [(1, "new")]


def test_a_list_that_shows_somebody_too_long_is_refused_and_they_stay_hidden(directory):
    directory.load([ZOE | {"services": LONG}])
    again = directory.load([ZOE | {"audience": "neighbours"}], publish=True)
    assert verdicts(again) == [(1, "refused")]
    assert directory["Zoé"].audience == "me"


def test_many_are_published_and_indexed_as_each_would_be_alone(directory):
    rows = [
        {"name": f"Zoé {number}", "email": f"{number}@example.org", "audience": "neighbours"}
        for number in range(1201)
    ]
    directory.load(rows, publish=True)
    assert set(directory.published().values()) == {"profile"}
    assert len(directory.published()) == 1201
    assert check(directory.session) == []
    directory.load([row | {"headline": "Avocate"} for row in rows[:600]], publish=True)
    assert check(directory.session) == []
    here = Space(url="https://lepalier.example", name="Le Palier", city="Nantes", country="FR")
    question, now = Query(words="avocate", scope="here"), datetime.now(UTC)
    assert find(directory.session, question, Reader.MEMBER, here, now).total == 600
    seqs = directory.session.scalars(select(FeedEntry.seq)).all()
    assert sorted(seqs) == list(range(601, 1802))


# --- twice, and not at all


@pytest.mark.parametrize("name", LISTS)
def test_loading_a_list_again_changes_nothing(directory, name):
    first = directory.load(FIXTURES / name)
    again = directory.load(FIXTURES / name)
    assert first.counts["new"] > 0
    assert again.counts == {
        "new": 0,
        "changed": 0,
        "unchanged": first.counts["new"],
        "refused": first.counts["refused"],
    }
    assert not directory.written


@pytest.mark.parametrize("name", LISTS)
def test_a_dry_run_says_what_the_import_then_does_and_writes_nothing(directory, name):
    seen = directory.look(FIXTURES / name)
    assert not directory.written
    assert directory.names == []
    done = directory.load(FIXTURES / name)
    assert [(one.line, one.verdict, one.remarks) for one in seen.outcomes] == [
        (one.line, one.verdict, one.remarks) for one in done.outcomes
    ]


def test_loading_again_signs_nothing(directory):
    rows = [{**ZOE, "audience": "neighbours"}]
    directory.load(rows, publish=True)
    before = directory["Zoé"].revision
    directory.load(rows, publish=True)
    assert before == 1
    assert directory["Zoé"].revision == 1


# --- who is refused


def test_the_same_person_twice_in_a_file_is_taken_in_once(directory):
    planned = directory.load(
        [
            ZOE,
            {"name": "Zoe", "email": "ZOE@example.org"},
            {"name": "Z.", "external_id": "1"},
            {"name": "Li"},
            {"name": "LI"},
        ]
    )
    assert reasons(planned) == [
        (2, "the same e-mail address as line 1"),
        (3, "the same external_id as line 1"),
        (5, "the same name as line 4"),
    ]
    assert directory.names == ["Li", "Zoé"]


def test_a_refused_row_does_not_keep_the_others_out(directory):
    planned = directory.load("Name,Email\n,x\nZoé,z@example.org\n")
    assert verdicts(planned) == [(2, "refused"), (3, "new")]
    assert directory.names == ["Zoé"]


def test_a_row_that_is_one_by_number_and_another_by_address_is_refused(directory):
    directory.load([ZOE, {"external_id": "2", "email": "li@example.org", "name": "Li"}])
    planned = directory.load([{"external_id": "1", "email": "li@example.org", "name": "?"}])
    assert reasons(planned) == [(1, "the external_id is Zoé's, the e-mail address Li's")]


def test_a_name_alone_that_two_members_have_is_refused(directory):
    directory.load([{**ZOE, "name": "Li"}, {"external_id": "2", "name": "Li"}])
    ((line, reason),) = reasons(directory.load([{"name": "Li"}]))
    assert (line, reason[:27]) == (1, "2 members have this name, a")


def test_two_rows_that_find_the_same_member_are_one(directory):
    directory.load([ZOE])
    planned = directory.look([{"name": "Zoé", "external_id": "1"}, {**ZOE, "external_id": ""}])
    assert reasons(planned) == [(2, "the same member as line 1")]


# --- whom a row finds


def test_a_member_is_found_by_number_though_name_and_address_changed(directory):
    directory.load([ZOE])
    planned = directory.load([{"external_id": "1", "email": "new@example.org", "name": "Zoé L."}])
    assert only(planned).changes == ("name", "email")
    assert directory["Zoé L."].account.email == "new@example.org"


def test_a_member_is_found_by_address_and_gets_the_lists_number(directory):
    directory.load([{"email": "zoe@example.org", "name": "Zoé"}])
    assert only(directory.load([ZOE])).changes == ("external_id",)
    assert directory["Zoé"].external_id == "1"


def test_a_list_does_not_change_the_address_of_an_admin(directory):
    directory.load([ZOE])
    directory["Zoé"].account.role = ADMIN
    planned = directory.load([{**ZOE, "email": "other@example.org"}])
    assert only(planned).verdict is Verdict.UNCHANGED
    assert directory["Zoé"].account.email == "zoe@example.org"


def test_an_account_that_waits_for_its_member_gets_them(directory):
    directory.session.add(Account(email="zoe@example.org", role=ADMIN, created_at=directory.now))
    directory.session.commit()
    directory.load([ZOE])
    assert directory["Zoé"].account.role == ADMIN
    assert directory.session.scalar(select(func.count(Account.id))) == 1


def test_everybody_with_an_address_can_sign_in_as_a_member(directory):
    directory.load([ZOE, {"name": "Li"}])
    accounts = directory.session.scalars(select(Account)).all()
    assert [(one.email, one.role, one.member.name) for one in accounts] == [
        ("zoe@example.org", "member", "Zoé")
    ]


# --- what a member wrote stays


def test_an_empty_column_wipes_nothing(directory):
    directory.load([{**ZOE, "headline": "Contrats", "services": [{"title": "Law"}]}])
    planned = directory.load("id,name,headline,skills\n1,Zoé,,\n")
    assert only(planned).verdict is Verdict.UNCHANGED
    assert directory["Zoé"].headline == "Contrats"


def test_what_the_member_wrote_since_stays_and_the_operator_is_told(directory):
    directory.load([{**ZOE, "headline": "Contrats"}])
    directory["Zoé"].headline = "Contrats et CGV"
    assert only(directory.load([{**ZOE, "headline": "Contrats"}])).remarks == ()
    planned = directory.load([{**ZOE, "headline": "Droit"}])
    assert only(planned).verdict is Verdict.UNCHANGED
    assert only(planned).remarks == ("headline is kept as the member wrote it",)
    assert directory["Zoé"].headline == "Contrats et CGV"


def test_what_an_earlier_list_said_is_replaced_by_a_later_one(directory):
    directory.load([{**ZOE, "headline": "Contrats"}])
    planned = directory.load([{**ZOE, "headline": "Droit", "languages": ["fr"]}])
    assert only(planned).changes == ("headline", "languages")
    assert (directory["Zoé"].headline, directory["Zoé"].languages) == ("Droit", ["fr"])


def test_services_are_replaced_as_a_whole_and_keep_their_rows(directory):
    directory.load(
        [{**ZOE, "services": [{"id": "a", "title": "Law"}, {"id": "b", "title": "Tax"}]}]
    )
    kept = directory["Zoé"].services[0].id
    directory.load(
        [{**ZOE, "services": [{"id": "c", "title": "UX"}, {"id": "a", "title": "Laws"}]}]
    )
    services = directory["Zoé"].services
    assert [(one.ref, one.title, one.position) for one in services] == [
        ("c", "UX", 0),
        ("a", "Laws", 1),
    ]
    assert services[1].id == kept


def test_services_that_the_member_edited_stay(directory):
    directory.load([{**ZOE, "services": [{"id": "a", "title": "Law"}]}])
    directory["Zoé"].services[0].title = "Contract law"
    planned = directory.load([{**ZOE, "services": [{"id": "a", "title": "Tax"}]}])
    assert only(planned).remarks == ("services is kept as the member wrote it",)
    assert [one.title for one in directory["Zoé"].services] == ["Contract law"]


def test_skills_are_added_once_and_never_come_back(directory):
    table = "id,name,skills\n1,Zoé,{}\n"
    directory.load(table.format("Droit; Voile"))
    zoe = directory["Zoé"]
    assert [one.title for one in zoe.services] == ["Droit", "Voile"]
    zoe.services.pop()
    directory.session.commit()
    assert only(directory.load(table.format("Droit; Voile"))).verdict is Verdict.UNCHANGED
    assert only(directory.load(table.format("Droit; Voile; Chant"))).changes == ("skills",)
    assert [one.title for one in zoe.services] == ["Droit", "Chant"]


# --- who sees whom


def test_nobody_becomes_visible_by_import_alone(directory):
    planned = directory.load([{**ZOE, "audience": "web"}])
    assert directory["Zoé"].audience == "me"
    assert directory["Zoé"].consent_at is None
    assert directory.published() == {}
    assert only(planned).remarks == ("audience “web” needs --publish; until then it is “me”",)


@pytest.mark.parametrize("name", LISTS)
def test_a_list_without_audiences_makes_nobody_visible_even_with_publish(directory, name):
    directory.load(FIXTURES / name, publish=True)
    audiences = directory.session.scalars(select(Member.audience).distinct()).all()
    assert audiences == ["me"]
    assert directory.published() == {}


def test_list_and_operator_together_publish(directory):
    directory.load(
        [{**ZOE, "audience": "neighbours"}, {"name": "Li", "audience": "space"}], publish=True
    )
    assert directory["Zoé"].audience == "neighbours"
    assert directory["Zoé"].consent_at == directory.now
    assert directory.published() == {"Zoé": "profile"}


def test_what_was_held_back_is_published_once_the_operator_agrees(directory):
    rows = [{**ZOE, "audience": "web"}]
    directory.load(rows)
    assert only(directory.load(rows, publish=True)).changes == ("audience",)
    assert directory.published() == {"Zoé": "profile"}


def test_a_member_who_chose_to_hide_stays_hidden(directory):
    rows = [{**ZOE, "audience": "web"}]
    directory.load(rows, publish=True)
    zoe = directory["Zoé"]
    zoe.show_to("me", directory.now)
    publish_member(directory.session, zoe, directory.identity, directory.now)
    directory.session.commit()
    planned = directory.load(rows, publish=True)
    assert only(planned).verdict is Verdict.UNCHANGED
    assert only(planned).remarks == ("audience stays “me”: the member chose it",)
    assert directory.published() == {"Zoé": "withdrawal"}


def test_a_list_may_narrow_and_what_was_published_is_withdrawn(directory):
    directory.load([{**ZOE, "audience": "web"}], publish=True)
    planned = directory.load([{**ZOE, "audience": "space"}])
    assert only(planned).changes == ("audience",)
    assert directory.published() == {"Zoé": "withdrawal"}


def test_a_list_narrows_once_and_then_leaves_the_members_choice_alone(directory):
    rows = [{**ZOE, "audience": "space"}]
    directory.load([ZOE])
    directory["Zoé"].show_to("web", directory.now)
    assert only(directory.load(rows)).changes == ("audience",)
    directory["Zoé"].show_to("web", directory.now)
    assert only(directory.load(rows)).verdict is Verdict.UNCHANGED
    assert directory["Zoé"].audience == "web"


# --- coming and going


def cobot(ref, *, until=None, since="2020/01/01 09:00:00 +0000", email="zoe@example.org"):
    end = f'"{until}"' if until else "null"
    start = f'"{since}"' if since else "null"
    return (
        f'{{"id": "{ref}", "name": "Zoé", "email": "{email}", "plan": null, '
        f'"confirmed_at": {start}, "canceled_to": {end}}}'
    )


def test_who_is_not_yet_confirmed_or_already_gone_is_not_taken_in(directory):
    planned = directory.load(f"[{cobot('1', since=None)}, {cobot('2', until='2026/11/23')}]")
    assert reasons(planned) == [
        (1, "not yet confirmed as a member"),
        (2, "the membership ended (2026-11-23)"),
    ]


def test_a_membership_that_ends_today_or_later_is_still_one(directory):
    assert directory.load(f"[{cobot('1', until='2026/11/24')}]").counts["new"] == 1


def test_who_left_is_shown_to_nobody_and_withdrawn_everywhere(directory):
    directory.load([{**ZOE, "audience": "web"}], publish=True)
    planned = directory.load(f"[{cobot('1', until='2026/11/20')}]")
    assert only(planned).changes == ("membership ended",)
    assert directory["Zoé"].left_at.isoformat() == "2026-11-20T00:00:00+00:00"
    assert directory.published() == {"Zoé": "withdrawal"}
    assert directory.names == []
    again = directory.load(f"[{cobot('1', until='2026/11/20')}]")
    assert only(again).verdict is Verdict.UNCHANGED


def test_who_left_and_came_back_under_another_number_stays(directory):
    directory.load([ZOE])
    planned = directory.load(f"[{cobot('1', until='2026/11/20')}, {cobot('9')}]")
    assert reasons(planned) == [(1, "an ended membership; entry 2 is the current one")]
    assert directory.names == ["Zoé"]


def test_who_comes_back_is_seen_by_nobody_until_they_say_so(directory):
    directory.load([{**ZOE, "audience": "web"}], publish=True)
    directory.load(f"[{cobot('1', until='2026/11/20')}]")
    planned = directory.load(f"[{cobot('1')}]", publish=True)
    assert only(planned).changes == ("a member again",)
    assert (directory["Zoé"].left_at, directory["Zoé"].audience) == (None, "me")
    assert directory.published() == {"Zoé": "withdrawal"}


# --- the way out


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_an_export_imports_again_to_nothing_changed(directory, name, kind):
    taken_in = directory.load(FIXTURES / name).counts["new"]
    written = getattr(directory, kind)
    again = directory.load(written)
    assert again.counts == {"new": 0, "changed": 0, "unchanged": taken_in, "refused": 0}


WHOLE = {
    **ZOE,
    "audience": "neighbours",
    "headline": "Contrats",
    "bio": "Un.\nDeux.",
    "locale": "fr",
    "languages": ["fr", "en"],
    "profession": "Avocate",
    "location": "Nantes",
    "interests": ["voile, en équipage"],
    "availability": "lundi",
    "translations": [
        {"lang": "en", "headline": "Contracts", "bio": "One.\nTwo."},
        {"lang": "de", "bio": "Eins."},
    ],
    "services": [
        {
            "id": "a",
            "category": "lawyer",
            "label": "Droit",
            "title": "Contrats, CGV",
            "description": "Vite.",
            "mode": "exchange",
            "rate": "90.00",
            "coworker_rate": "65.50",
            "currency": "CHF",
            "unit": "day",
            "valid_until": "2027-06-30",
            "remote": True,
            "languages": ["fr"],
        }
    ],
}


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_a_whole_member_comes_back_as_they_left(directory, kind):
    directory.load([WHOLE], publish=True)
    assert only(directory.load(getattr(directory, kind))).verdict is Verdict.UNCHANGED


def test_texts_in_further_languages_come_in_whatever_order_members_wrote_them_in(directory):
    other = {"name": "Ada", "email": "ada@example.org", "translations": [
        {"lang": "de", "headline": "Verträge"}, {"lang": "en", "bio": "=Two."},
    ]}  # fmt: skip
    directory.load([WHOLE, other])
    written = directory.csv
    assert "headline (en)" in written.splitlines()[0]
    assert directory.load(written).counts["unchanged"] == 2
    assert directory["Ada"].translations == other["translations"]


def test_an_export_founds_the_same_members_elsewhere(directory):
    directory.load([WHOLE], publish=True)
    written = directory.jsonl
    directory.session.delete(directory["Zoé"].account)
    directory.session.delete(directory["Zoé"])
    directory.session.commit()
    assert directory.load(written, publish=True).counts["new"] == 1
    assert directory.jsonl == written


def test_cells_that_a_spreadsheet_would_calculate_begin_with_an_apostrophe(directory):
    directory.load(FIXTURES / "members_formula_injection.csv")
    cells = directory.csv.splitlines()[1]
    assert cells.startswith(
        ""","'=HYPERLINK(""http://evil.example"",""clic"")",a@example.org,'-1+1,"""
    )
    assert "'+33 1" in cells
    assert "'@SUM(1)" in cells


def test_who_left_is_not_exported(directory):
    directory.load([ZOE])
    directory["Zoé"].left_at = directory.now
    directory.session.commit()
    assert directory.jsonl == ""


def test_the_journal_keeps_that_a_list_was_loaded(directory):
    directory.load([ZOE])
    entries = directory.session.scalars(select(JournalEntry)).all()
    assert [(one.code, one.actor, one.detail) for one in entries] == [
        ("members.imported", "command", "A list: 1 new, 0 changed, 0 unchanged, 0 refused.")
    ]


TWICE = {
    "name": "Zoé Masson",
    "locale": "fr",
    "headline": "Contrats",
    "translations": [{"lang": "en", "headline": "Contracts", "bio": "I read them."}],
    "services": [
        {
            "id": "lire",
            "title": "Relire un contrat",
            "translations": [{"lang": "en", "title": "Read a contract"}],
        }
    ],
    "audience": "neighbours",
}


def test_texts_in_further_languages_come_in_and_go_out_again(directory):
    directory.load([TWICE], publish=True)
    zoe = directory["Zoé Masson"]
    assert zoe.translations == TWICE["translations"]
    assert zoe.services[0].translations == TWICE["services"][0]["translations"]
    again = directory.load(directory.jsonl)
    assert only(again).verdict is Verdict.UNCHANGED


def test_a_list_leaves_alone_what_a_member_wrote_in_another_language(directory):
    directory.load([TWICE], publish=True)
    zoe = directory["Zoé Masson"]
    zoe.translations = [{"lang": "en", "headline": "Contracts, read twice"}]
    directory.session.commit()
    headline = {"lang": "en", "headline": "Law"}
    planned = directory.load([TWICE | {"translations": [headline]}], publish=True)
    assert "translations is kept as the member wrote it" in only(planned).remarks
    assert directory["Zoé Masson"].translations[0]["headline"] == "Contracts, read twice"
    silent = {key: value for key, value in TWICE.items() if key != "translations"}
    assert only(directory.load([silent])).verdict is Verdict.UNCHANGED
