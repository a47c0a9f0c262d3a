"""Admins and the spaces next door: knocking, comparing, deciding, and what is said of it."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event

from app.database import db
from app.exchange import peers, restoring, trial
from app.models.account import Account
from app.models.feed import FeedState, OwnCheckpoint
from app.models.journal import JournalEntry, note
from app.models.peer import Peer
from app.models.watch import LagSample, Trial
from app.web import lag_curve, neighbour_rows, peering_words, trials
from federation import signing
from federation.documents import Checkpoint
from federation.errors import CertificateError, ForbiddenAddressError, UnreachableError
from federation.transport import Answer
from tests.neighbourhood import Neighbourhood, url_of
from tests.spaces import add_member, sign_in

PARTIAL = {"HX-Request-Type": "partial"}


@pytest.fixture
def town(tmp_path):
    """Lyon and Nantes, strangers; Youenn runs Nantes, Lyon has one person to share."""
    town = Neighbourhood(tmp_path, "lyon", "nantes")
    with town.at("nantes"):
        add_member("Youenn", email="youenn@nantes.example", admin=True, audience="space")
        add_member("Maud", email="maud@nantes.example", audience="space")
    town.publish("lyon", "Claire Vasseur")
    yield town
    town.close()


@pytest.fixture
def youenn(town):
    """The browser of the admin of Nantes."""
    browser = town.apps["nantes"].test_client()
    sign_in(browser, "youenn@nantes.example")
    return browser


@pytest.fixture
def knocked(town):
    """Lyon has asked Nantes to be neighbours."""
    town.knock("lyon", "nantes", note="Bonjour, c'est Maïté.")
    town.work()
    return town


@pytest.fixture
def friends(town):
    """Lyon and Nantes are neighbours, and Nantes holds Claire's profile."""
    town.befriend("lyon", "nantes")
    assert town.held("nantes") == {"Claire Vasseur"}
    return town


def decide(browser, town, noun, about="lyon", headers=None, **given):
    ref, kid = town.peer("nantes", about, "ref", "root_kid")
    form = {"kid": kid, **given} if noun == "approval" else given
    return browser.post(f"/neighbours/{ref}/{noun}", data=form, headers=headers)


# --- who may come here ----------------------------------------------------------------


def routes(town):
    ref = "01HZZZZZZZZZZZZZZZZZZZZZZZ"
    rules = town.apps["nantes"].url_map.iter_rules()
    ours = [
        rule
        for rule in rules
        if rule.endpoint.split(".")[0] in ("neighbours", "trials", "journal", "setup")
    ]
    for rule in ours:
        for method in sorted(rule.methods & {"GET", "POST"}):
            yield method, rule.rule.replace("<ref>", ref).replace("<int:number>", "1")


def test_visitors_are_sent_to_the_door_and_members_are_refused(town):
    visitor = town.apps["nantes"].test_client()
    member = town.apps["nantes"].test_client()
    sign_in(member, "maud@nantes.example")
    found = list(routes(town))
    assert len(found) >= 14
    for method, path in found:
        assert visitor.open(path, method=method).location.startswith("/sign-in"), path
        assert member.open(path, method=method).status_code == 403, path


def test_a_space_we_never_heard_of_is_no_page(youenn):
    for noun in ("approval", "refusal", "suspension", "resumption", "ending", "block", "pull"):
        assert youenn.post(f"/neighbours/nobody/{noun}").status_code == 404


def test_only_admins_see_how_many_knock(knocked, youenn):
    member = knocked.apps["nantes"].test_client()
    sign_in(member, "maud@nantes.example")
    assert 'class="badge">1<' in youenn.get("/about").text
    assert 'class="badge"' not in member.get("/about").text


# --- somebody knocks ------------------------------------------------------------------


def test_a_request_shows_who_why_the_words_and_what_would_cross(knocked, youenn):
    knocked.publish("nantes", "Aïcha")
    page = html.unescape(youenn.get("/neighbours").text)
    with knocked.at("nantes") as session:
        words = peers.pair_code_of(knocked.peer_in(session, "lyon"), knocked.identity("nantes"))
    assert re.findall(r"<li>([a-z]+)</li>", page) == list(words)
    assert "1 space waits for your answer" in page
    assert "Bonjour, c'est Maïté." in page
    assert "https://lyon.example" in page
    assert "1 profile whose member chose “Neighbours”" in page
    assert "Approve Lyon" in page


