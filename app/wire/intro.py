"""Where members of neighbours write to ours: introductions and replies.

The answer is the same whoever is written to, there or not, willing or not, and so is the work
before it: neither the sender nor the admin of their space learns who coworks here, or who does not
want to hear from whom. Who that is, a worker looks up when it opens the letter.
"""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Response, current_app

from app.database import db
from app.exchange import arrivals
from app.exchange.identity import Identity
from app.wire import problems
from app.wire.callers import known_issuer, require_neighbour, signed_by
from app.wire.messages import document
from app.wire.rates import MESSAGES, count
from app.wire.rules import machines
from federation import signing
from federation.entity import PATH
from federation.errors import UnknownTypeError
from federation.introductions import LETTERS

bp = Blueprint("intro", __name__, url_prefix=PATH)
problems.register(bp)


@bp.post("/intro")
@machines
def create() -> Response:
    """Put aside what a member of a neighbour says to one of ours."""
    count(MESSAGES, "intro")
    token, now = document(), datetime.now(UTC)
    identity: Identity = current_app.extensions["identity"]
    typ = signing.typ_of(token)
    kind = next((kind for kind in LETTERS if kind.typ == typ), None)
    if kind is None:
        raise UnknownTypeError(f"no letter: {typ or 'no type'}")
    peer = known_issuer(token, typ)
    letter = signed_by(peer, token, kind, now)
    letter.require(peer.url, identity.entity_id, now)
    require_neighbour(peer, identity)
    arrivals.put_aside(db.session(), peer, letter, token, now)
    db.session.commit()
    return Response(status=202)
