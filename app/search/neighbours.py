"""The neighbours whose people may be shown, as far as a search needs to know them.

Read anew for each search, as plain values: two that are equal say the same, so that whatever was
worked out of them holds for as long as they do.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, select

from app.models.peer import Peer
from app.models.scope import shown_peers
from app.search.statements import Statement


class Neighbour(NamedTuple):
    """One of them: the same names as in :class:`app.models.peer.Peer`."""

    id: int
    ref: str
    url: str
    name: str
    city: str
    country: str
    enamel: str
    latitude: float | None
    longitude: float | None
    failures: int
    last_success_at: datetime | None
    unconfirmed_since: datetime | None


_SHOWN = Statement(
    select(*(getattr(Peer, name) for name in Neighbour._fields))
    .where(shown_peers())
    .order_by(Peer.id)
)


def neighbours(connection: Connection) -> tuple[Neighbour, ...]:
    """Return those whose people may be shown now."""
    return tuple([Neighbour._make(row) for row in _SHOWN.rows(connection)])
