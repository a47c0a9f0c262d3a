"""Coming back from a backup: noticing it, and beginning anew.

A new epoch makes neighbours read the feed from the beginning instead of distrusting one that went
back; revisions go on far above those that were lost; and each neighbour is asked what it holds of
us (:mod:`app.exchange.recall`). That the database went back is told by an operator, by a file that
lies beside it and does not go back with it, or by our own signature under a state that we do not
know. Nobody else's word begins anything.
"""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import case, delete, func, select, update
from sqlalchemy.orm import Session

from app.exchange import awaiting, outbox, upkeep
from app.exchange.identity import Identity
from app.models.base import new_id
from app.models.consent import BY_RESTORED
from app.models.feed import FeedEntry, FeedState, OwnCheckpoint
from app.models.journal import note
from app.models.member import NEIGHBOURS, SPACE, WEB, Member
from app.search.index import index_members
from federation import signing
from federation.documents import Checkpoint, Profile, Withdrawal
from federation.keys import Keyring, kid
from federation.signing import Signed

#: More documents than one member signs between a backup and the loss of what came after it.
REVISIONS_SKIPPED = 10_000

#: How long neighbours may take to tell, before we state what we have: they refuse what is old.
ASKED_FIRST = timedelta(seconds=5)

#: The file beside the database that says how far it had come.
POSITION = "feed.position"


def begin_again(
    session: Session, now: datetime, *, actor: str = "command", detail: str = ""
) -> int:
    """Start a new epoch of the feed and ask the neighbours; the caller commits.

    :param actor: who noticed: ``command`` or ``worker``.
    :returns: how many profiles are published.
    """
    state = session.get_one(FeedState, 1, with_for_update=True, populate_existing=True)
    state.epoch, state.restored_at = new_id(), now
    # Minutes, so that a second return from the same backup counts above the first.
    minutes = int(now.timestamp()) // 60
    skipped = Member.revision + REVISIONS_SKIPPED
    session.execute(
        update(Member)
        .values(revision=case((skipped > minutes, skipped), else_=minutes))
        .execution_options(synchronize_session=False)
    )
    session.expire_all()
    _let_go_what_expired(session, now)
    awaiting.ask_all(session, now)
    outbox.request(session, outbox.CHECKPOINT, "", now, due_at=now + ASKED_FIRST)
    note(session, now, "decision", "space.restored", actor=actor, detail=detail)
    published = select(func.count()).select_from(FeedEntry).where(FeedEntry.kind == "profile")
    return session.scalar(published) or 0


def _let_go_what_expired(session: Session, now: datetime) -> None:
    """Show to nobody elsewhere who has expired: neighbours may have forgotten their withdrawal."""
    expired = select(FeedEntry.member_id).where(
        FeedEntry.kind == "profile", FeedEntry.expires_at <= now
    )
    shown = Member.audience.in_((NEIGHBOURS, WEB))
    members = list(session.scalars(select(Member).where(Member.id.in_(expired), shown)))
    for member in members:
        member.show_to(SPACE, now, by=BY_RESTORED)
    session.flush()
    session.execute(
        delete(FeedEntry)
        .where(FeedEntry.kind == "profile", FeedEntry.expires_at <= now)
        .execution_options(synchronize_session=False)
    )
    if members:
        index_members(session, members, lambda _done: None)


# --- noticing it


def remember(session: Session, file: Path) -> None:
    """Write into ``file`` how far our feed has come."""
    state = session.get_one(FeedState, 1)
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps({"epoch": state.epoch, "seq": state.seq}), encoding="utf-8")
    os.replace(fresh, file)


def notice(session: Session, file: Path, now: datetime) -> bool:
    """Begin again if our feed had come further than the database knows, by what ``file`` says.

    The caller commits.
    """
    if not _went_back(session, file):
        return False
    begin_again(session, now, actor="worker", detail="the database is older than what was signed")
    return True


def _went_back(session: Session, file: Path) -> bool:
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        epoch, seq = str(told["epoch"]), int(told["seq"])
    except (OSError, ValueError, TypeError, KeyError):
        # None yet, or not readable: neighbours may still notice.
        return False
    state = session.get_one(FeedState, 1)
    return epoch != state.epoch or seq > state.seq


def is_proof(session: Session, token: str, identity: Identity, now: datetime) -> bool:
    """Say whether ``token`` is a checkpoint that we signed and cannot know but from before.

    :raises FederationError: it is not our checkpoint.
    """
    found = signing.read(token, own_keys(identity), Checkpoint).document
    found.require_issuer(identity.entity_id)
    state = session.get_one(FeedState, 1)
    if found.issued_at > now or _known(session, found):
        return False
    if found.epoch == state.epoch:
        # Past ones are forgotten after a while; a higher position cannot be.
        remembered = found.issued_at > now - upkeep.CHECKPOINT_MEMORY / 2
        return found.seq > state.seq or remembered
    # Of another epoch: one that came after this one began, or one that it replaced.
    return state.restored_at is None or found.issued_at > state.restored_at


def is_later(session: Session, token: str, identity: Identity, now: datetime) -> bool:
    """Say whether ``token`` is a document that we signed after all that we know of its subject.

    :raises FederationError: it is not our document.
    """
    read: Signed[Profile | Withdrawal] = signing.read(
        token, own_keys(identity), Profile, Withdrawal
    )
    document = read.document
    document.require_issuer(identity.entity_id)
    back = session.get_one(FeedState, 1).restored_at
    if back is not None and document.issued_at <= back:
        # From the time that a return made us forget; it is asked for as such.
        return False
    entry = session.get(FeedEntry, document.subject)
    known = entry is not None and entry.revision >= document.revision
    return not known and document.issued_at <= now < document.expires_at


def own_keys(identity: Identity) -> Keyring:
    """Return the operational keys with which something of ours may be signed."""
    return {kid(key): key for key in identity.published_keys}


def _known(session: Session, checkpoint: Checkpoint) -> bool:
    known = select(OwnCheckpoint.id).where(
        OwnCheckpoint.view == checkpoint.view,
        OwnCheckpoint.epoch == checkpoint.epoch,
        OwnCheckpoint.seq == checkpoint.seq,
        OwnCheckpoint.root == checkpoint.root,
        OwnCheckpoint.count == checkpoint.count,
    )
    return session.scalar(known.limit(1)) is not None
