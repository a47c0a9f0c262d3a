"""Pages for what goes wrong: a sentence that says what to do, and nothing of ours inside."""

from __future__ import annotations

import secrets

import structlog
from flask import Flask, Response, g, render_template, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, InternalServerError

log = structlog.get_logger(__name__)


def register(app: Flask) -> None:
    """Answer every error of ``app`` with a page."""
    app.register_error_handler(HTTPException, refuse)
    app.register_error_handler(CSRFError, refuse_stale_form)
    app.register_error_handler(OperationalError, refuse_busy_database)
    app.register_error_handler(InternalServerError, apologise)


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
        _("This page waited too long"),
        _(
            "For your safety a form can be sent for a few hours only. Go back, reload the page "
            "and send it again: browsers keep what you typed."
        ),
    )


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


def apologise(error: InternalServerError) -> Response:
    """Give the person a number that the log has too."""
    number = secrets.token_hex(3).upper()
    # The rule and not the path, which may carry the secret of a sign-in link.
    log.error("page", number=number, rule=str(request.url_rule), exc_info=error.original_exception)
    return _show(500, _("This door is stuck"), _("Something broke on our side."), number)


def _show(status: int, title: str, text: str, number: str = "") -> Response:
    g.setdefault("space", None)
    body = render_template("errors/show.html", status=status, title=title, text=text, number=number)
    return Response(body, status)


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
