"""Coming in with a passkey: what is refused, whoever asks, and what is let in."""

from __future__ import annotations

import io
import json
import re
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import func, select

from app.database import db
from app.exchange.upkeep import purge
from app.models.account import Account
from app.models.journal import JournalEntry
from app.models.passkey import PASSKEYS, AnsweredChallenge, Passkey
from app.models.sign_in import FRESH
from app.web.ceremonies import CeremonyError, party, read_new, read_who, verify_new
from app.web.challenges import LIFETIME
from tests.spaces import add_member, build, sign_in
from tests.web.authenticator import (
    COPIED,
    ELIGIBLE,
    P256,
    PRESENT,
    VERIFIED,
    Authenticator,
    Ed25519,
    text_of,
)

MAUD, YVES = "maud@legoff.example", "yves@x.example"
REFUSED = "This passkey does not open the door"


@pytest.fixture
def maud(space):
    member = add_member("Maud Le Goff", email=MAUD)
    add_member("Yves", email=YVES)
    db.session.commit()
    return member


@pytest.fixture
def door(browser):
    """Another browser of the same space, in front of the door."""
    return browser.application.test_client()


@pytest.fixture
def telephone(browser, maud):
    """Maud's telephone, with a passkey for this space on it."""
    sign_in(browser, MAUD)
    telephone = Authenticator()
    add(browser, telephone)
    return telephone


def add(browser, authenticator, name="My telephone", **lies):
    question = browser.get("/me/passkeys/question").json
    answer = authenticator.make(question, **lies)
    return browser.post("/me/passkeys", data={"name": name, "answer": answer})


def question_at(browser):
    return browser.get("/sign-in/passkey").json


def come(browser, authenticator, question=None, **lies):
    answer = authenticator.sign(question or question_at(browser), **lies)
    return browser.post("/sign-in/passkey", data={"answer": answer})


def is_in(browser):
    return browser.get("/me").status_code == 200


def kept():
    db.session.expire_all()
    return db.session.scalars(select(Passkey).order_by(Passkey.id)).all()


def refused(answer, browser):
    return answer.status_code == 422 and REFUSED in answer.text and not is_in(browser)


# --- coming in: what is refused -----------------------------------------------------


def test_an_answer_to_a_question_of_ones_own_making_is_refused(door, telephone):
    question_at(door)
    assert refused(come(door, telephone, {"challenge": text_of(b"x" * 64)}), door)


def test_an_answer_is_good_once_also_after_it_was_refused(door, telephone):
    question = question_at(door)
    assert refused(come(door, telephone, question, host="evil.example"), door)
    # What was not stored is forgotten here, as it is where each request ends its own.
    db.session.rollback()
    again = come(door, telephone, question)
    assert refused(again, door)
    assert "Try once more" in again.text
    assert come(door, telephone).status_code == 303


def test_an_answer_that_somebody_recorded_is_refused(door, browser, telephone):
    with door.session_transaction() as session:
        session["challenged"] = "the secret of this browser"
        copied = dict(session)
    answer = telephone.sign(question_at(door))
    assert door.post("/sign-in/passkey", data={"answer": answer}).status_code == 303
    thief = browser.application.test_client()
    with thief.session_transaction() as session:
        session.update(copied)
    assert refused(thief.post("/sign-in/passkey", data={"answer": answer}), thief)


def test_an_answer_is_good_only_in_the_browser_that_was_asked(door, browser, telephone):
    thief = browser.application.test_client()
    question_at(thief)
    answer = telephone.sign(question_at(door))
    for elsewhere in (thief, browser.application.test_client()):
        assert refused(elsewhere.post("/sign-in/passkey", data={"answer": answer}), elsewhere)


def test_an_answer_that_comes_too_late_is_refused(door, telephone):
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        question = question_at(door)
        clock.shift(LIFETIME)
        assert refused(come(door, telephone, question), door)


def test_the_question_for_a_new_passkey_lets_nobody_in(browser, telephone):
    question = browser.get("/me/passkeys/question").json
    assert come(browser, telephone, question).status_code == 422
    assert come(browser, telephone).status_code == 303


