"""Passing a request on: whoever was asked names a colleague, and whoever asked decides.

Nothing of the request, and nothing about the asker, reaches the colleague before the asker agrees.
Then their own space asks, for them: as it would have without the proposal, so that closed doors
and silences mean the same. It is not one of the five new contacts of the day (see
:mod:`app.exchange.contacts`): nobody gets more of them than people who were asked and said so.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from app.exchange import conversations
from app.exchange.conversations import NoConversationError, Recipient, Request
from app.exchange.identity import Identity
from app.models.conversation import ASK, DECLINE, DECLINED, SAY, Conversation
from app.models.member import Member
from app.models.peer import MirroredProfile


class NobodyToAskError(Exception):
    """The person cannot be proposed: it is one of the two, or the asker may not know of them."""


def may_be_told_of(conversation: Conversation, found: Member | MirroredProfile) -> bool:
    """Say whether the one who asked in ``conversation`` may learn that ``found`` is there.

    Somebody of another space learns of those alone who agreed to be seen from there; of a
    neighbour's people an identifier is told, which says nothing to a space that lacks the profile.
    """
    if isinstance(found, MirroredProfile):
        return True
    return found.listed_here if conversation.peer is None else found.listed_elsewhere


def propose(
    session: Session,
    conversation: Conversation,
    subject: str,
    why: str,
    identity: Identity,
    now: datetime,
) -> None:
    """Decline as whoever was asked, and name somebody else; the caller commits.

    :raises NobodyToAskError: ``subject`` is one of the two.
    :raises NoConversationError: it is over, or it is the member who asked.
    """
    if conversation.mine:
        raise NoConversationError("whoever asked has nobody to pass it on for")
    own = identity.space.subject(conversation.member.ref)
    if subject in (own, conversation.other):
        raise NobodyToAskError(subject)
    conversations.say(session, conversation, DECLINE, why, identity, now, pass_to=subject)


def may_be_taken_up(conversation: Conversation) -> bool:
    """Say whether its member has been offered somebody to ask, and has not done so yet."""
    offered = conversation.mine and conversation.state == DECLINED and conversation.proposed
    return bool(offered) and conversation.taken_up_at is None


def take_up(
    session: Session,
    conversation: Conversation,
    recipient: Recipient,
    whole: str,
    identity: Identity,
    now: datetime,
) -> Conversation:
    """Ask whom the other person proposed, in the same words, and return where; caller commits.

    :param whole: all of it as one text, for a conversation with them that goes on.
    :raises NoConversationError: nobody was proposed, or they were asked already.
    """
    if not may_be_taken_up(conversation) or recipient.subject != conversation.proposed:
        raise NoConversationError("nobody was proposed, or they were asked")
    # Said first: the letter names who passed it on, and is made of this.
    conversation.taken_up_at = now
    talking = conversations.open_with(session, conversation.member, recipient)
    if talking is not None:
        conversations.say(session, talking, SAY, whole, identity, now)
        return talking
    first = next(one for one in conversation.messages if one.act == ASK)
    request = Request(
        conversation.kind, first.text, timing=conversation.timing, budget=conversation.budget,
        passed_by=conversation,
    )  # fmt: skip
    return conversations.ask(session, conversation.member, recipient, request, identity, now)