def test_both_screens_show_the_same_six_words(knocked, youenn):
    with knocked.at("lyon"):
        add_member("Admin", email="a@lyon.example", admin=True)
    other = knocked.apps["lyon"].test_client()
    sign_in(other, "a@lyon.example")
    here, there = (
        re.findall(r"<li>([a-z]+)</li>", browser.get("/neighbours").text)
        for browser in (youenn, other)
    )
    assert here == there
    assert len(here) == 6


def test_nothing_is_approved_before_the_words_were_compared(knocked, youenn):
    answer = decide(youenn, knocked, "approval")
    assert answer.status_code == 422
    assert "Compare the words first, then tick this box." in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert knocked.stands("nantes", "lyon") == ("requested", "approved")


def test_a_key_that_changed_while_the_page_was_open_is_not_approved(knocked, youenn):
    answer = decide(youenn, knocked, "approval", compared="on", kid="another-key")
    assert answer.status_code == 409
    assert "Its key has changed meanwhile. Compare the new words." in answer.text
    assert knocked.stands("nantes", "lyon") == ("requested", "approved")


def test_without_javascript_the_admin_is_sent_back_to_the_page(knocked, youenn):
    answer = decide(youenn, knocked, "approval", compared="on")
    assert (answer.status_code, answer.location) == (303, "/neighbours")
    page = youenn.get("/neighbours").text
    assert "Lyon is approved." in page
    assert "1 neighbour<" in page
    knocked.work()
    assert knocked.held("nantes") == {"Claire Vasseur"}


def test_in_place_the_lists_come_back_with_a_word_for_everybody(knocked, youenn):
    answer = decide(youenn, knocked, "approval", headers=PARTIAL, compared="on")
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert 'data-announce="Lyon is approved."' in answer.text
    assert '<span id="knocking" data-hx-swap-oob="true"></span>' in answer.text
    assert "autofocus" in answer.text


def test_the_part_is_the_same_as_in_the_whole_page(knocked, youenn):
    whole, part = (youenn.get("/neighbours", headers=headers) for headers in ({}, PARTIAL))
    assert whole.headers["Vary"] == part.headers["Vary"]
    assert without_nonce(part.text).strip() in without_nonce(whole.text)


def test_declining_is_remembered_and_shares_nothing(knocked, youenn):
    assert decide(youenn, knocked, "refusal").status_code == 303
    knocked.work()
    assert knocked.stands("nantes", "lyon")[0] == "ended"
    assert knocked.held("nantes") == set()
    assert "You declined Lyon." in youenn.get("/neighbours").text
    assert 'class="badge"' not in youenn.get("/about").text


def test_an_admin_may_change_their_mind_about_a_space_that_still_asks(knocked, youenn):
    decide(youenn, knocked, "refusal")
    page = html.unescape(youenn.get("/neighbours").text)
    assert "They would still like to be neighbours" in page
    assert len(re.findall(r"<li>([a-z]+)</li>", page)) == 6
    assert decide(youenn, knocked, "approval", compared="on").status_code == 303
    knocked.work()
    assert knocked.held("nantes") == {"Claire Vasseur"}


def test_a_key_that_changed_and_was_not_read_yet_can_only_be_ended(friends, youenn):
    with friends.at("nantes") as session:
        friends.peer_in(session, "lyon").ours = "key_hold"
    page = youenn.get("/neighbours").text
    assert "Its key has changed without notice" in page
    assert "/approval" not in page
    # The words on the screen would be those of the old key.
    assert re.findall(r"<li>([a-z]+)</li>", page) == []
    assert decide(youenn, friends, "approval", compared="on").status_code == 409
    assert decide(youenn, friends, "ending").status_code == 303
    assert friends.held("nantes") == set()


@pytest.fixture
def rekeyed(friends):
    """Lyon lost its root key and has another one, which it had never announced."""
    friends.new_root_key("lyon")
    friends.later(days=8)
    friends.work_at("nantes")
    return friends


def test_a_new_key_is_confirmed_only_with_its_words(rekeyed, youenn):
    old, new = rekeyed.peer("nantes", "lyon", "root_kid", "kid_to_compare")
    page = html.unescape(youenn.get("/neighbours").text)
    with rekeyed.at("nantes") as session:
        words = peers.pair_code_of(rekeyed.peer_in(session, "lyon"), rekeyed.identity("nantes"))
    assert re.findall(r"<li>([a-z]+)</li>", page) == list(words)
    assert "Confirm the new key of Lyon" in page
    assert new == rekeyed.identity("lyon").root_kid != old
    assert decide(youenn, rekeyed, "approval", kid=new).status_code == 422
    assert decide(youenn, rekeyed, "approval", kid=old, compared="on").status_code == 409
    assert rekeyed.stands("nantes", "lyon")[0] == "key_hold"
    assert decide(youenn, rekeyed, "approval", kid=new, compared="on").status_code == 303
    assert rekeyed.peer("nantes", "lyon", "ours", "root_kid") == ("approved", new)