@pytest.mark.parametrize(
    "lies",
    [
        {"client": {"origin": "https://evil.example"}},
        {"client": {"origin": "http://lepalier.example"}},
        {"client": {"origin": "https://lepalier.example:8443"}},
        {"client": {"origin": "https://www.lepalier.example"}},
        {"client": {"crossOrigin": True}},
        {"client": {"type": "webauthn.create"}},
        {"host": "evil.example"},
        {"host": "example"},
        {"flags": PRESENT},
        {"flags": VERIFIED},
        {"flags": PRESENT | VERIFIED | COPIED},
        {"flags": PRESENT | VERIFIED | ELIGIBLE},
        {"signature": b"no signature"},
        {"user": None},
        {"user": b"somebody else"},
        {"user": MAUD.encode()},
    ],
    ids=lambda lies: " ".join(f"{name} {said}" for name, said in lies.items()),
)
def test_what_is_not_as_the_standard_says_opens_nothing(door, telephone, lies):
    assert refused(come(door, telephone, **lies), door)
    assert kept()[0].used_at is None
    assert come(door, telephone).status_code == 303


def test_a_signature_of_another_key_opens_nothing(door, telephone):
    forger = Authenticator(credential_id=telephone.credential_id, user=telephone.user)
    assert refused(come(door, forger), door)


def test_one_persons_passkey_with_another_persons_number_opens_neither(door, browser, telephone):
    sign_in(browser, YVES)
    key = Authenticator(Ed25519())
    add(browser, key)
    assert refused(come(door, telephone, user=key.user), door)
    assert refused(come(door, key, user=telephone.user), door)


def test_a_passkey_that_counts_backwards_is_refused_and_both_hear_of_it(door, browser, telephone):
    assert come(door, telephone, counter=7).status_code == 303
    door.post("/sign-out")
    for counter in (7, 3, 0):
        assert refused(come(door, telephone, counter=counter), door)
        db.session.rollback()
    lines = db.session.scalars(select(JournalEntry).filter_by(code="passkey.counter-back")).all()
    assert [line.detail for line in lines] == [
        f"the counter went from 7 to {counter}: somebody may have copied the passkey"
        for counter in (7, 3, 0)
    ]
    assert {line.subject for line in lines} == {kept()[0].ref}
    assert "It counted backwards and was refused" in browser.get("/me/sign-ins").text
    assert come(door, telephone, counter=8).status_code == 303


def test_nobody_without_the_key_can_say_that_it_counts_backwards(door, telephone):
    come(door, telephone, counter=7)
    door.post("/sign-out")
    forger = Authenticator(credential_id=telephone.credential_id, user=telephone.user)
    assert refused(come(door, forger, counter=3), door)
    assert kept()[0].doubted_at is None
    assert db.session.scalars(select(JournalEntry.code)).all() == []


def test_an_authenticator_that_never_counts_is_no_copy(door, telephone):
    assert [come(door, telephone).status_code for _ in range(3)] == [303] * 3


def test_unknown_and_forged_passkeys_and_people_who_left_hear_the_same(door, browser, telephone):
    forger = Authenticator(credential_id=telephone.credential_id, user=telephone.user)
    strange, answers = Authenticator(user=telephone.user), []
    answers += [come(door, strange), come(door, forger)]
    member = db.session.scalars(select(Account).filter_by(email=MAUD)).one().member
    member.left_at = datetime.now(UTC)
    db.session.commit()
    answers.append(come(door, telephone))
    texts = {re.sub(r'(nonce|value)="[^"]*"', "", answer.text) for answer in answers}
    assert len(texts) == 1
    assert REFUSED in texts.pop()


def test_a_visitor_is_asked_for_no_passkey_by_name(door, telephone):
    question = question_at(door)
    assert question["allowCredentials"] == []
    assert question["userVerification"] == "required"
    assert question["rpId"] == "lepalier.example"


def test_two_questions_differ_and_asking_writes_nothing(door, telephone):
    before = db.session.scalar(select(func.count()).select_from(AnsweredChallenge))
    assert question_at(door)["challenge"] != question_at(door)["challenge"]
    assert db.session.scalar(select(func.count()).select_from(AnsweredChallenge)) == before


def test_a_removed_passkey_opens_nothing(door, browser, telephone):
    browser.post(f"/me/passkeys/{kept()[0].ref}/removal")
    assert refused(come(door, telephone), door)


