"""Writing one verified page of a neighbour's feed into our rows and our index.

Which record may change what is decided by ``federation.replica``; here its outcomes become rows,
in the caller's transaction.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.exchange import copies
from app.exchange.feeds import Page, Record
from app.exchange.identity import Identity
from app.models.journal import note
from app.models.peer import MirroredProfile, MirroredWithdrawal, Peer
from app.search.index import index_mirrored, remove_mirrored
from federation import signing
from federation.documents import PUBLIC, Profile, Withdrawal
from federation.errors import DocumentError, TooLargeError
from federation.limits import PEER_PROFILES, PEER_WITHDRAWALS
from federation.replica import Held, Outcome, Replica
from federation.signing import Signed


class Intake:
    """One page on its way into the database, with the rows that it may touch."""

    def __init__(
        self,
        session: Session,
        peer: Peer,
        page: Page,
        identity: Identity,
        now: datetime,
        *,
        room: int = PEER_PROFILES,
    ) -> None:
        """Read what is held about the subjects of ``page``.

        :param room: how many more profiles of ``peer`` may be held.
        """
        self._room = room
        self._session, self._peer, self._page, self._now = session, peer, page, now
        subjects = {record.subject for record in page.records if record.subject}
        self._profiles = {
            row.subject: row
            for row in session.scalars(
                select(MirroredProfile).where(
                    MirroredProfile.peer_id == peer.id, MirroredProfile.subject.in_(subjects)
                )
            )
        }
        self._tombstones = {
            row.subject: row
            for row in session.scalars(
                select(MirroredWithdrawal).where(
                    MirroredWithdrawal.peer_id == peer.id, MirroredWithdrawal.subject.in_(subjects)
                )
            )
        }
        self._replica = Replica(
            peer.url, identity.entity_id, self._held(), forgotten_until=peer.forgotten_until
        )
        self._to_index: dict[str, MirroredProfile] = {}

    def losses(self) -> int:
        """Return how many profiles that we hold the page would delete."""
        lost = 0
        for record in self._page.records:
            if record.signed is None or not isinstance(record.signed.document, Withdrawal):
                continue
            row = self._profiles.get(record.subject)
            lost += row is not None and record.signed.document.revision > row.revision
        return lost

    def admit(self, record: Record) -> Outcome:
        """Take one record in.

        :raises FederationError: it is refused, and nothing was changed.
        """
        if record.signed is None:
            raise record.error or DocumentError("not read")
        document = record.signed.document
        digest = signing.digest(record.signed.jws)
        outcome = self._replica.admit(document, digest, self._now)
        if outcome is Outcome.UNCHANGED:
            self._meet_again(document.subject)
        elif isinstance(document, Withdrawal):
            self._bury(document, record.signed.jws, digest)
        else:
            self._keep(document, record.signed, digest)
        return outcome

    def index(self) -> None:
        """Write what was taken in into the search index."""
        self._session.flush()
        for row in self._to_index.values():
            index_mirrored(self._session, row, self._peer)
        if self._tombstones and copies.forget_oldest_withdrawals(self._session, self._peer):
            note(
                self._session, self._now, "event", "too-many-withdrawals", actor="worker",
                peer=self._peer,
                detail=f"more than {PEER_WITHDRAWALS} withdrawals: the oldest are forgotten, and "
                "older profiles of people who are not held are refused",
            )  # fmt: skip

    def _held(self) -> dict[str, Held]:
        held = {
            row.subject: Held(row.revision, row.digest, row.expires_at)
            for row in self._profiles.values()
        }
        held.update(
            (row.subject, Held(row.revision, row.digest, row.expires_at, withdrawn=True))
            for row in self._tombstones.values()
        )
        return held

    def _meet_again(self, subject: str) -> None:
        row = self._profiles.get(subject)
        if row is not None:
            row.epoch = self._peer.epoch

    def _keep(self, profile: Profile, signed: Signed[Profile | Withdrawal], digest: str) -> None:
        subject = profile.subject
        if subject not in self._profiles and self._room <= 0:
            raise TooLargeError(f"more than {PEER_PROFILES} profiles of one space are not held")
        tombstone = self._tombstones.pop(subject, None)
        if tombstone is not None:
            self._session.delete(tombstone)
        row = self._profiles.get(subject)
        if row is None:
            self._room -= 1
            row = MirroredProfile(subject=subject, peer_id=self._peer.id)
            self._session.add(row)
            self._profiles[subject] = row
        row.revision, row.epoch = profile.revision, self._peer.epoch
        row.jws, row.digest, row.kid = signed.jws, digest, signed.kid
        row.public = profile.audience == PUBLIC
        row.document = profile.to_claims()
        row.name = profile.name
        row.issued_at, row.expires_at = profile.issued_at, profile.expires_at
        row.received_at = self._now
        self._to_index[subject] = row

    def _bury(self, withdrawal: Withdrawal, jws: str, digest: str) -> None:
        subject = withdrawal.subject
        self._to_index.pop(subject, None)
        row = self._profiles.pop(subject, None)
        if row is not None:
            self._room += 1
            self._session.flush()
            remove_mirrored(self._session, subject)
            self._session.delete(row)
        tombstone = self._tombstones.get(subject)
        if tombstone is None:
            tombstone = MirroredWithdrawal(subject=subject, peer_id=self._peer.id)
            self._session.add(tombstone)
            self._tombstones[subject] = tombstone
        tombstone.revision, tombstone.reason = withdrawal.revision, withdrawal.reason
        tombstone.jws, tombstone.digest = jws, digest
        tombstone.expires_at = self._replica.held[subject].expires_at
        tombstone.received_at = self._now
