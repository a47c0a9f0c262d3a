"""What every page owes everybody, whoever they are and whatever they hold in their hands.

The pages are those of the routes: one that is neither opened here nor said to be no page fails.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from itsdangerous import URLSafeSerializer
from sqlalchemy import select

from app.demo.town import sign_in_link
from app.factory import folder
from app.models.account import Account, account_of
from app.models.member import Member
from app.models.still_true import StillTrue
from tests.browser.conftest import PHONE, WIDE, Person
from tests.browser.markup import faults

#: Who opens a page; all but the visitor are accounts of the town's Lyon. Somebody who asked for a
#: letter has a cookie that says so; to somebody else the door is shut.
VISITOR, MEMBER, ADMIN, ASKING, SHUT_OUT = "visitor", "member", "admin", "asking", "shut out"

#: Role, endpoint, and the address where it has no parameters (with its question, if any); what
#: stands in words is looked for in :func:`addresses`.
PAGES = [
    (VISITOR, "directory.show", "/"),
    (VISITOR, "search.show", "/search?q=designer&scope=everywhere"),
    (VISITOR, "sign_in.show", "/sign-in"),
    (ASKING, "sign_in.sent", "/sign-in/sent"),
    (VISITOR, "sign_in.open", "a link in a letter"),
    (VISITOR, "sign_in.open", "/sign-in/a-link-that-opens-nothing"),
    (VISITOR, "sign_in.open", "a link for somebody shut out"),
    (VISITOR, "about.show", "/about"),
    (VISITOR, "", "/no-such-door"),
    (VISITOR, "still_true.show", "is it still true"),
    (VISITOR, "still_true.show", "/still-true/nothing"),
    (VISITOR, "letters.show", "no more letters"),
    (VISITOR, "my_data.show_farewell", "a farewell"),
    (SHUT_OUT, "my_data.show", "/me/data"),
    (SHUT_OUT, "my_data.show_deletion", "/me/deletion"),
    (MEMBER, "directory.show", "/"),
    (MEMBER, "search.show", "/search"),
    (MEMBER, "search.show", "/search?q=avocat&scope=everywhere"),
    (MEMBER, "search.show", "/search?q=xylophoniste+quantique&scope=here"),
    (MEMBER, "profile.show", "local profile"),
    (MEMBER, "profile.show_mirrored", "mirrored profile"),
    (VISITOR, "profile.show_mirrored", "mirrored profile"),
    (MEMBER, "introductions.new", "a question to a colleague"),
    (MEMBER, "introductions.new_across", "a request for a quote"),
    (MEMBER, "reporting.new", "a word about a colleague"),
    (MEMBER, "reporting.new_across", "a word about a profile"),
    (MEMBER, "my_profile.edit", "/me"),
    (MEMBER, "my_texts.index", "/me/texts"),
    (MEMBER, "my_texts.edit", "/me/texts/de"),
    (MEMBER, "first_steps.edit", "/me/first"),
    (MEMBER, "view_as.show", "/me/as/visitor"),
    (MEMBER, "view_as.show", "/me/as/member"),
    (MEMBER, "view_as.show", "/me/as/neighbour"),
    (MEMBER, "view_as.show", "/me/as/space"),
    (MEMBER, "sign_ins.show", "/me/sign-ins"),
    (MEMBER, "my_data.show", "/me/data"),
    (MEMBER, "my_data.show_deletion", "/me/deletion"),
    (MEMBER, "doors.edit", "/me/doors"),
    (MEMBER, "silences.show", "/me/silences"),
    (MEMBER, "introductions.index", "/introductions"),
    (MEMBER, "introductions.show", "a conversation"),
    (MEMBER, "introductions.show", "a request"),
    (MEMBER, "quoting.new", "a quote"),
    (MEMBER, "passing.new", "passing it on"),
    (MEMBER, "reporting.new_about_conversation", "a word about a conversation"),
    (MEMBER, "", "/neighbours"),
    (ADMIN, "neighbours.show", "/neighbours"),
    (ADMIN, "setup.show", "/setup"),
    (ADMIN, "journal.show", "/journal"),
    (ADMIN, "membership.show", "/members"),
    (ADMIN, "invitations.show_all", "/members/invitations"),
    (ADMIN, "reports.index", "/reports"),
    (ADMIN, "reports.show", "a report"),
    (ADMIN, "trials.show", "a neighbour's test"),
]
NAMES = [f"{role} {address}" for role, _endpoint, address in PAGES]

#: What answers a GET and is no page of this town, and why.
NO_PAGES = {
    "for programs": {
        "search_api.show", "plate.show", "feed.show", "feed.show_checkpoint", "feed.show_index",
        "held.show", "health.alive", "health.ready", "passkeys.show_question",
        "passkeys.show_new_question",
    },
    "a file or a picture": {
        "assets.show", "photo.show", "photos.show", "photos.show_mirrored", "record.show",
        "my_data.show_archive", "journal.show_evidence",
    },
    "a part of a page": {"suggestions.show", "my_profile.show_withdrawal"},
    "opened by test_passkeys.py, in a space that has a name": {"passkeys.show_new"},
    "opened by test_providers.py, in a space that has a provider": {"providers.come_back"},
}  # fmt: skip

#: WCAG 2.2, levels A and AA.
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
#: Those about colours, which are all that differs in the dark.
COLOURS = {
    "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
    "resultTypes": ["violations"],
}


def test_every_route_that_shows_a_page_is_opened_here(space):
    shown = {rule.endpoint for rule in space.url_map.iter_rules() if "GET" in rule.methods}
    opened = {endpoint for _role, endpoint, _address in PAGES if endpoint}
    left_out = set().union(*NO_PAGES.values())
    assert opened | left_out == shown
    assert opened & left_out == set()


def test_every_address_leads_to_the_page_that_it_is_said_to(space, addresses):
    door = space.url_map.bind("localhost")
    for _role, endpoint, address in PAGES:
        path = urlsplit(addresses.get(address, address)).path
        assert not endpoint or door.match(path)[0] == endpoint, address


def test_nothing_but_colours_is_other_in_the_dark():
    written = [
        path
        for each in ("templates", "static")
        for path in folder(each).rglob("*")
        if path.suffix in (".html", ".css", ".js", ".svg") and "vendor" not in path.parts
    ]
    asking = re.compile("prefers-color-scheme|matchMedia")
    assert [path.name for path in written if asking.search(path.read_text())] == []
    assert len(written) > 50


@pytest.fixture(scope="module")
def outsider(running_town):
    """Somebody of Lyon to whom the door was shut, by their address."""
    with running_town.lyon.session() as session:
        named = (running_town.lyon.admin, running_town.lyon.member)
        chosen = session.scalars(
            select(Account).where(Account.email.not_in(named)).order_by(Account.id.desc())
        ).first()
        chosen.banned_at = datetime.now(UTC)
        email = chosen.email
        session.commit()
    return email


@pytest.fixture(scope="module")
def keys(running_town, chromium_browser, outsider):
    """The cookies of each role: everybody comes in once, not once per page."""
    lyon = running_town.lyon
    found = {}
    for role, email in ((MEMBER, lyon.member), (ADMIN, lyon.admin), (SHUT_OUT, outsider)):
        context = chromium_browser.new_context()
        Person(context, lyon).come_in_as(email)
        found[role] = context.storage_state()
        context.close()
    context = chromium_browser.new_context(locale="en-GB")
    asking = Person(context, lyon)
    asking.go("/sign-in")
    asking.page.get_by_label("Your e-mail").fill("somebody@nowhere.example")
    asking.page.get_by_role("button", name="Send me the link").click()
    asking.page.wait_for_url("**/sign-in/sent")
    found[ASKING] = context.storage_state()
    context.close()
    return found


@pytest.fixture(scope="module")
def addresses(running_town, chromium_browser, keys, outsider):
    """Where pages live whose addresses nobody knows by heart, found as a person would."""
    lyon = running_town.lyon
    context = chromium_browser.new_context(viewport=WIDE, storage_state=keys[MEMBER])
    somebody = Person(context, lyon)
    found = {}
    for kind, scope, words in (
        ("local profile", "here", "Inès Morel"),
        ("mirrored profile", "everywhere", "Claire Vasseur"),
        ("somebody to ask", "everywhere", "Thomas Guérin"),
        ("oneself", "here", "Bastien Rey"),
    ):
        somebody.go(f"/search?q={words}&scope={scope}")
        found[kind] = somebody.page.locator("#results h3 a").first.get_attribute("href")
    found["a question to a colleague"] = found["local profile"] + "/ask"
    found["a request for a quote"] = found["mirrored profile"] + "/ask?kind=quote"
    found["a word about a colleague"] = found["local profile"] + "/report"
    found["a word about a profile"] = found["mirrored profile"] + "/report"
    somebody.go(found["somebody to ask"])
    found["a conversation"] = _ask(somebody, "Thomas", "Would you read our lease?")
    somebody.go(found["a word about a profile"])
    somebody.page.locator("main textarea").first.fill("This is somebody else.")
    somebody.page.locator("main form button").last.click()
    somebody.page.wait_for_url(lambda url: not url.endswith("/report"))
    context.close()
    context = chromium_browser.new_context(viewport=WIDE, storage_state=keys[ADMIN])
    admin = Person(context, lyon)
    admin.go(found["oneself"])
    _ask(admin, "Bastien", "Would you look at our code?")
    admin.go("/reports")
    found["a report"] = admin.page.locator("main a[href^='/reports/']").first.get_attribute("href")
    admin.go("/neighbours")
    admin.page.get_by_role("button", name="Test this neighbour").first.click()
    trial = admin.page.locator("a[href$='/trial'], [data-hx-get$='/trial']").first
    found["a neighbour's test"] = trial.get_attribute("href") or trial.get_attribute("data-hx-get")
    context.close()
    context = chromium_browser.new_context(viewport=WIDE, storage_state=keys[MEMBER])
    somebody = Person(context, lyon)
    somebody.go("/introductions")
    asked = somebody.page.locator("main a", has_text="Inès Morel").first.get_attribute("href")
    context.close()
    found["a request"] = asked.partition("#")[0]
    found["a quote"] = found["a request"] + "/quote"
    found["passing it on"] = found["a request"] + "/passing"
    found["a word about a conversation"] = found["a request"] + "/report"
    return found | _from_letters(lyon, outsider)


def _ask(person, name, text):
    """Ask whoever's page is open, and return where the conversation is."""
    form = person.page.get_by_role("region", name=f"Ask {name}")
    form.get_by_label("Your question").fill(text)
    if (service := form.locator("select")).count():
        service.first.select_option(index=1)
    form.get_by_role("button", name="Send").click()
    person.page.wait_for_url("**/introductions/*")
    return urlsplit(person.page.url).path


