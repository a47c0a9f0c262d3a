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

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from app.exchange import contacts, correspondence, outbox
from app.exchange.identity import Identity
from app.models.base import new_id
from app.models.conversation import (
    ADDRESS,
    ASK,
    CLOSE,
    CLOSED,
    DECLINE,
    DECLINED,
    SHARE,
    TALKING,
    WAITING,
    Conversation,
    Message,
    Silence,
)
from app.models.member import Member
from app.models.peer import Peer
from federation.identifiers import owns
from federation.introductions import Introduction, Reply

QUESTION, QUOTE = "question", "quote"

#: Messages of one conversation that are kept.
MESSAGES_KEPT = 500

#: How long a conversation is kept in which nothing is said.
KEPT_FOR = timedelta(days=365)


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


def is_local(conversation: Conversation, identity: Identity) -> bool:
    """Say whether the other person coworks here too."""
    return owns(identity.entity_id, conversation.other)


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
    contacts.require_room(session, member, recipient.subject, now)
    session.execute(delete(Silence).filter_by(member_id=member.id, other=recipient.subject))
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
        kind=request.kind,
        service_ref=request.service,
        service_title=request.title,
        timing=request.timing,
        budget=request.budget,
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
) -> None:
    """Continue a conversation as its member; the caller commits.

    :param act: :data:`SAY`, :data:`DECLINE`, :data:`SHARE` or :data:`CLOSE`.
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
    _add(session, conversation, act, text, identity, now)
    if act in (DECLINE, CLOSE):
        conversation.state = DECLINED if act == DECLINE else CLOSED
    elif not conversation.mine:
        conversation.state = TALKING
    if act == SHARE and conversation.they_share_at is not None:
        _add(session, conversation, ADDRESS, "", identity, now)


def silence(session: Session, conversation: Conversation, now: datetime) -> None:
    """Let the member hear nothing more of the other person, who is not told; the caller commits."""
    session.merge(Silence(member_id=conversation.member_id, other=conversation.other, since=now))
    conversation.state = CLOSED


def receive(
    session: Session,
    peer: Peer,
    letter: Introduction | Reply,
    identity: Identity,
    now: datetime,
) -> None:
    """Take in a letter that ``peer`` signed; the caller commits.

    Whether there is such a person, and whether they want to hear it, is answered by nothing.

    :raises RateLimitedError: its sender, or its space, opens too many conversations.
    """
    if isinstance(letter, Introduction):
        if contacts.is_known(session, letter):
            return
        contacts.require_patience(session, letter, now)
        contacts.count(session, letter, now)
        _receive_introduction(session, peer, letter, now)
        return
    here = _copies(letter).where(
        Conversation.peer_id == peer.id, Conversation.mine == (letter.opened_by != peer.url)
    )
    _hear(session, session.scalars(here).one_or_none(), letter, identity, now)


def sweep(session: Session, now: datetime) -> None:
    """Delete conversations of a year of silence, and yesterday's counts; the caller commits."""
    contacts.sweep(session, now)
    for old in session.scalars(
        select(Conversation).where(Conversation.updated_at <= now - KEPT_FOR)
    ):
        session.delete(old)


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
    number = 0 if act == ASK else last + 1
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
        _receive_introduction(session, None, letter, now)
        return
    there = _copies(letter).where(Conversation.member_id != conversation.member_id)
    _hear(session, session.scalars(there).one_or_none(), letter, identity, now)


def _receive_introduction(
    session: Session,
    peer: Peer | None,
    letter: Introduction,
    now: datetime,
) -> None:
    member = _addressee(session, peer, letter.subject)
    if member is None or session.get(Silence, (member.id, letter.sender.sub)) is not None:
        return
    title = next((one.title for one in member.services if one.ref == letter.service), "")
    opened = Conversation(
        member=member,
        peer=peer,
        opened_by=letter.issuer,
        wire_id=letter.id,
        mine=False,
        other=letter.sender.sub,
        other_name=letter.sender.name,
        other_headline=letter.sender.headline,
        other_space=(peer.name or peer.url) if peer is not None else "",
        kind=letter.kind,
        service_title=title,
        timing=letter.when,
        budget=letter.budget,
        state=WAITING,
        created_at=now,
        updated_at=now,
    )
    session.add(opened)
    _take(session, opened, 0, ASK, letter.text, now)


def _addressee(session: Session, peer: Peer | None, subject: str) -> Member | None:
    """Return the member with this subject whom the sender can see, and who offers something."""
    ref = subject.rpartition("/m/")[2]
    member = session.scalars(select(Member).filter_by(ref=ref)).one_or_none()
    if member is None or not member.services or member.account is None:
        return None
    seen = member.listed_here if peer is None else member.listed_elsewhere
    return member if seen else None


def _copies(letter: Reply) -> Select[Conversation]:
    return select(Conversation).filter_by(opened_by=letter.opened_by, wire_id=letter.id)


def _hear(
    session: Session,
    conversation: Conversation | None,
    letter: Reply,
    identity: Identity,
    now: datetime,
) -> None:
    """Take a reply in, unless there is no such conversation or nobody wants to hear it."""
    if conversation is None or not _listens(session, conversation, letter):
        return
    if letter.act == ADDRESS:
        conversation.their_email = letter.email
    elif letter.act == SHARE:
        conversation.they_share_at = now
    elif letter.act in (DECLINE, CLOSE):
        conversation.state = DECLINED if letter.act == DECLINE else CLOSED
    elif conversation.mine:
        conversation.state = TALKING
    _take(session, conversation, letter.n, letter.act, letter.text, now)
    if letter.act == SHARE and conversation.i_share_at is not None:
        _add(session, conversation, ADDRESS, "", identity, now)


def _listens(session: Session, conversation: Conversation, letter: Reply) -> bool:
    if any(one.n == letter.n and not one.mine for one in conversation.messages):
        return False
    if session.get(Silence, (conversation.member_id, conversation.other)) is not None:
        return False
    if letter.act == ADDRESS:
        # Told without being asked, it is not taken: the two have not both agreed.
        return conversation.i_share_at is not None and conversation.they_share_at is not None
    open_ = conversation.state in (WAITING, TALKING)
    return open_ and len(conversation.messages) < MESSAGES_KEPT


def _take(
    session: Session, conversation: Conversation, n: int, act: str, text: str, now: datetime
) -> None:
    conversation.messages.append(
        Message(mine=False, n=n, act=act, text=text, at=now, delivered_at=now)
    )
    conversation.updated_at = now
    session.flush()
    outbox.request(session, outbox.MAIL, conversation.ref, now)
