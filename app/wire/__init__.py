"""What other spaces read from us and tell us: signed documents, never pages.

No session, no CSRF token, no template: a request is believed for its signature alone, and every
refusal is one of the protocol's problems (RFC 9457).
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, Response, request
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import (
    HTTPException,
    InternalServerError,
    MethodNotAllowed,
    NotFound,
)

from app.wire import feed, held, intro, messages, photo, plate, problems, rates, search
from federation.entity import PATH

#: How addresses begin at which only programs ask, whether there is something or not.
ADDRESSES = (f"{PATH}/", "/api/", "/.well-known/")


def register(app: Flask, csrf: CSRFProtect) -> None:
    """Add the endpoints of the protocol to ``app``."""
    rates.register(app)
    for bp in (plate.bp, feed.bp, held.bp, messages.bp, intro.bp, photo.bp, search.bp):
        csrf.exempt(bp)
        app.register_blueprint(bp)


def refuse_machines(
    app: Flask,
    refuse: Callable[[HTTPException], Response],
    apologise: Callable[[InternalServerError], Response],
) -> None:
    """Answer programs with a problem (RFC 9457) also where no view is reached, or one fails.

    :param refuse: answers people whose address or method there is not.
    :param apologise: writes the log, and answers people.
    """

    def by_address(error: HTTPException) -> Response:
        asked_by_a_program = request.path.startswith(ADDRESSES)
        return problems.refuse_http(error) if asked_by_a_program else refuse(error)

    def failed(error: InternalServerError) -> Response:
        page = apologise(error)
        return problems.refuse_http(error) if request.path.startswith(ADDRESSES) else page

    for status in (NotFound.code, MethodNotAllowed.code):
        app.register_error_handler(status, by_address)
    app.register_error_handler(InternalServerError, failed)
