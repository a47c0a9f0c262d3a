"""Whom I do not want to hear, and what I reported: nobody else sees this page."""

from __future__ import annotations

from flask import Blueprint, Response, abort, current_app, flash, g, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from app.database import db
from app.exchange import silences
from app.exchange.describing import subject_of
from app.exchange.identity import Identity
from app.members import reporting
from app.models.conversation import BLOCK, MUTE, Conversation
from app.models.member import Member
from app.models.scope import seen_by
from app.web.access import members, reader, signed_in
from app.web.pages import page
from app.web.profile import mirrored_profile

bp = Blueprint("silences", __name__)


@bp.get("/me/silences")
@members
def show() -> Response:
    person = signed_in()
    mine = silences.of(db.session(), person.member) if person.member else []
    return page(
        "silences/show.html",
        silences=mine,
        reports=reporting.made_by(db.session(), person),
    )


@bp.post("/me/silences/end")
@members
def destroy() -> AnyResponse:
    """Hear somebody again."""
    member = signed_in().member
    if member is not None and silences.end(db.session(), member, request.form.get("other", "")):
        flash(_("From now on you hear from them again. What they wrote meanwhile did not arrive."))
    db.session.commit()
    return redirect(url_for("silences.show"), 303)


@bp.post("/m/<ref>/silence")
@members
def create(ref: str) -> AnyResponse:
    member = db.one_or_404(select(Member).where(Member.ref == ref, seen_by(reader())))
    return _keep(subject_of(member, _identity()), member.name, "")


@bp.post("/n/<peer_ref>/<ref>/silence")
@members
def create_across(peer_ref: str, ref: str) -> AnyResponse:
    profile = mirrored_profile(peer_ref, ref)
    return _keep(profile.subject, profile.name, profile.peer.name)


@bp.post("/introductions/<ref>/silence")
@members
def create_in_conversation(ref: str) -> AnyResponse:
    """Also when their page is not to be seen any more, or the conversation is over."""
    talk = db.one_or_404(
        select(Conversation).filter_by(ref=ref, member_id=signed_in().member_id or 0)
    )
    return _keep(talk.other, talk.other_name, talk.other_space)


def _keep(other: str, name: str, space: str) -> AnyResponse:
    kind, me = request.form.get("kind", ""), signed_in().member
    if kind not in (BLOCK, MUTE):
        abort(400)
    if me is None or other == subject_of(me, _identity()):
        abort(403)
    silences.keep(db.session(), me, other, name, space, kind, g.now)
    db.session.commit()
    flash(
        _("You will not hear from %(name)s any more. They are not told.", name=name)
        if kind == BLOCK
        else _("You are not told any more when %(name)s writes. They do not know.", name=name)
    )
    return redirect(url_for("silences.show"), 303)


def _identity() -> Identity:
    identity: Identity = current_app.extensions["identity"]
    return identity
