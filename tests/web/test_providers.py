"""Coming in with an account elsewhere, against real provider processes, good and bad ones."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import time_machine

from app.database import db
from app.exchange.upkeep import purge
from app.members.archive import facts
from app.members.leaving import leave
from app.models.account import Account
from app.models.journal import JournalEntry
from app.models.provider import ATTEMPT_LIFETIME, ProviderAttempt, ProviderIdentity
from app.models.sign_in import FRESH, SignIn
from tests import spaces
from tests.identity_provider import CLIENT_ID, SECRET
from tests.processes.instances import free_port, until
from tests.spaces import add_member, sign_in

pytestmark = pytest.mark.socket

MAUD = "maud@legoff.example"
CONFIRMED = {"email": MAUD, "email_verified": True}


class Elsewhere:
    """One provider, and a person who signs in there."""

    def __init__(self, key):
        self.key, self.port, self.folder = key, free_port(), None
        self.issuer = f"http://127.0.0.1:{self.port}"

    def does(self, **given):
        """Let it know people, and behave as ``given`` says."""
        requests.post(f"{self.issuer}/control", json=given, timeout=60).raise_for_status()

    def told(self):
        return requests.get(f"{self.issuer}/control", timeout=60).json()

    def settings(self, **more):
        return {
            "key": self.key,
            "name": self.key.capitalize(),
            "issuer": self.issuer,
            "client_id": CLIENT_ID,
            "client_secret": SECRET,
            **more,
        }

    def approve(self, there, user="sub-1", **form):
        """Sign in over there, and return the path and query with which the browser is sent back."""
        answer = requests.post(
            there, data={"user": user, **form}, allow_redirects=False, timeout=60
        )
        assert answer.status_code == 302, answer.text
        back = urlsplit(answer.headers["Location"])
        assert f"{back.scheme}://{back.netloc}" == "https://lepalier.example"
        return f"{back.path}?{back.query}"

    def start(self):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.identity_provider", str(self.port), self.key],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(self.listens)
        return process

    def listens(self):
        try:
            return requests.get(f"{self.issuer}/jwks", timeout=10).ok
        except requests.ConnectionError:
            return False

    @contextmanager
    def open(self):
        process = self.start()
        try:
            yield self
        finally:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def processes():
    with Elsewhere("keycloak").open() as one, Elsewhere("cobot").open() as other:
        yield one, other


@pytest.fixture
def keycloak(processes):
    processes[0].does(users={"sub-1": CONFIRMED})
    return processes[0]


@pytest.fixture
def cobot(processes):
    processes[1].does(users={"sub-1": CONFIRMED})
    return processes[1]


@pytest.fixture
def more():
    """Settings of the provider that a test has beside the usual ones."""
    return {}


@pytest.fixture
def space(tmp_path, keycloak, cobot, more):
    app = spaces.build(
        tmp_path / "lepalier",
        development=True,
        providers=[keycloak.settings(**more), cobot.settings(**more)],
    )
    wait(app, 30)
    with app.app_context():
        yield app


def wait(app, seconds):
    """Let a space have patience with providers: a busy machine must not look like a bad one."""
    for published in app.extensions["providers"].values():
        published.transport._seconds = seconds


@pytest.fixture
def maud(space):
    member = add_member("Maud Le Goff", email=MAUD)
    db.session.commit()
    return member


def begin(browser, provider, path="/sign-in/with/{}", **form):
    """Press the button, and return where the browser goes on to."""
    answer = browser.post(path.format(provider.key), data=form)
    assert answer.status_code == 200, answer.text
    return there_in(answer)


def there_in(answer):
    return html.unescape(re.search(r'content="0;url=([^"]+)"', answer.text)[1])


def come_in(browser, provider, user="sub-1", **form):
    return browser.get(provider.approve(begin(browser, provider, **form), user))


def title(answer):
    return html.unescape(re.search(r"<h1>(.*?)</h1>", answer.text)[1])


def is_in(browser):
    return browser.get("/me/sign-ins").status_code == 200


def identities():
    db.session.rollback()
    rows = db.session.scalars(db.select(ProviderIdentity)).all()
    return [(row.account.email, row.issuer, row.subject) for row in rows]


def reasons():
    """Return what the journal says of refusals."""
    db.session.rollback()
    lines = db.session.scalars(db.select(JournalEntry).filter_by(kind="refusal")).all()
    return [line.detail.split(":")[0] for line in lines]


def assert_refused(answer, browser, status, heading):
    assert (answer.status_code, title(answer)) == (status, heading)
    assert answer.headers["Cache-Control"] == "no-store"
    assert 'href="/sign-in"' in answer.text, "the other ways in are one step away"
    assert not is_in(browser)
    assert identities() == []


DOOR = "Keycloak does not open the door"


# --- what is refused


def test_a_way_back_that_nobody_began_leads_nowhere(browser, maud, keycloak):
    answer = browser.get("/sign-in/with/keycloak/back?code=x&state=y")
    assert_refused(answer, browser, 410, "This way back is closed")
    assert browser.get("/sign-in/with/keycloak/back").status_code == 410
    assert browser.get(f"/sign-in/with/keycloak/back?code=x&state={'y' * 9000}").status_code == 410


def test_a_way_back_works_once(browser, maud, keycloak):
    back = keycloak.approve(begin(browser, keycloak))
    kept = browser.get_cookie("mitoyen_8000").value
    assert browser.get(back).status_code == 303
    browser.set_cookie("mitoyen_8000", kept)
    again = browser.get(back)
    assert (again.status_code, title(again)) == (410, "This way back is closed")
    assert not is_in(browser)


def test_an_answer_that_lets_nobody_in_is_used_up_too(browser, maud, keycloak):
    keycloak.does(users={"sub-1": {}})
    back = keycloak.approve(begin(browser, keycloak))
    assert [browser.get(back).status_code for _each in range(2)] == [403, 410]


def test_a_way_back_is_of_no_use_to_another_browser_and_stays_good_in_its_own(
    space, browser, maud, keycloak
):
    back = keycloak.approve(begin(browser, keycloak))
    stranger = space.test_client()
    stranger.get("/sign-in")
    assert stranger.get(back).status_code == 410
    begin(stranger, keycloak)
    assert_refused(stranger.get(back), stranger, 410, "This way back is closed")
    assert browser.get(back).status_code == 303


def test_a_way_back_is_closed_after_a_quarter_of_an_hour(browser, maud, keycloak):
    back = keycloak.approve(begin(browser, keycloak))
    with time_machine.travel(datetime.now(UTC) + ATTEMPT_LIFETIME, tick=False):
        assert browser.get(back).status_code == 410
    assert identities() == []


def test_the_answer_of_one_provider_is_not_taken_for_anothers(browser, maud, keycloak, cobot):
    """Mix-up (RFC 9700 section 4.4): the code must not go to the other's token endpoint."""
    to_keycloak, to_cobot = begin(browser, keycloak), begin(browser, cobot)
    back = cobot.approve(to_cobot)
    swapped = back.replace("/with/cobot/", "/with/keycloak/")
    assert_refused(browser.get(swapped), browser, 410, "This way back is closed")

    # The attacker knows the state of the other way, too.
    state = parse_qs(urlsplit(to_keycloak).query)["state"][0]
    forged = re.sub(r"state=[^&]+", f"state={state}", swapped)
    assert_refused(browser.get(forged), browser, 403, DOOR)
    assert reasons() == ["iss"]
    assert "/token" not in keycloak.told()["asked"] + cobot.told()["asked"]


