"""The names of spaces and of their members, in the one form that is accepted.

An entity identifier decides which key is looked up and what a record may speak about, so two
spellings of one space must not exist: what is not canonical is rejected, never repaired.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Self
from urllib.parse import urlsplit

from federation.errors import ForbiddenAddressError
from federation.limits import ENTITY_ID_CHARACTERS, REF_CHARACTERS

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})+", re.ASCII)
_PORT = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
_PATH = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*", re.ASCII)
_AUTHORITY = re.compile(
    r"[A-Za-z0-9.-]+(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?", re.ASCII
)
_REF = re.compile(rf"[A-Za-z0-9_-]{{1,{REF_CHARACTERS}}}", re.ASCII)
_DEFAULT_PORT = {"https": "443", "http": "80"}


class EntityId(str):
    """The identifier of a space, e.g. ``https://lyon.example``; made by :meth:`parse` only."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str, *, development: bool = False) -> Self:
        """Return ``text`` as an identifier if it is one, letter for letter.

        ``https``, a lower-case host of at least two labels (A-labels for other scripts, no IP
        address), a port only if it is not 443, a path without trailing slash; no user, query,
        fragment or percent sign. Under ``development`` also ``http`` and ``https`` with a loopback
        address or ``localhost`` as host.

        :raises ForbiddenAddressError: anything else; the sentence says what.
        """
        if len(text) > ENTITY_ID_CHARACTERS:
            raise ForbiddenAddressError(f"longer than {ENTITY_ID_CHARACTERS} characters")
        scheme, separator, rest = text.partition("://")
        authority, slash, path = rest.partition("/")
        if not separator or scheme not in _DEFAULT_PORT:
            raise ForbiddenAddressError("an address begins with https://")
        host, port = _split_authority(authority)
        _check_host(scheme, host, development)
        if port is not None and (
            not _PORT.fullmatch(port) or int(port) > 65535 or port == _DEFAULT_PORT[scheme]
        ):
            raise ForbiddenAddressError(f"{port!r} is not a port, or goes without saying")
        if not _PATH.fullmatch(slash + path):
            raise ForbiddenAddressError("the path has more than plain segments in it")
        return cls(text)

    @property
    def origin(self) -> str:
        """Scheme, host and port (RFC 6454), e.g. ``https://lyon.example``."""
        return origin(self)

    @property
    def host(self) -> str:
        """The host alone, without port and brackets."""
        return urlsplit(self).hostname or ""

    @property
    def configuration_url(self) -> str:
        """Where the entity configuration lives (OpenID Federation 1.1)."""
        return f"{self}/.well-known/openid-federation"

    def subject(self, ref: str) -> str:
        """Return the identifier of the member ``ref``: ``{space}/m/{ref}``.

        :raises ValueError: ``ref`` is not 1 to 64 letters, digits, ``-`` or ``_``.
        """
        if not is_ref(ref):
            raise ValueError(f"{ref!r} cannot be part of an identifier")
        return f"{self}/m/{ref}"


def owns(entity_id: str, subject: str) -> bool:
    """Say whether ``subject`` is a member of ``entity_id`` and of no other space.

    The rest after ``/m/`` has no slash: ``https://a.example`` does not speak for the members of
    ``https://a.example/b``.
    """
    prefix = f"{entity_id}/m/"
    return subject.startswith(prefix) and is_ref(subject[len(prefix) :])


def is_ref(text: str) -> bool:
    """Say whether ``text`` may stand for a member or a service inside an identifier."""
    return _REF.fullmatch(text) is not None


def origin(url: str) -> str:
    """Return scheme, host and port of an absolute ``url``.

    :raises ForbiddenAddressError: there is no host in it, or no readable port.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ForbiddenAddressError(f"not an address: {error}") from error
    # No "@", no backslash: parsers disagree about which machine such an authority names.
    if not host or not _AUTHORITY.fullmatch(parts.netloc):
        raise ForbiddenAddressError("not an address of a machine")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port is not None else "")


def is_loopback(host: str) -> bool:
    """Say whether ``host`` (no brackets) is this machine by name or by address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _split_authority(authority: str) -> tuple[str, str | None]:
    """Return host and port; of ``[::1]:8001`` the host without its brackets."""
    if authority.startswith("["):
        host, _, rest = authority[1:].partition("]")
        if rest and not rest.startswith(":"):
            raise ForbiddenAddressError("something stands between the host and its port")
        return host, rest[1:] if rest else None
    host, colon, port = authority.partition(":")
    return host, port if colon else None


def _check_host(scheme: str, host: str, development: bool) -> None:
    if is_loopback(host):
        # "127.1" and "::0001" are spellings of loopback that are not canonical either.
        if not development:
            raise ForbiddenAddressError("this machine itself is no address for other spaces")
        return
    if scheme != "https":
        raise ForbiddenAddressError("an address begins with https://")
    if not _HOST.fullmatch(host) or host.rpartition(".")[2][0].isdigit():
        raise ForbiddenAddressError("the host is not a name in lower case, such as lyon.example")
