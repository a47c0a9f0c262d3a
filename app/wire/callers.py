"""Which neighbour is asking: the signed assertion of one request, used once.

The issuer's row is looked up by the name the assertion bears, its key by the plate that our admin
compared; a name that we do not know is refused, and never looked up in the network.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TypeVar

from flask import current_app, request
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from app.database import db
from app.exchange import entities, outbox, standing
from app.exchange.identity import Identity
from app.models.engine import set_reading
from app.models.job import Job, SeenAssertion
from app.models.peer import Peer
from federation import signing
from federation.documents import Assertion
from federation.envelope import Document
from federation.errors import (
    DocumentError,
    ExpiredError,
    KeyUnknownError,
    NotPeeredError,
    RateLimitedError,
    SuspendedError,
    UnknownIssuerError,
)
from federation.limits import ASSERTION_LIFETIME

D = TypeVar("D", bound=Document)

#: A neighbour's plate is not read again for an unknown key sooner than this after the last time.
PLATE_REST = timedelta(minutes=10)

#: Assertions of one neighbour that are remembered at a time: each is good for a few minutes.
ASSERTIONS = 2000


def caller() -> Peer | None:
    """Return the neighbour that makes the current request; ``None`` when it does not say.

    :raises FederationError: it says something that cannot be believed, or is no neighbour.
    """
    token = _bearer()
    if token is None:
        return None
    identity: Identity = current_app.extensions["identity"]
    now = datetime.now(UTC)
    peer = known_issuer(token, Assertion.typ)
    assertion = signed_by(peer, token, Assertion, now)
    url = f"{identity.entity_id}{request.path}"
    assertion.require(peer.url, identity.entity_id, request.method, url, now)
    require_neighbour(peer, identity)
    _use_once(peer, assertion, now)
    return peer


def known_issuer(token: str, typ: str) -> Peer:
    """Return the space that ``token`` names as its issuer, unverified.

    :raises UnknownIssuerError: nobody we know, or only by a key that was never read.
    """
    issuer = signing.claimed_issuer(token, typ)
    peer = db.session.scalars(select(Peer).filter_by(url=issuer)).one_or_none()
    if peer is None or not peer.entity_jws:
        raise UnknownIssuerError("we do not know that space")
    return peer


def signed_by(peer: Peer, token: str, kind: type[D], now: datetime) -> D:
    """Return the document in ``token``, if an operational key on the plate of ``peer`` signed it.

    A key that is not there makes a look at the plate due: perhaps it was changed.

    :raises FederationError: as :func:`federation.signing.read` does.
    """
    try:
        keys = entities.stored_configuration(peer).operational_keys
        return signing.read(token, keys, kind).document
    except KeyUnknownError:
        look_at_its_plate(peer, now)
        raise


def look_at_its_plate(peer: Peer, now: datetime) -> None:
    """Make a look at the plate of a known space due, and commit: perhaps it rotated its key.

    Anybody can write a letter that names an unknown key. Such letters cause one visit at a time,
    never sooner than our own patience with that space says, and cost a read each. In the name of
    a blocked space they cause none.
    """
    if peer.ours == "blocked":
        # Our visit would tell it that somebody was heard.
        return
    peer_id, read_at = peer.id, peer.entity_read_at
    waits = select(Job.id).filter_by(kind=outbox.ENTITY, key=str(peer_id))
    if db.session.scalar(waits) is not None:
        return
    due = now if read_at is None else max(now, read_at + PLATE_REST)
    db.session.rollback()
    set_reading(False)
    outbox.request(db.session(), outbox.ENTITY, str(peer_id), now, due_at=due, peer_id=peer_id)
    db.session.commit()


def require_neighbour(peer: Peer, identity: Identity) -> None:
    """Refuse a space with which documents may not cross.

    :raises SuspendedError, NotPeeredError:
    """
    if peer.ours == "suspended":
        raise SuspendedError("the peering is paused on this side")
    if not standing.is_active(peer, identity):
        raise NotPeeredError("the two spaces have not both approved each other")


def _bearer() -> str | None:
    given = request.headers.get("Authorization")
    if given is None:
        return None
    scheme, _, token = given.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise DocumentError("authorization is a bearer assertion, or nothing")
    return token


def _use_once(peer: Peer, assertion: Assertion, now: datetime) -> None:
    """Remember the assertion, so that nobody who saw it can use it again.

    :raises ExpiredError: it was used before.
    :raises RateLimitedError: so many of the peer are remembered that there is no room.
    """
    first, behind = f"{peer.url} ", f"{peer.url}!"
    used = SeenAssertion(jti=f"{peer.url} {assertion.jti}", expires_at=assertion.expires_at)
    # Reading so far: the line is written in a transaction of its own, begun as a writer's.
    db.session.rollback()
    set_reading(False)
    try:
        db.session.execute(delete(SeenAssertion).where(SeenAssertion.expires_at <= now))
        own = select(func.count()).where(SeenAssertion.jti > first, SeenAssertion.jti < behind)
        if (db.session.scalar(own) or 0) >= ASSERTIONS:
            db.session.rollback()
            raise RateLimitedError("too many requests", ASSERTION_LIFETIME.seconds)
        db.session.add(used)
        db.session.commit()
    except IntegrityError as error:
        db.session.rollback()
        raise ExpiredError("this assertion was used before") from error
    finally:
        set_reading(True)
