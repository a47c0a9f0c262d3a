"""Asking somebody a question or for a quote, here or across the wall, and going on from there.

Neither address is shown before both people have pressed the button that says so. Whether the
other person is there, has read it, or does not want to, this page does not know.
"""

from __future__ import annotations

from flask import Blueprint, Response, abort, current_app, flash, g, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import selectinload
from werkzeug.wrappers import Response as AnyResponse

from app.database import db
from app.exchange import conversations, entities, silences
from app.exchange.contacts import TooManyContactsError
from app.exchange.conversations import (
    QUESTION,
    QUOTE,
    NoConversationError,
    Recipient,
    Request,
)
from app.exchange.correspondence import CARRIED_FOR
from app.exchange.describing import subject_of
from app.exchange.identity import Identity
from app.models.conversation import CLOSE, DECLINE, SAY, SHARE, WAITING, Conversation
from app.models.member import Member
from app.models.peer import MirroredProfile
from app.models.scope import seen_by
from app.search.cards import Card, card_of_member, card_of_mirrored
from app.search.translations import for_reader
from app.web import forms, rates, words
from app.web.access import account, members, reader, signed_in
from app.web.languages import ranges
from app.web.letter_form import Letter
from app.web.pages import page
from app.web.profile import mirrored_profile
from federation import limits

bp = Blueprint("introductions", __name__)

#: Letters of one person; a conversation is quicker by telephone.
LETTERS = "60 per hour"

#: Conversations on the page.
SHOWN = 100


@bp.app_template_global()
def asked_for_answers() -> int:
    """Return how many people wait for an answer of whoever is signed in."""
    person = account()
    if person is None or person.member_id is None:
        return 0
    waiting = (
        select(func.count(Conversation.id))
        .filter_by(member_id=person.member_id, mine=False, state=WAITING)
        .where(Conversation.other.not_in(silences.muted(person.member_id)))
    )
    return db.session.scalar(waiting) or 0


@bp.app_template_global()
def can_be_asked(card: Card, profile: MirroredProfile | None) -> bool:
    """Say whether the person on ``card`` can be written to from here."""
    if not card.services or not card.doors:
        return False
    if profile is None:
        return True
    peer = profile.peer
    return bool(peer.entity_jws and entities.stored_configuration(peer).endpoints.intro)


@bp.get("/introductions")
@members
def index() -> Response:
    return _page(None)


@bp.post("/introductions/letters")
@members
def update_letters() -> AnyResponse:
    """Tell by mail again who writes; stopping that is a link in each such letter."""
    signed_in().letters = True
    db.session.commit()
    flash(_("You are told by mail again when somebody writes to you."))
    return redirect(url_for("introductions.index"), 303)


@bp.get("/introductions/<ref>")
@members
def show(ref: str) -> Response:
    return _page(own_conversation(ref))


@bp.post("/introductions/<ref>")
@members
def update(ref: str) -> AnyResponse:
    """Say something, agree to exchange addresses, decline, end it, or hear no more."""
    conversation = own_conversation(ref)
    act = request.form.get("do", SAY)
    text = forms.paragraphs(request.form.get("text", "")).strip()
    if act not in (SAY, DECLINE, SHARE, CLOSE, "silence"):
        abort(400)
    problem = ""
    if act == SAY and not text:
        problem = _("Write something first.")
    elif len(text) > limits.LETTER_CHARACTERS:
        problem = _(
            "That is %(count)s characters; %(most)s fit.",
            count=len(text),
            most=limits.LETTER_CHARACTERS,
        )
    if problem:
        return _page(conversation, text, problem, 422)
    rates.count("letter", signed_in().ref, LETTERS)
    try:
        if act == "silence":
            conversations.silence(db.session(), conversation, g.now)
        else:
            # What was typed goes along, whichever button was pressed.
            conversations.say(db.session(), conversation, act, text, _identity(), g.now)
    except NoConversationError:
        db.session.rollback()
        return _page(
            own_conversation(ref),
            text,
            _("This conversation is over. Ask again on their page."),
            409,
        )
    db.session.commit()
    flash(_done(act, conversation))
    return redirect(url_for("introductions.show", ref=ref, _anchor="thread"), 303)


@bp.get("/m/<ref>/ask")
@members
def new(ref: str) -> Response:
    return _ask(_neighbour_at_the_next_desk(ref))


@bp.post("/m/<ref>/ask")
@members
def create(ref: str) -> AnyResponse:
    member = _neighbour_at_the_next_desk(ref)
    card = card_of_member(member, g.space, g.now.date(), reader())
    here = Recipient(
        subject_of(member, _identity()), card.name, card.headline, g.space.name, None, card.locale
    )
    return _send(card, here, member, None)


@bp.get("/n/<peer_ref>/<ref>/ask")
@members
def new_across(peer_ref: str, ref: str) -> Response:
    return _ask(mirrored_profile(peer_ref, ref))


@bp.post("/n/<peer_ref>/<ref>/ask")
@members
def create_across(peer_ref: str, ref: str) -> AnyResponse:
    profile = mirrored_profile(peer_ref, ref)
    card = card_of_mirrored(profile, g.now)
    there = Recipient(
        profile.subject, card.name, card.headline, profile.peer.name, profile.peer, card.locale
    )
    return _send(card, there, None, profile)


