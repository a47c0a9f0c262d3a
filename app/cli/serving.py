"""What the server's processes load: the application of the space that the environment names."""

from __future__ import annotations

from flask import Flask

from app.factory import create_app
from config.settings import Settings


def application() -> Flask:
    """Return the space's application; each process of the server calls this once.

    :raises SettingsError: something is missing; ``mitoyen run`` says it before.
    """
    return create_app(Settings.load())
