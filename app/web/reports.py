"""What members reported, for the admins: the report, its context, and what can be done about it."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response, abort, current_app, flash, g, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from app.database import db
from app.exchange.describing import NotPublishableError
from app.exchange.identity import Identity
from app.members import moderation, reporting
from app.members.moderation import NotPossibleError, Person
from app.members.roles import LastAdminError
from app.models.account import Account
from app.models.measure import BAN, HIDE, MEASURES, REASON_CHARACTERS, WARN, Measure
from app.models.report import FALSE, OTHER, REPORT_LIFETIME, RUDE, SPAM, Report
from app.web import forms
from app.web.access import account, admins, signed_in
from app.web.membership import name_of
from app.web.pages import page
from app.web.profile_form import LABELS

bp = Blueprint("reports", __name__)

#: Reports on the page; older ones wait for their turn, and all end by themselves.
SHOWN = 100

KIND_NAMES = {
    "": lazy_gettext("not said"),
    SPAM: lazy_gettext("advertising"),
    RUDE: lazy_gettext("rude or threatening"),
    FALSE: lazy_gettext("not true"),
    OTHER: lazy_gettext("something else"),
}


@bp.app_template_global()
def reports_waiting() -> int:
    """Return how many reports wait for the admin who is signed in."""
    person = account()
    return reporting.waiting(db.session(), person) if person and person.is_admin else 0


@bp.app_template_global()
def hidden_because() -> Measure | None:
    """Return the decision that hides the profile of whoever is signed in, if one does."""
    person = account()
    if person is None or person.member is None:
        return None
    return moderation.hiding(db.session(), person.member)


@bp.app_template_filter("report_kind")
def report_kind(kind: str) -> str:
    """Return what somebody called what they report, in words."""
    return str(KIND_NAMES.get(kind, kind))


@bp.get("/reports")
@admins
def index() -> Response:
    """Show the reports that wait first, and whom decisions hide or ban."""
    mine = select(Report).where(reporting.shown_to(signed_in()))
    newest = mine.order_by(Report.closed_at.is_not(None), Report.at.desc(), Report.id.desc())
    return page(
        "reports/index.html",
        reports=db.session.scalars(newest.limit(SHOWN)).all(),
        measures=moderation.in_force(db.session()),
        kept=REPORT_LIFETIME.days,
    )


@bp.get("/reports/<ref>")
@admins
def show(ref: str) -> Response:
    return _page(_report(ref))


@bp.post("/reports/<ref>/closure")
@admins
def create_closure(ref: str) -> AnyResponse:
    """Say that nothing needs to be done, or that it is done."""
    reporting.close(db.session(), _report(ref), signed_in(), g.now)
    db.session.commit()
    flash(_("Looked at. Whoever reported it sees that."))
    return redirect(url_for("reports.index"), 303)


@bp.post("/reports/<ref>/measures")
@admins
def create_measure(ref: str) -> AnyResponse:
    """Hide, warn or ban whom the report is about."""
    found = _report(ref)
    kind, reason = request.form.get("do", ""), forms.line(request.form.get("reason", ""))
    if kind not in MEASURES:
        abort(400)
    if len(reason) > REASON_CHARACTERS:
        return _page(
            found, reason, _("Keep it to %(most)s characters.", most=REASON_CHARACTERS), 422
        )
    person = Person(found.subject, found.name, member=found.member, peer=found.peer)
    try:
        moderation.decide(db.session(), kind, person, reason, signed_in(), _identity(), g.now)
    except (NotPossibleError, LastAdminError) as error:
        db.session.rollback()
        return _page(_report(ref), reason, _why_not(error), 422)
    reporting.close(db.session(), found, signed_in(), g.now)
    db.session.commit()
    flash(_done(kind, found.name))
    return redirect(url_for("reports.show", ref=ref), 303)


@bp.post("/measures/<ref>/end")
@admins
def destroy_measure(ref: str) -> AnyResponse:
    """Take a decision back."""
    taken: Measure = db.one_or_404(select(Measure).filter_by(ref=ref))
    try:
        moderation.undo(db.session(), taken, signed_in(), _identity(), g.now)
    except NotPossibleError as error:
        db.session.rollback()
        flash(_why_not(error))
        return redirect(url_for("reports.index"), 303)
    except NotPublishableError as error:
        db.session.rollback()
        flash(_("This cannot be signed: %(problem)s", problem=str(error)))
        return redirect(url_for("reports.index"), 303)
    db.session.commit()
    flash(_("Taken back."))
    return redirect(url_for("reports.index"), 303)


def _report(ref: str) -> Report:
    """Return the report (404), unless it is about the admin who asks."""
    found: Report = db.one_or_404(
        select(Report).where(Report.ref == ref, reporting.shown_to(signed_in()))
    )
    return found


def _page(found: Report, reason: str = "", problem: str = "", status: int = 200) -> Response:
    decided = moderation.about(db.session(), found.subject)
    return page(
        "reports/show.html",
        status=status,
        report=found,
        reporter=name_of(found.account),
        measures=decided,
        holding={one.kind for one in decided if one.undone_at is None},
        admins={one.ref: name_of(one) for one in _deciders(decided)},
        reason=reason,
        problem=problem,
        most=REASON_CHARACTERS,
        labels=LABELS,
    )


def _deciders(decided: Sequence[Measure]) -> list[Account]:
    refs = {one.decided_by for one in decided}
    return list(db.session.scalars(select(Account).where(Account.ref.in_(refs))))


def _done(kind: str, name: str) -> str:
    said = {
        HIDE: _("%(name)s is shown to nobody here any more.", name=name),
        WARN: _("A letter to %(name)s is on its way.", name=name),
        BAN: _("%(name)s is signed out everywhere and cannot come in.", name=name),
    }
    return str(said[kind])


def _why_not(error: NotPossibleError | LastAdminError) -> str:
    if isinstance(error, LastAdminError):
        return str(_("Somebody has to run the space: make somebody else an admin first."))
    sentences = {
        "no-reason": _("Write the reason: the person reads it, and the journal keeps it."),
        "elsewhere": _("They cowork in another space: here you can hide them, and nothing else."),
        "oneself": _("About yourself, another admin has to decide."),
        "no-account": _("They have no address here: hide their profile instead."),
        "undone": _("That was taken back before, or cannot be."),
    }
    return str(sentences[error.reason])


def _identity() -> Identity:
    identity: Identity = current_app.extensions["identity"]
    return identity
