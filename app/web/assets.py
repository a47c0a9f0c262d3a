"""The files that browsers load, under names that change with their content."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from flask import Blueprint, Flask, Response, current_app, request, send_from_directory, url_for

from app.web.access import anyone

bp = Blueprint("assets", __name__)

#: One year: the address changes when the content does (RFC 8246).
FOREVER = "public, max-age=31536000, immutable"


@bp.get("/static/<path:name>")
@anyone
def show(name: str) -> Response:
    folder = current_app.extensions["static_folder"]
    response = send_from_directory(folder, name)
    # Flask's own static view leaves "no-cache" beside "immutable".
    stamped = request.args.get("v") == fingerprint(Path(folder) / name)
    response.headers["Cache-Control"] = FOREVER if stamped else "public, max-age=300"
    return response


@lru_cache(maxsize=256)
def fingerprint(path: Path) -> str:
    """Return twelve characters that change with the file's content; none if it is missing."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12] if path.is_file() else ""


def asset(name: str) -> str:
    """Return the address of a static file, stamped with its content."""
    stamp = fingerprint(Path(current_app.extensions["static_folder"]) / name)
    return url_for("assets.show", name=name, v=stamp)


def register(app: Flask, folder: Path) -> None:
    """Serve ``folder`` at ``/static`` and teach the templates ``asset(name)``."""
    app.extensions["static_folder"] = str(folder)
    app.jinja_env.globals["asset"] = asset
    app.register_blueprint(bp)
