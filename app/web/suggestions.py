"""Suggestions under the search field: a list of options, for whoever's browser asks for it."""

from __future__ import annotations

from flask import Blueprint, Response, g, request

from app.database import db
from app.search.query import SCOPES
from app.search.suggestions import suggest
from app.web.access import anyone, reader
from app.web.languages import language, ranges
from app.web.pages import page

bp = Blueprint("suggestions", __name__)


@bp.get("/search/suggestions")
@anyone
def show() -> Response:
    """Answer with the options only: without JavaScript nobody comes here."""
    asked = request.args.get("scope", "")
    found = suggest(
        db.session(),
        request.args.get("q", ""),
        language()[:2],
        reader(),
        g.space,
        g.now,
        next((scope for scope in SCOPES if scope == asked), "everywhere"),
        ranges=ranges(),
    )
    return page("search/_suggestions.html", suggestions=found)
