"""Our members, as the signed documents that other spaces receive.

The feed is compacted: one row per member, its latest profile or its withdrawal, at a position
taken under the lock of the feed's one state row. What is signed, and when:

* only what the member chose to show to neighbours or the web; nothing of anybody else;
* an unchanged member signs nothing, however often they are saved or imported;
* revisions rise and are never reused, also when a member leaves and returns;
* who was never published is never withdrawn: a tombstone would say that they exist;
* a withdrawal outlives every copy that was ever signed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.exchange import outbox
from app.exchange.identity import Identity
from app.models.feed import FeedEntry, FeedState
from app.models.member import WEB, Member, Service
from federation import documents
from federation.signing import sign

PROFILE, WITHDRAWAL = "profile", "withdrawal"

#: How long a signed profile is good; copies that nobody renews disappear after it.
PROFILE_LIFETIME = timedelta(days=90)

#: A profile is signed anew this long before it expires, so that a worker may pause for weeks.
RENEWED_BEFORE = timedelta(days=30)

#: The claims that are bookkeeping and not content.
BOOKKEEPING = ("iss", "sub", "rev", "iat", "exp")


def publish_member(session: Session, member: Member, identity: Identity, now: datetime) -> bool:
    """Bring what peers can read about ``member`` up to what the member chose.

    Signs a new profile, or the withdrawal of an earlier one, in the caller's transaction, and
    makes the checkpoint due; the caller commits.

    :returns: whether anything was signed.
    """
    raise NotImplementedError


def preview(member: Member, identity: Identity, now: datetime) -> dict[str, Any]:
    """Return the claims that neighbours receive, or would receive, about ``member``: no more.

    The profile's audience is taken as it stands; a member who shows nothing to neighbours sees
    what they would receive if it were ``neighbours``.
    """
    raise NotImplementedError
