"""The list of suggestions, while it is open: beside which controls of the form it lies."""

from __future__ import annotations

from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from app.database import db
from tests import spaces
from tests.browser.conftest import PHONE, WIDE, Person
from tests.web.people import befriend, listed

#: Controls of the form that are seen, but lie under something else.
COVERED = """() => {
  const seen = (one) => one && one.getClientRects().length && one.checkVisibility();
  const form = document.querySelector('#q').form;
  return [...form.querySelectorAll('input:not([type=hidden]), select, button, a, summary')]
    .map((one) => (one.type === 'radio' || one.type === 'checkbox' ? one.labels[0] : one))
    .filter(seen)
    .filter((one) => {
      one.scrollIntoView({ block: 'center', behavior: 'instant' });
      const { left, top, width, height } = one.getBoundingClientRect();
      const there = document.elementFromPoint(left + width / 2, top + height / 2);
      return !there || !(one.contains(there) || there.contains(one));
    })
    .map((one) => one.outerHTML.slice(0, 120));
}"""
EXPANDED = "document.querySelector('#q').getAttribute('aria-expanded')"
AT = "document.querySelector('#q').getAttribute('aria-activedescendant')"


@pytest.fixture
def palier(space):
    """A space answered without a server, as a visitor sees it."""
    for name in ("Avril Roux", "Avelino Paz"):
        listed(name, audience="web", services=(spaces.service("Bail", "contract-law"),))
    befriend()  # so that there is a choice of where to look
    db.session.commit()
    client = space.test_client()

    def answer(route):
        parts = urlsplit(route.request.url)
        asked = {name: of for name, of in route.request.headers.items() if name[:3] == "hx-"}
        with client.get(f"{parts.path}?{parts.query}", headers=asked) as got:
            route.fulfill(status=got.status_code, headers=dict(got.headers), body=got.data)

    return SimpleNamespace(url="https://lepalier.example", answer=answer)


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("path", ["/", "/search"])
def test_it_hides_no_control_and_leaves_with_escape(palier, chromium_browser, size, path):
    context = chromium_browser.new_context(viewport=size, reduced_motion="reduce")
    context.route("**/*", palier.answer)
    person = Person(context, palier)
    person.go(path)
    field = person.page.locator("#q")
    field.press_sequentially("av")
    person.page.wait_for_function(f"() => {EXPANDED} === 'true'")
    assert person.page.locator("form:has(#q) button:visible").count() > 0
    assert person.page.evaluate(COVERED) == []
    field.focus()
    person.page.keyboard.press("ArrowDown")
    assert person.page.evaluate(AT) == "suggestion-1"
    assert person.page.locator("#suggestion-1").get_attribute("aria-selected") == "true"
    person.page.keyboard.press("Escape")
    person.page.wait_for_function(f"() => {EXPANDED} === 'false'")
    assert person.page.evaluate(AT) is None
    assert person.page.evaluate("document.activeElement.id") == "q"
    assert field.input_value() == "av"
    context.close()
    assert person.complaints == []
