"""What the front page and the search page share: their question, their pages, their address.

The address is the only state. htmx shows the canonical address of every answer, so that a
mailed link, the Back button and a reload all give the same list.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qsl, urlsplit

from flask import Response, request
from werkzeug.datastructures import MultiDict

from app.search.answers import Found
from app.search.query import Query, QueryError
from app.web.facets import address
from app.web.pages import wants_part


def asked(args: MultiDict[str, str]) -> Query:
    """Return what the address asks.

    :raises QueryError: an impossible filter, which :mod:`app.web.errors` answers with 400.
    """
    return Query.from_args(args)


def possible(args: MultiDict[str, str]) -> Query:
    """Return what of the address can be asked: the same words, without impossible filters."""
    given = {name: args.getlist(name) for name in args}
    while True:
        try:
            return Query.from_args(given)
        except QueryError as error:
            del given[error.filter]


def wanted_part(results: str) -> tuple[str, ...]:
    """Return which blocks htmx asked for: the whole answer with its filters, or only more of it."""
    return ("more",) if _asks_for_more() else (results, "facets")


@dataclass(frozen=True, slots=True)
class Pages:
    """Where the other pages of an answer are."""

    previous: str
    """Address of the page before, empty on the first."""

    next: str
    """Address of the page after, empty on the last."""

    coming: int
    """How many people the next page has."""

    left: int
    """How many people come after this page."""

    @classmethod
    def of(cls, found: Found, endpoint: str, limit: int) -> Self:
        """Return the pages around ``found``, which has ``limit`` people on each."""
        number = found.query.page
        left = max(0, found.total - number * limit)

        def at(page: int) -> str:
            return address(endpoint, found.query.to_args(page=page))

        return cls(
            previous=at(min(number - 1, found.pages)) if number > 1 else "",
            next=at(number + 1) if left else "",
            coming=min(left, limit),
            left=left,
        )


def remembering(answer: Response, address: str) -> Response:
    """Let the browser's address follow: a new entry, unless only the words were typed on."""
    if not wants_part() or _asks_for_more():
        return answer
    before = urlsplit(request.headers.get("HX-Current-URL", ""))
    now = urlsplit(address)
    same_filters = before.path == now.path and _filters(before.query) == _filters(now.query)
    answer.headers["HX-Replace-Url" if same_filters else "HX-Push-Url"] = address
    return answer


def _asks_for_more() -> bool:
    return request.headers.get("HX-Target", "").endswith("#more")


def _filters(query: str) -> list[tuple[str, str]]:
    pairs = parse_qsl(query)
    return sorted(pair for pair in pairs if pair[0] != "q")
