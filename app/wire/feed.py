"""What neighbours read: the feed of signed documents, its checkpoint, its index.

Without an assertion a reader gets the public view; a neighbour gets the peers' view. A cursor is
opaque to readers and checked here as any other word of a stranger.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, abort, request
from sqlalchemy import select

from app.database import db
from app.exchange.checkpoints import in_view, live_in, newest
from app.models.feed import FeedEntry, FeedState, OwnCheckpoint
from app.wire import problems
from app.wire.callers import caller
from app.wire.rates import READS, count
from app.wire.rules import machines
from federation.client import JSON, JWT
from federation.documents import PEERS, PUBLIC
from federation.entity import PATH
from federation.errors import DocumentError, EpochChangedError
from federation.limits import CURSOR_CHARACTERS, INDEX_ENTRIES, JWS_BYTES, PAGE_BYTES, PAGE_ITEMS

bp = Blueprint("feed", __name__, url_prefix=PATH)
problems.register(bp)

#: Bytes of a page that are not items: brackets, names, cursors, the checkpoint.
FRAME_BYTES = JWS_BYTES + 2048

#: Bytes around one item's JWS.
ITEM_BYTES = 64

_CURSOR = re.compile(r"([A-Za-z0-9_-]{1,64})\.(0|[1-9][0-9]{0,15})", re.ASCII)
_LIMIT = re.compile(r"[1-9][0-9]{0,2}", re.ASCII)


@bp.get("/feed")
@machines
def show() -> Response:
    """Return one page of documents behind the cursor ``since``."""
    count(READS, "feed")
    view = _view()
    state = db.session.get_one(FeedState, 1)
    after, limit = _after(state), _limit()
    checkpoint = newest(db.session(), view, state.epoch)
    etag = _etag(view, state, checkpoint, after, limit)
    if _matches(etag):
        return _cached(Response(status=304), etag)
    page = _page(view, state, checkpoint, after, limit)
    return _cached(Response(json.dumps(page), content_type=JSON), etag)


@bp.get("/checkpoint")
@machines
def show_checkpoint() -> Response:
    """Return the newest checkpoint of the view."""
    count(READS, "checkpoint")
    checkpoint = newest(db.session(), _view(), db.session.get_one(FeedState, 1).epoch)
    if checkpoint is None:
        abort(404)
    return Response(checkpoint.jws, content_type=JWT)


@bp.get("/index")
@machines
def show_index() -> Response:
    """Return what is live in the view: subject, revision, digest."""
    count(READS, "index")
    live = live_in(_view(), datetime.now(UTC))
    rows = db.session.execute(
        select(FeedEntry.subject, FeedEntry.revision, FeedEntry.digest)
        .where(live)
        .order_by(FeedEntry.subject)
        .limit(INDEX_ENTRIES)
    )
    return Response(json.dumps([list(row) for row in rows]), content_type=JSON)


def _view() -> str:
    return PUBLIC if caller() is None else PEERS


def _after(state: FeedState) -> int:
    """Return the position to go on from.

    :raises DocumentError: not a cursor of ours.
    :raises EpochChangedError: a cursor from before the feed was restarted.
    """
    since = request.args.get("since", "")
    if not since:
        return 0
    found = _CURSOR.fullmatch(since) if len(since) <= CURSOR_CHARACTERS else None
    if found is None:
        raise DocumentError("since is not a cursor of this feed")
    epoch, seq = found[1], int(found[2])
    if epoch != state.epoch or seq > state.seq:
        # A position that we never gave out in this epoch: the space came back from a backup.
        raise EpochChangedError("the feed was restarted: begin again")
    return seq


def _limit() -> int:
    given = request.args.get("limit", str(PAGE_ITEMS))
    if not _LIMIT.fullmatch(given) or int(given) > PAGE_ITEMS:
        raise DocumentError(f"limit is a number from 1 to {PAGE_ITEMS}")
    return int(given)


def _page(
    view: str, state: FeedState, checkpoint: OwnCheckpoint | None, after: int, limit: int
) -> dict[str, Any]:
    rows = db.session.execute(
        select(FeedEntry.seq, FeedEntry.jws)
        .where(FeedEntry.seq > after, in_view(view))
        .order_by(FeedEntry.seq)
        .limit(limit + 1)
    ).all()
    items: list[dict[str, Any]] = []
    room = PAGE_BYTES - FRAME_BYTES
    for seq, jws in rows[:limit]:
        room -= len(jws) + ITEM_BYTES
        if room < 0:
            break
        items.append({"seq": seq, "jws": jws})
    last = items[-1]["seq"] if items else after
    return {
        "epoch": state.epoch,
        "from": f"{state.epoch}.{after}" if after else "",
        "items": items,
        "next": f"{state.epoch}.{last}",
        "more": len(items) < len(rows),
        "checkpoint": checkpoint.jws if checkpoint is not None else "",
    }


def _etag(
    view: str, state: FeedState, checkpoint: OwnCheckpoint | None, after: int, limit: int
) -> str:
    signed = checkpoint.jws if checkpoint is not None else ""
    parts = (view, state.epoch, str(state.seq), signed, str(after), str(limit))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _matches(etag: str) -> bool:
    # Flask-Compress marks the tag of a packed answer with its algorithm.
    asked = {tag.partition(":")[0] for tag in request.if_none_match.as_set()}
    return etag in asked


def _cached(response: Response, etag: str) -> Response:
    response.set_etag(etag)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Authorization"
    return response
