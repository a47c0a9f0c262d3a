"""Who may ask: a view for machines answers anybody, and decides by signatures alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


def machines(view: View) -> View:
    """Let every machine in; the guard of pages (``app.web.access``) reads this rule."""
    view.access_rule = "anyone"  # type: ignore[attr-defined]  # where the guard looks for it
    return view
