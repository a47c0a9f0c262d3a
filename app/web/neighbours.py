"""Admins and the spaces next door: who knocks, who shares a wall, how the exchange goes.

Every decision is a noun with its own address, works without JavaScript, and is refused with 409
when it no longer makes sense. Nothing is approved without the words having been compared, and the
key whose words were shown is the key that is approved.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, abort, current_app, flash, g, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from app.database import db
from app.exchange import peers
from app.exchange.identity import Identity
from app.models.peer import Peer
from app.web import forms, neighbour_rows, peering_words, rates
from app.web.access import account, admins, freshly, signed_in
from app.web.pages import changed, page, wants_part
from federation.limits import NOTE_CHARACTERS

bp = Blueprint("neighbours", __name__)

#: Knocking makes this computer call another one: a typing error is forgiven, a scan is not.
KNOCKS = "30 per hour"

TEMPLATE = "neighbours/show.html"

Decision = Callable[[Session, Peer, Identity, datetime, str], None]


@bp.app_template_global()
def knocking() -> int:
    """Return how many spaces wait for an admin's answer; 0 for everybody else."""
    person = account()
    if person is None or not person.is_admin:
        return 0
    waiting = db.select(db.func.count(Peer.id)).where(Peer.ours.in_(("requested", "key_hold")))
    return db.session.scalar(waiting) or 0


bp.add_app_template_filter(peering_words.soon, "soon")


@bp.get("/neighbours")
@admins
def show() -> Response:
    return page(TEMPLATE, "doors", **_doors())


@bp.post("/neighbours")
@admins
def create() -> AnyResponse:
    """Knock on a door; the caller waits while the other space is asked for its card."""
    address = forms.line(request.form.get("address", ""))
    note = forms.paragraphs(request.form.get("note", ""))
    rates.count("knock", signed_in().ref, KNOCKS)
    try:
        peer = peers.knock(
            db.session(),
            address,
            _identity(),
            current_app.extensions["transport"],
            note[:NOTE_CHARACTERS],
            g.now,
            signed_in().ref,
        )
    except peers.PeeringError as error:
        db.session.rollback()
        return page(
            TEMPLATE,
            status=422,
            **_doors(address=address, note=note, mistake=peering_words.refusal(error)),
        )
    db.session.commit()
    flash(
        _(
            "You knocked at %(space)s. Call them and compare the words; they have to say yes too.",
            space=peer.name or peer.url,
        )
    )
    return redirect(url_for("neighbours.show"), 303)


@bp.post("/neighbours/<ref>/approval")
@admins
@freshly
def create_approval(ref: str) -> AnyResponse:
    peer = _peer(ref)
    if "compared" not in request.form:
        return page(
            TEMPLATE,
            "doors",
            422,
            **_doors(unanswered={ref: _("Compare the words first, then tick this box.")}),
        )
    if request.form.get("kid", "") != peer.kid_to_compare:
        # The key changed while the page was open: other words than the ones that were compared.
        return _no_longer(_("Its key has changed meanwhile. Compare the new words."))
    if peer.ours == "key_hold":
        said = _("The new key of %(space)s is confirmed.", space=_name(peer))
        return _decide(peer, peers.confirm_key, said)
    return _decide(peer, peers.approve, _("%(space)s is approved.", space=_name(peer)))


@bp.post("/neighbours/<ref>/refusal")
@admins
def create_refusal(ref: str) -> AnyResponse:
    peer = _peer(ref)
    return _decide(peer, peers.decline, _("You declined %(space)s.", space=_name(peer)))


@bp.post("/neighbours/<ref>/suspension")
@admins
def create_suspension(ref: str) -> AnyResponse:
    peer = _peer(ref)
    return _decide(
        peer, peers.suspend, _("%(space)s is suspended: its people are hidden.", space=_name(peer))
    )


@bp.post("/neighbours/<ref>/resumption")
@admins
@freshly
def create_resumption(ref: str) -> AnyResponse:
    peer = _peer(ref)
    return _decide(peer, peers.resume, _("%(space)s is back.", space=_name(peer)))


@bp.post("/neighbours/<ref>/ending")
@admins
@freshly
def create_ending(ref: str) -> AnyResponse:
    peer = _peer(ref)
    return _decide(
        peer,
        peers.end,
        _("%(space)s is no neighbour any more; its copy is deleted.", space=_name(peer)),
    )


@bp.post("/neighbours/<ref>/block")
@admins
@freshly
def create_block(ref: str) -> AnyResponse:
    peer = _peer(ref)
    return _decide(peer, peers.block, _("%(space)s is blocked.", space=_name(peer)))


@bp.post("/neighbours/<ref>/unblock")
@admins
@freshly
def create_unblock(ref: str) -> AnyResponse:
    peer = _peer(ref)
    return _decide(
        peer, peers.unblock, _("%(space)s is heard again, but is no neighbour.", space=_name(peer))
    )


@bp.post("/neighbours/<ref>/pull")
@admins
def create_pull(ref: str) -> AnyResponse:
    peer = _peer(ref)
    if peer.ours == "key_hold":
        peers.look_again(db.session(), peer, g.now)
        return _done(_("The door of %(space)s is looked at.", space=_name(peer)))
    if not peer.active:
        return _no_longer(_("Only active neighbours can be asked."))
    peers.pull_soon(db.session(), peer, g.now)
    return _done(_("%(space)s is asked within a few seconds.", space=_name(peer)))


@bp.post("/neighbours/<ref>/deletions")
@admins
@freshly
def create_deletions(ref: str) -> AnyResponse:
    """Agree that many of a neighbour's records disappear at once."""
    peer = _peer(ref)
    try:
        peers.accept_drop(db.session(), peer, g.now, signed_in().ref)
    except peers.PeeringError as error:
        return _no_longer(peering_words.refusal(error))
    return _done(_("The copy of %(space)s is brought up to date.", space=_name(peer)))


def _decide(peer: Peer, decision: Decision, said: str) -> AnyResponse:
    try:
        decision(db.session(), peer, _identity(), g.now, signed_in().ref)
    except peers.PeeringError as error:
        return _no_longer(peering_words.refusal(error))
    return _done(said)


def _done(said: str) -> AnyResponse:
    db.session.commit()
    answer = changed(url_for("neighbours.show"), TEMPLATE, "doors", **_doors(said=said))
    if answer.status_code == 303:
        flash(said)
    return answer


def _no_longer(problem: str) -> Response:
    """Refuse a decision that does not fit where the peering stands, and show where it stands."""
    db.session.rollback()
    return page(TEMPLATE, "doors", 409, **_doors(problem=problem))


def _doors(**said: Any) -> dict[str, Any]:
    """Return all that the page shows, and ``said``."""
    # Whoever forgot to tick the box sees the words again beside it.
    compare = next(iter(said.get("unanswered", ())), "")
    return {
        **neighbour_rows.doors(_identity(), compare),
        "unanswered": {},
        "out_of_band": request.method == "POST" and wants_part(),
        "said": "",
        "problem": "",
        "address": "",
        "note": "",
        "mistake": "",
        **said,
    }


def _peer(ref: str) -> Peer:
    found = db.session.scalars(select(Peer).filter_by(ref=ref)).one_or_none()
    if found is None:
        abort(404)
    return found


def _name(peer: Peer) -> str:
    return peer.name or peer.url


def _identity() -> Identity:
    identity: Identity = current_app.extensions["identity"]
    return identity
