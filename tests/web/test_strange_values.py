"""Values that no column can hold are answered like any other wrong value, on every database."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from app.database import db
from tests.spaces import add_member

STRANGE = {
    "NUL": "\0",
    "NUL inside": "a\0b@example.org",
    "wider than a column": str(2**31),
    "wider than any column": str(2**63),
    "more digits than a number has": "9" * 400,
    "longer than a column": "x" * 5000,
    "signs from beyond the plane": "🦊" * 90 + "@example.org",
    "half of a sign": b"\xed\xa0\x80",
}
#: Every name under which some page or form reads something.
FIELDS = re.findall(
    r"\S+",
    """
    q scope sort page space city within language mode remote coworker_rate speciality domain
    price availability next email code name headline bio profession location locale languages
    interests audience url note ref secret title description currency unit rate valid_until
    service-0-title service-0-rate service-0-ref do after before limit epoch seq cursor view
    subject kind country street line enamel contact policy_url again
    """,
)


@pytest.fixture
def admin(space, browser, sign_in):
    add_member("Youenn Kerbrat", email="youenn@lepalier.example", admin=True)
    db.session.commit()
    sign_in(browser, "youenn@lepalier.example")
    return browser


def addresses(app, value):
    for rule in app.url_map.iter_rules():
        if rule.endpoint.endswith(("static", "let_out", "end_others")):
            continue
        path = rule.rule
        for argument in rule.arguments:
            for kind in (f"<{argument}>", f"<int:{argument}>"):
                path = path.replace(kind, quote(value, safe=""))
        yield path, rule.methods - {"HEAD", "OPTIONS"}


@pytest.mark.parametrize("value", STRANGE.values(), ids=STRANGE.keys())
def test_no_page_and_no_form_breaks_on_a_strange_value(space, admin, value):
    asked = "&".join(f"{field}={quote(value, safe='')}" for field in FIELDS)
    broken = []
    for path, methods in addresses(space, value):
        if "GET" in methods:
            answers = [admin.get(path), admin.get(f"{path}?{asked}")]
        else:
            content = "application/x-www-form-urlencoded"
            answers = [admin.post(path, data=asked, content_type=content)]
        broken += [(path, got.status_code) for got in answers if got.status_code >= 500]
    assert broken == []


def test_what_no_column_holds_is_nowhere_and_the_next_page_opens(space, browser):
    assert browser.get("/m/%00").status_code == 404
    assert browser.post("/sign-in", data={"email": "a\0@example.org"}).status_code in (
        303,
        400,
        422,
    )
    assert browser.get("/about").status_code == 200
