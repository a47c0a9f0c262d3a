"""What people typed, and where they were, survives what goes wrong in between."""

from __future__ import annotations

import pytest

from tests.browser.conftest import PHONE


@pytest.fixture
def bastien(running_town, person_at):
    def bastien(**options):
        person = person_at(running_town.lyon, **options)
        person.come_in_as(running_town.lyon.member)
        return person

    return bastien


def test_a_form_that_is_refused_in_part_keeps_every_word(bastien):
    person = bastien()
    person.go("/me")
    person.page.locator("#headline").fill("Something that took an hour to write")
    person.page.evaluate(
        "document.querySelectorAll('[name=csrf_token]').forEach((one) => (one.value = 'old'))"
    )
    person.page.get_by_role("button", name="Add a service").click()
    notice = person.page.locator("#flash .notice")
    notice.wait_for()
    assert notice.inner_text().startswith("This page is too old.")
    assert person.page.locator("#headline").input_value() == "Something that took an hour to write"
    assert person.page.locator("h1").all_inner_texts() == ["My profile"]


def test_escape_leads_from_the_filters_back_to_their_button(bastien):
    person = bastien(size=PHONE)
    person.go("/search")
    person.page.locator(".facets-toggle").press("Enter")
    person.page.locator("#facets input[type=checkbox]").first.press("Space")
    person.page.wait_for_url("**/search?*")
    person.page.keyboard.press("Escape")
    person.page.wait_for_function("document.activeElement.matches('.facets-toggle')")
    assert not person.page.evaluate("document.getElementById('facets').matches(':popover-open')")
    assert person.complaints == []


def test_a_space_that_does_not_answer_says_so_until_it_does(bastien):
    person = bastien()
    person.go("/search")
    person.page.route("**/search?*", lambda route: route.abort())
    person.page.locator("#q").press_sequentially("logo")
    notice = person.page.locator("#flash .notice")
    notice.wait_for()
    assert notice.inner_text().startswith("The space does not answer.")
    person.page.unroute("**/search?*")
    person.page.locator("#q").press_sequentially(" design")
    notice.wait_for(state="detached")
    # The browser's own complaints say the same as the notice.
    person.complaints.clear()
