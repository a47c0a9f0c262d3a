"""Plain text, as a member may publish it and a stranger may be shown it.

Unicode NFC, no control characters, nothing that reorders what is around it (the "bidi overrides"
of Unicode UAX #9, with which a name can be made to read backwards).
"""

from __future__ import annotations

import unicodedata

#: LRE RLE PDF LRO RLO, LRI RLI FSI PDI.
_REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

#: Control, surrogate, private use, line and paragraph separators.
_FORBIDDEN = frozenset({"Cc", "Cs", "Co", "Zl", "Zp"})

#: The byte order mark, which is invisible anywhere but at the start of a file.
_MARK = "\ufeff"


def is_plain(text: str, *, lines: bool = False) -> bool:
    """Say whether ``text`` may be published as it stands.

    :param lines: line feeds are allowed (biographies and descriptions).
    """
    return unicodedata.is_normalized("NFC", text) and (
        _surely_plain(text, lines) or not any(_forbidden(character, lines) for character in text)
    )


def plain(text: str, *, lines: bool = False, longest: int | None = None) -> str:
    """Return our own ``text`` made fit to be published: never used on what a peer signed.

    Line ends become ``\\n`` (or a space when ``lines`` is not set), forbidden characters go,
    the ends are trimmed, and the whole is cut to ``longest`` characters.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n")
    if not lines:
        text = text.replace("\n", " ").replace("\t", " ")
    if not _surely_plain(text, lines):
        text = "".join(character for character in text if not _forbidden(character, lines))
    text = unicodedata.normalize("NFC", text).strip()
    return text if longest is None else text[:longest].rstrip()


def _surely_plain(text: str, lines: bool) -> bool:
    """Say at once what is true of almost every text: nothing in it is forbidden.

    What Python prints as it stands is none of the categories Other and Separator, space excepted.
    """
    return (text.replace("\n", "") if lines else text).isprintable()


def _forbidden(character: str, lines: bool) -> bool:
    if character == "\n":
        return not lines
    return (
        character in _REORDERING
        or character == _MARK
        or unicodedata.category(character) in _FORBIDDEN
    )
