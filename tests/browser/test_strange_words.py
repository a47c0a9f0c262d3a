"""People and spaces that write what no page was made for: markup, and words without an end."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from app.database import db
from app.models.journal import note
from app.models.peer import Peer
from tests import spaces
from tests.browser.conftest import WIDE, Person
from tests.web.people import befriend, listed, mirrored, offer

MARKUP = '"><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}'
ENDLESS = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2
KID = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"

SMALL = {"width": 320, "height": 640}


@pytest.fixture
def strange_space(space):
    """A space with strange people and strange neighbours, as its ordinary admin sees it."""
    pages = ["/", "/search", "/search?q=script", "/neighbours", "/journal", "/about", "/setup"]
    pages += list(_strangers())
    spaces.add_member("Maud", email="maud@x.example", admin=True, audience="space")
    db.session.commit()
    client = space.test_client()
    spaces.sign_in(client, "maud@x.example")

    def answer(route):
        parts = urlsplit(route.request.url)
        with client.get(f"{parts.path}?{parts.query}") as got:
            route.fulfill(status=got.status_code, headers=dict(got.headers), body=got.data)

    return SimpleNamespace(url="https://lepalier.example", pages=pages, answer=answer)


def _strangers():
    """Fill the space of the current context; yield the addresses of the profiles."""
    now = datetime.now(UTC)
    peer = befriend(name=MARKUP[:80], city=ENDLESS[:80])
    for text in (MARKUP, ENDLESS):
        member = listed(
            text[:120], headline=text[:160], bio=text * 3, profession=text[:120],
            location=text[:120], availability=text[:160], interests=[text], languages=[text[:12]],
            services=(spaces.service(text[:120], text[:20], ("65", "50"), description=text),),
        )  # fmt: skip
        yield f"/m/{member.ref}"
        profile = mirrored(
            peer, text[:120], headline=text[:160], bio=text * 3, profession=text[:120],
            location=text[:120], availability=text[:160], interests=[text], locale=text[:12],
            services=[offer(text[:120], text[:20], ("65", "50"), description=text)],
        )  # fmt: skip
        yield f"/n/{peer.ref}/{profile.ref}"
        url = f"https://{'a' * 60}.{'b' * 60}.example/{len(text)}"
        db.session.add(
            Peer(
                name=text[:80], city=text[:80], url=url, ours="requested", theirs="approved",
                root_kid=KID, created_at=now, asked_at=now, their_note=text, country="FR",
            )
        )  # fmt: skip
        note(
            db.session(), now, "refusal", "bad-signature",
            peer=peer, detail=text, subject=text, evidence=text,
        )  # fmt: skip


@pytest.mark.parametrize("size", [SMALL, WIDE], ids=["narrow", "wide"])
def test_strange_words_stay_words_and_inside_the_page(strange_space, chromium_browser, size):
    context = chromium_browser.new_context(viewport=size)
    context.route("**/*", strange_space.answer)
    person = Person(context, strange_space)
    wrong = {}
    for address in strange_space.pages:
        assert person.page.goto(strange_space.url + address).status == 200
        person.page.eval_on_selector_all("details", "all => all.forEach(one => one.open = true)")
        wrong[address] = (
            person.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            ),
            person.page.locator("main img, main script, main [onerror]").count(),
        )
    context.close()
    assert wrong == dict.fromkeys(strange_space.pages, (0, 0))
    assert person.complaints == []