@pytest.mark.parametrize("named", [None, "https://evil.example", ""])
def test_an_answer_that_does_not_say_whose_it_is_is_refused(browser, maud, keycloak, named):
    keycloak.does(users={"sub-1": CONFIRMED}, answer={"iss": named})
    assert_refused(come_in(browser, keycloak), browser, 403, DOOR)
    assert reasons() == ["iss"]


def test_without_the_parameter_a_code_of_somebody_else_s_provider_is_refused_by_its_token(
    browser, maud, keycloak
):
    """A provider that does not name itself (RFC 9207 section 3), and signs for another."""
    does = {
        "users": {"sub-1": CONFIRMED},
        "discovery": {"authorization_response_iss_parameter_supported": False},
        "answer": {"iss": None},
    }
    keycloak.does(**does, claims={"iss": "https://other.example"})
    assert_refused(come_in(browser, keycloak), browser, 403, DOOR)
    assert reasons() == ["id-token.iss"]
    keycloak.does(**does)
    assert come_in(browser, keycloak).status_code == 303


def now():
    return int(datetime.now(UTC).timestamp())


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"nonce": "another"}, "id-token.nonce"),
        ({"nonce": None}, "id-token.nonce"),
        ({"nonce": ["n"]}, "id-token.nonce"),
        ({"exp": timedelta(seconds=-121)}, "id-token.exp"),
        ({"exp": None}, "id-token.exp"),
        ({"exp": "soon"}, "id-token.exp"),
        ({"iat": timedelta(minutes=15)}, "id-token.iat"),
        ({"iat": timedelta(hours=-1)}, "id-token.iat"),
        ({"iat": None}, "id-token.iat"),
        ({"aud": "another-space"}, "id-token.aud"),
        ({"aud": ["lepalier", "another-space"], "azp": "lepalier"}, "id-token.aud"),
        ({"aud": []}, "id-token.aud"),
        ({"aud": None}, "id-token.aud"),
        ({"azp": "another-space"}, "id-token.azp"),
        ({"iss": "https://other.example"}, "id-token.iss"),
        ({"iss": None}, "id-token.iss"),
        ({"sub": None}, "id-token.sub"),
        ({"sub": ""}, "id-token.sub"),
        ({"sub": 7}, "id-token.sub"),
        ({"sub": "s" * 256}, "id-token.sub"),
        ({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, "id-token.at_hash"),
        ({"at_hash": 5}, "id-token.at_hash"),
    ],
)  # fmt: skip
def test_a_token_that_says_something_else_lets_nobody_in(browser, maud, keycloak, claims, reason):
    # From the moment of the test, not of the collection of all tests.
    said = {
        name: now() + int(value.total_seconds()) if isinstance(value, timedelta) else value
        for name, value in claims.items()
    }
    keycloak.does(users={"sub-1": CONFIRMED}, claims=said)
    assert_refused(come_in(browser, keycloak), browser, 403, DOOR)
    assert reasons() == [reason]


