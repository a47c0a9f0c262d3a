"""Where I am signed in, and signing out there."""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from app.database import db
from app.models import sign_in
from app.web.access import members, signed_in, this_sign_in
from app.web.pages import page

bp = Blueprint("sign_ins", __name__)

#: What browsers call themselves in ``User-Agent``, by their names; the first that fits is meant,
#: since most also name those they descend from.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("Chrome", "Chrome"),
    ("CriOS", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


@bp.app_template_filter("browser_name")
def browser_name(agent: str) -> str:
    """Return what a ``User-Agent`` stands for, such as "Firefox · Linux"; rough, for people."""
    found = [
        next((name for mark, name in names if mark in agent), "") for names in (BROWSERS, SYSTEMS)
    ]
    return " · ".join(filter(None, found)) or str(_("A browser that does not say its name"))


@bp.get("/me/sign-ins")
@members
def show() -> AnyResponse:
    mine = sign_in.sign_ins(db.session(), signed_in(), g.now)
    return page("sign_ins/show.html", sign_ins=mine, here_now=this_sign_in())


@bp.post("/me/sign-ins/<ref>/end")
@members
def destroy(ref: str) -> AnyResponse:
    if this_sign_in().ref == ref:
        # The button for this browser is the one that also clears its cookie.
        return redirect(url_for("sign_ins.show"), 303)
    if sign_in.end_one(db.session(), signed_in(), ref):
        flash(_("Signed out there."))
    else:
        flash(_("That browser was signed out already."))
    db.session.commit()
    return redirect(url_for("sign_ins.show"), 303)


@bp.post("/me/sign-ins/end-others")
@members
def destroy_others() -> AnyResponse:
    ended = sign_in.end_others(db.session(), signed_in(), this_sign_in())
    db.session.commit()
    flash(
        ngettext("Signed out in one other place.", "Signed out in %(num)s other places.", ended)
        if ended
        else _("You were signed in nowhere else.")
    )
    return redirect(url_for("sign_ins.show"), 303)
