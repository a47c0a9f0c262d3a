"""Searching: here or in all spaces, with words, filters, and the reason for every answer."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, g, request
from sqlalchemy import select

from app.database import db
from app.models.peer import Peer
from app.models.scope import shown_peers
from app.search.answers import Found
from app.search.cards import LATE
from app.search.find import PAGE, find
from app.search.query import Query
from app.web import facets, results, words
from app.web.access import anyone, reader
from app.web.languages import language, ranges
from app.web.pages import page
from federation import vocabulary

bp = Blueprint("search", __name__)

#: Neighbouring specialities tried when nobody fits, and families of them offered instead.
NEAR_TRIED = 6
WAYS_OUT = 8

#: Names told of what else was looked for.
NAMES_TOLD = 5


@bp.get("/search")
@anyone
def show() -> Response:
    query = results.asked(request.args)
    found = find(db.session(), query, reader(), g.space, g.now, limit=PAGE, ranges=ranges())
    answer = page(
        "search/show.html",
        results.wanted_part("results"),
        found=found,
        query=query,
        panel=facets.panel(found),
        chips=facets.chips(found, "search.show"),
        clear=facets.cleared(query, "search.show"),
        pages=results.Pages.of(found, "search.show", PAGE),
        everywhere=facets.address("search.show", query.to_args(scope="everywhere")),
        ways_out=ways_out(found) if not found.total else None,
        freshness=Freshness.now(),
        also=also_looked_for(found),
    )
    return results.remembering(answer, facets.address("search.show", query.to_args()))


def also_looked_for(found: Found) -> list[tuple[str, str]]:
    """Return what the question was also understood as: names of specialities, each with its tag.

    The page's language first, and of what was meant first the other languages too; not what the
    person said anyway.
    """
    known = vocabulary.specialities()
    meant = [known[one.code] for one in found.expansions if one.code in known]
    ours = language()[:2]
    names = [(one.labels.get(ours, one.labels["en"]), ours) for one in meant]
    names += [(one.labels[tag], tag) for one in meant[:1] for tag in one.labels if tag != ours]
    said = {
        found.query.words.strip().casefold(),
        *(one.said.casefold() for one in found.expansions),
    }
    fresh = {name.casefold(): (name, tag) for name, tag in names if name.casefold() not in said}
    return [(words.printed(name), tag) for name, tag in fresh.values()][:NAMES_TOLD]


@dataclass(frozen=True, slots=True)
class Freshness:
    """How many spaces a search reads, and whose copy is late."""

    spaces: int
    """All of them, this one included."""

    late: tuple[str, ...]
    """The names of neighbours that have not answered for a day."""

    @classmethod
    def now(cls) -> Freshness:
        peers = db.session.scalars(select(Peer).where(shown_peers()).order_by(Peer.name)).all()
        late = [
            peer.name
            for peer in peers
            if peer.last_success_at is None or g.now - peer.last_success_at > LATE
        ]
        return cls(spaces=len(peers) + 1, late=tuple(late))


@dataclass(frozen=True, slots=True)
class WayOut:
    """Something else to look for, that somebody does offer."""

    name: str
    count: int
    url: str


@dataclass(frozen=True, slots=True)
class WaysOut:
    """What to do when nobody fits: every number in here was counted."""

    unfiltered: int
    """How many there are without the filters; 0 when none is on."""

    near: tuple[WayOut, ...]
    """Specialities close to what was asked, each with people."""

    fields: tuple[WayOut, ...]
    """Families of specialities with people, when the question was not understood."""


def ways_out(found: Found) -> WaysOut:
    """Return what else the person could do after ``found`` had nobody."""
    query = found.query
    near = _near(found)
    return WaysOut(
        unfiltered=_answer(query.without_filters()).total if query.filters else 0,
        near=near,
        fields=() if near else _fields(),
    )


def _near(found: Found) -> tuple[WayOut, ...]:
    known = vocabulary.specialities()
    meant = [one.code for one in found.expansions if one.code in known]
    codes = dict.fromkeys(code for one in meant for code in known[one].near)
    tried = [_trade(code) for code in list(codes)[:NEAR_TRIED] if code not in meant]
    return tuple(way for way in tried if way.count)


def _trade(code: str) -> WayOut:
    query = Query(speciality=(code,))
    address = facets.address("search.show", query.to_args())
    return WayOut(facets.value_name("speciality", code), _answer(query).total, address)


def _fields() -> tuple[WayOut, ...]:
    everybody = _answer(Query())
    options = [o for facet in everybody.facets if facet.name == "domain" for o in facet.options]
    return tuple(
        WayOut(
            facets.domain_name(option.value),
            option.count,
            facets.address("search.show", Query(domain=(option.value,)).to_args()),
        )
        for option in options[:WAYS_OUT]
    )


def _answer(query: Query) -> Found:
    return find(db.session(), query, reader(), g.space, g.now, limit=1)
