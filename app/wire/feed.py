"""What neighbours read: the feed of signed documents, its checkpoint, its index.

Without an assertion a reader gets the public view; a neighbour gets the peers' view. A cursor is
opaque to readers and checked here as any other word of a stranger.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, abort, current_app, request
from sqlalchemy import Row, select

from app.database import db
from app.exchange import awaiting
from app.exchange.checkpoints import in_view, live_in, newest
from app.exchange.identity import Identity
from app.models.engine import set_reading
from app.models.feed import FeedEntry, FeedState, OwnCheckpoint
from app.models.peer import Peer
from app.wire import problems
from app.wire.callers import caller
from app.wire.rates import READS, count
from app.wire.rules import machines
from federation.client import JSON, JWT
from federation.documents import PEERS, PUBLIC
from federation.entity import PATH
from federation.errors import DocumentError, EpochChangedError
from federation.identifiers import is_ref
from federation.limits import (
    ASKED_REFS,
    CURSOR_CHARACTERS,
    INDEX_ENTRIES,
    JWS_BYTES,
    PAGE_BYTES,
    PAGE_ITEMS,
)

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
    """Return one page of documents behind the cursor ``since``, or those about some ``refs``."""
    count(READS, "feed")
    peer = caller()
    view = _view(peer)
    state = db.session.get_one(FeedState, 1)
    if "refs" in request.args:
        return _cached(Response(json.dumps(_about(view, state, _refs())), content_type=JSON))
    try:
        after, limit = _after(state), _limit()
    except EpochChangedError:
        # Was it given out before our database went back? That neighbour may be able to show it.
        if peer is not None:
            _doubt(peer)
        raise
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
    checkpoint = newest(db.session(), _view(caller()), db.session.get_one(FeedState, 1).epoch)
    if checkpoint is None:
        abort(404)
    return Response(checkpoint.jws, content_type=JWT)


@bp.get("/index")
@machines
def show_index() -> Response:
    """Return what is live in the view: subject, revision, digest."""
    count(READS, "index")
    view, now = _view(caller()), datetime.now(UTC)
    # As its checkpoint counts: what expired since then is still in the root that it states.
    signed = newest(db.session(), view, db.session.get_one(FeedState, 1).epoch)
    live = live_in(view, signed.signed_at if signed is not None else now)
    rows = db.session.execute(
        select(FeedEntry.subject, FeedEntry.revision, FeedEntry.digest)
        .where(live)
        .order_by(FeedEntry.subject)
        .limit(INDEX_ENTRIES)
    )
    return Response(json.dumps([list(row) for row in rows]), content_type=JSON)


def _view(peer: Peer | None) -> str:
    return PUBLIC if peer is None else PEERS


def _doubt(peer: Peer) -> None:
    """Have a worker ask ``peer`` for our own signature: reading so far, this is written apart."""
    db.session.rollback()
    set_reading(False)
    try:
        awaiting.doubt(db.session(), peer, datetime.now(UTC))
        db.session.commit()
    finally:
        set_reading(True)


def _refs() -> list[str]:
    """Return the members whose documents are asked for.

    :raises DocumentError: no names of members, too many, or something else is asked as well.
    """
    if set(request.args) != {"refs"}:
        raise DocumentError("refs is asked for alone")
    refs = request.args["refs"].split(",", ASKED_REFS)
    if len(refs) > ASKED_REFS or not all(is_ref(ref) for ref in refs):
        raise DocumentError(f"refs is a list of 1 to {ASKED_REFS} names, with commas in between")
    return refs


def _about(view: str, state: FeedState, refs: list[str]) -> dict[str, Any]:
    identity: Identity = current_app.extensions["identity"]
    subjects = [identity.space.subject(ref) for ref in refs]
    rows = db.session.execute(
        select(FeedEntry.seq, FeedEntry.jws)
        .where(FeedEntry.subject.in_(subjects), in_view(view))
        .order_by(FeedEntry.seq)
    ).all()
    items = _fitting(rows)
    return {
        "epoch": state.epoch,
        "from": "",
        "items": items,
        "next": "",
        "more": False,
        "checkpoint": "",
    }


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
    items = _fitting(rows[:limit])
    last = items[-1]["seq"] if items else after
    return {
        "epoch": state.epoch,
        "from": f"{state.epoch}.{after}" if after else "",
        "items": items,
        "next": f"{state.epoch}.{last}",
        "more": len(items) < len(rows),
        "checkpoint": checkpoint.jws if checkpoint is not None else "",
    }


def _fitting(rows: Sequence[Row[int, str]]) -> list[dict[str, Any]]:
    """Return as many items from the beginning of ``rows`` as a page has room for."""
    items: list[dict[str, Any]] = []
    room = PAGE_BYTES - FRAME_BYTES
    for seq, jws in rows:
        room -= len(jws) + ITEM_BYTES
        if room < 0:
            break
        items.append({"seq": seq, "jws": jws})
    return items


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


def _cached(response: Response, etag: str = "") -> Response:
    if etag:
        response.set_etag(etag)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Authorization"
    return response
