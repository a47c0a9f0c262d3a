"""The search index: a cache of what people say of themselves, rebuilt by one command."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from app.models.member import Member
from app.models.peer import MirroredProfile, Peer


def ensure_tables(connection: Connection) -> None:
    """Create the index's tables unless they are there."""


def index_member(session: Session, member: Member) -> None:
    """Write what ``member`` says into the index, in the caller's transaction."""


def remove_member(session: Session, member: Member) -> None:
    """Take ``member`` out of the index."""


def index_mirrored(session: Session, profile: MirroredProfile, peer: Peer) -> None:
    """Write what a neighbour's profile says into the index, in the caller's transaction."""


def remove_mirrored(session: Session, subject: str) -> None:
    """Take the neighbour's profile of ``subject`` out of the index."""


def rebuild(session: Session, progress: Callable[[int, int], None] | None = None) -> int:
    """Make the index anew from the rows it caches and return how many people it holds."""
    return 0


def check(session: Session) -> list[str]:
    """Return what differs between the index and the rows it caches; nothing when it is true."""
    return []