def _from_letters(lyon, outsider):
    """Return the addresses of links as letters have them."""
    secret = (lyon.data / "secret_key").read_text().strip()

    def signed(salt, value):
        return URLSafeSerializer(secret, salt=salt).dumps(value)

    with lyon.session() as session:
        account = account_of(session, lyon.member)
        reader = account.ref
        other = select(Member).where(Member.id != account.member_id, Member.audience == "web")
        asked = StillTrue(member_id=session.scalars(other).first().id, asked_at=datetime.now(UTC))
        session.add(asked)
        session.flush()
        question = asked.ref
        session.commit()
    return {
        "a link in a letter": urlsplit(sign_in_link(lyon, lyon.member)).path,
        "a link for somebody shut out": urlsplit(sign_in_link(lyon, outsider)).path,
        "is it still true": f"/still-true/{signed('still true', question)}",
        "no more letters": f"/letters/{signed('letters', reader)}/stop",
        "a farewell": f"/farewell/{signed('farewell', '')}",
    }


@pytest.fixture
def open_page(running_town, person_at, addresses, keys):
    def open_page(role, address, **options):
        person = person_at(running_town.lyon, storage_state=keys.get(role), **options)
        answer = person.go(addresses.get(address, address))
        # A page that apologises is sound, too.
        assert answer.status < 500
        return person, answer

    return open_page