def test_the_door_of_a_held_space_can_be_looked_at_again(rekeyed, youenn):
    rekeyed.new_root_key("lyon")
    assert decide(youenn, rekeyed, "pull").status_code == 303
    rekeyed.work_at("nantes")
    offered = rekeyed.peer("nantes", "lyon", "kid_to_compare")
    assert offered == rekeyed.identity("lyon").root_kid


@pytest.mark.parametrize("headers", [{}, PARTIAL])
def test_a_decision_that_no_longer_makes_sense_is_refused_in_place(knocked, youenn, headers):
    decide(youenn, knocked, "refusal")
    for noun in ("resumption", "suspension", "refusal", "pull", "unblock", "deletions"):
        answer = decide(youenn, knocked, noun, headers=headers)
        assert answer.status_code == 409, noun
        assert 'data-state="down" tabindex="-1" autofocus' in answer.text
    assert knocked.stands("nantes", "lyon")[0] == "ended"


def test_approving_what_nobody_asked_for_is_refused(town, youenn):
    with town.at("nantes") as session:
        stranger = Peer(url=url_of("lyon"), name="Lyon", created_at=town.now, root_kid="k" * 43)
        session.add(stranger)
    answer = decide(youenn, town, "approval", compared="on")
    assert answer.status_code == 409
    assert town.stands("nantes", "lyon") == ("none", "none")


def test_the_text_of_a_stranger_is_text(town, youenn):
    with town.at("nantes") as session:
        session.add(
            Peer(
                url="https://x.example",
                name="<script>alert(1)</script>",
                city='"><img src=x>',
                ours="requested",
                theirs="approved",
                root_kid="k" * 43,
                their_note="<b>hello</b>",
                policy_url="https://x.example/rules",
                created_at=town.now,
            )
        )
    page = youenn.get("/neighbours").text
    assert "<script>alert" not in page
    assert "<img src=x>" not in page
    assert "&lt;b&gt;hello" in page


# --- neighbours -----------------------------------------------------------------------


def test_suspending_hides_at_once_and_resuming_brings_back_without_a_transfer(friends, youenn):
    page = html.unescape(youenn.get("/neighbours").text)
    assert "Its 1 profile disappears from this space at once." in page
    assert decide(youenn, friends, "suspension").status_code == 303
    assert friends.seen("nantes") == set()
    assert friends.held("nantes") == {"Claire Vasseur"}
    page = youenn.get("/neighbours").text
    assert "Suspended on 2 March 2026" in page
    assert "its copy is kept until 1 April 2026" in page
    assert decide(youenn, friends, "resumption").status_code == 303
    assert friends.seen("nantes") == {"Claire Vasseur"}


@pytest.mark.parametrize(("noun", "stands"), [("ending", "ended"), ("block", "blocked")])
def test_ending_and_blocking_delete_the_copy(friends, youenn, noun, stands):
    assert decide(youenn, friends, noun).status_code == 303
    assert friends.held("nantes") == set()
    assert friends.stands("nantes", "lyon")[0] == stands


def test_a_blocked_space_can_be_heard_again_but_is_no_neighbour(friends, youenn):
    decide(youenn, friends, "block")
    assert decide(youenn, friends, "unblock").status_code == 303
    assert friends.stands("nantes", "lyon")[0] == "ended"


def test_asking_now_makes_the_next_visit_due(friends, youenn):
    friends.publish("lyon", "Bastien")
    friends.cut("nantes")  # the notice of it is lost
    friends.work_at("lyon")
    friends.mend("nantes")
    assert decide(youenn, friends, "pull").status_code == 303
    friends.work_at("nantes")
    assert friends.held("nantes") == {"Claire Vasseur", "Bastien"}


def test_a_neighbour_that_does_not_answer_is_said_in_words(friends, youenn):
    assert "Healthy" in youenn.get("/neighbours").text
    friends.cut("lyon")
    friends.later(hours=2)
    friends.work_at("nantes")
    page = youenn.get("/neighbours").text
    assert "Late" in page
    assert "It does not answer. We go on trying." in page
    assert re.search(r"<dt>Next try</dt><dd><time datetime=\"[^\"]+\">in ", page)
    friends.later(hours=30)
    assert "No answer" in youenn.get("/neighbours").text


