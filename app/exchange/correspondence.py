"""Letters of our members on their way to other spaces, signed when they are sent.

A message stays with its sender until the other space has taken it, in the order in which it was
written. Nothing is sent inside a transaction.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.exchange import entities, standing
from app.exchange.describing import subject_of
from app.exchange.identity import Identity
from app.models.conversation import ADDRESS, ASK, UNDELIVERED, Conversation, Message
from app.models.member import Member
from federation import client, limits, signing
from federation.envelope import moment
from federation.errors import NotPeeredError
from federation.identifiers import EntityId
from federation.introductions import Introduction, Reply, Sender
from federation.text import plain
from federation.transport import Transport

#: How long a message is carried to a space that does not answer.
CARRIED_FOR = timedelta(days=30)


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
            letter(conversation, message, identity, now), identity.operational_key
        )
        session.commit()
        client.deliver(transport, endpoint, token)
        session.execute(update(Message).where(Message.id == number).values(delivered_at=now))
        session.commit()
        delivered += 1
    return f"{delivered} delivered"


def letter(
    conversation: Conversation, message: Message, identity: Identity, now: datetime
) -> Introduction | Reply:
    """Return what tells the other person's space of ``message``, not signed yet."""
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


def _next_waiting(session: Session, reference: str) -> Message | None:
    return session.scalars(
        select(Message)
        .join(Message.conversation)
        .where(Conversation.ref == reference, Message.mine, Message.delivered_at.is_(None))
        .order_by(Message.id)
        .limit(1)
    ).one_or_none()
