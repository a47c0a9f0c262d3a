"""What was decided and what was refused, for the admins who have to answer for it."""

from __future__ import annotations

from flask import Blueprint, Response, abort, request
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.database import db
from app.models.account import Account
from app.models.journal import JournalEntry
from app.models.peer import Peer
from app.web import peering_words
from app.web.access import admins
from app.web.pages import page

bp = Blueprint("journal", __name__)

#: Lines on the page; older ones stay in the database.
LINES = 100


@bp.get("/journal")
@admins
def show() -> Response:
    """Show the newest lines, or those about one neighbour."""
    about = _neighbour(request.args.get("neighbour", ""))
    lines = select(JournalEntry).options(joinedload(JournalEntry.peer))
    if about is not None:
        lines = lines.where(JournalEntry.peer_id == about.id)
    entries = db.session.scalars(
        lines.order_by(JournalEntry.at.desc(), JournalEntry.id.desc()).limit(LINES)
    ).all()
    return page(
        "journal/show.html",
        entries=entries,
        about=about,
        actors=_actors({entry.actor for entry in entries}),
        happened=peering_words.happened,
        most=LINES,
    )


@bp.get("/journal/<int:number>/evidence")
@admins
def show_evidence(number: int) -> Response:
    """Give the refused documents as they came, each on a line, to show to whoever signed them."""
    entry = db.session.get(JournalEntry, number)
    if entry is None or not entry.evidence:
        abort(404)
    answer = Response(entry.evidence, content_type="text/plain; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="journal-{number}.txt"'
    return answer


def _neighbour(ref: str) -> Peer | None:
    if not ref:
        return None
    found = db.session.scalars(select(Peer).filter_by(ref=ref)).one_or_none()
    if found is None:
        abort(404)
    return found


def _actors(refs: set[str]) -> dict[str, str]:
    """Return the names of the accounts that decided; commands and the worker name themselves."""
    accounts = db.session.scalars(
        select(Account).options(joinedload(Account.member)).where(Account.ref.in_(refs))
    )
    return {
        account.ref: account.member.name if account.member else account.email
        for account in accounts
    }
