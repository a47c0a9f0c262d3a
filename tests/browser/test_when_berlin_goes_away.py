"""The demo's two moments: a withdrawal with receipts, and a neighbour that goes away meanwhile."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from app.demo.town import has_approved, mirrored
from tests.browser.test_withdrawal import choose


@pytest.fixture
def ines(running_town, person_at):
    """The admin of Lyon, at the page of neighbours; Berlin is one of them."""
    lyon, berlin = running_town.lyon, running_town.berlin
    ines = person_at(lyon)
    ines.come_in_as(lyon.admin)
    ines.go("/neighbours")
    if not has_approved(lyon, berlin):
        katrin = person_at(berlin)
        katrin.come_in_as(berlin.admin)
        katrin.go("/neighbours")
        asked = ines.page.locator("article", has_text="Hinterhof")
        words = asked.locator(".key-words li").all_inner_texts()
        assert katrin.page.locator(".key-words li").all_inner_texts() == words
        asked.get_by_label(re.compile("compared the words")).check()
        asked.get_by_role("button", name=re.compile("Approve")).click()
        expect(asked).to_have_count(0)
    running_town.until(lambda: mirrored(berlin) > 0)
    running_town.until(lambda: mirrored(lyon) > 60)
    return ines


@pytest.fixture
def bastien(running_town, person_at):
    """A member of Lyon whom the neighbours see."""
    bastien = person_at(running_town.lyon)
    bastien.come_in_as(running_town.lyon.member)
    choose(bastien, "neighbours")
    return bastien


def row_of(person, name):
    return person.page.locator("li.peer", has_text=name)


def test_an_admin_tests_a_neighbour_and_reads_every_step(ines):
    row = row_of(ines, "Hinterhof")
    expect(row.locator(".status")).to_have_text(re.compile("Healthy|First copy"))
    row.get_by_role("button", name="Test this neighbour").click()
    expect(row).to_contain_text("Hinterhof passed the test.", timeout=30_000)
    expect(row.locator("ol.tick-list > li")).to_have_count(11)
    expect(ines.page.locator("#announce")).to_have_text("Hinterhof passed the test.")


def test_berlin_goes_away_during_a_withdrawal_and_confirms_when_it_is_back(
    running_town, ines, bastien
):
    running_town.close(running_town.berlin)
    try:
        choose(bastien, "me")
        receipts = bastien.page.locator("#withdrawal")
        expect(receipts).to_contain_text("Withdrawn: 1 of 2 spaces confirmed", timeout=60_000)
        expect(receipts).to_contain_text(
            re.compile(
                r"Hinterhof has not answered yet; its copy expires on \d+ \w+ \d{4} at the latest"
            )
        )
        expect(receipts).to_contain_text("Le Palier: confirmed by the recipient at")

        def said():
            ines.go("/neighbours")
            return "It does not answer." in row_of(ines, "Hinterhof").inner_text()

        running_town.until(said)
        row = row_of(ines, "Hinterhof")
        expect(row.locator(".status").first).to_have_text(re.compile("Late|No answer"))
        expect(row).to_contain_text(re.compile(r"Next try\s*in"))
        expect(row_of(ines, "Le Palier").locator(".status").first).to_have_text("Healthy")
        bastien.go("/search?q=Steuerberaterin&scope=everywhere")
        found = bastien.page.locator("li.result", has_text="Hinterhof").first
        expect(found).to_contain_text(re.compile(r"Signed by Hinterhof – copy from"))

        row.get_by_role("button", name="Test this neighbour").click()
        expect(row).to_contain_text("Hinterhof fails at: it answers", timeout=30_000)
    finally:
        running_town.open(running_town.berlin)
    bastien.go("/me")
    receipts = bastien.page.locator("#withdrawal")
    expect(receipts).to_contain_text("Withdrawn: 2 of 2 spaces confirmed", timeout=90_000)
    expect(receipts).to_contain_text("Hinterhof: confirmed by the recipient at")

    def healthy():
        ines.go("/neighbours")
        return "Healthy" in row_of(ines, "Hinterhof").inner_text()

    running_town.until(healthy, 90)
    choose(bastien, "neighbours")
