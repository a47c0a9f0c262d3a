"""Still true? The letter that asks, the page behind its link, and the button on one's own page.

Who has the letter may say yes to it, without a sign-in; and nothing else. Looking at the page says
nothing, so that programs that open every link in a mail confirm nobody's profile.
"""

from __future__ import annotations

from datetime import datetime

from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    url_for,
)
from flask_babel import gettext as _
from flask_mailman import EmailMessage
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from app.database import db
from app.exchange import still_true
from app.exchange.describing import NotPublishableError
from app.exchange.identity import Identity
from app.exchange.outbox import NotNowError
from app.models.account import Account
from app.models.member import Member
from app.models.still_true import StillTrue
from app.search.index import index_member
from app.web import letters, mail
from app.web.access import account, anyone, may_come_in, members, signed_in
from app.web.pages import page
from app.web.writing_desk import writing_to

bp = Blueprint("still_true", __name__)


@bp.app_template_global()
def asked_if_true() -> StillTrue | None:
    """Return the question that waits for whoever is signed in."""
    person = account()
    member = person.member if person is not None else None
    return still_true.question_of(db.session(), member) if member is not None else None


@bp.get("/still-true/<proof>")
@anyone
def show(proof: str) -> Response:
    waiting = _waiting(proof)
    return _page(None if waiting is None else waiting.member)


@bp.post("/still-true/<proof>")
@anyone
def create(proof: str) -> Response:
    waiting = _waiting(proof)
    if waiting is None:
        return _page(None)
    return _page(waiting.member, confirmed=_confirm(waiting.member))


@bp.post("/me/still-true")
@members
def create_mine() -> AnyResponse:
    member = signed_in().member
    if member is not None:
        if _confirm(member):
            flash(_("Thank you: confirmed today."))
        else:
            flash(_("Something on your page cannot be signed any more: save it once, please."))
    return redirect(url_for("my_profile.edit"), 303)


def ask(app: Flask, session: Session, reference: str, now: datetime) -> str:
    """Send the letter that asks.

    :raises NotNowError: the mail server took nothing; it waits.
    """
    return _send(app, session, reference, now, "handed_at")


def tell_rest(app: Flask, session: Session, reference: str, now: datetime) -> str:
    """Send the letter which says that nobody answered, and what became of it.

    :raises NotNowError: the mail server took nothing; it waits.
    """
    return _send(app, session, reference, now, "told_at")


def _send(app: Flask, session: Session, reference: str, now: datetime, mark: str) -> str:
    """Send one of the two letters, once: that it goes is committed before it does.

    Whoever is killed in between leaves open whether it went; then no second one goes out, and the
    page of the member asks all the same.
    """
    waiting = session.scalars(select(StillTrue).filter_by(ref=reference)).one_or_none()
    person = None if waiting is None else waiting.member.account
    if waiting is None or person is None or not person.letters or not may_come_in(person):
        return "nobody to ask"
    if getattr(waiting, mark) is not None:
        return "handed over before"
    resting = mark == "told_at"
    if resting != (waiting.member.resting_at is not None):
        return "no longer so"
    with writing_to(app, session, person, now):
        letter = _letter(waiting, person, resting)
        setattr(waiting, mark, now)
        session.commit()
        try:
            mail.send([letter])
        except mail.MailNotSentError as error:
            again = update(StillTrue).where(StillTrue.ref == reference).values({mark: None})
            session.execute(again.execution_options(synchronize_session=False))
            session.commit()
            raise NotNowError(str(error)) from error
    return "told" if resting else "asked"


def _letter(waiting: StillTrue, person: Account, resting: bool) -> EmailMessage:
    ending, stopping = letters.stop_link(person)
    body = render_template(
        "mail/still_true.txt",
        name=waiting.member.name,
        since=waiting.member.true_at.date(),
        resting=resting,
        link=g.space.url + url_for("still_true.show", proof=_proofs().dumps(waiting.ref)),
        ending=ending,
    )
    subject = (
        _("Your page at %(space)s rests from the neighbours", space=g.space.name)
        if resting
        else _("Still true? Your page at %(space)s", space=g.space.name)
    )
    return mail.letter(person.email, subject, body, stopping)


def _confirm(member: Member) -> bool:
    """Note the word of ``member``, and tell whether it could be noted; commits."""
    try:
        still_true.confirm(db.session(), member, _identity(), g.now)
    except NotPublishableError:
        db.session.rollback()
        return False
    index_member(db.session(), member)
    db.session.commit()
    return True


def _waiting(proof: str) -> StillTrue | None:
    """Return the question that this link answers, unless it was answered or leads nowhere."""
    try:
        reference = str(_proofs().loads(proof))
    except BadSignature:
        return None
    found = db.session.scalars(select(StillTrue).filter_by(ref=reference)).one_or_none()
    person = None if found is None else found.member.account
    return found if person is not None and may_come_in(person) else None


def _page(member: Member | None, *, confirmed: bool | None = None) -> Response:
    status = 404 if member is None else 422 if confirmed is False else 200
    answer = page("still_true/show.html", status=status, member=member, confirmed=confirmed)
    # Whoever knows the address may answer: it goes to no other site, and into no cache.
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


def _proofs() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="still true")


def _identity() -> Identity:
    identity: Identity = current_app.extensions["identity"]
    return identity
