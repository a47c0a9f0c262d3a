"""The network, as narrow as it can be: one request, one bounded answer, or one error.

``Transport`` is the port; ``HttpsTransport`` is the only code here that opens a connection. What
an answer means is not known here.
"""

from __future__ import annotations

import ipaddress
import socket
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests
from requests_hardened.ip_filter import InvalidIPAddress
from requests_hardened.ip_filter_adapter import IPFilterAdapter
from urllib3.exceptions import HTTPError

from federation.deadline import (
    Deadline,
    PoolUnderDeadline,
    TlsPoolUnderDeadline,
    before_deadline,
)
from federation.errors import (
    CertificateError,
    FederationError,
    ForbiddenAddressError,
    MalformedAnswerError,
    NameUnknownError,
    RedirectRefusedError,
    TooLargeError,
    UnreachableError,
)
from federation.identifiers import is_loopback, origin
from federation.limits import CONNECT_SECONDS, READ_SECONDS, TOTAL_SECONDS

#: What is read from the network at a time.
CHUNK_BYTES = 64 * 1024

#: Statuses after which nothing follows (RFC 9110 section 6.4.1).
_WITHOUT_BODY = (requests.codes.no_content, requests.codes.not_modified)

#: Everything that requests and what is below it raise when an answer does not come.
_NETWORK_ERRORS = (requests.RequestException, HTTPError, HTTPException, OSError, UnicodeError)

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
    """Requests over HTTPS to public addresses, each on a connection of its own.

    The name is resolved once, by ``requests-hardened``, which refuses private addresses and pins
    the connection to what it found; our own rule is applied to that very address again, because
    ``ipaddress`` alone takes 6to4, NAT64 and multicast for public. Certificates are always
    checked against the name. Proxies and ``.netrc`` of the environment are not used.

    :param development: also plain http, and then only to loopback; a loopback address is never
        contacted otherwise, however the name is spelled that resolves to it.
    :param seconds: from looking up the name to the last byte of the answer.
    """

    def __init__(self, *, development: bool = False, seconds: float = TOTAL_SECONDS) -> None:
        self._development = development
        self._seconds = seconds

    def get(self, url: str, *, max_bytes: int, headers: Mapping[str, str] = NO_HEADERS) -> Answer:
        """See :meth:`Transport.get`."""
        return self._answer("GET", url, None, max_bytes, headers)

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
        return self._answer("POST", url, body, max_bytes, {**headers, "Content-Type": content_type})

    def _answer(
        self, method: str, url: str, body: bytes | None, max_bytes: int, headers: Mapping[str, str]
    ) -> Answer:
        self._check(url)
        with Deadline(self._seconds) as deadline, self._session() as session:
            try:
                answer = session.request(
                    method,
                    url,
                    data=body,
                    headers={**headers, "Accept-Encoding": "gzip", "User-Agent": "cdf/1"},
                    timeout=(min(CONNECT_SECONDS, self._seconds), min(READ_SECONDS, self._seconds)),
                    allow_redirects=False,
                    stream=True,
                )
                with answer:
                    return _read(answer, max_bytes, deadline)
            except _NETWORK_ERRORS as error:
                raise _network_error(error, deadline) from error

    def _session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.mount("https://", _PinnedAdapter(True, self._development))
        session.mount("http://", _PinnedAdapter(False, self._development))
        return session

    def _check(self, url: str) -> None:
        parts = urlsplit(origin(url))
        local = is_loopback(parts.hostname or "")
        if parts.scheme != "https" and not (self._development and local and parts.scheme == "http"):
            raise ForbiddenAddressError("other spaces are contacted over https only")


def _read(answer: requests.Response, max_bytes: int, deadline: Deadline) -> Answer:
    if 300 <= answer.status_code < 400 and answer.status_code != requests.codes.not_modified:
        raise RedirectRefusedError(f"answered {answer.status_code}: redirects are not followed")
    headers = {name.lower(): value for name, value in answer.headers.items()}
    unpacker = _Unpacker(headers.get("content-encoding", "identity"), max_bytes)
    taken, parts = 0, []
    # read1 comes back with what there is: memory never holds more than the cap and one chunk.
    while chunk := answer.raw.read1(CHUNK_BYTES, decode_content=False):
        taken += len(chunk)
        parts.append(unpacker.unpack(chunk))
        # Content-Length is a promise, not a measure: count what comes, packed and unpacked.
        if taken > max_bytes:
            raise TooLargeError(f"more than {max_bytes} bytes")
    # A connection that was cut ends like one that is complete; these three tell.
    if deadline.passed:
        raise UnreachableError(f"no complete answer within {deadline.seconds:g} seconds")
    if not unpacker.complete or not _ends_where_it_said(answer, taken):
        raise UnreachableError("the answer ended before it was complete")
    return Answer(answer.status_code, headers, b"".join(parts))


