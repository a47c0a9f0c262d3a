"""Pages being built."""

from flask import Blueprint, Response

from app.web.access import admins
from app.web.pages import page

bp = Blueprint("setup", __name__)


@bp.get("/setup")
@admins
def show() -> Response:
    return page("setup/show.html")
