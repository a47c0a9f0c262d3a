"""The search index: a cache of what people say of themselves, rebuilt by one command.

It lives in tables of its own (``search_*``), made on demand and never migrated: when this program
keeps something else in them, or the vocabulary has changed, they are made anew. Whoever changes a
member or a neighbour's profile calls the function here in the same transaction, so that there is
no moment at which the index and the rows differ. Who may be seen is never kept here.

``search_doc`` holds one row per person; the store (:mod:`app.search.store`) finds rows by their
stems and codes, on each database in its own way.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cache
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.orm import Session, joinedload, selectinload

from app.models.base import new_id
from app.models.member import Member
from app.models.peer import MirroredProfile, Peer
from app.models.space import Space
from app.search import names
from app.search.cards import card_of_member, card_of_mirrored, for_visitors, shows_all
from app.search.store import store
from app.search.tables import doc, state
from app.search.writing import COLUMNS, Entry, entry_of
from federation import vocabulary

#: Rises when the tables or what is written into them change their meaning.
VERSION = 7

#: What a row stands for; a front is what visitors see of a neighbour who keeps something from them.
MEMBER, MIRRORED, FRONT, GONE = "member", "mirrored", "front", "gone"

Progress = Callable[[int, int], None]


def ensure_tables(connection: Connection) -> bool:
    """Create the index's tables if they are missing, or made by another version; tell whether.

    Freshly made tables are empty: whoever calls this with people in the database rebuilds.
    """
    if _made_for(connection) == _signature():
        return False
    _create(connection)
    return True


def ensure_current(session: Session) -> None:
    """Make the index, in the caller's transaction, if there is none or another version made it.

    Asked once in a transaction: nobody else writes before it ends, and a pull writes thousands.
    """
    if session.info.get("search_current") is not session.connection().get_transaction():
        _make(session)


def ensure_usable(session: Session) -> None:
    """Make the index if there is none that this program can read.

    One that was made with another vocabulary is read as it is: searching is no moment to make it
    anew. Whoever writes to it next does, and so does the next ``mitoyen`` command.
    """
    made_for = _made_for(session.connection())
    if made_for is None or made_for.partition(":")[0] != str(VERSION):
        _make(session)


def _make(session: Session) -> None:
    if ensure_tables(session.connection()):
        _fill(session, None)
    session.info["search_current"] = session.connection().get_transaction()


def is_current(session: Session) -> bool:
    """Tell whether the index was made by this version, with this vocabulary."""
    return _made_for(session.connection()) == _signature()


def index_member(session: Session, member: Member) -> None:
    """Write what ``member`` says into the index, in the caller's transaction."""
    session.flush()
    ensure_current(session)
    _write(session.connection(), *_of_member(member))
    mark_written(session)


def index_members(
    session: Session, members: Sequence[Member], progress: Callable[[int], None]
) -> None:
    """Do for thousands what :func:`index_member` does for one, in few statements.

    :param members: saved ones, each once.
    :param progress: called with how many of them are done.
    """
    session.flush()
    ensure_current(session)
    connection = session.connection()
    for start in range(0, len(members), _BATCH):
        batch = members[start : start + _BATCH]
        refs = {member.ref for member in batch}
        held = _held(connection, refs)
        _add(connection, [_of_member(member) for member in batch if member.ref not in held])
        for member in batch:
            if member.ref in held:
                _write(connection, *_of_member(member))
        progress(start + len(batch))
    mark_written(session)


def remove_member(session: Session, member: Member) -> None:
    """Take ``member`` out of the index; call it before or after the row is deleted."""
    ensure_current(session)
    _remove(session.connection(), MEMBER, member.ref)
    mark_written(session)


def index_mirrored(session: Session, profile: MirroredProfile, peer: Peer) -> None:
    """Write what a neighbour's profile says into the index, in the caller's transaction."""
    session.flush()
    ensure_current(session)
    connection = session.connection()
    whole, *front = _of_mirrored(profile, peer)
    _write(connection, *whole)
    for row in front:
        _write(connection, *row)
    if not front:
        _remove(connection, FRONT, profile.subject)
    mark_written(session)


