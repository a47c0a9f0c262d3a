"""Who sees which block, in words and as fields of a form.

One choice holds for everything; what goes to fewer people, or to more, is chosen apart.
"""

from __future__ import annotations

from flask import Flask
from flask_babel import lazy_gettext
from werkzeug.datastructures import MultiDict

from app.models.member import (
    AUDIENCES,
    AVAILABILITY,
    BLOCKS,
    INTERESTS,
    LANGUAGES,
    ME,
    NAME,
    NEIGHBOURS,
    SPACE,
    WEB,
    WORDS,
    WORK,
)

#: What the blocks are called.
BLOCK_NAMES = {
    NAME: lazy_gettext("Name and photo"),
    WORDS: lazy_gettext("Your sentence and the text about you"),
    WORK: lazy_gettext("Profession and where you work"),
    LANGUAGES: lazy_gettext("Languages you speak"),
    INTERESTS: lazy_gettext("What you like to do with others"),
    AVAILABILITY: lazy_gettext("When to find you"),
}

#: What the circles are called.
CIRCLE_NAMES = {
    ME: lazy_gettext("Only me"),
    SPACE: lazy_gettext("My space"),
    NEIGHBOURS: lazy_gettext("Neighbours"),
    WEB: lazy_gettext("Public web"),
}


def circle_in(given: MultiDict[str, str], name: str) -> str:
    """Return the circle that a field says; empty for the one that holds for everything."""
    said = given.get(name, "")
    return said if said in AUDIENCES else ""


def apart_in(given: MultiDict[str, str]) -> dict[str, str]:
    """Return the circles of blocks that have one of their own."""
    said = {block: circle_in(given, f"see-{block}") for block in BLOCKS}
    return {block: circle for block, circle in said.items() if circle}


def block_name(block: str, titles: dict[str, str]) -> str:
    """Return what a line of the log of consents is about.

    :param titles: of the member's services, by their references.
    """
    _service, is_service, ref = block.partition(":")
    if is_service:
        return titles.get(ref) or str(lazy_gettext("A service that is gone"))
    return str(BLOCK_NAMES.get(block, block))


def register(app: Flask) -> None:
    """Teach the templates these words."""
    app.jinja_env.globals.update(BLOCK_NAMES=BLOCK_NAMES, CIRCLE_NAMES=CIRCLE_NAMES)
    app.jinja_env.filters["block_name"] = block_name
