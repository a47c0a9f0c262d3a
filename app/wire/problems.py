"""What a peer is told when its request is refused (RFC 9457), from the protocol's closed list."""

from __future__ import annotations

import json

from flask import Blueprint, Response
from sqlalchemy.exc import DataError, OperationalError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from federation.errors import (
    PROBLEM_PREFIX,
    DocumentError,
    FederationError,
    MediaTypeError,
    RateLimitedError,
    TooLargeError,
)

MEDIA_TYPE = "application/problem+json"

#: Characters of the sentence: ours to keep short, since part of it may be theirs.
DETAIL_CHARACTERS = 300


def register(bp: Blueprint) -> None:
    """Answer every error of ``bp`` in the protocol's words, never with a page."""
    bp.register_error_handler(FederationError, refuse)
    bp.register_error_handler(HTTPException, refuse_http)
    bp.register_error_handler(OperationalError, refuse_busy)
    bp.register_error_handler(DataError, refuse_impossible_value)


def refuse(error: FederationError) -> Response:
    """Say which rule was broken."""
    response = _problem(error.status, error.problem or "invalid-document", str(error))
    if isinstance(error, RateLimitedError):
        response.headers["Retry-After"] = str(error.retry_after or 60)
    return response


def refuse_http(error: HTTPException) -> Response:
    """Translate what Flask itself refuses."""
    if isinstance(error, RequestEntityTooLarge):
        return refuse(TooLargeError("the body is larger than a document may be"))
    if error.code == MediaTypeError.status:
        return refuse(MediaTypeError("send one signed document as application/jwt"))
    response = _problem(error.code or 500, "", error.name)
    for name, value in error.get_headers():
        if name.lower() == "allow":
            response.headers[name] = value
    return response


def refuse_busy(_error: OperationalError) -> Response:
    """Nothing could be saved just now; the peer tries again later."""
    response = _problem(503, "", "the space cannot save anything just now")
    response.headers["Retry-After"] = "60"
    return response


def refuse_impossible_value(_error: DataError) -> Response:
    """No column can hold what was sent, a NUL for example."""
    return refuse(DocumentError("a value is one that nothing has"))


def _problem(status: int, problem: str, detail: str) -> Response:
    body = {
        # RFC 9457 section 4.2.1: "about:blank" says no more than the status does.
        "type": PROBLEM_PREFIX + problem if problem else "about:blank",
        "status": status,
        "detail": detail[:DETAIL_CHARACTERS],
    }
    return Response(json.dumps(body), status, content_type=MEDIA_TYPE)