def test_many_deletions_at_once_wait_for_an_admin(friends, youenn):
    with friends.at("nantes") as session:
        friends.peer_in(session, "lyon").drop_waiting = 40
    page = youenn.get("/neighbours").text
    assert "It wants 40 profiles gone at once" in page
    assert decide(youenn, friends, "deletions").status_code == 303
    assert friends.peer("nantes", "lyon", "drop_accepted") is True


def test_how_fresh_a_copy_is_has_four_words():
    now = datetime(2026, 3, 2, tzinfo=UTC)
    fresh = {"drop_waiting": None, "failures": 0, "roots_agree": True}

    def said(**given):
        return peering_words.health(Peer(**{**fresh, **given}), now).state

    assert said(last_success_at=None) == ""
    assert said(last_success_at=None, failures=3) == "down"
    assert said(last_success_at=now - timedelta(minutes=70)) == "ok"
    assert said(last_success_at=now - timedelta(minutes=70), failures=1) == "late"
    assert said(last_success_at=now - timedelta(minutes=70), roots_agree=False) == "late"
    assert said(last_success_at=now - timedelta(hours=5)) == "late"
    assert said(last_success_at=now - timedelta(hours=25)) == "down"


# --- how the exchange goes ------------------------------------------------------------


def neighbours_page(browser):
    return html.unescape(browser.get("/neighbours").text)


def test_what_is_wrong_is_said_with_what_to_do(friends, youenn):
    for code, said, to_do in (
        ("unreachable", "It does not answer.", "call the people who run it"),
        ("bad-certificate", "its certificate is no good", "Tell the people who run it to renew it"),
        ("name-unknown", "Its name leads nowhere.", "Perhaps its domain has run out"),
        ("never-heard-of", "As the program said it.", ""),
    ):
        with friends.at("nantes") as session:
            peer = friends.peer_in(session, "lyon")
            peer.failures, peer.last_error = 3, code
            peer.last_error_text = "As the program said it."
        page = neighbours_page(youenn)
        assert said in page
        assert to_do in page


def contradicted(town, root):
    """Let Lyon sign another state under the position that Nantes has seen."""
    with town.at("lyon") as session:
        epoch = session.get(FeedState, 1).epoch
        last = session.scalars(db.select(OwnCheckpoint).filter_by(view="peers", epoch=epoch)).all()[
            -1
        ]
        told = signing.unverified_claims(last.jws, Checkpoint.typ) | {"root": root}
        key = town.identity("lyon").operational_key
        last.jws = signing.sign(told, key, Checkpoint.typ)


def test_two_lists_under_one_number_are_shown_with_the_evidence_to_download(friends, youenn):
    before = friends.peer("nantes", "lyon", "their_checkpoint")
    contradicted(friends, "ab" * 32)
    with friends.at("lyon") as session:
        after = session.scalars(db.select(OwnCheckpoint).filter_by(view="peers")).all()[-1].jws
    for _ in range(3):
        friends.later(hours=2)
        with friends.at("nantes") as session:
            # Whoever contradicts itself need not say that it said so before.
            friends.peer_in(session, "lyon").feed_etag = ""
        friends.work_at("nantes")
    assert friends.journal("nantes", "refusal") == ["fork"]
    page = neighbours_page(youenn)
    assert "Contradicts itself" in page
    assert "It signed two different lists under one number." in page
    assert "Our copy has not been confirmed since 2 Mar 2026" not in page
    assert "Our copy has not been confirmed since" in page
    ref = friends.peer("nantes", "lyon", "ref")
    assert f"/journal?neighbour={ref}" in page
    lines = html.unescape(youenn.get(f"/journal?neighbour={ref}").text)
    (address,) = re.findall(r'href="(/journal/\d+/evidence)"', lines)
    evidence = youenn.get(address)
    assert evidence.text.split("\n") == [after, before]
    assert evidence.headers["Content-Disposition"].startswith("attachment")
    assert evidence.content_type == "text/plain; charset=utf-8"


def test_a_neighbour_that_only_ever_says_nothing_changed_is_frozen(friends, youenn):
    def nothing_changed(method, path):
        return Answer(304, {}, b"") if "/feed" in path else None

    friends.later(hours=2)
    friends.work_at("nantes")
    friends.network.instead["lyon"] = nothing_changed
    # Only the machine that answers for Lyon stands still; its plate is read again as before.
    for _ in range(9):
        friends.later(days=1)
        friends.work_at("nantes")
    page = neighbours_page(youenn)
    assert "Nothing newer than a week can be had from it" in page
    assert "Ask them whether their worker runs." in page
    assert friends.journal("nantes", "refusal") == ["frozen"]
    del friends.network.instead["lyon"]
    friends.later(hours=2)
    friends.work()
    assert "Our copy is exactly its list" in neighbours_page(youenn)
    assert friends.peer("nantes", "lyon", "unconfirmed_since") is None


