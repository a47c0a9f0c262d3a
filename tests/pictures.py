"""Pictures for tests, good and hostile, made when they are needed: none is kept in a file."""

from __future__ import annotations

import io
import struct
import zlib

from PIL import Image

#: Where the picture with EXIF was taken, as bytes that can be looked for.
CAMERA = b"ZQ Camera of Aicha"


def picture(kind="JPEG", size=(400, 300), *, colours=None, **saved):
    """A picture of four coloured quarters: red, green below it; blue, yellow on the right."""
    colours = colours or ((200, 30, 30), (30, 160, 30), (30, 30, 200), (220, 200, 30))
    image = Image.new("RGB", size)
    wide, high = size[0] // 2, size[1] // 2
    for number, colour in enumerate(colours):
        left, upper = (number // 2) * wide, (number % 2) * high
        image.paste(colour, (left, upper, size[0] - wide + left, size[1] - high + upper))
    written = io.BytesIO()
    image.save(written, kind, **saved)
    return written.getvalue()


def colour_of(image):
    """The colour in the middle of a picture."""
    with Image.open(io.BytesIO(image)) as opened:
        return opened.convert("RGB").getpixel((opened.width // 2, opened.height // 2))


def with_exif(orientation=1, size=(400, 300)):
    """A JPEG that tells by which camera, where, and which way up it was held; with a comment."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = CAMERA.decode()
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2] = "N", (47.0, 13.0, 6.0)
    gps[3], gps[4] = "W", (1.0, 33.0, 13.0)
    return picture(
        size=size, exif=exif, comment=b"zq comment", xmp=b"<x:xmpmeta>zq xmp</x:xmpmeta>",
        icc_profile=b"zq icc" + bytes(200),
    )  # fmt: skip


def moving(kind="WEBP"):
    """Two pictures one after the other."""
    frames = [Image.new("RGB", (200, 200), colour) for colour in ("red", "blue")]
    written = io.BytesIO()
    frames[0].save(written, kind, save_all=True, append_images=frames[1:], duration=100)
    return written.getvalue()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb(wide=30_000, high=30_000):
    """A PNG of a few kilobytes that says it is ``wide`` by ``high``."""
    header = struct.pack(">IIBBBBB", wide, high, 8, 2, 0, 0, 0)
    packed = zlib.compress(bytes(4_000_000), 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    )


def noise(size=(700, 700)):
    """What packs worst."""
    written = io.BytesIO()
    Image.effect_noise(size, 100).convert("RGB").save(written, "PNG")
    return written.getvalue()


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(document.cookie)</script>"
