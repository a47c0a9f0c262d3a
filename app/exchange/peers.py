"""Admins' decisions about other spaces, and what those spaces say of us.

Nothing here is automatic: a statement of theirs changes their half of the peering, an admin's
decision changes ours, and documents cross only while both halves are approved for the root keys
in use. Every decision is remembered with who made it; a space that was declined or blocked is
never proposed again.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from app.exchange.identity import Identity
from app.models.peer import Peer
from app.models.space import Space
from federation.transport import Transport


class PeeringError(Exception):
    """A step of a peering that cannot be taken; the text is a sentence for the admin.

    ``code`` is for programs: ``not-an-address``, ``not-https``, ``private-address``,
    ``own-address``, ``unreachable``, ``slow``, ``not-a-space``, ``already-neighbours``,
    ``declined-before``, ``key-changed`` or ``not-allowed``.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def knock(
    session: Session,
    url: str,
    identity: Identity,
    transport: Transport,
    space: Space,
    note: str,
    now: datetime,
    actor: str,
) -> Peer:
    """Ask the space at ``url`` to be neighbours; our half stands approved from now on.

    Ends the session's transaction before it asks the network, so that nobody waits for us while
    we wait for them; the caller commits the rest.

    :param note: a few words for their admin, at most 500 characters.
    :param actor: who decided: an account's reference, or ``command``.
    :raises PeeringError: the address cannot be knocked at, or nothing usable answers there.
    """
    raise NotImplementedError


def approve(session: Session, peer: Peer, identity: Identity, now: datetime, actor: str) -> None:
    """Say yes to ``peer`` and to the root key whose words the admin compared.

    :raises PeeringError: ``not-allowed``, when nobody asked, or the peering stands otherwise.
    """
    raise NotImplementedError


def decline(session: Session, peer: Peer, identity: Identity, now: datetime, actor: str) -> None:
    """Say no to a request; the space is not proposed again.

    :raises PeeringError: ``not-allowed``.
    """
    raise NotImplementedError


def suspend(session: Session, peer: Peer, identity: Identity, now: datetime, actor: str) -> None:
    """Hide everything of ``peer`` at once, and keep it for 30 days, so that undo costs nothing.

    :raises PeeringError: ``not-allowed``.
    """
    raise NotImplementedError


def resume(session: Session, peer: Peer, identity: Identity, now: datetime, actor: str) -> None:
    """Undo :func:`suspend`.

    :raises PeeringError: ``not-allowed``.
    """
    raise NotImplementedError


def end(session: Session, peer: Peer, identity: Identity, now: datetime, actor: str) -> None:
    """End the peering: everything of ``peer`` is deleted here, and it is told so.

    :raises PeeringError: ``not-allowed``.
    """
    raise NotImplementedError


def block(session: Session, peer: Peer, identity: Identity, now: datetime, actor: str) -> None:
    """End the peering, if there is one, and never hear of ``peer`` again.

    :raises PeeringError: ``not-allowed``.
    """
    raise NotImplementedError


def pull_soon(session: Session, peer: Peer, now: datetime) -> None:
    """Make the next pull of ``peer`` due now; the worker does it."""
    raise NotImplementedError


def pair_code_of(peer: Peer, identity: Identity) -> tuple[str, ...]:
    """Return the six words that both admins see and compare by telephone."""
    raise NotImplementedError
