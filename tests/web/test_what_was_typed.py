"""Whatever a form cannot take, the words that somebody typed into it come back.

The routes name themselves: each that takes a form is either tried here with something that is
refused, in every field that its page has for words, or named with why nothing is typed into it.
"""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from html.parser import HTMLParser

import pytest
from sqlalchemy import select

from app.models.conversation import Conversation
from app.models.report import Report
from app.web import introductions
from tests.neighbourhood import Neighbourhood
from tests.spaces import add_member, service
from tests.web.people import at_a_screen, page_in

INES, MAUD, NEW = "ines@l.example", "maud@l.example", "nora@l.example"
OURS = {"Origin": "http://localhost"}
FAR_TOO_LONG = "zqmarked " + "and on " * 1000

#: What takes a POST and no words, and why.
WITHOUT_WORDS = {
    "buttons": {
        "introductions.update_letters", "letters.create", "my_data.create_deletion",
        "passkeys.create_removal", "passing.update", "sign_ins.destroy", "sign_ins.destroy_others",
        "providers.create", "providers.create_removal", "providers.leave", "silences.destroy",
        "silences.create", "silences.create_across", "silences.create_in_conversation",
        "still_true.create", "still_true.create_mine", "my_texts.remove",
        "reports.create_closure", "reports.destroy_measure", "invitations.update",
        "invitations.destroy", "invitations.create_all", "membership.update_role",
        "neighbours.create_approval", "neighbours.create_block", "neighbours.create_deletions",
        "neighbours.create_ending", "neighbours.create_pull", "neighbours.create_refusal",
        "neighbours.create_resumption", "neighbours.create_suspension",
        "neighbours.create_unblock", "trials.create", "sign_in.enter", "sign_in.destroy",
    },
    "a choice among languages": {"languages.update"},
    "the answer of an authenticator": {"passkeys.enter"},
    "parts of a page whose form stays where it is": {
        "my_profile.show_preview", "setup.show_preview",
    },
    "other spaces, which type nothing": {
        "intro.create", "messages.create_statement", "messages.create_notice",
        "messages.create_ack",
    },
}  # fmt: skip


@dataclass(frozen=True)
class Form:
    """A form, and something typed into it that cannot be taken."""

    page: str
    """Where it stands."""

    wrong: dict[str, str]
    """What is refused, by field; all other fields for words get a word of their own."""

    action: str = ""
    """Where it goes, if not to the page itself."""

    choices: dict[str, str] = field(default_factory=dict)
    who: str = INES


