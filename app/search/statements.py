"""Statements that each search asks: compiled once, and given to the driver as they are.

Compiling a statement is remembered elsewhere too. What its parameters, its lists of values and the
columns of its rows then cost each time was several times what the database took.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import CompoundSelect, Connection, Dialect, Select

_Convert = Callable[[Any], Any]


class _Compiled(NamedTuple):
    """A statement as one kind of database wants it."""

    text: str
    fixed: Mapping[str, Any]
    """Values that stand in the statement itself, as the driver takes them."""

    order: Sequence[str] | None
    """Names of the parameters in their order; None where the driver wants them by name."""

    binds: Mapping[str, _Convert]


#: What makes of a column's value what its type says, by position; most columns need nothing.
_Reads = Sequence[tuple[int, _Convert]]


class Statement:
    """A statement whose parameters are plain values: never a list, whose length may differ."""

    def __init__(self, select: Select[Any] | CompoundSelect[Any], *names: str) -> None:
        """Remember ``select``.

        :param names: of the parameters that are given each time; all others have their values.
        """
        self._select, self._names = select, names
        self._compiled: WeakKeyDictionary[Dialect, _Compiled] = WeakKeyDictionary()
        self._reads: WeakKeyDictionary[Dialect, _Reads] = WeakKeyDictionary()

    def rows(
        self, connection: Connection, given: Mapping[str, object] | None = None
    ) -> Sequence[Sequence[Any]]:
        """Return the rows that the statement finds, each value as the type of its column says."""
        ready = self._compiled.get(connection.dialect)
        if ready is None:
            ready = self._compiled[connection.dialect] = self._compile(connection.dialect)
        values = {**ready.fixed, **(given or {})}
        for name, bind in ready.binds.items():
            values[name] = bind(values[name])
        wanted = values if ready.order is None else tuple([values[name] for name in ready.order])
        result = connection.exec_driver_sql(ready.text, wanted)
        reads = self._reads.get(connection.dialect)
        if reads is None:
            kinds = [kind for _, kind, *_ in result.cursor.description]
            reads = self._reads[connection.dialect] = self._reading(connection.dialect, kinds)
        found = result.all()
        if not reads:
            return found
        converted = [list(row) for row in found]
        for at, read in reads:
            for row in converted:
                row[at] = read(row[at])
        return converted

    def _compile(self, dialect: Dialect) -> _Compiled:
        compiled = self._select.compile(dialect=dialect)
        # Lists that stand in the statement are written out here, once.
        whole = compiled.construct_expanded_state(dict.fromkeys(self._names))
        binds = {
            name: bind
            for name, one in compiled.binds.items()
            if (bind := one.type.dialect_impl(dialect).bind_processor(dialect)) is not None
        }
        binds |= {name: bind for name, bind in whole.processors.items() if callable(bind)}
        fixed = {
            name: binds[name](value) if name in binds else value
            for name, value in whole.parameters.items()
            if name not in self._names
        }
        return _Compiled(
            whole.statement,
            fixed,
            whole.positiontup if compiled.positional else None,
            {name: bind for name, bind in binds.items() if name in self._names},
        )

    def _reading(self, dialect: Dialect, kinds: Sequence[object]) -> _Reads:
        """Return what reads the columns, given how the driver calls the kind of each."""
        columns = self._select.selected_columns
        return [
            (at, read)
            for at, (column, kind) in enumerate(zip(columns, kinds, strict=True))
            if (read := column.type.dialect_impl(dialect).result_processor(dialect, kind))
        ]
