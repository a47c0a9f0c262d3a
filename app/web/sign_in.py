"""The door: a link by mail that opens it once, or six digits where the link was asked for.

Looking at a link never uses it, so mail scanners and link previews are harmless; only the button
on its page does. A stranger learns nothing here about who is a member: known and unknown
addresses get the same answer, after the same call to the mail server. To whom the space has shut
the door, a letter opens what is theirs all the same: their data, and the way to have it deleted.
"""

from __future__ import annotations

from datetime import datetime

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    g,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_babel import force_locale
from flask_babel import gettext as _
from flask_mailman import EmailMessage
from werkzeug.wrappers import Response as AnyResponse

from app.database import db
from app.models.account import (
    Account,
    LinkNotValidError,
    account_of,
    issue_link,
    look_at_link,
    spend_link,
)
from app.models.sign_in import issue_code, spend_code
from app.web import mail, rates
from app.web.access import account, anyone, let_in, let_out, may_come_in
from app.web.languages import LANGUAGES, language, own_page

bp = Blueprint("sign_in", __name__)

#: The longest address that SMTP can carry (RFC 5321 section 4.5.3.1.3, less the brackets).
EMAIL_CHARACTERS = 254

#: Digits of the code in a letter.
DIGITS = 6

#: One mailbox gets few letters; a whole space may share one network.
PER_ADDRESS = "5 per 15 minutes"
PER_NETWORK = "60 per hour"

#: Cookie fields: the address that this browser asked a link for, to show it once more; the secret
#: without which the digits in the letter open nothing; and the page that was wanted.
ASKED, ASKING, WANTED = "asked", "asking", "wanted"


@bp.get("/sign-in")
@anyone
def show() -> AnyResponse:
    known = account()
    if known is not None and "again" not in request.args:
        return redirect(own_page(request.args.get("next", "")), 303)
    return _form(known.email if known else "", request.args.get("next", ""))


@bp.post("/sign-in")
@anyone
def create() -> AnyResponse:
    email = request.form.get("email", "").strip()
    wanted = request.form.get("next", "")
    if not looks_like_email(email):
        return _form(email, wanted, 422, _("Enter an e-mail address such as name@example.org."))
    rates.count("sign-in", email.lower(), PER_ADDRESS)
    rates.count("sign-in", rates.network(), PER_NETWORK)
    letters, asking = _letters(email, wanted)
    # Committed before the mail server is called: it may take seconds, and others want to write.
    db.session.commit()
    try:
        mail.send_behind(letters)
    except mail.MailNotSentError:
        return _form(
            email,
            wanted,
            503,
            _(
                "We cannot send mail just now, so no link is on its way. Try again in a few "
                "minutes, or ask at the reception of the space."
            ),
        )
    session[ASKED], session[ASKING], session[WANTED] = email, asking, wanted
    return redirect(url_for("sign_in.sent"), 303)


@bp.get("/sign-in/sent")
@anyone
def sent() -> AnyResponse:
    if ASKED not in session:
        return redirect(url_for("sign_in.show"), 303)
    return _sent()


@bp.post("/sign-in/code")
@anyone
def enter_code() -> AnyResponse:
    if ASKING not in session:
        return redirect(url_for("sign_in.show"), 303)
    typed = request.form.get("code", "")
    digits = "".join(character for character in typed if not character.isspace())
    if not (len(digits) == DIGITS and digits.isascii() and digits.isdigit()):
        return _sent(422, _("Enter the six digits of the letter, such as 123 456."), typed)
    guest = spend_code(db.session(), session[ASKING], digits, g.now)
    if guest is None:
        # A wrong try counts; so does one for an address that nobody here has.
        db.session.commit()
        return _sent(
            422,
            _(
                "These digits open nothing. They work for 15 minutes, for five tries, unless the "
                "link was used. Compare them with the newest letter, or ask for another."
            ),
            typed,
        )
    return come_in(guest, session[WANTED])


@bp.get("/sign-in/<secret>")
@anyone
def open(secret: str) -> AnyResponse:  # noqa: A001  # the verb of this page
    try:
        link = look_at_link(db.session(), secret, g.now)
    except LinkNotValidError as error:
        return _refuse(error.reason)
    return _private(
        render_template(
            "sign_in/open.html",
            guest=link.account,
            shut=link.account.is_shut_out,
            next=request.args.get("next", ""),
        )
    )


