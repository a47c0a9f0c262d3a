"""Coming in with a passkey in a real browser, whose telephone is Chromium's virtual authenticator.

Passkeys belong to a name, so this space has one: ``localhost``, for which browsers ask no https.
"""

from __future__ import annotations

import sqlite3
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from app.demo import town
from app.demo.processes import Processes
from tests.browser.conftest import PHONE, Town, free_ports
from tests.browser.markup import faults
from tests.browser.test_every_page import RULES, overflow


class Named(town.DemoSpace):
    """A space of the demonstration under a name."""

    @property
    def url(self):
        return f"http://localhost:{self.port}"


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    folder, port = tmp_path_factory.mktemp("named"), free_ports(1)
    lyon, _, _ = town.town(folder, port)
    space = Named(*(getattr(lyon, name) for name in lyon.__dataclass_fields__))
    space.data.mkdir(parents=True)
    town.found(space)
    with Processes() as processes:
        processes.start(space, "run")
        Town((space, space, space), processes).until(lambda: processes.answers(space))
        yield space


@pytest.fixture
def bastien(space, person_at):
    """Bastien, signed in by a letter."""
    return at_home(space, person_at)


def at_home(space, person_at, **options):
    person = person_at(space, **options)
    person.come_in_as(space.member)
    return person


def hold(person, *, verified=True):
    """Put a telephone into somebody's hand, and return how to ask what it holds."""
    cdp = person.context.new_cdp_session(person.page)
    cdp.send("WebAuthn.enable", {"enableUI": False})
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": verified,
        "automaticPresenceSimulation": True,
    }
    added = cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    name = {"authenticatorId": added["authenticatorId"]}

    def credentials():
        return cdp.send("WebAuthn.getCredentials", name)["credentials"]

    def put(credential):
        cdp.send("WebAuthn.addCredential", {**name, "credential": credential})

    return credentials, put


def ask_only_at_the_button(person):
    """Let the telephone, held in the door, be asked for nothing before the button is pressed."""
    person.page.add_init_script(
        "PublicKeyCredential.isConditionalMediationAvailable = async () => false"
    )


def arrives_at(person, path):
    """Wait until the page itself has this path: the door names it too, as what comes next."""
    person.page.wait_for_url(lambda url: urlsplit(url).path == path)


def add(person, name="My telephone"):
    person.go("/me/sign-ins")
    person.page.get_by_role("link", name="Add a passkey").click()
    person.page.get_by_label("What do you call it?").fill(name)
    person.page.get_by_role("button", name="Add a passkey").click()


def test_without_javascript_the_door_says_that_the_link_is_the_way(space, person_at):
    person = person_at(space, java_script_enabled=False)
    person.go("/sign-in")
    assert person.page.get_by_text("Here the link comes by mail").is_visible()
    assert not person.page.locator("#passkey button").is_visible()
    assert person.page.get_by_role("button", name="Send me the link").is_visible()


def test_a_telephone_that_does_not_know_its_owner_adds_nothing(space, bastien):
    credentials, _ = hold(bastien, verified=False)
    add(bastien)
    expect(bastien.page.get_by_text("Nothing was added")).to_be_visible()
    assert bastien.page.get_by_label("What do you call it?").input_value() == "My telephone"
    assert credentials() == []


def test_who_has_no_passkey_hears_so_and_goes_on_with_the_link(space, person_at):
    person = person_at(space)
    hold(person)
    person.go("/sign-in")
    person.page.get_by_label("Your e-mail").fill("somebody@x.example")
    person.page.get_by_role("button", name="Come in with a passkey").click()
    expect(person.page.get_by_text("Nobody came in")).to_be_visible()
    assert person.page.get_by_label("Your e-mail").input_value() == "somebody@x.example"


