"""In which language a page speaks: the person's choice, else their browser's, else the space's."""

from __future__ import annotations

from flask import Blueprint, Flask, g, redirect, request, url_for
from flask_babel import Babel, get_locale
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from app.database import db
from app.models.space import Space
from app.web.access import account, anyone

#: The languages our pages exist in, with their own names.
LANGUAGES = {"en": "English", "fr": "Français"}

#: How long the choice of a visitor is remembered.
COOKIE = "language"
COOKIE_SECONDS = 365 * 24 * 3600

#: Languages heard of a browser; who reads more of them reads the first ones best.
RANGES = 10

bp = Blueprint("languages", __name__)


@bp.post("/language")
@anyone
def update() -> Response:
    chosen = request.form.get("language", "")
    answer = redirect(own_page(request.form.get("next", "")), 303)
    if chosen in LANGUAGES:
        answer.set_cookie(
            COOKIE,
            chosen,
            max_age=COOKIE_SECONDS,
            httponly=True,
            samesite="Lax",
            secure=request.is_secure,
        )
        if (person := account()) is not None:
            person.locale = chosen
            db.session.commit()
    return answer


def chosen_language() -> str:
    """Return the language tag of the current answer."""
    try:
        person = account()
        space = g.get("space") or db.session.get(Space, 1)
    except SQLAlchemyError:
        # The page that says so needs a language too: what the browser says must do.
        person, space = None, None
    wishes = (
        request.cookies.get(COOKIE, ""),
        person.locale if person else "",
        request.accept_languages.best_match(list(LANGUAGES)) or "",
        *(space.languages if space else []),
    )
    return next((wish for wish in wishes if wish in LANGUAGES), "en")


def ranges() -> tuple[str, ...]:
    """Return the languages that the reader reads (RFC 4647), the best first.

    What they chose for our pages, then what their browser says (RFC 9110 section 12.5.4), then what
    the page speaks. In the texts of people there are more languages than our pages exist in.
    """
    person = account()
    said = [tag for tag, quality in request.accept_languages if quality > 0]
    wishes = (
        request.cookies.get(COOKIE, ""),
        person.locale if person else "",
        *said[:RANGES],
        language(),
    )
    return tuple(dict.fromkeys(wish for wish in wishes if wish and wish != "*"))


def language() -> str:
    """Return the language that the current page is rendered in."""
    return str(get_locale() or "en")


def register(app: Flask) -> None:
    """Give ``app`` its catalogues; templates see ``language()`` and ``languages``."""
    app.config["BABEL_DEFAULT_LOCALE"] = "en"
    app.config["BABEL_DEFAULT_TIMEZONE"] = "UTC"
    Babel(app, locale_selector=chosen_language)
    app.jinja_env.globals["language"] = language
    app.jinja_env.globals["languages"] = LANGUAGES
    app.register_blueprint(bp)


def own_page(address: str) -> str:
    """Return ``address`` if it is a path of ours, else the directory: never another site.

    Browsers take a backslash for a slash and leave out line ends and tabs (WHATWG URL), so
    ``/\\t/evil.example`` names another site; and no header carries a line end.
    """
    inside = address.startswith("/") and address.isprintable()
    if not inside or address[1:2] in ("/", "\\"):
        return url_for("directory.show")
    return address