def test_a_list_that_leaves_somebody_out_is_said_to_differ(friends, youenn):
    with friends.at("nantes") as session:
        peer = friends.peer_in(session, "lyon")
        peer.roots_agree, peer.unconfirmed_since = False, friends.now
    page = neighbours_page(youenn)
    assert "Copy differs" in page
    assert "Our copy is not the list that it signed" in page
    assert "/journal?neighbour=" in page


def test_evidence_that_nobody_kept_is_no_page(friends, youenn):
    with friends.at("nantes") as session:
        line = session.scalars(db.select(JournalEntry)).first()
        assert not line.evidence
        number = line.id
    assert youenn.get(f"/journal/{number}/evidence").status_code == 404
    assert youenn.get("/journal/999999/evidence").status_code == 404
    assert youenn.get("/journal?neighbour=nobody").status_code == 404


def test_how_far_behind_a_copy_was_is_sampled_hourly_and_kept_for_a_day(friends, youenn):
    assert "Never more than 1 minute behind over 24 hours; now 1 minute." in neighbours_page(youenn)
    for _ in range(30):
        friends.later(hours=1)
        friends.work()
    with friends.at("nantes") as session:
        assert 22 <= len(session.scalars(db.select(LagSample)).all()) <= 25
    friends.cut("lyon")
    for _ in range(5):
        friends.later(hours=1)
        friends.work_at("nantes")
    page = neighbours_page(youenn)
    assert re.search(r"Up to \d hours behind over 24 hours, at \d\d:\d\d; now \d hours\.", page)
    assert page.count("<polyline") == 1


def test_a_night_without_a_worker_is_a_hole_in_the_curve():
    now = datetime(2026, 3, 2, 12, tzinfo=UTC)
    hours = [20, 19, 18, 3, 2, 1]
    samples = [(now - timedelta(hours=hour), timedelta(minutes=hour)) for hour in hours]
    assert len(lag_curve._runs([*samples, (now, timedelta())])) == 2


@pytest.fixture
def crowd(friends, monkeypatch):
    """Nantes has five neighbours, two of them on a page; Zürich is the one that needs an admin."""
    monkeypatch.setattr(neighbour_rows, "ON_A_PAGE", 2)
    kept = ("root_kid", "their_kid_seen", "theirs", "ours", "our_n", "their_n", "last_success_at")
    with friends.at("nantes") as session:
        lyon = friends.peer_in(session, "lyon")
        for name in ("Atelier", "Brise", "Comptoir", "Zürich"):
            where = {"city": "Metz", "country": "FR", "created_at": friends.now}
            peer = Peer(url=f"https://{name.encode().hex()}.example", name=name, **where)
            for field in kept:
                setattr(peer, field, getattr(lyon, field))
            if name == "Zürich":
                peer.failures, peer.last_error = 3, "unreachable"
            session.add(peer)
        session.commit()
    return friends


def shown_on(browser, address, **options):
    page = browser.get(address, **options).get_data(as_text=True)
    rows = re.findall(r'<li class="peer".*?</h3>', page, re.DOTALL)
    names = ("Atelier", "Brise", "Comptoir", "Lyon", "Zürich")
    return [next(name for name in names if name in html.unescape(row)) for row in rows]


def test_a_thousand_neighbours_come_a_page_at_a_time_those_that_need_an_admin_first(crowd, youenn):
    pages = [shown_on(youenn, f"/neighbours?page={number}") for number in (1, 2, 3)]
    assert pages[0][0] == "Zürich"
    assert [len(page) for page in pages] == [2, 2, 1]
    assert {name for page in pages for name in page} == {
        "Atelier", "Brise", "Comptoir", "Lyon", "Zürich"
    }  # fmt: skip
    assert shown_on(youenn, "/neighbours") == pages[0]
    first = neighbours_page(youenn)
    assert "5 neighbours" in first
    assert 'href="/neighbours?page=2"' in first


@pytest.mark.parametrize("number", ["0", "-1", "x", "٣", "9" * 40])
def test_a_page_that_cannot_be_is_the_first(crowd, youenn, number):
    assert shown_on(youenn, f"/neighbours?page={number}")[0] == "Zürich"


