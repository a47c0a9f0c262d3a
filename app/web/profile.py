"""One person's page: what they can be asked for, and whose word that is.

A neighbour's profile is shown while its space is a neighbour, its document has not expired, and
the reader is one whom its consent covers. In every other case the page does not exist (404).
"""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, g, request, url_for
from sqlalchemy import or_, select

from app.database import db
from app.models.member import Member
from app.models.peer import MirroredProfile, Peer
from app.models.scope import Reader, mirrored_seen_by, seen_by
from app.search.cards import (
    Card,
    CardService,
    card_of_member,
    card_of_mirrored,
    for_visitors,
    shows_all,
)
from app.search.places import distance
from app.search.translations import for_reader, languages_of
from app.search.versions import best
from app.web.access import account, anyone, reader, signed_in
from app.web.languages import ranges
from app.web.pages import page
from federation import vocabulary

bp = Blueprint("profile", __name__)

#: Groups of four hexadecimal digits shown of a key; enough to recognise, not to compare.
KEY_GROUPS = 4


@bp.get("/m/<ref>")
@anyone
def show(ref: str) -> Response:
    seen = or_(seen_by(reader()), own())
    member = db.one_or_404(select(Member).where(Member.ref == ref, seen))
    whole = account() is not None and member == signed_in().member
    card = card_of_member(member, g.space, g.now.date(), Reader.SELF if whole else reader())
    return _page(card, member=member, profile=None)


@bp.get("/n/<peer_ref>/<ref>")
@anyone
def show_mirrored(peer_ref: str, ref: str) -> Response:
    profile = mirrored_profile(peer_ref, ref)
    card = card_of_mirrored(profile, g.now)
    if reader() is Reader.VISITOR:
        card = for_visitors(card, profile.document)
    return _page(card, member=None, profile=profile)


def mirrored_profile(peer_ref: str, ref: str) -> MirroredProfile:
    """Return the neighbour's profile at this address, if the current reader may see it (404)."""
    shown = select(MirroredProfile).join(MirroredProfile.peer)
    shown = shown.where(Peer.ref == peer_ref, mirrored_seen_by(reader(), g.now))
    # The reference is the end of the subject: compared here and not with LIKE, whose % and _
    # would let a stranger's reference match somebody else's.
    peer = db.one_or_404(select(Peer).where(Peer.ref == peer_ref))
    profile: MirroredProfile = db.one_or_404(
        shown.where(MirroredProfile.subject == f"{peer.url}/m/{ref}")
    )
    return profile


def shown_whole(profile: MirroredProfile) -> bool:
    """Say whether the current reader sees all that ``profile`` says."""
    whole = profile.for_anybody and shows_all(profile.document)
    return reader() is Reader.MEMBER or whole


def own() -> Any:
    """Return the condition under which a member is whoever is signed in."""
    person = account()
    return Member.id == (person.member_id if person else None)


def shared_interests(card: Card) -> set[str]:
    """Return which of the card's interests the reader has too."""
    person = account()
    mine = person.member.interests if person and person.member else []
    wanted = {interest.casefold() for interest in mine}
    return {interest for interest in card.interests if interest.casefold() in wanted}


def regulated(card: Card) -> list[CardService]:
    """Return the services whose profession is reserved by law in at least one country."""
    known = vocabulary.specialities()
    return [
        one for one in card.services if one.speciality in known and known[one.speciality].regulated
    ]


def key_groups(kid: str) -> str:
    """Return the first groups of a key's thumbprint (RFC 7638) as hexadecimal digits."""
    try:
        digest = base64.urlsafe_b64decode(kid + "=" * (-len(kid) % 4)).hex().upper()
    except (binascii.Error, ValueError):  # not a thumbprint: show nothing rather than guess
        return ""
    return " ".join(digest[at : at + 4] for at in range(0, KEY_GROUPS * 4, 4))


def way_back() -> str:
    """Return the list that the reader came from, empty when they came from anywhere else."""
    came_from = urlsplit(request.referrer or "")
    if came_from.netloc != request.host:
        return ""
    if came_from.path not in (url_for("search.show"), url_for("directory.show")):
        return ""
    return came_from.path + (f"?{came_from.query}" if came_from.query else "")


def person(card: Card, peer: Peer | None) -> dict[str, Any]:
    """Return what the block of the page shows in which the person is described."""
    texts = languages_of(card)
    read = ranges()
    wanted = request.args.get("texts", "")
    chosen = [wanted] if wanted in texts else []
    card = for_reader(card, [*chosen, *read])
    shown = chosen[0] if chosen else best(read, texts) or card.locale
    return {
        "card": card,
        "texts": texts,
        "shown": shown,
        "strange": bool(shown) and not best(read, [shown]),
        "km": distance(g.space, peer) if peer else None,
        "shared": shared_interests(card),
    }


def _page(card: Card, member: Member | None, profile: MirroredProfile | None) -> Response:
    # Of our own members, their last word; of others, when their space last stood by theirs.
    confirmed: datetime | None = member.true_at if member else card.confirmed_at or card.issued_at
    return page(
        "profile/show.html",
        **person(card, profile.peer if profile else None),
        member=member,
        profile=profile,
        confirmed=confirmed,
        regulated=regulated(card),
        way_back=way_back(),
        key_groups=key_groups,
        whole=profile is not None and shown_whole(profile),
    )