def test_a_passkey_is_added_and_its_owner_comes_in_by_its_button_elsewhere(
    space, bastien, person_at
):
    credentials, _ = hold(bastien)
    add(bastien)
    expect(bastien.page.locator("#flash")).to_contain_text("“My telephone” lets you in")
    [made] = credentials()
    assert made["rpId"] == "localhost"
    elsewhere = person_at(space)
    ask_only_at_the_button(elsewhere)
    _, put = hold(elsewhere)
    put(made)
    elsewhere.go("/me/data")
    elsewhere.page.get_by_role("button", name="Come in with a passkey").click()
    arrives_at(elsewhere, "/me/data")
    elsewhere.go("/me/sign-ins")
    assert "last used" in elsewhere.page.get_by_role("region", name="Passkeys").inner_text()
    add(bastien, "A second one")
    expect(bastien.page.get_by_text("Nothing was added")).to_be_visible()
    remove_all(bastien)


def test_the_browser_offers_the_passkey_in_the_field_for_the_address(space, bastien, person_at):
    credentials, _ = hold(bastien)
    add(bastien)
    expect(bastien.page.locator("#flash")).to_contain_text("lets you in")
    elsewhere = person_at(space)
    _, put = hold(elsewhere)
    put(credentials()[0])
    # Nobody presses anything: Chromium's stand-in chooses at once what it offers.
    elsewhere.page.goto(space.url + "/sign-in?next=/me/data", wait_until="commit")
    arrives_at(elsewhere, "/me/data")
    remove_all(bastien)


def test_a_sign_in_of_long_ago_is_made_fresh_by_a_passkey(space, bastien):
    hold(bastien)
    add(bastien)
    expect(bastien.page.locator("#flash")).to_contain_text("lets you in")
    ask_only_at_the_button(bastien)
    grow_old(space)
    bastien.go("/me/deletion")
    assert "/sign-in?again=1" in bastien.page.url
    bastien.page.get_by_role("button", name="passkey").click()
    bastien.page.wait_for_url(lambda url: urlsplit(url).path != "/sign-in")
    bastien.go("/me/deletion")
    assert bastien.page.get_by_role("button", name="Delete everything now").is_visible()
    remove_all(bastien)


def test_a_removed_passkey_opens_nothing_and_the_page_leads_back(space, bastien, person_at):
    credentials, _ = hold(bastien)
    add(bastien)
    expect(bastien.page.locator("#flash")).to_contain_text("lets you in")
    [made] = credentials()
    remove_all(bastien)
    elsewhere = person_at(space)
    _, put = hold(elsewhere)
    put(made)
    elsewhere.page.goto(space.url + "/sign-in?next=/me/data", wait_until="commit")
    expect(elsewhere.page.locator("h1")).to_have_text("This passkey does not open the door")
    back = elsewhere.page.get_by_role("link", name="Back to the door")
    assert back.get_attribute("href") == "/sign-in?next=/me/data"


@pytest.mark.parametrize("address", ["/sign-in", "/me/sign-ins", "/me/passkeys/new"])
def test_the_pages_with_passkeys_owe_what_all_pages_owe(space, bastien, person_at, address):
    hold(bastien)
    add(bastien)
    expect(bastien.page.locator("#flash")).to_contain_text("lets you in")
    known = bastien.context.storage_state() if address != "/sign-in" else None
    for scheme, locale in (("light", "en-GB"), ("dark", "fr-FR")):
        person = person_at(
            space, storage_state=known, color_scheme=scheme, locale=locale, size=PHONE
        )
        person.go(address)
        results = Axe().run(person.page, options=RULES)
        assert results.violations_count == 0, results.generate_report()
        assert faults(person.page.request.get(person.page.url).text()) == []
        assert overflow(person.page) <= 0
    remove_all(bastien)


def remove_all(person):
    person.go("/me/sign-ins")
    while person.page.get_by_role("button", name="Remove").count():
        person.page.get_by_role("button", name="Remove").first.click()
        expect(person.page.locator("#flash")).to_contain_text("Removed")


def grow_old(space):
    """Let every sign-in be of yesterday."""
    with sqlite3.connect(space.data / "mitoyen.db", timeout=15) as database:
        database.execute("UPDATE sign_in SET proved_at = datetime(proved_at, '-1 day')")
    database.close()
