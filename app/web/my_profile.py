"""Pages being built."""

from flask import Blueprint, Response

from app.web.access import members
from app.web.pages import page

bp = Blueprint("my_profile", __name__)


@bp.get("/me")
@members
def edit() -> Response:
    return page("my_profile/edit.html")