@pytest.mark.parametrize(
    ("sign", "reason"),
    [
        ("none", "id-token.alg"),
        ("HS256", "id-token.alg"),
        ("stranger", "id-token.signature"),
    ],
)
def test_a_token_that_the_provider_did_not_sign_lets_nobody_in(
    browser, maud, keycloak, sign, reason
):
    keycloak.does(users={"sub-1": CONFIRMED}, sign=sign)
    assert_refused(come_in(browser, keycloak), browser, 403, DOOR)
    assert reasons() == [reason]


def test_a_code_is_worth_nothing_without_the_verifier_that_was_kept_here(browser, maud, keycloak):
    """RFC 7636: whoever steals a code, and puts it into a way of their own, gets nothing."""
    stolen = parse_qs(urlsplit(keycloak.approve(begin(browser, keycloak))).query)["code"][0]
    own = keycloak.approve(begin(browser, keycloak), user="sub-2")
    answer = browser.get(re.sub(r"code=[^&]+", f"code={stolen}", own))
    assert_refused(answer, browser, 403, DOOR)
    assert reasons() == ["token"]


def test_whoever_says_no_over_there_is_told_so_and_nothing_is_written_down(browser, maud, keycloak):
    back = keycloak.approve(begin(browser, keycloak), no="1")
    assert "error=access_denied" in back
    assert_refused(browser.get(back), browser, 403, "It was stopped at Keycloak")
    assert reasons() == []


@pytest.mark.parametrize(
    "said",
    [
        {"email": MAUD, "email_verified": False},
        {"email": MAUD, "email_verified": "true"},
        {"email": MAUD, "email_verified": 1},
        {"email": MAUD},
    ],
)
def test_an_address_that_nobody_confirmed_links_nobody(browser, maud, keycloak, said):
    keycloak.does(users={"sub-1": said})
    answer = come_in(browser, keycloak)
    assert_refused(answer, browser, 403, DOOR)
    assert "does not confirm your address" in answer.text


@pytest.mark.parametrize("address", ["claire@elsewhere.example", "\N{KELVIN SIGN}laus@x.example"])
def test_a_confirmed_address_of_nobody_links_nobody(browser, maud, keycloak, address):
    add_member("Klaus", email="klaus@x.example")
    db.session.commit()
    keycloak.does(users={"sub-1": {"email": address, "email_verified": True}})
    answer = come_in(browser, keycloak)
    assert_refused(answer, browser, 403, DOOR)
    assert "Nobody here has the address" in answer.text


@pytest.mark.parametrize("more", [{"confirmed_addresses": False}])
def test_an_operator_may_believe_no_address_at_all(browser, maud, keycloak, more):
    answer = come_in(browser, keycloak)
    assert_refused(answer, browser, 403, DOOR)


