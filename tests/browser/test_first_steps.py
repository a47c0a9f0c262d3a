"""From the link in the invitation to a published service with two rates, with the keyboard alone.

Nothing here looks at a clock. Keys and fields are counted, and what they cost is worked out with
the keystroke-level model (Card, Moran and Newell, CACM 23(7), 1980): a slow typist's 0.3 seconds a
key, which is 40 words a minute, and 1.35 seconds of thinking for each field and each page.
"""

from __future__ import annotations

import email
import re
from email.policy import default

import pytest

from app.demo.town import command
from tests.browser.conftest import PHONE, WIDE

#: Seconds for one key, and for one decision.
A_KEY, A_THOUGHT = 0.3, 1.35

#: What is promised.
MOST_FIELDS, MOST_SECONDS = 6, 90

#: More presses of Tab than any of these pages takes.
LOST = 40


class Hands:
    """Two hands on a keyboard, and somebody who counts."""

    def __init__(self, page):
        self.page = page
        self.keys = self.tabs = self.pages = 0
        self.fields = set()

    def press(self, key, times=1):
        for _time in range(times):
            self.page.keyboard.press(key)
        self.keys += times

    def type(self, words):
        """Type into the field that has the focus."""
        self.fields.add(self.focused("name"))
        self.page.keyboard.type(words)
        self.keys += len(words)

    def tab_to(self, name):
        """Press Tab until the field called ``name`` has the focus."""
        for _time in range(LOST):
            if self.focused("name") == name:
                return
            self.press("Tab")
            self.tabs += 1
        raise AssertionError(f"no way to {name} with the Tab key")

    def focused(self, attribute):
        return self.page.evaluate(
            "(attribute) => document.activeElement.getAttribute(attribute)", attribute
        )

    @property
    def seconds(self):
        return self.keys * A_KEY + (len(self.fields) + self.pages) * A_THOUGHT

    def report(self):
        return (
            f"{len(self.fields)} fields, {self.keys} keys ({self.tabs} of them Tab), "
            f"{self.pages} pages: about {self.seconds:.0f} seconds at {A_KEY} seconds a key"
        )


def letter_to(town, space, address):
    """Return the letter that the worker of ``space`` sent to ``address``."""
    folder = space.data / "mail"

    def found():
        for file in sorted(folder.glob("*")) if folder.exists() else []:
            for part in file.read_bytes().split(b"-" * 79):
                letter = email.message_from_bytes(part.lstrip(), policy=default)
                if letter["To"] == address:
                    return letter
        return None

    town.until(lambda: found() is not None)
    return found()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("Odile Sans-Souris", {"size": WIDE}),
        ("Pia Telefon", {"size": PHONE}),
        ("Nora Sans-Script", {"java_script_enabled": False}),
    ],
    ids=["on a screen", "on a telephone", "without JavaScript"],
)
def test_an_invitation_becomes_a_service_with_two_rates_in_few_keys(
    running_town, person_at, record_property, name, options
):
    lyon = running_town.lyon
    address = f"{name.split()[0].lower()}@la-navette.example"
    service = f"Translation of leases by {name.split()[0]}"
    command(lyon, "members", "invite", address, "--name", name)
    letter = letter_to(running_town, lyon, address)
    link = re.search(rf"{re.escape(lyon.url)}/sign-in/\S+", letter.get_content())[0]

    guest = person_at(lyon, **options)
    hands = Hands(guest.page)
    guest.page.goto(link)
    hands.pages += 1
    # The button has the focus: one key, and no script asked for it.
    hands.press("Enter")
    guest.page.wait_for_url("**/me/first")
    hands.pages += 1
    assert guest.page.locator("#name").input_value() == name
    for field, words in (("title", service), ("rate", "80"), ("coworker_rate", "60")):
        hands.tab_to(field)
        hands.type(words)
    hands.tab_to("audience")
    hands.fields.add("audience")
    hands.press("ArrowDown", times=2)
    hands.press("Enter")
    guest.page.wait_for_url(lambda url: url.endswith("/me"))
    assert "Saved." in guest.page.locator("#flash").inner_text()

    print(hands.report())
    record_property("steps", hands.report())
    assert len(hands.fields) <= MOST_FIELDS
    assert hands.seconds <= MOST_SECONDS

    member = person_at(lyon)
    member.come_in_as(lyon.member)
    member.go(f"/search?q={service}&scope=here")
    result = member.page.locator("#results li", has_text=name).first
    said = " ".join(result.inner_text().split())
    assert service in said
    assert "€60/h for coworkers" in said
    assert "80" in said


def test_whoever_types_all_six_fields_is_still_below_what_is_promised(
    running_town, person_at, record_property
):
    lyon = running_town.lyon
    command(lyon, "members", "invite", "uma@la-navette.example", "--name", "U")
    letter = letter_to(running_town, lyon, "uma@la-navette.example")
    guest = person_at(lyon)
    hands = Hands(guest.page)
    guest.page.goto(re.search(rf"{re.escape(lyon.url)}/sign-in/\S+", letter.get_content())[0])
    hands.pages += 1
    hands.press("Enter")
    guest.page.wait_for_url("**/me/first")
    hands.pages += 1
    guest.page.locator("#name").focus()
    hands.press("Control+a")
    for field, words in (
        ("name", "Uma Maria Rasch"),
        ("title", "Tax returns for people who paint"),
        ("speciality", "accountant"),
        ("rate", "95.50"),
        ("coworker_rate", "70"),
    ):
        hands.tab_to(field)
        hands.type(words)
    # A list of words may be open; Escape closes it, as a person would.
    hands.tab_to("audience")
    hands.fields.add("audience")
    hands.press("ArrowDown", times=3)
    hands.press("Enter")
    guest.page.wait_for_url(lambda url: url.endswith("/me"))
    print(hands.report())
    record_property("steps", hands.report())
    assert len(hands.fields) == MOST_FIELDS
    assert hands.seconds <= MOST_SECONDS
    visitor = person_at(lyon)
    visitor.go("/search?q=Tax returns for people who paint&scope=here")
    assert "Uma Maria Rasch" in visitor.page.locator("#results").inner_text()


def test_what_was_typed_halfway_is_there_after_a_mistake(running_town, person_at):
    lyon = running_town.lyon
    command(lyon, "members", "invite", "vera@la-navette.example", "--name", "Vera Halb")
    letter = letter_to(running_town, lyon, "vera@la-navette.example")
    guest = person_at(lyon, java_script_enabled=False)
    guest.page.goto(re.search(rf"{re.escape(lyon.url)}/sign-in/\S+", letter.get_content())[0])
    guest.page.keyboard.press("Enter")
    guest.page.wait_for_url("**/me/first")
    guest.page.locator("#title").fill("Songs")
    guest.page.locator("#rate").fill("a song")
    guest.page.locator("#coworker_rate").fill("30")
    guest.page.get_by_role("button", name="Save").click()
    assert "Enter a number" in guest.page.locator("#rate-error").inner_text()
    values = [guest.page.locator(f"#{one}").input_value() for one in ("title", "coworker_rate")]
    assert values == ["Songs", "30"]
