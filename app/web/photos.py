"""Photos as pages show them: whoever may see the person may see the photo, and nobody else.

All of them come from here, those of neighbours' people too: a reader's browser never asks another
space, which would learn from it who looks at whom.
"""

from __future__ import annotations

from collections.abc import Iterable

from flask import Blueprint, Response, abort, g, request, url_for
from flask_login import current_user
from sqlalchemy import or_, select

from app.database import db
from app.exchange.pictures import MEDIA_TYPE
from app.models.member import Member
from app.models.peer import MirroredProfile, Peer
from app.models.photo import MirroredPhoto, Photo
from app.models.scope import Reader, mirrored_seen_by, seen_by
from app.search.cards import Card, shows_photo
from app.web.access import anyone, reader
from app.web.profile import mirrored_profile, own

bp = Blueprint("photos", __name__)

#: A picture is shown and does nothing, whatever somebody made of it.
POLICY = "default-src 'none'; sandbox"

#: How long a browser shows a photo without asking: a list has many, and who takes one back should
#: not have to wait.
CACHED = "private, max-age=600"

#: Bytes of the profile's form with a photo in it: three times what a photo may have, so that who
#: sends a larger one gets the form back with a sentence, and not an error page.
FORM_BYTES = 32 * 1000 * 1000

#: The form that may carry a photo.
FORM = "my_profile.update"


@bp.get("/m/<ref>/photo/<digest>")
@anyone
def show(ref: str, digest: str) -> Response:
    seen = or_(seen_by(reader()), own())
    found = select(Photo.image).join(Member, Member.id == Photo.member_id)
    found = found.where(Member.ref == ref, seen, Photo.digest == digest)
    return _picture(db.session.scalars(found).one_or_none())


@bp.get("/n/<peer_ref>/<ref>/photo/<digest>")
@anyone
def show_mirrored(peer_ref: str, ref: str, digest: str) -> Response:
    profile = mirrored_profile(peer_ref, ref)
    if reader() is Reader.VISITOR and not shows_photo(profile.document):
        abort(404)
    found = select(MirroredPhoto.image).where(
        MirroredPhoto.profile_id == profile.id, MirroredPhoto.digest == digest
    )
    return _picture(db.session.scalars(found).one_or_none())


def make_room() -> None:
    """Let the profile's form of somebody who is signed in be as large as a photo makes it."""
    if request.endpoint == FORM and current_user.is_authenticated:
        request.max_content_length = FORM_BYTES


@bp.app_template_filter("photo_url")
def photo_url(card: Card) -> str:
    """Return where the photo of the person on ``card`` is; empty when there is none."""
    if not card.photo:
        return ""
    if card.kind == "member":
        return url_for("photos.show", ref=card.ref, digest=card.photo)
    return url_for("photos.show_mirrored", peer_ref=card.space.ref, ref=card.ref, digest=card.photo)


@bp.app_template_filter("own_photo_url")
def own_photo_url(member: Member | None) -> str:
    """Return where one of our members' photo is; empty when there is none."""
    if member is None or not member.photo:
        return ""
    return url_for("photos.show", ref=member.ref, digest=member.photo["digest"])


@bp.app_template_global()
def faces(subjects: Iterable[str]) -> dict[str, str]:
    """Return where the photos are of those of ``subjects`` whom the reader may see."""
    wanted, base = set(subjects), f"{g.space.url}/m/"
    here = [each.removeprefix(base) for each in wanted if each.startswith(base)]
    found = {}
    ours = select(Member).where(Member.ref.in_(here), seen_by(reader()))
    for member in db.session.scalars(ours):
        found[base + member.ref] = own_photo_url(member)
    theirs = (
        select(MirroredProfile.subject, MirroredProfile.photo, Peer.ref)
        .join(MirroredProfile.peer)
        .where(
            MirroredProfile.subject.in_(wanted),
            MirroredProfile.photo != "",
            mirrored_seen_by(reader(), g.now),
        )
    )
    for subject, digest, peer_ref in db.session.execute(theirs):
        ref = subject.rpartition("/")[2]
        found[subject] = url_for("photos.show_mirrored", peer_ref=peer_ref, ref=ref, digest=digest)
    return found


def _picture(image: bytes | None) -> Response:
    if not image:
        abort(404)
    response = Response(image, content_type=MEDIA_TYPE)
    response.headers["Cache-Control"] = CACHED
    response.headers["Content-Security-Policy"] = POLICY
    response.add_etag()
    response.make_conditional(request)
    return response