def _ends_where_it_said(answer: requests.Response, taken: int) -> bool:
    if answer.status_code in _WITHOUT_BODY:
        return taken == 0
    if "content-length" in answer.headers:
        return answer.headers["content-length"] == str(taken)
    # Chunks are counted by http.client and gzip by its trailer; a body that merely stops may have
    # been cut anywhere.
    return "transfer-encoding" in answer.headers or "content-encoding" in answer.headers


class _Unpacker:
    """Unpacks gzip, or nothing, up to a number of bytes."""

    def __init__(self, encoding: str, max_bytes: int) -> None:
        if encoding.lower() not in ("gzip", "identity"):
            raise MalformedAnswerError(f"packed as {encoding[:20]!r}, which was not offered")
        self._gzip = zlib.decompressobj(wbits=31) if encoding.lower() == "gzip" else None
        self._max_bytes = max_bytes
        self._given = 0

    def unpack(self, chunk: bytes) -> bytes:
        """Return what ``chunk`` holds.

        :raises TooLargeError: with this chunk more than ``max_bytes`` in all.
        """
        if self._gzip is not None:
            try:
                # One byte past what is left: a bomb is noticed, not unpacked.
                chunk = self._gzip.decompress(chunk, self._max_bytes - self._given + 1)
            except zlib.error as error:
                raise MalformedAnswerError("not gzip, though it says so") from error
            if self._gzip.unused_data:
                raise MalformedAnswerError("something follows the gzip")
        self._given += len(chunk)
        if self._given > self._max_bytes:
            raise TooLargeError(f"more than {self._max_bytes} bytes unpacked")
        return chunk

    @property
    def complete(self) -> bool:
        """The end was seen; an empty body needs none."""
        return self._gzip is None or self._gzip.eof or self._given == 0


def _network_error(error: Exception, deadline: Deadline) -> FederationError:
    if isinstance(error, InvalidIPAddress):
        return ForbiddenAddressError("the name leads to an address that is not public")
    if isinstance(error, requests.exceptions.InvalidURL | UnicodeError):
        return ForbiddenAddressError("not an address of a machine")
    if deadline.passed:
        return UnreachableError(f"no complete answer within {deadline.seconds:g} seconds")
    if isinstance(error, requests.exceptions.SSLError):
        return CertificateError("the certificate is not good for that name")
    if isinstance(error.__cause__, socket.gaierror):
        return NameUnknownError("the name leads to no machine")
    if isinstance(error, requests.Timeout | TimeoutError):
        return UnreachableError("no answer in time")
    return UnreachableError(f"no connection, or it broke ({type(error).__name__})")


class _PinnedAdapter(IPFilterAdapter):  # type: ignore[misc]  # requests-hardened has no types
    """Connects to the one address that was resolved and found to be public."""

    def __init__(self, is_https: bool, development: bool) -> None:
        super().__init__(is_https_proto=is_https, allow_loopback=development)
        self._development = development
        self.poolmanager.pool_classes_by_scheme = {
            "http": PoolUnderDeadline,
            "https": TlsPoolUnderDeadline,
        }

    def build_connection_pool_key_attributes(
        self, request: Any, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        """Return where to connect; called by requests for each request."""
        look_up = super().build_connection_pool_key_attributes
        # Whoever owns the name decides how long the resolver waits: that counts as their time.
        host, pool = before_deadline(lambda: look_up(request, verify, cert))
        address = ipaddress.ip_address(host["host"].strip("[]"))
        if not may_contact(address, development=self._development):
            raise InvalidIPAddress(address)
        return host, pool


def may_contact(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, *, development: bool
) -> bool:
    """Say whether ``address`` is public, whatever IPv6 costume an IPv4 address wears."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return may_contact(address.ipv4_mapped, development=development)
        if not address.is_loopback and any(address in network for network in _NOT_PUBLIC):
            return False
    if address.is_loopback:
        return development
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified
    )


#: IPv6 networks in which an IPv4 address, perhaps a private one, is hidden, or that lead nowhere:
#: NAT64 (RFC 6052, RFC 8215), 6to4 (RFC 3056), Teredo (RFC 4380), IPv4-compatible, segment routing;
#: and the private networks of before RFC 3879, which some still use.
_NOT_PUBLIC = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2002::/16",
        "2001::/32",
        "::/96",
        "5f00::/16",
        "fec0::/10",
    )
)
