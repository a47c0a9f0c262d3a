"""What members write to each other, here and across the wall; each side keeps its own copy.

Two people who cowork in the same space have a conversation each as well: what one deletes, the
other keeps, exactly as between two spaces.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, Moment, Opaque, new_id
from app.models.member import Member
from app.models.peer import Peer

#: How a conversation stands, for the member whose copy it is.
WAITING, TALKING, DECLINED, CLOSED, UNDELIVERED = (
    "waiting", "talking", "declined", "closed", "lost",
)  # fmt: skip

#: What a message may do; the first opens a conversation.
ASK, SAY, DECLINE, SHARE, ADDRESS, CLOSE = (
    "ask", "message", "decline", "share", "address", "close",
)  # fmt: skip

#: What a member may do about somebody: not receive their words, or not be told of them.
BLOCK, MUTE = "block", "mute"


class Conversation(Base):
    """One member's copy of a conversation with one other person."""

    __tablename__ = "conversation"
    __table_args__ = (UniqueConstraint("member_id", "opened_by", "wire_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    ref: Mapped[str] = mapped_column(Opaque, unique=True, default=new_id)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    peer_id: Mapped[int | None] = mapped_column(
        ForeignKey("peer.id", ondelete="SET NULL"), index=True
    )
    """The other person's space; ``None`` for this one, or for one that was forgotten."""

    opened_by: Mapped[str] = mapped_column(String(255))
    wire_id: Mapped[str] = mapped_column(String(64))
    mine: Mapped[bool]
    """Whether this member wrote first."""

    other: Mapped[str] = mapped_column(String(320), index=True)
    """The other person's subject."""

    other_name: Mapped[str] = mapped_column(String(120))
    other_headline: Mapped[str] = mapped_column(String(160), default="")
    other_space: Mapped[str] = mapped_column(String(120), default="")
    other_locale: Mapped[str] = mapped_column(String(35), default="", server_default="")
    """The language of the other person's words (BCP 47), as their space says; empty: not said."""

    kind: Mapped[str] = mapped_column(String(10))
    service_ref: Mapped[str] = mapped_column(String(64), default="")
    service_title: Mapped[str] = mapped_column(String(120), default="")
    timing: Mapped[str] = mapped_column(String(160), default="")
    budget: Mapped[str] = mapped_column(String(160), default="")
    state: Mapped[str] = mapped_column(String(10), default=WAITING)
    i_share_at: Mapped[datetime | None] = mapped_column(Moment)
    they_share_at: Mapped[datetime | None] = mapped_column(Moment)
    their_email: Mapped[str] = mapped_column(String(254), default="")
    reopens_on: Mapped[date | None]
    """The day on which the doors open again that were closed when the first words came."""

    proposed: Mapped[str] = mapped_column(String(320), default="", server_default="")
    """Whom whoever was asked proposes instead, by subject; empty when they proposed nobody."""

    taken_up_at: Mapped[datetime | None] = mapped_column(Moment)
    """When whoever asked let the request go to the one who was proposed; ``None`` before."""

    passed_by: Mapped[str] = mapped_column(String(120), default="", server_default="")
    """Who proposed that this person be asked, by name; empty when nobody did."""

    created_at: Mapped[datetime] = mapped_column(Moment, index=True)
    updated_at: Mapped[datetime] = mapped_column(Moment)

    member: Mapped[Member] = relationship()
    peer: Mapped[Peer | None] = relationship()
    messages: Mapped[list[Message]] = relationship(
        back_populates="conversation", order_by="Message.id", cascade="all, delete-orphan"
    )


class Message(Base):
    """One step of a conversation: words, or an act without any."""

    __tablename__ = "message"
    __table_args__ = (UniqueConstraint("conversation_id", "mine", "n"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"))
    mine: Mapped[bool]
    n: Mapped[int]
    """0 is the introduction; then each side's replies rise, see ``conversations.next_number``."""

    act: Mapped[str] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime] = mapped_column(Moment)
    delivered_at: Mapped[datetime | None] = mapped_column(Moment)
    """When the other space took it; ``None`` while it is on its way."""

    conversation: Mapped[Conversation] = relationship(back_populates="messages")


class Silence(Base):
    """Somebody whose words a member does not want to receive any more."""

    __tablename__ = "silence"

    member_id: Mapped[int] = mapped_column(
        ForeignKey("member.id", ondelete="CASCADE"), primary_key=True
    )
    other: Mapped[str] = mapped_column(String(320), primary_key=True)
    since: Mapped[datetime] = mapped_column(Moment)
    kind: Mapped[str] = mapped_column(String(5), default=BLOCK, server_default=BLOCK)
    """:data:`BLOCK`: nothing arrives; :data:`MUTE`: it arrives, and no letter or sign tells so."""

    name: Mapped[str] = mapped_column(String(120), default="", server_default="")
    space: Mapped[str] = mapped_column(String(120), default="", server_default="")
    """Who that is, as their page said when the member decided."""


class Introduced(Base):
    """That a space sent an introduction, whoever it was to, for the counts of one day.

    Letters to people who are not there count as well: what is refused must not depend on them.
    """

    __tablename__ = "introduced"

    opened_by: Mapped[str] = mapped_column(String(255), primary_key=True)
    wire_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    sender: Mapped[str] = mapped_column(String(320), index=True)
    """The subject of whoever wrote."""

    at: Mapped[datetime] = mapped_column(Moment, index=True)


class Arrival(Base):
    """A letter that a neighbour handed over, verified, and that nobody has opened yet.

    The door only puts letters here: what it does, and how long it takes, depends on nobody.
    """

    __tablename__ = "arrival"

    id: Mapped[int] = mapped_column(primary_key=True)
    peer_id: Mapped[int] = mapped_column(ForeignKey("peer.id", ondelete="CASCADE"), index=True)
    talk: Mapped[str] = mapped_column(String(320), index=True)
    """The conversation, by who opened it and its ``id`` there: letters of one keep their order."""

    digest: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA-256 of the letter: sent again before it was opened, it is the same."""

    token: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Moment)


class HeardMail(Base):
    """That a mail came in answer to a letter, by the digest of its Message-ID: it is heard once."""

    __tablename__ = "heard_mail"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment, index=True)
