"""A stranger's picture, made into one of ours: small, square, and nothing but what is seen.

The one door to Pillow, for members' uploads, lists and neighbours alike. No database, no network.
The bytes that came are never kept nor served: what is kept was drawn anew from their pixels, so
that no place where it was taken, no comment and no second file hidden behind it goes with it.

In this order, and each before the next:

* the number of bytes, before anything is read;
* the kind, by the first bytes: JPEG, PNG or WebP, one picture that does not move;
* the end of the picture, which is the end of the file: what is cut short is refused, and so is a
  file that is something else as well (but for what cameras append to a JPEG);
* the number of pixels, from the header, before any is unpacked (a few kilobytes of PNG can hold
  gigabytes);
* then it is decoded, one picture at a time in a process, turned as its EXIF says, cut to a square
  and written anew.
"""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Lock
from typing import Any, Literal

from PIL import Image, ImageOps

#: Bytes of a picture that is sent in: twice what the cameras of telephones make.
SENT_BYTES = 10 * 1000 * 1000

#: Pixels of one, by kind: of a JPEG what telephones take at most by default (24 million). Of the
#: others as many as are unpacked in 200 MB of memory; a WebP takes the most for each.
PIXELS = {"JPEG": 25_000_000, "MPO": 25_000_000, "PNG": 16_000_000, "WEBP": 8_000_000}

#: Pixels of its shorter edge: with fewer there is no face to recognise.
SHORTEST_EDGE = 64

#: Pixels of each edge of ours: the largest place for it is 96 pixels wide, three to a pixel on the
#: finest screens.
EDGE = 320

#: Bytes of ours at most; a portrait takes 6,000 to 15,000.
BYTES = 32 * 1024

MEDIA_TYPE = "image/webp"

#: Qualities to try until it fits into :data:`BYTES`; the last one fits whatever the picture.
QUALITIES = (82, 70, 55, 40, 25, 10, 1)

#: Which part of a picture that is no square is kept: shares of what is cut off, left and above.
CROPS: dict[str, tuple[float, float]] = {
    "middle": (0.5, 0.5),
    "top": (0.5, 0.0),
    "bottom": (0.5, 1.0),
    "left": (0.0, 0.5),
    "right": (1.0, 0.5),
}

Why = Literal["empty", "large", "kind", "moves", "cut", "more", "pixels", "small", "unreadable"]

#: What Pillow raises for a file that is not what its first bytes promise.
_UNREADABLE = (
    OSError,
    ValueError,
    TypeError,
    ArithmeticError,
    LookupError,
    AttributeError,
    SyntaxError,
    EOFError,
    MemoryError,
    NotImplementedError,
    struct.error,
)

_PNG = b"\x89PNG\r\n\x1a\n"

#: Two pictures that are unpacked at a time would take twice the memory.
_one_at_a_time = Lock()


