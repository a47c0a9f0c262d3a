"""Photos in lists: in our own format alone, as base64 (RFC 4648, section 4). Pure.

What a list brings is drawn anew like any upload. The rules are those of every other field: what
the list said last time changes nothing, and a photo that the member chose themselves stays.
"""

from __future__ import annotations

import base64
from typing import Any

from app.exchange.pictures import SENT_BYTES, Picture, PictureRefusedError, digest_of, drawn_anew

#: What is remembered of a list's photo: what the list said, and what became of it here.
SAID, MADE = "photo", "photo_made"


def as_text(image: bytes) -> str:
    """Return ``image`` as our format has it; empty for none."""
    return base64.b64encode(image).decode("ascii")


def from_text(text: str) -> bytes:
    """Return the image in ``text``; empty for none.

    :raises ValueError: not base64, or more than a photo may be.
    """
    if len(text) > SENT_BYTES * 4 // 3 + 4:
        raise ValueError("the photo is too large")
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:  # of binascii, or for a letter that is not ASCII
        raise ValueError("the photo is not base64") from error


def brought(
    image: bytes, current: str, imported: dict[str, Any], remarks: list[str]
) -> Picture | None:
    """Return the photo that a list brings, if it is to be taken; ``imported`` remembers it.

    :param image: as the list has it; empty when it says nothing about a photo.
    :param current: the digest of the photo that the member has, empty for none.
    """
    if not image or digest_of(image) in (current, imported.get(SAID)):
        return None
    if current and current != imported.get(MADE):
        remarks.append("photo is kept as the member chose it")
        return None
    try:
        picture = drawn_anew(image)
    except PictureRefusedError as refused:
        remarks.append(f"photo is left out: {refused}")
        return None
    imported[SAID], imported[MADE] = digest_of(image), picture.digest
    return picture
