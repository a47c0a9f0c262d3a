"""Passing a request on: choosing a colleague, and, on the other side, letting it go to them.

The asker sees the colleague as their own space shows them, or is told that it does not know them.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, current_app, flash, g, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from app.database import db
from app.exchange import conversations, passing
from app.exchange.conversations import NoConversationError, Recipient
from app.exchange.identity import Identity
from app.exchange.passing import NobodyToAskError
from app.models.conversation import TALKING, WAITING, Conversation
from app.models.member import Member
from app.models.peer import MirroredProfile
from app.models.scope import Reader, seen_by, visible_mirrored
from app.search.cards import Card, card_of_member, card_of_mirrored
from app.search.find import find
from app.search.query import Query
from app.search.translations import for_reader, written_first
from app.web import forms, rates
from app.web.access import members, signed_in
from app.web.introductions import LETTERS, can_be_asked, own_conversation
from app.web.languages import ranges
from app.web.letter_form import Letter, too_long
from app.web.pages import page
from federation import limits

bp = Blueprint("passing", __name__)

#: People offered at once; whoever looks for another types a word.
OFFERED = 12


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody whom a request may go to, as the reader sees them."""

    card: Card
    found: Member | MirroredProfile

    @property
    def recipient(self) -> Recipient:
        """Return them as whoever is written to."""
        peer = self.found.peer if isinstance(self.found, MirroredProfile) else None
        # What is kept of them is what they wrote first, whoever reads it.
        card = written_first(self.card)
        return Recipient(card.subject, card.name, card.headline, card.space.name, peer, card.locale)


@bp.app_template_global()
def proposed_to(conversation: Conversation) -> Colleague | None:
    """Return who was proposed in ``conversation``, if this space shows them to its members."""
    return colleague(conversation.proposed)


@bp.app_template_global()
def may_ask(found: Colleague, conversation: Conversation) -> bool:
    """Say whether the request can go there now."""
    profile = found.found if isinstance(found.found, MirroredProfile) else None
    card = found.card
    there = can_be_asked(card, profile) and conversation.kind in card.doors
    return there and card.closed_until is None and passing.may_be_taken_up(conversation)


def colleague(subject: str) -> Colleague | None:
    """Return whoever has this subject, if a member may see them here."""
    space, _m, ref = subject.rpartition("/m/")
    if space == _identity().entity_id:
        member = db.session.scalars(
            select(Member).where(Member.ref == ref, seen_by(Reader.MEMBER))
        ).one_or_none()
        if member is None:
            return None
        card = card_of_member(member, g.space, g.now.date(), Reader.MEMBER)
        return Colleague(for_reader(card, ranges()), member)
    shown = visible_mirrored(Reader.MEMBER, g.now).where(MirroredProfile.subject == subject)
    profile = db.session.scalars(shown).one_or_none()
    if profile is None:
        return None
    return Colleague(for_reader(card_of_mirrored(profile, g.now), ranges()), profile)


@bp.get("/introductions/<ref>/passing")
@members
def new(ref: str) -> AnyResponse:
    """Show colleagues who may help instead."""
    conversation = own_conversation(ref)
    if conversation.mine or conversation.state not in (WAITING, TALKING):
        return redirect(url_for("introductions.show", ref=ref, _anchor="thread"), 303)
    return _page(conversation)


@bp.post("/introductions/<ref>/passing")
@members
def create(ref: str) -> AnyResponse:
    """Propose somebody instead, and say so to whoever asked: nothing goes to the colleague."""
    conversation = own_conversation(ref)
    why = forms.paragraphs(request.form.get("text", "")).strip()
    if (spare := len(why) - limits.LETTER_CHARACTERS) > 0:
        return _page(conversation, why, too_long(spare), 422)
    found = colleague(request.form.get("to", ""))
    if found is None or not passing.may_be_told_of(conversation, found.found):
        return _page(conversation, why, _("Choose somebody whom they may see."), 422)
    rates.count("letter", signed_in().ref, LETTERS)
    try:
        passing.propose(db.session(), conversation, found.card.subject, why, _identity(), g.now)
    except NobodyToAskError:
        db.session.rollback()
        return _page(own_conversation(ref), why, _("Choose somebody else than you two."), 422)
    except NoConversationError:
        db.session.rollback()
        return _page(own_conversation(ref), why, _("This conversation is over."), 409)
    db.session.commit()
    flash(
        _(
            "Proposed. %(asker)s decides whether %(name)s is asked; until then nothing is sent.",
            asker=conversation.other_name,
            name=found.card.name,
        )
    )
    return redirect(url_for("introductions.show", ref=ref, _anchor="thread"), 303)


@bp.post("/introductions/<ref>/passed")
@members
def update(ref: str) -> AnyResponse:
    """Let the own request go to whoever was proposed."""
    conversation = own_conversation(ref)
    found = colleague(conversation.proposed) if conversation.proposed else None
    if found is None or not may_ask(found, conversation):
        flash(_("They cannot be asked at the moment; nothing was sent."))
        return redirect(url_for("introductions.show", ref=ref, _anchor="thread"), 303)
    rates.count("letter", signed_in().ref, LETTERS)
    opened = passing.take_up(
        db.session(), conversation, found.recipient, _whole(conversation), _identity(), g.now
    )
    db.session.commit()
    flash(_("On its way to %(name)s.", name=found.card.name))
    return redirect(url_for("introductions.show", ref=opened.ref, _anchor="thread"), 303)


def _whole(conversation: Conversation) -> str:
    """Return the request as one text, and who passed it on, if that fits too."""
    asked = Letter(
        conversation.kind, conversation.messages[0].text,
        timing=conversation.timing, budget=conversation.budget,
    ).whole  # fmt: skip
    told = _("%(name)s proposed that I ask you.", name=conversation.other_name)
    both = f"{asked}\n{told}"
    return both if len(both) <= limits.LETTER_CHARACTERS else asked


def _page(
    conversation: Conversation, why: str = "", problem: str = "", status: int = 200
) -> Response:
    asked = request.args.get("q")
    words = forms.line(asked if asked is not None else conversation.service_title)
    offered = _offered(conversation, words)
    return page(
        "introductions/passing.html",
        status=status,
        chosen=conversation,
        words=words,
        # A service has a name of its own; whoever does the like may call it otherwise.
        offered=offered or (_offered(conversation, "") if asked is None else []),
        typed=why,
        problem=problem,
        most=limits.LETTER_CHARACTERS,
        local=conversations.is_local(conversation, _identity()),
    )


def _offered(conversation: Conversation, words: str) -> list[Colleague]:
    query = Query.from_args({"q": words, "scope": "everywhere"})
    found = find(
        db.session(), query, Reader.MEMBER, g.space, g.now, limit=OFFERED + 2, ranges=ranges()
    )
    hits = found.hits
    own = _identity().space.subject(conversation.member.ref)
    others = [hit.card.subject for hit in hits if hit.card.services and hit.card.doors]
    people = [colleague(one) for one in others if one not in (own, conversation.other)]
    return [
        one for one in people if one is not None and passing.may_be_told_of(conversation, one.found)
    ][:OFFERED]


def _identity() -> Identity:
    identity: Identity = current_app.extensions["identity"]
    return identity
