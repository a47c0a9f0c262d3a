"""My profile as somebody else gets it: the same templates and functions, another reader.

Nothing is made for this page: what a visitor and a member read is rendered as it is for them, what
neighbours get is read back from the feed, and their page is made of that document as theirs is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, abort, current_app, g, url_for
from jinja2_fragments.flask import render_block
from markupsafe import Markup

from app.database import db
from app.exchange.given import given
from app.exchange.identity import Identity
from app.models.member import NAME, Member
from app.models.peer import MirroredProfile, Peer
from app.models.scope import Reader, may_see
from app.models.space import Space
from app.search.cards import Card, card_of_member, card_of_mirrored
from app.search.find import find
from app.search.query import Query, clean
from app.search.telling import told
from app.web import profile
from app.web.access import members, reading_as, signed_in
from app.web.languages import language
from app.web.pages import page

bp = Blueprint("view_as", __name__)

#: Who looks, by the last part of the address. A space gets documents, and no page.
READERS = {
    "visitor": Reader.VISITOR,
    "member": Reader.MEMBER,
    "neighbour": Reader.NEIGHBOUR,
    "space": None,
}

#: People of one name among whom the member is looked for, as a program would.
NAMESAKES = 200


@bp.get("/me/as/<who>")
@members
def show(who: str) -> Response:
    """Show what ``who`` gets: a page, and what programs are answered."""
    if who not in READERS:
        abort(404)
    member = signed_in().member
    seen, document = "", None
    if member is not None:
        seen = _page_for(member, READERS[who])
        document = _document_for(member, who)
    return page(
        "my_profile/seen.html",
        who=who,
        readers=tuple(READERS),
        member=member,
        seen=seen,
        document=document,
        asked=_asked(member) if member and who in ("visitor", "member") else "",
    )


def _page_for(member: Member, whom: Reader | None) -> Any:
    """Return the profile as the page shows it to ``whom``; empty when there is no page."""
    if whom is None:
        return ""
    with reading_as(whom):
        card = _card(member, whom)
        if card is None:
            return ""
        return Markup(render_block("profile/show.html", "profile", **profile.person(card, None)))  # noqa: S704  # our own template escaped it


def _card(member: Member, whom: Reader) -> Card | None:
    if whom is Reader.NEIGHBOUR:
        found = given(db.session(), member, _identity())
        return None if found is None else _mirrored(member, found.claims)
    if not may_see(whom, member, NAME):
        return None
    return card_of_member(member, g.space, g.now.date(), whom)


def _mirrored(member: Member, claims: Mapping[str, Any]) -> Card:
    """Return the card that a neighbour makes of the document, with the photo where it is here."""
    space: Space = g.space
    here = Peer(
        ref="here", url=space.url, name=space.name, city=space.city, country=space.country,
        enamel=space.enamel, latitude=space.latitude, longitude=space.longitude,
        failures=0, last_success_at=g.now,
    )  # fmt: skip
    copy = MirroredProfile(
        subject=claims["sub"], name=claims["name"], document=dict(claims), issued_at=g.now
    )
    card = card_of_mirrored(copy, g.now, here)
    photo = (claims.get("photo") or {}).get("digest", "")
    return replace(card, kind="member", ref=member.ref, photo=photo)


def _document_for(member: Member, who: str) -> dict[str, Any] | None:
    """Return what a program of such a reader is answered; ``None`` when that is nothing."""
    if who in ("neighbour", "space"):
        found = given(db.session(), member, _identity())
        return None if found is None else found.claims
    # A program is a visitor, with or without somebody's cookie: see app/wire/search.py.
    query = Query(words=clean(member.name))
    answer = find(
        db.session(), query, Reader.VISITOR, g.space, g.now, limit=NAMESAKES, ranges=[language()]
    )
    hits = (*answer.hits, *answer.perhaps)
    mine = [one for one in hits if one.card.kind == "member" and one.card.ref == member.ref]
    return told(mine[0], language()) if mine else None


def _asked(member: Member) -> str:
    return url_for("search_api.show", q=member.name, lang=language())


def _identity() -> Identity:
    identity: Identity = current_app.extensions["identity"]
    return identity
