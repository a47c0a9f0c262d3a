"""A member takes their profile back, and watches the receipts come in."""

from __future__ import annotations

import re

from playwright.sync_api import expect


def choose(person, audience):
    person.go("/me")
    # The circle is drawn around its radio button, which is hidden from eyes alone.
    person.page.locator(f'input[name="audience"][value="{audience}"]').check(force=True)
    person.page.get_by_role("button", name="Save", exact=True).click()
    expect(person.page.locator("#flash")).to_contain_text("Saved.")


def test_each_space_confirms_while_the_member_looks_on(running_town, person_at):
    member = person_at(running_town.lyon)
    member.come_in_as(running_town.lyon.member)
    choose(member, "neighbours")
    choose(member, "me")
    receipts = member.page.locator("#withdrawal")
    expect(receipts).to_contain_text("Withdrawn")
    # One neighbour, or two once the admin has opened the wall to Berlin.
    expect(receipts).to_contain_text(
        re.compile(r"Withdrawn: (\d) of \1 spaces? confirmed, the last"), timeout=60_000
    )
    expect(receipts).to_contain_text("Le Palier: confirmed by the recipient at")
    expect(receipts).not_to_contain_text("not answered")
    choose(member, "neighbours")
    expect(member.page.locator("#withdrawal")).not_to_contain_text("Withdrawn")
