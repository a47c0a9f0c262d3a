"""Telling a member by mail that somebody wrote: sent by the worker, in the member's language.

The letter carries neither the other person's address nor a way to answer but the link, and, where
the operator has an address for answers, one that leads into this conversation. It can be stopped
with one click and no sign-in (RFC 8058): whoever has such a letter may stop these letters, and
nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, Flask, Response, abort, current_app, g, render_template, url_for
from flask_babel import gettext as _
from flask_mailman import EmailMessage
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import db
from app.exchange import mail_answers
from app.exchange.mail_text import MARK
from app.models.account import Account
from app.models.conversation import TALKING, WAITING, Conversation
from app.web import mail
from app.web.access import anyone, may_come_in
from app.web.pages import page
from app.web.writing_desk import hand_over, writing_to

bp = Blueprint("letters", __name__)


def mailer(app: Flask) -> Callable[[Session, str, datetime], str]:
    """Return what sends the letter about a conversation, for the worker."""

    def tell(session: Session, reference: str, now: datetime) -> str:
        found = session.scalars(select(Conversation).filter_by(ref=reference)).one_or_none()
        account = None if found is None else found.member.account
        if found is None or account is None or not account.letters or not may_come_in(account):
            return "nobody to tell"
        news = [message for message in found.messages if not message.mine]
        if not news:
            return "nothing to tell"
        with writing_to(app, session, account, now):
            letter = _letter(found, account, news[-1].text, news[-1].act)
            hand_over(session, letter)
        return "told"

    return tell


@bp.get("/letters/<proof>/stop")
@anyone
def show(proof: str) -> Response:
    """Ask whether to stop; a scanner that opens every link stops nothing."""
    return page("letters/stop.html", stopped=not _account(proof).letters)


@bp.post("/letters/<proof>/stop")
@anyone
def create(proof: str) -> Response:
    """Stop the letters: from our page, or from a mail program that knows no page."""
    account = _account(proof)
    account.letters = False
    db.session.commit()
    return page("letters/stop.html", stopped=True)


def stop_link(account: Account) -> tuple[str, dict[str, str]]:
    """Return the address that stops letters to ``account``, and the headers that say it.

    One click is enough for programs (RFC 8058); people are asked once more.
    """
    address = g.space.url + url_for("letters.show", proof=_proofs().dumps(account.ref))
    headers = {
        "List-Unsubscribe": f"<{address}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    return address, headers


def _letter(found: Conversation, account: Account, text: str, act: str) -> EmailMessage:
    link = g.space.url + url_for("introductions.show", ref=found.ref)
    ending, stopping = stop_link(account)
    answered_to = _answered_to(found)
    name, first = found.other_name, not found.mine and len(found.messages) == 1
    subject = (
        _("%(name)s asks you something", name=name)
        if first
        else _("%(name)s wrote to you", name=name)
    )
    body = render_template(
        "mail/introduction.txt",
        conversation=found,
        text=text,
        act=act,
        first=first,
        link=link,
        ending=ending,
        me=found.member,
        above=MARK if answered_to else "",
    )
    answering = {"Reply-To": answered_to} if answered_to else {}
    return mail.letter(account.email, subject, body, stopping | answering)


def _answered_to(found: Conversation) -> str:
    """Return the address for answers by mail, empty when there is none, or nothing to answer."""
    pattern = current_app.config["REPLY_ADDRESS"]
    if not pattern or found.state not in (WAITING, TALKING):
        return ""
    return mail_answers.address_of(found, pattern, current_app.config["SECRET_KEY"])


def _account(proof: str) -> Account:
    try:
        ref = _proofs().loads(proof)
    except BadSignature:
        abort(404)
    account: Account = db.one_or_404(select(Account).filter_by(ref=ref))
    return account


def _proofs() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="letters")
