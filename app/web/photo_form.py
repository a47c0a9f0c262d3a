"""The photo on the profile's form: a file, which part of it to keep, or none any more.

A browser cannot be given a file back. So whenever the form comes back for another reason, the
person is asked to choose the photo once more, where they would otherwise lose it unnoticed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from app.exchange import photos
from app.exchange.pictures import (
    CROPS,
    SENT_BYTES,
    SHORTEST_EDGE,
    Picture,
    PictureRefusedError,
    drawn_anew,
)
from app.models.member import Member

#: What the parts of a picture are called that can be kept.
CROP_NAMES = {
    "middle": lazy_gettext("The middle"),
    "top": lazy_gettext("The top"),
    "bottom": lazy_gettext("The bottom"),
    "left": lazy_gettext("The left"),
    "right": lazy_gettext("The right"),
}


@dataclass(slots=True)
class PhotoForm:
    """What was chosen; ``error`` says what to do about it."""

    crop: str = "middle"
    taken_off: bool = False
    """The photo is to be removed."""

    sent: bool = False
    picture: Picture | None = field(default=None, repr=False)
    error: str = ""

    @classmethod
    def read(cls, given: Mapping[str, str], files: Mapping[str, FileStorage]) -> Self:
        """Read what was sent, and draw the picture anew if there is one."""
        crop = given.get("crop", "")
        form = cls(crop if crop in CROPS else "middle", "photo-off" in given)
        file = files.get("photo")
        if file is not None and file.filename:
            form.sent = True
            form._draw(file)
        return form

    def come_back(self) -> None:
        """Say that the file has to be chosen once more, if there was one and nothing worse."""
        if self.sent and not self.error:
            self.error = _("Choose the photo once more: a form that comes back cannot keep it.")

    def fill(self, session: Session, member: Member, now: datetime) -> None:
        """Show the photo, or take it off; a member without a word about it keeps theirs."""
        if self.picture is not None:
            photos.show(session, member, self.picture, now)
        elif self.taken_off and member.photo:
            photos.remove(session, member)

    def _draw(self, file: FileStorage) -> None:
        try:
            # One byte more than is read: a file that is too large is noticed, and not read.
            self.picture = drawn_anew(file.stream.read(SENT_BYTES + 1), self.crop)
        except PictureRefusedError as refused:
            self.error = _sentence(refused)


def _sentence(refused: PictureRefusedError) -> str:
    """Say what to do about a picture that was refused."""
    megabytes = SENT_BYTES // 1_000_000
    sentences: dict[str, str] = {
        "empty": _("This file is empty. Choose another one."),
        "large": _("This photo is too large. Choose one of at most %(most)s MB.", most=megabytes),
        "kind": _("This is not a JPEG, PNG or WebP. Choose a photo of one of these kinds."),
        "moves": _("This picture moves. Choose one that stands still."),
        "cut": _("The end of this photo is missing. Copy it once more, or choose another one."),
        "more": _("There is something else in this file, behind the photo. Save it as a new one."),
        "pixels": _("This photo has too many pixels. Make it smaller, or choose another one."),
        "small": _(
            "This picture is too small. Choose one at least %(most)s pixels wide and high.",
            most=SHORTEST_EDGE,
        ),
        "unreadable": _("This photo cannot be read. Choose another one."),
    }
    return sentences[refused.why]