def test_one_network_tries_three_hundred_times_an_hour(door, telephone):
    door.application.config["RATELIMIT_ENABLED"] = True
    statuses = [door.post("/sign-in/passkey").status_code for _ in range(301)]
    assert statuses == [422] * 300 + [429]


#: What an answer is made of, in any order and of any kind.
LEAVES = some.none() | some.booleans() | some.integers() | some.text(max_size=40)
RAW = some.binary(max_size=80).map(text_of)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    said=some.fixed_dictionaries(
        {
            "id": RAW | LEAVES,
            "rawId": RAW | LEAVES,
            "type": some.just("public-key") | LEAVES,
            "response": some.fixed_dictionaries(
                {
                    "clientDataJSON": some.recursive(LEAVES, some.lists, max_leaves=4).map(
                        lambda value: text_of(json.dumps(value).encode())
                    )
                    | RAW
                    | LEAVES,
                    "authenticatorData": RAW | LEAVES,
                    "attestationObject": RAW | LEAVES,
                    "signature": RAW | LEAVES,
                    "userHandle": RAW | LEAVES,
                }
            )
            | LEAVES,
        }
    )
    | LEAVES
)
def test_no_nonsense_is_anything_but_refused(said):
    for read in (read_who, read_new):
        try:
            read(json.dumps(said))
        except CeremonyError:
            continue


VALUES = LEAVES.filter(lambda one: not isinstance(one, int) or abs(one) < 2**32)
KEYS = some.sampled_from([1, 3, -1, -2, -3, "alg", "sig", "x5c", "ver", "response"])


@settings(max_examples=150)
@given(
    fmt=some.sampled_from(["none", "packed", "tpm", "apple", "android-safetynet"]) | VALUES,
    statement=some.dictionaries(KEYS, VALUES | some.binary(max_size=80), max_size=4),
    cose=some.dictionaries(KEYS, VALUES | some.binary(max_size=40), max_size=4),
)
def test_no_nonsense_about_a_new_passkey_is_anything_but_refused(fmt, statement, cose):
    here, authenticator = party("https://lepalier.example", "Le Palier"), Authenticator()
    lies = {"fmt": fmt, "statement": statement, "cose": {**authenticator.key.cose(), **cose}}
    question = {"challenge": text_of(b"x" * 32), "user": {"id": ""}}
    try:
        verify_new(here, read_new(authenticator.make(question, **lies)))
    except CeremonyError:
        return
    assert (fmt, statement) == ("none", {})


@pytest.mark.parametrize(
    "text", ["", "{", "[" * 15_000, "null", '{"id": "' + "A" * 20_000, "\ud800", '{"id": NaN}']
)
def test_what_no_browser_sends_is_refused(door, telephone, text):
    answer = door.post("/sign-in/passkey", data={"answer": text.encode("utf-8", "replace")})
    assert refused(answer, door)


# --- adding: what is refused ----------------------------------------------------------


@pytest.mark.parametrize("address", ["/me/passkeys/new", "/me/passkeys/question"])
def test_visitors_add_nothing(door, maud, address):
    assert door.get(address).location == f"/sign-in?next={address}"
    assert door.post("/me/passkeys").location == "/sign-in"


def test_adding_and_removing_take_a_sign_in_of_this_hour(browser, telephone):
    [mine] = kept()
    with time_machine.travel(datetime.now(UTC) + FRESH, tick=False):
        answers = [
            browser.get("/me/passkeys/new"),
            browser.get("/me/passkeys/question"),
            browser.post("/me/passkeys", data={"name": "x", "answer": "{}"}),
            browser.post(f"/me/passkeys/{mine.ref}/removal"),
        ]
        assert {answer.location for answer in answers} == {"/sign-in?again=1"}
    assert [one.ref for one in kept()] == [mine.ref]


def test_nobody_removes_the_passkey_of_somebody_else(browser, door, telephone):
    sign_in(browser, YVES)
    browser.post(f"/me/passkeys/{kept()[0].ref}/removal")
    assert "That passkey was removed already." in browser.get("/me/sign-ins").text
    assert come(door, telephone).status_code == 303


