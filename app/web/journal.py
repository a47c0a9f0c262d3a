"""Pages being built."""

from flask import Blueprint, Response

from app.web.access import admins
from app.web.pages import page

bp = Blueprint("journal", __name__)


@bp.get("/journal")
@admins
def show() -> Response:
    return page("journal/show.html")