#: By endpoint; what stands in braces is looked for in :func:`places`.
FORMS = {
    "introductions.create": Form(
        "{paul}/ask?kind=quote", {"timing": FAR_TOO_LONG}, "{paul}/ask", {"kind": "quote"}
    ),
    "introductions.create_across": Form(
        "{claire}/ask?kind=quote", {"budget": FAR_TOO_LONG}, "{claire}/ask", {"kind": "quote"}
    ),
    "introductions.update": Form("{talk}", {"text": FAR_TOO_LONG}),
    "passing.create": Form("{talk}/passing", {}, choices={"to": "nobody at all"}),
    "quoting.create": Form("{talk}/quote", {"until": "the day after"}),
    "reporting.create": Form("{paul}/report", {"text": FAR_TOO_LONG}),
    "reporting.create_across": Form("{claire}/report", {"text": FAR_TOO_LONG}),
    "reporting.create_about_conversation": Form("{talk}/report", {"text": FAR_TOO_LONG}),
    "reports.create_measure": Form(
        "{report}", {"reason": FAR_TOO_LONG}, "{report}/measures", {"do": "warn"}
    ),
    "my_profile.update": Form(
        "/me", {"service-0-rate": "a song"}, choices={"service": "0", "locale": "en"}
    ),
    "first_steps.update": Form("/me/first", {"rate": "a song"}, who=NEW),
    "my_texts.update": Form("/me/texts/de", {"headline": FAR_TOO_LONG}),
    "doors.update": Form("/me/doors", {"until": "when it rains"}),
    "passkeys.create": Form("/me/passkeys/new", {"name": FAR_TOO_LONG}, "/me/passkeys"),
    "invitations.create": Form("/members", {"email": "zqnoaddress"}),
    "neighbours.create": Form("/neighbours", {"address": "zqnoaddress"}),
    "setup.update": Form("/setup", {"policy_url": "zqnoaddress"}, choices={"country": "FR"}),
    "sign_in.create": Form("/sign-in?again=1", {"email": "zqnoaddress"}, "/sign-in"),
    "sign_in.enter_code": Form("/sign-in/sent", {"code": "twelve"}, "/sign-in/code", who=""),
}


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """In Lyon Inès runs the space, Maud asks her something, and Paul sells; Nora just came."""
    town = Neighbourhood(tmp_path_factory.mktemp("typed"), "lyon", "nantes")
    with town.at("nantes"):
        two = (service("Contracts"), service("Leases"))
        add_member("Claire Vasseur", audience="me", email="claire@n.example", services=two)
    town.publish("nantes", "Claire Vasseur")
    with town.at("lyon"):
        add_member(
            "Inès Roux", audience="space", email=INES, admin=True, services=(service("Tax"),)
        )
        add_member("Maud Le Goff", audience="me", email=MAUD)
        two = (service("Magnets"), service("Stones"))
        add_member("Paul Fer", audience="space", email="paul@l.example", services=two)
        add_member("Nora Neuf", audience="me", email=NEW)
    town.befriend("lyon", "nantes")
    maud, ines = at_a_screen(town, "lyon", MAUD), page_in(town, "lyon", "Inès Roux")
    maud.post(f"{ines}/ask", data={"text": "May I?"})
    maud.post(f"{page_in(town, 'lyon', 'Paul Fer')}/report", data={"text": "Magnets!"})
    yield town
    town.close()


@pytest.fixture(scope="module")
def places(town):
    with town.at("lyon") as session:
        talk = session.scalars(select(Conversation).filter_by(mine=False)).one()
        report = session.scalars(select(Report)).one()
        found = {"talk": f"/introductions/{talk.ref}", "report": f"/reports/{report.ref}"}
    return found | {
        "paul": page_in(town, "lyon", "Paul Fer"),
        "claire": page_in(town, "lyon", "Claire Vasseur"),
    }


class Fields(HTMLParser):
    """The fields for words of each form on a page, and what stands in them."""

    def __init__(self, page):
        super().__init__()
        self.forms, self.inside, self.area = {}, None, None
        self.all = {}
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "form":
            self.inside = self.forms.setdefault((given.get("action"), given.get("method")), {})
        elif tag == "textarea":
            self.area = given.get("name", given.get("id"))
            self._holds(self.area, "")
        elif tag == "input" and given.get("type", "text") not in (
            "hidden", "checkbox", "radio", "file",
        ):  # fmt: skip
            self._holds(given["name"], given.get("value") or "")

    def handle_endtag(self, tag):
        if tag == "form":
            self.inside = None
        elif tag == "textarea":
            self.area = None

    def handle_data(self, data):
        if self.area is not None:
            self._holds(self.area, self.all[self.area] + data)

    def _holds(self, name, value):
        self.all[name] = value
        if self.inside is not None:
            self.inside[name] = value


@pytest.fixture
def filled(town, places):
    """Return ``filled(endpoint)``: a browser, where its form goes, and what is typed into it."""

    def filled(endpoint):
        form = FORMS[endpoint]
        browser = town.apps["lyon"].test_client()
        if form.who:
            browser = at_a_screen(town, "lyon", form.who)
        else:
            browser.post("/sign-in", data={"email": "zq@nowhere.example"})
        page, action = (each.format(**places) for each in (form.page, form.action or form.page))
        shown = browser.get(page)
        assert shown.status_code == 200, shown.location
        fields = next(
            fields for (to, how), fields in Fields(shown.text).forms.items()
            if (to, how) == (action, "post")
        )  # fmt: skip
        assert form.wrong.keys() <= fields.keys()
        words = {name: f"zq{name.replace('-', '')}typed" for name in fields}
        dates = {name: "2031-05-01" for name in fields if name.endswith(("until",))}
        languages = {name: "fr, de" for name in fields if name.endswith("languages")}
        amounts = {name: "90" for name in fields if name.endswith("rate")}
        return browser, action, {**words, **dates, **languages, **amounts, **form.wrong}

    return filled