class PictureRefusedError(ValueError):
    """The file cannot be a member's picture; ``why`` says it in a word, the text in a sentence."""

    def __init__(self, why: Why, sentence: str) -> None:
        super().__init__(sentence)
        self.why: Why = why


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of ours."""

    image: bytes
    edge: int = EDGE
    media_type: str = MEDIA_TYPE

    @property
    def digest(self) -> str:
        """SHA-256 of ``image``, hexadecimal: its name, and what is signed."""
        return digest_of(self.image)

    def facts(self) -> dict[str, Any]:
        """Return what a signed profile says of it, but for the address."""
        return {
            "digest": self.digest,
            "type": self.media_type,
            "bytes": len(self.image),
            "size": self.edge,
        }


def digest_of(image: bytes) -> str:
    """Return SHA-256 of ``image``, hexadecimal."""
    return hashlib.sha256(image).hexdigest()


def drawn_anew(sent: bytes, crop: str = "middle") -> Picture:
    """Return the picture in ``sent``, turned upright, cut to a square and without anything else.

    :param crop: which part to keep, one of :data:`CROPS`; anything else is the middle.
    :raises PictureRefusedError: it is none, or more than that.
    """
    _measure(sent)
    with _one_at_a_time:
        try:
            with Image.open(io.BytesIO(sent), formats=("JPEG", "PNG", "WEBP")) as opened:
                _require_bounds(opened)
                square = _square(opened, CROPS.get(crop, CROPS["middle"]))
        except PictureRefusedError:
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise PictureRefusedError("pixels", "far too many pixels") from error
        except _UNREADABLE as error:
            raise PictureRefusedError("unreadable", "the picture cannot be read") from error
        return Picture(_written(square))


def _measure(sent: bytes) -> None:
    """Refuse what is no picture, or no picture alone, without unpacking anything."""
    if not sent:
        raise PictureRefusedError("empty", "the file is empty")
    if len(sent) > SENT_BYTES:
        raise PictureRefusedError("large", f"more than {SENT_BYTES} bytes")
    if sent.startswith(_PNG):
        end = _end_of_png(sent)
    elif sent[:4] == b"RIFF" and sent[8:12] == b"WEBP":
        end = _end_of_webp(sent)
    elif sent.startswith(b"\xff\xd8\xff"):
        end = _end_of_jpeg(sent)
        if end < len(sent) and _appended_by_a_camera(sent[end:]):
            end = len(sent)
    else:
        raise PictureRefusedError("kind", "not a JPEG, PNG or WebP")
    if end > len(sent):
        raise PictureRefusedError("cut", "the file ends before the picture does")
    if end < len(sent):
        raise PictureRefusedError("more", "something else follows the picture in the file")


def _end_of_png(sent: bytes) -> int:
    """Return where the picture ends (PNG, third edition, section 5.3: length, type, data, CRC)."""
    at = len(_PNG)
    while at + 12 <= len(sent):
        length, kind = int.from_bytes(sent[at : at + 4]), sent[at + 4 : at + 8]
        at += 12 + length
        if kind == b"acTL":
            raise PictureRefusedError("moves", "an animated PNG")
        if kind == b"IEND":
            return at
    return len(sent) + 1


def _end_of_webp(sent: bytes) -> int:
    """Return where the picture ends (RFC 9649, section 2.3: the size, padded to an even one)."""
    size = int.from_bytes(sent[4:8], "little")
    return 8 + size + size % 2


def _end_of_jpeg(sent: bytes) -> int:
    """Return where the first picture ends, behind its EOI (ITU-T T.81, annex B.1)."""
    at = 2
    while at + 4 <= len(sent) and sent[at] == 0xFF:
        marker = sent[at + 1]
        if marker == 0xD9:
            return at + 2
        if marker == 0xFF or marker == 0x01 or 0xD0 <= marker <= 0xD7:
            # A fill byte, or a marker without a length.
            at += 1 if marker == 0xFF else 2
            continue
        at += 2 + int.from_bytes(sent[at + 2 : at + 4])
        if marker == 0xDA:
            at = next(_markers(sent, at), len(sent))
    return at + 2 if sent[at : at + 2] == b"\xff\xd9" else len(sent) + 1


def _markers(sent: bytes, at: int) -> Iterator[int]:
    """Yield where markers stand in the packed data behind ``at``, but for stuffing and restarts."""
    while (at := sent.find(b"\xff", at)) >= 0 and at + 1 < len(sent):
        following = sent[at + 1]
        if following != 0x00 and following != 0xFF and not 0xD0 <= following <= 0xD7:
            yield at
        at += 1


def _appended_by_a_camera(rest: bytes) -> bool:
    """Say whether ``rest`` is what telephones put behind a JPEG; it is not kept either way.

    More pictures (multi-picture format, gain maps), a film of the moment, notes of the maker.
    """
    return (
        rest.startswith(b"\xff\xd8\xff")
        or rest[4:8] == b"ftyp"
        or rest.endswith(b"SEFT")
        or not rest.strip(b"\0")
    )


def _require_bounds(opened: Image.Image) -> None:
    """Refuse by what the header says, before a pixel is unpacked."""
    # A JPEG with more pictures behind the first one is a still picture all the same.
    if opened.format != "MPO" and getattr(opened, "is_animated", False):
        raise PictureRefusedError("moves", "an animated picture")
    wide, high = opened.size
    most = PIXELS[opened.format or ""]
    if wide * high > most:
        raise PictureRefusedError("pixels", f"more than {most} pixels")
    if min(wide, high) < SHORTEST_EDGE:
        raise PictureRefusedError("small", f"less than {SHORTEST_EDGE} pixels wide or high")


def _square(opened: Image.Image, centering: tuple[float, float]) -> Image.Image:
    # A JPEG is unpacked no larger than needed: an eighth of the edges, a 64th of the memory.
    opened.draft("RGB", (2 * EDGE, 2 * EDGE))
    upright = ImageOps.exif_transpose(opened)
    if upright.mode not in ("RGB", "RGBA", "L"):
        see_through = "transparency" in upright.info or "A" in upright.getbands()
        upright = upright.convert("RGBA" if see_through else "RGB")
    square = ImageOps.fit(upright, (EDGE, EDGE), centering=centering)
    # On paper, and a new image: nothing but pixels goes from one to the other.
    paper = Image.new("RGB", (EDGE, EDGE), "white")
    paper.paste(square, mask=square if square.mode == "RGBA" else None)
    return paper


def _written(square: Image.Image) -> bytes:
    image = b""
    for quality in QUALITIES:
        written = io.BytesIO()
        square.save(written, "WEBP", quality=quality, method=4, exif=b"", icc_profile=b"", xmp=b"")
        image = written.getvalue()
        if len(image) <= BYTES:
            break
    return image
