"""Proofs about single records of neighbours, made from our copy and checked before they leave.

A path leads from a record to the root that its space signed only while our copy is exactly what
the space signed for. When it is not, there is no proof, and none is made up.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from app.exchange import roots
from app.models.peer import MirroredProfile
from federation import proof, signing
from federation.documents import Checkpoint
from federation.errors import FederationError
from federation.proof import Proof


class NoProofError(Exception):
    """Nothing can be proved about the record just now; its signature is as good as before."""


def proof_of(session: Session, profile: MirroredProfile, now: datetime) -> bytes:
    """Return the file that proves to anybody that its space stated ``profile``.

    :raises NoProofError: our copy is not what the space's last checkpoint states, or was signed
        with a key that the space no longer publishes.
    """
    peer = profile.peer
    if not peer.their_checkpoint:
        raise NoProofError("the space has not signed for the whole of its directory yet")
    claims = signing.unverified_claims(peer.their_checkpoint, Checkpoint.typ)
    checkpoint = Checkpoint.from_claims(claims)
    leaves = roots.of_copy(session, peer, checkpoint.issued_at)
    if len(leaves) != checkpoint.count or leaves.root().hex() != checkpoint.root:
        raise NoProofError("our copy is not what the space last signed for")
    try:
        made = Proof.of(profile.jws, leaves, peer.their_checkpoint, peer.entity_jws)
        # As whoever receives it will: a proof that does not hold must not leave the house.
        proof.verify(made, now, root_kid=peer.root_kid)
    except (FederationError, ValueError) as error:
        raise NoProofError(str(error)) from error
    return made.to_bytes()
