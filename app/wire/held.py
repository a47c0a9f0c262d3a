"""What a neighbour is told that we hold of it: its own documents, as it signed them.

A space that came back from a backup asks here for what it does not know any more. Nobody else's
documents are ever among them, and whoever does not say who they are is told nothing.
"""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy import select, union_all

from app.database import db
from app.models.peer import MirroredProfile, MirroredWithdrawal, Peer
from app.wire import problems
from app.wire.callers import caller
from app.wire.rates import READS, count
from app.wire.rules import machines
from federation.client import JSON
from federation.entity import PATH
from federation.errors import DocumentError, NotPeeredError
from federation.identifiers import is_ref
from federation.limits import JWS_BYTES, PAGE_BYTES, PAGE_ITEMS

bp = Blueprint("held", __name__, url_prefix=PATH)
problems.register(bp)

#: Bytes of a page that are not items, and bytes around one item.
FRAME_BYTES, ITEM_BYTES = JWS_BYTES + 1024, 8


@bp.get("/held")
@machines
def show() -> Response:
    """Return a page of the caller's own documents, in the order of its members' names."""
    count(READS, "held")
    peer = caller()
    if peer is None:
        raise NotPeeredError("say who you are: you are told what is held of you")
    response = Response(json.dumps(_page(peer, _since())), content_type=JSON)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _since() -> str:
    """Return the ref of the last member that was told.

    :raises DocumentError: not a cursor of ours.
    """
    since = request.args.get("since", "")
    if since and not is_ref(since):
        raise DocumentError("since is not a cursor of this list")
    return since


def _page(peer: Peer, since: str) -> dict[str, Any]:
    after = f"{peer.url}/m/{since}"
    kinds = (
        select(kind.subject, kind.jws).where(kind.peer_id == peer.id, kind.subject > after)
        for kind in (MirroredProfile, MirroredWithdrawal)
    )
    both = union_all(*kinds).subquery()
    rows = db.session.execute(select(both).order_by(both.c.subject).limit(PAGE_ITEMS + 1)).all()
    items: list[str] = []
    room = PAGE_BYTES - FRAME_BYTES
    last = since
    for subject, jws in rows[:PAGE_ITEMS]:
        room -= len(jws) + ITEM_BYTES
        if room < 0:
            break
        items.append(jws)
        last = subject.rpartition("/")[2]
    return {
        "items": items,
        "next": last,
        "more": len(items) < len(rows),
        "checkpoint": peer.their_checkpoint,
    }
