"""Conversations between two people who may cowork in two spaces: opened, continued, heard.

How a letter travels is the business of :mod:`app.exchange.correspondence`; how many are enough, of
:mod:`app.exchange.contacts`. What is taken twice is kept once. The two addresses are told only
when both people have said so, and then by each one's own space. Who asks learns nothing from
silence: a person who is not there, who does not want to hear from them, or who has not read it
yet answer alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.exchange import contacts, correspondence, hearing, outbox, silences, standing
from app.exchange.identity import Identity
from app.models.base import new_id
from app.models.conversation import (
    ADDRESS,
    ASK,
    BLOCK,
    CLOSE,
    CLOSED,
    DECLINE,
    DECLINED,
    SHARE,
    TALKING,
    UNDELIVERED,
    WAITING,
    Conversation,
    HeardMail,
    Message,
)
from app.models.member import Member
from app.models.peer import Peer
from federation.identifiers import owns
from federation.introductions import Introduction, Reply, next_number

QUESTION, QUOTE = "question", "quote"

#: How long a conversation is kept in which nothing is said, and that a mail was heard.
KEPT_FOR = timedelta(days=365)
MAIL_REMEMBERED = timedelta(days=90)


class NoConversationError(Exception):
    """The conversation is over: nothing more can be said in it."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a member wants to write to, as their page shows them."""

    subject: str
    name: str
    headline: str
    space: str
    peer: Peer | None
    """Their space; ``None`` for this one."""

    locale: str = ""
    """The language of their words (BCP 47)."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a member asks for."""

    kind: str
    text: str
    service: str = ""
    """The ``id`` of the service that it is about."""

    title: str = ""
    timing: str = ""
    budget: str = ""
    passed_by: Conversation | None = None
    """The conversation in which somebody proposed to ask this person instead."""


def is_local(conversation: Conversation, identity: Identity) -> bool:
    """Say whether the other person coworks here too."""
    return owns(identity.entity_id, conversation.other)


def is_stuck(conversation: Conversation, identity: Identity) -> bool:
    """Say whether something waits that cannot be sent while the spaces are no neighbours."""
    if is_local(conversation, identity):
        return False
    waits = any(one.mine and one.delivered_at is None for one in conversation.messages)
    peer = conversation.peer
    return waits and (peer is None or not standing.is_active(peer, identity))


def open_with(session: Session, member: Member, recipient: Recipient) -> Conversation | None:
    """Return the conversation of ``member`` with this person that can go on, if there is one."""
    # One whose space was forgotten meanwhile, and became known again as another row, cannot.
    peer_id = None if recipient.peer is None else recipient.peer.id
    return session.scalars(
        select(Conversation)
        .filter_by(member_id=member.id, other=recipient.subject, peer_id=peer_id)
        .where(Conversation.state.in_((WAITING, TALKING)))
        .order_by(Conversation.id.desc())
        .limit(1)
    ).one_or_none()


def ask(
    session: Session,
    member: Member,
    recipient: Recipient,
    request: Request,
    identity: Identity,
    now: datetime,
) -> Conversation:
    """Open a conversation, and hear the answer even of somebody silenced; the caller commits.

    :raises TooManyContactsError: five new people were written to within a day.
    """
    if request.passed_by is None:
        contacts.require_room(session, member, recipient.subject, now)
    silences.end(session, member, recipient.subject)
    opened = Conversation(
        member=member,
        peer=recipient.peer,
        opened_by=identity.entity_id,
        wire_id=new_id(),
        mine=True,
        other=recipient.subject,
        other_name=recipient.name,
        other_headline=recipient.headline,
        other_space=recipient.space,
        other_locale=recipient.locale,
        kind=request.kind,
        service_ref=request.service,
        service_title=request.title,
        timing=request.timing,
        budget=request.budget,
        passed_by="" if request.passed_by is None else request.passed_by.other_name,
        state=WAITING,
        created_at=now,
        updated_at=now,
    )
    session.add(opened)
    session.flush()
    _add(session, opened, ASK, request.text, identity, now)
    return opened


