"""How far behind our copy of each neighbour is, now and over the last day.

A copy is behind from the moment at which it was last known to be what its space states: the last
complete answer, or, while their roots differ, the first moment at which they did. It is sampled
every hour, so that what was wrong in the night can be seen in the morning; reading a neighbour
that has nothing new writes nothing for it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from app.models.peer import Peer
from app.models.watch import LagSample

#: How often samples are taken, and how long they are kept: what the page shows.
SAMPLED_EVERY = timedelta(hours=1)
KEPT = timedelta(hours=24)

#: A moment, and how far behind the copy was then.
Sample = tuple[datetime, timedelta]


def behind(peer: Peer, now: datetime) -> timedelta | None:
    """Return how long the copy of ``peer`` is not known to be right; ``None`` if there is none."""
    known = [peer.unconfirmed_since, peer.last_success_at]
    since = min((moment for moment in known if moment is not None), default=None)
    return None if since is None else max(now - since, timedelta())


def confirm(peer: Peer, agrees: bool, now: datetime) -> None:
    """Remember whether the copy of ``peer`` is what it states, and since when it is not."""
    if agrees:
        peer.unconfirmed_since = None
    elif peer.unconfirmed_since is None:
        peer.unconfirmed_since = now


def sample(session: Session, now: datetime) -> int:
    """Write down how far behind each copy is, forget yesterday's, and return how many there are.

    The caller commits.
    """
    session.execute(delete(LagSample).where(LagSample.at <= now - KEPT))
    active = select(Peer).where(Peer.ours == "approved", Peer.theirs == "approved")
    rows = [
        {"peer_id": peer.id, "at": now, "seconds": int(lag.total_seconds())}
        for peer in session.scalars(active)
        if (lag := behind(peer, now)) is not None
    ]
    session.execute(delete(LagSample).where(LagSample.at == now))
    if rows:
        session.execute(insert(LagSample), rows)
    return len(rows)


def over_a_day(
    session: Session, now: datetime, peers: Collection[int]
) -> Mapping[int, Sequence[Sample]]:
    """Return the samples of the last 24 hours of these peers, by id, oldest first."""
    recent = (
        select(LagSample.peer_id, LagSample.at, LagSample.seconds)
        .where(LagSample.at > now - KEPT, LagSample.peer_id.in_(peers))
        .order_by(LagSample.at)
    )
    found: dict[int, list[Sample]] = {}
    for peer_id, at, seconds in session.execute(recent):
        found.setdefault(peer_id, []).append((at, timedelta(seconds=seconds)))
    return found
