"""Members presenting themselves: what is kept, what is refused, and what leaves the space."""

from __future__ import annotations

import html
import json
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from sqlalchemy import func, select

from app.database import db
from app.exchange.describing import preview
from app.models.account import Account
from app.models.feed import FeedEntry
from app.models.member import Member, Service
from app.models.peer import Peer
from app.models.space import Space
from app.search.index import check, rebuild
from app.web import forms, specialities
from app.web.profile_form import LABELS
from tests.neighbourhood import Neighbourhood
from tests.spaces import add_member, service

MAUD = "maud@legoff.example"
PARTIAL = {"HX-Request-Type": "partial"}


@pytest.fixture
def maud(space, browser, sign_in):
    """A designer with one service, signed in, whom nobody else can see yet."""
    member = add_member(
        "Maud Le Goff",
        email=MAUD,
        audience="me",
        headline="Logos for bakers",
        locale="en",
        languages=["fr", "br"],
        services=(service("Logo and label", "logo-design", ("65", "50")),),
    )
    db.session.commit()
    sign_in(browser, MAUD)
    return member


def filled(browser, **changes):
    """The form as the browser would send it, with ``changes``; ``None`` leaves a field out."""
    page = browser.get("/me").text
    form = page[page.index('id="profile"') : page.index("</form>", page.index('id="profile"'))]
    values = {"service": []}
    for tag in re.findall(r"<input[^>]*>", form):
        given = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if given.get("type") in ("radio", "checkbox") and " checked" not in tag:
            continue
        value = html.unescape(given.get("value", "on"))
        if given["name"] == "service":
            values["service"].append(value)
        else:
            values[given["name"]] = value
    for name, text in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>([^<]*)', form):
        values[name] = html.unescape(text)
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'value="([^"]*)" selected', options)
        values[name] = chosen[1] if chosen else ""
    values |= changes
    return {name: value for name, value in values.items() if value is not None}


def save(browser, **changes):
    return browser.post("/me", data=filled(browser, **changes))


def stored(member):
    db.session.expire_all()
    return db.session.get(Member, member.id)


def mistakes(answer):
    """Each field that is marked as wrong, and the sentence tied to it."""
    wrong = re.findall(r'id="([\w-]+)"[^>]*aria-invalid="true"', answer.text)
    return {
        name: html.unescape(
            re.search(rf'id="{name}-error">.*?<span>(.*?)</span>', answer.text, re.S)[1]
        )
        for name in wrong
    }


# --- what is refused, and kept --------------------------------------------------------


def test_visitors_are_sent_to_the_door_and_back(browser, space):
    assert browser.get("/me").location == "/sign-in?next=/me"
    assert browser.post("/me").location == "/sign-in"
    assert browser.post("/me/preview").location == "/sign-in"


def test_a_mistake_keeps_what_was_typed_and_says_beside_the_field_what_to_do(browser, maud):
    answer = save(browser, name=" ", headline="New headline", **{"service-0-coworker_rate": "70"})
    assert answer.status_code == 422
    assert mistakes(answer) == {
        "name": "Enter the name by which people here know you.",
        "service-0-coworker_rate": "This is not lower than your usual €65. "
        "Lower it, or leave it empty.",
    }
    assert 'id="errors"' in answer.text
    assert 'href="#service-0-coworker_rate"' in answer.text
    assert ">New headline</textarea>" in answer.text
    assert 'value="70"' in answer.text
    assert stored(maud).headline == "Logos for bakers"


@pytest.mark.parametrize(
    ("field", "typed", "says"),
    [
        ("headline", "x" * 161, "Shorten this by 1 character."),
        ("bio", "x" * 4010, "Shorten this by 10 characters."),
        ("languages", "French, Klingonesque", "We do not know Klingonesque."),
        ("interests", ", ".join(f"game {n}" for n in range(31)), "Keep the 30 that matter most."),
        ("locale", "xx-nowhere", "Choose the language of your texts."),
        ("service-0-title", "", "Say in a few words what people can ask you for."),
        ("service-0-rate", "a lot", "Enter a number such as 65 or 65,50."),
        ("service-0-rate", "-5", "Enter a number such as 65 or 65,50."),
        ("service-0-valid_until", "31/02/2027", "Enter a day such as 31/12/2027."),
        ("service-0-valid_until", "2020-01-01", "This day has passed"),
        ("service-0-mode", "exchange", None),
        ("service-0-unit", "quote", None),
        ("service-0-currency", "euro", "Choose a currency."),
        ("service-0-languages", "nope", "We do not know nope."),
    ],
)
def test_each_mistake_has_its_sentence(browser, maud, field, typed, says):
    answer = save(browser, **{field: typed})
    assert answer.status_code == 422
    found = mistakes(answer)
    if says is None:
        assert list(found) == ["service-0-rate"]
    else:
        assert found[field].startswith(says)
    assert stored(maud).updated_at == maud.updated_at
    assert stored(maud).services[0].rate == Decimal(65)


