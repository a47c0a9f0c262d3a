"""A coworker in one city finds a lawyer in another: the main job, as people do it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from app.demo.town import mirrored
from tests.browser.conftest import PHONE

CLAIRE = "Claire Vasseur"


@pytest.fixture
def bastien(running_town, person_at):
    """A web developer in Lyon, signed in, in English."""
    person = person_at(running_town.lyon)
    person.come_in_as(running_town.lyon.member)
    return person


def names(person):
    return person.page.locator("#results h3").all_inner_texts()


@pytest.mark.parametrize(
    "word", ["avocat", "lawyer", "Rechtsanwältin", "abogada", "droit du travail"]
)
def test_a_search_in_lyon_finds_the_lawyer_who_coworks_in_nantes(bastien, word):
    bastien.go("/")
    # First: suggestions for the word would lie above it.
    bastien.page.get_by_text("All spaces").click()
    bastien.page.locator("#q").fill(word)
    bastien.page.get_by_role("button", name="Search").click()
    expect(bastien.page.locator("#results h3").first).to_be_visible()
    assert CLAIRE in names(bastien)[:5]
    row = bastien.page.locator("#results li.result", has_text=CLAIRE)
    expect(row.locator(".plaque")).to_contain_text("Le Palier")
    expect(row.locator(".provenance")).to_contain_text("km away")
    expect(row.locator(".ticket")).to_contain_text("for coworkers")
    expect(row.locator(".why").first).to_contain_text("Why:")


def test_her_profile_says_whose_word_it_is_and_what_it_costs(bastien):
    bastien.go("/search?q=avocate&scope=everywhere")
    bastien.page.get_by_role("link", name=CLAIRE).click()
    expect(bastien.page.get_by_role("heading", level=1)).to_have_text(CLAIRE)
    main = bastien.page.locator("main")
    expect(main).to_contain_text("Signed by Le Palier")
    expect(main).to_contain_text(re.compile(r"Confirmed by Le Palier on \d+ \w+ \d{4}"))
    expect(main.locator(".ticket").first).to_contain_text("€75/h for coworkers")
    expect(main.locator("s").first).to_contain_text("€110/h")


def test_a_visitor_sees_the_public_rate_only(running_town, person_at):
    visitor = person_at(running_town.nantes)
    visitor.go("/search?q=avocate")
    expect(visitor.page.locator("#results")).to_contain_text(CLAIRE)
    expect(visitor.page.locator("#results")).to_contain_text("€130/h")
    expect(visitor.page.locator("#results")).not_to_contain_text("coworkers")


def test_results_come_while_typing_and_the_address_keeps_them(bastien):
    bastien.go("/search?scope=everywhere")
    bastien.page.locator("#q").press_sequentially("avoca", delay=20)
    expect(bastien.page.locator("#results")).to_contain_text(CLAIRE)
    expect(bastien.page).to_have_url(re.compile("q=avoca"))
    expect(bastien.page.locator("#announce")).to_contain_text("can help")
    kept = bastien.page.url
    # What is offered lies over the first results until it is closed.
    bastien.page.keyboard.press("Escape")
    bastien.page.get_by_role("link", name=CLAIRE).click()
    bastien.page.go_back()
    expect(bastien.page).to_have_url(kept)
    expect(bastien.page.locator("#q")).to_have_value("avoca")
    expect(bastien.page.locator("#results")).to_contain_text(CLAIRE)


def test_the_keyboard_alone_is_enough(bastien):
    bastien.go("/search?scope=everywhere")
    page = bastien.page
    page.locator("#q").focus()
    page.keyboard.type("avocate")
    expect(page.locator("#results")).to_contain_text(CLAIRE)
    page.keyboard.press("Enter")
    expect(page.locator("#results-title")).to_be_focused()
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == CLAIRE:
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(CLAIRE)


def test_without_javascript_the_same_search_is_a_form(running_town, person_at):
    person = person_at(running_town.lyon, java_script_enabled=False, size=PHONE)
    person.come_in_as(running_town.lyon.member)
    person.go("/search?scope=everywhere")
    person.page.get_by_role("searchbox").fill("avocate")
    person.page.get_by_role("button", name="Search").click()
    assert CLAIRE in names(person)[:5]


def test_the_counts_beside_filters_are_the_numbers_of_people_one_gets(bastien):
    bastien.go("/search?q=droit&scope=everywhere")
    page = bastien.page
    option = page.locator("#facets label", has=page.locator("input[type=checkbox]")).first
    count = int(option.locator(".count").inner_text().split()[0])
    option.click()
    expect(page.locator("#results-title")).to_contain_text(re.compile(rf"^{count} "))


def test_a_neighbour_that_is_down_costs_the_reader_nothing(running_town, bastien):
    running_town.close(running_town.nantes)
    try:
        bastien.go("/search?q=avocate&scope=everywhere")
        expect(bastien.page.locator("#results")).to_contain_text(CLAIRE)
        expect(bastien.page.locator("li.result", has_text=CLAIRE)).to_contain_text("Signed by")
    finally:
        running_town.open(running_town.nantes)


def test_the_lawyer_leaves_and_is_gone_from_lyon_within_a_minute(running_town, person_at, bastien):
    claire = person_at(running_town.nantes)
    claire.come_in_as(running_town.nantes.member)

    def choose(label):
        claire.go("/me")
        claire.page.get_by_role("radio", name=label).check(force=True)
        claire.page.get_by_role("button", name="Save").first.click()
        claire.page.wait_for_load_state()

    def found():
        bastien.go("/search?q=Claire+Vasseur&scope=everywhere")
        return CLAIRE in names(bastien)

    assert found()
    choose("My space")
    running_town.until(lambda: not found(), 60)
    choose("Public web")
    running_town.until(found, 60)


def test_an_admin_compares_six_words_and_opens_the_wall_to_berlin(running_town, person_at):
    ines = person_at(running_town.lyon)
    ines.come_in_as(running_town.lyon.admin)
    katrin = person_at(running_town.berlin)
    katrin.come_in_as(running_town.berlin.admin)
    for person in (ines, katrin):
        person.go("/neighbours")
    words = ines.page.locator(".key-words").first.locator("li").all_inner_texts()
    assert len(words) == 6
    assert katrin.page.locator(".key-words").first.locator("li").all_inner_texts() == words

    before = mirrored(running_town.lyon)
    ines.page.get_by_label(re.compile("compared the words")).first.check()
    ines.page.get_by_role("button", name=re.compile("Approve")).first.click()
    expect(ines.page.locator("main")).not_to_contain_text("compared the words")
    running_town.until(lambda: mirrored(running_town.lyon) > before, 60)
    running_town.until(lambda: mirrored(running_town.berlin) > 0, 60)
