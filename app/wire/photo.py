"""Our members' photos, for the spaces that show them.

A photo is as visible as the profile that claims it: to neighbours while one in their view does, to
anybody while one in the public view does. To all others it does not exist.
"""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Response, abort, request
from sqlalchemy import select

from app.database import db
from app.exchange.checkpoints import live_in
from app.exchange.pictures import MEDIA_TYPE
from app.models.feed import FeedEntry
from app.models.photo import Photo
from app.wire import problems
from app.wire.callers import caller
from app.wire.rates import READS, count
from app.wire.rules import machines
from federation.documents import PEERS, PUBLIC
from federation.entity import PATH

bp = Blueprint("photo", __name__, url_prefix=PATH)
problems.register(bp)

#: A picture is shown and does nothing, whatever somebody made of it.
POLICY = "default-src 'none'; sandbox"


@bp.get("/photo/<digest>")
@machines
def show(digest: str) -> Response:
    """Return the photo with this digest, if a profile that the caller may read claims it."""
    count(READS, "photo")
    view = PUBLIC if caller() is None else PEERS
    claimed = (
        select(Photo.image)
        .join(FeedEntry, FeedEntry.member_id == Photo.member_id)
        .where(Photo.digest == digest, live_in(view, datetime.now(UTC)))
    )
    image = db.session.scalars(claimed.limit(1)).first()
    if image is None:
        abort(404)
    response = Response(image, content_type=MEDIA_TYPE)
    response.set_etag(digest)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Authorization"
    response.headers["Content-Security-Policy"] = POLICY
    response.make_conditional(request)
    return response