def say(
    session: Session,
    conversation: Conversation,
    act: str,
    text: str,
    identity: Identity,
    now: datetime,
    *,
    pass_to: str = "",
) -> None:
    """Continue a conversation as its member; the caller commits.

    :param act: :data:`SAY`, :data:`DECLINE`, :data:`SHARE` or :data:`CLOSE`.
    :param pass_to: with :data:`DECLINE`, the subject of somebody to ask instead.
    :raises NoConversationError: it is over.
    """
    if conversation.state not in (WAITING, TALKING):
        raise NoConversationError(conversation.state)
    if conversation.peer_id is None and not is_local(conversation, identity):
        raise NoConversationError("their space is unknown by now")
    if act == SHARE:
        if conversation.i_share_at is not None:
            return
        conversation.i_share_at = now
    if pass_to:
        conversation.proposed = pass_to
    _add(session, conversation, act, text, identity, now)
    if act in (DECLINE, CLOSE):
        conversation.state = DECLINED if act == DECLINE else CLOSED
    elif not conversation.mine:
        conversation.state = TALKING
    if act == SHARE and conversation.they_share_at is not None:
        _add(session, conversation, ADDRESS, "", identity, now)


def silence(session: Session, conversation: Conversation, now: datetime) -> None:
    """Let the member hear nothing more of the other person, who is not told; the caller commits."""
    name, space = conversation.other_name, conversation.other_space
    silences.keep(session, conversation.member, conversation.other, name, space, BLOCK, now)
    conversation.state = CLOSED


def receive(
    session: Session,
    peer: Peer,
    letter: Introduction | Reply,
    identity: Identity,
    now: datetime,
) -> None:
    """Give a letter that ``peer`` signed to whom it is for; the caller commits.

    Whether there is such a person, and whether they want to hear it, is answered by nothing.
    """
    if isinstance(letter, Introduction):
        closed = hearing.hear_first(session, peer, letter, now)
        if closed is not None:
            correspondence.answer_from_the_door(session, peer, letter, closed, now)
        return
    here = hearing.copies(letter).where(
        Conversation.peer_id == peer.id, Conversation.mine == (letter.opened_by != peer.url)
    )
    _hear(session, session.scalars(here).one_or_none(), letter, identity, now)


def sweep(session: Session, now: datetime) -> None:
    """Delete conversations of a year of silence, and old counts; the caller commits."""
    contacts.sweep(session, now)
    session.execute(delete(HeardMail).where(HeardMail.at <= now - MAIL_REMEMBERED))
    for old in session.scalars(
        select(Conversation).where(Conversation.updated_at <= now - KEPT_FOR)
    ):
        session.delete(old)


def give_up(session: Session, peer: Peer, now: datetime) -> None:
    """Say in their members' conversations that what is on its way to ``peer`` never arrives.

    For a space that is forgotten: the way there is forgotten with it. The caller commits.
    """
    waiting = select(Message.id).where(
        Message.conversation_id == Conversation.id, Message.mine, Message.delivered_at.is_(None)
    )
    for each in session.scalars(
        select(Conversation).where(Conversation.peer_id == peer.id, waiting.exists())
    ):
        each.state, each.updated_at = UNDELIVERED, now


def _add(
    session: Session,
    conversation: Conversation,
    act: str,
    text: str,
    identity: Identity,
    now: datetime,
) -> None:
    """Write a message of the member, and send it on its way."""
    last = max((one.n for one in conversation.messages if one.mine), default=0)
    number = 0 if act == ASK else next_number(last, now)
    message = Message(mine=True, n=number, act=act, text=text, at=now)
    conversation.messages.append(message)
    conversation.updated_at = now
    session.flush()
    if not is_local(conversation, identity):
        outbox.request(session, outbox.LETTER, conversation.ref, now, peer_id=conversation.peer_id)
        return
    message.delivered_at = now
    letter = correspondence.letter(conversation, message, identity, now)
    if isinstance(letter, Introduction):
        closed = hearing.hear_first(session, None, letter, now)
        if closed is not None:
            answer = correspondence.reply_of_the_door(letter, closed, identity.space, now)
            _hear(session, conversation, answer, identity, now)
        return
    there = hearing.copies(letter).where(Conversation.member_id != conversation.member_id)
    _hear(session, session.scalars(there).one_or_none(), letter, identity, now)


def _hear(
    session: Session,
    conversation: Conversation | None,
    letter: Reply,
    identity: Identity,
    now: datetime,
) -> None:
    if conversation is not None and hearing.hear(session, conversation, letter, now):
        _add(session, conversation, ADDRESS, "", identity, now)
