"""What neighbouring spaces were really given about a member: the document in the feed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.exchange.describing import subject_of
from app.exchange.identity import Identity
from app.exchange.publish import PROFILE
from app.models.feed import FeedEntry
from app.models.member import Member
from federation import signing
from federation.documents import PUBLIC, Profile


@dataclass(frozen=True, slots=True)
class Given:
    """A document as it lies in the feed."""

    jws: str
    claims: dict[str, Any]
    to_anybody: bool
    """Whoever asks gets it, not approved neighbours alone."""


def given(session: Session, member: Member, identity: Identity) -> Given | None:
    """Return what neighbours get of ``member``; ``None`` while that is nothing."""
    entry = session.get(FeedEntry, subject_of(member, identity))
    if entry is None or entry.kind != PROFILE:
        return None
    claims = signing.unverified_claims(entry.jws, Profile.typ)
    return Given(entry.jws, dict(claims), entry.audience == PUBLIC)
