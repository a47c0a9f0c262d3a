"""Pages for what goes wrong: a sentence that says what to do, and nothing of ours inside."""

from __future__ import annotations

import secrets
import traceback
from dataclasses import dataclass

import structlog
from flask import Flask, Response, current_app, g, render_template, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, OperationalError, SQLAlchemyError
from werkzeug.exceptions import BadRequest, HTTPException, InternalServerError, NotFound

from app.database import SAFE_METHODS, db
from app.search.query import Query, QueryError
from app.web import facets, kept, results
from app.web.access import SignedOutError
from app.web.pages import varying, wants_part

log = structlog.get_logger(__name__)


def register(app: Flask) -> None:
    """Answer every error of ``app`` with a page.

    Flask would log each failure with the path beside :func:`apologise`, which does it without.
    """
    app.log_exception = _leave_to_apologise  # type: ignore[assignment,method-assign]  # Flask calls it so
    app.register_error_handler(HTTPException, refuse)
    app.register_error_handler(CSRFError, refuse_stale_form)
    app.register_error_handler(SignedOutError, refuse_signed_out)
    app.register_error_handler(QueryError, refuse_filter)
    app.register_error_handler(OperationalError, refuse_busy_database)
    app.register_error_handler(DataError, refuse_impossible_value)


def _leave_to_apologise(_exc_info: object) -> None:
    """Log nothing: see :func:`register`."""


def refuse(error: HTTPException) -> Response:
    """Say what cannot be done, and where to go instead."""
    status = error.code or 500
    if error.response is not None or status < 400:
        answer = error.get_response()
        assert isinstance(answer, Response)  # noqa: S101  # Flask's response class is ours
        return answer
    response = _show(status, *_words(status))
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after"):
            response.headers[name] = value
    return response


def refuse_stale_form(_error: CSRFError) -> Response:
    return _show(
        400,
        _("This page is too old"),
        _(
            "Since it was opened you came in or left in another window, or your browser keeps no "
            "cookies. Nothing was saved: go back to the form, copy what you typed, reload the "
            "page and send it again."
        ),
    )


def refuse_signed_out(_error: SignedOutError) -> Response:
    return _show(
        403,
        _("You are signed out"),
        _("So nothing was saved. Sign in, open the page once more and put in what you typed."),
    )


@dataclass(frozen=True, slots=True)
class WayOut:
    """What else the person can do: a link and what it says."""

    url: str
    name: str


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed that cannot be, to be corrected in place."""

    city: str
    rest: tuple[tuple[str, str], ...]
    """Everything else that the search asks."""


def refuse_filter(error: QueryError) -> Response:
    """Say which filter cannot be what, and offer the same search without it."""
    query = results.possible(request.args)
    if error.filter == "near":
        return refuse_city(error, query)
    words = query.words.strip()
    name = _("Search “%(words)s” without it", words=words) if words else _("Search without it")
    endpoint = request.endpoint or "search.show"
    text = _(
        "This address asks for “%(value)s” as %(filter)s, and that cannot be.",
        value=error.value,
        filter=_filters().get(error.filter, error.filter),
    )
    way_out = WayOut(facets.address(endpoint, query.to_args()), name)
    return _show(400, _("Nobody can be looked for like this"), text, way_out=way_out)


def refuse_city(error: QueryError, query: Query) -> Response:
    """Say that the city is not known, and let the person write it differently."""
    text = _(
        "We know no city called “%(name)s”. Check how it is written, add the country, as in "
        "“Valencia, Spain”, or name the nearest larger city: we know those of 15,000 people "
        "and more.",
        name=error.value,
    )
    way_out = WayOut(
        facets.address("search.show", query.to_args()), _("Count from this space instead")
    )
    typed = Typed(error.value, tuple(query.to_args()))
    return _show(400, _("Where is that?"), text, way_out=way_out, typed=typed)


def _filters() -> dict[str, str]:
    """What each filter that can be impossible is called."""
    return {
        "mode": _("the way of working together"),
        "scope": _("the place to look in"),
        "sort": _("the order"),
        "within": _("the distance"),
        "page": _("the page number"),
        "remote": _("the filter for remote work"),
        "coworker_rate": _("the filter for coworker rates"),
        "price": _("the price"),
        "availability": _("the day of the week"),
    }


def refuse_busy_database(error: OperationalError) -> Response:
    """The disk is full or another writer holds on: nothing was changed, and trying again may do."""
    log.error("database", problem=str(error.orig))
    response = _show(
        503,
        _("This door is stuck"),
        _("The space's computer could not save anything just now. Nothing was lost; try again."),
    )
    response.headers["Retry-After"] = "10"
    return response


def refuse_impossible_value(_error: DataError) -> Response:
    """No column can hold what was sent, a NUL for example: nothing is called so, or ever will."""
    db.session.rollback()
    return refuse(NotFound() if request.method in SAFE_METHODS else BadRequest())


def apologise(error: InternalServerError) -> Response:
    """Give the person a number that the log has too."""
    number = secrets.token_hex(3).upper()
    # The rule and not the path, which may carry the secret of a sign-in link; and the lines of
    # the program without its variables, which hold what people typed and the cookies they sent.
    told = "".join(traceback.format_exception(error.original_exception or error))
    log.error("page", number=number, rule=str(request.url_rule), exception=told)
    return _show(500, _("This door is stuck"), _("Something broke on our side."), number)


def _show(
    status: int,
    title: str,
    text: str,
    number: str = "",
    way_out: WayOut | None = None,
    typed: Typed | None = None,
) -> Response:
    """Answer with a page, or with a notice above a page of which only a part was asked for.

    What stands in that part, typed text above all, stays as it is.
    """
    g.setdefault("space", None)
    template = "errors/_notice.html" if wants_part() else "errors/show.html"
    told = {
        **{"status": status, "title": title, "text": text, "number": number},
        **{"way_out": way_out, "typed": typed, "kept": kept.typed()},
    }
    try:
        body = render_template(template, **told)
    except SQLAlchemyError:
        # The usual frame, and whatever Flask adds to it, asks the database who is here.
        body = current_app.jinja_env.get_template("errors/bare.html").render(told)
    response = varying(Response(body, status))
    if wants_part():
        response.headers["HX-Retarget"] = "#flash"
        response.headers["HX-Reswap"] = "innerHTML"
    return response


def _words(status: int) -> tuple[str, str]:
    """Return the heading and the sentence for an HTTP status."""
    known = {
        403: (
            _("This room is for others"),
            _("You are signed in, but this page is for the people who run the space."),
        ),
        404: (
            _("No door here"),
            _("Nothing lives at this address, or it is not shared with you."),
        ),
        405: (_("This door opens the other way"), _("Go back and use the button on the page.")),
        413: (_("That is too much to carry"), _("Send something smaller.")),
        429: (_("One moment"), _("That was a lot at once. Wait a minute, then try again.")),
    }
    return known.get(
        status, (_("That did not work"), _("Go back, check what you entered and try again."))
    )
