"""Our public directory as plain files, which any web server can show to neighbours.

What is in them is what the endpoints give to a stranger: the plate, the feed of the public view,
its checkpoint and its index (PROTOCOL.md, section 5). Nothing that is meant for neighbours alone
is ever among them, because files cannot ask who reads.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, not_, select
from sqlalchemy.orm import Session

from app.exchange import checkpoints, entities, publish
from app.exchange.identity import Identity
from app.models.feed import FeedEntry, FeedState
from app.models.member import WEB, Member
from app.models.photo import Photo
from app.models.space import Space
from federation.documents import PEERS, PUBLIC
from federation.entity import PATH
from federation.limits import JWS_BYTES, PAGE_BYTES, PAGE_ITEMS

#: Where a site's own plate lies, and the empty file without which some hosts leave it out.
PLATE, KEEP_DOT_FOLDERS = ".well-known/openid-federation", ".nojekyll"

#: Where the rest lies, below the space's address.
FOLDER = PATH.strip("/")

#: Bytes of a page that are not items, and bytes around one item.
FRAME_BYTES, ITEM_BYTES = JWS_BYTES + 2048, 64

#: A row of the feed: its position and its document.
Row = tuple[int, str]


def files(session: Session, space: Space, identity: Identity, now: datetime) -> dict[str, bytes]:
    """Return the files by their path below the space's address, the feed's first page last.

    Signs a checkpoint, and what expires soon, afresh; the caller commits. In the order given, who
    reads while they are written meets pages of one state only.
    """
    publish.renew(session, identity, now)
    checkpoints.make(session, identity, now)
    state = session.get_one(FeedState, 1)
    signed = checkpoints.newest(session, PUBLIC, state.epoch)
    checkpoint = signed.jws if signed is not None else ""
    photos = _photos(session, now)
    first, *others = _pages(session, state, checkpoint)
    plate = entities.our_configuration(session, space, identity, now, static=True)
    return {
        KEEP_DOT_FOLDERS: b"",
        PLATE: plate.encode("ascii"),
        **photos,
        **dict(others),
        f"{FOLDER}/index.json": _json(_index(session, now)),
        f"{FOLDER}/checkpoint.jwt": checkpoint.encode("ascii"),
        **dict([first]),
    }


def mixed(session: Session, now: datetime) -> int:
    """Return how many people show something on the web and are in no file all the same.

    They show some of it to neighbours alone, and one document holds all of it (decision 0046).
    """
    rows = select(func.count()).select_from(FeedEntry).join(Member)
    in_no_file = and_(checkpoints.live_in(PEERS, now), not_(checkpoints.in_view(PUBLIC)))
    return session.scalar(rows.where(in_no_file, Member.audience == WEB)) or 0


def _pages(session: Session, state: FeedState, checkpoint: str) -> list[tuple[str, bytes]]:
    """Return the pages by name, the first one first.

    Later pages bear the position of the state they belong to: those of an earlier one may lie
    beside them for a while, for whoever is in the middle of reading.
    """
    rows = session.execute(
        select(FeedEntry.seq, FeedEntry.jws)
        .where(checkpoints.in_view(PUBLIC))
        .order_by(FeedEntry.seq)
    )
    parts = list(_parts((seq, jws) for seq, jws in rows))
    cursors = ["", *(f"{state.seq}-{number}" for number in range(2, len(parts) + 1)), ""]
    return [
        (_name(cursors[at]), _page(state, part, cursors[at], cursors[at + 1], checkpoint))
        for at, part in enumerate(parts)
    ]


def _parts(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Cut ``rows`` into pages that hold no more, and are no longer, than a page may be."""
    part: list[Row] = []
    room = PAGE_BYTES - FRAME_BYTES
    for seq, jws in rows:
        needed = len(jws) + ITEM_BYTES
        if part and (needed > room or len(part) == PAGE_ITEMS):
            yield part
            part, room = [], PAGE_BYTES - FRAME_BYTES
        part.append((seq, jws))
        room -= needed
    yield part


def _name(cursor: str) -> str:
    return f"{FOLDER}/feed-{cursor}.json" if cursor else f"{FOLDER}/feed.json"


def _page(
    state: FeedState, rows: Sequence[Row], since: str, following: str, checkpoint: str
) -> bytes:
    page: dict[str, Any] = {
        "epoch": state.epoch,
        "from": since,
        "items": [{"seq": seq, "jws": jws} for seq, jws in rows],
        # Empty at the end: a file server is read from the beginning each time.
        "next": following,
        "more": bool(following),
        "checkpoint": checkpoint,
    }
    return _json(page)


def _photos(session: Session, now: datetime) -> dict[str, bytes]:
    """Return the photos of the public view, under the names that the profiles were signed with."""
    shown = (
        select(Photo.digest, Photo.image)
        .join(FeedEntry, FeedEntry.member_id == Photo.member_id)
        .where(checkpoints.live_in(PUBLIC, now))
        .order_by(Photo.digest)
    )
    return {f"{FOLDER}/photo/{digest}": image for digest, image in session.execute(shown)}


def _index(session: Session, now: datetime) -> list[list[Any]]:
    rows = session.execute(
        select(FeedEntry.subject, FeedEntry.revision, FeedEntry.digest)
        .where(checkpoints.live_in(PUBLIC, now))
        .order_by(FeedEntry.subject)
    )
    return [list(row) for row in rows]


def _json(value: object) -> bytes:
    return json.dumps(value).encode("ascii")
