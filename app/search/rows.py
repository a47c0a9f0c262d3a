"""Rows of the index: written, changed and taken out, with the sets in which each is found.

A row never goes: its number stands for nobody else, and who remembers it learns that it is gone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from app.search import names
from app.search.bulk import found, write_all
from app.search.keys import keys_of, shared_keys, words_of
from app.search.postings import Changes
from app.search.statements import Statement
from app.search.tables import doc
from app.search.writing import COLUMNS, Entry

#: What a row stands for; a face is what visitors see of a member who keeps something from them, and
#: a front the same of a neighbour's.
MEMBER, FACE, MIRRORED, FRONT, GONE = "member", "face", "mirrored", "front", "gone"

#: Kind, owner, peer, subject, whether visitors may see it, and what it says.
Row = tuple[str, int, int | None, str, bool, Entry]


def write(connection: Connection, row: Row) -> None:
    """Write one row, and whatever finds it, as far as it says something else than before."""
    kind, owner, peer_id, subject, public, entry = row
    held = _row_of(connection, kind, subject)
    same = (owner, peer_id, int(public), entry.digest)
    if held and tuple(held[name] for name in ("owner", "peer_id", "public", "digest")) == same:
        return
    values = _values(row, _next_stamp(connection))
    changes = Changes()
    renamed = not held or held["sorted_as"] != entry.sorted_as
    if held:
        if renamed:
            names.leaving(connection, held["id"])
        write_all(connection, _UPDATE, [(*values.values(), held["id"])])
        more = words_of(entry.columns) - words_of([held[name] for name in COLUMNS])
        changes.add(held["id"], _keys(held), _keys(values), more)
    else:
        [number] = insert_rows(connection, [row], values["stamp"], changes)
    if renamed:
        names.written(connection, values["stamp"])
    changes.write(connection)


def held_among(
    connection: Connection, kinds: Collection[str], subjects: Collection[str]
) -> set[tuple[str, str]]:
    """Return kind and subject of those rows of ``subjects`` that the index has already."""
    found = connection.execute(
        select(doc.c.kind, doc.c.subject).where(doc.c.kind.in_(kinds), doc.c.subject.in_(subjects))
    )
    return {(kind, subject) for kind, subject in found}


def add(connection: Connection, rows: Sequence[Row]) -> None:
    """Write people whom the index does not know; they have one stamp, which nobody else has."""
    if not rows:
        return
    changes = Changes()
    numbers = insert_rows(connection, rows, _next_stamp(connection), changes)
    called = [row[-1].values["name"] for row in rows]
    names.add(connection, zip(numbers, called, strict=True))
    changes.write(connection)


def insert_rows(
    connection: Connection, rows: Sequence[Row], stamp: int, changes: Changes
) -> Sequence[int]:
    """Add ``rows``, leave their keys to ``changes``, and return their numbers."""
    # A row is never deleted, and nobody else writes: the next number is free.
    first = connection.execute(_HIGHEST).scalar_one() + 1
    numbers = range(first, first + len(rows))
    written: list[tuple[object, ...]] = []
    for number, (kind, owner, peer_id, subject, public, entry) in zip(numbers, rows, strict=True):
        fixed = (number, kind, owner, peer_id, subject, int(public), stamp)
        written.append((*fixed, entry.digest, entry.facets, entry.sorted_as, *entry.columns))
        shared = shared_keys(kind, peer_id, public, entry.values)
        changes.add_new(number, shared, entry.columns)
    write_all(connection, _INSERT, written)
    return numbers


_HIGHEST = select(func.coalesce(func.max(doc.c.id), 0))
_INSERT = (
    "INSERT INTO search_doc (id, kind, owner, peer_id, subject, public, stamp, digest, facets,"  # noqa: S608  # our own names
    f" sorted_as, {', '.join(COLUMNS)}) VALUES ({', '.join(['{}'] * (10 + len(COLUMNS)))})"
)


_UPDATED = ("kind", "owner", "peer_id", "subject", "public", "stamp", "digest", "facets")
_SET = ", ".join(f"{name} = {{}}" for name in (*_UPDATED, "sorted_as", *COLUMNS))
_UPDATE = f"UPDATE search_doc SET {_SET} WHERE id = {{}}"  # noqa: S608  # our own names


def _keys(values: Mapping[str, Any]) -> set[str]:
    return keys_of(
        values["kind"],
        values["peer_id"],
        bool(values["public"]),
        values["facets"],
        [values[column] for column in COLUMNS],
    )


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
        "sorted_as": entry.sorted_as,
    } | dict(zip(COLUMNS, entry.columns, strict=True))


def remove(connection: Connection, kind: str, subject: str) -> None:
    """Let nobody find the row of ``subject`` any more, if there is one."""
    held = _row_of(connection, kind, subject)
    if held is None:
        return
    number = held["id"]
    names.leaving(connection, number)
    changes = Changes()
    changes.add(number, _keys(held), set(), ())
    changes.write(connection)
    # The row stays as a mark for readers that remember it; its subject is freed.
    gone = {"kind": GONE, "subject": str(number), "facets": "{}", "digest": ""}
    blank = dict.fromkeys((*COLUMNS, "sorted_as"), "")
    stamp = {"stamp": _next_stamp(connection)}
    connection.execute(update(doc).where(doc.c.id == number).values(gone | blank | stamp))


def _row_of(connection: Connection, kind: str, subject: str) -> Mapping[str, Any] | None:
    """Return the row of ``subject``, by the names of its columns."""
    those = _ROW.rows(connection, {"its_kind": kind, "its_subject": subject})
    return dict(zip(doc.c.keys(), those[0], strict=True)) if those else None


_ROW = Statement(
    select(doc).where(
        doc.c.kind == bindparam("its_kind"), doc.c.subject == bindparam("its_subject")
    ),
    "its_kind",
    "its_subject",
)


def _next_stamp(connection: Connection) -> int:
    [(stamp,)] = found(connection, _RISE, ())
    return int(stamp)


_RISE = "UPDATE search_state SET stamp = stamp + 1 RETURNING stamp"