def _send(
    card: Card, recipient: Recipient, member: Member | None, profile: MirroredProfile | None
) -> AnyResponse:
    letter = Letter.read(card)
    me = signed_in().member
    if me is None or recipient.subject == subject_of(me, _identity()):
        abort(403)
    if not can_be_asked(card, profile):
        abort(404)
    if not letter.judge(card):
        return _form(card, member, profile, letter, 422)
    rates.count("letter", signed_in().ref, LETTERS)
    talking = conversations.open_with(db.session(), me, recipient)
    if card.closed_until is not None and talking is None:
        letter.errors["text"] = _(
            "%(name)s takes no requests until %(day)s. What you typed is kept here.",
            name=card.name,
            day=words.day(card.closed_until),
        )
        return _form(card, member, profile, letter, 409)
    try:
        if talking is not None:
            conversations.say(db.session(), talking, SAY, letter.whole, _identity(), g.now)
        else:
            wanted = Request(
                letter.kind, letter.text, letter.service, _title(card, letter.service),
                letter.timing, letter.budget,
            )  # fmt: skip
            talking = conversations.ask(db.session(), me, recipient, wanted, _identity(), g.now)
    except TooManyContactsError as error:
        db.session.rollback()
        letter.errors["text"] = _(
            "You wrote to five new people within a day; that is enough to be read with care. "
            "What you typed is kept here: send it after %(time)s.",
            time=words.clock(error.again_at),
        )
        return _form(card, member, profile, letter, 429)
    db.session.commit()
    flash(
        _(
            "On its way to %(name)s. You are told here, and by mail, when there is an answer.",
            name=recipient.name,
        )
    )
    return redirect(url_for("introductions.show", ref=talking.ref, _anchor="thread"), 303)


def _ask(found: Member | MirroredProfile) -> Response:
    member = found if isinstance(found, Member) else None
    profile = found if isinstance(found, MirroredProfile) else None
    card = (
        card_of_member(member, g.space, g.now.date(), reader())
        if member is not None
        else card_of_mirrored(found, g.now)  # type: ignore[arg-type]  # one of the two it is
    )
    card = for_reader(card, ranges())
    wanted_kind = QUOTE if request.args.get("kind") == QUOTE else QUESTION
    kind = wanted_kind if wanted_kind in card.doors else next(iter(card.doors), wanted_kind)
    wanted = request.args.get("service", "") or (card.services[0].ref if card.services else "")
    if not can_be_asked(card, profile):
        abort(404)
    return _form(card, member, profile, Letter(kind, service=wanted))


def _form(
    card: Card,
    member: Member | None,
    profile: MirroredProfile | None,
    letter: Letter,
    status: int = 200,
) -> Response:
    return page(
        "introductions/ask.html",
        status=status,
        card=card,
        member=member,
        profile=profile,
        letter=letter,
        me=signed_in().member,
    )


def _title(card: Card, ref: str) -> str:
    return next(one.title for one in card.services if one.ref == ref)


def _neighbour_at_the_next_desk(ref: str) -> Member:
    member: Member = db.one_or_404(select(Member).where(Member.ref == ref, seen_by(reader())))
    return member


def own_conversation(ref: str) -> Conversation:
    """Return one of the reader's own conversations; those of others do not exist (404)."""
    found: Conversation = db.one_or_404(
        select(Conversation)
        .filter_by(ref=ref, member_id=signed_in().member_id or 0)
        .options(selectinload(Conversation.messages))
    )
    return found


def _page(
    conversation: Conversation | None, text: str = "", problem: str = "", status: int = 200
) -> Response:
    mine = (
        select(Conversation)
        .filter_by(member_id=signed_in().member_id or 0)
        .options(selectinload(Conversation.messages))
        .order_by(Conversation.updated_at.desc(), Conversation.id.desc())
        .limit(SHOWN)
    )
    everything = db.session.scalars(mine).all()
    return page(
        "introductions/show.html",
        "thread",
        status,
        asked=[one for one in everything if not one.mine and one.state == WAITING],
        talks=[one for one in everything if one.mine or one.state != WAITING],
        chosen=conversation,
        typed=text,
        problem=problem,
        most=limits.LETTER_CHARACTERS,
        local=lambda one: conversations.is_local(one, _identity()),
        stuck=lambda one: conversations.is_stuck(one, _identity()),
        carried_for=CARRIED_FOR,
    )


def _done(act: str, conversation: Conversation) -> str:
    name = conversation.other_name
    both = conversation.they_share_at is not None
    said = {
        SAY: _("Sent."),
        DECLINE: _("%(name)s is told kindly that it does not fit this time.", name=name),
        SHARE: _("You both agreed: here are your addresses.")
        if both
        else _("If %(name)s agrees too, you see each other’s address.", name=name),
        CLOSE: _("The conversation is over."),
        "silence": _("You will not hear from %(name)s any more. They are not told.", name=name),
    }
    return str(said[act])


def _identity() -> Identity:
    identity: Identity = current_app.extensions["identity"]
    return identity
