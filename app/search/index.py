"""The search index: a cache of what people say of themselves, rebuilt by one command.

It lives in tables of its own (``search_*``), made on demand and never migrated: when this program
keeps something else in them, or the vocabulary has changed, they are made anew. Whoever changes a
member or a neighbour's profile calls the function here in the same transaction, so that there is
no moment at which the index and the rows differ. Who may be seen is never kept here.

``search_doc`` holds one row per person; the sets of :mod:`app.search.postings` find rows by their
stems, codes and facets.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from hashlib import blake2b
from itertools import islice

from sqlalchemy import Connection, func, insert, select, text, update
from sqlalchemy.orm import Session, selectinload

from app.models.base import new_id
from app.models.member import Member
from app.models.peer import MirroredProfile, Peer
from app.search import names
from app.search.postings import PIECE_BITS, Changes
from app.search.presenting import Presented, of_member, of_mirrored, presented
from app.search.rows import (
    FACE,
    FRONT,
    GONE,
    MEMBER,
    MIRRORED,
    Row,
    add,
    held_among,
    insert_rows,
    remove,
    write,
)
from app.search.statements import Statement
from app.search.tables import doc, metadata, state
from federation import vocabulary

#: Rises when the tables or what is written into them change their meaning.
VERSION = 11

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
    _write_member(session.connection(), of_member(member))
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
        held = held_among(connection, (MEMBER,), [member.ref for member in batch])
        new = [member for member in batch if (MEMBER, member.ref) not in held]
        add(connection, [row for member in new for row in of_member(member)])
        for member in batch:
            if (MEMBER, member.ref) in held:
                _write_member(connection, of_member(member))
        progress(start + len(batch))
    mark_written(session)


def remove_member(session: Session, member: Member) -> None:
    """Take ``member`` out of the index; call it before or after the row is deleted."""
    ensure_current(session)
    for kind in (MEMBER, FACE):
        remove(session.connection(), kind, member.ref)
    mark_written(session)


def index_mirrored(session: Session, profile: MirroredProfile, peer: Peer) -> None:
    """Write what a neighbour's profile says into the index, in the caller's transaction."""
    session.flush()
    index_presented(session, peer.id, [(profile.id, profile.subject, presented(profile))])


def index_presented(
    session: Session, peer_id: int, profiles: Sequence[tuple[int, str, Presented]]
) -> None:
    """Do for a page of a neighbour's profiles what :func:`index_mirrored` does for one.

    :param profiles: id of the row, subject, and what is kept; each subject once.
    """
    ensure_current(session)
    connection = session.connection()
    rows: list[Row] = []
    for owner, subject, said in profiles:
        rows.append((MIRRORED, owner, peer_id, subject, said.open, said.whole))
        if said.front is not None:
            rows.append((FRONT, owner, peer_id, subject, True, said.front))
    held = held_among(connection, (MIRRORED, FRONT), [subject for _, subject, _ in profiles])
    add(connection, [row for row in rows if (row[0], row[3]) not in held])
    for row in rows:
        if (row[0], row[3]) in held:
            write(connection, row)
    for _, subject, said in profiles:
        if said.front is None and (FRONT, subject) in held:
            remove(connection, FRONT, subject)
    mark_written(session)


def remove_mirrored(session: Session, subject: str) -> None:
    """Take the neighbour's profile of ``subject`` out of the index, if it is in it."""
    ensure_current(session)
    for kind in (MIRRORED, FRONT):
        remove(session.connection(), kind, subject)
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


def _create(connection: Connection) -> None:
    # The first two were made by earlier versions.
    for name in ("search_term", "search_text", *metadata.tables):
        connection.execute(text(f"DROP TABLE IF EXISTS {name}"))
    metadata.create_all(connection, checkfirst=False)
    made = {"id": 1, "made_for": _signature(), "epoch": new_id(), "stamp": 0}
    connection.execute(insert(state), made)


def _write_member(connection: Connection, rows: Sequence[Row]) -> None:
    for row in rows:
        write(connection, row)
    if len(rows) == 1:
        remove(connection, FACE, rows[0][3])


def _fill(session: Session, progress: Progress | None) -> int:
    connection = session.connection()
    total = sum(
        session.scalar(select(func.count()).select_from(model)) or 0
        for model in (Member, MirroredProfile)
    )
    done, piece, changes = 0, 0, Changes(fresh=True)
    for batch in _batches(_everybody(session)):
        numbers = insert_rows(connection, batch, 1, changes)
        if numbers[-1] >> PIECE_BITS > piece:
            piece = numbers[-1] >> PIECE_BITS
            changes.write(connection, below=piece)
        done += sum(row[0] not in (FACE, FRONT) for row in batch)
        if progress:
            progress(done, total)
    changes.write(connection)
    names.written(connection, 1)
    connection.execute(update(state).values(stamp=1))
    mark_written(session)
    if progress and not done:
        progress(done, total)
    return done


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    left = iter(rows)
    while batch := list(islice(left, _BATCH)):
        yield batch


#: People read and written at a time while the whole index is made.
_BATCH = 500


def _everybody(session: Session) -> Iterator[Row]:
    """Every row of the index as it should be, a batch of people in memory at a time."""
    members = select(Member).options(selectinload(Member.services)).order_by(Member.id)
    for batch in session.scalars(members.execution_options(yield_per=_BATCH)).partitions():
        for member in batch:
            yield from of_member(member)
    profiles = select(MirroredProfile).order_by(MirroredProfile.id)
    for rows in session.scalars(profiles.execution_options(yield_per=_BATCH)).partitions():
        for row in rows:
            yield from of_mirrored(row)


def _made_for(connection: Connection) -> str | None:
    if not connection.exec_driver_sql(_HAVING_STATE[connection.dialect.name]).first():
        return None
    found = _MADE_FOR.rows(connection)
    return str(found[0][0]) if found else None


_MADE_FOR = Statement(select(state.c.made_for))
#: Asked before each search: an inspector would take as long as finding who answers.
_HAVING_STATE = {
    "sqlite": "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'search_state'",
    "postgresql": "SELECT 1 WHERE to_regclass('search_state') IS NOT NULL",
}


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
