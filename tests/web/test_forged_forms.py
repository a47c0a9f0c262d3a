"""Forms that another site sends from somebody's browser: every route that changes things refuses.

The routes name themselves, so that one made tomorrow is tried as well. Those few that take no
token are named here, with why they need none.
"""

from __future__ import annotations

import re

import pytest

from app.database import db
from app.exchange import conversations
from app.models.account import Account
from app.models.base import Base
from tests.spaces import add_member, service, sign_in

YOUENN = "youenn@lepalier.example"
CHANGING = {"POST", "PUT", "PATCH", "DELETE"}

#: They ask for no session and look at no cookie: who may do it is said by what is sent.
WITHOUT_SESSION = {
    # One click in a mail program, which knows none of our forms (RFC 8058): by a signed address.
    "letters.create",
    # Other spaces, by a signature in the body or the head.
    "messages.create_statement", "messages.create_notice", "messages.create_ack", "intro.create",
}  # fmt: skip


@pytest.fixture
def youenn(space, browser):
    """Runs Le Palier, has a page, a conversation, and a browser that is signed in."""
    youenn = add_member(
        "Youenn Kerbrat", email=YOUENN, admin=True, audience="web", services=(service("Boats"),)
    )
    maud = add_member("Maud", email="maud@x.example", audience="web", services=(service("Leases"),))
    identity = space.extensions["identity"]
    to = conversations.Recipient(f"{identity.space}/m/{youenn.ref}", "Youenn", "", "", None)
    asked = conversations.Request("question", "Hello?")
    now = youenn.created_at
    talk = conversations.ask(db.session(), maud, to, asked, identity, now)
    db.session.flush()
    theirs = db.session.scalars(
        db.select(type(talk)).filter_by(member_id=youenn.id)
    ).one()  # fmt: skip
    refs = {"introductions": theirs.ref, "m": maud.ref, "members": maud.account.ref}
    db.session.commit()
    sign_in(browser, YOUENN)
    space.config["WTF_CSRF_ENABLED"] = True
    yield refs
    space.config["WTF_CSRF_ENABLED"] = False


def changing(app, refs):
    """Every address that changes something, with the reference of something that is there."""
    for rule in app.url_map.iter_rules():
        path = rule.rule.replace("<ref>", refs.get(rule.rule.split("/")[1], "7"))
        for method in sorted(rule.methods & CHANGING):
            yield rule.endpoint, method, re.sub(r"<[^>]+>", "7", path)


def kept():
    """Every row of every table."""
    db.session.rollback()
    return {
        table.name: [tuple(row) for row in db.session.execute(table.select())]
        for table in Base.metadata.sorted_tables
    }


FILLED = {
    "text": "Forged", "do": "message", "name": "Mallory", "email": "mallory@x.example",
    "role": "member", "kind": "quote", "to": "x", "audience": "web", "language": "fr",
    "reason": "Forged", "url": "https://evil.example", "takes": "question",
}  # fmt: skip


@pytest.mark.parametrize("token", ["", "of another session"])
def test_no_form_without_a_token_of_this_session_changes_anything(space, browser, youenn, token):
    if token == "of another session":
        token = token_for(space.test_client())
    before, tried = kept(), set()
    for endpoint, method, path in changing(space, youenn):
        if endpoint in WITHOUT_SESSION:
            continue
        answer = browser.open(path, method=method, data={**FILLED, "csrf_token": token})
        assert (answer.status_code, "This page is too old" in answer.text) == (400, True), path
        tried.add(endpoint)
    assert kept() == before
    assert {
        "introductions.create", "introductions.update", "passing.create", "passing.update",
        "reporting.create", "silences.create", "my_data.create_deletion", "quoting.create",
    } <= tried, sorted(tried)  # fmt: skip


def test_those_without_a_token_look_at_no_cookie(space, browser, youenn):
    """Whoever is signed in there is answered as a stranger is, and nothing changes."""
    before, stranger = kept(), space.test_client()
    tried = set()
    for endpoint, method, path in changing(space, youenn):
        if endpoint not in WITHOUT_SESSION:
            continue
        answers = [one.open(path, method=method, data=FILLED) for one in (browser, stranger)]
        said = {(one.status_code, re.sub(r'nonce="[^"]*"', "", one.text)) for one in answers}
        assert len(said) == 1 or endpoint == "letters.create", path
        assert {one.status_code for one in answers} <= {400, 404, 415}, path
        tried.add(endpoint)
    assert tried == WITHOUT_SESSION
    assert kept() == before


def test_the_same_forms_with_the_token_of_this_session_are_read(space, browser, youenn):
    """Else the refusals above could have another reason."""
    token, read = token_for(browser), 0
    for endpoint, method, path in changing(space, youenn):
        if endpoint in WITHOUT_SESSION or endpoint in (
            "sign_in.destroy",
            "my_data.create_deletion",
        ):
            continue
        answer = browser.open(path, method=method, data={"csrf_token": token})
        assert "This page is too old" not in answer.text, path
        read += answer.status_code != 400
    assert read > 30
    assert db.session.scalars(db.select(Account).filter_by(email=YOUENN)).one()


def token_for(client):
    return re.search(r'name="csrf_token" value="([^"]+)"', client.get("/about").text)[1]
