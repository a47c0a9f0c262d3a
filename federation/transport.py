"""The network, as narrow as it can be: one request, one bounded answer, or one error.

``Transport`` is the port; ``HttpsTransport`` is the only code here that opens a connection. What
an answer means is not known here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

#: No headers besides those that every request has.
NO_HEADERS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer that is not a redirect."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """By name in lower case."""

    body: bytes = b""
    """Unpacked."""

    @property
    def media_type(self) -> str:
        """Type and subtype in lower case, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Transport(Protocol):
    """How the library reaches other spaces; tests pass one that is a dictionary."""

    def get(self, url: str, *, max_bytes: int, headers: Mapping[str, str] = NO_HEADERS) -> Answer:
        """Return the whole answer to ``GET url``.

        :param max_bytes: of the body, as it comes and as it unpacks.
        :raises UnreachableError: no complete answer in time.
        :raises TooLargeError: a longer body; nothing of it is returned.
        :raises ForbiddenAddressError: not an address that may be contacted.
        :raises RedirectRefusedError: the answer was a redirect.
        :raises MalformedAnswerError: packed in a way that was not offered.
        """
        ...

    def post(
        self,
        url: str,
        body: bytes,
        *,
        content_type: str,
        max_bytes: int,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> Answer:
        """Return the whole answer to ``POST url`` with ``body``; raises as :meth:`get` does."""
        ...


class HttpsTransport:
    """Requests over HTTPS to public addresses.

    :param development: also plain http and loopback; a loopback address is never contacted
        otherwise, however the name is spelled that resolves to it.
    """

    def __init__(self, *, development: bool = False) -> None:
        self._development = development

    def get(self, url: str, *, max_bytes: int, headers: Mapping[str, str] = NO_HEADERS) -> Answer:
        """See :meth:`Transport.get`."""
        raise NotImplementedError

    def post(
        self,
        url: str,
        body: bytes,
        *,
        content_type: str,
        max_bytes: int,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> Answer:
        """See :meth:`Transport.post`."""
        raise NotImplementedError
