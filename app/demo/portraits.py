"""Faces for the invented people of the demo: drawn here, each from their name, like stamps.

Not everybody has one, as in life. What is drawn goes into the list that the demo imports, so that
it takes the way of every photo.
"""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from random import Random

from PIL import Image, ImageDraw

#: Of so many people one wears initials.
ONE_WITHOUT = 4

#: Pixels of each edge; drawn larger than shown, so that edges are soft.
EDGE = 640

_PAPER = ("#f2d9b8", "#cfe0d6", "#d5dcea", "#ecd3d3", "#e4e0cc", "#d9d0e6")
_SKIN = ("#f1c8a4", "#e0ac85", "#c98d66", "#a86f4b", "#80502f", "#5d3a22")
_HAIR = ("#2b2320", "#5a3825", "#8a5a2b", "#c08a3e", "#9a9a94", "#d8d4c8", "#7a2f22")
_CLOTH = ("#2f5d8a", "#2f6e5b", "#8a3b2f", "#5b4a7d", "#b5833a", "#37474f")


def with_portraits(listed: Path, folder: Path) -> Path:
    """Return a copy of the list at ``listed``, in ``folder``, in which most people have a photo."""
    rows = [json.loads(line) for line in listed.read_text(encoding="utf-8").splitlines()]
    for number, row in enumerate(rows):
        if number % ONE_WITHOUT != ONE_WITHOUT - 1:
            row["photo"] = base64.b64encode(portrait(row["name"])).decode("ascii")
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / "members-with-photos.jsonl"
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    copy.write_text(text, encoding="utf-8")
    return copy


def portrait(name: str) -> bytes:
    """Return a face as PNG: always the same one for the same name."""
    chance = Random(name)  # noqa: S311  # a face, no secret
    image = Image.new("RGB", (EDGE, EDGE), chance.choice(_PAPER))
    pen = ImageDraw.Draw(image)
    skin, hair = chance.choice(_SKIN), chance.choice(_HAIR)
    wide, high = chance.randint(105, 130), chance.randint(140, 165)
    pen.ellipse((80, 450, 560, 900), fill=chance.choice(_CLOTH))
    if chance.random() < 0.5:
        length = chance.randint(360, 520)
        pen.rounded_rectangle((320 - wide - 45, 170, 320 + wide + 45, length), 110, fill=hair)
    pen.rounded_rectangle((275, 380, 365, 500), 40, fill=skin)
    pen.ellipse((320 - wide, 280 - high, 320 + wide, 280 + high), fill=skin)
    _crown(pen, chance, wide, high, hair)
    _look(pen, chance, wide)
    written = io.BytesIO()
    image.save(written, "PNG")
    return written.getvalue()


def _crown(pen: ImageDraw.ImageDraw, chance: Random, wide: int, high: int, hair: str) -> None:
    """Draw what is on the head."""
    top = 280 - high
    style, fringe = chance.randrange(3), chance.randint(60, 110)
    pen.chord((320 - wide - 14, top - 22, 320 + wide + 14, top + 2 * fringe), 180, 360, fill=hair)
    if style == 1:
        pen.ellipse((265, top - 85, 375, top + 15), fill=hair)
    if style == 2:
        for left in range(320 - wide, 320 + wide, 48):
            pen.ellipse((left - 26, top - 34, left + 60, top + 46), fill=hair)


def _look(pen: ImageDraw.ImageDraw, chance: Random, wide: int) -> None:
    """Draw eyes, nose and mouth; some people wear glasses."""
    ink = "#2a211c"
    apart = wide // 2 - 6
    for middle in (320 - apart, 320 + apart):
        pen.ellipse((middle - 10, 262, middle + 10, 284), fill=ink)
        pen.arc((middle - 28, 225, middle + 28, 262), 205, 335, fill=ink, width=7)
    if chance.random() < 0.35:
        for middle in (320 - apart, 320 + apart):
            pen.ellipse((middle - 40, 235, middle + 40, 312), outline=ink, width=7)
        pen.line((320 - apart + 40, 270, 320 + apart - 40, 270), fill=ink, width=7)
    pen.line((322, 285, 312, 325, 328, 328), fill=ink, width=6, joint="curve")
    pen.chord((278, 330, 362, 388), 10, 170, fill="#a8483f")
