"""HTML, Markdown and templates typed into every field: text for whoever reads it, here and there.

Claire of Nantes writes her page with them, Maud of Lyon reads and answers with them; what both
read on pages and in letters is the same characters, and nothing else.
"""

from __future__ import annotations

import re

import html5lib
import pytest
from sqlalchemy import select

from app.models.account import ADMIN, Account
from tests.neighbourhood import Neighbourhood
from tests.postman import carry
from tests.spaces import add_member, service
from tests.web.people import page_in
from tests.web.test_my_profile import save

#: The product is long: a form's token is full of short numbers.
MARKS = "<script>*x*</script>[c](https://evil.example){{7331*1337}}"
HEAD = "x\r\nBcc: all@evil.example\r\n\r\n"

#: Fields of the profile that hold a line, and those that hold more.
LINES = ("name", "headline", "profession", "location", "availability", "interests")
TEXTS = ("bio",)


@pytest.fixture
def town(tmp_path):
    town = Neighbourhood(tmp_path, "lyon", "nantes")
    with town.at("nantes"):
        add_member(
            "Claire", audience="neighbours", email="claire@x.example", services=(service("S"),)
        )
        add_member("Colleague", audience="neighbours", email="colleague@x.example",
                   services=(service("T"),))  # fmt: skip
    with town.at("lyon") as session:
        add_member("Maud", audience="space", email="maud@x.example")
        session.scalars(select(Account)).one().role = ADMIN
    town.befriend("lyon", "nantes")
    yield town
    town.close()


def read(browser, address):
    """Return what a page says, once it is sure that nobody's words became part of the page."""
    answer = browser.get(address)
    assert answer.status_code == 200, address
    root = html5lib.parse(answer.text, namespaceHTMLElements=False)
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        assert not [name for name in element.attrib if str(name).startswith("on")], address
        for name in ("href", "src", "action"):
            assert "evil.example" not in element.get(name, ""), address
        if element.tag == "script":
            assert element.get("src"), address
        assert element.tag not in ("em", "i"), address
    values = [element.get("value", "") for element in root.iter("input")]
    return "\n".join([*root.itertext(), *values])


def thread(browser):
    listed = browser.get("/introductions").text
    return re.findall(r'href="(/introductions/\w{26})#thread"', listed)[0]


def test_whatever_is_typed_into_a_field_is_read_as_it_was_typed(town, maud, claire):
    fields = {name: MARKS for name in (*LINES, *TEXTS)}
    fields |= {"service-0-title": MARKS, "service-0-description": MARKS}
    assert save(claire, **fields).status_code == 303
    assert claire.post("/me/doors", data={"questions": "on", "quotes": "on", "word": MARKS,
                                          "until": "2026-09-01"}).status_code == 303  # fmt: skip
    town.work()
    page = page_in(town, "lyon", MARKS)
    here = page_in(town, "nantes", MARKS)
    for browser, address in ((claire, here), (claire, "/me"), (claire, "/me/as/neighbour"),
                             (claire, "/"), (maud, page), (maud, "/search?q=evil&scope=everywhere"),
                             (maud, f"{page}/report")):  # fmt: skip
        assert MARKS in read(browser, address), address
    said = read(maud, page)
    assert said.count(MARKS) >= len(LINES) + len(TEXTS) + 2
    assert str(7331 * 1337) not in said

    claire.post("/me/doors", data={"questions": "on", "quotes": "on"})
    town.work()
    ref = re.search(r'name="service" value="(\w+)"|<option value="(\w+)"', maud.get(page).text)
    asked = {"text": MARKS, "kind": "quote", "timing": MARKS, "budget": MARKS,
             "service": (ref and (ref[1] or ref[2])) or ""}  # fmt: skip
    assert maud.post(f"{page}/ask", data=asked).status_code == 303
    town.work()
    got = read(claire, thread(claire))
    assert got.count(MARKS) >= 3
    assert claire.post(f"{thread(claire)}/quote", data={
        "title": MARKS, "price": MARKS, "words": MARKS}).status_code == 303  # fmt: skip
    town.work()
    assert read(maud, thread(maud)).count(MARKS) >= 6
    assert MARKS in read(maud, "/introductions")
    maud.post(f"{page}/report", data={"text": MARKS})
    [report] = set(re.findall(r"/reports/\w{26}", maud.get("/reports").text))
    assert MARKS in read(maud, report)
    assert maud.post(f"{report}/measures", data={"do": "hide", "reason": MARKS}).status_code == 303
    assert MARKS in read(maud, "/reports")
    assert MARKS in read(maud, "/journal")
    read(claire, "/me/data")


def test_no_word_of_anybody_reaches_into_the_head_of_a_letter_or_leaves_plain_text(
    town, maud, claire
):
    """RFC 5322 section 2.2: a line end in a name would begin another header field."""
    town.publish("nantes", "Claire")
    town.work()
    save(maud, name=HEAD + "Maud", **{"service-0-title": "A"})
    page = page_in(town, "lyon", "Claire")
    maud.post(f"{page}/ask", data={"text": HEAD + MARKS})
    town.work()
    claire.post(thread(claire), data={"do": "message", "text": HEAD + MARKS})
    town.work()
    # Whoever cannot send mail looks again in an hour.
    town.later(hours=2)
    sent = [*carry(town.apps["nantes"], town.now, town.network),
            *carry(town.apps["lyon"], town.now, town.network)]  # fmt: skip
    assert len(sent) == 2
    for letter in sent:
        assert letter["Bcc"] is None
        assert letter.get_content_type() == "text/plain"
        assert len(letter.get_all("To")) == len(letter.get_all("Subject")) == 1
        # Quoted, as what somebody else wrote: no line of it passes for one of ours.
        lines = letter.get_content().splitlines()
        assert f"> {MARKS}" in lines
        assert "> Bcc: all@evil.example" in lines
