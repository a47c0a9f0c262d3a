"""Searching for programs: the address of the search page, answered as JSON.

Whoever asks is a visitor, signed in or not: what a program fetches with somebody's cookie would
otherwise hold what only that person may read, and any website could make a browser fetch it. So
the answer is the same for everybody, and any website may read it.
"""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from flask import Blueprint, Response, current_app, g, request, url_for
from werkzeug.exceptions import NotAcceptable

from app.database import db
from app.models.scope import Reader
from app.search.answers import Found
from app.search.find import PAGE, find
from app.search.query import Query, QueryError
from app.search.telling import told
from app.wire import problems
from app.wire.rates import SEARCHES, count, left
from app.wire.rules import machines
from federation.vocabulary import LANGUAGES

bp = Blueprint("search_api", __name__)
problems.register(bp)

#: Every parameter that is read, beside the language of the answer.
PARAMETERS = ("q", *(one.name for one in fields(Query) if one.name != "words"), "lang")
#: What kind of thing is wrong with a question (RFC 9457).
IMPOSSIBLE = "urn:mitoyen:problem:impossible-filter"
#: Under which name the limit is counted and told.
WHAT = "search"


@bp.get("/api/search")
@machines
def show() -> Response:
    count(SEARCHES, WHAT)
    if request.accept_mimetypes and not request.accept_mimetypes["application/json"]:
        raise NotAcceptable  # RFC 9110 section 15.5.7
    query, language = Query.from_args(request.args), _language(request.args.get("lang", "en"))
    found = find(db.session(), query, Reader.VISITOR, g.space, g.now, limit=PAGE, ranges=[language])
    response = Response(
        json.dumps(_told(found, language), ensure_ascii=False), content_type="application/json"
    )
    # A cache may keep it and must ask again: who withdraws is gone from the next answer.
    response.headers["Cache-Control"] = "public, no-cache"
    response.add_etag()
    response.make_conditional(request)
    return response


@bp.errorhandler(QueryError)
def refuse(error: QueryError) -> Response:
    """Say which parameter cannot be what."""
    body = {
        "type": IMPOSSIBLE,
        "title": "A filter holds what it cannot",
        "status": 400,
        "detail": str(error),
        "filter": error.filter,
        "value": error.value,
    }
    return Response(json.dumps(body), 400, content_type=problems.MEDIA_TYPE)


@bp.after_request
def let_any_website_read(response: Response) -> Response:
    """Allow scripts of other origins to read it, and tell how often they may ask."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    told = "Link, RateLimit, RateLimit-Policy, Retry-After"
    response.headers["Access-Control-Expose-Headers"] = told
    if current_app.config["RATELIMIT_ENABLED"]:
        remaining, seconds = left(SEARCHES, WHAT)
        response.headers["RateLimit-Policy"] = f'"{WHAT}";q={SEARCHES.amount};w=60'
        response.headers["RateLimit"] = f'"{WHAT}";r={remaining};t={seconds}'
    return response


def _language(tag: str) -> str:
    if tag not in LANGUAGES:
        raise QueryError("lang", tag)
    return tag


def _told(found: Found, language: str) -> dict[str, Any]:
    page = found.query.page
    return {
        "total": found.total,
        "page": page,
        "pages": found.pages,
        "next": _address(found.query, page + 1, language) if page < found.pages else None,
        "results": [told(hit, language) for hit in (*found.hits, *found.perhaps)],
        "facets": {
            facet.name: [
                {"value": option.value, "count": option.count, "selected": option.selected}
                for option in facet.options
            ]
            for facet in found.facets
        },
    }


def _address(query: Query, page: int, language: str) -> str:
    pairs: dict[str, list[str]] = {}
    for name, value in query.to_args(page=page):
        pairs.setdefault(name, []).append(value)
    return url_for("search_api.show", lang=language, **pairs)  # type: ignore[arg-type]  # lists are repeated
