"""Reading one page of a neighbour's feed and verifying it, before anything is written."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.exchange.identity import Identity
from federation import client, signing
from federation.documents import Assertion, Profile, Withdrawal
from federation.entity import EntityConfiguration
from federation.errors import FederationError, KeyUnknownError
from federation.keys import Keyring
from federation.signing import Signed
from federation.transport import Transport

#: Records asked for at once.
RECORDS_AT_ONCE = 200

#: Threads that check signatures, which takes most of the time and lets others run.
VERIFIERS = 2

#: Fewer records than this are not worth a thread.
WORTH_THREADS = 40


@dataclass(frozen=True, slots=True)
class Record:
    """One item of a page: the document, if one of the neighbour's keys signed it."""

    seq: int
    jws: str
    signed: Signed[Profile | Withdrawal] | None = None
    error: FederationError | None = None
    """Why it was not read; None when it was."""

    @property
    def subject(self) -> str:
        """Return whom it is about; empty when nobody vouches for it."""
        return self.signed.document.subject if self.signed is not None else ""


@dataclass(frozen=True, slots=True)
class Page:
    """A page with its records verified, in the order of the feed."""

    epoch: str
    records: tuple[Record, ...]
    next: str
    more: bool
    checkpoint: str
    etag: str
    unchanged: bool = False
    """The neighbour said that nothing changed since we last asked."""

    @property
    def names_unknown_key(self) -> bool:
        """Say whether a document names a key that is not on the plate."""
        return any(isinstance(record.error, KeyUnknownError) for record in self.records)

    def and_then(self, following: Page) -> Page:
        """Return this page and the ``following`` one as one."""
        return replace(following, records=self.records + following.records)

    def verified_with(self, keys: Keyring) -> Page:
        """Return the same page, verified once more with other keys."""
        items = [(record.seq, record.jws) for record in self.records]
        return replace(self, records=_all_verified(items, keys))


def read_page(
    transport: Transport,
    plate: EntityConfiguration,
    identity: Identity,
    since: str,
    etag: str,
    now: datetime,
) -> Page:
    """Fetch the page behind ``since`` and verify each document with the plate's keys.

    :raises FederationError: no page could be had; a bad document alone raises nothing.
    """
    found = client.read_feed_page(
        transport,
        plate,
        since,
        assertion=assertion_for(plate.endpoints.feed, plate, identity, now),
        etag=etag,
        limit=RECORDS_AT_ONCE,
    )
    if found is None:
        return Page("", (), since, False, "", etag, unchanged=True)
    records = _all_verified(found.items, plate.operational_keys)
    # The ETag names this very page: it serves only while the cursor stays.
    kept = found.etag if found.next == since else ""
    return Page(found.epoch, records, found.next, found.more, found.checkpoint, kept)


def read_records(
    transport: Transport,
    plate: EntityConfiguration,
    identity: Identity,
    refs: Sequence[str],
    now: datetime,
) -> tuple[Record, ...]:
    """Ask the feed for what it has about these members, and verify it with the plate's keys.

    :param refs: at most ``limits.ASKED_REFS``; what comes about anybody else is left out.
    :raises FederationError: no answer could be had; a bad document alone raises nothing.
    """
    word = assertion_for(plate.endpoints.feed, plate, identity, now)
    found = client.read_feed_page(transport, plate, assertion=word, refs=refs)
    if found is None:
        return ()
    wanted = {f"{plate.entity_id}/m/{ref}" for ref in refs}
    records = _all_verified(found.items, plate.operational_keys)
    # One that cannot be read names nobody: it is refused like any other.
    return tuple(each for each in records if each.signed is None or each.subject in wanted)


def assertion_for(url: str, plate: EntityConfiguration, identity: Identity, now: datetime) -> str:
    """Return our signed word for one reading of ``url``, an endpoint on ``plate``."""
    assertion = Assertion.of(
        identity.entity_id, plate.entity_id, "GET", url, secrets.token_urlsafe(16), now
    )
    return signing.issue(assertion, identity.operational_key)


def _all_verified(items: Sequence[tuple[int, str]], keys: Keyring) -> tuple[Record, ...]:
    tokens = [jws for _, jws in items]
    read: list[Signed[Profile | Withdrawal] | FederationError] = signing.read_all(
        tokens, keys, Profile, Withdrawal, each=_in_threads
    )
    return tuple(
        Record(seq, jws, error=found)
        if isinstance(found, FederationError)
        else Record(seq, jws, signed=found)
        for (seq, jws), found in zip(items, read, strict=True)
    )


def _in_threads(check: Callable[[Any], Any], every: Sequence[Any]) -> list[Any]:
    """Do ``check`` for each, in several threads when there are many."""
    if len(every) < WORTH_THREADS:
        return [check(one) for one in every]
    share = -(-len(every) // VERIFIERS)
    shares = [every[start : start + share] for start in range(0, len(every), share)]
    with ThreadPoolExecutor(VERIFIERS) as pool:
        done = pool.map(lambda some: [check(one) for one in some], shares)
        return [one for some in done for one in some]
