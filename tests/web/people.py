"""People to look at: ours in the index, and neighbours' as an exchange would have left them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from app.database import db
from app.models.base import new_id
from app.models.member import Member
from app.models.peer import MirroredProfile, Peer
from app.search.index import index_member, index_mirrored
from tests.spaces import add_member, sign_in

MAUD = "maud@legoff.example"

#: What a neighbour's profile shows on the web when its member agreed to all of it.
EVERYTHING = ["name", "headline", "bio", "locale", "languages", "profession", "services"]


def at_a_screen(town, space, address):
    """Return a browser of one of the spaces of ``town`` in which somebody is signed in."""
    browser = town.apps[space].test_client()
    sign_in(browser, address)
    return browser


def page_in(town, space, name):
    """Return where somebody's page stands in ``space``, whichever space they are of."""
    with town.at(space) as session:
        member = session.scalars(select(Member).filter_by(name=name)).one_or_none()
        if member is not None:
            return f"/m/{member.ref}"
        profile = session.scalars(select(MirroredProfile).filter_by(name=name)).one()
        return address_of(profile)


def listed(name, **given):
    """Add a member of ours who can be found."""
    member = add_member(name, **given)
    index_member(db.session(), member)
    db.session.commit()
    return member


def befriend(name="La Navette", city="Lyon", **given):
    """Add a neighbour that both admins approved, 516 km from Nantes, and that answers."""
    now = datetime.now(UTC)
    fresh = {
        "url": "https://lanavette.example",
        "enamel": "oxblood",
        "country": "FR",
        "latitude": 45.764,
        "longitude": 4.836,
        "ours": "approved",
        "theirs": "approved",
        "root_kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
        "active_since": now - timedelta(days=40),
        "last_success_at": now - timedelta(minutes=3),
        "created_at": now,
    }
    peer = Peer(name=name, city=city, **{**fresh, **given})
    db.session.add(peer)
    db.session.commit()
    return peer


def mirrored(peer, name, *, public=False, web=None, lifetime=timedelta(days=80), **claims):
    """Add a profile that ``peer`` signed and that was taken in."""
    now = datetime.now(UTC)
    document = {"name": name, **claims, "web": EVERYTHING if web is None and public else web or []}
    profile = MirroredProfile(
        peer=peer,
        subject=f"{peer.url}/m/{new_id()}",
        revision=2,
        jws="a.signed.document",
        digest="ab" * 32,
        kid="operational",
        public=public,
        document=document,
        name=name,
        issued_at=now - timedelta(days=2),
        expires_at=now + lifetime,
        received_at=now,
    )
    db.session.add(profile)
    db.session.flush()
    index_mirrored(db.session(), profile, peer)
    db.session.commit()
    return profile


def offer(title, category="", rates=None, **given):
    """Return a service as it stands in a signed profile; rates per hour in euros."""
    priced = {"rate": rates[0], "coworker_rate": rates[1]} if rates else {}
    service = {"id": "1", "title": title, "category": category, "mode": "paid"}
    return {**service, "currency": "EUR", "unit": "hour", **priced, **given}


def address_of(profile):
    """Return the path of a neighbour's profile here."""
    return f"/n/{profile.peer.ref}/{profile.ref}"


def parts(answer):
    """Return the answer's HTML with its nonce, which no two answers share, made equal."""
    return re.sub(r'nonce="[^"]+"', 'nonce=""', answer.text)


def names(answer):
    """Return the names of the people listed, in the order of the page."""
    links = re.findall(r'<a class="stretched"[^>]*>(.*?)</a>', answer.text)
    return [re.sub(r"</?mark>", "", link) for link in links]


def text(answer):
    """Return what the page says, without its markup, on one line."""
    bare = re.sub(r"<(script|style|head)\b.*?</\1>", " ", answer.text, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", bare).split()).replace(" ,", ",")
