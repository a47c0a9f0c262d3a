"""The first six fields: from an invitation to a service that others find.

Everything else about a profile can wait; it has its own form (``app/web/my_profile.py``), whose
rules hold here as well. Whoever offers something already is led there.
"""

from __future__ import annotations

from babel.numbers import get_territory_currencies
from flask import Blueprint, Response, g, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.database import db
from app.exchange.describing import NotPublishableError
from app.models.account import Account
from app.models.member import AUDIENCES, ME
from app.web import forms, my_profile, specialities
from app.web.access import members, signed_in
from app.web.languages import language
from app.web.pages import page
from app.web.profile_form import CURRENCIES, LABELS, SERVICE_LABELS, ProfileForm, ServiceForm

bp = Blueprint("first_steps", __name__)


@bp.get("/me/first")
@members
def edit() -> AnyResponse:
    person = signed_in()
    if _has_begun(person):
        return redirect(url_for("my_profile.edit"), 303)
    form = ProfileForm.of(person.member, language())
    form.services = [ServiceForm(currency=_currency())]
    return _page(form)


@bp.post("/me/first")
@members
def update() -> AnyResponse:
    """Save the first service; in a second tab that came later, nothing is overwritten nor lost."""
    person = signed_in()
    form = _read(person)
    if _has_begun(person):
        return my_profile.offer(person, form.services[0])
    if not form.judge(g.now.date()):
        return _page(form, 422)
    try:
        my_profile.save(person, form)
    except NotPublishableError as error:
        db.session.rollback()
        form.errors["name"] = _("This cannot be signed: %(problem)s", problem=str(error))
        return _page(form, 422)
    return redirect(url_for("my_profile.edit"), 303)


def _has_begun(person: Account) -> bool:
    return person.member is not None and bool(person.member.services)


def _read(person: Account) -> ProfileForm:
    """Return the profile as it is, with the six fields that were typed."""
    given = request.form
    form = ProfileForm.of(person.member, language())
    form.name = forms.line(given.get("name", ""))
    audience = given.get("audience", ME)
    form.audience = audience if audience in AUDIENCES else ME
    form.services = [
        ServiceForm(
            title=forms.line(given.get("title", "")),
            speciality=forms.line(given.get("speciality", "")),
            rate=forms.line(given.get("rate", "")),
            coworker_rate=forms.line(given.get("coworker_rate", "")),
            currency=_currency(),
        )
    ]
    return form


def _currency() -> str:
    """Return what people of the space's country pay with, as the profile's form offers it."""
    found = get_territory_currencies(g.space.country) if g.space.country else []
    return next((code for code in found if code in CURRENCIES), "EUR")


def _page(form: ProfileForm, status: int = 200) -> Response:
    # What is wrong with the one service stands under its bare names here.
    errors = {id_.removeprefix("service-0-"): said for id_, said in form.errors.items()}
    return page(
        "first_steps/edit.html",
        status=status,
        form=form,
        service=form.services[0],
        errors=errors,
        summary=[(id_.removeprefix("service-0-"), said) for id_, said in form.summary()],
        labels=LABELS,
        service_labels=SERVICE_LABELS,
        specialities=specialities.choices(language()),
    )
