"""What is the same in all spaces of a test run, compiled once for all of them.

A test builds a space of its own, and Jinja, Werkzeug and SQLAlchemy would compile the same
templates, rules of addresses and statements for each: most of what a test of a page took.
"""

from __future__ import annotations

from typing import Any

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Connection, Engine, event
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule


class Templates(BytecodeCache):
    """Keeps compiled templates in memory, each under its name and the digest of its source."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        code = self._kept.get((bucket.key, bucket.checksum))
        if code is not None:
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


#: What Werkzeug made of a rule, by everything of it that is not the map of one application.
_rules: dict[object, dict[str, Any]] = {}


class SharedRule(Rule):
    """A rule that was perhaps parsed and compiled for a space before this one.

    None of our converters asks for the map that it was made for, so one of a kind serves all; the
    builders of addresses find converters through the rule that they are bound to.
    """

    def compile(self) -> None:
        key = (
            self.rule, self.subdomain, self.merge_slashes, tuple((self.defaults or {}).items()),
        )  # fmt: skip
        if key not in _rules:
            super().compile()
            _rules[key] = {
                "arguments": self.arguments,
                "_parts": self._parts,
                "_trace": self._trace,
                "_converters": self._converters,
                "_build": self._build.__func__,
                "_build_unknown": self._build_unknown.__func__,
            }
            return
        vars(self).update(_rules[key])
        self._build = self._build.__get__(self)
        self._build_unknown = self._build_unknown.__get__(self)


templates = Templates()


class Alike:
    """Makes a dialect equal all others of its class: statements are kept under dialect and shape.

    All engines of a run open databases of one program with the same options, so their dialects
    write the same SQL.
    """

    def __hash__(self) -> int:
        return hash(type(self))

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)


#: What SQLAlchemy compiled, by dialect and statement, for the connections of all engines; more than
#: the program has statements.
_statements = LRUCache(4000)


def _share_statements(connection: Connection) -> None:
    connection.execution_options(compiled_cache=_statements)


def share() -> None:
    """Let every application of this process share what it compiles."""
    Flask.url_rule_class = SharedRule
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": templates}
    for dialect in (SQLiteDialect_pysqlite, PGDialect_psycopg):
        dialect.__hash__, dialect.__eq__ = Alike.__hash__, Alike.__eq__
    event.listen(Engine, "engine_connect", _share_statements)
