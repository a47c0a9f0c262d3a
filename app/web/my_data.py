"""Taking one's data along, and leaving for good: without asking anybody.

Both take a sign-in of this hour. Who has left keeps an address that shows which spaces confirmed;
it names nobody, and only whoever was given it can open it.

These pages open to those to whom the space shuts all others too: who was banned, and whose
membership ended. What is kept about them is theirs all the same.
"""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response, abort, current_app, g, redirect, render_template, url_for
from flask_babel import lazy_gettext
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.wrappers import Response as AnyResponse

from app.database import db
from app.exchange import receipts
from app.exchange.identity import Identity
from app.members.archive import archive, facts
from app.members.export import claims
from app.members.leaving import leave
from app.members.roles import LastAdminError
from app.models.account import Account
from app.models.consent import BY_EARLIER, BY_LIST, BY_MEMBER, BY_RESTORED
from app.web import rates
from app.web.access import anyone, even_shut_out, freshly, let_out, members, signed_in
from app.web.pages import page
from app.web.profile_form import LABELS, SERVICE_LABELS

bp = Blueprint("my_data", __name__)

#: On whose word a line of the log of consents was written.
SAID_BY = {
    BY_MEMBER: lazy_gettext("you"),
    BY_LIST: lazy_gettext("a list that the space published"),
    BY_EARLIER: lazy_gettext("your one choice for everything, before there was one for each block"),
    BY_RESTORED: lazy_gettext("your signed profile, after a return from a backup"),
}

#: How long after leaving the page looks for answers every few seconds; then every minute.
ASKED_QUICKLY = timedelta(minutes=10)

#: An archive is quick to make, and still work for the computer.
ARCHIVES = "20 per hour"


@bp.get("/me/data")
@members
@even_shut_out
def show() -> Response:
    person = signed_in()
    return page(
        "my_data/show.html",
        kept=facts(db.session(), person, g.now),
        person=person,
        titles=_titles(person),
        said_by=SAID_BY,
    )


@bp.get("/me/data/archive")
@members
@even_shut_out
@freshly
def show_archive() -> Response:
    person = signed_in()
    rates.count("archive", person.ref, ARCHIVES)
    readable = render_template(
        "my_data/archive.html",
        said=claims(person.member) if person.member else {},
        kept=facts(db.session(), person, g.now),
        titles=_titles(person),
        said_by=SAID_BY,
        labels=LABELS,
        service_labels=SERVICE_LABELS,
    )
    answer = Response(archive(db.session(), person, readable, g.now), mimetype="application/zip")
    answer.headers["Content-Disposition"] = f'attachment; filename="mitoyen-{g.now:%Y-%m-%d}.zip"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.get("/me/deletion")
@members
@even_shut_out
@freshly
def show_deletion() -> Response:
    """Say what goes and what stays, before the button that does it."""
    return page("my_data/deletion.html", person=signed_in(), refused=False)


@bp.post("/me/deletion")
@members
@even_shut_out
@freshly
def create_deletion() -> AnyResponse:
    person = signed_in()
    try:
        subject = leave(db.session(), person, _identity(), g.now)
    except LastAdminError:
        db.session.rollback()
        return page("my_data/deletion.html", status=409, person=signed_in(), refused=True)
    let_out()
    db.session.commit()
    return redirect(url_for("my_data.show_farewell", proof=_proofs().dumps(subject)), 303)


@bp.get("/farewell/<proof>")
@anyone
def show_farewell(proof: str) -> Response:
    """Show who has confirmed that they hold no copy any more of somebody who left."""
    try:
        subject = _proofs().loads(proof)
    except BadSignature:
        abort(404)
    withdrawal = receipts.of_subject(db.session(), subject) if subject else None
    answer = page(
        "my_data/farewell.html",
        "withdrawal",
        withdrawal=withdrawal,
        had_profile=bool(subject),
        quickly=ASKED_QUICKLY,
    )
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


def _titles(person: Account) -> dict[str, str]:
    """Return what the member's services are called, by their references."""
    services = person.member.services if person.member else []
    return {service.ref: service.title for service in services}


def _proofs() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="farewell")


def _identity() -> Identity:
    identity: Identity = current_app.extensions["identity"]
    return identity
