"""What other spaces read from us and tell us: signed documents, never pages.

No session, no CSRF token, no template: a request is believed for its signature alone, and every
refusal is one of the protocol's problems (RFC 9457).
"""

from __future__ import annotations

from flask import Flask
from flask_wtf.csrf import CSRFProtect

from app.wire import feed, held, intro, messages, photo, plate, rates, search


def register(app: Flask, csrf: CSRFProtect) -> None:
    """Add the endpoints of the protocol to ``app``."""
    rates.register(app)
    for bp in (plate.bp, feed.bp, held.bp, messages.bp, intro.bp, photo.bp, search.bp):
        csrf.exempt(bp)
        app.register_blueprint(bp)
