"""Who may open which page. Refusal is the default: a view without a rule answers nobody.

Each view says its rule beside its route: :func:`anyone`, :func:`members` or :func:`admins`.
:func:`guard` checks the rule before the view runs, and a test walks all routes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, TypeVar, cast
from urllib.parse import urlsplit

from flask import (
    Flask,
    abort,
    current_app,
    flash,
    g,
    make_response,
    redirect,
    request,
    session,
    url_for,
)
from flask_babel import gettext as _
from flask_login import LoginManager, current_user, login_user, logout_user
from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response

from app.database import db
from app.members.inviting import fulfil
from app.models.account import MEMBER, Account
from app.models.scope import Reader
from app.models.sign_in import SignIn, begin, current, end
from app.web import kept
from app.web.pages import wants_part

View = TypeVar("View", bound=Callable[..., Any])

_RULE = "access_rule"
_SEEN_BY = "seen_by"
_FRESH = "access_fresh"
_OPEN_TO_ALL = "access_also_shut_out"

#: Cookie field: the secret of this browser's sign-in, where Flask-Login looks for it.
_SECRET = "_user_id"  # noqa: S105  # the name of a field, no password


class SignedOutError(Forbidden):
    """A form came from somebody who is not signed in any more, with words that would be lost."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What Flask-Login asks about whoever is signed in; an account knows nothing of sessions."""

    account: Account
    sign_in: SignIn
    secret: str

    is_authenticated: ClassVar[bool] = True
    is_active: ClassVar[bool] = True
    is_anonymous: ClassVar[bool] = False

    def get_id(self) -> str:
        return self.secret


def anyone(view: View) -> View:
    """Let everybody in, signed in or not."""
    return _ruled(view, "anyone")


def members(view: View) -> View:
    """Let in who is signed in; others are sent to the door, and back afterwards."""
    return _ruled(view, "members")


def admins(view: View) -> View:
    """Let in the space's admins; members get 403, others are sent to the door."""
    return _ruled(view, "admins")


def freshly(view: View) -> View:
    """Ask whoever signed in long ago to do it once more, before a step of weight.

    That is what cannot be undone, what lets data flow to others, and what carries it away.
    """
    setattr(view, _FRESH, True)
    return view


def even_shut_out(view: View) -> View:
    """Let in also whoever the door is shut to, once they have shown who they are.

    For what belongs to them whatever was decided: to take their data along, and to leave.
    """
    setattr(view, _OPEN_TO_ALL, True)
    return view


def rule_of(view: Callable[..., Any]) -> str | None:
    """Return the rule that ``view`` carries, ``None`` when somebody forgot it."""
    return getattr(view, _RULE, None)


def account() -> Account | None:
    """Return who is signed in, ``None`` for a visitor."""
    if (seen_by := g.get(_SEEN_BY)) is not None:
        return None if seen_by is Reader.VISITOR else Account(email="", role=MEMBER)
    return cast(Account, current_user.account) if current_user.is_authenticated else None


def signed_in() -> Account:
    """Return who is signed in, on pages that only such people reach."""
    return cast(Account, current_user.account)


def this_sign_in() -> SignIn:
    """Return the sign-in of the current browser, on pages that only signed-in people reach."""
    return cast(SignIn, current_user.sign_in)


@contextmanager
def reading_as(somebody: Reader) -> Iterator[None]:
    """Let what is rendered inside be what ``somebody`` else would be shown; nobody is let in."""
    setattr(g, _SEEN_BY, somebody)
    try:
        yield
    finally:
        g.pop(_SEEN_BY)


def reader() -> Reader:
    """Return as whom the current request reads people."""
    if (seen_by := g.get(_SEEN_BY)) is not None:
        return cast(Reader, seen_by)
    return Reader.MEMBER if current_user.is_authenticated else Reader.VISITOR


def may_come_in(account: Account) -> bool:
    """Tell whether the door opens: not for people whose membership ended, or who are banned."""
    return not account.is_shut_out


def shut_out() -> bool:
    """Tell whether the page is read by somebody to whom every other page is shut."""
    person = account()
    return person is not None and person.is_shut_out


def let_in(account: Account, proved_at: datetime | None) -> None:
    """Start a session of its own for ``account``; nothing of the visitor's session survives.

    The caller commits.

    :param proved_at: when they proved who they are; ``None`` when nobody can tell.
    """
    _end_sign_in()
    session.clear()
    session.permanent = True
    if may_come_in(account):
        fulfil(db.session(), account, g.now)
    sign_in, secret = begin(db.session(), account, request.user_agent.string, g.now, proved_at)
    login_user(SignedIn(account, sign_in, secret))


def let_out() -> None:
    """End the session, also for whoever copied its cookie; the caller commits."""
    _end_sign_in()
    logout_user()
    session.clear()


def register(app: Flask) -> None:
    """Guard every view of ``app`` and teach Flask-Login and the templates our accounts."""
    login = LoginManager(app)
    login.session_protection = "basic"
    login.user_loader(_load)
    app.jinja_env.globals["account"] = account
    app.jinja_env.globals["shut_out"] = shut_out
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
        return _to_the_door()
    if rule == "admins" and not signed_in().is_admin:
        abort(403)
    if getattr(view, _FRESH, False) and not this_sign_in().is_fresh(g.now):
        return _once_more()
    return None


def _to_the_door() -> Response:
    """Send a visitor to sign in, the whole window even if htmx asked for a part of a page.

    :raises SignedOutError: they typed something, which the way there would lose.
    """
    if kept.typed():
        raise SignedOutError
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    if wants_part():
        answer = make_response("", 401)
        answer.headers["HX-Redirect"] = url_for("sign_in.show")
        return answer
    return redirect(url_for("sign_in.show", next=wanted), 303)


def _once_more() -> Response:
    """Send somebody who signed in long ago to the door, and back to the page they came from."""
    flash(_("Before this step, show once more that it is you. Then press the button again."))
    origin = urlsplit(request.referrer or "")
    wanted = origin.path if origin.netloc == request.host else None
    there = url_for("sign_in.show", again="1", next=wanted)
    if wants_part():
        answer = make_response("", 401)
        answer.headers["HX-Redirect"] = there
        return answer
    return redirect(there, 303)


def _load(secret: str) -> SignedIn | None:
    sign_in = current(db.session(), secret, g.now)
    if sign_in is None or not (may_come_in(sign_in.account) or _open_to_all()):
        # Perhaps the membership ended while a session was open somewhere.
        return None
    return SignedIn(sign_in.account, sign_in, secret)


def _open_to_all() -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    return getattr(view, _OPEN_TO_ALL, False)


def _end_sign_in() -> None:
    if secret := session.get(_SECRET):
        end(db.session(), secret)


def _ruled(view: View, rule: str) -> View:
    setattr(view, _RULE, rule)
    return view
