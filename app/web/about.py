"""What Mitoyen is, what leaves this space, what is kept about people, and who can use the pages."""

from __future__ import annotations

from flask import Blueprint, Response, g
from sqlalchemy import select

from app.database import db
from app.models.peer import Peer
from app.models.scope import shown_peers
from app.web.access import anyone
from app.web.pages import page

bp = Blueprint("about", __name__)


@bp.get("/about")
@anyone
def show() -> Response:
    neighbours = select(Peer).where(shown_peers()).order_by(Peer.name)
    return page("about/show.html", space=g.space, neighbours=db.session.scalars(neighbours).all())
