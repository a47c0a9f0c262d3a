"""What one space asks of another, through a :class:`federation.transport.Transport`.

Answers are read strictly and returned unverified where they hold signed documents: whose keys
count is the caller's decision. An RFC 9457 problem becomes the error class of its ``type``.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from federation.entity import EntityConfiguration
from federation.identifiers import EntityId
from federation.transport import Transport

#: Media types, exactly.
JSON, JWT, PROBLEM = "application/json", "application/jwt", "application/problem+json"


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Signed records in feed order, still unverified, and where to go on."""

    epoch: str
    items: tuple[tuple[int, str], ...]
    """``(seq, jws)``, ``seq`` rising."""

    next: str
    """The cursor behind this page; opaque."""

    more: bool
    """There is another page already."""

    checkpoint: str
    """The newest checkpoint of the view (JWS), empty if the space has none yet."""

    etag: str = ""


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """One live record of a view."""

    sub: str
    rev: int
    digest: str
    """SHA-256 of its JWS, hexadecimal."""


def read_entity(
    transport: Transport,
    entity_id: EntityId,
    now: datetime,
    *,
    pinned_kid: str | None,
    announced: Collection[str] = (),
    newer_than: datetime | None = None,
) -> EntityConfiguration:
    """Fetch and verify the entity configuration of ``entity_id``.

    Raises as :meth:`Transport.get` and :func:`federation.entity.read` do.
    """
    raise NotImplementedError


def read_feed_page(
    transport: Transport,
    entity: EntityConfiguration,
    since: str = "",
    *,
    assertion: str = "",
    etag: str = "",
    limit: int | None = None,
) -> FeedPage | None:
    """Fetch the page of the feed behind cursor ``since`` (the beginning, when empty).

    :param assertion: a ``cdf-auth+jwt``; without it only public records are returned.
    :param etag: of the same page as last read.
    :returns: ``None`` when nothing changed since ``etag`` (304).
    :raises EpochChangedError: the cursor is of an earlier epoch: begin again without one.
    :raises NotPeeredError, SuspendedError, RateLimitedError: what the peer answered.
    :raises MalformedAnswerError: not a page. Other errors as :meth:`Transport.get`.
    """
    raise NotImplementedError


def read_checkpoint(
    transport: Transport, entity: EntityConfiguration, *, assertion: str = ""
) -> str:
    """Fetch the newest checkpoint of the view, unverified (JWS)."""
    raise NotImplementedError


def read_index(
    transport: Transport, entity: EntityConfiguration, *, assertion: str = ""
) -> tuple[IndexEntry, ...]:
    """Fetch the index of the view, which is asked for only when roots differ."""
    raise NotImplementedError


def deliver(transport: Transport, url: str, jws: str) -> None:
    """Post one signed document (statement, notice or acknowledgement) to ``url``.

    :raises FederationError: what the peer answered, when it did not accept it; or as
        :meth:`Transport.post`.
    """
    raise NotImplementedError
