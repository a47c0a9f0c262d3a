"""What the page of neighbours shows: each known space once, under how it stands.

Whoever waits for an answer is always shown. Of neighbours there may be a thousand: they come a page
at a time, those that need an admin first, and can be looked for by name, as can all the others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import g, request, url_for
from sqlalchemy import func, select

from app.database import db
from app.exchange import awaiting, lag, peers, standing
from app.exchange.identity import Identity
from app.models.feed import FeedEntry
from app.models.peer import MirroredProfile, Peer
from app.models.watch import Trial
from app.search.text import fold
from app.web import forms, lag_curve, peering_words, troubles
from app.web.lag_curve import Curve
from app.web.peering_words import Health
from app.web.troubles import Trouble

#: Neighbours on one page.
ON_A_PAGE = 50

#: Characters of what is looked for.
WORDS = 120

#: Characters of the reference of a space.
REFERENCE = 26

#: Spaces whose six words are made for one page: each costs a tenth of a second, and whoever knocks
#: decides how many there are. The others' are one link away.
WORDS_AT_ONCE = 12


@dataclass(frozen=True, slots=True)
class Asked:
    """Which part of the neighbours somebody wants to see."""

    words: str = ""
    number: int = 1
    compare: str = ""
    """The reference of the space whose six words must be among those shown."""

    @classmethod
    def from_request(cls) -> Asked:
        """Read it from the address of the page that is asked for, or on which was decided."""
        where = request.headers.get("HX-Current-URL", "")
        given = request.args.to_dict()
        if request.method != "GET" and where.startswith(url_for("neighbours.show", _external=True)):
            given = {name: values[0] for name, values in parse_qs(urlsplit(where).query).items()}
        number = given.get("page", "")
        return cls(
            forms.line(given.get("q", ""))[:WORDS],
            int(number) if number.isascii() and number.isdecimal() and 0 < len(number) < 6 else 1,
            given.get("compare", "")[:REFERENCE],
        )

    def address(self, number: int) -> str:
        """Return the address of another page of the same; what is usual is left out."""
        given: dict[str, Any] = {"q": self.words} if self.words else {}
        if number > 1:
            given["page"] = number
        return url_for("neighbours.show", **given)

    def means(self, peer: Peer) -> bool:
        """Tell whether ``peer`` is looked for, by its name, its city or its address."""
        texts = fold(" ".join((peer.name, peer.city, peer.url)))
        return all(word in texts for word in fold(self.words).split())


@dataclass(frozen=True, slots=True)
class Row:
    """A neighbour with whom profiles are exchanged, and how that goes."""

    peer: Peer
    health: Health
    trouble: Trouble | None
    held: int
    curve: Curve
    compared: str
    """Whether our copy is its list, and since when, in words."""

    awaited: bool
    """It has not told yet what it holds of us, since we are back from a backup."""

    trial: Trial | None
    """The test that a worker has still to do, or did lately."""


def doors(identity: Identity, compare: str = "") -> dict[str, Any]:
    """Return what is asked for of all that is known, for the templates of ``neighbours/``.

    :param compare: whose words to show, whatever was asked for.
    """
    asked = Asked.from_request()
    every = list(db.session.scalars(select(Peer).order_by(Peer.name, Peer.url)))
    knockers = [peer for peer in every if peer.ours in ("requested", "key_hold")]
    known = [peer for peer in every if asked.means(peer)]
    active = [peer for peer in known if standing.is_active(peer, identity)]
    waiting = [peer for peer in known if peer.ours == "approved" and peer not in active]
    over = [peer for peer in known if peer.ours in ("ended", "blocked")]
    asking = [peer for peer in over if peer.ours == "ended" and peer.theirs == "approved"]
    pages = max(1, -(-len(active) // ON_A_PAGE))
    number = max(1, min(asked.number, pages))
    return {
        "asked": asked,
        "number": number,
        "pages": pages,
        "many": asked.words or len(every) > ON_A_PAGE,
        "knockers": knockers,
        "total": len(active),
        "active": _rows(active, number),
        "waiting": waiting,
        "suspended": [peer for peer in known if peer.ours == "suspended"],
        "over": over,
        "words": _words((*knockers, *waiting, *asking), identity, compare or asked.compare),
        "sent": _profiles_sent(),
        "our_kid": identity.root_kid,
        "hex_groups": peering_words.hex_groups,
    }


def _words(
    to_compare: Iterable[Peer], identity: Identity, compare: str
) -> dict[int, tuple[str, ...]]:
    """Return the words of the first ``WORDS_AT_ONCE``, and of the space that was asked for."""
    in_order = sorted(
        (peer for peer in to_compare if peer.kid_to_compare), key=lambda peer: peer.ref != compare
    )
    return {peer.id: peers.pair_code_of(peer, identity) for peer in in_order[:WORDS_AT_ONCE]}


def _rows(active: Sequence[Peer], number: int) -> list[Row]:
    """Return one page of the neighbours, those that need an admin first on the first."""
    healths = {peer.id: peering_words.health(peer, g.now) for peer in active}
    in_order = sorted(active, key=lambda peer: healths[peer.id].state in ("ok", ""))
    shown = in_order[(number - 1) * ON_A_PAGE : number * ON_A_PAGE]
    ids = [peer.id for peer in shown]
    held, samples = _profiles_held(ids), lag.over_a_day(db.session(), g.now, ids)
    awaited = {peer.id for peer in awaiting.awaited(db.session())}
    tested = select(Trial).where(Trial.peer_id.in_(ids))
    trials = {trial.peer_id: trial for trial in db.session.scalars(tested)}
    return [
        Row(
            peer=peer,
            health=healths[peer.id],
            trouble=troubles.of(peer),
            held=held.get(peer.id, 0),
            curve=lag_curve.curve(samples.get(peer.id, ()), lag.behind(peer, g.now), g.now),
            compared=peering_words.compared(peer),
            awaited=peer.id in awaited,
            trial=trials.get(peer.id),
        )
        for peer in shown
    ]


def _profiles_held(ids: Collection[int]) -> dict[int, int]:
    held = (
        select(MirroredProfile.peer_id, func.count())
        .where(MirroredProfile.peer_id.in_(ids))
        .group_by(MirroredProfile.peer_id)
    )
    return {peer_id: count for peer_id, count in db.session.execute(held)}


def _profiles_sent() -> int:
    return db.session.scalar(select(func.count()).where(FeedEntry.kind == "profile")) or 0
