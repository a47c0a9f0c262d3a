"""Many small rows in one statement, given to the driver as they are.

A profile of a neighbour is found by three hundred keys: what a statement's parameters cost between
us and the driver is paid that often, and was more than what the database took. The statements are
ours, with ``{}`` where a value comes; values are never part of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import Column, Connection, Table

Values = tuple[object, ...]


def write_all(connection: Connection, statement: str, rows: Sequence[Values]) -> None:
    """Execute ``statement`` once for each of ``rows``; values that every driver knows."""
    if rows:
        marked = statement.format(*(_mark(connection) for _ in rows[0]))
        connection.exec_driver_sql(marked, list(rows))


def insert_all(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert ``rows`` into ``table``, each value as the type of its column keeps it.

    :param rows: of the same columns; what is left out takes the database's default, or the one
        plain value that the column says.
    """
    if not rows:
        return
    given = [table.c[name] for name in rows[0]]
    more = [one for one in table.c if one.default is not None and one.name not in rows[0]]
    values = [[row[one.name] for row in rows] for one in given]
    values += [[one.default.arg] * len(rows) for one in more]  # type: ignore[union-attr]  # plain
    kept = [
        [keep(value) for value in every] if keep else every
        for every, one in zip(values, (*given, *more), strict=True)
        for keep in [_keeping(one, connection)]
    ]
    names = ", ".join(one.name for one in (*given, *more))
    marks = ", ".join(["{}"] * len(kept))
    statement = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608  # our own names
    write_all(connection, statement, list(zip(*kept, strict=True)))


def _keeping(column: Column[Any], connection: Connection) -> Callable[[Any], Any] | None:
    """Return what makes of a value what the driver takes; None when it takes the value itself."""
    dialect = connection.dialect
    return column.type.dialect_impl(dialect).bind_processor(dialect)


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


def read_on(connection: Connection, statement: str, given: Values, at_once: int) -> Iterator[Any]:
    """Return the rows that ``statement`` finds one by one, for who stops when they have enough."""
    asked = statement.format(*((_mark(connection),) * len(given)))
    result = connection.exec_driver_sql(asked, given, execution_options={"yield_per": at_once})
    return chain.from_iterable(result.partitions())


def _mark(connection: Connection) -> str:
    return "?" if connection.dialect.paramstyle == "qmark" else "%s"