def test_whoever_left_or_is_banned_stays_outside(browser, maud, keycloak):
    db.session.scalars(db.select(Account)).one().banned_at = datetime.now(UTC)
    db.session.commit()
    assert_refused(come_in(browser, keycloak), browser, 403, DOOR)


def test_a_membership_claim_is_read_only_where_the_operator_named_one(browser, keycloak, maud):
    maud.external_id = "cobot-7"
    db.session.commit()
    keycloak.does(users={"sub-1": {"membership": "cobot-7"}})
    assert_refused(come_in(browser, keycloak), browser, 403, DOOR)


@pytest.mark.parametrize("more", [{"membership_claim": "membership"}])
def test_an_address_of_one_and_a_number_of_another_let_nobody_in(browser, maud, keycloak, more):
    add_member("Claire", email="claire@x.example", external_id="cobot-8")
    db.session.commit()
    keycloak.does(users={"sub-1": {**CONFIRMED, "membership": "cobot-8"}})
    answer = come_in(browser, keycloak)
    assert_refused(answer, browser, 403, DOOR)
    assert "the number of another" in answer.text


# --- providers in trouble


def test_while_a_provider_is_down_the_other_ways_in_are_there(tmp_path, keycloak):
    gone = Elsewhere("gone")
    app = spaces.build(tmp_path / "space", development=True, providers=[gone.settings()])
    with app.app_context():
        browser = app.test_client()
        answer = browser.post("/sign-in/with/gone", data={"next": "/search"})
        assert (answer.status_code, title(answer)) == (503, "Gone does not answer")
        assert 'href="/sign-in?next=/search"' in answer.text
        assert "Send me the link" in browser.get("/sign-in").text
        assert db.session.scalar(db.select(db.func.count(ProviderAttempt.state))) == 0
        # It is back: after a moment we ask it again.
        with gone.open(), time_machine.travel(datetime.now(UTC) + timedelta(seconds=20)):
            begin(browser, gone)


@pytest.mark.parametrize("trouble", ["huge", "broken", "slow", "away"])
@pytest.mark.parametrize("endpoint", ["openid-configuration", "token", "jwks", "userinfo"])
def test_a_provider_that_answers_badly_is_given_up(
    space, browser, maud, keycloak, trouble, endpoint
):
    keycloak.does(users={"sub-1": CONFIRMED}, elsewhere=["email"], trouble={endpoint: trouble})
    if endpoint == "openid-configuration":
        wait(space, 0.5 if trouble == "slow" else 30)
        answer = browser.post("/sign-in/with/keycloak")
    else:
        back = keycloak.approve(begin(browser, keycloak))
        wait(space, 0.5 if trouble == "slow" else 30)
        answer = browser.get(back)
    assert_refused(answer, browser, 503, "Keycloak does not answer")


@pytest.mark.parametrize(
    ("discovery", "reason"),
    [
        ({"issuer": "https://other.example"}, "issuer"),
        ({"token_endpoint": "http://idp.example/token"}, "malformed"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "malformed"),
        ({"authorization_endpoint": None}, "malformed"),
        ({"jwks_uri": "file:///etc/passwd"}, "malformed"),
    ],
)
def test_a_discovery_document_that_leads_astray_is_not_followed(
    browser, maud, keycloak, discovery, reason
):
    keycloak.does(discovery=discovery)
    answer = browser.post("/sign-in/with/keycloak")
    assert_refused(answer, browser, 503, "Keycloak does not answer")
    assert reasons() == [reason]


def test_unknown_keys_do_not_make_us_ask_again_and_again(browser, maud, keycloak):
    assert come_in(browser, keycloak).status_code == 303
    browser.post("/sign-out")
    keycloak.does(users={"sub-1": CONFIRMED}, rekey=True)
    for _each in range(3):
        assert come_in(browser, keycloak).status_code == 403
    assert keycloak.told()["asked"].count("/jwks") == 0


# --- what works