def test_every_route_that_takes_a_form_is_tried_or_takes_no_words(town):
    taking = {
        rule.endpoint
        for rule in town.apps["lyon"].url_map.iter_rules()
        if {"POST", "PUT", "PATCH"} & rule.methods
    }
    left_out = set().union(*WITHOUT_WORDS.values())
    assert FORMS.keys() | left_out == taking
    assert FORMS.keys() & left_out == set()


@pytest.mark.parametrize("endpoint", FORMS)
def test_what_is_refused_comes_back_in_its_field(filled, endpoint):
    browser, action, typed = filled(endpoint)
    answer = browser.post(action, data={**typed, **FORMS[endpoint].choices})
    assert answer.status_code == 422, answer.location
    there = {name: value.strip() for name, value in Fields(answer.text).all.items()}
    assert {name: there.get(name) for name in typed} == {
        name: value.strip() for name, value in typed.items()
    }


@pytest.mark.parametrize("endpoint", [one for one in FORMS if not one.startswith("sign_in.")])
def test_who_was_signed_out_meanwhile_loses_no_word(town, filled, endpoint):
    _browser, action, typed = filled(endpoint)
    stranger = town.apps["lyon"].test_client()
    answer = stranger.post(action, data={**typed, **FORMS[endpoint].choices}, headers=OURS)
    assert answer.status_code == 403
    assert "You are signed out" in answer.text
    there = [value.strip() for value in Fields(answer.text).all.values()]
    lost = {name for name, value in typed.items() if value.strip() not in there}
    # A day and an address of a letter are typed again sooner than copied.
    assert {name for name in lost if not name.endswith(("until", "email"))} == set()


@pytest.mark.parametrize("origin", [{}, {"Origin": "https://evil.example"}, {"Origin": "null"}])
def test_the_words_of_another_site_stand_on_no_page_of_ours(town, places, origin):
    app = town.apps["lyon"]
    browser = at_a_screen(town, "lyon", INES)
    forged = {"text": "zqforged: write to us at once", "name": "zqforged"}
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        answers = [
            one.post(path, data=forged, headers=origin)
            for one in (browser, app.test_client())
            for path in (f"{places['talk']}", "/me", "/no-such-door")
        ]
    finally:
        app.config["WTF_CSRF_ENABLED"] = False
    assert [one.status_code for one in answers if "zqforged" in html.unescape(one.text)] == []


@pytest.mark.parametrize("trouble", ["too old", "too much", "nobody there"])
def test_what_cannot_be_judged_at_all_is_given_back_to_be_copied(
    town, places, monkeypatch, trouble
):
    monkeypatch.setattr(introductions, "LETTERS", "1 per hour")
    app = town.apps["lyon"]
    browser = at_a_screen(town, "lyon", INES)
    where = {"nobody there": "/m/nobody/ask"}.get(trouble, places["talk"])
    app.config["WTF_CSRF_ENABLED"] = trouble == "too old"
    app.config["RATELIMIT_ENABLED"] = trouble == "too much"
    try:
        tries = 2 if trouble == "too much" else 1
        for _try in range(tries):
            answer = browser.post(where, data={"text": "zqmarked <b>"}, headers=OURS)
    finally:
        app.config["WTF_CSRF_ENABLED"] = app.config["RATELIMIT_ENABLED"] = False
    assert answer.status_code == {"too old": 400, "too much": 429, "nobody there": 404}[trouble]
    assert "zqmarked <b>" in Fields(answer.text).all.values()
    assert "zqmarked <b>" not in answer.text
