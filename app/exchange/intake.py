"""Writing one verified page of a neighbour's feed into our rows and our index.

Which record may change what is decided by ``federation.replica``; here its outcomes become rows,
in the caller's transaction. What can be worked out before it begins is (:func:`prepare`): others
wait for a transaction that writes, and reading the words of a page takes longer than storing them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from app.exchange import copies, photos, roots
from app.exchange.feeds import Page, Record
from app.exchange.identity import Identity
from app.models.engine import reading
from app.models.journal import note
from app.models.peer import MirroredProfile, MirroredWithdrawal, Peer
from app.search.bulk import insert_all
from app.search.cards import Copy
from app.search.index import index_presented
from app.search.presenting import Presented, presented_copies
from federation import signing
from federation.documents import PUBLIC, Profile, Withdrawal
from federation.errors import DocumentError, TooLargeError
from federation.limits import PEER_PROFILES, PEER_WITHDRAWALS
from federation.replica import Held, Outcome, Replica
from federation.signing import Signed


@dataclass(frozen=True, slots=True)
class Prepared:
    """A profile as it would be stored, whether or not it will be."""

    values: dict[str, Any]
    said: Presented


#: By digest of the document.
Preparations = Mapping[str, Prepared]


def prepare(session: Session, page: Page, now: datetime) -> Preparations:
    """Work out what storing the profiles of ``page`` takes, those that are held already excepted.

    Reads, and ends its transaction before the work.
    """
    signed = [each.signed for each in page.records if each.signed is not None]
    profiles = [each for each in signed if isinstance(each.document, Profile)]
    if not profiles:
        return {}
    with reading():
        digests = [signing.digest(each.jws) for each in profiles]
        held = select(MirroredProfile.digest).where(
            MirroredProfile.subject.in_([each.document.subject for each in profiles])
        )
        known = set(session.scalars(held))
        session.commit()
    return _prepared(
        [
            (each.document, each, digest)
            for digest, each in zip(digests, profiles, strict=True)
            if digest not in known and isinstance(each.document, Profile)
        ],
        now,
    )


def _prepared(
    profiles: Sequence[tuple[Profile, Signed[Any], str]], now: datetime
) -> dict[str, Prepared]:
    """Return by digest what storing each of ``profiles`` takes."""
    rows = [_values(*each, now) for each in profiles]
    copies = [
        (Copy(row["subject"], row["name"], row["document"], "", row["issued_at"]), row["public"])
        for row in rows
    ]
    said = presented_copies(copies, now.date())
    return {row["digest"]: Prepared(row, one) for row, one in zip(rows, said, strict=True)}


def _values(profile: Profile, signed: Signed[Any], digest: str, now: datetime) -> dict[str, Any]:
    return {
        "subject": profile.subject,
        "revision": profile.revision,
        "jws": signed.jws,
        "digest": digest,
        "kid": signed.kid,
        # For peers alone, and yet with claims for their visitors: those are all that visitors see.
        "public": profile.audience == PUBLIC or bool(profile.web),
        "document": profile.to_claims(),
        "name": profile.name,
        "photo_claimed": profile.photo.digest if profile.photo else "",
        "issued_at": profile.issued_at,
        "expires_at": profile.expires_at,
        "received_at": now,
    }


class Intake:
    """One page on its way into the database: decided record by record, written by :meth:`write`."""

    def __init__(
        self,
        session: Session,
        peer: Peer,
        page: Page,
        identity: Identity,
        now: datetime,
        *,
        room: int = PEER_PROFILES,
        prepared: Preparations | None = None,
    ) -> None:
        """Read what is held about the subjects of ``page``.

        :param room: how many more profiles of ``peer`` may be held.
        """
        self._room, self._prepared = room, prepared or {}
        self._session, self._peer, self._page, self._now = session, peer, page, now
        subjects = {record.subject for record in page.records if record.subject}
        self._profiles = _held(session, MirroredProfile, peer, subjects)
        self._tombstones = _held(session, MirroredWithdrawal, peer, subjects)
        self._replica = Replica(
            peer.url,
            identity.entity_id,
            self._profiles | self._tombstones,
            forgotten_until=peer.forgotten_until,
        )
        self._kept: dict[str, Prepared] = {}
        self._buried: dict[str, dict[str, Any]] = {}
        self._met: list[str] = []

    def losses(self) -> int:
        """Return how many profiles that we hold the page would delete."""
        lost = 0
        for record in self._page.records:
            if record.signed is None or not isinstance(record.signed.document, Withdrawal):
                continue
            held = self._profiles.get(record.subject)
            lost += held is not None and record.signed.document.revision > held.rev
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
            self._met.append(document.subject)
        elif isinstance(document, Withdrawal):
            self._bury(document, record.signed.jws, digest, outcome)
        else:
            self._keep(document, record.signed, digest, outcome)
        return outcome

    def write(self) -> None:
        """Write what was taken in, and index it; the caller commits."""
        self._drop_buried()
        self._write_tombstones()
        self._write_profiles()
        self._meet_again()
        if self._buried and copies.forget_oldest_withdrawals(self._session, self._peer):
            note(
                self._session, self._now, "event", "too-many-withdrawals", actor="worker",
                peer=self._peer,
                detail=f"more than {PEER_WITHDRAWALS} withdrawals: the oldest are forgotten, and "
                "older profiles of people who are not held are refused",
            )  # fmt: skip

    def _keep(
        self, profile: Profile, signed: Signed[Profile | Withdrawal], digest: str, outcome: Outcome
    ) -> None:
        if outcome is Outcome.NEW:
            if self._room <= 0:
                raise TooLargeError(f"more than {PEER_PROFILES} profiles of one space are not held")
            self._room -= 1
        subject = profile.subject
        self._buried.pop(subject, None)
        ready = self._prepared.get(digest)
        if ready is None:
            ready = _prepared([(profile, signed, digest)], self._now)[digest]
        self._kept[subject] = ready

    def _bury(self, withdrawal: Withdrawal, jws: str, digest: str, outcome: Outcome) -> None:
        self._room += outcome is Outcome.WITHDRAWN
        subject = withdrawal.subject
        self._kept.pop(subject, None)
        self._buried[subject] = {
            "subject": subject,
            "peer_id": self._peer.id,
            "revision": withdrawal.revision,
            "jws": jws,
            "digest": digest,
            "reason": withdrawal.reason,
            "expires_at": self._replica.held[subject].expires_at,
            "received_at": self._now,
        }

    def _drop_buried(self) -> None:
        gone = [subject for subject in self._buried if subject in self._profiles]
        if gone:
            copies.remove(self._session, gone)

    def _write_tombstones(self) -> None:
        replaced = [each for each in (*self._kept, *self._buried) if each in self._tombstones]
        if replaced:
            self._session.execute(
                delete(MirroredWithdrawal).where(MirroredWithdrawal.subject.in_(replaced))
            )
        if self._buried:
            self._session.execute(insert(_TOMBSTONES), list(self._buried.values()))

    def _write_profiles(self) -> None:
        if not self._kept:
            return
        more = {"peer_id": self._peer.id, "epoch": self._peer.epoch}
        rows = [ready.values | more for ready in self._kept.values()]
        new = [row for row in rows if row["subject"] not in self._profiles]
        insert_all(self._session.connection(), _PROFILES, new)
        others = [row for row in rows if row["subject"] in self._profiles]
        if others:
            whose = _PROFILES.c.subject == bindparam("whose")
            changed = [row | {"whose": row["subject"]} for row in others]
            self._session.execute(update(_PROFILES).where(whose), changed)
            photos.drop_outdated(self._session, [row["subject"] for row in others])
        if any(row["photo_claimed"] for row in rows):
            photos.request(self._session, self._peer, self._now)
        self._index()
        roots.taken_in(
            self._session,
            self._peer,
            [(row["subject"], row["revision"], row["digest"], row["expires_at"]) for row in rows],
        )

    def _index(self) -> None:
        ids = select(MirroredProfile.subject, MirroredProfile.id).where(
            MirroredProfile.subject.in_(self._kept)
        )
        id_of = {subject: number for subject, number in self._session.execute(ids)}
        index_presented(
            self._session,
            self._peer.id,
            [(id_of[subject], subject, ready.said) for subject, ready in self._kept.items()],
        )

    def _meet_again(self) -> None:
        if self._met:
            self._session.execute(
                update(_PROFILES)
                .where(_PROFILES.c.subject.in_(self._met), _PROFILES.c.epoch != self._peer.epoch)
                .values(epoch=self._peer.epoch)
            )


_PROFILES = cast("Table", MirroredProfile.__table__)
_TOMBSTONES = cast("Table", MirroredWithdrawal.__table__)


def _held(
    session: Session,
    kind: type[MirroredProfile | MirroredWithdrawal],
    peer: Peer,
    subjects: Collection[str],
) -> dict[str, Held]:
    found = select(kind.subject, kind.revision, kind.digest, kind.expires_at).where(
        kind.peer_id == peer.id, kind.subject.in_(subjects)
    )
    withdrawn = kind is MirroredWithdrawal
    return {
        subject: Held(revision, digest, expires_at, withdrawn=withdrawn)
        for subject, revision, digest, expires_at in session.execute(found)
    }