@pytest.mark.parametrize(
    "lies",
    [
        {"client": {"origin": "https://evil.example"}},
        {"client": {"crossOrigin": True}},
        {"client": {"type": "webauthn.get"}},
        {"client": {"challenge": text_of(b"x" * 64)}},
        {"host": "evil.example"},
        {"flags": PRESENT},
        {"flags": VERIFIED},
        {"cose": {1: 2, 3: -47, -1: 8, -2: b"x" * 32, -3: b"y" * 32}},
        {"cose": {1: 1, 3: -8}},
        {"cose": {"kty": 2}},
        {"credential_id": b""},
        {"credential_id": b"x" * 1024},
        {"fmt": "packed", "statement": {"alg": -7, "sig": b"not one"}},
        {"fmt": "fido-u2f"},
        {"statement": {"x5c": b"a maker"}},
        {"statement": 2**62},
        {"data": 2**62},
    ],
    ids=lambda lies: " ".join(f"{name} {said}"[:40] for name, said in lies.items()),
)
def test_a_passkey_that_is_not_as_the_standard_says_is_not_added(browser, maud, lies):
    sign_in(browser, MAUD)
    answer = add(browser, Authenticator(), "Ma clé", **lies)
    assert answer.status_code == 422
    assert 'value="Ma clé"' in answer.text
    assert kept() == []


def test_a_question_is_answered_once_and_in_the_browser_that_was_asked(browser, door, maud):
    sign_in(browser, MAUD)
    sign_in(door, MAUD)
    question = browser.get("/me/passkeys/question").json
    given = {"name": "x", "answer": Authenticator().make(question)}
    door.get("/me/passkeys/question")
    assert door.post("/me/passkeys", data=given).status_code == 422
    assert browser.post("/me/passkeys", data=given).status_code == 303
    given["answer"] = Authenticator().make(question)
    assert browser.post("/me/passkeys", data=given).status_code == 422
    assert len(kept()) == 1


def test_the_question_of_the_door_adds_nothing(browser, maud):
    sign_in(browser, MAUD)
    question = {**browser.get("/me/passkeys/question").json, **question_at(browser)}
    given = {"name": "x", "answer": Authenticator().make(question)}
    assert browser.post("/me/passkeys", data=given).status_code == 422


def test_nobody_shuts_somebody_out_by_adding_their_passkey(browser, door, telephone):
    sign_in(browser, YVES)
    twin = Authenticator(credential_id=telephone.credential_id)
    assert add(browser, twin).status_code == 422
    assert come(door, telephone).status_code == 303


@pytest.mark.parametrize("name", ["", "  ", "x" * 61])
def test_a_passkey_without_a_name_of_its_own_is_not_added(browser, maud, name):
    sign_in(browser, MAUD)
    answer = add(browser, Authenticator(), name)
    assert answer.status_code == 422
    assert "Give it a name of 1 to 60 characters." in answer.text
    assert f'value="{name.strip()}"' in answer.text


def test_one_person_has_twenty_and_no_more(browser, maud):
    sign_in(browser, MAUD)
    statuses = [add(browser, Authenticator()).status_code for _ in range(PASSKEYS + 1)]
    assert statuses == [303] * PASSKEYS + [422]


def test_a_space_without_a_name_in_the_network_offers_no_passkeys(tmp_path):
    app = build(tmp_path / "numbers", url="http://127.0.0.1:8101", development=True)
    with app.app_context():
        add_member("Maud", email=MAUD)
        db.session.commit()
        browser = app.test_client()
        assert "passkey" not in browser.get("/sign-in").text
        assert browser.get("/sign-in/passkey").status_code == 404
        assert browser.post("/sign-in/passkey").status_code == 404
        sign_in(browser, MAUD)
        assert "passkey" not in browser.get("/me/sign-ins").text
        assert browser.get("/me/passkeys/new").status_code == 404


def test_a_form_from_elsewhere_neither_adds_nor_lets_in(tmp_path):
    app = build(tmp_path / "strict")
    app.config["WTF_CSRF_ENABLED"] = True
    with app.app_context():
        browser, over_tls = app.test_client(), {"base_url": "https://lepalier.example"}
        posted = [browser.post(path, **over_tls) for path in ("/sign-in/passkey", "/me/passkeys")]
        assert [answer.status_code for answer in posted] == [400, 400]


# --- what works -----------------------------------------------------------------------


