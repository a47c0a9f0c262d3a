"""Admins' decisions about other spaces, and what those spaces say of us.

Nothing here is automatic: a statement of theirs changes their half of the peering, an admin's
decision changes ours, and documents cross only while both halves are approved for the root keys
in use. Every decision is remembered with who made it; a space that was declined or blocked is
never proposed again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, or_, select
from sqlalchemy.orm import Session

from app.exchange import awaiting, copies, deliveries, entities, outbox, standing
from app.exchange.doors import PeeringError as PeeringError
from app.exchange.doors import address_of, visit
from app.exchange.identity import Identity
from app.models.journal import note as journal
from app.models.peer import Peer
from federation import client, keys, peering, signing
from federation.documents import PeeringStatement
from federation.errors import DecisionNotAllowedError, FederationError
from federation.identifiers import EntityId
from federation.limits import NOTE_CHARACTERS
from federation.peering import Decision, Half
from federation.text import plain
from federation.transport import Transport

#: How long what we hold of a suspended peer is kept, so that resuming transfers nothing.
KEPT_WHEN_SUSPENDED = timedelta(days=30)

#: What each decision is called in the journal.
_CODES = {
    Decision.APPROVE: "peer.approved",
    Decision.DECLINE: "peer.declined",
    Decision.SUSPEND: "peer.suspended",
    Decision.RESUME: "peer.resumed",
    Decision.END: "peer.ended",
    Decision.BLOCK: "peer.blocked",
    Decision.UNBLOCK: "peer.unblocked",
    Decision.CONFIRM_KEY: "peer.key-confirmed",
}


def knock(
    session: Session,
    url: str,
    identity: Identity,
    transport: Transport,
    note: str,
    now: datetime,
    actor: str,
) -> Peer:
    """Ask the space at ``url`` to be neighbours; our half stands approved from now on.

    Ends the session's transaction before it asks the network, so that nobody waits for us while
    we wait for them; the caller commits the rest.

    :param note: a few words for their admin; cut at 500 characters.
    :param actor: who decided: an account's reference, or ``command``.
    :raises PeeringError: the address cannot be knocked at, or nothing usable answers there.
    """
    address = address_of(url, identity)
    known = session.scalars(select(Peer).filter_by(url=str(address))).one_or_none()
    if known is not None:
        _refuse_knocking_at(known)
    session.commit()
    found = visit(address, transport, now)
    peer = known or _new_peer(session, str(address), now)
    peer.our_note = plain(note, lines=True, longest=NOTE_CHARACTERS)
    if peer.ours == Half.APPROVED:
        # They have not answered yet: knock again, and only at the same door.
        if found.root_kid != peer.root_kid:
            raise PeeringError(
                "not-allowed",
                "Its key is another one than when you knocked: end that request first.",
            )
        entities.hang(peer, found, now)
        _state(session, peer, now)
        return peer
    entities.hang(peer, found, now)
    peer.asked_at = now
    _decide(session, peer, Decision.APPROVE, identity, now, actor, root_kid=found.root_kid)
    return peer


def approve(session: Session, peer: Peer, identity: Identity, now: datetime, actor: str) -> None:
    """Say yes to ``peer`` and to the root key whose words the admin compared.

    :raises PeeringError: ``not-allowed``, when nobody asked, or the peering stands otherwise.
    """
    asked = peer.ours == Half.REQUESTED or (
        peer.ours == Half.ENDED and peer.theirs == Half.APPROVED
    )
    if not asked:
        raise PeeringError("not-allowed", _cannot(peer, "approve"))
    _decide(session, peer, Decision.APPROVE, identity, now, actor)


def decline(session: Session, peer: Peer, identity: Identity, now: datetime, actor: str) -> None:
    """Say no to a request; the space is not proposed again.

    :raises PeeringError: ``not-allowed``.
    """
    _decide(session, peer, Decision.DECLINE, identity, now, actor)


def suspend(session: Session, peer: Peer, identity: Identity, now: datetime, actor: str) -> None:
    """Hide everything of ``peer`` at once, and keep it for 30 days, so that undo costs nothing.

    :raises PeeringError: ``not-allowed``.
    """
    _decide(session, peer, Decision.SUSPEND, identity, now, actor)


def resume(session: Session, peer: Peer, identity: Identity, now: datetime, actor: str) -> None:
    """Undo :func:`suspend`.

    :raises PeeringError: ``not-allowed``.
    """
    _decide(session, peer, Decision.RESUME, identity, now, actor)


def end(session: Session, peer: Peer, identity: Identity, now: datetime, actor: str) -> None:
    """End the peering: everything of ``peer`` is deleted here, and it is told so.

    :raises PeeringError: ``not-allowed``.
    """
    _decide(session, peer, Decision.END, identity, now, actor)


def block(session: Session, peer: Peer, identity: Identity, now: datetime, actor: str) -> None:
    """End the peering, if there is one, and never hear of ``peer`` again.

    :raises PeeringError: ``not-allowed``.
    """
    _decide(session, peer, Decision.BLOCK, identity, now, actor)


def unblock(session: Session, peer: Peer, identity: Identity, now: datetime, actor: str) -> None:
    """Hear ``peer`` again; the peering stays ended.

    :raises PeeringError: ``not-allowed``.
    """
    _decide(session, peer, Decision.UNBLOCK, identity, now, actor)


def confirm_key(
    session: Session, peer: Peer, identity: Identity, now: datetime, actor: str
) -> None:
    """Take the key that is on the door of a held space: its six words were compared again.

    The exchange goes on from where it stopped; what was held stays.

    :raises PeeringError: ``not-allowed``, when no key is held, or no plate with it could be read.
    """
    kid = peer.kid_to_compare
    if peer.ours != Half.KEY_HOLD or not kid:
        raise PeeringError("not-allowed", _cannot(peer, "confirm the key of"))
    try:
        entities.take_offered(peer, kid)
    except FederationError as error:
        raise PeeringError("not-allowed", f"Its door plate cannot be read: {error}.") from error
    _decide(session, peer, Decision.CONFIRM_KEY, identity, now, actor, root_kid=kid)


def accept_drop(session: Session, peer: Peer, now: datetime, actor: str) -> None:
    """Let the many records go that ``peer`` wants gone at once; the next pull deletes them.

    :raises PeeringError: ``not-allowed``, when nothing waits.
    """
    if peer.drop_waiting is None:
        raise PeeringError("not-allowed", f"{peer.name} does not wait for that answer.")
    peer.drop_accepted = True
    # Without it the neighbour might answer that nothing changed, and nothing would be deleted.
    peer.feed_etag = ""
    journal(session, now, "decision", "peer.drop-accepted", actor=actor, peer=peer)
    pull_soon(session, peer, now)


def pull_soon(session: Session, peer: Peer, now: datetime) -> None:
    """Make the next pull of ``peer`` due now; the worker does it."""
    peer.next_pull_at = now
    outbox.request(session, outbox.PULL, str(peer.id), now, peer_id=peer.id)


def look_again(session: Session, peer: Peer, now: datetime) -> None:
    """Make a look at the door of ``peer`` due now: which key does its plate show?"""
    outbox.request(session, outbox.ENTITY, str(peer.id), now, peer_id=peer.id)


def pair_code_of(peer: Peer, identity: Identity) -> tuple[str, ...]:
    """Return the six words that both admins see and compare by telephone."""
    return keys.pair_code(identity.root_kid, peer.kid_to_compare)


def receive_statement(
    session: Session, peer: Peer, token: str, identity: Identity, now: datetime
) -> bool:
    """Take in what a space that we know says of its half of the peering; the caller commits.

    :returns: whether it was news.
    :raises FederationError: not a statement, not by ``peer``, not for us, or not with the root
        key that our admin compared.
    """
    plate = entities.stored_configuration(peer)
    believed = {kid: key for kid, key in plate.root_keys.items() if kid == peer.root_kid}
    statement = signing.read(token, believed, PeeringStatement).document
    statement.require(peer.url, identity.entity_id, now)
    received = peering.receive(standing.of(peer), statement, now)
    standing.store(peer, received.peering)
    if received.answer:
        _state(session, peer, now)
    if not received.news:
        return False
    peer.their_note = statement.note
    if received.asks:
        peer.asked_at = now
    journal(
        session, now, "event", f"peer.said-{statement.state}", actor="worker", peer=peer,
        detail=statement.note,
    )  # fmt: skip
    if received.over:
        if peer.epoch:
            deliveries.acknowledge_nothing(session, peer, identity, now)
        copies.purge(session, peer)
    _settle(session, peer, identity, now)
    return True


def introduce(
    session: Session,
    url: str,
    token: str,
    identity: Identity,
    transport: Transport,
    now: datetime,
) -> bool:
    """Visit a space that knocked and that we do not know, and put its request before the admin.

    Commits before it asks the network; the caller commits the rest.

    :returns: whether a request now waits.
    :raises FederationError: unreachable, or what it sent is not a statement of its own for us.
    """
    address = EntityId.parse(url, development=identity.development)
    session.commit()
    found = client.read_entity(transport, address, now, pinned_kid=None)
    believed = {kid: key for kid, key in found.root_keys.items() if kid == found.root_kid}
    statement = signing.read(token, believed, PeeringStatement).document
    statement.require(address, identity.entity_id, now)
    known = session.scalars(select(Peer).filter_by(url=str(address))).one_or_none()
    if known is not None or statement.state != "approved":
        # Known meanwhile, because our admin knocked there; it will state its half again.
        return False
    peer = _new_peer(session, str(address), now)
    entities.hang(peer, found, now)
    peer.root_kid = found.root_kid
    return receive_statement(session, peer, token, identity, now)


def undecided() -> ColumnElement[bool]:
    """Return the condition on :class:`Peer` under which a space is there by its own wish alone."""
    # A request that was taken back is still one of a stranger: nobody here ever decided on it.
    return or_(Peer.ours == "requested", and_(Peer.ours == "none", Peer.decided_at.is_(None)))


def forget(session: Session, peer: Peer) -> None:
    """Delete ``peer`` and all that is held of it: for requests that nobody answered."""
    copies.purge(session, peer)
    session.execute(delete(Peer).where(Peer.id == peer.id))


def _decide(
    session: Session,
    peer: Peer,
    decision: Decision,
    identity: Identity,
    now: datetime,
    actor: str,
    *,
    root_kid: str | None = None,
) -> None:
    try:
        after = peering.decide(standing.of(peer), decision, now, root_kid=root_kid)
    except DecisionNotAllowedError as error:
        raise PeeringError("not-allowed", _cannot(peer, decision.value)) from error
    standing.store(peer, after)
    peer.decided_at = now
    session.flush()
    journal(session, now, "decision", _CODES[decision], actor=actor, peer=peer)
    if decision is not Decision.UNBLOCK:
        _state(session, peer, now)
    if decision in (Decision.END, Decision.BLOCK, Decision.DECLINE):
        if decision is Decision.END and peer.epoch:
            deliveries.acknowledge_nothing(session, peer, identity, now)
        copies.purge(session, peer)
    _settle(session, peer, identity, now)


def _settle(session: Session, peer: Peer, identity: Identity, now: datetime) -> None:
    """Make due, or call off, what follows from where the peering stands now."""
    if standing.is_active(peer, identity):
        peer.active_since = peer.active_since or now
        peer.purge_at = None
        pull_soon(session, peer, now)
        awaiting.ask_when_active(session, peer, now)
        return
    paused = Half.SUSPENDED in (peer.ours, peer.theirs)
    peer.purge_at = now + KEPT_WHEN_SUSPENDED if paused else None
    if peer.ours not in (Half.APPROVED, Half.SUSPENDED, Half.KEY_HOLD):
        peer.active_since = None
        awaiting.release(session, peer)
    peer.next_pull_at = None
    outbox.drop(session, outbox.PULL, str(peer.id))


def _state(session: Session, peer: Peer, now: datetime) -> None:
    outbox.request(session, outbox.STATEMENT, str(peer.id), now, peer_id=peer.id)


def _new_peer(session: Session, url: str, now: datetime) -> Peer:
    peer = Peer(
        url=url, created_at=now, ours="none", our_n=0, theirs="none", their_n=0, root_kid="",
        their_kid_seen="",
    )  # fmt: skip
    session.add(peer)
    return peer


def _refuse_knocking_at(peer: Peer) -> None:
    if peer.ours == Half.APPROVED and peer.theirs == Half.APPROVED:
        raise PeeringError("already-neighbours", f"{peer.name} is your neighbour already.")
    if peer.ours == Half.REQUESTED:
        raise PeeringError(
            "asked-already",
            f"{peer.name} has knocked at your door: compare the words and answer its request.",
        )
    if peer.ours in (Half.SUSPENDED, Half.BLOCKED, Half.KEY_HOLD):
        raise PeeringError("not-allowed", _cannot(peer, "knock at"))


_STANDS = {
    "none": "has not asked for anything",
    "requested": "waits for your answer",
    "approved": "is approved by you",
    "suspended": "is suspended",
    "ended": "was ended",
    "blocked": "is blocked",
    "key_hold": "waits for you to compare its new words",
}


def _cannot(peer: Peer, verb: str) -> str:
    return f"You cannot {verb} {peer.name or peer.url}: it {_STANDS[peer.ours]}."