def test_whoever_has_the_confirmed_address_comes_in_and_is_known_by_issuer_and_subject(
    browser, maud, keycloak
):
    there = begin(browser, keycloak, next="/search")
    asked = {name: value[0] for name, value in parse_qs(urlsplit(there).query).items()}
    assert asked["redirect_uri"] == "https://lepalier.example/sign-in/with/keycloak/back"
    assert (asked["scope"], asked["response_type"]) == ("openid email", "code")
    assert asked["code_challenge_method"] == "S256"
    assert {"state", "nonce", "code_challenge"} < asked.keys()
    assert "max_age" not in asked
    answer = browser.get(keycloak.approve(there))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/search")
    assert is_in(browser)
    assert identities() == [(MAUD, keycloak.issuer, "sub-1")]


def test_a_person_whose_address_changed_over_there_stays_the_same_person(browser, maud, keycloak):
    add_member("Claire", email="claire@x.example")
    db.session.commit()
    come_in(browser, keycloak)
    browser.post("/sign-out")
    keycloak.does(users={"sub-1": {"email": "claire@x.example", "email_verified": True}})
    assert come_in(browser, keycloak).status_code == 303
    assert MAUD in browser.get("/me/data").text
    assert identities() == [(MAUD, keycloak.issuer, "sub-1")]


def test_the_same_subject_elsewhere_is_somebody_else(browser, maud, keycloak, cobot):
    come_in(browser, keycloak)
    browser.post("/sign-out")
    cobot.does(users={"sub-1": {}})
    assert come_in(browser, cobot).status_code == 403


@pytest.mark.parametrize("more", [{"membership_claim": "membership"}])
def test_an_imported_membership_id_lets_its_member_in(browser, maud, keycloak, more):
    maud.external_id = "77"
    db.session.commit()
    keycloak.does(users={"sub-1": {"membership": 77}})
    assert come_in(browser, keycloak).status_code == 303
    assert identities() == [(MAUD, keycloak.issuer, "sub-1")]


@pytest.mark.parametrize("more", [{"membership_claim": "membership"}])
def test_a_member_whose_list_had_no_address_gets_an_account_by_number(
    browser, space, keycloak, more
):
    add_member("Claire", external_id="cobot-8")
    db.session.commit()
    keycloak.does(users={"sub-1": {"membership": "cobot-8"}})
    assert come_in(browser, keycloak).status_code == 403
    said = {"email": "Claire@X.example", "email_verified": True, "membership": "cobot-8"}
    keycloak.does(users={"sub-1": said})
    assert come_in(browser, keycloak).status_code == 303
    assert identities() == [("claire@x.example", keycloak.issuer, "sub-1")]


def test_what_the_token_lacks_is_asked_for_and_must_be_about_the_same_person(
    browser, maud, keycloak
):
    missing = ["email", "email_verified"]
    keycloak.does(users={"sub-1": CONFIRMED}, elsewhere=missing, userinfo={"sub": "sub-2"})
    assert_refused(come_in(browser, keycloak), browser, 403, DOOR)
    assert reasons() == ["userinfo.sub"]
    keycloak.does(users={"sub-1": CONFIRMED}, elsewhere=missing)
    assert come_in(browser, keycloak).status_code == 303


def test_a_confirmation_counts_for_the_address_beside_it_only(browser, maud, keycloak):
    """The token's word on one address says nothing about another address of UserInfo."""
    keycloak.does(users={"sub-1": {"email": MAUD}}, claims={"email": None, "email_verified": True})
    assert_refused(come_in(browser, keycloak), browser, 403, DOOR)


def test_a_provider_that_changed_its_keys_is_believed_again(browser, maud, keycloak):
    come_in(browser, keycloak)
    browser.post("/sign-out")
    keycloak.does(users={"sub-1": CONFIRMED}, rekey=True)
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=61)):
        assert come_in(browser, keycloak).status_code == 303
        assert keycloak.told()["asked"].count("/jwks") == 1


@pytest.mark.parametrize("more", [{"client_secret": ""}])
def test_a_public_client_proves_itself_by_the_verifier_alone(browser, maud, keycloak, more):
    keycloak.does(users={"sub-1": CONFIRMED}, public=True)
    assert come_in(browser, keycloak).status_code == 303


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "/\t/evil.example", "evil"],
)
def test_the_way_back_leads_to_no_other_site(browser, maud, keycloak, wanted):
    answer = come_in(browser, keycloak, next=wanted)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")


def test_nothing_of_the_visitor_s_session_survives(browser, maud, keycloak):
    """Session fixation: who planted a cookie before is not signed in afterwards."""
    there = begin(browser, keycloak)
    planted = browser.get_cookie("mitoyen_8000").value
    browser.get(keycloak.approve(there))
    assert browser.get_cookie("mitoyen_8000").value != planted
    with browser.session_transaction() as session:
        assert "sent" not in session
    browser.set_cookie("mitoyen_8000", planted)
    assert not is_in(browser)


