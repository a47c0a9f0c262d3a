"""Letters: what the worker hands to the mail server, as whoever gets them would read them."""

from __future__ import annotations

import email
from email.policy import default
from pathlib import Path

from flask import has_app_context
from sqlalchemy.orm import Session

from app.database import db
from app.web import post
from app.worker import run_round


def carry(app, now, transport=None):
    """Let the worker of ``app`` do what is due at ``now``; return the letters that it sent."""
    if has_app_context():
        # The test's own transaction would keep the worker waiting.
        db.session.rollback()
    with app.app_context():
        engine = db.engine
    before = _files(app)
    done = run_round(
        lambda: Session(engine),
        transport or app.extensions["transport"],
        app.extensions["identity"],
        now,
        mailer=post.mailer(app),
    )
    assert not done.broken, "a job met a bug; see the log above"
    return [letter for file in sorted(_files(app) - before) for letter in _letters(file)]


def written(app):
    """Return all letters that were ever sent, in the order of their files."""
    return [letter for file in sorted(_files(app)) for letter in _letters(file)]


def _files(app):
    folder = Path(app.config["MAIL_FILE_PATH"])
    return set(folder.glob("*")) if folder.exists() else set()


def _letters(file):
    parts = file.read_bytes().split(b"-" * 79)
    return [
        email.message_from_bytes(part.lstrip(), policy=default) for part in parts if part.strip()
    ]
