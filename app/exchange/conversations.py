"""Conversations between two people who may cowork in two spaces: opened, continued, delivered.

What is written is kept with its sender until the other space has taken it; what is taken twice is
kept once. The two addresses are told only when both people have said so, and then by each one's
own space. Who asks learns nothing from silence: a person who is not there, who does not want to
hear from them, or who has not read it yet answer alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.orm import Session

from app.exchange import entities, outbox, standing
from app.exchange.describing import subject_of
from app.exchange.identity import Identity
from app.models.base import new_id
from app.models.conversation import (
    CLOSED,
    DECLINED,
    TALKING,
    UNDELIVERED,
    WAITING,
    Conversation,
    Introduced,
    Message,
    Silence,
)
from app.models.member import Member
from app.models.peer import Peer
from federation import client, limits, signing
from federation.envelope import moment
from federation.errors import NotPeeredError, RateLimitedError
from federation.identifiers import EntityId, owns
from federation.introductions import Introduction, Reply, Sender
from federation.text import plain
from federation.transport import Transport

#: What a message may do; the first opens a conversation.
ASK, SAY, DECLINE, SHARE, ADDRESS, CLOSE = (
    "ask", "message", "decline", "share", "address", "close",
)  # fmt: skip

QUESTION, QUOTE = "question", "quote"

#: People whom a member may write to for the first time within a day.
NEW_CONTACTS, A_DAY = 5, timedelta(days=1)

#: Introductions that one space may send us within a day.
FROM_ONE_SPACE = 200

#: Seconds after which a letter that was too many is tried again.
ASK_AGAIN = 6 * 3600

#: Messages of one conversation that are kept.
MESSAGES_KEPT = 500

#: How long a message is carried to a space that does not answer, and a conversation kept.
CARRIED_FOR = timedelta(days=30)
KEPT_FOR = timedelta(days=365)


class TooManyContactsError(Exception):
    """The member wrote to so many new people that the next has to wait until ``again_at``."""

    def __init__(self, again_at: datetime) -> None:
        super().__init__(again_at)
        self.again_at = again_at


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
    _require_room(session, member, recipient.subject, now)
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
        if _is_known(session, letter):
            return
        _require_patience(session, letter, now)
        session.add(
            Introduced(opened_by=letter.issuer, wire_id=letter.id, sender=letter.sender.sub, at=now)
        )
        _receive_introduction(session, peer, letter, now)
        return
    here = _copies(letter).where(
        Conversation.peer_id == peer.id, Conversation.mine == (letter.opened_by != peer.url)
    )
    _hear(session, session.scalars(here).one_or_none(), letter, identity, now)


def deliver(
    session: Session, reference: str, transport: Transport, identity: Identity, now: datetime
) -> str:
    """Carry what waits in a conversation to the other space, in order, and commit each.

    :returns: what was done, in a word.
    :raises FederationError: the next did not arrive; it waits.
    """
    if session.scalar(select(Conversation.id).filter_by(ref=reference)) is None:
        return "deleted"
    delivered = 0
    # Read anew each time: what is deleted while a letter is on its way has no next one.
    while (message := _next_waiting(session, reference)) is not None:
        conversation, number = message.conversation, message.id
        if message.at <= now - CARRIED_FOR:
            conversation.state, conversation.updated_at = UNDELIVERED, now
            return "given up after a month"
        peer = conversation.peer
        if peer is None or not standing.is_active(peer, identity):
            raise NotPeeredError("no neighbour at the moment")
        endpoint = entities.stored_configuration(peer).endpoints.intro
        if not endpoint:
            raise NotPeeredError("the other space takes no letters")
        token = signing.issue(
            _letter(conversation, message, identity, now), identity.operational_key
        )
        session.commit()
        client.deliver(transport, endpoint, token)
        session.execute(update(Message).where(Message.id == number).values(delivered_at=now))
        session.commit()
        delivered += 1
    return f"{delivered} delivered"


def sweep(session: Session, now: datetime) -> None:
    """Delete conversations of a year of silence, and yesterday's counts; the caller commits."""
    session.execute(delete(Introduced).where(Introduced.at <= now - A_DAY))
    for old in session.scalars(
        select(Conversation).where(Conversation.updated_at <= now - KEPT_FOR)
    ):
        session.delete(old)