def test_it_is_among_the_places_where_one_is_signed_in(browser, maud, keycloak):
    come_in(browser, keycloak)
    text = browser.get("/me/sign-ins").text
    assert "this browser" in text
    assert "Keycloak" in text


# --- how fresh


def proved():
    db.session.rollback()
    return db.session.scalars(db.select(SignIn.proved_at)).one()


def test_who_signed_in_over_there_yesterday_is_in_but_not_freshly(browser, maud, keycloak):
    yesterday = now() - 24 * 3600
    keycloak.does(users={"sub-1": CONFIRMED}, auth_time=yesterday)
    come_in(browser, keycloak)
    assert proved() == datetime.fromtimestamp(yesterday, UTC)
    answer = browser.post("/me/deletion")
    assert urlsplit(answer.headers["Location"]).path == "/sign-in"


@pytest.mark.parametrize("said", [None, True, "now", pytest.param(now() + 99999, id="tomorrow")])
def test_without_a_believable_moment_nobody_is_fresh(browser, maud, keycloak, said):
    keycloak.does(users={"sub-1": CONFIRMED}, claims={"auth_time": said})
    come_in(browser, keycloak)
    if identities():
        assert proved() is None


def test_whoever_must_show_it_once_more_is_asked_over_there_and_is_fresh_then(
    browser, maud, keycloak
):
    sign_in(browser, MAUD)
    later = datetime.now(UTC) + FRESH
    with time_machine.travel(later, tick=False):
        moment = int(later.timestamp())
        keycloak.does(
            users={"sub-1": CONFIRMED},
            auth_time=moment - 60,
            claims={"iat": moment, "exp": moment + 60},
        )
        there = begin(browser, keycloak, next="/me/data")
        assert parse_qs(urlsplit(there).query)["max_age"] == ["3300"]
        assert browser.get(keycloak.approve(there)).headers["Location"] == "/me/data"
        assert "does not say" not in browser.get("/me/data").text
        assert proved() == later.replace(microsecond=0) - timedelta(seconds=60)


def test_a_provider_that_does_not_say_when_is_no_way_to_show_it_once_more(browser, maud, keycloak):
    sign_in(browser, MAUD)
    keycloak.does(users={"sub-1": CONFIRMED}, claims={"auth_time": None})
    browser.get(keycloak.approve(begin(browser, keycloak, next="/me/data")))
    assert "Keycloak does not say that you showed just now" in browser.get("/me/data").text
    assert proved() is None


# --- linking, unlinking, leaving


LINKING = "/me/sign-ins/with/{}"


def test_linking_takes_a_sign_in_and_a_fresh_one(space, browser, maud, keycloak):
    answer = browser.post("/me/sign-ins/with/keycloak")
    assert urlsplit(answer.headers["Location"]).path == "/sign-in"
    sign_in(browser, MAUD)
    with time_machine.travel(datetime.now(UTC) + FRESH, tick=False):
        answer = browser.post("/me/sign-ins/with/keycloak")
        assert "again=1" in answer.headers["Location"]


def test_a_member_links_an_account_that_says_nothing_of_itself(browser, maud, keycloak):
    keycloak.does(users={"sub-9": {}})
    sign_in(browser, MAUD)
    answer = browser.get(keycloak.approve(begin(browser, keycloak, LINKING), "sub-9"))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/me/sign-ins")
    assert "Linked: next time" in browser.get("/me/sign-ins").text
    browser.post("/sign-out")
    assert come_in(browser, keycloak, "sub-9").status_code == 303
    assert identities() == [(MAUD, keycloak.issuer, "sub-9")]


def test_an_account_of_somebody_else_is_not_linked(space, browser, maud, keycloak):
    add_member("Claire", email="claire@x.example")
    db.session.commit()
    come_in(browser, keycloak)
    claire = space.test_client()
    sign_in(claire, "claire@x.example")
    answer = claire.get(keycloak.approve(begin(claire, keycloak, LINKING)))
    assert answer.status_code == 403
    assert "lets somebody else in" in answer.text
    assert identities() == [(MAUD, keycloak.issuer, "sub-1")]


