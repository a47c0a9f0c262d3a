"""The door plate: who we are, under which keys (OpenID Federation 1.1, section 9)."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Response, abort, current_app, request

from app.database import db
from app.exchange.entities import our_configuration
from app.models.space import Space
from app.wire import problems
from app.wire.rates import READS, count
from app.wire.rules import machines
from federation.entity import MEDIA_TYPE

bp = Blueprint("plate", __name__)
problems.register(bp)


@bp.get("/.well-known/openid-federation")
@machines
def show() -> Response:
    """Return the entity configuration, signed by the root key."""
    count(READS, "plate")
    space = db.session.get(Space, 1)
    if space is None:
        abort(404)
    now = datetime.now(UTC)
    token = our_configuration(db.session(), space, current_app.extensions["identity"], now)
    response = Response(token, content_type=MEDIA_TYPE)
    response.headers["Cache-Control"] = "public, max-age=300"
    response.add_etag()
    response.make_conditional(request)
    return response