def test_an_audience_nobody_offered_becomes_the_smallest(browser, maud):
    save(browser, audience="neighbours")
    save(browser, audience="everybody")
    assert stored(maud).audience == "me"


def test_a_second_tab_that_saved_first_is_not_overwritten(browser, maud):
    old = filled(browser, headline="From the old tab")
    save(browser, headline="From the new tab")
    answer = browser.post("/me", data=old)
    assert answer.status_code == 409
    assert stored(maud).headline == "From the new tab"
    assert "<dd>From the new tab</dd>" in answer.text
    assert ">From the old tab</textarea>" in answer.text
    # Both were read; saving once more decides.
    seen = re.search(r'name="seen" value="([^"]+)"', answer.text)[1]
    assert browser.post("/me", data={**old, "seen": seen}).status_code == 303
    assert stored(maud).headline == "From the old tab"


def test_hostile_text_stays_text(browser, maud):
    save(browser, name="<script>alert(1)</script>", headline="a\u202eb\x00c", bio="<b>x</b>\r\ny")
    member = stored(maud)
    assert (member.headline, member.bio) == ("abc", "<b>x</b>\ny")
    assert "<script>alert" not in browser.get("/me").text


# --- saving ---------------------------------------------------------------------------


def test_saving_changes_everything_the_form_shows_and_nothing_else(browser, maud):
    ref = maud.services[0].ref
    # After the sign-in, whatever day it is: a cookie of tomorrow is believed by nobody.
    tomorrow = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    with time_machine.travel(tomorrow, tick=False):
        answer = save(
            browser,
            name="Maud Le  Goff-Riou",
            profession="Illustrator",
            headline="Signs for bakers",
            bio="First line\r\nsecond line",
            locale="fr",
            languages="breton, Anglais; Deutsch",
            interests="Running, linocut, running",
            availability="Mondays",
            location="Rezé",
            audience="space",
            **{
                "service-0-title": "Shop signs",
                "service-0-speciality": "Traductrice",
                "service-0-rate": "1 200,50 €",
                "service-0-coworker_rate": "999.5",
                "service-0-unit": "day",
                "service-0-currency": "CHF",
                "service-0-valid_until": "31/12/2027",
                "service-0-remote": "on",
                "service-0-languages": "French",
            },
        )
    assert answer.location == "/me"
    member = stored(maud)
    assert {
        name: getattr(member, name) for name in LABELS if name not in ("photo", "services", "apart")
    } == {
        "name": "Maud Le Goff-Riou",
        "profession": "Illustrator",
        "headline": "Signs for bakers",
        "bio": "First line\nsecond line",
        "locale": "fr",
        "languages": ["br", "en", "de"],
        "interests": ["Running", "linocut"],
        "availability": "Mondays",
        "location": "Rezé",
        "audience": "space",
    }
    assert member.updated_at == tomorrow
    [kept] = member.services
    assert (kept.ref, kept.title, kept.unit, kept.currency) == (ref, "Shop signs", "day", "CHF")
    assert (kept.rate, kept.coworker_rate) == (Decimal("1200.50"), Decimal("999.50"))
    assert (kept.valid_until, kept.remote, kept.languages) == (date(2027, 12, 31), True, ["fr"])


def test_what_cannot_be_signed_is_not_saved_either(browser, maud):
    """A code that came by import in no known shape is no reason to publish nonsense."""
    maud.services[0].speciality = "Not a code!"
    db.session.commit()
    answer = save(browser, audience="neighbours", headline="New")
    assert answer.status_code == 422
    assert mistakes(answer)["name"].startswith("This cannot be signed: ")
    assert "The card appears here when what you typed can be signed." in answer.text
    assert (stored(maud).audience, stored(maud).headline) == ("me", "Logos for bakers")
    # Another word for the speciality is the way out.
    assert save(browser, audience="neighbours", **{"service-0-speciality": "Signs"}).location


def test_a_word_of_the_space_keeps_its_own_look_beside_the_shared_code(browser, maud):
    db.session.get(Space, 1).labels = {"Dompteuse de tableurs": "spreadsheets"}
    db.session.commit()
    assert save(browser, **{"service-0-speciality": "dompteuse de tableurs"}).location
    [kept] = stored(maud).services
    assert (kept.speciality, kept.speciality_label) == ("spreadsheets", "dompteuse de tableurs")


