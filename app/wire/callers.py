"""Which neighbour is asking: the signed assertion of one request, used once.

The issuer's row is looked up by the name the assertion bears, its key by the plate that our admin
compared; a name that we do not know is refused, and never looked up in the network.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TypeVar

from flask import current_app, request
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.database import db
from app.exchange import entities, outbox, standing
from app.exchange.identity import Identity
from app.models.engine import set_reading
from app.models.job import SeenAssertion
from app.models.peer import Peer
from federation import signing
from federation.documents import Assertion
from federation.envelope import Document
from federation.errors import (
    DocumentError,
    ExpiredError,
    KeyUnknownError,
    NotPeeredError,
    SuspendedError,
    UnknownIssuerError,
)

D = TypeVar("D", bound=Document)

#: A neighbour's plate is not read again for an unknown key sooner than this after the last time.
PLATE_REST = timedelta(minutes=10)


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
    _use_once(peer, assertion)
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
        _look_at_its_plate(peer, now)
        raise


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


def _use_once(peer: Peer, assertion: Assertion) -> None:
    """Remember the assertion, so that nobody who saw it can use it again.

    :raises ExpiredError: it was used before.
    """
    used = SeenAssertion(jti=f"{peer.url} {assertion.jti}", expires_at=assertion.expires_at)
    # Reading so far: the line is written in a transaction of its own, begun as a writer's.
    db.session.rollback()
    set_reading(False)
    try:
        db.session.add(used)
        db.session.commit()
    except IntegrityError as error:
        db.session.rollback()
        raise ExpiredError("this assertion was used before") from error
    finally:
        set_reading(True)


def _look_at_its_plate(peer: Peer, now: datetime) -> None:
    """Make a look at the plate of a known space due: perhaps it rotated its key."""
    if peer.entity_read_at is not None and peer.entity_read_at > now - PLATE_REST:
        return
    peer_id = peer.id
    db.session.rollback()
    set_reading(False)
    outbox.request(db.session(), outbox.ENTITY, str(peer_id), now, peer_id=peer_id)
    db.session.commit()