def test_a_page_behind_the_last_is_the_last(crowd, youenn):
    assert shown_on(youenn, "/neighbours?page=99") == shown_on(youenn, "/neighbours?page=3")


def test_a_neighbour_is_found_by_name_however_it_is_accented(crowd, youenn):
    assert shown_on(youenn, "/neighbours?q=zurich") == ["Zürich"]
    assert shown_on(youenn, "/neighbours?q=metz+COMP") == ["Comptoir"]
    page = youenn.get("/neighbours?q=metz").get_data(as_text=True)
    assert 'href="/neighbours?q=metz&amp;page=2"' in page
    assert 'value="metz"' in page


def test_whoever_is_looked_for_and_unknown_leads_back_to_all(crowd, youenn):
    page = youenn.get("/neighbours?q=nowhere").get_data(as_text=True)
    assert "No neighbour is called that" in page
    assert "Show all neighbours" in page


def test_who_waits_for_an_answer_is_shown_whatever_is_looked_for(knocked, youenn):
    page = youenn.get("/neighbours?q=nowhere").get_data(as_text=True)
    assert "1 space waits for your answer" in page


def asked_of_the_database(town, browser, address):
    """How many statements answer a page."""
    said = []
    with town.at("nantes") as session:
        engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", lambda *given: said.append(given[2]))
    assert browser.get(address).status_code == 200
    return len(said)