def test_saving_the_form_untouched_changes_no_word(browser, maud):
    maud.services[0].speciality = "a-code-from-elsewhere"
    maud.languages = ["fr", "zh-Hant", "pt-BR"]
    db.session.commit()
    words = [name for name in LABELS if name not in ("photo", "services", "apart")]
    before = {name: getattr(maud, name) for name in words}
    save(browser)
    member = stored(maud)
    assert {name: getattr(member, name) for name in before} == before
    [kept] = member.services
    assert (kept.speciality, kept.speciality_label) == ("a-code-from-elsewhere", "")
    assert (kept.rate, kept.coworker_rate) == (Decimal(65), Decimal(50))


def test_an_account_without_a_profile_gets_one_when_it_first_saves(browser, space, sign_in):
    db.session.add(Account(email="new@x.example", role="member", created_at=datetime.now(UTC)))
    db.session.commit()
    sign_in(browser, "new@x.example")
    assert save(browser, name="Aïcha").location == "/me"
    account = db.session.scalars(select(Account).filter_by(email="new@x.example")).one()
    assert (account.member.name, account.member.audience) == ("Aïcha", "me")


# --- who sees it ----------------------------------------------------------------------


def feed():
    return db.session.scalars(select(FeedEntry)).all()


@pytest.mark.parametrize("audience", ["me", "space"])
def test_a_member_who_did_not_agree_is_never_published(browser, maud, audience):
    save(browser, audience=audience)
    assert feed() == []


def test_choosing_neighbours_is_a_dated_consent_and_signs_the_profile(browser, maud):
    assert stored(maud).consent_at is None
    answer = save(browser, audience="neighbours")
    assert answer.location == "/me"
    [entry] = feed()
    assert (entry.kind, entry.audience) == ("profile", "peers")
    assert stored(maud).consent_at is not None
    assert "Saved. The space has no neighbours yet" in browser.get("/me").text


def test_taking_it_back_withdraws_what_was_published(browser, maud):
    save(browser, audience="neighbours")
    save(browser, audience="space")
    [entry] = feed()
    assert entry.kind == "withdrawal"
    assert "told to delete their copy" in browser.get("/me").text


def test_who_is_told_is_counted(browser, maud):
    now = datetime.now(UTC)
    db.session.add(
        Peer(url="https://a.example", ours="approved", theirs="approved", created_at=now)
    )
    db.session.add(
        Peer(url="https://b.example", ours="suspended", theirs="approved", created_at=now)
    )
    db.session.commit()
    save(browser, audience="web")
    page = browser.get("/me").text
    assert "Saved. Our neighbour receives it within a minute." in page
    assert "and signed-in people in 1 other space<" in page


def test_what_is_saved_is_found_at_once(browser, maud):
    rebuild(db.session())
    db.session.commit()
    save(browser, audience="space", headline="Xylographie sur commande")
    assert check(db.session()) == []
    assert f'href="/m/{maud.ref}"' in browser.get("/search?q=xylographie").text


# --- the preview ----------------------------------------------------------------------


def test_the_preview_is_exactly_what_is_signed(browser, maud, space):
    typed = filled(browser, headline="Typed just now", audience="neighbours")
    answer = browser.post("/me/preview", data=typed, headers=PARTIAL)
    record = re.search(r"<pre[^>]*>(.*?)</pre>", answer.text, re.S)[1]
    shown = json.loads(html.unescape(record))
    browser.post("/me", data=typed)
    member = stored(maud)
    signed = preview(member, space.extensions["identity"], member.updated_at)
    for claims in (shown, signed):
        claims.pop("consent_at")
    assert shown == signed
    assert shown["headline"] == "Typed just now"
    assert MAUD not in record


@pytest.mark.parametrize(
    ("usual", "words", "said"),
    [("web", "neighbours", True), ("neighbours", "web", True), ("web", "", False),
     ("web", "space", False), ("neighbours", "", False), ("space", "neighbours", False)],
)  # fmt: skip
def test_before_saving_one_is_told_that_a_mixed_profile_is_in_no_public_list(
    browser, maud, usual, words, said
):
    typed = filled(browser, audience=usual, headline="Boats", **{"see-words": words})
    answer = browser.post("/me/preview", data=typed, headers=PARTIAL)
    assert ("neither in the public feed nor among plain files" in answer.text) is said


