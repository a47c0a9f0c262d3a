"""A stranger's picture made into one of ours: what is refused, and what goes with it."""

from __future__ import annotations

import contextlib
import io
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.exchange import pictures
from app.exchange.pictures import PictureRefusedError, drawn_anew
from tests.pictures import CAMERA, HTML, SVG, bomb, chunk, moving, noise, picture, with_exif


def seen(made):
    return Image.open(io.BytesIO(made.image)).convert("RGB")


def corner(made, across, down):
    """The colour at a corner, in a word."""
    edge = pictures.EDGE
    pixel = seen(made).getpixel((across * (edge - 20) + 10, down * (edge - 20) + 10))
    names = {(200, 30, 30): "red", (30, 160, 30): "green", (30, 30, 200): "blue",
             (220, 200, 30): "yellow"}  # fmt: skip
    return min(
        names.items(), key=lambda one: sum(abs(a - b) for a, b in zip(one[0], pixel, strict=True))
    )[1]


def corners(made):
    return [corner(made, *at) for at in ((0, 0), (1, 0), (0, 1), (1, 1))]


PNG = picture("PNG")
REFUSED = {
    "nothing": (b"", "empty"),
    "a picture of svg": (SVG, "kind"),
    "a page": (HTML, "kind"),
    "a GIF": (picture("GIF"), "kind"),
    "a TIFF": (picture("TIFF"), "kind"),
    "a picture behind a page": (HTML + picture(), "kind"),
    "too many bytes": (picture() + bytes(pictures.SENT_BYTES), "large"),
    "an animated WebP": (moving("WEBP"), "moves"),
    "an animated PNG": (moving("PNG"), "moves"),
    "a bomb": (bomb(), "pixels"),
    "a bomb below what warns": (bomb(8_000, 8_000), "pixels"),
    "a ribbon": (bomb(2**31 - 1, 1), "pixels"),
    "a point": (picture("PNG", (2, 2)), "small"),
    "a line": (picture("PNG", (4000, 20)), "small"),
    "half a JPEG": (picture()[:2000], "cut"),
    "a JPEG without its last byte": (picture()[:-1], "cut"),
    "half a PNG": (PNG[: len(PNG) // 2], "cut"),
    "half a WebP": (picture("WEBP")[:-20], "cut"),
    "a JPEG and a page": (picture() + HTML, "more"),
    "a PNG and a page": (PNG + HTML, "more"),
    "a WebP and a page": (picture("WEBP") + HTML, "more"),
    "a PNG and a ZIP": (PNG + b"PK\x03\x04", "more"),
    "a PNG whose pixels are missing": (
        PNG[:33] + chunk(b"IDAT", b"x\x9c\x03\x00") + chunk(b"IEND", b""), "unreadable"),
    "only a beginning": (b"\xff\xd8\xff", "cut"),
}  # fmt: skip


@pytest.mark.parametrize(("sent", "why"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_picture_or_more_than_one_is_refused(sent, why):
    with pytest.raises(PictureRefusedError) as refused:
        drawn_anew(sent)
    assert refused.value.why == why


def test_a_bomb_is_refused_before_a_pixel_is_unpacked(monkeypatch):
    monkeypatch.setattr(Image.Image, "load", lambda _self: pytest.fail("unpacked"))
    with pytest.raises(PictureRefusedError):
        drawn_anew(bomb(9_000, 9_000))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_each_kind_becomes_a_small_square_of_our_own(kind):
    made = drawn_anew(picture(kind))
    found = Image.open(io.BytesIO(made.image))
    assert (found.format, found.size) == ("WEBP", (pictures.EDGE, pictures.EDGE))
    assert corners(made) == ["red", "blue", "green", "yellow"]
    assert made.facts() == {
        "digest": made.digest,
        "type": "image/webp",
        "bytes": len(made.image),
        "size": pictures.EDGE,
    }


def test_nothing_goes_with_the_pixels():
    sent = with_exif()
    assert CAMERA in sent
    made = drawn_anew(sent)
    for trace in (CAMERA, b"zq comment", b"zq xmp", b"zq icc", b"Exif", b"EXIF", b"ICCP", b"XMP "):
        assert trace not in made.image
    found = Image.open(io.BytesIO(made.image))
    assert (dict(found.getexif()), set(found.info) & {"icc_profile", "xmp", "exif"}) == ({}, set())


def test_a_picture_taken_sideways_stands_upright():
    assert corners(drawn_anew(with_exif(orientation=6))) == ["green", "red", "yellow", "blue"]
    assert corners(drawn_anew(with_exif(orientation=3))) == ["yellow", "green", "blue", "red"]


def test_the_middle_of_a_wide_picture_is_kept_or_the_part_that_was_chosen():
    wide = picture(size=(1200, 300))
    assert corners(drawn_anew(wide)) == ["red", "blue", "green", "yellow"]
    assert corners(drawn_anew(wide, "left")) == ["red", "red", "green", "green"]
    assert corners(drawn_anew(wide, "right")) == ["blue", "blue", "yellow", "yellow"]
    high = picture(size=(300, 1200))
    assert corners(drawn_anew(high, "top")) == ["red", "blue", "red", "blue"]
    assert corners(drawn_anew(high, "bottom")) == ["green", "yellow", "green", "yellow"]
    assert drawn_anew(wide, "somewhere else") == drawn_anew(wide)


def test_what_is_seen_through_is_drawn_on_white_paper():
    image = Image.new("RGBA", (200, 200), (0, 0, 0, 0))
    written = io.BytesIO()
    image.save(written, "PNG")
    assert seen(drawn_anew(written.getvalue())).getpixel((100, 100)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "I;16", "CMYK"])
def test_every_way_of_keeping_pixels_is_read(mode):
    written = io.BytesIO()
    Image.new("L", (100, 100), 100).convert(mode.replace("I;16", "I")).convert(mode).save(
        written, "JPEG" if mode == "CMYK" else "PNG"
    )
    assert drawn_anew(written.getvalue()).edge == pictures.EDGE


def test_however_badly_it_packs_it_fits():
    assert len(drawn_anew(noise()).image) <= pictures.BYTES


def test_what_telephones_append_to_a_picture_is_left_behind():
    first, film = picture(), b"\x00\x00\x00\x18ftypmp42" + b"zq film" * 50
    for sent in (first + picture(size=(200, 200)), first + film, first + bytes(64)):
        assert drawn_anew(sent) == drawn_anew(first)


@given(st.randoms(use_true_random=False), st.sampled_from(["JPEG", "PNG", "WEBP"]))
def test_a_damaged_picture_is_refused_or_drawn_and_nothing_else_happens(
    chance: random.Random, kind: str
):
    sent = bytearray(picture(kind, (120, 90)))
    for _ in range(chance.randint(1, 12)):
        sent[chance.randrange(len(sent))] = chance.randrange(256)
    with contextlib.suppress(PictureRefusedError):
        assert len(drawn_anew(bytes(sent)).image) <= pictures.BYTES
