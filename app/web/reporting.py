"""Reporting a profile or a conversation to the admins of this space: one field is enough.

The profile goes along as it stands, so that it cannot be changed before somebody looks; what was
written in a conversation goes along only when whoever reports it says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from flask import Blueprint, Response, abort, current_app, flash, g, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import selectinload
from werkzeug.wrappers import Response as AnyResponse

from app.database import db
from app.exchange.describing import subject_of
from app.exchange.identity import Identity
from app.members import moderation, reporting
from app.members.moderation import Person
from app.members.reporting import Reported
from app.models.conversation import Conversation
from app.models.member import Member
from app.models.report import CONVERSATION, KINDS, TEXT_CHARACTERS
from app.models.scope import seen_by
from app.search.cards import card_of_member, card_of_mirrored
from app.web import forms, rates
from app.web.access import members, reader, signed_in
from app.web.pages import page
from app.web.profile import mirrored_profile

bp = Blueprint("reporting", __name__)

#: Reports of one person; a space in which more is wrong needs a conversation.
REPORTS = "20 per day"


@dataclass(slots=True)
class Word:
    """What was typed, kept as it was."""

    text: str = ""
    kind: str = ""
    attach: bool = False
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls) -> Word:
        given = request.form
        kind = given.get("kind", "")
        return cls(
            forms.paragraphs(given.get("text", "")).strip(),
            kind if kind in KINDS else "",
            "attach" in given,
        )

    def judge(self) -> bool:
        """Say whether it can be sent; otherwise ``errors`` says why not."""
        if not self.text:
            self.errors["text"] = _("Say in a sentence what is wrong.")
        elif len(self.text) > TEXT_CHARACTERS:
            self.errors["text"] = _(
                "That is %(count)s characters; %(most)s fit.",
                count=len(self.text),
                most=TEXT_CHARACTERS,
            )
        return not self.errors


@bp.get("/m/<ref>/report")
@members
def new(ref: str) -> Response:
    return _form(_member(ref), Word())


@bp.post("/m/<ref>/report")
@members
def create(ref: str) -> AnyResponse:
    return _send(_member(ref))


@bp.get("/n/<peer_ref>/<ref>/report")
@members
def new_across(peer_ref: str, ref: str) -> Response:
    return _form(_neighbour(peer_ref, ref), Word())


@bp.post("/n/<peer_ref>/<ref>/report")
@members
def create_across(peer_ref: str, ref: str) -> AnyResponse:
    return _send(_neighbour(peer_ref, ref))


@bp.get("/introductions/<ref>/report")
@members
def new_about_conversation(ref: str) -> Response:
    return _form(_conversation(ref), Word())


@bp.post("/introductions/<ref>/report")
@members
def create_about_conversation(ref: str) -> AnyResponse:
    return _send(_conversation(ref))


def _send(what: Callable[[bool], Reported]) -> AnyResponse:
    word = Word.read()
    if not word.judge():
        return _form(what, word, 422)
    rates.count("report", signed_in().ref, REPORTS)
    made = reporting.report(
        db.session(), signed_in(), what(word.attach), word.kind, word.text, g.now
    )
    db.session.commit()
    flash(_("Thank you. The people who run this space look at it; nobody else learns of it."))
    if signed_in().is_admin:
        return redirect(url_for("reports.show", ref=made.ref), 303)
    return redirect(url_for("silences.show", _anchor="reports"), 303)


def _form(what: Callable[[bool], Reported], word: Word, status: int = 200) -> Response:
    reported = what(False)
    return page(
        "reports/new.html",
        status=status,
        what=reported,
        word=word,
        kinds=KINDS,
        most=TEXT_CHARACTERS,
        talk=reported.about == CONVERSATION,
        back=request.path.removesuffix("/report"),
    )


def _member(ref: str) -> Callable[[bool], Reported]:
    member: Member = db.one_or_404(select(Member).where(Member.ref == ref, seen_by(reader())))
    if member.id == signed_in().member_id:
        abort(403)
    card = card_of_member(member, g.space, g.now.date(), reader())
    person = Person(subject_of(member, _identity()), member.name, member=member)
    return lambda _attach: Reported(person, "", context=reporting.as_shown(card))


def _neighbour(peer_ref: str, ref: str) -> Callable[[bool], Reported]:
    profile = mirrored_profile(peer_ref, ref)
    card = card_of_mirrored(profile, g.now)
    person = Person(profile.subject, card.name, peer=profile.peer)
    return lambda _attach: Reported(
        person,
        profile.peer.name,
        context=reporting.as_shown(card),
        digest=profile.digest,
    )


def _conversation(ref: str) -> Callable[[bool], Reported]:
    talk = db.one_or_404(
        select(Conversation)
        .filter_by(ref=ref, member_id=signed_in().member_id or 0)
        .options(selectinload(Conversation.messages))
    )
    member = moderation.member_of_subject(db.session(), talk.other, _identity())
    person = Person(talk.other, talk.other_name, member=member, peer=talk.peer)
    digest = reporting.digest_of(db.session(), talk.other)
    said = {"name": talk.other_name, "headline": talk.other_headline, "about": talk.service_title}
    return lambda attach: Reported(
        person,
        talk.other_space,
        about=CONVERSATION,
        context={name: value for name, value in said.items() if value},
        digest=digest,
        messages=reporting.said_in(talk) if attach else [],
    )


def _identity() -> Identity:
    identity: Identity = current_app.extensions["identity"]
    return identity