def _next_waiting(session: Session, reference: str) -> Message | None:
    return session.scalars(
        select(Message)
        .join(Message.conversation)
        .where(Conversation.ref == reference, Message.mine, Message.delivered_at.is_(None))
        .order_by(Message.id)
        .limit(1)
    ).one_or_none()


def _require_room(session: Session, member: Member, subject: str, now: datetime) -> None:
    """:raises TooManyContactsError: no new person may be written to yet."""
    known = select(Conversation.other).where(
        Conversation.member_id == member.id, Conversation.state == TALKING
    )
    if subject in set(session.scalars(known)):
        return
    new = session.execute(
        select(Conversation.other, func.min(Conversation.created_at))
        .where(
            Conversation.member_id == member.id,
            Conversation.mine,
            Conversation.created_at > now - A_DAY,
            Conversation.other.not_in(known),
        )
        .group_by(Conversation.other)
        .order_by(func.min(Conversation.created_at))
    ).all()
    if len(new) >= NEW_CONTACTS and subject not in {other for other, _first in new}:
        raise TooManyContactsError(new[0][1] + A_DAY)


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
    letter = _letter(conversation, message, identity, now)
    if isinstance(letter, Introduction):
        _receive_introduction(session, None, letter, now)
        return
    there = _copies(letter).where(Conversation.member_id != conversation.member_id)
    _hear(session, session.scalars(there).one_or_none(), letter, identity, now)


def _letter(
    conversation: Conversation, message: Message, identity: Identity, now: datetime
) -> Introduction | Reply:
    here = identity.space
    there = conversation.peer.url if conversation.peer is not None else here
    dated = {
        "issuer": here,
        "audience": EntityId(there),
        "issued_at": moment(now),
        "expires_at": moment(now) + limits.INTRODUCTION_LIFETIME,
        "id": conversation.wire_id,
    }
    if message.act == ASK:
        return Introduction.model_validate(
            {
                **dated,
                "subject": conversation.other,
                "kind": conversation.kind,
                "service": conversation.service_ref,
                "text": message.text,
                "when": conversation.timing,
                "budget": conversation.budget,
                "sender": _sender(conversation.member, identity),
            }
        )
    account = conversation.member.account
    email = account.email if message.act == ADDRESS and account is not None else ""
    return Reply.model_validate(
        {
            **dated,
            "opened_by": EntityId(conversation.opened_by),
            "n": message.n,
            "act": message.act,
            "text": message.text,
            "email": email,
        }
    )


def _sender(member: Member, identity: Identity) -> Sender:
    return Sender(
        sub=subject_of(member, identity),
        name=plain(member.name, longest=limits.NAME_CHARACTERS),
        headline=plain(member.headline or "", longest=limits.HEADLINE_CHARACTERS),
        locale=member.locale or "",
    )


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


def _is_known(session: Session, letter: Introduction) -> bool:
    """Say whether the letter came before, whatever became of it."""
    if session.get(Introduced, (letter.issuer, letter.id)) is not None:
        return True
    taken = select(Conversation.id).filter_by(
        opened_by=letter.issuer, wire_id=letter.id, mine=False
    )
    return session.scalar(taken.limit(1)) is not None


def _require_patience(session: Session, letter: Introduction, now: datetime) -> None:
    """Count letters to nobody too: or a refusal would tell that the others reached somebody.

    :raises RateLimitedError: too many conversations by this sender, or by this space.
    """
    lately = select(func.count()).select_from(Introduced).where(Introduced.at > now - A_DAY)
    by_sender = lately.where(Introduced.sender == letter.sender.sub)
    if (session.scalar(by_sender) or 0) >= NEW_CONTACTS:
        raise RateLimitedError("this member wrote to enough people today", ASK_AGAIN)
    by_space = lately.where(Introduced.opened_by == letter.issuer)
    if (session.scalar(by_space) or 0) >= FROM_ONE_SPACE:
        raise RateLimitedError("this space wrote enough today", ASK_AGAIN)


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
