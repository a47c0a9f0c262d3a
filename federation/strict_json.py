"""JSON as it must be when it decides something: one reading, bounded, or none.

Two parsers that read the same bytes differently are how signed documents get forged: duplicate
keys, ``NaN``, a byte order mark, lone surrogates. All are refused here (RFC 8259, I-JSON of
RFC 7493). Nothing is known here of what the JSON says.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any, NoReturn

from federation.errors import DocumentError, TooLargeError
from federation.limits import JSON_DEPTH, JSON_DIGITS


def loads(
    data: bytes, *, max_bytes: int, max_depth: int = JSON_DEPTH, max_values: int | None = None
) -> Any:
    """Return what ``data`` says: dict, list, str, int, float, bool or None.

    :param max_bytes: checked before anything is decoded.
    :param max_depth: levels of objects and arrays.
    :param max_values: in all, for what may be long: three bytes, ``[],``, become seventy in memory.
        Commas and brackets in texts are counted too.
    :raises TooLargeError: more than ``max_bytes`` or ``max_values``.
    :raises DocumentError: not UTF-8, not JSON, too deep, a duplicate key, ``NaN`` or infinity, a
        number of too many digits, a lone surrogate, or anything after the value.
    """
    if len(data) > max_bytes:
        raise TooLargeError(f"{len(data)} bytes of JSON, more than {max_bytes}")
    # Before each value but the first stands a comma, or the bracket that it is the first in.
    if max_values is not None and sum(map(data.count, (b",", b"[", b"{"))) >= max_values:
        raise TooLargeError(f"more than {max_values} values of JSON")
    try:
        text = data.decode("utf-8", "strict")
    except UnicodeDecodeError as error:
        raise DocumentError("not UTF-8") from error
    try:
        value = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        # json.JSONDecodeError is a ValueError; a byte order mark ends here too. The parser counts
        # its own recursion, so that a megabyte of brackets is an error and not a crash.
        raise DocumentError(f"not JSON: {error}") from error
    _refuse_depth(value, max_depth)
    if "\\u" in text:
        _refuse_surrogates(value)
    return value


def loads_object(data: bytes, *, max_bytes: int, max_depth: int = JSON_DEPTH) -> dict[str, Any]:
    """Return what ``data`` says when it is a JSON object; raises as :func:`loads` does."""
    value = loads(data, max_bytes=max_bytes, max_depth=max_depth)
    if not isinstance(value, dict):
        raise DocumentError("not a JSON object")
    return value


def dumps(value: object) -> bytes:
    """Return ``value`` as the bytes that get signed: UTF-8, no spaces, keys as given.

    :raises ValueError: ``NaN`` or infinity, which JSON cannot say.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "strict")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise DocumentError("a key occurs twice in one JSON object")
    return found


def _no_constant(name: str) -> NoReturn:
    raise DocumentError(f"{name} is not JSON")


def _short_int(digits: str) -> int:
    if len(digits) > JSON_DIGITS:
        raise DocumentError(f"a number of {len(digits)} digits")
    return int(digits)


def _short_float(digits: str) -> float:
    if len(digits) > JSON_DIGITS:
        raise DocumentError(f"a number of {len(digits)} digits")
    value = float(digits)
    if not math.isfinite(value):
        raise DocumentError("a number too large to be one")
    return value


def _refuse_depth(value: Any, max_depth: int) -> None:
    layer, depth = [value], 0
    while layer := [child for node in layer for child in _children(node)]:
        depth += 1
        if depth > max_depth:
            raise DocumentError(f"JSON nested deeper than {max_depth} levels")


def _children(node: Any) -> Iterable[Any]:
    """The contents of a container; a scalar has none, an empty container counts as a level."""
    if isinstance(node, dict):
        return node.values() or (None,)
    if isinstance(node, list):
        return node or (None,)
    return ()


def _refuse_surrogates(value: Any) -> None:
    try:
        dumps(value)
    except UnicodeEncodeError as error:
        raise DocumentError("half a character") from error


_DECODER = json.JSONDecoder(
    object_pairs_hook=_no_duplicates,
    parse_constant=_no_constant,
    parse_int=_short_int,
    parse_float=_short_float,
)
