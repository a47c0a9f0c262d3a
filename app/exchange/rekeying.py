"""What follows from a change of keys: everything is signed anew, and the neighbours are told.

A change on schedule is noticed by nobody: the key that takes over was announced on the door plate
long before, the former one stays published while neighbours read what is signed anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.exchange import awaiting, checkpoints, outbox, publish, rotation
from app.exchange.identity import Identity, load_identity
from app.models.journal import note
from app.models.peer import Peer

#: How long after a change a process that had read the former key may still sign with it: longer
#: than a request takes.
LATE_SIGNATURES = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Where the keys are, and how old the operational one may become."""

    folder: Path
    after: timedelta
    """Zero: it is never changed by itself."""


def keep_schedule(
    session: Session, schedule: Schedule | None, identity: Identity, now: datetime
) -> str:
    """Change the operational key if it is due, and say what was done; commits on the way.

    Not while neighbours are asked what was signed before a backup: until they have told, nothing
    of before is signed again, and the former key would run out meanwhile.
    """
    if schedule is None or not schedule.after:
        return "not by schedule"
    if awaiting.since(session) is not None:
        return "neighbours are awaited"
    session.commit()
    fresh = rotation.rotate_if_due(schedule.folder, now, schedule.after)
    if fresh is None:
        return "not due"
    note(session, now, "event", "keys.rotated", actor="worker", detail=fresh)
    current = load_identity(schedule.folder, identity.entity_id, development=identity.development)
    signed = follow(session, current, now)
    return f"{fresh} signs from now on, {signed} documents signed again"


def follow(session: Session, identity: Identity, now: datetime) -> int:
    """Sign anew what a replaced key signed, and make the neighbours look; return how much.

    Commits batch by batch; the caller commits the rest.
    """
    signed = 0
    while done := publish.renew(session, identity, now):
        signed += done
        session.commit()
    checkpoints.make(session, identity, now)
    outbox.request(session, outbox.RENEW, "", now, due_at=now + LATE_SIGNATURES)
    for peer in session.scalars(select(Peer).where(Peer.ours == "approved")):
        # A new root key has to sign our yes anew; and a notice brings readers to our door.
        for kind in (outbox.STATEMENT, outbox.NOTICE):
            outbox.request(session, kind, str(peer.id), now, peer_id=peer.id)
    return signed