def test_a_link_begun_by_one_is_not_ended_by_another_in_the_same_browser(browser, maud, keycloak):
    add_member("Claire", email="claire@x.example")
    db.session.commit()
    keycloak.does(users={"sub-9": {}})
    sign_in(browser, MAUD)
    back = keycloak.approve(begin(browser, keycloak, LINKING), "sub-9")
    with browser.session_transaction() as session:
        kept = session["sent"]
    sign_in(browser, "claire@x.example")
    with browser.session_transaction() as session:
        session["sent"] = kept
    assert browser.get(back).status_code == 410
    assert identities() == []


def test_an_account_that_was_unlinked_comes_back_by_its_owner_s_word_only(browser, maud, keycloak):
    come_in(browser, keycloak)
    ref = db.session.scalars(db.select(ProviderIdentity.ref)).one()
    db.session.rollback()
    assert "Unlink" in browser.get("/me/sign-ins").text
    browser.post(f"/me/sign-ins/elsewhere/{ref}/removal")
    assert "Unlinked: that account opens nothing" in browser.get("/me/sign-ins").text
    browser.post("/sign-out")
    answer = come_in(browser, keycloak)
    assert answer.status_code == 403
    assert "You unlinked that account here" in answer.text
    sign_in(browser, MAUD)
    browser.get(keycloak.approve(begin(browser, keycloak, LINKING)))
    browser.post("/sign-out")
    assert come_in(browser, keycloak).status_code == 303


def test_nobody_unlinks_somebody_else_s_account(space, browser, maud, keycloak):
    add_member("Claire", email="claire@x.example")
    db.session.commit()
    come_in(browser, keycloak)
    ref = db.session.scalars(db.select(ProviderIdentity.ref)).one()
    claire = space.test_client()
    sign_in(claire, "claire@x.example")
    claire.post(f"/me/sign-ins/elsewhere/{ref}/removal")
    db.session.rollback()
    assert db.session.scalars(db.select(ProviderIdentity)).one().unlinked_at is None


def test_an_archive_names_the_accounts_elsewhere_and_deletion_takes_them_away(
    space, browser, maud, keycloak
):
    come_in(browser, keycloak)
    account = db.session.scalars(db.select(Account)).one()
    (listed,) = facts(db.session(), account, datetime.now(UTC))["accounts_elsewhere"]
    assert (listed["provider"], listed["number"]) == (keycloak.issuer, "sub-1")
    assert listed["last_used_at"] is not None
    assert listed["unlinked_at"] is None
    leave(db.session(), account, space.extensions["identity"], datetime.now(UTC))
    db.session.commit()
    assert identities() == []


def test_ways_that_nobody_came_back_on_are_forgotten(space, browser, maud, keycloak):
    begin(browser, keycloak)
    count = db.select(db.func.count(ProviderAttempt.state))
    purge(db.session(), space.extensions["identity"], datetime.now(UTC))
    assert db.session.scalar(count) == 1
    purge(db.session(), space.extensions["identity"], datetime.now(UTC) + ATTEMPT_LIFETIME)
    assert db.session.scalar(count) == 0


# --- the door


def test_a_space_without_providers_says_nothing_of_them(tmp_path):
    app = spaces.build(tmp_path / "plain")
    with app.app_context():
        browser = app.test_client()
        assert "elsewhere" not in browser.get("/sign-in").text
        assert browser.post("/sign-in/with/keycloak").status_code == 404
        assert browser.get("/sign-in/with/keycloak/back").status_code == 404


def test_the_door_names_each_provider_and_keeps_the_page_that_was_wanted(browser, maud, cobot):
    text = browser.get("/sign-in?next=/search").text
    assert [name in text for name in ("Come in with Keycloak", "Come in with Cobot")] == [True] * 2
    assert text.count('name="next" value="/search"') >= 3
    assert "Keycloak" in html.unescape(
        browser.get("/sign-in", headers={"Accept-Language": "fr"}).text
    )


def test_leaving_takes_a_form_of_ours_and_not_too_often(space, browser, maud, keycloak):
    space.config["WTF_CSRF_ENABLED"] = True
    assert browser.post("/sign-in/with/keycloak").status_code == 400
    assert browser.get("/sign-in/with/keycloak").status_code in (404, 405)
    space.config["WTF_CSRF_ENABLED"] = False
    space.config["RATELIMIT_ENABLED"] = True
    answers = [browser.post("/sign-in/with/keycloak").status_code for _each in range(301)]
    assert answers == [200] * 300 + [429]
