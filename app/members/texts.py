"""Texts as they come in lists, made fit to be kept: plain, composed, without tricks.

Letters of every script stay; so do apostrophes, markup and formulas, which are only text here.
"""

from __future__ import annotations

import re
import unicodedata

#: Marks that turn text around or hide in it: overrides, isolates, marks, byte order mark.
_UNSEEN = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_BREAKS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_STRONG = re.compile(r"[;|\n]")


def one_line(text: str) -> str:
    """Return ``text`` as a single line: NFC, blanks joined, nothing invisible."""
    return " ".join(paragraphs(text).split())


def paragraphs(text: str) -> str:
    """Return ``text`` in NFC with its line breaks; more than one empty line becomes one."""
    plain = _BREAKS.sub("\n", _UNSEEN.sub("", unicodedata.normalize("NFC", text)))
    # What Python prints as it stands needs no look at each letter; almost every text is so.
    shown = plain if plain.replace("\n", "").isprintable() else _shown(plain)
    lines = "\n".join(" ".join(line.split()) for line in shown.split("\n"))
    return re.sub("\n{3,}", "\n\n", lines).strip()


def _shown(plain: str) -> str:
    return "".join(
        # Lone surrogates can be neither stored nor signed; private letters have no shape.
        " " if letter == "\t" else letter
        for letter in plain
        if letter in "\n\t" or unicodedata.category(letter) not in ("Cc", "Cs", "Co")
    )


def shortened(text: str, limit: int) -> str:
    """Return ``text`` in at most ``limit`` characters, cut between words where possible."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    whole_words = head.rsplit(None, 1)[0] if " " in head[limit // 2 :] else head
    return whole_words.rstrip(" ,;:.-") + "…"


def parts(text: str) -> tuple[str, ...]:
    """Return the entries of a text that lists several things, each once.

    They stand between semicolons, bars or line breaks; between commas where there is none of
    these, so that "Contracts, terms; Mediation" are two things.
    """
    entries = _STRONG.split(text) if _STRONG.search(text.strip()) else text.split(",")
    found = (one_line(entry) for entry in entries)
    return tuple(dict.fromkeys(part for part in found if part))


def folded(text: str) -> str:
    """Return ``text`` for comparison: without accents, case and punctuation."""
    spread = unicodedata.normalize("NFKD", text).casefold().replace("œ", "oe").replace("æ", "ae")
    letters = "".join(
        letter if letter.isalnum() else " "
        for letter in spread
        if not unicodedata.combining(letter)
    )
    return " ".join(letters.split())
