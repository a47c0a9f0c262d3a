"""Who may open which page. Refusal is the default: a view without a rule answers nobody.

Each view says its rule beside its route: :func:`anyone`, :func:`members` or :func:`admins`.
:func:`guard` checks the rule before the view runs, and a test walks all routes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from flask import Flask, abort, current_app, redirect, request, url_for
from flask_login import LoginManager, current_user, logout_user
from werkzeug.wrappers import Response

from app.database import db
from app.models.account import Account
from app.models.scope import Reader

View = TypeVar("View", bound=Callable[..., Any])

_RULE = "access_rule"


def anyone(view: View) -> View:
    """Let everybody in, signed in or not."""
    return _ruled(view, "anyone")


def members(view: View) -> View:
    """Let in who is signed in; others are sent to the door, and back afterwards."""
    return _ruled(view, "members")


def admins(view: View) -> View:
    """Let in the space's admins; members get 403, others are sent to the door."""
    return _ruled(view, "admins")


def rule_of(view: Callable[..., Any]) -> str | None:
    """Return the rule that ``view`` carries, ``None`` when somebody forgot it."""
    return getattr(view, _RULE, None)


def account() -> Account | None:
    """Return who is signed in, ``None`` for a visitor."""
    return cast(Account, current_user) if current_user.is_authenticated else None


def signed_in() -> Account:
    """Return who is signed in, on pages that only such people reach."""
    return cast(Account, current_user._get_current_object())  # noqa: SLF001  # the proxy's own API


def reader() -> Reader:
    """Return as whom the current request reads people."""
    return Reader.MEMBER if current_user.is_authenticated else Reader.VISITOR


def register(app: Flask) -> None:
    """Guard every view of ``app`` and teach Flask-Login our accounts."""
    login = LoginManager(app)
    login.session_protection = "basic"
    login.user_loader(_load)
    app.before_request(guard)


def guard() -> Response | None:
    """Refuse the current request unless its view's rule admits whoever asks."""
    if request.endpoint is None:
        return None
    view = current_app.view_functions[request.endpoint]
    rule = rule_of(view)
    if rule == "anyone":
        return None
    if rule not in ("members", "admins"):
        abort(403)
    if not current_user.is_authenticated:
        wanted = request.full_path.rstrip("?") if request.method == "GET" else None
        return redirect(url_for("sign_in.show", next=wanted), 303)
    if rule == "admins" and not signed_in().is_admin:
        abort(403)
    return None


def _load(ref: str) -> Account | None:
    account = db.session.scalars(db.select(Account).filter_by(ref=ref)).one_or_none()
    if account is not None and account.member is not None and account.member.left_at is not None:
        # The membership ended while a session was open somewhere.
        logout_user()
        return None
    return account


def _ruled(view: View, rule: str) -> View:
    setattr(view, _RULE, rule)
    return view
