"""Where search ends the conversation begins: a question from Lyon, its answer from Nantes."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

CLAIRE, ADDRESS = "Claire Vasseur", "claire.vasseur@le-palier.example"
QUESTION = "Our workshop's lease ends in May. Would you read it?"


@pytest.fixture(params=["with JavaScript", "without JavaScript"])
def two(request, running_town, person_at):
    """Bastien of Lyon and Claire of Nantes, each at a screen of their own."""
    script = request.param == "with JavaScript"
    people = []
    for space, address in (
        (running_town.lyon, running_town.lyon.member),
        (running_town.nantes, ADDRESS),
    ):
        person = person_at(space, java_script_enabled=script)
        person.come_in_as(address)
        people.append(person)
    return people


@contextmanager
def away(town, space):
    """The space goes off line, and comes back afterwards."""
    town.close(space)
    try:
        yield
    finally:
        town.open(space)


def waits_for(town, person, address, text, seconds=120):
    """Look at a page again until it says ``text``."""

    def said():
        # An address that only its anchor tells from the one shown is not loaded again.
        person.page.goto(address.partition("#")[0])
        return person.page.locator("main").get_by_text(text).count() > 0

    town.until(said, seconds)


@pytest.mark.parametrize("moment", ["the question", "the agreement"])
def test_a_question_an_answer_and_two_addresses_cross_the_wall_while_nantes_is_away_for_a_while(
    running_town, two, moment
):
    bastien, claire = two
    nantes = running_town.nantes
    bastien.go("/search?q=avocate&scope=everywhere")
    bastien.page.get_by_role("link", name=CLAIRE).click()
    ask = bastien.page.get_by_role("region", name="Ask Claire")
    ask.get_by_label("Your question").fill(QUESTION)
    if moment == "the question":
        with away(running_town, nantes):
            ask.get_by_role("button", name="Send").click()
            expect(bastien.page.locator("#flash")).to_contain_text("On its way to Claire Vasseur")
            expect(bastien.page.locator("#thread")).to_contain_text("on its way")
    else:
        ask.get_by_role("button", name="Send").click()
        expect(bastien.page.locator("#flash")).to_contain_text("On its way to Claire Vasseur")
    talk = bastien.page.url

    waits_for(
        running_town, claire, f"{nantes.url}/introductions",
        "Somebody would like to ask you something",
    )  # fmt: skip
    asked = claire.page.get_by_role("region", name="Somebody would like to ask you something")
    asked.get_by_role("link", name="Bastien Rey").click()
    thread = claire.page.locator("#thread")
    expect(thread).to_contain_text(QUESTION)
    thread.get_by_label("Write to Bastien").fill("Gladly.")
    thread.get_by_role("button", name="Send").click()
    thread.get_by_role("button", name="Exchange e-mail addresses").click()
    expect(thread).to_contain_text("You agreed to exchange addresses; Bastien has not yet.")

    waits_for(running_town, bastien, talk, "would like to exchange addresses")
    expect(bastien.page.locator("#thread")).to_contain_text("Gladly.")
    expect(bastien.page.locator("#thread")).not_to_contain_text(ADDRESS)
    agree = bastien.page.get_by_role("button", name="Exchange e-mail addresses")
    if moment == "the agreement":
        with away(running_town, nantes):
            agree.click()
            expect(bastien.page.locator("#thread")).to_contain_text("would like to exchange")
            expect(bastien.page.locator("#thread")).not_to_contain_text(ADDRESS)
    else:
        agree.click()

    waits_for(running_town, bastien, talk, ADDRESS)
    waits_for(running_town, claire, claire.page.url, running_town.lyon.member)
    claire.page.get_by_role("button", name="End the conversation").click()
    waits_for(running_town, bastien, talk, "ended the conversation")


def test_a_closed_door_says_until_when_across_the_wall_and_opens_again(running_town, two):
    bastien, claire = two
    claire.go("/me/doors")
    claire.page.get_by_label("Full until").fill("2027-05-01")
    claire.page.get_by_label("A word about why, if you like").fill("Deux baux à la fois")
    claire.page.get_by_role("button", name="Save").click()
    expect(claire.page.locator("#flash")).to_contain_text("Your doors are closed until")
    bastien.go("/search?q=avocate&scope=everywhere")
    bastien.page.get_by_role("link", name=CLAIRE).click()
    waits_for(running_town, bastien, bastien.page.url, "takes no requests until")
    expect(bastien.page.locator("article")).to_contain_text("Deux baux à la fois")
    expect(bastien.page.get_by_label("Your question")).to_have_count(0)
    claire.go("/me/doors")
    claire.page.get_by_label("Full until").fill("")
    claire.page.get_by_role("button", name="Save").click()
    expect(claire.page.locator("#flash")).to_contain_text("Saved.")
    waits_for(running_town, bastien, bastien.page.url, "Your question")
