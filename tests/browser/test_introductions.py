"""Where search ends the conversation begins: a question from Lyon, its answer from Nantes."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

CLAIRE = "Claire Vasseur"
QUESTION = "Our workshop's lease ends in May. Would you read it?"


@pytest.fixture
def bastien(running_town, person_at):
    bastien = person_at(running_town.lyon)
    bastien.come_in_as(running_town.lyon.member)
    return bastien


@pytest.fixture
def claire(running_town, person_at):
    claire = person_at(running_town.nantes)
    claire.come_in_as("claire.vasseur@le-palier.example")
    return claire


def test_a_question_an_answer_and_two_addresses_cross_the_wall_while_nantes_is_away_for_a_while(
    running_town, bastien, claire
):
    bastien.go("/search?q=avocate&scope=everywhere")
    bastien.page.get_by_role("link", name=CLAIRE).click()
    ask = bastien.page.get_by_role("region", name="Ask Claire")
    running_town.close(running_town.nantes)
    try:
        ask.get_by_label("Your question").fill(QUESTION)
        ask.get_by_role("button", name="Send").click()
        expect(bastien.page.locator("#flash")).to_contain_text("On its way to Claire Vasseur")
        expect(bastien.page.locator("#thread")).to_contain_text("on its way")
    finally:
        running_town.open(running_town.nantes)

    def arrived():
        claire.go("/introductions")
        return claire.page.get_by_text("Somebody would like to ask you something").count() == 1

    running_town.until(arrived, 120)
    claire.page.locator("main").get_by_role("link", name="Bastien Rey").click()
    thread = claire.page.locator("#thread")
    expect(thread).to_contain_text(QUESTION)
    thread.get_by_label("Write to Bastien").fill("Gladly.")
    thread.get_by_role("button", name="Send").click()
    thread.get_by_role("button", name="Exchange e-mail addresses").click()
    expect(thread).to_contain_text("You agreed to exchange addresses; Bastien has not yet.")

    def answered():
        bastien.page.reload()
        return bastien.page.get_by_text("would like to exchange addresses").count() == 1

    running_town.until(answered, 60)
    expect(bastien.page.locator("#thread")).to_contain_text("Gladly.")
    expect(bastien.page.locator("#thread")).not_to_contain_text("claire.vasseur@le-palier.example")
    bastien.page.get_by_role("button", name="Exchange e-mail addresses").click()

    def exchanged():
        bastien.page.reload()
        return bastien.page.get_by_text("claire.vasseur@le-palier.example").count() == 1

    running_town.until(exchanged, 60)