def test_the_preview_saves_nothing(browser, maud):
    browser.post("/me/preview", data=filled(browser, name="Somebody else", audience="web"))
    assert (stored(maud).name, stored(maud).audience, feed()) == ("Maud Le Goff", "me", [])
    assert db.session.scalar(select(func.count(Member.id))) == 1


def test_the_preview_leaves_out_what_cannot_be_read_and_says_so(browser, maud):
    typed = filled(browser, **{"service-0-rate": "much"})
    answer = browser.post("/me/preview", data=typed, headers=PARTIAL)
    assert answer.status_code == 200
    assert "Left out until it is fixed: Service 1, Usual rate" in answer.text
    assert "€50/h for coworkers" in answer.text
    assert "for everybody" not in answer.text


@pytest.mark.parametrize("block", ["preview"])
def test_the_part_is_the_same_as_in_the_whole_page(browser, maud, block):
    typed = filled(browser, headline="Typed just now")
    # What neighbours would receive says when it was agreed to: now.
    with time_machine.travel(datetime.now(UTC), tick=False):
        whole = browser.post("/me/preview", data=typed)
        part = browser.post("/me/preview", data=typed, headers=PARTIAL)
    assert whole.headers["Vary"] == part.headers["Vary"]
    assert without_nonce(part.text).strip() in without_nonce(whole.text)


# --- services, with buttons only --------------------------------------------------------


def titles(answer):
    return re.findall(r'id="service-\d-title" name="[^"]*" value="([^"]*)"', answer.text)


def press(browser, do, **changes):
    return browser.post("/me", data={**filled(browser, **changes), "do": do})


def test_a_service_is_added_without_saving_anything(browser, maud):
    answer = press(browser, "add-service", headline="Half typed")
    assert answer.status_code == 200
    assert titles(answer) == ["Logo and label", ""]
    assert ">Half typed</textarea>" in answer.text
    assert 'id="service-1-title"' in answer.text
    assert re.search(r'id="service-1-title"[^>]* autofocus', answer.text)
    assert len(stored(maud).services) == 1


def test_in_place_the_services_come_alone_with_the_preview_and_a_word(browser, maud):
    typed = {**filled(browser), "do": "add-service"}
    answer = browser.post("/me", data=typed, headers=PARTIAL)
    assert answer.text.lstrip().startswith('<h2 id="services-title"')
    assert 'data-announce="Service 2 added at the end."' in answer.text
    assert 'id="preview"' in answer.text
    assert 'data-hx-swap-oob="true"' in answer.text
    assert "<html" not in answer.text


def test_services_are_moved_removed_and_then_saved_in_that_order(browser, maud):
    for title in ("Signs", "Maps"):
        maud.services.append(Service(title=title, position=len(maud.services)))
    db.session.commit()
    before = {service.title: service.ref for service in maud.services}
    assert titles(press(browser, "lower-service-0")) == ["Signs", "Logo and label", "Maps"]
    assert titles(press(browser, "raise-service-2")) == ["Logo and label", "Maps", "Signs"]
    assert titles(press(browser, "remove-service-0")) == ["Signs", "Maps"]
    save(browser, service=["2", "1"])
    after = {service.title: service.ref for service in stored(maud).services}
    assert list(after) == ["Maps", "Signs"]
    assert after == {title: before[title] for title in after}


@pytest.mark.parametrize(
    "do",
    ["remove-service-99", "raise-service-0", "lower-service-0", "remove-service-x", "nonsense"],
)
def test_a_button_that_makes_no_sense_changes_nothing(browser, maud, do):
    answer = press(browser, do)
    assert (answer.status_code, titles(answer)) == (200, ["Logo and label"])


def test_there_are_never_more_services_than_a_profile_can_hold(browser, maud):
    many = {f"service-{n}-title": f"Service {n}" for n in range(25)}
    answer = press(browser, "add-service", service=[str(n) for n in range(25)], **many)
    assert len(re.findall(r'<fieldset class="stack service-form"', answer.text)) == 20
    assert "Add a service" not in answer.text


def test_enter_in_a_field_saves_instead_of_moving_services(browser, maud):
    page = browser.get("/me").text
    first = re.search(r"<button[^>]*>", page[page.index('id="profile"') :])[0]
    assert 'name="do" value="save"' in first


# --- words and numbers as people write them ---------------------------------------------


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("", None),
        ("65", "65.00"),
        ("65,50", "65.50"),
        ("65.5", "65.50"),
        ("1 200", "1200.00"),
        ("1\u202f200,50 €", "1200.50"),
        ("1.200,50", "1200.50"),
        ("1,200.50", "1200.50"),
        ("CHF 1'200", "1200.00"),
    ],
)
def test_amounts_are_read_in_french_and_in_english(space, typed, read):
    assert forms.amount(typed) == (Decimal(read) if read else None)


