"""Who has confirmed that a withdrawn profile is gone, and whose copy may still live.

When a profile is withdrawn, every space that may hold a copy is written down once. Each is asked
in the ordinary way: a new checkpoint, a notice, its pull. Its signed acknowledgement of a root that
*we* signed, at or after the withdrawal, is the receipt.

* An acknowledgement proves what the recipient says, and nothing more: "confirmed", never "erased".
* One of a root that we never signed proves nothing, and is refused.
* A space that became a neighbour afterwards never had a copy, and is not asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, exists, or_, select, update
from sqlalchemy.orm import Session

from app.exchange import standing
from app.exchange.identity import Identity
from app.models.feed import FeedEntry, OwnCheckpoint, PeerAck, Receipt
from app.models.member import Member
from app.models.peer import Peer
from federation import tree
from federation.documents import PEERS, Ack
from federation.errors import UnknownCheckpointError

#: What a copy of nothing has for a root.
NOTHING = tree.EMPTY_ROOT.hex()


@dataclass(frozen=True, slots=True)
class Answer:
    """One space that may have had a copy, and when it confirmed that it has none."""

    name: str
    url: str
    confirmed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """How far the withdrawal of one profile has come."""

    at: datetime
    copies_expire_at: datetime
    """No copy that anybody was ever given is valid after it, heard of the withdrawal or not."""

    confirmed: tuple[Answer, ...] = ()
    """In the order of their answers."""

    silent: tuple[Answer, ...] = ()

    @property
    def asked(self) -> int:
        """Return how many spaces may have had a copy."""
        return len(self.confirmed) + len(self.silent)

    @property
    def last(self) -> datetime | None:
        """Return when the last of those that answered did."""
        return self.confirmed[-1].confirmed_at if self.confirmed else None


def of_member(session: Session, member: Member) -> Withdrawn | None:
    """Return how far the withdrawal of ``member`` has come; ``None`` when nothing is withdrawn."""
    entry = session.scalars(
        select(FeedEntry).filter_by(member_id=member.id, kind="withdrawal")
    ).one_or_none()
    return None if entry is None else _of(session, entry)


def of_subject(session: Session, subject: str) -> Withdrawn | None:
    """Do what :func:`of_member` does for somebody whose row is gone."""
    entry = session.get(FeedEntry, subject)
    return None if entry is None or entry.kind != "withdrawal" else _of(session, entry)


def _of(session: Session, entry: FeedEntry) -> Withdrawn:
    rows = session.execute(
        select(Receipt, Peer)
        .join(Peer, Peer.id == Receipt.peer_id)
        .where(Receipt.subject == entry.subject)
        .order_by(Receipt.confirmed_at, Peer.name, Peer.url)
    ).all()
    answers = [Answer(peer.name or peer.url, peer.url, row.confirmed_at) for row, peer in rows]
    return Withdrawn(
        entry.signed_at,
        entry.latest_expiry,
        tuple(answer for answer in answers if answer.confirmed_at is not None),
        tuple(answer for answer in answers if answer.confirmed_at is None),
    )


def expect(
    session: Session, entry: FeedEntry, identity: Identity, shown_since: datetime, now: datetime
) -> None:
    """Write down which spaces may hold a copy of what ``entry`` withdraws; the caller commits.

    :param shown_since: when the member agreed to be shown to them.
    """
    forget(session, entry.subject)
    session.flush()
    session.add_all(
        Receipt(subject=entry.subject, peer_id=peer_id, seq=entry.seq, asked_at=now)
        for peer_id in _holders(session, identity, shown_since)
    )


def forget(session: Session, subject: str) -> None:
    """Let go of the receipts for ``subject``, who shows themselves again."""
    session.execute(
        delete(Receipt)
        .where(Receipt.subject == subject)
        .execution_options(synchronize_session=False)
    )


def take(session: Session, peer: Peer, ack: Ack, token: str, now: datetime) -> None:
    """Keep the acknowledgement of ``peer`` as the receipt for what it covers; the caller commits.

    :param token: as signed; the signature, the issuer and the addressee were checked.
    :raises UnknownCheckpointError: we never signed that root at that position.
    """
    signed = _signed_by_us(session, ack)
    # Whoever ended it deleted everything, wherever it had stopped reading.
    over = not signed and (ack.root, ack.count) == (NOTHING, 0)
    if not signed and not over:
        raise UnknownCheckpointError(
            f"we signed no such root of the {ack.view} view at position {ack.seq}"
        )
    _remember(session, peer, ack, token, now, over=over)
    if ack.view != PEERS:
        return
    covered = Receipt.seq <= ack.seq if signed else Receipt.asked_at <= ack.issued_at
    session.execute(
        update(Receipt)
        .where(Receipt.peer_id == peer.id, Receipt.confirmed_at.is_(None), covered)
        .values(confirmed_at=now, jws=token)
        .execution_options(synchronize_session=False)
    )


def _signed_by_us(session: Session, ack: Ack) -> bool:
    found = exists().where(
        OwnCheckpoint.view == ack.view,
        OwnCheckpoint.epoch == ack.epoch,
        OwnCheckpoint.seq == ack.seq,
        OwnCheckpoint.root == ack.root,
        OwnCheckpoint.count == ack.count,
    )
    return bool(session.scalar(select(found)))


def _remember(
    session: Session, peer: Peer, ack: Ack, token: str, now: datetime, *, over: bool
) -> None:
    kept = session.get(PeerAck, (peer.id, ack.view))
    if kept is not None and ack.seq < kept.seq and not over:
        return
    session.merge(
        PeerAck(
            peer_id=peer.id, view=ack.view, epoch=ack.epoch, seq=ack.seq, root=ack.root,
            count=ack.count, jws=token, received_at=now,
        )
    )  # fmt: skip


def _holders(session: Session, identity: Identity, shown_since: datetime) -> Iterator[int]:
    """Yield the spaces that are, or since ``shown_since`` were, given our profiles."""
    held = (
        select(PeerAck.peer_id)
        .where(PeerAck.peer_id == Peer.id, PeerAck.view == PEERS, PeerAck.root != NOTHING)
        .exists()
    )
    for peer in session.scalars(select(Peer).where(or_(Peer.active_since.is_not(None), held))):
        if peer.static:
            # Files are read by us and never told anything.
            continue
        stopped = peer.decided_at if peer.ours in ("suspended", "ended", "blocked") else None
        if standing.is_active(peer, identity) or stopped is None or stopped >= shown_since:
            yield peer.id
