"""What one space asks of another, through a :class:`federation.transport.Transport`.

Answers are read strictly and returned unverified where they hold signed documents: whose keys
count is the caller's decision. An RFC 9457 problem becomes the error class of its ``type``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, TypeGuard
from urllib.parse import urlencode

from federation import entity, limits, strict_json, tree
from federation.documents import Checkpoint, Photo
from federation.entity import MEDIA_TYPE, EntityConfiguration
from federation.errors import (
    PROBLEM_PREFIX,
    PROBLEMS,
    DocumentError,
    EndlessFeedError,
    FederationError,
    MalformedAnswerError,
    PhotoDiffersError,
    RateLimitedError,
    UnreachableError,
)
from federation.identifiers import EntityId, is_ref
from federation.transport import Answer, Transport

#: Media types, exactly.
JSON, JWT, PROBLEM = "application/json", "application/jwt", "application/problem+json"

#: What web servers say of a file whose name tells them nothing. Taken for a single signed document,
#: which names its type itself, under its signature; never for JSON, which nobody signed.
UNNAMED = ("application/octet-stream", "")


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
class HeldPage:
    """What a space holds of the caller, who signed all of it; still unverified."""

    items: tuple[str, ...]
    """Profiles and withdrawals (JWS)."""

    next: str
    """The cursor behind this page; opaque."""

    more: bool
    checkpoint: str
    """The newest checkpoint of the caller that the space believes (JWS); empty for none."""


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
    answer = transport.get(
        entity_id.configuration_url,
        max_bytes=limits.ENTITY_BYTES,
        headers={"Accept": MEDIA_TYPE},
    )
    token = _text(_accepted(answer, MEDIA_TYPE, *UNNAMED))
    return entity.read(
        token,
        entity_id,
        now,
        pinned_kid=pinned_kid,
        announced=announced,
        newer_than=newer_than,
    )


def read_feed_page(
    transport: Transport,
    space: EntityConfiguration,
    since: str = "",
    *,
    assertion: str = "",
    etag: str = "",
    limit: int | None = None,
    refs: Sequence[str] = (),
) -> FeedPage | None:
    """Fetch the page of the feed behind cursor ``since`` (the beginning, when empty).

    :param assertion: a ``cdf-auth+jwt``; without it only public records are returned.
    :param etag: of the same page as last read.
    :param refs: ask for the documents about these members instead, at most ``limits.ASKED_REFS``;
        whoever does not know that question answers with the first page. Not of a static space.
    :returns: ``None`` when nothing changed since ``etag`` (304).
    :raises EpochChangedError: the cursor is of an earlier epoch: begin again without one.
    :raises NotPeeredError, SuspendedError, RateLimitedError: what the peer answered.
    :raises MalformedAnswerError: not a page, or one behind which nobody gets on.
    :raises FederationError: as :meth:`Transport.get`.
    """
    url = _file_of(space, since) if space.static else _page_of(space, since, limit, refs)
    # A static space gives everybody the same files; nobody there wants to know who reads.
    known = "" if space.static else assertion
    headers = _headers(JSON, known) | ({"If-None-Match": etag} if etag else {})
    answer = transport.get(url, max_bytes=limits.PAGE_BYTES, headers=headers)
    if answer.status == 304 and etag:
        return None
    page = _object(_accepted(answer, JSON), limits.PAGE_BYTES)
    items, following = _items(page.get("items")), _string(page, "next", limits.CURSOR_CHARACTERS)
    more = _flag(page, "more")
    if more and (not items or following in ("", since)):
        raise EndlessFeedError("a page that leads nowhere, and says that there is more")
    return FeedPage(
        epoch=_string(page, "epoch", limits.EPOCH_CHARACTERS),
        items=items,
        next=following,
        more=more,
        checkpoint=_string(page, "checkpoint", limits.JWS_BYTES, default=""),
        etag=answer.headers.get("etag", "")[: limits.ETAG_CHARACTERS],
    )


def read_checkpoint(
    transport: Transport, space: EntityConfiguration, *, assertion: str = ""
) -> str:
    """Fetch the newest checkpoint of the view, unverified (JWS)."""
    answer = transport.get(
        space.endpoints.checkpoint, max_bytes=limits.JWS_BYTES, headers=_headers(JWT, assertion)
    )
    return _text(_accepted(answer, JWT, *UNNAMED))


def read_index(
    transport: Transport, space: EntityConfiguration, *, assertion: str = ""
) -> tuple[IndexEntry, ...]:
    """Fetch the index of the view, which is asked for only when roots differ.

    It is not signed: believe it only when :func:`index_agrees` with a checkpoint.
    """
    answer = transport.get(
        space.endpoints.index, max_bytes=limits.INDEX_BYTES, headers=_headers(JSON, assertion)
    )
    body = _accepted(answer, JSON)
    entries = _json(body, limits.INDEX_BYTES, max_values=4 * limits.INDEX_ENTRIES + 1)
    if not isinstance(entries, list) or len(entries) > limits.INDEX_ENTRIES:
        raise MalformedAnswerError("the index is not a list, or too long a one")
    return tuple(_entry(entry) for entry in entries)


def index_agrees(index: Collection[IndexEntry], checkpoint: Checkpoint) -> bool:
    """Say whether ``index``, which nobody signed, is the state that ``checkpoint`` states."""
    leaves = [
        tree.leaf_from_digest(entry.sub, entry.rev, bytes.fromhex(entry.digest)) for entry in index
    ]
    return len(index) == checkpoint.count and tree.root(leaves).hex() == checkpoint.root


def read_held(
    transport: Transport, space: EntityConfiguration, since: str = "", *, assertion: str
) -> HeldPage:
    """Fetch a page of what ``space`` holds of ours, whom ``assertion`` names.

    :raises NotPeeredError, SuspendedError, RateLimitedError: what the peer answered.
    :raises MalformedAnswerError: not a page, or a space that does not tell. Other errors as
        :meth:`Transport.get`.
    """
    if not space.endpoints.held:
        raise MalformedAnswerError("it does not tell what it holds of us")
    answer = transport.get(
        _asked(space.endpoints.held, since=since),
        max_bytes=limits.PAGE_BYTES,
        headers=_headers(JSON, assertion),
    )
    page = _object(_accepted(answer, JSON), limits.PAGE_BYTES)
    items = page.get("items")
    if not isinstance(items, list) or len(items) > limits.PAGE_ITEMS:
        raise MalformedAnswerError(f"items must be a list of at most {limits.PAGE_ITEMS}")
    if not all(isinstance(item, str) for item in items):
        raise MalformedAnswerError("an item must be a signed document")
    following, more = _string(page, "next", limits.CURSOR_CHARACTERS), _flag(page, "more")
    if more and (not following or following == since):
        raise MalformedAnswerError("there is more, and the cursor stays")
    checkpoint = _string(page, "checkpoint", limits.JWS_BYTES, default="")
    return HeldPage(tuple(items), following, more, checkpoint)


def read_photo(transport: Transport, photo: Photo, *, assertion: str = "") -> bytes:
    """Fetch the photo that a verified profile claims, as it was signed.

    What is returned is a stranger's file all the same: it is drawn anew before anybody sees it.

    :param assertion: a ``cdf-auth+jwt`` for this very address.
    :raises PhotoDiffersError: other bytes than those that were signed.
    :raises TooLargeError: more bytes than were signed.
    :raises MalformedAnswerError: another type; or what the peer answered.
    :raises FederationError: as :meth:`Transport.get`.
    """
    answer = transport.get(
        photo.url, max_bytes=photo.bytes, headers=_headers(photo.type, assertion)
    )
    # A file without an ending has no type on a file server; the signature knows it.
    image = _accepted(answer, photo.type, *UNNAMED)
    if hashlib.sha256(image).hexdigest() != photo.digest:
        raise PhotoDiffersError("not the photo that was signed")
    return image


def deliver(transport: Transport, url: str, jws: str) -> None:
    """Post one signed document (statement, notice or acknowledgement) to ``url``.

    :raises FederationError: what the peer answered, when it did not accept it; or as
        :meth:`Transport.post`.
    """
    answer = transport.post(
        url, jws.encode("ascii"), content_type=JWT, max_bytes=limits.PROBLEM_BYTES
    )
    if not 200 <= answer.status < 300:
        raise _refusal(answer)


def _page_of(space: EntityConfiguration, since: str, limit: int | None, refs: Sequence[str]) -> str:
    if refs:
        return _asked(space.endpoints.feed, refs=",".join(refs))
    return _asked(space.endpoints.feed, since=since, limit=str(limit) if limit else "")


def _asked(endpoint: str, **wanted: str) -> str:
    query = urlencode({name: value for name, value in wanted.items() if value}, safe=",")
    return endpoint + (f"?{query}" if query else "")


def _file_of(space: EntityConfiguration, since: str) -> str:
    """Return the file that holds the page behind ``since``: file servers ignore a query.

    :raises MalformedAnswerError: the cursor, which the space gave us, cannot be part of a name.
    """
    if not since:
        return space.endpoints.feed
    # The cursor stays within one name of the directory that the signed configuration named.
    if not is_ref(since):
        raise MalformedAnswerError("a static space's cursor is letters, digits, - and _")
    return f"{space.endpoints.feed.removesuffix('.json')}-{since}.json"


def _headers(accept: str, assertion: str) -> dict[str, str]:
    return {"Accept": accept} | ({"Authorization": f"Bearer {assertion}"} if assertion else {})


def _accepted(answer: Answer, media_type: str, *others: str) -> bytes:
    """Return the body of a 200 answer of exactly that media type, or one of ``others``."""
    if answer.status != 200:
        raise _refusal(answer)
    if answer.media_type not in (media_type, *others):
        raise MalformedAnswerError(f"{answer.media_type[:60]!r} where {media_type} was expected")
    return answer.body


def _refusal(answer: Answer) -> FederationError:
    """Return the error that stands for an answer which is not a success."""
    kind = PROBLEMS.get(_problem(answer))
    if answer.status == 429 or kind is RateLimitedError:
        return RateLimitedError("asked us to wait", _seconds(answer.headers.get("retry-after")))
    if kind is not None:
        return kind(f"the peer answered: {kind.problem}")
    if answer.status >= 500:
        return UnreachableError(f"answered {answer.status}")
    return MalformedAnswerError(f"answered {answer.status}, and not why")


def _problem(answer: Answer) -> str:
    """Return the name of the problem that an answer carries, or nothing that can be read."""
    if answer.media_type != PROBLEM:
        return ""
    try:
        told = strict_json.loads_object(answer.body, max_bytes=limits.PROBLEM_BYTES)
    except FederationError:
        # The status alone has to do: a refusal that cannot be read is a refusal.
        return ""
    kind = told.get("type")
    return kind.removeprefix(PROBLEM_PREFIX) if isinstance(kind, str) else ""


def _seconds(retry_after: str | None) -> int | None:
    # The other form of Retry-After is a date, of a clock that we have no reason to trust.
    if retry_after is None or not retry_after.isascii() or not retry_after.isdigit():
        return None
    return min(int(retry_after[:9]), limits.RETRY_AFTER_SECONDS)


def _text(body: bytes) -> str:
    try:
        return body.decode("ascii")
    except UnicodeDecodeError as error:
        raise MalformedAnswerError("a signed document is plain ASCII") from error


def _json(body: bytes, max_bytes: int, max_values: int | None = None) -> Any:
    try:
        return strict_json.loads(body, max_bytes=max_bytes, max_values=max_values)
    except DocumentError as error:
        raise MalformedAnswerError(str(error)) from error


def _object(body: bytes, max_bytes: int) -> dict[str, Any]:
    found = _json(body, max_bytes)
    if not isinstance(found, dict):
        raise MalformedAnswerError("not a JSON object")
    return found


def _items(items: object) -> tuple[tuple[int, str], ...]:
    if not isinstance(items, list) or len(items) > limits.PAGE_ITEMS:
        raise MalformedAnswerError(f"items must be a list of at most {limits.PAGE_ITEMS}")
    found = tuple(_item(item) for item in items)
    if any(after <= before for (before, _), (after, _) in pairwise(found)):
        raise MalformedAnswerError("items are not in rising order")
    return found


def _item(item: object) -> tuple[int, str]:
    seq, jws = (item.get("seq"), item.get("jws")) if isinstance(item, dict) else (None, None)
    if not _is_count(seq) or not isinstance(jws, str):
        raise MalformedAnswerError("an item must have a seq and a jws")
    return seq, jws


def _entry(entry: object) -> IndexEntry:
    if isinstance(entry, list) and len(entry) == 3:
        sub, rev, digest = entry
        if isinstance(sub, str) and _is_count(rev) and _is_digest(digest):
            return IndexEntry(sub, rev, digest)
    raise MalformedAnswerError("an entry of the index is [sub, rev, sha256]")


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def _is_digest(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and len(value) == 64 and not set(value) - set("0123456789abcdef")


def _string(page: Mapping[str, Any], name: str, longest: int, *, default: str | None = None) -> str:
    value = page.get(name, default)
    if not isinstance(value, str) or len(value) > longest or not value.isprintable():
        raise MalformedAnswerError(f"{name} must be text of at most {longest} characters")
    return value


def _flag(page: Mapping[str, Any], name: str) -> bool:
    value = page.get(name)
    if not isinstance(value, bool):
        raise MalformedAnswerError(f"{name} must be true or false")
    return value
