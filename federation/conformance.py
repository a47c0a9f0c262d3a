"""Is what runs at an address a space as PROTOCOL.md means it? Asked from outside, as a stranger.

Nothing is known of how the space is made. It is read as any stranger may read it, and is sent what
it has to refuse: nothing that it would keep, and nothing that makes it visit anybody. What only
neighbours see is not examined.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from federation import client, limits, signing
from federation.client import JSON, UNNAMED, FeedPage
from federation.documents import PUBLIC, Assertion, Checkpoint, Notice, Profile, Withdrawal
from federation.entity import MEDIA_TYPE, EntityConfiguration
from federation.errors import FederationError
from federation.examination import (
    BrokenError,
    Finding,
    SkippedError,
    Verdict,
    Visit,
    finding,
    refused,
    require,
)
from federation.identifiers import EntityId
from federation.keys import new_key
from federation.replica import Replica, progress
from federation.signing import Signed
from federation.transport import Transport

#: Whom we claim to be where a stranger is needed: a name that can never lead anywhere (RFC 6761).
NOBODY = EntityId.parse("https://conformance.invalid")

#: Pages read of one feed; 200,000 records.
PAGES = 1000

#: Records of a page where paging itself is looked at, and how many such pages are read.
SMALL, SMALL_PAGES = 2, 10


def examine(transport: Transport, entity_id: EntityId, now: datetime) -> list[Finding]:
    """Return a finding for each check of the space at ``entity_id``, in the order of asking.

    Never raises for what the space does; about forty requests, and its whole public feed.
    """
    visit = Visit(transport, entity_id, now)
    return [finding(visit, name, section, check) for name, section, check in _CHECKS]


def conforms(findings: list[Finding]) -> bool:
    """Say whether nothing failed."""
    return all(each.verdict is not Verdict.FAILED for each in findings)


# --- who it says it is


def _configuration(visit: Visit) -> None:
    visit.space = client.read_entity(visit.transport, visit.entity_id, visit.now, pinned_kid=None)


def _configuration_type(visit: Visit) -> None:
    space = visit.plate()
    answer = visit.get(visit.entity_id.configuration_url, MEDIA_TYPE)
    allowed = (MEDIA_TYPE, *UNNAMED) if space.static else (MEDIA_TYPE,)
    require(answer.media_type in allowed, f"it comes as {answer.media_type[:60]!r}")


def _configuration_age(visit: Visit) -> None:
    age = visit.now - visit.plate().issued_at
    require(age <= limits.ENTITY_RENEWAL + limits.CLOCK_SKEW, f"signed {age.days} days ago")


# --- the feed


def _feed(visit: Visit) -> None:
    space, since = visit.plate(), ""
    pages: list[FeedPage] = []
    for _ in range(PAGES):
        page = _page(visit, space, since)
        pages.append(page)
        if not page.more:
            visit.pages = pages
            return
        require(page.next != since, "there is more, and the cursor stays")
        since = page.next
    raise SkippedError(f"more than {PAGES} pages")


def _page(visit: Visit, space: EntityConfiguration, since: str, **asked: int) -> FeedPage:
    page = client.read_feed_page(visit.transport, space, since, limit=asked.get("limit"))
    if page is None:
        raise BrokenError("304 to a question without If-None-Match")
    return page


def _feed_order(visit: Visit) -> None:
    positions = [seq for page in visit.feed() for seq, _ in page.items]
    require(positions == sorted(set(positions)), "positions do not rise over the pages")
    require(len({page.epoch for page in visit.feed()}) == 1, "the epoch changed on the way")


def _documents(visit: Visit) -> None:
    """Take every document in, as a neighbour would."""
    space = visit.plate()
    copy = Replica(space.entity_id, NOBODY)
    for page in visit.feed():
        for seq, jws in page.items:
            try:
                read: Signed[Profile | Withdrawal] = signing.read(
                    jws, space.operational_keys, Profile, Withdrawal
                )
                copy.admit(read.document, signing.digest(jws), visit.now)
            except FederationError as error:
                raise BrokenError(f"position {seq}: {error.code}: {error}") from error
    visit.copy = copy


def _one_row_per_subject(visit: Visit) -> None:
    if visit.copy is None:
        raise SkippedError("not every document can be read")
    rows = sum(len(page.items) for page in visit.feed())
    require(rows == len(visit.copy.held), "somebody occurs twice: the feed is not compacted")


def _only_public(visit: Visit) -> None:
    for page in visit.feed():
        for seq, jws in page.items:
            if signing.typ_of(jws) != Profile.typ:
                continue
            aud = signing.unverified_claims(jws, Profile.typ).get("aud")
            require(aud == PUBLIC, f"position {seq} is shown to strangers and is for {aud!r:.60}")


def _limit(visit: Visit) -> None:
    space, everything = visit.served(), [item for page in visit.feed() for item in page.items]
    since = ""
    read: list[tuple[int, str]] = []
    for _ in range(SMALL_PAGES):
        page = _page(visit, space, since, limit=SMALL)
        require(len(page.items) <= SMALL, f"{len(page.items)} items where {SMALL} were asked for")
        read += page.items
        if not page.more:
            break
        require(bool(page.items), "an empty page, and more behind it")
        since = page.next
    require(read == everything[: len(read)], "small pages hold other items than large ones")
    complete = len(read) == len(everything) or len(read) >= SMALL_PAGES
    require(complete, "small pages end before the feed does")


def _end(visit: Visit) -> None:
    space = visit.served()
    page = _page(visit, space, visit.feed()[-1].next)
    require(not page.items and not page.more, "behind the last cursor there is more")


def _etag(visit: Visit) -> None:
    visit.served()
    url, etag = visit.plate().endpoints.feed, visit.feed()[0].etag
    require(bool(etag), "pages have no ETag")
    answer = visit.get(url, If_None_Match=etag)
    require(answer.status == 304, f"{answer.status} to the ETag that it just gave")


def _refs(visit: Visit) -> None:
    """Ask for a few members by name."""
    space = visit.served()
    about = [jws for page in visit.feed() for _, jws in page.items][:SMALL]
    refs = [_subject(jws).rpartition("/m/")[2] for jws in about]
    if not refs:
        raise SkippedError("the feed is empty")
    page = client.read_feed_page(visit.transport, space, refs=refs)
    if page is None:
        raise BrokenError("304 to a question without If-None-Match")
    subjects = {_subject(jws) for _, jws in page.items}
    require(subjects == {_subject(jws) for jws in about}, "asked for some, it answers with others")
    require(not page.more, "asked for some, it has more behind the page")
    refused(visit.get(f"{space.endpoints.feed}?refs=.."), "invalid-document")


def _subject(jws: str) -> str:
    return str(signing.unverified_claims(jws, signing.typ_of(jws)).get("sub"))


def _wrong_cursor(visit: Visit) -> None:
    answer = visit.get(visit.served().endpoints.feed + "?since=not.a.cursor")
    refused(answer, "invalid-document", "epoch-changed")


def _wrong_limit(visit: Visit) -> None:
    for limit in ("0", "201", "many"):
        answer = visit.get(f"{visit.served().endpoints.feed}?limit={limit}")
        if answer.status != 200:
            refused(answer, "invalid-document", "too-large")


# --- the whole


def _checkpoint(visit: Visit) -> None:
    space = visit.plate()
    token = client.read_checkpoint(visit.transport, space)
    found = signing.read(token, space.operational_keys, Checkpoint).document
    progress(found, None, entity_id=space.entity_id, now=visit.now)
    require(found.view == PUBLIC, f"strangers get the checkpoint of the {found.view} view")
    visit.checkpoint = found


def _checkpoint_in_feed(visit: Visit) -> None:
    token, space = visit.feed()[-1].checkpoint, visit.plate()
    found = signing.read(token, space.operational_keys, Checkpoint).document
    require(found.epoch == visit.feed()[-1].epoch, "of another epoch than its page")
    require(found.view == PUBLIC, f"strangers get the checkpoint of the {found.view} view")


def _root(visit: Visit) -> None:
    if visit.copy is None or visit.checkpoint is None:
        raise SkippedError("there is no checkpoint, or no copy to compare it with")
    require(
        visit.copy.agrees_with(visit.checkpoint),
        f"the feed holds {visit.copy.count(visit.checkpoint.issued_at)} live profiles, of which "
        f"it signed for {visit.checkpoint.count}, or other ones",
    )


def _index(visit: Visit) -> None:
    index = client.read_index(visit.transport, visit.plate())
    if visit.checkpoint is None:
        raise SkippedError("there is no checkpoint to compare it with")
    require(client.index_agrees(index, visit.checkpoint), "the index is not what it signed for")


# --- what has to be refused


def _unknown_reader(visit: Visit) -> None:
    url = visit.served().endpoints.feed
    made = Assertion.of(NOBODY, visit.entity_id, "GET", url, "conformance", visit.now)
    token = signing.issue(made, new_key())
    refused(visit.get(url, Authorization=f"Bearer {token}"), "unknown-issuer", "key-unknown")


def _unreadable_reader(visit: Visit) -> None:
    url = visit.served().endpoints.feed
    refused(visit.get(url, Authorization="Bearer not.a.document"), "invalid-document")


def _held(visit: Visit) -> None:
    url = visit.served().endpoints.held
    if not url:
        raise SkippedError("it does not tell what it holds of others")
    refused(visit.get(url), "not-peered")
    made = Assertion.of(NOBODY, visit.entity_id, "GET", url, "conformance", visit.now)
    token = signing.issue(made, new_key())
    refused(visit.get(url, Authorization=f"Bearer {token}"), "unknown-issuer", "key-unknown")


def _doors(visit: Visit) -> tuple[str, ...]:
    endpoints = visit.served().endpoints
    return endpoints.peering, endpoints.notify, endpoints.ack


def _media_type(visit: Visit) -> None:
    for url in _doors(visit):
        for content_type in ("text/plain", JSON):
            answer = visit.post(url, b"e30.e30.e30", content_type)
            refused(answer, "invalid-document", status=415)


def _oversized(visit: Visit) -> None:
    for url in _doors(visit):
        refused(visit.post(url, b"A" * (limits.JWS_BYTES + 1)), "too-large")


def _unsigned(visit: Visit) -> None:
    for url in _doors(visit):
        for body in (b"", b"{}", b"not.a.document", b"e30.e30."):
            refused(visit.post(url, body), "invalid-document")


def _wrong_typ(visit: Visit) -> None:
    endpoints = visit.served().endpoints
    notice = Notice(issuer=NOBODY, audience=visit.entity_id, epoch="e", seq=1)
    token = signing.issue(notice, new_key()).encode("ascii")
    for url in (endpoints.peering, endpoints.ack):
        refused(visit.post(url, token), "invalid-document")


def _unknown_issuer(visit: Visit) -> None:
    notice = Notice(issuer=NOBODY, audience=visit.entity_id, epoch="e", seq=1)
    token = signing.issue(notice, new_key()).encode("ascii")
    answer = visit.post(visit.served().endpoints.notify, token)
    refused(answer, "unknown-issuer", "not-peered")


def _wrong_method(visit: Visit) -> None:
    endpoints = visit.served().endpoints
    for answer in (visit.get(endpoints.notify), visit.post(endpoints.feed, b"e30.e30.e30")):
        require(400 <= answer.status < 500, f"{answer.status} to the wrong method")


#: Each check: its name, the section it comes from, and how it asks.
_CHECKS: tuple[tuple[str, str, Callable[[Visit], None]], ...] = (
    ("entity.believable", "4", _configuration),
    ("entity.media-type", "4", _configuration_type),
    ("entity.renewed", "4", _configuration_age),
    ("feed.read", "5", _feed),
    ("feed.order", "5", _feed_order),
    ("feed.documents", "3, 7", _documents),
    ("feed.compacted", "5", _one_row_per_subject),
    ("feed.public-only", "5", _only_public),
    ("feed.limit", "5", _limit),
    ("feed.end", "5", _end),
    ("feed.etag", "5", _etag),
    ("feed.refs", "5", _refs),
    ("feed.wrong-cursor", "5", _wrong_cursor),
    ("feed.wrong-limit", "5", _wrong_limit),
    ("checkpoint.believable", "3, 7", _checkpoint),
    ("checkpoint.in-feed", "5", _checkpoint_in_feed),
    ("checkpoint.root", "6", _root),
    ("index.root", "5, 6", _index),
    ("refuses.unknown-reader", "5", _unknown_reader),
    ("refuses.unreadable-reader", "5", _unreadable_reader),
    ("refuses.unknown-holder", "5, 7.1", _held),
    ("refuses.media-type", "5", _media_type),
    ("refuses.oversized", "3, 5", _oversized),
    ("refuses.unsigned", "3", _unsigned),
    ("refuses.wrong-typ", "3", _wrong_typ),
    ("refuses.unknown-issuer", "5, 7", _unknown_issuer),
    ("refuses.wrong-method", "5", _wrong_method),
)
