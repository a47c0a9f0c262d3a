"""Coming in with an account elsewhere in a real browser: over to another site, and back.

The space is at ``localhost`` and its provider at ``127.0.0.1``: two sites for the browser, so that
cookies and the policy have to bear what they have to bear between real ones.
"""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from app.demo import town
from app.demo.processes import Processes
from tests.browser.conftest import PHONE, Town, free_ports
from tests.browser.markup import faults
from tests.browser.test_every_page import RULES, overflow
from tests.browser.test_passkeys import Named
from tests.web.test_providers import Elsewhere

DESCRIBED = """
[[providers]]
key = "keycloak"
name = "Keycloak"
issuer = "{issuer}"
client_id = "{client_id}"
client_secret = "{client_secret}"
"""


@pytest.fixture(scope="module")
def provider():
    with Elsewhere("keycloak").open() as provider:
        yield provider


@pytest.fixture(scope="module")
def space(tmp_path_factory, provider):
    folder, port = tmp_path_factory.mktemp("with-provider"), free_ports(1)
    lyon, _, _ = town.town(folder, port)
    space = Named(*(getattr(lyon, name) for name in lyon.__dataclass_fields__))
    space.data.mkdir(parents=True)
    (space.data / "mitoyen.toml").write_text(DESCRIBED.format(**provider.settings()))
    town.found(space)
    with Processes() as processes:
        processes.start(space, "run")
        Town((space, space, space), processes).until(lambda: processes.answers(space))
        yield space


def over_there(person, user):
    person.page.wait_for_url("http://127.0.0.1:*/authorize*")
    person.page.get_by_label("Who are you?").fill(user)
    person.page.get_by_role("button", name="Sign in").click()


@pytest.mark.parametrize("script", [True, False])
def test_somebody_comes_in_over_another_site_and_lands_on_the_page_they_wanted(
    space, provider, person_at, script
):
    confirmed = {"email": space.member, "email_verified": True}
    provider.does(users={"bastien": confirmed})
    person = person_at(space, java_script_enabled=script)
    person.go("/me/data")
    person.page.get_by_role("button", name="Come in with Keycloak").click()
    over_there(person, "bastien")
    person.page.wait_for_url("**/me/data")
    # Going back does not fall into the page that goes on by itself.
    person.page.go_back()
    assert "127.0.0.1" in person.page.url


def test_a_member_links_an_account_comes_in_with_it_and_unlinks_it(space, provider, person_at):
    provider.does(users={"somebody": {}})
    stranger = person_at(space)
    stranger.go("/sign-in")
    stranger.page.get_by_role("button", name="Come in with Keycloak").click()
    over_there(stranger, "somebody")
    expect(stranger.page.locator("h1")).to_have_text("Keycloak does not open the door")

    bastien = person_at(space)
    bastien.come_in_as(space.member)
    bastien.go("/me/sign-ins")
    bastien.page.get_by_role("button", name="Link Keycloak", exact=True).click()
    over_there(bastien, "somebody")
    expect(bastien.page.locator("#flash")).to_contain_text("Keycloak lets you in")

    stranger.page.get_by_role("link", name="Back to the door").click()
    stranger.page.get_by_role("button", name="Come in with Keycloak").click()
    over_there(stranger, "somebody")
    stranger.page.wait_for_url(lambda url: url.startswith(space.url) and "sign-in" not in url)

    elsewhere = bastien.page.get_by_role("region", name="Accounts elsewhere")
    bastien.go("/me/sign-ins")
    assert elsewhere.get_by_role("listitem").filter(has_text="last used").count()
    while elsewhere.get_by_role("button", name="Unlink").count():
        elsewhere.get_by_role("button", name="Unlink").first.click()
        expect(bastien.page.locator("#flash")).to_contain_text("Unlinked")


@pytest.mark.parametrize("address", ["/sign-in", "/me/sign-ins", "/sign-in/with/keycloak/back"])
def test_the_pages_about_accounts_elsewhere_owe_what_all_pages_owe(
    space, provider, person_at, address
):
    for scheme, locale in (("light", "en-GB"), ("dark", "fr-FR")):
        person = person_at(space, color_scheme=scheme, locale=locale, size=PHONE)
        if address.startswith("/me"):
            person.come_in_as(space.member)
        person.go(address)
        results = Axe().run(person.page, options=RULES)
        assert results.violations_count == 0, results.generate_report()
        assert faults(person.page.request.get(person.page.url).text()) == []
        assert overflow(person.page) <= 0


def test_the_page_that_goes_on_is_a_page_for_everybody(space, provider, person_at):
    """It is looked at where the browser may not go on."""
    person = person_at(space, size=PHONE)
    person.page.route("http://127.0.0.1:*/**", lambda route: route.fulfill(status=204))
    person.go("/sign-in")
    person.page.get_by_role("button", name="Come in with Keycloak").click()
    onward = person.page.get_by_role("link", name="Go on to Keycloak")
    expect(onward).to_be_visible()
    results = Axe().run(person.page, options=RULES)
    assert results.violations_count == 0, results.generate_report()
    assert overflow(person.page) <= 0
