"""Members presenting themselves: their profile, their services, and who may see them.

The page shows, beside the form, exactly what neighbours will receive; saving signs and indexes
in the same transaction. Nothing typed is ever lost: a mistake, a service added without
JavaScript or a second tab that saved first all bring the form back as it was.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, current_app, flash, g, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import func, select
from werkzeug.wrappers import Response as AnyResponse

from app.database import db
from app.exchange import receipts, still_true
from app.exchange.describing import NotPublishableError, preview
from app.exchange.identity import Identity
from app.exchange.publish import publish_member
from app.exchange.receipts import Withdrawn
from app.models.account import Account
from app.models.member import ME, Member, Service
from app.models.peer import Peer
from app.models.scope import shown_peers
from app.models.translations import alike
from app.search.index import index_member
from app.web import specialities
from app.web.access import members, signed_in
from app.web.languages import language
from app.web.pages import page, wants_part
from app.web.photo_form import CROP_NAMES, PhotoForm
from app.web.photos import own_photo_url
from app.web.profile_form import (
    CURRENCIES,
    LABELS,
    SERVICE_LABELS,
    ProfileForm,
    ServiceForm,
)
from app.web.words import language_name

bp = Blueprint("my_profile", __name__)

#: How long after a withdrawal the page looks for answers every few seconds; then every minute.
ASKED_QUICKLY = timedelta(minutes=10)

#: Languages offered for the texts of a profile; one that came by import is kept as well.
TEXT_LANGUAGES = ("fr", "en", "de", "es", "it", "nl", "pt")


@bp.app_template_filter("just")
def just(errors: dict[str, str], name: str) -> list[str]:
    """Return the mistakes of one field out of a form's."""
    return [errors[name]] if name in errors else []


@bp.app_template_filter("as_json")
def as_json(claims: dict[str, Any]) -> str:
    """Return ``claims`` as a person can read them; the template escapes it like any text."""
    return json.dumps(claims, ensure_ascii=False, indent=2)


