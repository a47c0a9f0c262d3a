"""Photos: those of our members, and those that neighbours' profiles claim.

A neighbour's photo is fetched by the worker alone, in a job of its own, so that whoever is slow or
lies delays photos and nothing else; it is drawn anew here, and readers get our copy of it.

* Only for profiles that are held, and of a neighbour with which documents may cross.
* The bytes must be those that were signed, and a picture: whatever else comes is refused, written
  down in one line a turn, and asked for again after :data:`TRIED_AGAIN_AFTER`, or at once when the
  profile claims another one.
* Of one neighbour at most so many photos, and so many bytes, are kept. Each goes with its profile:
  when that is withdrawn, expires, or the peering ends.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from app.exchange import entities, outbox
from app.exchange.feeds import assertion_for
from app.exchange.identity import Identity
from app.exchange.pictures import Picture, PictureRefusedError, drawn_anew
from app.exchange.turn import TurnOverError
from app.models.journal import note
from app.models.member import Member
from app.models.peer import MirroredProfile, Peer
from app.models.photo import MirroredPhoto, Photo
from app.models.scope import shown_peers
from federation import client, documents
from federation.entity import EntityConfiguration
from federation.errors import DocumentError, MalformedAnswerError, TooLargeError
from federation.transport import Transport

#: Photos of one neighbour that are kept, and their bytes: one of ours takes about 10,000.
PEER_PHOTOS = 5000
PEER_BYTES = 64 * 1024 * 1024

#: Photos fetched in one turn; the time of a turn may end it sooner (``app.exchange.turn``).
AT_ONCE = 50

#: When a photo that was refused is asked for again.
TRIED_AGAIN_AFTER = timedelta(days=7)

#: Refused photos that are named in the journal's line; of further ones only the number is.
NAMED = 3

#: What is the fault of the photo, and not of the weather.
_FAULTS = (DocumentError, TooLargeError, MalformedAnswerError, PictureRefusedError)


# --- of our members


def show(session: Session, member: Member, picture: Picture, now: datetime) -> None:
    """Let ``picture`` be the photo of ``member``; the caller publishes, and commits."""
    session.flush()
    photo = session.get(Photo, member.id) or Photo(member_id=member.id)
    photo.digest, photo.image, photo.changed_at = picture.digest, picture.image, now
    session.add(photo)
    member.photo = picture.facts()


def remove(session: Session, member: Member) -> None:
    """Delete the photo of ``member``, if there is one; the caller publishes, and commits."""
    if member.id is not None:
        session.execute(delete(Photo).where(Photo.member_id == member.id))
    member.photo = {}


# --- of neighbours' people


@dataclass(frozen=True, slots=True)
class Wanted:
    """A photo that a profile claims and that is not here."""

    profile_id: int
    name: str
    """Whose it is."""

    claim: documents.Photo


@dataclass(slots=True)
class Fetched:
    """What one turn brought."""

    kept: int = 0
    refused: list[str] = field(default_factory=list)
    """Whose photo, and why, in words."""

    full: bool = False
    """No more photos of this neighbour are kept."""

    more: bool = False

    def told(self) -> str:
        """Return it in a few words."""
        counts = {"fetched": self.kept, "refused": len(self.refused)}
        return ", ".join(f"{count} {word}" for word, count in counts.items() if count) or "none"


def request(session: Session, peer: Peer, now: datetime) -> None:
    """Make the photos of ``peer`` due, if some that it claims are not here; the caller commits."""
    if session.scalar(select(MirroredProfile.id).where(_missing(peer, now)).limit(1)) is not None:
        outbox.request(session, outbox.PHOTOS, str(peer.id), now, peer_id=peer.id)


def request_all(session: Session, now: datetime) -> None:
    """Make due what is missing of every neighbour whose people are shown; the caller commits."""
    for peer in session.scalars(select(Peer).where(shown_peers())):
        request(session, peer, now)


def drop_outdated(session: Session, subjects: Collection[str]) -> None:
    """Delete our copies of photos that these profiles do not claim any more."""
    other_claim = exists().where(
        MirroredProfile.id == MirroredPhoto.profile_id,
        MirroredProfile.subject.in_(subjects),
        MirroredProfile.photo_claimed != MirroredPhoto.claimed,
    )
    session.execute(
        delete(MirroredPhoto).where(other_claim).execution_options(synchronize_session=False)
    )
    ours = exists().where(
        MirroredPhoto.profile_id == MirroredProfile.id, MirroredPhoto.digest != ""
    )
    session.execute(
        update(MirroredProfile)
        .where(MirroredProfile.subject.in_(subjects), MirroredProfile.photo != "", ~ours)
        .values(photo="")
        .execution_options(synchronize_session=False)
    )


def fetch(
    session: Session, peer: Peer, transport: Transport, identity: Identity, now: datetime
) -> Fetched:
    """Fetch what ``peer`` claims and is not here, photo by photo, and commit each.

    :raises FederationError: no answer came, or no more will for now; what was committed stays.
    """
    plate, fetched = entities.stored_configuration(peer), Fetched()
    wanted = _wanted(session, peer, now)
    session.commit()
    try:
        for one in wanted[:AT_ONCE]:
            if not _has_room(session, peer):
                fetched.full = True
                break
            session.commit()
            _fetch_one(session, peer, one, plate, transport, identity, now, fetched)
        fetched.more = len(wanted) > AT_ONCE and not fetched.full
    except TurnOverError:
        fetched.more = True
    finally:
        _write_down(session, peer, fetched, now)
    return fetched


def _fetch_one(
    session: Session,
    peer: Peer,
    wanted: Wanted,
    plate: EntityConfiguration,
    transport: Transport,
    identity: Identity,
    now: datetime,
    fetched: Fetched,
) -> None:
    claim = wanted.claim
    word = "" if plate.static else assertion_for(claim.url, plate, identity, now)
    try:
        picture = drawn_anew(client.read_photo(transport, claim, assertion=word))
    except _FAULTS as error:
        fetched.refused.append(f"{wanted.name}: {error}")
        code = f"photo-{error.why}" if isinstance(error, PictureRefusedError) else error.code
        _keep(session, peer, wanted, now, refused=code)
    else:
        fetched.kept += _keep(session, peer, wanted, now, picture)


def _keep(
    session: Session,
    peer: Peer,
    wanted: Wanted,
    now: datetime,
    picture: Picture | None = None,
    refused: str = "",
) -> bool:
    """Write down what became of a photo, unless its profile says something else by now."""
    profile = session.get(
        MirroredProfile, wanted.profile_id, with_for_update=True, populate_existing=True
    )
    still = profile is not None and profile.photo_claimed == wanted.claim.digest
    if profile is not None and still:
        row = session.get(MirroredPhoto, profile.id) or MirroredPhoto(profile_id=profile.id)
        row.peer_id, row.claimed, row.refused, row.fetched_at = (
            peer.id, wanted.claim.digest, refused, now,
        )  # fmt: skip
        row.digest = profile.photo = picture.digest if picture else ""
        row.image = picture.image if picture else b""
        session.add(row)
    session.commit()
    return still


def _wanted(session: Session, peer: Peer, now: datetime) -> list[Wanted]:
    rows = session.execute(
        select(MirroredProfile.id, MirroredProfile.name, MirroredProfile.document)
        .where(_missing(peer, now))
        .order_by(MirroredProfile.id)
        .limit(AT_ONCE + 1)
    )
    return [
        Wanted(id_, name, documents.Photo.model_validate(document["photo"]))
        for id_, name, document in rows
    ]


def _missing(peer: Peer, now: datetime) -> ColumnElement[bool]:
    """Return the condition under which a profile of ``peer`` has a photo that is to be fetched."""
    done = exists().where(
        MirroredPhoto.profile_id == MirroredProfile.id,
        MirroredPhoto.claimed == MirroredProfile.photo_claimed,
        or_(MirroredPhoto.digest != "", MirroredPhoto.fetched_at > now - TRIED_AGAIN_AFTER),
    )
    return and_(
        MirroredProfile.peer_id == peer.id,
        MirroredProfile.photo_claimed != "",
        MirroredProfile.expires_at > now,
        ~done,
    )


def _has_room(session: Session, peer: Peer) -> bool:
    of_peer = MirroredPhoto.peer_id == peer.id
    number, size = session.execute(
        select(func.count(), func.coalesce(func.sum(func.length(MirroredPhoto.image)), 0)).where(
            of_peer
        )
    ).one()
    return bool(number < PEER_PHOTOS and size < PEER_BYTES)


def _write_down(session: Session, peer: Peer, fetched: Fetched, now: datetime) -> None:
    """Say in one line of the journal what was refused, and commit."""
    if fetched.refused:
        named = "; ".join(fetched.refused[:NAMED])
        others = len(fetched.refused) - NAMED
        note(
            session, now, "refusal", "photo-refused", actor="worker", peer=peer,
            detail=f"{named}; and {others} more" if others > 0 else named,
        )  # fmt: skip
    if fetched.full:
        note(
            session, now, "event", "too-many-photos", actor="worker", peer=peer,
            detail=f"of one space at most {PEER_PHOTOS} photos and {PEER_BYTES} bytes are kept",
        )  # fmt: skip
    session.commit()
