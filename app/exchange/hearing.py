"""What becomes of a letter to one of our members, whichever space it comes from.

Whether there is such a person, and whether they want to hear it, is answered by nothing, with one
exception: doors that are closed until a day say so to everybody alike, those included whom the
member does not want to hear. Nothing is sent here; what is to be said is returned.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.exchange import outbox, silences
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
)
from app.models.member import Member
from app.models.peer import Peer
from app.models.scope import Reader
from app.models.seen import as_seen
from federation.introductions import Introduction, Reply, next_number

#: Messages of one conversation that are kept.
MESSAGES_KEPT = 500


@dataclass(frozen=True, slots=True)
class Closed:
    """What a closed door says by itself."""

    until: date | None
    word: str
    n: int


def hear_first(
    session: Session, peer: Peer | None, letter: Introduction, now: datetime
) -> Closed | None:
    """Take in the first words of somebody; the caller commits.

    :param peer: their space; ``None`` for this one.
    :returns: what the door says to them, if it is closed.
    """
    member = _addressee(session, peer, letter)
    if member is None or _was_heard(session, member, letter):
        return None
    closed = _closed(member, letter, now)
    if not silences.is_blocked(session, member.id, letter.sender.sub):
        _open(session, member, peer, letter, closed, now)
    return closed


def _addressee(session: Session, peer: Peer | None, letter: Introduction) -> Member | None:
    """Return the member whom the sender can see, and who offers them something."""
    ref = letter.subject.rpartition("/m/")[2]
    member = session.scalars(select(Member).filter_by(ref=ref)).one_or_none()
    if member is None or member.account is None:
        return None
    seen = member.listed_here if peer is None else member.listed_elsewhere
    return member if seen and as_seen(member, _reader(peer)).services else None


def _reader(peer: Peer | None) -> Reader:
    return Reader.MEMBER if peer is None else Reader.NEIGHBOUR


def _was_heard(session: Session, member: Member, letter: Introduction) -> bool:
    named = select(Conversation.id).filter_by(
        member_id=member.id, opened_by=letter.issuer, wire_id=letter.id
    )
    return session.scalar(named) is not None


def _closed(member: Member, letter: Introduction, now: datetime) -> Closed | None:
    if member.closed_on(now.date()):
        return Closed(member.closed_until, member.closed_word, next_number(0, now))
    if letter.kind not in member.doors:
        return Closed(None, "", next_number(0, now))
    return None


def _open(
    session: Session,
    member: Member,
    peer: Peer | None,
    letter: Introduction,
    closed: Closed | None,
    now: datetime,
) -> None:
    offered = as_seen(member, _reader(peer)).services
    title = next((one.title for one in offered if one.ref == letter.service), "")
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
        other_locale=letter.sender.locale,
        kind=letter.kind,
        service_title=title,
        timing=letter.when,
        budget=letter.budget,
        passed_by=_passer(session, member, letter),
        reopens_on=None if closed is None else closed.until,
        state=WAITING if closed is None else DECLINED,
        created_at=now,
        updated_at=now,
    )
    session.add(opened)
    first = Message(mine=False, n=0, act=ASK, text=letter.text, at=now, delivered_at=now)
    opened.messages.append(first)
    if closed is not None:
        # They asked for quiet: what the door answered is on their page, and no letter tells of it.
        answer = Message(mine=True, n=closed.n, act=DECLINE, text=closed.word, at=now)
        answer.delivered_at = now
        opened.messages.append(answer)
        session.flush()
        return
    _tell(session, opened, now)


def _passer(session: Session, member: Member, letter: Introduction) -> str:
    """Return who passed it on, unless the member does not want to hear of them."""
    passed = letter.passed_by
    if passed is None or silences.is_blocked(session, member.id, passed.sub):
        return ""
    return passed.name


def copies(letter: Reply) -> Select[Conversation]:
    """Select the copies, of one or of two people, of the conversation that ``letter`` continues."""
    return select(Conversation).filter_by(opened_by=letter.opened_by, wire_id=letter.id)


def hear(session: Session, conversation: Conversation, letter: Reply, now: datetime) -> bool:
    """Take a reply in, unless the member does not want to hear it; the caller commits.

    :returns: whether both have agreed by it, so that the member's address is to be told.
    """
    if not _listens(session, conversation, letter):
        return False
    if letter.act == SHARE:
        conversation.they_share_at = now
    if letter.act == ADDRESS:
        conversation.their_email = letter.email
    elif letter.act in (DECLINE, CLOSE):
        conversation.state = DECLINED if letter.act == DECLINE else CLOSED
        conversation.reopens_on = letter.until
        # Whom somebody proposes who was not asked is nobody's business.
        conversation.proposed = letter.pass_to if conversation.mine else ""
    elif conversation.mine:
        # Whoever agrees to exchange addresses has answered, also without a word.
        conversation.state = TALKING
    conversation.messages.append(
        Message(mine=False, n=letter.n, act=letter.act, text=letter.text, at=now, delivered_at=now)
    )
    _tell(session, conversation, now)
    return letter.act == SHARE and conversation.i_share_at is not None


def _listens(session: Session, conversation: Conversation, letter: Reply) -> bool:
    if any(one.n == letter.n and not one.mine for one in conversation.messages):
        return False
    if silences.is_blocked(session, conversation.member_id, conversation.other):
        return False
    if letter.act == ADDRESS:
        # Told without being asked, it is not taken: the two have not both agreed.
        return conversation.i_share_at is not None and conversation.they_share_at is not None
    open_ = conversation.state in (WAITING, TALKING)
    return open_ and len(conversation.messages) < MESSAGES_KEPT


def _tell(session: Session, conversation: Conversation, now: datetime) -> None:
    conversation.updated_at = now
    session.flush()
    if not silences.is_muted(session, conversation.member_id, conversation.other):
        outbox.request(session, outbox.MAIL, conversation.ref, now)
