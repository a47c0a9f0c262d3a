"""Commands about members."""

from __future__ import annotations

import click


def register(main: click.Group) -> None:
    """Add these commands to ``main``."""
