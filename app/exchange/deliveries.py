"""What we send to other spaces: our half of the peering, notices, acknowledgements.

Each is signed when it is sent, from where things stand then: a statement carries the whole half,
so that one that was lost, repeated or late does no harm. Nothing is sent inside a transaction.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from app.exchange import checkpoints, entities, outbox, standing
from app.exchange.identity import Identity
from app.models.feed import FeedState
from app.models.peer import Peer
from federation import client, peering, signing, tree
from federation.documents import Ack, Checkpoint, Notice
from federation.envelope import moment
from federation.identifiers import EntityId
from federation.peering import Half
from federation.transport import Transport

#: What is told of a delivery to a directory of plain files.
HEARS_NOTHING = "it hears nothing"


def send_statement(
    session: Session, peer: Peer, transport: Transport, identity: Identity, now: datetime
) -> str:
    """Tell ``peer`` our half of the peering; the caller commits what was noted afterwards.

    :returns: what was told, in a word.
    :raises FederationError: it did not arrive, or was not accepted.
    """
    if peer.static:
        peer.told_n = peer.our_n
        return HEARS_NOTHING
    before = standing.of(peer)
    told = peering.statement(
        before,
        issuer=identity.entity_id,
        audience=peer.url,
        now=moment(now),
        note=peer.our_note if peer.ours == Half.APPROVED else "",
    )
    if told is None:
        return "nothing to say"
    endpoint = entities.stored_configuration(peer).endpoints.peering
    session.commit()
    client.deliver(transport, endpoint, signing.issue(told, identity.root_key))
    peer.told_n = max(peer.told_n, told.n)
    return told.state


def send_notice(
    session: Session,
    peer: Peer,
    transport: Transport,
    identity: Identity,
    now: datetime,  # noqa: ARG001  # as every delivery
) -> str:
    """Tell ``peer`` that something changed, and nothing of what.

    :raises FederationError: it did not arrive, or was not accepted.
    """
    if peer.static:
        return HEARS_NOTHING
    if not standing.is_active(peer, identity):
        return "no neighbour any more"
    notice = notice_for(session, peer, identity)
    endpoint = entities.stored_configuration(peer).endpoints.notify
    session.commit()
    client.deliver(transport, endpoint, signing.issue(notice, identity.operational_key))
    return f"position {notice.seq}"


def notice_for(session: Session, peer: Peer, identity: Identity) -> Notice:
    """Return what tells ``peer`` that something may have changed: harmless, however often said."""
    state = session.get_one(FeedState, 1)
    return Notice(
        issuer=identity.space, audience=EntityId(peer.url), epoch=state.epoch, seq=state.seq
    )


def send_ack(
    session: Session,
    peer: Peer,
    transport: Transport,
    identity: Identity,
    now: datetime,
    signed: str = "",
) -> str:
    """Tell ``peer`` that our copy equals the root it signed.

    :param signed: an acknowledgement made earlier, of the moment before everything was deleted.
    :raises FederationError: it did not arrive, or was not accepted.
    """
    root = ""
    if peer.static:
        return HEARS_NOTHING
    if not signed:
        compared = checkpoints.believed(peer)
        if compared is None or not acknowledgeable(peer, identity):
            return "nothing to acknowledge"
        root, signed = compared.root, ack_for(peer, compared, identity, now)
    endpoint = entities.stored_configuration(peer).endpoints.ack
    session.commit()
    client.deliver(transport, endpoint, signed)
    peer.acked_root = root
    return f"root {root[:8]}" if root else "the empty root"


def acknowledgeable(peer: Peer, identity: Identity) -> bool:
    """Say whether our copy of ``peer`` is what its last checkpoint states, and may be confirmed."""
    compared = checkpoints.believed(peer)
    agrees = peer.roots_agree and compared is not None and compared.epoch == peer.epoch
    return bool(agrees) and standing.is_active(peer, identity)


def ack_for(peer: Peer, compared: Checkpoint, identity: Identity, now: datetime) -> str:
    """Return our signed word that our copy of ``peer`` has the root of ``compared``."""
    # Of the state that was compared: newer records may have been taken in since.
    return _ack(peer, identity, now, compared.seq, compared.root, compared.count)


def acknowledge_nothing(session: Session, peer: Peer, identity: Identity, now: datetime) -> None:
    """Make due the word that nothing of ``peer`` is held any more; called before the deletion."""
    seq = max(peer.their_seq, peer.held_seq)
    body = _ack(peer, identity, now, seq, tree.EMPTY_ROOT.hex(), 0)
    outbox.request(session, outbox.ACK, str(peer.id), now, peer_id=peer.id, body=body)


def _ack(peer: Peer, identity: Identity, now: datetime, seq: int, root: str, count: int) -> str:
    ack = Ack(
        issuer=identity.space,
        audience=EntityId(peer.url),
        view="peers",
        epoch=peer.epoch,
        seq=seq,
        count=count,
        root=root,
        issued_at=moment(now),
    )
    return signing.issue(ack, identity.operational_key)
