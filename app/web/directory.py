"""The space's front page: whose house this is, who works here, and where to ask."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response, g, request
from sqlalchemy import func, select

from app.database import db
from app.models.member import Member
from app.models.peer import Peer
from app.models.scope import Reader, seen_by, shown_peers
from app.search.find import find
from app.search.query import Query
from app.web import facets, results
from app.web.access import anyone, reader
from app.web.languages import ranges
from app.web.pages import page

bp = Blueprint("directory", __name__)

#: People on one page of the grid, which is one, two, three or four columns wide.
PEOPLE = 24

#: Filters that tell spaces apart, of which there is one here.
ELSEWHERE = ("space", "city", "country", "within")


@bp.get("/")
@anyone
def show() -> Response:
    query = results.asked(request.args)
    # The front page is about this space: its filters narrow, words and other spaces are /search.
    query = replace(
        query, scope="here", words="", within=None, near="", space=(), city=(), country=()
    )
    found = find(db.session(), query, reader(), g.space, g.now, limit=PEOPLE, ranges=ranges())
    answer = page(
        "directory/show.html",
        results.wanted_part("people"),
        found=found,
        panel=facets.panel(found, without=ELSEWHERE),
        chips=facets.chips(found, "directory.show"),
        clear=facets.cleared(Query(scope="here"), "directory.show"),
        pages=results.Pages.of(found, "directory.show", PEOPLE),
        people=count_seen_by(reader()),
        others=count_seen_by(Reader.MEMBER),
        neighbours=count_neighbours(),
    )
    return results.remembering(answer, facets.address("directory.show", query.to_args()))


def count_seen_by(whom: Reader) -> int:
    """Return how many members of this space ``whom`` may see."""
    return db.session.scalar(select(func.count()).select_from(Member).where(seen_by(whom))) or 0


def count_neighbours() -> int:
    """Return how many other spaces' people are shown here."""
    return db.session.scalar(select(func.count()).select_from(Peer).where(shown_peers())) or 0
