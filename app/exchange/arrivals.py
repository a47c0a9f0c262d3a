"""Letters of neighbours between the door and the people they are for.

At the door a letter is counted and put aside, and that is all: nothing there depends on whether
the person exists, is shown, or wants to hear it, so the time it takes tells nothing either. A
worker opens what arrived, the letters of one conversation in their order.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.exchange import contacts, conversations, outbox
from app.exchange.identity import Identity
from app.models.conversation import Arrival
from app.models.peer import Peer
from federation import signing
from federation.errors import RateLimitedError
from federation.introductions import LETTERS, Introduction, Reply

#: Letters of one space that may wait to be opened; a worker opens hundreds in a second.
WAITING = 1000

#: Seconds after which a letter for which there was no room is brought again.
ASK_AGAIN = 300


def put_aside(
    session: Session, peer: Peer, letter: Introduction | Reply, token: str, now: datetime
) -> None:
    """Keep a letter that ``peer`` signed for the worker; the caller commits.

    :raises RateLimitedError: its sender, or its space, opens too many conversations, or so many
        letters of the space wait that there is no room.
    """
    if isinstance(letter, Introduction):
        if contacts.is_known(session, letter):
            return
        contacts.require_patience(session, letter, now)
        contacts.count(session, letter, now)
    digest = signing.digest(token)
    if session.scalar(select(Arrival.id).filter_by(digest=digest)) is not None:
        return
    waiting = select(func.count(Arrival.id)).filter_by(peer_id=peer.id)
    if (session.scalar(waiting) or 0) >= WAITING:
        raise RateLimitedError("too many letters wait to be opened here", ASK_AGAIN)
    opened_by = letter.issuer if isinstance(letter, Introduction) else letter.opened_by
    talk = f"{opened_by} {letter.id}"
    session.add(Arrival(peer_id=peer.id, talk=talk, digest=digest, token=token, at=now))
    outbox.request(session, outbox.ARRIVAL, talk, now)


def open_waiting(session: Session, talk: str, identity: Identity, now: datetime) -> str:
    """Give what waits of one conversation to whom it is for, in order, and commit each.

    :returns: what was done, in a word.
    """
    opened = 0
    while (arrival := _next(session, talk)) is not None:
        peer = session.get_one(Peer, arrival.peer_id)
        conversations.receive(session, peer, _letter(arrival.token), identity, now)
        session.delete(arrival)
        session.commit()
        opened += 1
    return f"{opened} opened"


def _next(session: Session, talk: str) -> Arrival | None:
    waiting = select(Arrival).filter_by(talk=talk).order_by(Arrival.id).limit(1)
    return session.scalars(waiting).one_or_none()


def _letter(token: str) -> Introduction | Reply:
    """Read a letter whose signature the door has checked."""
    typ = signing.typ_of(token)
    kind = next(kind for kind in LETTERS if kind.typ == typ)
    return kind.from_claims(signing.unverified_claims(token, typ))