def test_three_hundred_neighbours_ask_no_more_of_the_database_than_one(friends, youenn):
    youenn.get("/neighbours")
    of_one = asked_of_the_database(friends, youenn, "/neighbours")
    kept = ("root_kid", "their_kid_seen", "theirs", "our_n", "their_n", "last_success_at")
    ours = ("approved", "approved", "approved", "suspended", "ended", "blocked")
    with friends.at("nantes") as session:
        lyon = friends.peer_in(session, "lyon")
        for number in range(299):
            peer = Peer(url=f"https://n{number}.example", name=f"N{number}", ours=ours[number % 6],
                        city="Metz", country="FR", created_at=friends.now)  # fmt: skip
            for field in kept:
                setattr(peer, field, getattr(lyon, field))
            peer.theirs = "approved" if peer.ours in ("approved", "suspended") else "ended"
            if number % 4 == 0:
                peer.failures, peer.last_error = 3, ("unreachable", "fork")[number % 8 // 4]
            session.add(peer)
            session.flush()
            session.add(LagSample(peer_id=peer.id, at=friends.now, seconds=number))
            session.add(Trial(peer_id=peer.id, asked_at=friends.now))
        session.commit()
    assert len(re.findall('<li class="peer"', neighbours_page(youenn))) >= 50
    assert asked_of_the_database(friends, youenn, "/neighbours") <= of_one


def test_deciding_in_place_stays_on_the_page_where_it_was_decided(crowd, youenn):
    headers = {**PARTIAL, "HX-Current-URL": "http://localhost/neighbours?q=lyon"}
    with crowd.at("nantes"):
        here = crowd.apps["nantes"].config["SERVER_NAME"] or "localhost"
    headers["HX-Current-URL"] = headers["HX-Current-URL"].replace("localhost", here)
    answer = decide(youenn, crowd, "pull", headers=headers).get_data(as_text=True)
    assert answer.count('<li class="peer"') == 1
    assert 'value="lyon"' in answer


def test_words_are_made_only_for_whom_the_page_shows_them(friends, youenn, monkeypatch):
    asked = []
    monkeypatch.setattr(
        neighbour_rows.peers, "pair_code_of", lambda peer, _: asked.append(peer.url) or ()
    )
    youenn.get("/neighbours")
    assert asked == []


def test_of_many_at_the_door_the_words_come_when_they_are_asked_for(knocked, youenn, monkeypatch):
    monkeypatch.setattr(neighbour_rows, "WORDS_AT_ONCE", 1)
    with knocked.at("nantes") as session:
        lyon = knocked.peer_in(session, "lyon")
        other = Peer(url="https://metz.example", name="Metz", city="Metz", country="FR",
                     ours="requested", theirs="approved", root_kid=lyon.root_kid,
                     created_at=knocked.now)  # fmt: skip
        session.add(other)
        session.commit()
        refs = {"Lyon": lyon.ref, "Metz": other.ref}
    for first, later in (("Lyon", "Metz"), ("Metz", "Lyon")):
        page = html.unescape(youenn.get(f"/neighbours?compare={refs[first]}").text)
        assert len(re.findall(r"<li>([a-z]+)</li>", page)) == 6
        assert f"I compared the words with someone at {first}" in page
        # Nobody says yes to words that they have not seen.
        assert f"someone at {later}" not in page
        assert f'href="/neighbours?compare={refs[later]}#peer-{refs[later]}"' in page
        assert f"Show the six words to compare with {later}" in page
        unticked = youenn.post(f"/neighbours/{refs[later]}/approval")
        assert f"I compared the words with someone at {later}" in unticked.text


def test_a_new_root_key_that_they_have_not_confirmed_is_said_with_the_words(friends, youenn):
    friends.new_root_key("nantes")
    page = neighbours_page(youenn)
    assert "They said yes to a former root key of yours." in page
    assert len(re.findall(r"<li>([a-z]+)</li>", page)) == 6
    assert "No neighbour at the moment" in page


# --- testing a neighbour --------------------------------------------------------------


def test_a_space_that_nobody_here_said_yes_to_is_not_tested(knocked, youenn):
    ref = knocked.peer("nantes", "lyon", "ref")
    assert youenn.post(f"/neighbours/{ref}/trial").status_code == 409
    assert youenn.post("/neighbours/nobody/trial").status_code == 404
    assert youenn.get("/neighbours/nobody/trial").status_code == 404
    with knocked.at("nantes") as session:
        assert session.scalars(db.select(Trial)).all() == []


def test_nobody_pesters_a_neighbour_with_tests(friends, youenn):
    friends.apps["nantes"].config["RATELIMIT_ENABLED"] = True
    ref = friends.peer("nantes", "lyon", "ref")
    answers = [youenn.post(f"/neighbours/{ref}/trial").status_code for _ in range(21)]
    assert answers == [303] * 20 + [429]


def test_a_page_asks_the_network_nothing_and_shows_what_the_worker_found(friends, youenn):
    ref = friends.peer("nantes", "lyon", "ref")
    assert "was not tested lately" in youenn.get(f"/neighbours/{ref}/trial").text
    del friends.network.requests[:]
    answer = youenn.post(f"/neighbours/{ref}/trial")
    assert (answer.status_code, answer.location) == (303, f"/neighbours/{ref}/trial")
    waiting = youenn.get(answer.location).text
    assert "The test is under way." in waiting
    assert f'href="/neighbours/{ref}/trial"' in waiting
    assert friends.network.requests == []
    friends.work_at("nantes")
    page = html.unescape(youenn.get(answer.location).text)
    assert "Lyon passed the test." in page
    assert page.count("Passed:") == 11
    assert "hx-get" not in page


def test_the_report_says_which_step_fails_and_what_to_do(friends, youenn):
    ref = friends.peer("nantes", "lyon", "ref")
    friends.network.instead["lyon"] = lambda method, path: CertificateError("another name")
    youenn.post(f"/neighbours/{ref}/trial")
    friends.work_at("nantes")
    page = html.unescape(youenn.get(f"/neighbours/{ref}/trial").text)
    assert "Lyon fails at: it answers, with a good certificate." in page
    assert "Tell the people who run it to renew it." in page
    assert page.count("Not tried, because it needs an earlier step.") == 8


def test_in_place_the_report_looks_again_until_it_is_there(friends, youenn):
    ref = friends.peer("nantes", "lyon", "ref")
    answer = youenn.post(f"/neighbours/{ref}/trial", headers=PARTIAL)
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert f'data-hx-get="/neighbours/{ref}/trial" data-hx-trigger="every 1s"' in answer.text
    friends.later(seconds=31)
    late = youenn.get(f"/neighbours/{ref}/trial", headers=PARTIAL).text
    assert "Does the worker of this space run?" in late
    friends.work_at("nantes")
    done = youenn.get(f"/neighbours/{ref}/trial", headers=PARTIAL).text
    assert 'data-announce="Lyon passed the test."' in done
    assert "hx-get" not in done


def test_every_step_and_every_reason_has_words():
    assert set(trials._names()) == set(trial.STEPS)


# --- knocking ourselves ---------------------------------------------------------------


def knock(browser, address, note=""):
    return browser.post("/neighbours", data={"address": address, "note": note})


def test_knocking_asks_them_and_shows_the_words(town, youenn):
    answer = knock(youenn, " https://lyon.example/ ", "Hello from Nantes")
    assert answer.location == "/neighbours"
    page = youenn.get("/neighbours").text
    assert "You knocked at Lyon." in page
    assert "You said yes, they have not yet" in page
    assert len(re.findall(r"<li>([a-z]+)</li>", page)) == 6
    town.work()
    assert town.stands("lyon", "nantes") == ("requested", "approved")
    assert town.peer("lyon", "nantes", "their_note") == "Hello from Nantes"


def not_a_space(method, path):
    return ForbiddenAddressError("10.0.0.7 is not a public address")


def slow(method, path):
    return UnreachableError("no complete answer within 10 s")


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("", "That is not the address of a space."),
        ("lyon", "That is not the address of a space."),
        ("https://user:pw@lyon.example", "That is not the address of a space."),
        ("http://lyon.example", "Neighbours are reached over https only"),
        ("https://nantes.example", "That is your own address."),
        ("https://nobody.example", "Nobody answers at that address."),
        ("https://private.example", "That address leads into a private network"),
        ("https://slow.example", "Nobody answered in time."),
    ],
)
def test_a_knock_that_cannot_be_is_explained_beside_the_address(town, youenn, address, says):
    town.network.instead = {"private": not_a_space, "slow": slow}
    answer = knock(youenn, address, "Hello")
    page = html.unescape(answer.text)
    assert answer.status_code == 422
    beside = re.search(r'id="address-error">.*?<span>(.*?)</span>', page, re.S)[1]
    assert beside.startswith(says)
    assert f'value="{address}"' in page
    assert ">Hello</textarea>" in page
    with town.at("nantes") as session:
        assert session.scalars(db.select(Peer)).all() == []


