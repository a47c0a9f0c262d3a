"""The space's own settings, and the steps that open its door: for admins, any time."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, current_app, flash, g, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import func, select
from werkzeug.wrappers import Response as AnyResponse

from app.database import db
from app.exchange.identity import Identity
from app.models.journal import note
from app.models.member import Member
from app.models.peer import Peer
from app.models.scope import shown_peers
from app.models.space import ENAMELS
from app.web import peering_words
from app.web.access import admins, signed_in
from app.web.languages import language
from app.web.pages import page
from app.web.space_form import LABELS, SpaceForm, countries

bp = Blueprint("setup", __name__)

TEMPLATE = "setup/show.html"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do before the space is complete."""

    name: str
    done: bool
    words: str
    page: str = ""


@bp.get("/setup")
@admins
def show() -> Response:
    return _page(SpaceForm.of(g.space))


@bp.post("/setup")
@admins
def update() -> AnyResponse:
    form = SpaceForm.read(request.form)
    if not form.judge():
        return _page(form, 422)
    form.fill(g.space)
    note(db.session(), g.now, "decision", "space.changed", actor=signed_in().ref)
    db.session.commit()
    flash(_("Saved. Neighbours see it when they next come by."))
    if g.space.latitude is None:
        flash(_("We do not know where %(city)s is, so no distances are shown.", city=g.space.city))
    return redirect(url_for("setup.show"), 303)


@bp.post("/setup/preview")
@admins
def show_preview() -> Response:
    return _page(SpaceForm.read(request.form), fragment="look")


def _page(form: SpaceForm, status: int = 200, fragment: str | None = None) -> Response:
    identity: Identity = current_app.extensions["identity"]
    return page(
        TEMPLATE,
        fragment,
        status,
        form=form,
        errors=form.errors,
        labels=LABELS,
        enamels=_enamels(),
        countries=countries(language()),
        steps=_steps(),
        key=peering_words.hex_groups(identity.root_kid),
    )


def _steps() -> list[Step]:
    """Return the steps with what is true of each now; every number is counted."""
    people = db.session.scalar(select(func.count(Member.id)).where(Member.left_at.is_(None))) or 0
    neighbours = db.session.scalar(select(func.count(Peer.id)).where(shown_peers())) or 0
    return [
        Step(_("Your account"), True, signed_in().email),
        Step(
            _("Your space"),
            bool(g.space.line),
            g.space.name if g.space.line else _("one sentence about it is missing"),
        ),
        Step(_("Your key"), True, _("made, and read by this computer only")),
        Step(
            _("Your first members"),
            people > 1,
            ngettext("%(num)s person so far", "%(num)s people so far", people),
        ),
        Step(
            _("Your neighbours"),
            neighbours > 0,
            ngettext("%(num)s so far", "%(num)s so far", neighbours),
            url_for("neighbours.show"),
        ),
    ]


def _enamels() -> list[tuple[str, str]]:
    names = {
        "blue": _("Blue"),
        "green": _("Green"),
        "oxblood": _("Oxblood"),
        "teal": _("Teal"),
        "slate": _("Slate"),
    }
    return [(enamel, names[enamel]) for enamel in ENAMELS]