def remove_mirrored(session: Session, subject: str) -> None:
    """Take the neighbour's profile of ``subject`` out of the index, if it is in it."""
    ensure_current(session)
    for kind in (MIRRORED, FRONT):
        _remove(session.connection(), kind, subject)
    mark_written(session)


def rebuild(session: Session, progress: Progress | None = None) -> int:
    """Make the index anew from the rows it caches; return how many people it holds.

    :param progress: called with how many people are done, and of how many.
    """
    connection = session.connection()
    _create(connection)
    return _fill(session, progress)


def check(session: Session) -> list[str]:
    """Return in what the index differs from the rows it caches, a sentence for each difference."""
    connection = session.connection()
    if _made_for(connection) != _signature():
        return ["the index is missing or was made by another version of the program"]
    held = {
        (kind, subject): digest
        for kind, subject, digest in connection.execute(
            select(doc.c.kind, doc.c.subject, doc.c.digest).where(doc.c.kind != GONE)
        )
    }
    differences = []
    for kind, _, _, subject, _, entry in _everybody(session):
        digest = held.pop((kind, subject), None)
        if digest is None:
            differences.append(f"{subject} is not in the index")
        elif digest != entry.digest:
            differences.append(f"{subject} is in the index as it was earlier")
    return differences + [f"{subject} is in the index but nowhere else" for _, subject in held]


def mark_written(session: Session) -> None:
    """Remember that this transaction changed the index, so that nobody caches what it sees."""
    session.info["search_written"] = session.get_transaction()


def written_here(session: Session) -> bool:
    """Tell whether the current transaction has changed the index and not committed it."""
    marked = session.info.get("search_written")
    return marked is not None and marked is session.get_transaction()


Row = tuple[str, int, int | None, str, bool, Entry]


def _of_member(member: Member) -> Row:
    # The index keeps nothing of the space: its name and city are read when somebody searches.
    nowhere = Space(url="", name="", city="", country="", enamel="")
    card = card_of_member(member, nowhere, member.updated_at.date())
    return MEMBER, member.id, None, member.ref, False, entry_of(card)


def _of_mirrored(profile: MirroredProfile, peer: Peer) -> list[Row]:
    """The whole row, and the front when visitors may know less: what they do not see must not
    answer them either."""
    card = card_of_mirrored(profile, profile.received_at, peer)
    open_ = profile.public and shows_all(profile.document)
    found: list[Row] = [(MIRRORED, profile.id, peer.id, profile.subject, open_, entry_of(card))]
    if profile.public and not open_:
        front = entry_of(for_visitors(card, profile.document))
        found.append((FRONT, profile.id, peer.id, profile.subject, True, front))
    return found


def _create(connection: Connection) -> None:
    store(connection).create()
    made = {"id": 1, "made_for": _signature(), "epoch": new_id(), "stamp": 0}
    connection.execute(insert(state), made)


def _write(
    connection: Connection,
    kind: str,
    owner: int,
    peer_id: int | None,
    subject: str,
    public: bool,
    entry: Entry,
) -> None:
    held = connection.execute(
        select(doc.c.id, doc.c.owner, doc.c.peer_id, doc.c.public, doc.c.digest).where(
            doc.c.kind == kind, doc.c.subject == subject
        )
    ).one_or_none()
    if held and tuple(held)[1:] == (owner, peer_id, int(public), entry.digest):
        return
    stamp = _next_stamp(connection)
    values = _values((kind, owner, peer_id, subject, public, entry), stamp)
    if held:
        _leaving(connection, held[0])
        connection.execute(update(doc).where(doc.c.id == held[0]).values(values))
    else:
        connection.execute(insert(doc), values)
    _written(connection, stamp)


def _held(connection: Connection, refs: Collection[str]) -> set[str]:
    """Return which of our members ``refs`` the index knows already."""
    found = connection.execute(
        select(doc.c.subject).where(doc.c.kind == MEMBER, doc.c.subject.in_(refs))
    )
    return set(found.scalars())


