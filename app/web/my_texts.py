"""Members' texts in another language: one page for each, beside the originals.

What was typed is kept; saving signs and indexes in one transaction, as the profile's form does.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from flask import Blueprint, Response, abort, flash, json, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from app.database import db
from app.exchange.describing import NotPublishableError
from app.members.tongues import TAG_CHARACTERS
from app.models.member import Member
from app.models.translations import (
    MOST,
    SERVICE_TEXTS,
    TEXTS,
    alike,
    languages_in,
    replaced,
    version,
)
from app.web import forms, my_profile
from app.web.access import account, members, signed_in
from app.web.pages import page
from app.web.profile_form import LABELS, SERVICE_LABELS
from federation import limits

bp = Blueprint("my_texts", __name__)

#: Characters of each text, those of the original.
LONGEST = {
    "headline": limits.HEADLINE_CHARACTERS,
    "bio": limits.BIO_CHARACTERS,
    "title": limits.TITLE_CHARACTERS,
    "description": limits.DESCRIPTION_CHARACTERS,
}


@bp.app_template_global()
def service_languages(ref: str) -> list[str] | None:
    """Return the further languages of the reader's own service; ``None`` if it is not saved yet."""
    person = account()
    services = person.member.services if person and person.member else []
    found = next((one for one in services if one.ref == ref), None)
    return None if found is None else languages_in([found.translations])


@bp.get("/me/texts")
@members
def index() -> Response:
    """Show which languages there are, and offer others."""
    member = _member()
    there = member.further_languages
    taken = [member.locale, *there]
    offered = [
        tag
        for tag in my_profile.TEXT_LANGUAGES
        if len(there) < MOST and not any(alike(tag, one) for one in taken)
    ]
    return page("my_texts/index.html", member=member, there=there, offered=offered)


@bp.get("/me/texts/<lang>")
@members
def edit(lang: str) -> Response:
    member = _member()
    tag = _tag(member, lang)
    return _page(member, tag, _stored(member, tag))


@bp.post("/me/texts/<lang>")
@members
def update(lang: str) -> AnyResponse:
    member = _member()
    tag = _tag(member, lang)
    typed = _typed(member)
    errors = _too_long(typed)
    if errors:
        return _page(member, tag, typed, errors, 422)
    if request.form.get("seen", "") != _seen(member, tag):
        elsewhere = _(
            "These texts were saved in another window while you wrote. This is what you typed: "
            "save again to replace those, or leave it as it is."
        )
        return _page(member, tag, typed, {"headline": elsewhere}, 409)
    return _saved(member, tag, typed, _("Saved."))


@bp.post("/me/texts/<lang>/removal")
@members
def remove(lang: str) -> AnyResponse:
    """Take the texts of one language back, everywhere."""
    member = _member()
    tag = _tag(member, lang)
    return _saved(member, tag, dict.fromkeys(_stored(member, tag), ""), _("Removed."))


def _member() -> Member:
    member = signed_in().member
    if member is None:
        abort(404)
    return member


def _tag(member: Member, lang: str) -> str:
    """Return the language as it is stored (404: none, the originals' own, or one too many)."""
    tag = forms.language_tag(lang)
    there = member.further_languages
    known = next((one for one in there if alike(one, lang)), "")
    if known:
        return known
    if (
        not tag
        or len(tag) > TAG_CHARACTERS
        or alike(tag, member.locale or "")
        or len(there) >= MOST
    ):
        abort(404)
    return tag


def _stored(member: Member, tag: str) -> dict[str, str]:
    """Return the texts in ``tag`` by the names of their fields."""
    own = version(member.translations, tag)
    found = {name: own.get(name, "") for name in TEXTS}
    for service in member.services:
        said = version(service.translations, tag)
        found |= {f"{service.ref}-{name}": said.get(name, "") for name in SERVICE_TEXTS}
    return found


def _typed(member: Member) -> dict[str, str]:
    def read(field: str) -> str:
        long = field.rpartition("-")[2] in ("bio", "description")
        return (forms.paragraphs if long else forms.line)(request.form.get(field, ""))

    return {field: read(field) for field in _stored(member, "")}


def _too_long(typed: dict[str, str]) -> dict[str, str]:
    spare = {field: len(text) - LONGEST[field.rpartition("-")[2]] for field, text in typed.items()}
    return {
        field: ngettext(
            "Shorten this by %(num)s character.", "Shorten this by %(num)s characters.", more
        )
        for field, more in spare.items()
        if more > 0
    }


def _seen(member: Member, tag: str) -> str:
    """Return what tells whether texts are still those that the page showed."""
    return sha256(json.dumps(_stored(member, tag), sort_keys=True).encode()).hexdigest()[:16]


def _saved(member: Member, tag: str, texts: dict[str, str], said: str) -> AnyResponse:
    """Save, say so and go back; or say why neighbours could not be given what there would be."""
    try:
        _save(member, tag, texts)
    except NotPublishableError as error:
        db.session.rollback()
        problem = _("This cannot be signed: %(problem)s", problem=str(error))
        return _page(_member(), tag, texts, {"headline": problem}, 422)
    flash(said)
    return redirect(url_for("my_texts.index"), 303)


def _save(member: Member, tag: str, texts: dict[str, str]) -> None:
    own = {name: texts[name] for name in TEXTS}
    member.translations = replaced(member.translations, tag, own)
    for service in member.services:
        said = {name: texts[f"{service.ref}-{name}"] for name in SERVICE_TEXTS}
        service.translations = replaced(service.translations, tag, said)
    my_profile.publish(member)


def _page(
    member: Member,
    tag: str,
    typed: dict[str, str],
    errors: dict[str, Any] | None = None,
    status: int = 200,
) -> Response:
    return page(
        "my_texts/edit.html",
        status=status,
        member=member,
        tag=tag,
        typed=typed,
        errors=errors or {},
        labels=LABELS,
        service_labels=SERVICE_LABELS,
        there=tag in member.further_languages,
        seen=_seen(member, tag),
    )