@bp.app_template_global()
def currencies_of(chosen: str, offered: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the options of a currency field; one that came by import is offered too."""
    codes = offered if chosen in offered else (*offered, chosen)
    return [(code, code) for code in codes]


@bp.get("/me")
@members
def edit() -> Response:
    person = signed_in()
    return _page(person, ProfileForm.of(person.member, language()), seen=_seen(person.member))


@bp.post("/me")
@members
def update() -> AnyResponse:
    person = signed_in()
    form = ProfileForm.read(request.form)
    photo = PhotoForm.read(request.form, request.files)
    wanted = request.form.get("do", "save")
    if wanted != "save":
        return _rearranged(person, form, photo, wanted)
    if not (form.judge(g.now.date()) and _is_own_language(form, person.member)) or photo.error:
        return _page(person, form, 422, photo=photo)
    if request.form.get("seen", "") != _seen(person.member):
        return _conflict(person, form, photo)
    try:
        save(person, form, photo)
    except NotPublishableError as error:
        # Something that the form does not know of, e.g. in a service that came by import.
        db.session.rollback()
        form.errors["name"] = _("This cannot be signed: %(problem)s", problem=str(error))
        return _page(person, form, 422, photo=photo)
    return redirect(url_for("my_profile.edit"), 303)


def _is_own_language(form: ProfileForm, member: Member | None) -> bool:
    """Tell whether the texts are in another language than those that have pages of their own."""
    there = member.further_languages if member else []
    if not any(alike(form.locale, tag) for tag in there):
        return True
    form.errors["locale"] = _(
        "Your texts in %(language)s have a page of their own. Remove them there first, or choose "
        "another language here.",
        language=language_name(form.locale, within=True),
    )
    return False


@bp.get("/me/withdrawal")
@members
def show_withdrawal() -> Response:
    """Show which spaces have confirmed that they hold no copy any more."""
    person = signed_in()
    form = ProfileForm.of(person.member, language())
    return _page(person, form, fragment="withdrawal", seen=_seen(person.member))


@bp.post("/me/preview")
@members
def show_preview() -> Response:
    """Show what neighbours would receive, with what cannot be read yet left out."""
    form = ProfileForm.read(request.form)
    form.judge(g.now.date())
    return _page(signed_in(), form, fragment="preview", untouched=True)


def _rearranged(person: Account, form: ProfileForm, photo: PhotoForm, wanted: str) -> Response:
    """Answer a button that adds, removes or moves a service; nothing is saved."""
    verb, _dash, number = wanted.rpartition("-")
    place = int(number) if number.isdecimal() and len(number) < 4 else -1
    said, focus = "", ""
    if wanted == "add-service":
        form.add_service()
        focus = f"service-{len(form.services) - 1}-title"
        said = _("Service %(num)s added at the end.", num=len(form.services))
    elif verb == "remove-service":
        form.remove_service(place)
        focus = "services-title"
        said = _("Removed. Save to make it final.")
    elif verb in ("raise-service", "lower-service"):
        by = -1 if verb == "raise-service" else 1
        form.move_service(place, by)
        focus = f"service-{max(0, min(place + by, len(form.services) - 1))}-title"
        said = _("Moved. Save to make it final.")
    return _page(
        person,
        form,
        fragment=("services", "preview"),
        untouched=True,
        said=said,
        focus=focus,
        out_of_band=wants_part(),
        photo=photo,
    )


def _conflict(person: Account, form: ProfileForm, photo: PhotoForm) -> Response:
    """Keep both texts, the typed one in the form and the stored one beside it."""
    stored = ProfileForm.of(person.member, language())
    return _page(
        person,
        form,
        409,
        seen=_seen(person.member),
        stored=stored,
        differences=form.differences(stored),
        photo=photo,
    )


def offer(person: Account, typed: ServiceForm) -> AnyResponse:
    """Answer with the profile as it is, and what was ``typed`` elsewhere as one more service.

    Nothing is saved. A service that is there already, as after a form sent twice, is not offered.
    """
    form = ProfileForm.of(person.member, language())
    if not typed.title or typed.title in {service.title for service in form.services}:
        return redirect(url_for("my_profile.edit"), 303)
    form.services.append(typed)
    flash(_("You began in another window. What you typed is the last service here; save it."))
    return _page(person, form, 409, seen=_seen(person.member))


def save(person: Account, form: ProfileForm, photo: PhotoForm | None = None) -> None:
    """Write, sign and index in one transaction, and say what happens next."""
    member = person.member
    was_listed = member is not None and member.listed_elsewhere
    if member is None:
        member = Member(created_at=g.now, updated_at=g.now, revision=0, audience=ME)
        db.session.add(member)
        person.member = member
    form.fill(member, g.now)
    db.session.flush()
    if photo is not None:
        photo.fill(db.session(), member, g.now)
    publish(member)
    flash(_what_happens_next(member, was_listed))


def publish(member: Member) -> None:
    """Sign and index what was just written on the row, and commit it."""
    member.updated_at = g.now
    db.session.flush()
    still_true.heard(db.session(), member, g.now)
    publish_member(db.session(), member, _identity(), g.now)
    index_member(db.session(), member)
    db.session.commit()


def _what_happens_next(member: Member, was_listed: bool) -> str:
    if member.listed_elsewhere:
        neighbours = _neighbours()
        sentence = (
            ngettext(
                "Saved. Our neighbour receives it within a minute.",
                "Saved. Our %(num)s neighbours receive it within a minute.",
                neighbours,
            )
            if neighbours
            else _("Saved. The space has no neighbours yet; the first ones will receive it.")
        )
    elif was_listed:
        sentence = _("Saved. The other spaces are being told to delete their copy.")
    elif member.listed_here:
        sentence = _("Saved. The people of %(space)s can see it.", space=g.space.name)
    else:
        sentence = _("Saved. Only you can see it.")
    return str(sentence)


def _page(
    person: Account,
    form: ProfileForm,
    status: int = 200,
    *,
    fragment: str | tuple[str, ...] | None = None,
    seen: str | None = None,
    untouched: bool = False,
    photo: PhotoForm | None = None,
    **context: Any,
) -> Response:
    """Render the form; ``untouched`` leaves mistakes unsaid while somebody is still typing."""
    shown = {
        "seen": request.form.get("seen", "") if seen is None else seen,
        "stored": None,
        "differences": [],
        "said": "",
        "focus": "",
        "out_of_band": False,
        **context,
    }
    claims, left_out = _what_leaves(person, form)
    photo = photo or PhotoForm()
    if request.method == "POST" and not wants_part():
        photo.come_back()
    if photo.error:
        form.errors["photo"] = photo.error
    return page(
        "my_profile/edit.html",
        fragment,
        status,
        form=form,
        errors=form.errors if not untouched else {"photo": photo.error} if photo.error else {},
        labels=LABELS,
        service_labels=SERVICE_LABELS,
        claims=claims,
        left_out=left_out,
        email=person.email,
        neighbours=_neighbours(),
        colleagues=_colleagues(),
        withdrawal=_withdrawal(person.member),
        quickly=ASKED_QUICKLY,
        photo=photo,
        photo_url=own_photo_url(person.member),
        crops=CROP_NAMES,
        currencies=CURRENCIES,
        text_languages=TEXT_LANGUAGES,
        specialities=specialities.choices(language()),
        **shown,
    )


def _what_leaves(person: Account, form: ProfileForm) -> tuple[dict[str, Any] | None, list[str]]:
    """Return the claims of the profile as typed, and the labels of what cannot be read.

    There are no claims while the profile has no name.
    """
    # A copy is judged: the mistakes of the form itself are said, or not yet, by the caller.
    typed = replace(form, errors={})
    typed.judge(g.now.date())
    draft = _draft(person.member)
    typed.fill(draft, g.now)
    try:
        claims = preview(draft, _identity(), g.now)
    except NotPublishableError:
        claims = None
    return claims, [sentence for _id, sentence in typed.summary()]


def _draft(member: Member | None) -> Member:
    """Return a member to be looked at, never to be stored."""
    draft = Member(revision=0, audience=ME, created_at=g.now, updated_at=g.now)
    if member is not None:
        draft.ref, draft.photo = member.ref, member.photo
        draft.translations = member.translations
        draft.services = [
            Service(
                ref=service.ref,
                speciality=service.speciality,
                speciality_label=service.speciality_label,
                translations=service.translations,
            )
            for service in member.services
        ]
    return draft


def _seen(member: Member | None) -> str:
    """Return what tells one stored version of ``member`` from the next."""
    return member.updated_at.isoformat() if member else ""


def _withdrawal(member: Member | None) -> Withdrawn | None:
    return None if member is None else receipts.of_member(db.session(), member)


def _identity() -> Identity:
    identity: Identity = current_app.extensions["identity"]
    return identity


def _neighbours() -> int:
    return db.session.scalar(select(func.count(Peer.id)).where(shown_peers())) or 0


def _colleagues() -> int:
    """Return how many people the audience "my space" stands for."""
    here = select(func.count(Account.id)).outerjoin(Account.member).where(Member.left_at.is_(None))
    return db.session.scalar(here) or 0