@bp.post("/sign-in/<secret>")
@anyone
def enter(secret: str) -> AnyResponse:
    try:
        guest = spend_link(db.session(), secret, g.now)
    except LinkNotValidError as error:
        return _refuse(error.reason)
    return come_in(guest, request.form.get("next", ""))


@bp.post("/sign-out")
@anyone
def destroy() -> AnyResponse:
    let_out()
    db.session.commit()
    flash(_("You are signed out. See you soon."))
    return redirect(url_for("directory.show"), 303)


def come_in(guest: Account, wanted: str) -> AnyResponse:
    """Start a session for whoever proved just now who they are; commits."""
    return come_in_vouched(guest, wanted, g.now)


def come_in_vouched(guest: Account, wanted: str, proved_at: datetime | None) -> AnyResponse:
    """Start a session for ``guest``; commits.

    :param proved_at: when they proved who they are; ``None`` when nobody can tell.
    """
    let_in(guest, proved_at)
    db.session.commit()
    if not may_come_in(guest):
        # Nothing else opens to them, whatever they wanted.
        return redirect(url_for("my_data.show"), 303)
    if not wanted and guest.member is None:
        return redirect(url_for("first_steps.edit"), 303)
    return redirect(own_page(wanted), 303)


def _letters(email: str, wanted: str) -> tuple[list[EmailMessage], str]:
    """Return the letter with a fresh link, or none when nobody here has this address.

    :returns: the letters, and the secret with which the browser that asked may use the digits.
    """
    known = account_of(db.session(), email)
    if known is None:
        asking, _digits = issue_code(db.session(), None, g.now)
        return [], asking
    secret = issue_link(db.session(), known, g.now)
    db.session.flush()
    asking, digits = issue_code(db.session(), secret, g.now)
    path = url_for("sign_in.open", secret=secret, next=own_page(wanted) if wanted else None)
    # Our own address from the settings of the space: a Host header is the visitor's word.
    link = g.space.url + path.removeprefix(request.script_root)
    with force_locale(_reading_language(known)):
        subject = _("Your way into %(space)s", space=g.space.name)
        text = render_template(
            "mail/sign_in.txt",
            guest=known,
            shut=known.is_shut_out,
            link=link,
            code=f"{digits[:3]} {digits[3:]}",
        )
    return [mail.letter(known.email, subject, text)], asking


def _reading_language(known: Account) -> str:
    return str(known.locale) if known.locale in LANGUAGES else language()


def _development_mail() -> str:
    """Say where a letter really went, on a space that is only being tried out."""
    if not current_app.extensions["settings"].development:
        return ""
    places = {
        "console": _("This space is being tried out: its mail is printed where it was started."),
        "file": _("This space is being tried out: its mail lies in the folder of outgoing mail."),
    }
    return str(places.get(current_app.config["MAIL_BACKEND"], ""))


def looks_like_email(text: str) -> bool:
    """Tell whether ``text`` could be an address; whether it exists, only a letter can tell."""
    name, at, domain = text.rpartition("@")
    return (
        bool(name and at and domain)
        and len(text) <= EMAIL_CHARACTERS
        and not any(character.isspace() or not character.isprintable() for character in text)
    )


def _form(email: str, wanted: str, status: int = 200, problem: str = "") -> Response:
    return make_response(
        render_template("sign_in/show.html", email=email, next=wanted, problem=problem), status
    )


def _sent(status: int = 200, problem: str = "", typed: str = "") -> Response:
    return _private(
        render_template(
            "sign_in/sent.html",
            email=session[ASKED],
            development_mail=_development_mail(),
            problem=problem,
            typed=typed,
        ),
        status,
    )


def _refuse(reason: str) -> Response:
    """Say which of the three it is, and offer a new link; 410 for a link that once was good."""
    status = 404 if reason == "unknown" else 410
    return _private(render_template("sign_in/refused.html", reason=reason), status)


def _private(body: str, status: int = 200) -> Response:
    """Answer with a page whose address nobody else may learn, nor keep."""
    response = make_response(body, status)
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response
