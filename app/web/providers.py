"""Coming in with an account elsewhere, and linking one: to a provider, and back.

The browser leaves by a page of ours that goes on by itself, not by an answer to the form:
``form-action`` of our policy would have to name every machine on the way (CSP Level 3 section
6.4.1; Chromium follows it through redirects), and providers send people on to others.

Only the browser that left may come back, once, by the address of the provider that it left for.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    flash,
    g,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.database import db
from app.members import locks
from app.members.recognising import NotRecognisedError, link, recognise, remember
from app.models import provider as tables
from app.models.account import Account
from app.models.journal import note
from app.models.provider import ProviderIdentity, Way
from app.models.sign_in import FRESH
from app.providers.provider import Provider, ProviderError, SilentError, Vouched
from app.providers.published import Published
from app.providers.there_and_back import address_there, require_issuer, vouched
from app.web import rates
from app.web.access import account, anyone, freshly, may_come_in, members, signed_in
from app.web.languages import own_page
from app.web.pages import page
from app.web.sign_in import come_in_vouched

bp = Blueprint("providers", __name__)

#: A whole space may share one network, and come in on one morning.
PER_NETWORK = "300 per hour"

#: What is asked of whoever has to show once more who they are: time to press the button is left.
MAX_AGE = FRESH - timedelta(minutes=5)

#: Cookie field: the secret of this browser, without which nobody comes back.
_SENT = "sent"

#: Characters of the longest ``state`` and page that we ask for or keep.
_STATE_CHARACTERS, _WANTED_CHARACTERS = 64, 2000


@bp.app_template_global()
def providers() -> list[Provider]:
    """Return the providers that the operator named, in that order."""
    return [each.provider for each in _published().values()]


@bp.app_template_global()
def my_identities() -> list[ProviderIdentity]:
    return [one for one in tables.identities(db.session(), signed_in()) if one.unlinked_at is None]


@bp.app_template_filter("provider_name")
def provider_name(issuer: str) -> str:
    """Return what people call a provider; its address when the operator names it no more."""
    return next((each.name for each in providers() if each.issuer == issuer), issuer)


@bp.post("/sign-in/with/<key>")
@anyone
def leave(key: str) -> AnyResponse:
    """Send somebody who wants to come in to the provider."""
    wanted = request.form.get("next", "")[:_WANTED_CHARACTERS]
    return _leave(_named(key), wanted, again=account() is not None)


@bp.get("/sign-in/with/<key>/back")
@anyone
def come_back(key: str) -> AnyResponse:
    """Take in what the provider says, whether somebody comes in or links an account."""
    published = _named(key)
    way = _way(key)
    if way is None:
        return _refuse(published, "late")
    try:
        person = _person(published, way)
    except SilentError as error:
        return _journal(published, error, "silent", way)
    except ProviderError as error:
        return _journal(published, error, "stopped" if error.code == "stopped" else "refused", way)
    try:
        if way.account_id is not None:
            return _link(published, way, person)
        return _come_in(published, way, person)
    except NotRecognisedError as error:
        db.session.rollback()
        return _refuse(published, error.reason, way)


@bp.post("/me/sign-ins/with/<key>")
@members
@freshly
def create(key: str) -> AnyResponse:
    """Send somebody who wants to link an account over there to the provider."""
    return _leave(_named(key), "", linking=signed_in())


@bp.post("/me/sign-ins/elsewhere/<ref>/removal")
@members
@freshly
def create_removal(ref: str) -> AnyResponse:
    if tables.unlink(db.session(), signed_in(), ref, g.now):
        locks.tell(db.session(), signed_in(), locks.UNLINKED, g.now, ref)
        flash(_("Unlinked: that account opens nothing here any more."))
    else:
        flash(_("That account was unlinked already."))
    db.session.commit()
    return redirect(url_for("sign_ins.show"), 303)


def _leave(
    published: Published, wanted: str, *, again: bool = False, linking: Account | None = None
) -> AnyResponse:
    rates.count("provider", rates.network(), PER_NETWORK)
    try:
        published.metadata(g.now)
    except SilentError as error:
        return _journal(published, error, "silent", Way("", "", wanted, again, None))
    if _SENT not in session:
        session[_SENT] = secrets.token_urlsafe(32)
    departure = tables.depart(
        db.session(),
        published.provider.key,
        session[_SENT],
        g.now,
        wanted=own_page(wanted) if wanted else "",
        again=again,
        linking=linking,
    )
    db.session.commit()
    there = address_there(
        published, departure, _redirect_uri(published), g.now, MAX_AGE if again else None
    )
    return _unkept(
        render_template("providers/leaving.html", there=there, name=published.provider.name)
    )


def _way(key: str) -> Way | None:
    """Return the way that ends with this request, and forget it whatever follows."""
    state = request.args.get("state", "")
    if _SENT not in session or not 0 < len(state) <= _STATE_CHARACTERS:
        return None
    way = tables.arrive(db.session(), state, session[_SENT], key, g.now)
    # Before the provider is asked, which takes a while: others want to write.
    db.session.commit()
    return way


def _person(published: Published, way: Way) -> Vouched:
    """Return whom the provider vouches for.

    :raises ProviderError: nobody.
    """
    require_issuer(published, request.args, g.now)
    if "error" in request.args:
        # RFC 6749 section 4.1.2.1; access_denied when somebody pressed "No" over there.
        raise ProviderError("stopped", request.args["error"][:80])
    code = request.args.get("code", "")
    return vouched(published, code, way, _redirect_uri(published), g.now)


def _come_in(published: Published, way: Way, person: Vouched) -> AnyResponse:
    guest = recognise(db.session(), person, g.now)
    if not may_come_in(guest):
        raise NotRecognisedError("unknown")
    remember(db.session(), guest, person, g.now)
    answer = come_in_vouched(guest, way.wanted, person.proved_at)
    if way.again and (person.proved_at is None or person.proved_at <= g.now - FRESH):
        flash(
            _(
                "%(name)s does not say that you showed just now who you are. For what cannot be "
                "undone, take the link by mail.",
                name=published.provider.name,
            )
        )
    return answer


def _link(published: Published, way: Way, person: Vouched) -> AnyResponse:
    mine = account()
    if mine is None or mine.id != way.account_id:
        # Signed out meanwhile, or in as somebody else: whose it would be is not clear.
        raise NotRecognisedError("late")
    link(db.session(), mine, person, g.now)
    db.session.commit()
    flash(_("Linked: next time, %(name)s lets you in.", name=published.provider.name))
    return redirect(url_for("sign_ins.show"), 303)


def _journal(published: Published, error: ProviderError, reason: str, way: Way) -> AnyResponse:
    if reason != "stopped":
        note(
            db.session(),
            g.now,
            "refusal",
            f"provider.{reason}",
            subject=published.provider.issuer,
            detail=f"{error.code}: {error}",
        )
        db.session.commit()
    return _refuse(published, reason, way)


def _refuse(published: Published, reason: str, way: Way | None = None) -> Response:
    """Say what happened and what to do; the other ways in are on the page it leads back to."""
    status = {"silent": 503, "late": 410}.get(reason, 403)
    linking = account() is not None and not (way is not None and way.again)
    return _unkept(
        page(
            "providers/refused.html",
            status=status,
            reason=reason,
            name=published.provider.name,
            wanted=way.wanted if way else "",
            linking=linking,
        )
    )


def _unkept(body: str | Response) -> Response:
    """Answer with a page that nobody keeps: it follows an address with secrets in it."""
    answer = make_response(body)
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _redirect_uri(published: Published) -> str:
    """Return where the provider sends people back: our own address, whatever Host says.

    One for each provider (RFC 9700 section 4.4.2.2).
    """
    path = url_for("providers.come_back", key=published.provider.key)
    return str(g.space.url + path.removeprefix(request.script_root))


def _published() -> dict[str, Published]:
    found: dict[str, Published] = current_app.extensions["providers"]
    return found


def _named(key: str) -> Published:
    return _published().get(key) or abort(404)
