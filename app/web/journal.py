"""What was decided and what was refused, for the admins who have to answer for it."""

from __future__ import annotations

from flask import Blueprint, Response
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.database import db
from app.models.account import Account
from app.models.journal import JournalEntry
from app.web import peering_words
from app.web.access import admins
from app.web.pages import page

bp = Blueprint("journal", __name__)

#: Lines on the page; older ones stay in the database.
LINES = 100


@bp.get("/journal")
@admins
def show() -> Response:
    entries = db.session.scalars(
        select(JournalEntry)
        .options(joinedload(JournalEntry.peer))
        .order_by(JournalEntry.at.desc(), JournalEntry.id.desc())
        .limit(LINES)
    ).all()
    return page(
        "journal/show.html",
        entries=entries,
        actors=_actors({entry.actor for entry in entries}),
        happened=peering_words.happened,
        most=LINES,
    )


def _actors(refs: set[str]) -> dict[str, str]:
    """Return the names of the accounts that decided; commands and the worker name themselves."""
    accounts = db.session.scalars(
        select(Account).options(joinedload(Account.member)).where(Account.ref.in_(refs))
    )
    return {
        account.ref: account.member.name if account.member else account.email
        for account in accounts
    }
