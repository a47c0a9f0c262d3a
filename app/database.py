"""The one place where SQLAlchemy meets Flask."""

from __future__ import annotations

from flask import Flask, request
from flask_sqlalchemy import SQLAlchemy

from app.models.base import Base
from app.models.engine import options_for, prepare, set_reading

#: Methods that promise to change nothing (RFC 9110 section 9.2.1).
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

db = SQLAlchemy(model_class=Base)


def open_database(app: Flask, url: str) -> None:
    """Give ``app`` a session on ``url``; requests that promise to change nothing never lock."""
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = options_for(url)
    db.init_app(app)
    with app.app_context():
        prepare(db.engine)

    @app.before_request
    def announce() -> None:
        set_reading(request.method in SAFE_METHODS)
