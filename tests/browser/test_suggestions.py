"""Typing into the search field: the list under it, by keyboard, aloud, and without JavaScript."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import PHONE

OPEN = "document.querySelector('#q').getAttribute('aria-expanded') === 'true'"
CLOSED = "document.querySelector('#q').getAttribute('aria-expanded') !== 'true'"


@pytest.fixture
def bastien(running_town, person_at):
    def bastien(path="/", **options):
        person = person_at(running_town.lyon, **options)
        person.come_in_as(running_town.lyon.member)
        person.go(path)
        return person

    return bastien


def until(person, condition):
    person.page.wait_for_function(f"() => {condition}")


def chosen(person):
    """The option that the field says it is at, and that looks so."""
    return person.page.evaluate(
        """() => {
          const at = document.querySelector('#q').getAttribute('aria-activedescendant');
          const marked = [...document.querySelectorAll('[aria-selected=true]')].map((o) => o.id);
          return at === (marked[0] ?? null) && marked.length < 2 ? at : 'they differ';
        }"""
    )


def test_without_javascript_the_field_is_a_plain_one_that_searches(running_town, person_at):
    person = person_at(running_town.lyon, java_script_enabled=False)
    person.go("/")
    field = person.page.locator("#q")
    assert field.get_attribute("role") is None
    field.fill("avocat")
    field.press("Enter")
    person.page.wait_for_url("**/search?*q=avocat*")


def test_escape_closes_the_list_and_keeps_what_was_typed(bastien):
    person = bastien()
    person.page.locator("#q").press_sequentially("avo")
    until(person, OPEN)
    person.page.keyboard.press("ArrowDown")
    person.page.keyboard.press("Escape")
    until(person, CLOSED)
    assert person.page.locator("#q").input_value() == "avo"
    assert chosen(person) is None
    assert not person.page.locator("#suggestions").is_visible()


def test_enter_on_nothing_chosen_searches_what_was_typed(bastien):
    person = bastien()
    person.page.locator("#q").press_sequentially("avo")
    until(person, OPEN)
    person.page.keyboard.press("Enter")
    person.page.wait_for_url("**/search?q=avo&*")


def test_arrows_go_through_the_options_and_back_to_the_field(bastien):
    person = bastien()
    person.page.locator("#q").press_sequentially("avo")
    until(person, OPEN)
    count = person.page.locator("[role=option]").count()
    assert person.page.locator("#suggestions-said").inner_text().startswith(f"{count} suggestion")
    assert chosen(person) is None
    person.page.keyboard.press("ArrowDown")
    assert chosen(person) == "suggestion-1"
    person.page.keyboard.press("ArrowUp")
    assert chosen(person) is None
    person.page.keyboard.press("ArrowUp")
    assert chosen(person) == f"suggestion-{count}"
    person.page.locator("#q").press_sequentially("c")
    until(person, "document.querySelector('[aria-selected=true]') === null")
    assert person.page.evaluate("document.activeElement.id") == "q"


def test_a_speciality_that_is_chosen_is_searched_for(bastien):
    person = bastien()
    person.page.locator("#q").press_sequentially("avo")
    until(person, OPEN)
    person.page.keyboard.press("ArrowDown")
    person.page.keyboard.press("Enter")
    person.page.wait_for_url("**/search?q=Lawyer*")
    person.page.get_by_role("heading", level=1).filter(has_text="can help").wait_for()


def test_a_person_who_is_chosen_is_visited(bastien):
    person = bastien("/search")
    person.page.locator("#q").press_sequentially("fatoum")
    person.page.locator("[role=option]").filter(has_text="Fatoumata Diarra").click()
    person.page.get_by_role("heading", name="Fatoumata Diarra").wait_for()


def test_an_answer_that_a_later_letter_overtakes_is_dropped(bastien):
    person = bastien()
    waiting = []

    def hold_the_first(route):
        if "q=avo&" in route.request.url or route.request.url.endswith("q=avo"):
            waiting.append(route)
        else:
            route.continue_()

    person.page.route("**/search/suggestions*", hold_the_first)
    with person.page.expect_request("**/search/suggestions?q=avo*"):
        person.page.locator("#q").press_sequentially("avo")
    person.page.locator("#q").press("ControlOrMeta+a")
    person.page.locator("#q").press_sequentially("plumb")
    until(person, OPEN)
    assert len(waiting) == 1
    assert person.page.locator("[data-words]").first.get_attribute("data-words") == "Plumbing"
    person.complaints.clear()


#: A phone held sideways: the list has more than it shows.
SIDEWAYS = {"width": PHONE["height"], "height": PHONE["width"]}
SCROLLS = """() => {
  const { scrollHeight, clientHeight } = document.querySelector('#suggestions-list');
  return scrollHeight - clientHeight;
}"""


def test_a_list_that_scrolls_is_the_one_in_which_the_arrow_keys_move(bastien):
    person = bastien(size=SIDEWAYS)
    person.page.locator("#q").press_sequentially("av")
    until(person, OPEN)
    assert person.page.evaluate(SCROLLS) > 20
    assert [one["id"] for one in Axe().run(person.page).response["violations"]] == []
    person.page.keyboard.press("ArrowUp")
    last = person.page.locator("[role=option]").last
    assert last.get_attribute("aria-selected") == "true"
    inside = last.evaluate(
        """(one) => {
          const both = [one, one.closest('[role=listbox]')];
          const [here, list] = both.map((of) => of.getBoundingClientRect());
          return here.top >= list.top - 1 && here.bottom <= list.bottom + 1;
        }"""
    )
    assert inside


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_the_open_list_has_no_fault_that_axe_finds_and_fits_a_phone(bastien, colours):
    person = bastien(size=PHONE, color_scheme=colours)
    person.page.locator("#q").press_sequentially("av")
    until(person, OPEN)
    person.page.keyboard.press("ArrowDown")
    found = Axe().run(person.page)
    assert [one["id"] for one in found.response["violations"]] == []
    wide = person.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= PHONE["width"]
    assert person.page.locator("[role=option]").first.bounding_box()["height"] >= 44
