"""Pages being built."""

from flask import Blueprint, Response

from app.database import db
from app.models.peer import Peer
from app.web.access import account, admins
from app.web.pages import page

bp = Blueprint("neighbours", __name__)


@bp.app_template_global()
def knocking() -> int:
    """Return how many spaces wait for an admin's answer; 0 for everybody else."""
    person = account()
    if person is None or not person.is_admin:
        return 0
    waiting = db.select(db.func.count(Peer.id)).where(
        Peer.ours == "none", Peer.theirs == "approved"
    )
    return db.session.scalar(waiting) or 0


@bp.get("/neighbours")
@admins
def show() -> Response:
    return page("neighbours/show.html")
