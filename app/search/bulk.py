"""Many small rows in one statement, given to the driver as they are.

A profile of a neighbour is found by three hundred keys: what a statement's parameters cost between
us and the driver is paid that often, and was more than what the database took. The statements are
ours, with ``{}`` where a value comes; values are never part of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

Values = tuple[object, ...]


def write_all(connection: Connection, statement: str, rows: Sequence[Values]) -> None:
    """Execute ``statement`` once for each of ``rows``; values that every driver knows."""
    if rows:
        marked = statement.format(*(_mark(connection) for _ in rows[0]))
        connection.exec_driver_sql(marked, list(rows))


def found_among(
    connection: Connection, statement: str, given: Values, wanted: Sequence[object]
) -> Sequence[Any]:
    """Return the rows that ``statement`` finds.

    :param given: what stands for each ``{}`` but the last, which becomes all of ``wanted``.
    """
    mark = _mark(connection)
    asked = statement.format(*(mark for _ in given), ", ".join((mark,) * len(wanted)))
    return connection.exec_driver_sql(asked, (*given, *wanted)).all()


def found(connection: Connection, statement: str, given: Values) -> Sequence[Any]:
    """Return the rows that ``statement`` finds, with ``given`` for each ``{}``."""
    asked = statement.format(*((_mark(connection),) * len(given)))
    return connection.exec_driver_sql(asked, given).all()


def _mark(connection: Connection) -> str:
    return "?" if connection.dialect.paramstyle == "qmark" else "%s"
