"""Who may be seen, as rows of the index.

The index never keeps it. Sets of people are made from the rows of members and peers as they are
now; the cards of a page are read through the scope once more (:mod:`app.search.shown`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import NamedTuple, Self

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from app.models.base import Moment
from app.models.measure import hidden_subjects
from app.models.member import Member
from app.models.peer import MirroredProfile
from app.models.scope import Reader, seen_by
from app.search.neighbours import Neighbour, neighbours
from app.search.people import People, union
from app.search.rows import FACE, FRONT, MEMBER, MIRRORED
from app.search.snapshot import Snapshot
from app.search.statements import Statement
from app.search.tables import doc

# What statements are given; made once, because making them takes as long as asking.
_MOMENT = bindparam("moment", type_=Moment)


class Sight(NamedTuple):
    """Whom one reader may see at one moment, as the rows of members and peers say it then.

    Two that are equal show the same people of one snapshot.
    """

    reader: Reader
    peers: tuple[Neighbour, ...]
    """Those whose people may be shown."""

    ours: tuple[int, ...]
    """Rows of our members who may be seen."""

    unseen: tuple[int, ...]
    """Rows of neighbours' people who are expired, or hidden."""

    @classmethod
    def of(cls, session: Session, reader: Reader, now: datetime) -> Self:
        """Read the rows as they are for ``session``."""
        # What is changed and not yet written counts as well.
        session.flush()
        connection = session.connection()
        ours = _ours(reader).rows(connection)
        unseen = _unseen().rows(connection, {"moment": now})
        return cls(reader, neighbours(connection), _numbers(ours), _numbers(unseen))

    def rows(self, held: Snapshot) -> People:
        """Return everybody who may be seen."""
        theirs = union([held.of_peer[peer.id] for peer in self.peers if peer.id in held.of_peer])
        ours = People(self.ours) & held.members
        if self.reader is Reader.VISITOR:
            theirs, ours = theirs & held.public, ours & held.public
        else:
            theirs, ours = theirs - held.fronts, ours - held.faces
        return ours | theirs - People(self.unseen)


def _numbers(rows: Sequence[Sequence[int]]) -> tuple[int, ...]:
    return tuple([number for (number,) in rows])


@cache
def _ours(reader: Reader) -> Statement:
    """Select the rows of those of our members whom ``reader`` may see."""
    return Statement(_rows(select(Member.id).where(seen_by(reader)), MEMBER, FACE))


@cache
def _unseen() -> Statement:
    """Select the rows of neighbours' people who are expired at ``moment``, or hidden."""
    expired = select(MirroredProfile.id).where(MirroredProfile.expires_at <= _MOMENT)
    hidden = select(doc.c.id).where(
        doc.c.kind.in_((MIRRORED, FRONT)), doc.c.subject.in_(hidden_subjects())
    )
    # Not one or the other in one condition: PostgreSQL would read every profile for it.
    return Statement(_rows(expired, MIRRORED, FRONT).union(hidden), "moment")


def _rows(owners: Select[int], *kinds: str) -> Select[int]:
    """Select the rows of these kinds that stand for ``owners``."""
    # Not joined: a planner without statistics would begin with everybody in the index.
    return select(doc.c.id).where(doc.c.kind.in_(kinds), doc.c.owner.in_(owners))
