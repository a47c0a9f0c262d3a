"""Answering with a quote: a dated text with the member's own rate, written into the conversation.

It is a text between two people, and the space takes nothing of it and keeps no account: what they
agree on is theirs. There is no PDF of it yet.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from flask import Blueprint, Response, current_app, flash, g, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from app.database import db
from app.exchange import conversations
from app.exchange.conversations import NoConversationError
from app.exchange.identity import Identity
from app.models.conversation import SAY, TALKING, WAITING, Conversation
from app.models.member import PAID, Member, Service
from app.web import forms, rates, words
from app.web.access import members, signed_in
from app.web.forms import Mistake
from app.web.introductions import LETTERS, own_conversation
from app.web.letter_form import too_long
from app.web.pages import page
from federation import limits

bp = Blueprint("quoting", __name__)


@dataclass(slots=True)
class Quote:
    """What was typed, kept as it was."""

    title: str = ""
    price: str = ""
    until: str = ""
    words: str = ""
    day: date | None = None
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, member: Member, conversation: Conversation, today: date) -> Quote:
        """Return the quote that the member's own words and rate make: theirs to change."""
        offered = [one for one in member.services if one.title == conversation.service_title]
        service = next(iter(offered or member.services), None)
        if service is None:
            return cls()
        return cls(title=service.title, price=_price(service, today))

    @classmethod
    def read(cls) -> Quote:
        """Read what the request brings."""
        given = request.form
        return cls(
            forms.line(given.get("title", "")),
            forms.line(given.get("price", "")),
            given.get("until", "").strip(),
            forms.paragraphs(given.get("words", "")).strip(),
        )

    def judge(self, today: date) -> bool:
        """Say whether it can be sent; otherwise ``errors`` says what to do."""
        for name in ("title", "price"):
            if not getattr(self, name):
                self.errors[name] = _("Write what it is, and what it costs.")
            elif len(getattr(self, name)) > limits.LINE_CHARACTERS:
                self.errors[name] = _("Keep it to one line.")
        try:
            self.day = forms.day(self.until)
        except Mistake as mistake:
            self.errors["until"] = str(mistake)
        if self.day is not None and self.day < today:
            self.errors["until"] = _("This day has passed. Choose a later one.")
        if not self.errors and (spare := len(self.text(today)) - limits.LETTER_CHARACTERS) > 0:
            self.errors["words"] = too_long(spare)
        return not self.errors

    def text(self, today: date) -> str:
        """Return the quote as it is sent."""
        lines = [
            _("Quote of %(day)s", day=words.day(today)),
            f"{self.title}: {self.price}",
        ]
        if self.day is not None:
            lines.append(_("It holds until %(day)s.", day=words.day(self.day)))
        return "\n".join([*lines, self.words]).strip()


def _price(service: Service, today: date) -> str:
    """Return what a coworker pays for ``service``, as the page says it; empty on request."""
    holds = service.valid_until is None or service.valid_until >= today
    rate = service.coworker_rate if service.coworker_rate is not None else service.rate
    if service.mode != PAID or rate is None or not holds:
        return ""
    return words.rate(rate, service.currency, service.unit)


@bp.get("/introductions/<ref>/quote")
@members
def new(ref: str) -> AnyResponse:
    """Show the quote that would be sent."""
    conversation = own_conversation(ref)
    if conversation.state not in (WAITING, TALKING):
        return redirect(url_for("introductions.show", ref=ref, _anchor="thread"), 303)
    return _page(conversation, Quote.of(conversation.member, conversation, g.now.date()))


@bp.post("/introductions/<ref>/quote")
@members
def create(ref: str) -> AnyResponse:
    """Say it in the conversation, dated today."""
    conversation, quote = own_conversation(ref), Quote.read()
    if not quote.judge(g.now.date()):
        return _page(conversation, quote, 422)
    rates.count("letter", signed_in().ref, LETTERS)
    identity: Identity = current_app.extensions["identity"]
    try:
        conversations.say(
            db.session(), conversation, SAY, quote.text(g.now.date()), identity, g.now
        )
    except NoConversationError:
        db.session.rollback()
        quote.errors["words"] = _("This conversation is over.")
        return _page(own_conversation(ref), quote, 409)
    db.session.commit()
    flash(_("Sent."))
    return redirect(url_for("introductions.show", ref=ref, _anchor="thread"), 303)


def _page(conversation: Conversation, quote: Quote, status: int = 200) -> Response:
    return page(
        "introductions/quote.html", status=status, chosen=conversation, quote=quote,
        errors=quote.errors,
    )  # fmt: skip
