"""What neighbours tell us: statements, notices, acknowledgements.

The body is the signed document itself. It is measured before it is read, its issuer looked up
among the spaces we know, and only a request to become neighbours may come from a stranger: that
one is put aside, and a worker looks at the stranger's door later.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Blueprint, Response, current_app, request
from sqlalchemy import select

from app.database import db
from app.exchange import awaiting, outbox, peers, receipts, standing
from app.exchange.identity import Identity
from app.models.job import Job
from app.models.journal import JournalEntry, note
from app.models.peer import Peer
from app.wire import problems
from app.wire.callers import known_issuer, look_at_its_plate, require_neighbour, signed_by
from app.wire.rates import MESSAGES, STATEMENTS, count
from app.wire.rules import machines
from federation import signing
from federation.client import JWT
from federation.documents import Ack, Notice, PeeringStatement
from federation.entity import PATH
from federation.errors import (
    FederationError,
    KeyUnknownError,
    MediaTypeError,
    RateLimitedError,
    TooLargeError,
    UnknownCheckpointError,
    UnknownIssuerError,
)
from federation.identifiers import EntityId, is_loopback
from federation.limits import JWS_BYTES

bp = Blueprint("messages", __name__, url_prefix=PATH)
problems.register(bp)

#: Requests of strangers that may wait, in all and from one registrable domain.
PENDING, PENDING_PER_DOMAIN = 100, 3

#: Seconds after which a stranger may try again when the hall is full.
FULL_SECONDS = 3600

#: Notices make a pull due at once, but not more often than this.
PULL_REST = timedelta(seconds=5)


@bp.post("/peering")
@machines
def create_statement() -> Response:
    """Take in a space's half of a peering, or a stranger's request."""
    count(STATEMENTS, "peering")
    token, now = document(), datetime.now(UTC)
    identity = _identity()
    issuer = signing.claimed_issuer(token, PeeringStatement.typ)
    if issuer == identity.entity_id:
        raise UnknownIssuerError("that is us")
    peer = db.session.scalars(select(Peer).filter_by(url=issuer)).one_or_none()
    if peer is None:
        _put_aside(issuer, token, identity, now)
    elif peer.ours == "blocked":
        # Not heard, and not told so: silence is what blocking means.
        pass
    else:
        _receive(peer, token, identity, now)
    db.session.commit()
    return Response(status=202)


@bp.post("/notify")
@machines
def create_notice() -> Response:
    """Hear that a neighbour's directory changed: its next pull is due."""
    count(MESSAGES, "notify")
    token, now = document(), datetime.now(UTC)
    identity = _identity()
    peer = known_issuer(token, Notice.typ)
    notice = signed_by(peer, token, Notice, now)
    notice.require(peer.url, identity.entity_id)
    require_neighbour(peer, identity)
    # Not the position that we hold, but the one whose root we have seen: only then all is known.
    # And when it did not answer us last time, it is back, whatever else it says.
    if notice.epoch != peer.epoch or notice.seq > peer.their_seq or peer.failures:
        rested = peer.last_success_at is None or peer.last_success_at < now - PULL_REST
        due = now if rested else now + PULL_REST
        outbox.request(db.session(), outbox.PULL, str(peer.id), now, due_at=due, peer_id=peer.id)
    db.session.commit()
    return Response(status=202)


@bp.post("/ack")
@machines
def create_ack() -> Response:
    """Keep a neighbour's signed word that its copy of our view has the root that we signed."""
    count(MESSAGES, "ack")
    token, now = document(), datetime.now(UTC)
    identity = _identity()
    peer = known_issuer(token, Ack.typ)
    ack = signed_by(peer, token, Ack, now)
    ack.require(peer.url, identity.entity_id, now)
    try:
        receipts.take(db.session(), peer, ack, token, now)
    except UnknownCheckpointError as error:
        if standing.is_active(peer, identity):
            # Did we sign it before our database went back? Then the neighbour can show it.
            awaiting.doubt(db.session(), peer, now)
        _journal(peer, error, token, now)
        raise
    db.session.commit()
    return Response(status=202)


def _identity() -> Identity:
    identity: Identity = current_app.extensions["identity"]
    return identity


def document() -> str:
    """Return the body, if it is one signed document by its media type and size.

    :raises MediaTypeError: anything but exactly ``application/jwt``.
    :raises TooLargeError: more than a document may have.
    """
    if request.content_type != JWT:
        raise MediaTypeError(f"send one signed document as {JWT}")
    # Refused by its announced length; where it announces none it is cut off, and nobody says so:
    # one character past the limit tells.
    request.max_content_length = JWS_BYTES + 1
    body = request.get_data(cache=False)
    if len(body) > JWS_BYTES:
        raise TooLargeError(f"more than {JWS_BYTES} bytes")
    return body.decode("ascii", "replace")


def _receive(peer: Peer, token: str, identity: Identity, now: datetime) -> None:
    try:
        peers.receive_statement(db.session(), peer, token, identity, now)
    except FederationError as error:
        db.session.rollback()
        if isinstance(error, KeyUnknownError):
            # Signed with another root key than the one compared: a worker reads its plate, and
            # freezes the peering if the key was never announced.
            announced = _is_announced(peer, token)
            look_at_its_plate(peer, now)
            if announced:
                # Its root key changed as it said it would: nothing that an admin has to know.
                raise
        _journal(peer, error, token, now)
        raise


def _is_announced(peer: Peer, token: str) -> bool:
    """Say whether ``token`` names a root key that the plate of ``peer`` said may follow."""
    try:
        return signing.kid_of(token) in peer.entity.get("next_kids", ())
    except FederationError:
        return False


def _journal(peer: Peer, error: FederationError, token: str, now: datetime) -> None:
    """Keep what was refused, with the document, and commit."""
    note(
        db.session(), now, "refusal", error.code, actor="wire", peer=peer,
        detail=str(error), evidence=token,
    )  # fmt: skip
    db.session.commit()


def _put_aside(issuer: str, token: str, identity: Identity, now: datetime) -> None:
    """Keep a stranger's request for a worker, if there is room for it.

    :raises ForbiddenAddressError: the issuer has no address that a space can have.
    :raises RateLimitedError: too many requests wait already.
    """
    address = EntityId.parse(issuer, development=identity.development)
    waiting = [
        *db.session.scalars(select(Job.key).where(Job.kind == outbox.KNOCK)),
        *db.session.scalars(select(Peer.url).where(peers.undecided())),
    ]
    if issuer in waiting:
        # Asking again brings no worker sooner: or anybody could aim our visits at that address.
        return
    domain = _domain(address.host)
    near = [url for url in waiting if _domain(EntityId(url).host) == domain]
    if len(waiting) >= PENDING or (len(near) >= PENDING_PER_DOMAIN and domain):
        raise RateLimitedError("too many requests wait for an answer here", FULL_SECONDS)
    if _refused_lately(issuer, now):
        raise RateLimitedError("we looked at that door, and saw no request", FULL_SECONDS)
    outbox.request(db.session(), outbox.KNOCK, issuer, now, body=token)


def _refused_lately(issuer: str, now: datetime) -> bool:
    since = now - timedelta(seconds=FULL_SECONDS)
    found = select(JournalEntry.id).where(
        JournalEntry.kind == "refusal", JournalEntry.subject == issuer, JournalEntry.at > since
    )
    return db.session.scalar(found.limit(1)) is not None


def _domain(host: str) -> str:
    """Return the registrable domain, roughly: the last two labels; empty for this machine."""
    return "" if is_loopback(host) else ".".join(host.split(".")[-2:])
