"""Answers for whoever watches the machine."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, jsonify
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.database import db
from app.migrations import DatabaseNewerError, check
from app.models.space import Space
from app.web.access import anyone

bp = Blueprint("health", __name__)


@bp.get("/healthz")
@anyone
def alive() -> Response:
    """The process answers; nothing is said about what it needs."""
    return jsonify(status="ok")


@bp.get("/readyz")
@anyone
def ready() -> Response:
    """Everything a page needs is there: database, tables of our version, a space, keys."""
    problems = _problems()
    response = jsonify(status="not ready" if problems else "ready", problems=problems)
    response.status_code = 503 if problems else 200
    return response


def _problems() -> list[str]:
    try:
        db.session.execute(text("SELECT 1"))
        if not check(db.session.connection()):
            return ["the database needs `mitoyen doctor`: its tables are not of this version"]
        space = db.session.get(Space, 1)
    except DatabaseNewerError as error:
        return [str(error)]
    except SQLAlchemyError:
        current_app.logger.exception("not ready")
        return ["the database cannot be read"]
    return [] if space else ["no space is set up here"]
