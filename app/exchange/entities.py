"""Door plates: what this space says about itself, and what others say of themselves.

A plate is an entity configuration (OpenID Federation), signed by the root key. Another space's is
believed only with the root key that our admin compared, or one that key announced; a plate signed
otherwise freezes the peering until an admin has looked.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.exchange import copies, lag, outbox, standing
from app.exchange.identity import Identity
from app.models.feed import FeedEntry
from app.models.journal import note
from app.models.peer import Peer
from app.models.space import ENAMELS, Space
from federation import client, entity, limits
from federation.documents import PUBLIC
from federation.entity import EntityConfiguration, Location
from federation.errors import FederationError, KeyChangedError
from federation.identifiers import EntityId
from federation.peering import key_changed, key_rolled
from federation.transport import Transport

#: Our half-states in which an admin has compared the root key that is on the row.
CONFIRMED = ("approved", "suspended", "key_hold")


def our_configuration(
    session: Session, space: Space, identity: Identity, now: datetime, *, static: bool = False
) -> str:
    """Return our own plate, signed: the same bytes for all who ask within one hour.

    :param static: of the space as a directory of plain files, which shares what is public.
    """
    shared = select(func.count()).select_from(FeedEntry).where(FeedEntry.kind == "profile")
    if static:
        shared = shared.where(FeedEntry.audience == PUBLIC)
    return entity.build(
        identity.space,
        root_key=identity.root_key,
        operational_keys=identity.published_keys,
        organization_name=space.name,
        location=Location(space.country, space.city, space.latitude, space.longitude),
        now=_hung_at(identity, now),
        next_kids=[identity.next_kid] if identity.next_kid else [],
        languages=space.languages,
        enamel=space.enamel,
        members=session.scalar(shared),
        static=static,
        policy_uri=space.policy_url,
        contacts=[space.contact] if space.contact else [],
    )


def _hung_at(identity: Identity, now: datetime) -> datetime:
    hour = now.replace(minute=0, second=0, microsecond=0)
    # Newer than the one before the change, or that one could be shown to peers again.
    return max(hour, identity.retired.changed_at or hour)


def stored_configuration(peer: Peer) -> EntityConfiguration:
    """Return the plate of ``peer`` as it was last verified, however long ago that was."""
    read_at = peer.entity_read_at or peer.created_at
    return entity.read(peer.entity_jws, peer.url, read_at, pinned_kid=None)


def current_configuration(
    session: Session, peer: Peer, transport: Transport, identity: Identity, now: datetime
) -> EntityConfiguration:
    """Return the plate of ``peer``, read afresh when it is due; raises as :func:`refresh` does."""
    held = stored_configuration(peer)
    if held.next_reading() > now:
        return held
    return refresh(session, peer, transport, identity, now)


def refresh(
    session: Session, peer: Peer, transport: Transport, identity: Identity, now: datetime
) -> EntityConfiguration:
    """Read the plate of ``peer`` and remember it; commits, and never asks inside a transaction.

    :raises KeyChangedError: signed by a key that nobody compared: the peering is frozen.
    :raises FederationError: unreachable, or not a plate; nothing has changed.
    """
    held = stored_configuration(peer)
    # Before our admin has said yes to a key, whatever is on the door counts: they see its words.
    confirmed = peer.ours in CONFIRMED
    pinned = peer.root_kid if confirmed else None
    session.commit()
    try:
        found = client.read_entity(
            transport,
            EntityId.parse(held.entity_id, development=identity.development),
            now,
            pinned_kid=pinned,
            announced=held.next_kids,
            newer_than=held.issued_at if confirmed else None,
        )
    except KeyChangedError as error:
        _hold(session, peer, now, str(error))
        _keep_offered(session, peer, transport, identity, now)
        raise
    if not confirmed:
        peer.root_kid = found.root_kid
    elif found.root_kid != peer.root_kid:
        standing.store(peer, key_rolled(standing.of(peer), found.root_kid, now))
        outbox.request(session, outbox.STATEMENT, str(peer.id), now, peer_id=peer.id)
        note(session, now, "event", "peer.key-rolled", actor="worker", peer=peer)
    rekeyed = set(held.operational_keys) != set(found.operational_keys)
    if not set(held.operational_keys) <= set(found.operational_keys):
        _disown(session, peer, found, now)
    hang(peer, found, now)
    if rekeyed and standing.is_active(peer, identity):
        # A notice signed with a new key was refused: what it announced is read now.
        outbox.request(session, outbox.PULL, str(peer.id), now, peer_id=peer.id)
    if peer.ours == "key_hold":
        # The key that was confirmed is back: that, too, is for the admin to judge.
        _offer(peer, found)
    session.commit()
    return found


def hang(peer: Peer, found: EntityConfiguration, now: datetime) -> None:
    """Write what a verified plate says onto the row of ``peer``."""
    peer.name = found.organization_name[:80]
    peer.city, peer.country = found.location.city[:80], found.location.country
    peer.latitude, peer.longitude = found.location.latitude, found.location.longitude
    peer.enamel = found.enamel if found.enamel in ENAMELS else "slate"
    peer.languages = list(found.languages)
    peer.member_count = None if found.members is None else min(found.members, limits.INDEX_ENTRIES)
    peer.policy_url = found.policy_uri
    if peer.static and not found.static:
        # As files it could not say yes; now that it can, it has to.
        peer.theirs = "none"
    peer.entity = {"root_kid": found.root_kid, "next_kids": list(found.next_kids)}
    peer.entity["static"] = found.static
    peer.entity_jws = found.jws
    peer.entity_read_at = now


def _disown(session: Session, peer: Peer, found: EntityConfiguration, now: datetime) -> None:
    gone = copies.disown(session, peer, found.operational_keys)
    if gone:
        note(
            session, now, "event", "peer.key-revoked", actor="worker", peer=peer,
            detail=f"{gone} documents were signed with a key that it publishes no more",
        )  # fmt: skip


def take_offered(peer: Peer, kid: str) -> None:
    """Hang the plate that was on the door of a held space, whose words an admin compared.

    :raises FederationError: it is not signed with the key of that thumbprint.
    """
    offered = str(peer.entity.get("offered_jws", ""))
    found = entity.read_as_issued(offered, peer.url, pinned_kid=kid)
    hang(peer, found, found.issued_at)


def _keep_offered(
    session: Session, peer: Peer, transport: Transport, identity: Identity, now: datetime
) -> None:
    """Keep the plate with the new key, for its words alone: nothing else of it is believed."""
    if peer.ours != "key_hold":
        return
    address = EntityId.parse(peer.url, development=identity.development)
    session.commit()
    try:
        _offer(peer, client.read_entity(transport, address, now, pinned_kid=None))
    except FederationError as error:
        # There are no words yet; an admin can have the door looked at again.
        note(
            session, now, "event", error.code, actor="worker", peer=peer,
            detail=f"its new key could not be read: {error}",
        )  # fmt: skip
    session.commit()


def _offer(peer: Peer, found: EntityConfiguration) -> None:
    peer.entity = {**peer.entity, "offered_kid": found.root_kid, "offered_jws": found.jws}


def _hold(session: Session, peer: Peer, now: datetime, problem: str) -> None:
    before = standing.of(peer)
    after = key_changed(before)
    if after != before:
        standing.store(peer, after)
        lag.confirm(peer, False, now)
        outbox.drop(session, outbox.PULL, str(peer.id))
        peer.next_pull_at = None
        note(session, now, "refusal", "key-hold", actor="worker", peer=peer, detail=problem)
    session.commit()
