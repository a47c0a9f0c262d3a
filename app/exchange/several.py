"""Reading the pages of a feed, as many at once as are written in one transaction.

No transaction: whoever asks has none open. A long feed is written a few pages at a time, because
people share their words: in a page of two hundred each profile touches 44 sets of the index, among
a thousand 27. What bounds it: others wait while it is written, and until then it is held in memory.
"""

from __future__ import annotations

from datetime import datetime

from app.exchange.feeds import Page, read_page
from app.exchange.identity import Identity
from app.exchange.turn import TurnOverError
from federation.entity import EntityConfiguration
from federation.errors import EndlessFeedError, EpochChangedError, FederationError
from federation.limits import PAGE_BYTES, PAGE_ITEMS
from federation.transport import Transport

#: Pages taken in by one pull; a larger backfill goes on in the next, so that others get a turn.
PAGES_PER_PULL = 50

#: Records from which on no further page is read before they are written: about a second, in which
#: all other writers wait; they would wait fifteen times as long before they give up.
RECORDS_WRITTEN = 1000

#: Characters of documents from which on likewise. Those that the benchmarks write have 1,593 each:
#: of them the fourth page of two hundred is the last that is read.
CHARACTERS_WRITTEN = 1024 * 1024

#: What is held at most before it is written, of whatever a neighbour sends: the last page was read
#: because there was still room, and is itself bounded.
RECORDS_HELD = RECORDS_WRITTEN - 1 + PAGE_ITEMS
CHARACTERS_HELD = CHARACTERS_WRITTEN - 1 + PAGE_BYTES

#: Bytes of memory that a character takes until then, once its document is read and its words are
#: found. Full documents of which no word occurs twice took 49; usual ones share theirs.
CHARACTER_MEMORY = 64

#: Bytes that one pull holds at most; beside them at most one page is being read
#: (``limits.PAGE_MEMORY``), or one index (``limits.INDEX_MEMORY``).
HELD_MEMORY = CHARACTER_MEMORY * CHARACTERS_HELD


class Reader:
    """Reads on from page to page, for one pull."""

    def __init__(self, transport: Transport, identity: Identity, now: datetime) -> None:
        self._transport, self._identity, self._now = transport, identity, now
        self.pages = 0
        """How many were read."""

        self._reached = 0
        self._came_between: FederationError | None = None

    def read(
        self, plate: EntityConfiguration, since: str, etag: str, epoch: str, left: int
    ) -> Page:
        """Read what is behind ``since``, a cursor of ``epoch``, as one page.

        :param left: records in which the feed has to end; once they are read no page follows.

        :raises FederationError: nothing was read. What happens later ends the page, and is raised
            by :meth:`raise_what_came_between` or happens again behind it.
        """
        page = self._next(plate, since, etag, epoch)
        while page.more and self.pages < PAGES_PER_PULL and _has_room(page, left):
            try:
                following = self._next(plate, page.next, "", page.epoch)
            except (EpochChangedError, TurnOverError):
                break
            except FederationError as error:
                self._came_between = error
                break
            page = page.and_then(following)
        return page

    def raise_what_came_between(self) -> None:
        """Raise why the last page ended early, if it did; what it held is written by now."""
        if self._came_between is not None:
            raise self._came_between

    def _next(self, plate: EntityConfiguration, since: str, etag: str, epoch: str) -> Page:
        page = read_page(self._transport, plate, self._identity, since, etag, self._now)
        self.pages += 1
        if since and not page.unchanged and page.epoch != epoch:
            raise EpochChangedError("a page of another epoch than its cursor")
        self._reached = _further(page, since, self._reached)
        return page


def _has_room(page: Page, left: int) -> bool:
    """Tell whether another page is to be read before this one is written."""
    count = len(page.records)
    if page.names_unknown_key or count >= RECORDS_WRITTEN or count >= left:
        return False
    return sum(len(record.jws) for record in page.records) < CHARACTERS_WRITTEN


def _further(page: Page, since: str, reached: int) -> int:
    """Return the position that ``page`` reaches, behind the one that was ``reached`` before.

    :raises EndlessFeedError: it begins at or before that: its pages lead in a circle.
    """
    if not page.records:
        return reached
    if since and page.records[0].seq <= reached:
        raise EndlessFeedError("its positions do not rise from page to page")
    return page.records[-1].seq
