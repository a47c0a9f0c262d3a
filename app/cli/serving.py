"""What the server's processes load: the application of the space that the environment names."""

from __future__ import annotations

from flask import Flask

from app.factory import create_app
from app.search import completions
from config.settings import Settings


def application() -> Flask:
    """Return the space's application; each process of the server calls this once.

    The vocabulary is read before the first person comes, who would wait for it at the first letter.

    :raises SettingsError: something is missing; ``mitoyen run`` says it before.
    """
    application = create_app(Settings.load())
    completions.make_ready()
    return application