@pytest.mark.parametrize("key", [P256, Ed25519])
def test_who_added_a_passkey_comes_in_with_it_and_goes_where_they_wanted(browser, door, maud, key):
    sign_in(browser, MAUD)
    telephone = Authenticator(key())
    assert add(browser, telephone).location == "/me/sign-ins"
    with door.session_transaction() as session:
        session["planted"] = "by somebody else"
    given = {"answer": telephone.sign(question_at(door)), "next": "/me/data"}
    assert door.post("/sign-in/passkey", data=given).location == "/me/data"
    assert is_in(door)
    with door.session_transaction() as session:
        assert "planted" not in session


def test_coming_in_leads_to_no_other_site(door, telephone):
    given = {"answer": telephone.sign(question_at(door)), "next": "https://evil.example/"}
    assert door.post("/sign-in/passkey", data=given).location == "/"


def test_two_windows_of_one_browser_both_wait_for_their_answer(door, telephone):
    first, second = question_at(door), question_at(door)
    assert second["challenge"] != first["challenge"]
    assert come(door, telephone, first).status_code == 303


def test_a_passkey_is_a_sign_in_of_this_hour(browser, telephone):
    with time_machine.travel(datetime.now(UTC) + FRESH, tick=False):
        assert browser.get("/me/passkeys/new").location == "/sign-in?again=1"
        assert 'action="/sign-in/passkey"' in browser.get("/sign-in?again=1").text
        assert come(browser, telephone).status_code == 303
        assert browser.get("/me/passkeys/new").status_code == 200


@pytest.mark.parametrize("key", [P256, Ed25519])
def test_a_statement_that_the_new_key_signed_itself_names_no_maker_and_is_taken(browser, maud, key):
    sign_in(browser, MAUD)
    assert add(browser, Authenticator(key()), proud=True).status_code == 303


def test_the_page_lists_passkeys_by_name_with_when_they_were_added_and_used(browser, telephone):
    page = browser.get("/me/sign-ins").text
    assert "My telephone" in page
    assert "not used yet" in page
    come(browser, telephone)
    assert "last used" in browser.get("/me/sign-ins").text


def test_the_form_proposes_the_name_of_the_browser(browser, maud):
    browser.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"
    sign_in(browser, MAUD)
    assert 'value="Firefox · Linux"' in browser.get("/me/passkeys/new").text


def test_an_authenticator_learns_a_name_and_an_opaque_number_and_no_address(browser, telephone):
    question = browser.get("/me/passkeys/question").json
    account = db.session.scalars(select(Account).filter_by(email=MAUD)).one()
    assert question["user"] == {
        "id": text_of(account.ref.encode()),
        "name": "Maud Le Goff",
        "displayName": "Maud Le Goff",
    }
    assert MAUD not in json.dumps(question)
    assert question["attestation"] == "none"
    assert question["authenticatorSelection"] == {
        "residentKey": "required",
        "requireResidentKey": True,
        "userVerification": "required",
    }
    assert [one["id"] for one in question["excludeCredentials"]] == [
        text_of(telephone.credential_id)
    ]


def test_without_a_script_the_page_says_that_the_link_is_the_way(browser, space):
    page = browser.get("/sign-in").text
    assert "Here the link comes by mail, and the six digits with it." in page
    assert re.search(r'<button class="button" data-passkeys="yes" hidden>', page)


def test_the_archive_lists_passkeys_and_nothing_that_signs(browser, telephone):
    come(browser, telephone)
    with zipfile.ZipFile(io.BytesIO(browser.get("/me/data/archive").data)) as folder:
        said = json.loads(folder.read("account.json"))["passkeys"]
        assert "My telephone" in folder.read("profile.html").decode()
    [mine] = kept()
    assert said == [
        {
            "name": "My telephone",
            "added_at": mine.added_at.isoformat(),
            "last_used_at": mine.used_at.isoformat(),
            "refused_at": None,
        }
    ]
    assert "public halves of your passkeys" in browser.get("/me/data").text


def test_who_leaves_takes_their_passkeys_along(browser, telephone):
    assert browser.post("/me/deletion").status_code == 303
    assert kept() == []


def test_challenges_that_nobody_can_answer_any_more_are_forgotten(door, telephone):
    come(door, telephone)
    later = datetime.now(UTC) + LIFETIME + timedelta(seconds=1)
    purge(db.session(), door.application.extensions["identity"], later)
    assert db.session.scalar(select(func.count()).select_from(AnsweredChallenge)) == 0