def test_knocking_at_who_already_knocked_leads_to_the_request(knocked, youenn):
    answer = knock(youenn, "https://lyon.example")
    assert answer.status_code == 422
    assert "answer their request on this page" in answer.text


def test_nobody_scans_the_network_by_knocking(town, youenn):
    town.apps["nantes"].config["RATELIMIT_ENABLED"] = True
    answers = [knock(youenn, "https://nobody.example").status_code for _ in range(31)]
    assert answers == [422] * 30 + [429]


# --- the journal ----------------------------------------------------------------------


def test_the_journal_names_who_decided_and_keeps_what_was_refused(knocked, youenn):
    decide(youenn, knocked, "refusal")
    with knocked.at("nantes") as session:
        note(
            session,
            knocked.now,
            "refusal",
            "foreign-subject",
            actor="worker",
            peer=knocked.peer_in(session, "lyon"),
            subject="https://elsewhere.example/m/1",
            detail="not under https://lyon.example",
            evidence="eyJ<script>",
        )
        note(session, knocked.now, "event", "something-new", actor="command")
    page = html.unescape(youenn.get("/journal").text)
    for said in (
        "Declined",
        "by Youenn",
        "A profile of somebody who is not theirs",
        "not under https://lyon.example",
        "https://elsewhere.example/m/1",
        "something-new",
        "by a command on the server",
    ):
        assert said in page
    assert "eyJ&lt;script&gt;" in youenn.get("/journal").text


def test_the_journal_shows_the_newest_hundred_lines(town, youenn):
    with town.at("nantes") as session:
        for number in range(101):
            moment = town.now + timedelta(minutes=number)
            note(session, moment, "event", "peer.key-rolled", detail=f"line {number}.")
    page = youenn.get("/journal").text
    assert page.count('<li class="stack is-tight">') == 100
    assert "line 100." in page
    assert "line 0." not in page


def test_who_decided_stays_unnamed_when_the_account_is_gone(town, youenn):
    with town.at("nantes") as session:
        gone = Account(email="gone@x.example", role="admin", created_at=town.now)
        session.add(gone)
        session.flush()
        note(session, town.now, "decision", "peer.ended", actor=gone.ref)
        session.delete(gone)
    assert "by an account that is gone" in youenn.get("/journal").text


def test_what_no_person_decided_is_put_down_to_no_account(town, youenn):
    with town.at("nantes") as session:
        for machine in ("wire", "worker"):
            note(session, town.now, "refusal", "key-unknown", actor=machine, detail="a letter")
    page = youenn.get("/journal").text
    assert page.count("a letter") == 2
    assert "by an account that is gone" not in page


def without_nonce(page):
    return re.sub(r'nonce="[^"]*"', "", page)


# --- after a return from a backup ---------------------------------------------------------


def test_a_neighbour_that_has_not_told_what_it_holds_of_us_is_named(friends, youenn):
    said = "It has not told yet what it holds of our members."
    assert said not in youenn.get("/neighbours").text
    with friends.at("nantes") as session:
        restoring.begin_again(session, friends.now)
    assert said in youenn.get("/neighbours").text
    friends.work()
    assert said not in youenn.get("/neighbours").text
    assert "They told what they hold of our members" in youenn.get("/journal").text
