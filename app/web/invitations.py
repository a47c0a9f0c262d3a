"""Asking people to come in, from the admins' list: one, once more, all of a list, or never mind."""

from __future__ import annotations

from flask import Blueprint, Response, flash, g, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import func, select
from werkzeug.wrappers import Response as AnyResponse

from app.database import db
from app.members import inviting
from app.members.inviting import NotInvitedError
from app.models.account import account_of
from app.web import forms
from app.web.access import admins, signed_in
from app.web.membership import account_with, list_of_people, name_of
from app.web.pages import page
from app.web.sign_in import looks_like_email
from federation import limits

bp = Blueprint("invitations", __name__)

#: Names shown of those to whom letters will go.
NAMES = 12


@bp.post("/members")
@admins
def create() -> AnyResponse:
    """Invite one person by name and address."""
    name = forms.line(request.form.get("name", ""))
    email = request.form.get("email", "").strip()
    errors = {}
    if not looks_like_email(email):
        errors["email"] = _("Enter an e-mail address such as name@example.org.")
    elif not name and account_of(db.session(), email) is None:
        errors["name"] = _("Enter their name, so that the letter can greet them.")
    if len(name) > limits.NAME_CHARACTERS:
        errors["name"] = _("Keep it to %(most)s characters.", most=limits.NAME_CHARACTERS)
    if not errors:
        account = inviting.newcomer(db.session(), name, email, g.now)
        try:
            inviting.invite(db.session(), account, signed_in().ref, g.now)
        except NotInvitedError as error:
            db.session.rollback()
            errors["email"] = _why_not(error)
    if errors:
        return list_of_people(name=name, email=email, errors=errors, status=422)
    db.session.commit()
    flash(_("An invitation to %(name)s is on its way.", name=name_of(account)))
    return redirect(url_for("membership.show"), 303)


@bp.post("/members/<ref>/invitation")
@admins
def update(ref: str) -> AnyResponse:
    """Invite somebody of the list, or once more: the link in the letter before opens nothing."""
    account = account_with(ref)
    try:
        inviting.invite(db.session(), account, signed_in().ref, g.now)
    except NotInvitedError as error:
        db.session.rollback()
        return list_of_people(problem=_why_not(error), status=409)
    db.session.commit()
    flash(_("An invitation to %(name)s is on its way.", name=name_of(account)))
    return redirect(url_for("membership.show"), 303)


@bp.post("/members/<ref>/invitation/cancel")
@admins
def destroy(ref: str) -> AnyResponse:
    account = account_with(ref)
    if inviting.cancel(db.session(), account, signed_in().ref, g.now):
        flash(_("The invitation is taken back. If the letter is out, its link opens nothing."))
    else:
        flash(_("There was no invitation any more."))
    db.session.commit()
    return redirect(url_for("membership.show"), 303)


@bp.get("/members/invitations")
@admins
def show_all() -> Response:
    """Say how many letters would go out, and how far those on their way have come."""
    return _preview()


@bp.post("/members/invitations")
@admins
def create_all() -> AnyResponse:
    """Invite everybody who was not, if that is still as many as the page said."""
    if request.form.get("count", "") != str(_count()):
        return _preview(changed=True, status=409)
    asked = inviting.invite_all(db.session(), signed_in().ref, g.now)
    db.session.commit()
    flash(ngettext("One letter is on its way.", "%(num)s letters are on their way.", asked))
    return redirect(url_for("invitations.show_all"), 303)


def _preview(*, changed: bool = False, status: int = 200) -> Response:
    some = db.session.scalars(inviting.uninvited().limit(NAMES)).all()
    return page(
        "membership/invitations.html",
        "letters",
        status,
        count=_count(),
        names=[name_of(one) for one in some],
        without_address=inviting.without_address(db.session()),
        letters=inviting.progress(db.session()),
        pace=inviting.PACE,
        changed=changed,
    )


def _count() -> int:
    return db.session.scalar(select(func.count()).select_from(inviting.uninvited().subquery())) or 0


def _why_not(error: NotInvitedError) -> str:
    sentences = {
        "in": _("They came in before: they sign in with their address, whenever they like."),
        "shut": _("The door is shut to this person: they left, or an admin decided so."),
    }
    return str(sentences[error.reason])
