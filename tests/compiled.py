"""What is the same in all spaces of a test run, compiled once for all of them.

A test builds a space of its own, and Jinja and Werkzeug would compile the same templates and
the same rules of addresses for each: three quarters of what a test of a page took.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
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


_builders: dict[object, Callable[..., Any]] = {}


class SharedRule(Rule):
    """A rule whose builder of addresses was perhaps compiled for a space before this one.

    The builder finds its converters through the rule that it is bound to, so one serves all.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., Any]:
        key = (self.rule, tuple((self.defaults or {}).items()), append_unknown)
        if key not in _builders:
            _builders[key] = super()._compile_builder(append_unknown)
        return _builders[key]


templates = Templates()


def share() -> None:
    """Let every application of this process share what it compiles."""
    Flask.url_rule_class = SharedRule
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": templates}