def _add(connection: Connection, rows: Sequence[Row]) -> None:
    """Write people whom the index does not know; they have one stamp, which nobody else has."""
    if not rows:
        return
    stamp = _next_stamp(connection)
    connection.execute(insert(doc), [_values(row, stamp) for row in rows])
    _written(connection, stamp)


def _values(row: Row, stamp: int) -> dict[str, Any]:
    kind, owner, peer_id, subject, public, entry = row
    return {
        "kind": kind,
        "owner": owner,
        "peer_id": peer_id,
        "subject": subject,
        "public": int(public),
        "stamp": stamp,
        "digest": entry.digest,
        "facets": entry.facets,
    } | dict(zip(COLUMNS, entry.columns, strict=True))


def _remove(connection: Connection, kind: str, subject: str) -> None:
    number = connection.execute(
        select(doc.c.id).where(doc.c.kind == kind, doc.c.subject == subject)
    ).scalar_one_or_none()
    if number is None:
        return
    _leaving(connection, number)
    stamp = _next_stamp(connection)
    # The row stays as a mark for readers that remember it; its subject is freed.
    gone = {"kind": GONE, "subject": str(number), "facets": "{}", "digest": "", "stamp": stamp}
    blank = dict.fromkeys(COLUMNS, "")
    connection.execute(update(doc).where(doc.c.id == number).values(gone | blank))


def _leaving(connection: Connection, number: int) -> None:
    """Let row ``number`` be found by nothing that it says now."""
    store(connection).leaving(number)
    names.leaving(connection, number)


def _written(connection: Connection, stamp: int) -> None:
    """Let the rows that have ``stamp`` be found by what they say now."""
    store(connection).written(stamp)
    names.written(connection, stamp)


def _next_stamp(connection: Connection) -> int:
    risen = update(state).values(stamp=state.c.stamp + 1).returning(state.c.stamp)
    return int(connection.execute(risen).scalar_one())


def _fill(session: Session, progress: Progress | None) -> int:
    connection = session.connection()
    total = sum(
        session.scalar(select(func.count()).select_from(model)) or 0
        for model in (Member, MirroredProfile)
    )
    store(connection).fill()
    done, batch = 0, list[dict[str, Any]]()
    for row in _everybody(session):
        batch.append(_values(row, 1))
        done += row[0] != FRONT
        if len(batch) >= _BATCH:
            connection.execute(insert(doc), batch)
            batch = []
            if progress:
                progress(done, total)
    if batch:
        connection.execute(insert(doc), batch)
    store(connection).filled()
    names.written(connection, 1)
    connection.execute(update(state).values(stamp=1))
    mark_written(session)
    if progress:
        progress(done, total)
    return done


#: People read and written at a time while the whole index is made.
_BATCH = 500


def _everybody(session: Session) -> Iterator[Row]:
    """Every row of the index as it should be, a batch of people in memory at a time."""
    members = select(Member).options(selectinload(Member.services)).order_by(Member.id)
    for batch in session.scalars(members.execution_options(yield_per=_BATCH)).partitions():
        yield from map(_of_member, batch)
    profiles = (
        select(MirroredProfile)
        .options(joinedload(MirroredProfile.peer))
        .order_by(MirroredProfile.id)
        .execution_options(yield_per=_BATCH)
    )
    for rows in session.scalars(profiles).partitions():
        for row in rows:
            yield from _of_mirrored(row, row.peer)


def _made_for(connection: Connection) -> str | None:
    if not store(connection).exists():
        return None
    found = connection.execute(select(state.c.made_for)).scalar_one_or_none()
    return str(found) if found else None


@cache
def _signature() -> str:
    """Return what the index was made with: our version and the whole vocabulary."""
    texts = json.dumps(
        [
            (code, sorted(one.labels.items()), sorted(one.words.items()), one.near)
            for code, one in vocabulary.specialities().items()
        ]
    )
    return f"{VERSION}:{blake2b(texts.encode(), digest_size=8).hexdigest()}"
