"""Where a peering stands: the row of a peer, read and written as the protocol's own value."""

from __future__ import annotations

from app.exchange.identity import Identity
from app.models.peer import Peer
from federation.peering import Half, Peering, active


def of(peer: Peer) -> Peering:
    """Return both halves of the peering with ``peer``."""
    # Files cannot decide: whoever signs them shows them to everybody, and so to us.
    silent = peer.static and (peer.theirs or "none") == "none"
    theirs = "approved" if silent else peer.theirs or "none"
    return Peering(
        ours=Half(peer.ours or "none"),
        our_n=peer.our_n or 0,
        theirs=Half(theirs),
        their_n=peer.their_n or 0,
        their_kid_seen=peer.their_kid_seen or "",
        root_kid=peer.root_kid or "",
    )


def store(peer: Peer, peering: Peering) -> None:
    """Write ``peering`` onto the row of ``peer``."""
    peer.ours = peering.ours.value
    peer.our_n = peering.our_n
    peer.theirs = peering.theirs.value
    peer.their_n = peering.their_n
    peer.their_kid_seen = peering.their_kid_seen
    peer.root_kid = peering.root_kid


def is_active(peer: Peer, identity: Identity) -> bool:
    """Say whether profiles may cross: both admins said yes, each to the key in use.

    From a static space they only come, and its admin is not asked.
    """
    if peer.static:
        found = of(peer)
        return (found.ours, found.theirs) == (Half.APPROVED, Half.APPROVED)
    return active(of(peer), identity.root_kids)
