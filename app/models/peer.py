"""The other spaces we know of, and what we hold of their directories."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Numeric, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, Moment, Opaque, new_id

#: What either side of a peering may stand at (PROTOCOL.md, Peering).
STANDINGS = (
    "none",
    "requested",
    "approved",
    "suspended",
    "ended",
    "blocked",
    "key_hold",
)

#: Our half-states under which the last good copy stays visible (an unexpected key freezes it).
SHOWN_WHEN_OURS = ("approved", "key_hold")


class Peer(Base):
    """Another space: who it says it is, what we and they decided, how the exchange goes."""

    __tablename__ = "peer"
    __table_args__ = (
        CheckConstraint(f"ours IN {STANDINGS!r}", name="ours"),
        CheckConstraint(f"theirs IN {STANDINGS!r}", name="theirs"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ref: Mapped[str] = mapped_column(Opaque, unique=True, default=new_id)
    url: Mapped[str] = mapped_column(String(255), unique=True)
    """The entity identifier, in its one canonical form."""

    # --- the door plate, from its entity configuration
    name: Mapped[str] = mapped_column(String(80), default="")
    city: Mapped[str] = mapped_column(String(80), default="")
    country: Mapped[str] = mapped_column(String(2), default="")
    latitude: Mapped[float | None] = mapped_column(Numeric(8, 5, asdecimal=False))
    longitude: Mapped[float | None] = mapped_column(Numeric(8, 5, asdecimal=False))
    enamel: Mapped[str] = mapped_column(String(8), default="slate")
    languages: Mapped[list[str]] = mapped_column(JSON, default=list)
    member_count: Mapped[int | None]
    """How many profiles it says it would share; its word, not ours."""

    policy_url: Mapped[str] = mapped_column(String(255), default="")
    entity: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """What we last verified of its entity configuration: endpoints, keys, next_kids."""

    entity_jws: Mapped[str] = mapped_column(Text, default="")
    entity_read_at: Mapped[datetime | None] = mapped_column(Moment)
    root_kid: Mapped[str] = mapped_column(String(64), default="")
    """Thumbprint of the root key that our admin compared; no other is believed."""

    # --- the two halves of the peering
    ours: Mapped[str] = mapped_column(String(10), default="none")
    our_n: Mapped[int] = mapped_column(BigInteger, default=0)
    """Counter of the last statement that we made."""

    told_n: Mapped[int] = mapped_column(BigInteger, default=0)
    """Counter of the last statement of ours that arrived; smaller while they do not know yet."""

    our_note: Mapped[str] = mapped_column(String(500), default="")
    """What our admin wrote when knocking."""

    theirs: Mapped[str] = mapped_column(String(10), default="none")
    their_n: Mapped[int] = mapped_column(BigInteger, default=0)
    """Counter of the last statement of theirs that we accepted; older ones change nothing."""

    their_note: Mapped[str] = mapped_column(String(500), default="")
    their_kid_seen: Mapped[str] = mapped_column(String(64), default="")
    """The root key of ours that they say they see."""

    asked_at: Mapped[datetime | None] = mapped_column(Moment)
    decided_at: Mapped[datetime | None] = mapped_column(Moment)
    active_since: Mapped[datetime | None] = mapped_column(Moment)
    purge_at: Mapped[datetime | None] = mapped_column(Moment)
    """When what we hold of a suspended or ended peer is to be deleted."""

    # --- the copy we hold of its directory
    epoch: Mapped[str] = mapped_column(String(64), default="")
    cursor: Mapped[str] = mapped_column(String(200), default="")
    """Opaque: where to go on reading its feed; empty for the beginning."""

    feed_etag: Mapped[str] = mapped_column(String(120), default="")
    held_seq: Mapped[int] = mapped_column(BigInteger, default=0)
    """The last position of its feed that our copy covers."""

    since_end: Mapped[int] = mapped_column(default=0)
    """Records read since we last saw the end of its feed; without end, this alone would grow."""

    forgotten_until: Mapped[datetime | None] = mapped_column(Moment)
    """Up to when withdrawals of it may have been forgotten, because there were too many: what was
    signed before, about somebody of whom nothing is held, is not taken in."""

    copy_stamp: Mapped[str] = mapped_column(String(26), default=new_id)
    """Drawn anew with each transaction that writes into the copy: what was worked out of it before
    is known by it."""

    their_seq: Mapped[int] = mapped_column(BigInteger, default=0)
    """The position that its last checkpoint covers."""

    their_root: Mapped[str] = mapped_column(String(64), default="")
    their_checkpoint: Mapped[str] = mapped_column(Text, default="")
    """The last checkpoint we accepted, as signed."""

    roots_agree: Mapped[bool | None]
    """Whether our copy's root equals that checkpoint's; null before the first comparison."""

    unconfirmed_since: Mapped[datetime | None] = mapped_column(Moment)
    """Since when our copy is not known to be what the space states; null while it is."""

    acked_root: Mapped[str] = mapped_column(String(64), default="")
    """The root that we last acknowledged to it; empty once it stated a later position."""

    index_root: Mapped[str] = mapped_column(String(64), default="")
    """The root for which its index was last read, because our copy differed."""

    index_rest_until: Mapped[datetime | None] = mapped_column(Moment)
    """Its index is not read again before."""

    drop_waiting: Mapped[int | None]
    """How many records it wants gone at once: too many to delete before an admin says so."""

    drop_accepted: Mapped[bool] = mapped_column(default=False)
    """An admin said that the records may go; holds for the next pull."""

    recalled_at: Mapped[datetime | None] = mapped_column(Moment)
    """When it last told us all that it holds of us, as is asked after a return from a backup."""

    # --- how the exchange goes
    next_pull_at: Mapped[datetime | None] = mapped_column(Moment, index=True)
    """Null while nothing is to be pulled."""

    behind_until: Mapped[datetime | None] = mapped_column(Moment)
    """Until when its jobs come after those of all others, because one of them took long."""

    failures: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str] = mapped_column(String(40), default="")
    last_error_text: Mapped[str] = mapped_column(String(500), default="")
    last_error_at: Mapped[datetime | None] = mapped_column(Moment)
    last_success_at: Mapped[datetime | None] = mapped_column(Moment)
    """When we last held a complete answer of it; the freshness of every mirrored profile."""

    created_at: Mapped[datetime] = mapped_column(Moment)

    profiles: Mapped[list[MirroredProfile]] = relationship(
        back_populates="peer", cascade="all, delete-orphan", passive_deletes=True
    )

    @property
    def static(self) -> bool:
        """True for a directory of plain files: it is read, and there is nobody to tell anything."""
        return bool((self.entity or {}).get("static"))

    @property
    def kid_to_compare(self) -> str:
        """The root key whose words an admin compares; empty while no plate shows one.

        While a key is held it is the new one on the door, of which nothing else is believed.
        """
        if self.ours == "key_hold":
            return str((self.entity or {}).get("offered_kid", ""))
        return self.root_kid

    @property
    def shown(self) -> bool:
        """True while its profiles may be seen here; the SQL twin is ``scope.shown_peers``."""
        return self.ours in SHOWN_WHEN_OURS and self.theirs == "approved"

    @property
    def active(self) -> bool:
        """True while documents may cross: both admins said yes, and to the keys in use."""
        return self.ours == "approved" and self.theirs == "approved"


class MirroredProfile(Base):
    """A profile that a peer signed: the original, and beside it the decoded row."""

    __tablename__ = "mirrored_profile"

    id: Mapped[int] = mapped_column(primary_key=True)
    peer_id: Mapped[int] = mapped_column(ForeignKey("peer.id", ondelete="CASCADE"), index=True)
    subject: Mapped[str] = mapped_column(String(320), unique=True)
    revision: Mapped[int] = mapped_column(BigInteger)
    epoch: Mapped[str] = mapped_column(String(64), default="")
    """The epoch of the feed in which we last met it; an older one after a restart is gone."""

    jws: Mapped[str] = mapped_column(Text)
    """The signed document, exactly as received; what was verified is what is kept."""

    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of ``jws``, hexadecimal."""

    kid: Mapped[str] = mapped_column(String(64))
    """Which of the peer's operational keys signed it."""

    public: Mapped[bool] = mapped_column(default=False)
    """The member's consent covers visitors (``aud`` is ``public``, or ``web`` names something)."""

    document: Mapped[dict[str, Any]] = mapped_column(JSON)
    """The verified claims, as JSON: name, headline, services, ..."""

    name: Mapped[str] = mapped_column(String(120))
    photo_claimed: Mapped[str] = mapped_column(String(64), default="")
    """The digest of the photo that the profile claims; empty for none."""

    photo: Mapped[str] = mapped_column(String(64), default="")
    """The digest of our own copy of that photo (``MirroredPhoto``); empty until there is one."""

    issued_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)
    received_at: Mapped[datetime] = mapped_column(Moment)

    peer: Mapped[Peer] = relationship(back_populates="profiles")

    @property
    def ref(self) -> str:
        """The opaque last part of the subject."""
        return self.subject.rpartition("/")[2]

    @property
    def for_anybody(self) -> bool:
        """True when the document itself may be given to anybody (``aud`` is ``public``)."""
        return self.document.get("aud") == "public"


class MirroredWithdrawal(Base):
    """A tombstone: withdrawn at this revision, so that no replay brings the subject back."""

    __tablename__ = "mirrored_withdrawal"

    id: Mapped[int] = mapped_column(primary_key=True)
    peer_id: Mapped[int] = mapped_column(ForeignKey("peer.id", ondelete="CASCADE"), index=True)
    subject: Mapped[str] = mapped_column(String(320), unique=True)
    revision: Mapped[int] = mapped_column(BigInteger)
    jws: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(20))
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)
    received_at: Mapped[datetime] = mapped_column(Moment)
