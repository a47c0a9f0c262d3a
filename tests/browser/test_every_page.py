"""What every page owes everybody, whoever they are and whatever they hold in their hands."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import PHONE, WIDE, Person
from tests.browser.markup import faults

#: Role and address of every kind of page; the roles are accounts of the town's Lyon.
VISITOR, MEMBER, ADMIN = "visitor", "member", "admin"
PAGES = [
    (VISITOR, "/"),
    (VISITOR, "/search?q=designer&scope=everywhere"),
    (VISITOR, "/sign-in"),
    (VISITOR, "/about"),
    (VISITOR, "/no-such-door"),
    (MEMBER, "/"),
    (MEMBER, "/search"),
    (MEMBER, "/search?q=avocat&scope=everywhere"),
    (MEMBER, "/search?q=xylophoniste+quantique&scope=here"),
    (MEMBER, "local profile"),
    (MEMBER, "mirrored profile"),
    (MEMBER, "/me"),
    (MEMBER, "/me/sign-ins"),
    (MEMBER, "/me/data"),
    (MEMBER, "/me/deletion"),
    (MEMBER, "a request for a quote"),
    (MEMBER, "/introductions"),
    (MEMBER, "/me/doors"),
    (MEMBER, "/me/silences"),
    (MEMBER, "a word about a profile"),
    (MEMBER, "a conversation"),
    (MEMBER, "/neighbours"),
    (ADMIN, "/neighbours"),
    (ADMIN, "/setup"),
    (ADMIN, "/journal"),
    (ADMIN, "/members"),
    (ADMIN, "/members/invitations"),
    (ADMIN, "/reports"),
    (ADMIN, "a neighbour's test"),
]
NAMES = [f"{role} {address}" for role, address in PAGES]

#: WCAG 2.2, levels A and AA.
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.fixture(scope="module")
def keys(running_town, chromium_browser):
    """The cookies of a signed-in member and admin: each comes in once, not once per page."""
    lyon = running_town.lyon
    found = {}
    for role, email in ((MEMBER, lyon.member), (ADMIN, lyon.admin)):
        context = chromium_browser.new_context()
        Person(context, lyon).come_in_as(email)
        found[role] = context.storage_state()
        context.close()
    return found


@pytest.fixture(scope="module")
def addresses(running_town, chromium_browser, keys):
    """Where pages live whose addresses nobody knows by heart, found as a person would."""
    context = chromium_browser.new_context(viewport=WIDE, storage_state=keys[MEMBER])
    somebody = Person(context, running_town.lyon)
    found = {}
    for kind, scope, words in (
        ("local profile", "here", "Bastien Rey"),
        ("mirrored profile", "everywhere", "Claire Vasseur"),
        ("somebody to ask", "everywhere", "Thomas Guérin"),
    ):
        somebody.go(f"/search?q={words}&scope={scope}")
        found[kind] = somebody.page.locator("#results h3 a").first.get_attribute("href")
    found["a request for a quote"] = found["mirrored profile"] + "/ask?kind=quote"
    somebody.go(found["somebody to ask"])
    ask = somebody.page.get_by_role("region", name="Ask Thomas")
    ask.get_by_label("Your question").fill("Would you read our lease?")
    ask.get_by_role("button", name="Send").click()
    somebody.page.wait_for_url("**/introductions/*")
    found["a conversation"] = urlsplit(somebody.page.url).path
    found["a word about a profile"] = found["mirrored profile"] + "/report"
    context.close()
    context = chromium_browser.new_context(viewport=WIDE, storage_state=keys[ADMIN])
    admin = Person(context, running_town.lyon)
    admin.go("/neighbours")
    admin.page.get_by_role("button", name="Test this neighbour").first.click()
    trial = admin.page.locator("a[href$='/trial'], [data-hx-get$='/trial']").first
    found["a neighbour's test"] = trial.get_attribute("href") or trial.get_attribute("data-hx-get")
    context.close()
    return found


@pytest.fixture
def open_page(running_town, person_at, addresses, keys):
    def open_page(role, address, **options):
        person = person_at(running_town.lyon, storage_state=keys.get(role), **options)
        person.go(addresses.get(address, address))
        return person

    return open_page


def overflow(page):
    return page.evaluate(
        "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("role", "address"), PAGES, ids=NAMES)
def test_nobody_is_shut_out_of_a_page(open_page, role, address, scheme):
    person = open_page(role, address, color_scheme=scheme)
    results = Axe().run(person.page, options=RULES)
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize(("role", "address"), PAGES, ids=NAMES)
def test_a_page_is_valid_html_and_fits_a_narrow_phone(open_page, role, address):
    person = open_page(role, address, size={"width": 320, "height": 640})
    assert faults(person.page.request.get(person.page.url).text()) == []
    assert overflow(person.page) <= 0


@pytest.mark.parametrize(("role", "address"), PAGES, ids=NAMES)
def test_a_page_says_everything_in_french_too(open_page, role, address):
    person = open_page(role, address, locale="fr-FR", size=PHONE)
    assert person.page.locator("html").get_attribute("lang") == "fr"
    assert overflow(person.page) <= 0


@pytest.mark.parametrize(("role", "address"), PAGES, ids=NAMES)
def test_a_page_is_whole_without_javascript(open_page, role, address):
    person = open_page(role, address, java_script_enabled=False)
    assert person.page.locator("h1").count() == 1
    assert person.page.locator("main").inner_text().strip()