def overflow(page):
    return page.evaluate(
        "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )


def broken_words(page):
    """Return short words on the signs of spaces that go on in a second line: there is no room."""
    return page.evaluate(
        """() => [...document.querySelectorAll("main .plaque")].flatMap((sign) => {
          const found = [], texts = document.createTreeWalker(sign, NodeFilter.SHOW_TEXT);
          while (texts.nextNode()) {
            const { data } = texts.currentNode, range = document.createRange();
            for (const word of data.matchAll(/\\S{2,12}/g)) {
              range.setStart(texts.currentNode, word.index);
              range.setEnd(texts.currentNode, word.index + word[0].length);
              if (range.getClientRects().length > 1) found.push(word[0]);
            }
          }
          return found;
        })"""
    )


@pytest.mark.parametrize(("role", "_endpoint", "address"), PAGES, ids=NAMES)
def test_a_page_is_sound_shuts_nobody_out_and_fits_a_narrow_phone(
    open_page, role, _endpoint, address
):
    person, answer = open_page(role, address)
    assert faults(answer.text()) == []
    for scheme, rules in (("light", RULES), ("dark", COLOURS)):
        person.page.emulate_media(color_scheme=scheme)
        results = Axe().run(person.page, options=rules)
        assert results.violations_count == 0, (scheme, results.generate_report())
    person.page.set_viewport_size({"width": 320, "height": 640})
    assert overflow(person.page) <= 0
    assert broken_words(person.page) == []


@pytest.mark.parametrize(("role", "_endpoint", "address"), PAGES, ids=NAMES)
def test_a_page_is_whole_in_french_on_a_phone_without_javascript(
    open_page, role, _endpoint, address
):
    person, _answer = open_page(
        role, address, locale="fr-FR", size=PHONE, java_script_enabled=False
    )
    assert person.page.locator("html").get_attribute("lang") == "fr"
    assert person.page.locator("h1").count() == 1
    assert person.page.locator("main").inner_text().strip()
    wide = person.page.evaluate("() => document.documentElement.scrollWidth")
    assert wide <= PHONE["width"]
