"""Texts in further languages, as cards hold them, and which of several somebody reads.

A neighbour's were verified when they came in; as everywhere on a card, whatever is of another
shape is left out, never an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple


class Version(NamedTuple):
    """Two texts in one language: headline and biography, or title and description."""

    lang: str
    """BCP 47."""

    short: str
    long: str


def versions_of(held: object, short: str, long: str) -> tuple[Version, ...]:
    """Return the versions among ``held``, a list as it is stored or signed.

    :param short: under which name the short text stands, ``long`` the long one.
    """
    if not isinstance(held, list | tuple) or not held:
        return ()
    found = (_version(one, short, long) for one in held if isinstance(one, dict))
    return tuple(one for one in found if one.lang and (one.short or one.long))


def _version(one: dict[str, Any], short: str, long: str) -> Version:
    said = (one.get(name) for name in ("lang", short, long))
    return Version(*(text if isinstance(text, str) else "" for text in said))


def best(ranges: Sequence[str], tags: Iterable[str]) -> str:
    """Return which of ``tags`` somebody reads best; empty when they read none.

    Lookup (RFC 4647 section 3.4): a range is cut from its end until it is a tag, so that ``fr-CA``
    finds ``fr``. Beyond that, one that found nothing takes a tag which it begins, as in filtering
    (section 3.3.1): who reads ``en`` reads ``en-GB``.
    """
    known = {tag.lower(): tag for tag in reversed(list(tags)) if tag}
    for wanted in ranges:
        cut = wanted.lower()
        while cut:
            if cut in known:
                return known[cut]
            cut = cut.rpartition("-")[0]
            # A single letter begins an extension and is no range by itself.
            if cut[-2:-1] == "-":
                cut = cut[:-2]
        begun = [tag for tag in known if tag.startswith(wanted.lower() + "-")]
        if begun:
            return known[min(begun)]
    return ""
