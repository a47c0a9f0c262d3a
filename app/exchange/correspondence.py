"""Letters of our members on their way to other spaces, signed when they are sent.

A message stays with its sender until the other space has taken it, in the order in which it was
written. Nothing is sent inside a transaction.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session, object_session

from app.exchange import entities, outbox, standing
from app.exchange.describing import subject_of
from app.exchange.hearing import Closed
from app.exchange.identity import Identity
from app.models.conversation import (
    ADDRESS,
    ASK,
    DECLINE,
    UNDELIVERED,
    Conversation,
    Message,
)
from app.models.peer import Peer
from app.models.scope import Reader
from app.models.seen import as_seen
from federation import client, limits, signing
from federation.envelope import moment
from federation.errors import NotPeeredError
from federation.identifiers import EntityId
from federation.introductions import Introduction, Passed, Reply, Sender
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
        if peer is None:
            conversation.state, conversation.updated_at = UNDELIVERED, now
            return "their space is unknown by now"
        if not standing.is_active(peer, identity):
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
    dated = {**_dated(here, EntityId(there), now), "id": conversation.wire_id}
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
                "sender": _sender(conversation, identity),
                "passed_by": _passed_by(conversation),
            }
        )
    declines = message.act == DECLINE
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
            "pass_to": conversation.proposed if declines and not conversation.mine else "",
        }
    )


def answer_from_the_door(
    session: Session, peer: Peer, letter: Introduction, closed: Closed, now: datetime
) -> None:
    """Let the door of a member tell the sender of ``letter`` that it is closed.

    Apart from the conversation, which there may not be: the member may not want to hear them.
    """
    said = {
        "id": letter.id, "n": closed.n, "text": closed.word,
        "until": None if closed.until is None else closed.until.isoformat(),
    }  # fmt: skip
    outbox.request(
        session, outbox.ANSWER, f"{letter.issuer} {letter.id}", now,
        peer_id=peer.id, body=json.dumps(said),
    )  # fmt: skip


def deliver_answer(
    session: Session,
    peer: Peer,
    body: str,
    transport: Transport,
    identity: Identity,
    now: datetime,
) -> str:
    """Carry what a closed door said to the space of whoever stood before it.

    :returns: what was done, in a word.
    :raises FederationError: it did not arrive; it waits.
    """
    if not standing.is_active(peer, identity):
        raise NotPeeredError("no neighbour at the moment")
    endpoint = entities.stored_configuration(peer).endpoints.intro
    if not endpoint:
        raise NotPeeredError("the other space takes no letters")
    here, there = identity.space, EntityId(peer.url)
    said = {**json.loads(body), **_dated(here, there, now), "opened_by": there, "act": DECLINE}
    token = signing.issue(Reply.model_validate(said), identity.operational_key)
    session.commit()
    client.deliver(transport, endpoint, token)
    return "the door answered"


def reply_of_the_door(
    letter: Introduction, closed: Closed, space: EntityId, now: datetime
) -> Reply:
    """Return what a closed door says to somebody of the same space."""
    said = {
        "opened_by": letter.issuer, "id": letter.id, "n": closed.n, "act": DECLINE,
        "text": closed.word, "until": closed.until,
    }  # fmt: skip
    return Reply.model_validate({**said, **_dated(space, space, now)})


def _dated(here: EntityId, there: EntityId, now: datetime) -> dict[str, Any]:
    return {
        "issuer": here,
        "audience": there,
        "issued_at": moment(now),
        "expires_at": moment(now) + limits.INTRODUCTION_LIFETIME,
    }


def _sender(conversation: Conversation, identity: Identity) -> Sender:
    # Their name they gave by writing; the rest is what people over there, or here, see anyway.
    member = conversation.member
    reader = Reader.MEMBER if conversation.peer is None else Reader.NEIGHBOUR
    return Sender(
        sub=subject_of(member, identity),
        name=plain(member.name, longest=limits.NAME_CHARACTERS),
        headline=plain(as_seen(member, reader).headline, longest=limits.HEADLINE_CHARACTERS),
        locale=member.locale or "",
    )


def _passed_by(conversation: Conversation) -> Passed | None:
    """Return who proposed to ask this person, from the conversation in which they did."""
    if not conversation.passed_by:
        return None
    session = object_session(conversation)
    before = (
        None
        if session is None
        else session.scalars(
            select(Conversation)
            .filter_by(member_id=conversation.member_id, proposed=conversation.other)
            .where(Conversation.taken_up_at.is_not(None))
            .order_by(Conversation.taken_up_at.desc())
            .limit(1)
        ).one_or_none()
    )
    return None if before is None else Passed(sub=before.other, name=conversation.passed_by)


def _next_waiting(session: Session, reference: str) -> Message | None:
    return session.scalars(
        select(Message)
        .join(Message.conversation)
        .where(Conversation.ref == reference, Message.mine, Message.delivered_at.is_(None))
        .order_by(Message.id)
        .limit(1)
    ).one_or_none()
