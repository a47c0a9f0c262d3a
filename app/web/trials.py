"""Testing a neighbour: an admin asks for it, a worker does it, this page says what was found.

Pages never visit other spaces themselves; the page looks again by itself until the report is there,
and a link does the same without JavaScript.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, abort, g, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from app.database import db
from app.exchange import trial
from app.exchange.trial import FAILED, UNTRIED, Step
from app.models.peer import Peer
from app.models.watch import Trial
from app.web import rates, troubles
from app.web.access import admins, signed_in
from app.web.pages import changed, page

bp = Blueprint("trials", __name__)

#: A test asks another space about ten times: enough to repair something, too little to pester.
TRIALS = "20 per hour"

#: A worker takes the job within a second; after this, one may not be running.
PATIENCE = timedelta(seconds=30)

TEMPLATE = "neighbours/trial.html"


@dataclass(frozen=True, slots=True)
class Line:
    """One step of the report, in words."""

    verdict: str
    said: str
    why: str = ""
    to_do: str = ""


@bp.get("/neighbours/<ref>/trial")
@admins
def show(ref: str) -> Response:
    peer = _peer(ref)
    return page(TEMPLATE, "report", **_report(peer))


@bp.post("/neighbours/<ref>/trial")
@admins
def create(ref: str) -> AnyResponse:
    """Let a worker test the neighbour; the report follows."""
    peer = _peer(ref)
    if peer.ours not in trial.TESTABLE:
        abort(409)
    rates.count("trial", signed_in().ref, TRIALS)
    trial.ask(db.session(), peer, g.now)
    db.session.commit()
    return changed(url_for("trials.show", ref=ref), TEMPLATE, "report", **_report(peer))


def _report(peer: Peer) -> dict[str, Any]:
    found = trial.report(db.session(), peer)
    lines = [line(step) for step in trial.steps_of(found)] if found is not None else []
    waits = found is not None and found.done_at is None
    return {
        "peer": peer,
        "found": found,
        "lines": lines,
        "waits": waits,
        "overdue": waits and found is not None and g.now - found.asked_at > PATIENCE,
        "conclusion": _conclusion(peer, found),
    }


def _conclusion(peer: Peer, found: Trial | None) -> str:
    """Return in one sentence what came out; empty while nothing did."""
    if found is None or found.done_at is None:
        return ""
    failed = [step for step in trial.steps_of(found) if step.verdict == FAILED]
    name = peer.name or peer.url
    if not failed:
        return str(_("%(space)s passed the test.", space=name))
    return str(
        _("%(space)s fails at: %(step)s.", space=name, step=_names().get(failed[0].name, ""))
    )


def line(step: Step) -> Line:
    """Return ``step`` in words, with what to do when it failed."""
    said = _names().get(step.name, step.name)
    if step.verdict == FAILED:
        found = troubles.meaning(step.code, step.detail)
        return Line(step.verdict, said, found.said, found.to_do)
    if step.verdict == UNTRIED:
        return Line(step.verdict, said, _untried().get(step.code, step.code))
    return Line(step.verdict, said)


def _names() -> dict[str, str]:
    return {
        "address": _("its address is one that a space can have"),
        "name": _("its name leads to a public machine"),
        "connection": _("it answers, with a good certificate"),
        "door": _("its door plate is signed with the key that you compared"),
        "keys": _("it publishes the keys with which it signed what we hold"),
        "authorisation": _("it lets us in"),
        "feed": _("it gives its list, and every profile in it is signed"),
        "checkpoint": _("what it signed about its list follows what it signed before"),
        "root": _("our copy is exactly its list"),
        "notice": _("it hears that something changed here"),
        "receipt": _("it takes our confirmation"),
    }


def _untried() -> dict[str, str]:
    return {
        "needs-earlier": _("Not tried, because it needs an earlier step."),
        "plain-files": _("Not tried: the space is plain files, and nobody hears anything there."),
        "no-checkpoint": _("Not tried: it has signed nothing about its list yet."),
        "still-to-read": _("Not tried: there is something new to read first."),
        "nothing-to-confirm": _("Not tried: there is nothing to confirm yet."),
    }


def _peer(ref: str) -> Peer:
    found = db.session.scalars(select(Peer).filter_by(ref=ref)).one_or_none()
    if found is None:
        abort(404)
    return found