@pytest.mark.parametrize("typed", ["-3", "abc", "0", "1e5", "1.2.3", "65,505,2", "999999999", "٣"])
def test_what_is_no_amount_is_a_mistake(space, typed):
    with space.test_request_context(), pytest.raises(forms.Mistake):
        forms.amount(typed)


def test_a_word_of_the_shared_list_becomes_its_code_in_any_language(space):
    with space.test_request_context():
        assert specialities.meant("Lawyer") == ("lawyer", "")
        assert specialities.meant("rechtsanwältin/rechtsanwalt") == ("lawyer", "")
        assert specialities.meant("Keeper of the soup") == ("", "Keeper of the soup")
        assert specialities.meant("") == ("", "")


def without_nonce(page):
    return re.sub(r'nonce="[^"]*"', "", page)


# --- a withdrawal, and who confirmed it ------------------------------------------------


@pytest.fixture
def withdrawn(tmp_path, sign_in):
    """Claire of Nantes, signed in, who took her profile back from Lyon and Berlin."""
    town = Neighbourhood(tmp_path, "lyon", "nantes", "berlin")
    with town.at("nantes"):
        add_member("Claire Vasseur", email="claire@vasseur.example", audience="me")
    town.publish("nantes", "Claire Vasseur")
    town.befriend("lyon", "nantes")
    town.befriend("berlin", "nantes")
    town.claire = town.apps["nantes"].test_client()
    sign_in(town.claire, "claire@vasseur.example")
    yield town
    town.close()


def withdrawal(answer):
    block = answer.text[answer.text.index('id="withdrawal"') :]
    block = block[: block.index("</section>")] if "</section>" in block else ""
    return block, " ".join(re.sub(r"<[^>]+>", " ", block).split())


def test_a_profile_that_is_shown_has_no_receipts(withdrawn):
    page = withdrawn.claire.get("/me").text
    assert "Withdrawn" not in page
    assert "/me/withdrawal" not in page


def test_visitors_see_no_receipts(withdrawn):
    visitor = withdrawn.apps["nantes"].test_client()
    assert visitor.get("/me/withdrawal").location == "/sign-in?next=/me/withdrawal"


def test_a_member_sees_each_space_by_name_and_until_when_a_silent_copy_can_live(withdrawn):
    withdrawn.publish("nantes", "Claire Vasseur", audience="me")
    for name in ("nantes", "lyon", "nantes"):
        withdrawn.work_at(name)
    markup, told = withdrawal(withdrawn.claire.get("/me"))
    assert "Withdrawn: 1 of 2 spaces confirmed, the last at 09:00" in told
    assert "Lyon: confirmed by the recipient at 09:00" in told
    assert "Berlin has not answered yet; its copy expires on 31 May 2026 at the latest" in told
    assert 'data-hx-get="/me/withdrawal" data-hx-trigger="every 3s"' in markup
    assert "erased" not in told


def test_the_page_asks_less_often_when_a_space_is_silent_for_long(withdrawn):
    withdrawn.publish("nantes", "Claire Vasseur", audience="me")
    withdrawn.later(hours=1)
    assert 'data-hx-trigger="every 60s"' in withdrawal(withdrawn.claire.get("/me"))[0]


def test_when_all_have_confirmed_the_page_asks_no_more(withdrawn):
    withdrawn.publish("nantes", "Claire Vasseur", audience="me")
    withdrawn.work()
    markup, told = withdrawal(withdrawn.claire.get("/me"))
    assert "Withdrawn: 2 of 2 spaces confirmed, the last at 09:" in told
    assert "not answered" not in told
    assert "data-hx-get" not in markup


def test_the_refreshed_part_is_what_stands_in_the_page(withdrawn):
    withdrawn.publish("nantes", "Claire Vasseur", audience="me")
    part = withdrawn.claire.get("/me/withdrawal", headers=PARTIAL)
    whole = withdrawn.claire.get("/me/withdrawal")
    bare = [re.sub(r'nonce="[^"]+"', "", answer.text) for answer in (part, whole)]
    assert bare[0].strip() in bare[1]
    assert "Withdrawn: 0 of 2 spaces confirmed" in bare[0]
    assert 'id="profile"' in bare[1]
    assert 'id="profile"' not in bare[0]


def test_without_neighbours_nobody_had_a_copy(browser, maud):
    save(browser, audience="neighbours")
    save(browser, audience="me")
    assert "Withdrawn. No other space had a copy." in browser.get("/me").text
