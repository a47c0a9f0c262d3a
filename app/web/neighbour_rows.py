"""What the page of neighbours shows: each known space once, under how it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import g
from sqlalchemy import func, select

from app.database import db
from app.exchange import awaiting, lag, peers, standing
from app.exchange.identity import Identity
from app.models.feed import FeedEntry
from app.models.peer import MirroredProfile, Peer
from app.models.watch import Trial
from app.web import lag_curve, peering_words, troubles
from app.web.lag_curve import Curve
from app.web.peering_words import Health
from app.web.troubles import Trouble


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


def doors(identity: Identity) -> dict[str, Any]:
    """Return all that is known of other spaces, for the templates of ``neighbours/``."""
    known = list(db.session.scalars(select(Peer).order_by(Peer.name, Peer.url)))
    active = [peer for peer in known if standing.is_active(peer, identity)]
    waiting = [peer for peer in known if peer.ours == "approved" and peer not in active]
    knockers = [peer for peer in known if peer.ours in ("requested", "key_hold")]
    over = [peer for peer in known if peer.ours in ("ended", "blocked")]
    asking = [peer for peer in over if peer.ours == "ended" and peer.theirs == "approved"]
    return {
        "knockers": knockers,
        "active": _rows(active),
        "waiting": waiting,
        "suspended": [peer for peer in known if peer.ours == "suspended"],
        "over": over,
        # Words cost a tenth of a second each: only those that the page shows.
        "words": {
            peer.id: peers.pair_code_of(peer, identity)
            for peer in (*knockers, *waiting, *asking)
            if peer.kid_to_compare
        },
        "sent": _profiles_sent(),
        "our_kid": identity.root_kid,
        "hex_groups": peering_words.hex_groups,
    }


def _rows(active: Sequence[Peer]) -> list[Row]:
    """Return the neighbours, those that need an admin first."""
    held, samples = _profiles_held(), lag.over_a_day(db.session(), g.now)
    awaited = {peer.id for peer in awaiting.awaited(db.session())}
    trials = {trial.peer_id: trial for trial in db.session.scalars(select(Trial))}
    rows = [
        Row(
            peer=peer,
            health=peering_words.health(peer, g.now),
            trouble=troubles.of(peer),
            held=held.get(peer.id, 0),
            curve=lag_curve.curve(samples.get(peer.id, ()), lag.behind(peer, g.now), g.now),
            compared=peering_words.compared(peer),
            awaited=peer.id in awaited,
            trial=trials.get(peer.id),
        )
        for peer in active
    ]
    return sorted(rows, key=lambda row: row.health.state in ("ok", ""))


def _profiles_held() -> dict[int, int]:
    held = select(MirroredProfile.peer_id, func.count()).group_by(MirroredProfile.peer_id)
    return {peer_id: count for peer_id, count in db.session.execute(held)}


def _profiles_sent() -> int:
    return db.session.scalar(select(func.count()).where(FeedEntry.kind == "profile")) or 0
