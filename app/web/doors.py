"""How people may come to a member: which doors there are, and until when both are closed.

The profile stays as it is. What is saved is signed for neighbours in the same transaction; on the
day that was chosen nothing has to be done, here or there: every reader compares it with today.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

from flask import Blueprint, Response, current_app, flash, g, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.database import db
from app.exchange.describing import NotPublishableError
from app.exchange.identity import Identity
from app.exchange.publish import publish_member
from app.models.member import QUESTION, QUOTE_DOOR, Member
from app.web import forms, words
from app.web.access import members, signed_in
from app.web.forms import Mistake
from app.web.letter_form import too_long
from app.web.pages import page
from federation import limits

bp = Blueprint("doors", __name__)

#: How far ahead a day may be: whoever is away for longer takes their services off.
AT_MOST = timedelta(days=366)


@dataclass(slots=True)
class DoorsForm:
    """What was typed, kept as it was."""

    questions: bool = True
    quotes: bool = True
    until: str = ""
    word: str = ""
    day: date | None = None
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, member: Member, today: date) -> DoorsForm:
        """Return the form of ``member``; a day that has passed is none any more."""
        shut = member.closed_on(today)
        until = member.closed_until.isoformat() if shut and member.closed_until else ""
        return cls(
            QUESTION in member.doors, QUOTE_DOOR in member.doors, until,
            member.closed_word if shut else "",
        )  # fmt: skip

    @classmethod
    def read(cls) -> DoorsForm:
        """Read what the request brings."""
        given = request.form
        return cls(
            "questions" in given, "quotes" in given,
            given.get("until", "").strip(), forms.line(given.get("word", "")),
        )  # fmt: skip

    def judge(self, today: date) -> bool:
        """Say whether it can be saved; otherwise ``errors`` says what to do."""
        try:
            self.day = forms.day(self.until)
        except Mistake as mistake:
            self.errors["until"] = str(mistake)
        if self.day is not None and not today < self.day <= today + AT_MOST:
            self.errors["until"] = _("Choose a day from tomorrow on, within a year.")
        if (spare := len(self.word) - limits.LINE_CHARACTERS) > 0:
            self.errors["word"] = too_long(spare)
        return not self.errors


@bp.get("/me/doors")
@members
def edit() -> AnyResponse:
    member = signed_in().member
    if member is None:
        return redirect(url_for("my_profile.edit"), 303)
    return _page(DoorsForm.of(member, g.now.date()))


@bp.post("/me/doors")
@members
def update() -> AnyResponse:
    member, form = signed_in().member, DoorsForm.read()
    if member is None:
        return redirect(url_for("my_profile.edit"), 303)
    if not form.judge(g.now.date()):
        return _page(form, 422)
    member.takes_questions, member.takes_quotes = form.questions, form.quotes
    member.closed_until = form.day
    member.closed_word = form.word if form.day is not None else ""
    identity: Identity = current_app.extensions["identity"]
    try:
        publish_member(db.session(), member, identity, g.now)
    except NotPublishableError as error:
        db.session.rollback()
        form.errors["word"] = _("This cannot be signed: %(problem)s", problem=str(error))
        return _page(form, 422)
    db.session.commit()
    flash(
        _("Your doors are closed until %(day)s.", day=words.day(form.day))
        if form.day is not None
        else _("Saved.")
    )
    return redirect(url_for("doors.edit"), 303)


def _page(form: DoorsForm, status: int = 200) -> Response:
    return page("doors/edit.html", status=status, form=form, errors=form.errors)
