"""How much of the worker's time one job may take, so that a slow neighbour starves nobody.

Between the worker and the network: it knows seconds, and nothing of what is asked for.

* A job whose time is used up begins no further request; one that was begun ends at its own
  deadline. However a neighbour drips, it holds the worker for ``TURN_SECONDS`` and one request.
* Who took long comes after everybody else for a day (``app.exchange.outbox``): the first long turn
  may be waited for, the next ones are nobody's but its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from federation.errors import UnreachableError
from federation.transport import NO_HEADERS, Answer, Transport

#: Seconds after which a job begins no further request. With the one under way (ten more at most) a
#: withdrawal still passes through two workers, ours and theirs, within a minute.
TURN_SECONDS = 10.0

#: Seconds of a turn that are long: a hundred honest neighbours are read in less than two each.
LONG_SECONDS = 2.0

#: How long a neighbour that took long comes after the others. Whoever changes its manners from
#: request to request gets one long turn a day out of it.
BEHIND = timedelta(days=1)


class TurnOverError(UnreachableError):
    """The job's time is used up; what it did before stays."""

    code = "slow"


class Turn:
    """One job's way to the network (:class:`federation.transport.Transport`), with its clock.

    :param clock: seconds that only rise, such as ``time.monotonic``.
    """

    def __init__(self, transport: Transport, clock: Callable[[], float]) -> None:
        self._transport, self._clock = transport, clock
        self._begun = clock()

    @property
    def seconds(self) -> float:
        """Return how long the job has been at it, whatever it did."""
        return self._clock() - self._begun

    @property
    def is_long(self) -> bool:
        """Say whether others had to wait for it."""
        return self.seconds > LONG_SECONDS

    def get(self, url: str, *, max_bytes: int, headers: Mapping[str, str] = NO_HEADERS) -> Answer:
        """See :meth:`Transport.get`.

        :raises TurnOverError: nothing was asked.
        """
        self._require_time()
        return self._transport.get(url, max_bytes=max_bytes, headers=headers)

    def post(
        self,
        url: str,
        body: bytes,
        *,
        content_type: str,
        max_bytes: int,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> Answer:
        """See :meth:`Transport.post`; raises as :meth:`get` does."""
        self._require_time()
        return self._transport.post(
            url, body, content_type=content_type, max_bytes=max_bytes, headers=headers
        )

    def _require_time(self) -> None:
        if self.seconds >= TURN_SECONDS:
            raise TurnOverError(f"more than {TURN_SECONDS:g} seconds in one turn")
