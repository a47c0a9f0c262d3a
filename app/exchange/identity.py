"""Who this space is to its peers: the keys it signs with, and the files they live in.

Four files in one folder, each a private JWK that only its owner may read: ``root.json`` signs
what other admins confirm, ``operational.json`` signs everything else, and ``next_root.json`` and
``next_operational.json`` are announced to follow them. A key that others can read is never used:
whoever reads it can speak in the space's name. What a key replaced is in ``retired.json``: public
halves and thumbprints with the day on which they are forgotten (see :mod:`app.exchange.rotation`).
"""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from federation.errors import FederationError
from federation.identifiers import EntityId
from federation.keys import Key, import_private, import_public, kid, new_key, private_jwk

ROOT, NEXT_ROOT, OPERATIONAL = "root.json", "next_root.json", "operational.json"
KEY_FILES = (ROOT, NEXT_ROOT, OPERATIONAL)

#: Not there in a space that was founded before it was thought of.
NEXT_OPERATIONAL = "next_operational.json"

RETIRED = "retired.json"

#: Bits that let the group or anybody else at a key.
OTHERS = stat.S_IRWXG | stat.S_IRWXO


class KeysMissingError(Exception):
    """A key file is not there: the space was never set up, or its keys were lost."""


class KeysUnsafeError(Exception):
    """A key file cannot be trusted: others can read it, or it holds no key."""


class KeysExistError(Exception):
    """There are keys already; replacing them would make the space a stranger to its peers."""


@dataclass(frozen=True, slots=True)
class Retired:
    """What the keys in use replaced, as long as peers may still come with it."""

    operational: tuple[Key, ...] = field(default=(), repr=False)
    """Public halves of keys that signed what peers hold; published a while longer."""

    root_kids: tuple[str, ...] = ()
    """Thumbprints of our own that neighbours may still have confirmed."""

    changed_at: datetime | None = None
    """When any key was changed the last time."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The space's address and the keys that speak for it."""

    entity_id: str
    root_key: Key = field(repr=False)
    operational_key: Key = field(repr=False)
    next_kid: str = ""
    """Thumbprint of the root key that follows; announced, so that peers will take it."""

    development: bool = False
    """Plain http and loopback peers are accepted."""

    next_operational: Key | None = field(default=None, repr=False)
    retired: Retired = field(default_factory=lambda: Retired())

    @property
    def published_keys(self) -> list[Key]:
        """Return the operational keys that peers are to believe, the one in use first."""
        following = [self.next_operational] if self.next_operational is not None else []
        keys = [self.operational_key, *following, *self.retired.operational]
        return list({kid(key): key for key in keys}.values())

    @property
    def space(self) -> EntityId:
        """Return the space's identifier, in its one canonical form.

        :raises ForbiddenAddressError: the space was set up under an address that is none.
        """
        return EntityId.parse(self.entity_id, development=self.development)

    @property
    def root_kid(self) -> str:
        """Return the thumbprint that other admins compare (RFC 7638)."""
        return kid(self.root_key)

    @property
    def root_kids(self) -> tuple[str, ...]:
        """Return that thumbprint, and those it replaced while peers catch up."""
        return (self.root_kid, *self.retired.root_kids)


class Keyholder:
    """Reads the keys again when an operator has changed them beside a running process."""

    def __init__(self, folder: Path, url: str, *, development: bool = False) -> None:
        self._folder, self._url, self._development = folder, url, development
        self._stamp = self._look()
        self.identity = load_identity(folder, url, development=development)

    def look(self) -> bool:
        """Bring ``identity`` up to date and say whether it is another one.

        :raises KeysMissingError, KeysUnsafeError: as :func:`load_identity` does.
        """
        stamp = self._look()
        if stamp == self._stamp:
            return False
        self.identity = load_identity(self._folder, self._url, development=self._development)
        self._stamp = stamp
        return True

    def _look(self) -> tuple[int, ...]:
        names = (*KEY_FILES, NEXT_OPERATIONAL, RETIRED)
        paths = [self._folder / name for name in names]
        # The day counts too: on it a retired key is forgotten.
        today = datetime.now(UTC).toordinal()
        return (today, *(path.stat().st_mtime_ns if path.exists() else 0 for path in paths))


def create_keys(folder: Path) -> None:
    """Make the three keys in ``folder``, which is created for its owner alone.

    :raises KeysExistError: one of the files is there already; none is touched.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    names = (*KEY_FILES, NEXT_OPERATIONAL)
    there = [name for name in names if (folder / name).exists()]
    if there:
        raise KeysExistError(f"{folder} already holds {', '.join(there)}")
    for name in names:
        write_key(folder / name, new_key())


def load_identity(folder: Path, url: str, *, development: bool = False) -> Identity:
    """Read the keys of the space at ``url``.

    :raises KeysMissingError: a file is missing.
    :raises KeysUnsafeError: others can read one, or it holds no private Ed25519 key.
    """
    root, following, operational = (read_key(folder / name) for name in KEY_FILES)
    announced = folder / NEXT_OPERATIONAL
    next_operational = read_key(announced) if announced.exists() else None
    retired = _retired(read_retired(folder), datetime.now(UTC))
    return Identity(url, root, operational, kid(following), development, next_operational, retired)


def read_retired(folder: Path) -> dict[str, Any]:
    """Return what ``retired.json`` holds; empty when no key was ever changed.

    :raises KeysUnsafeError: it cannot be read.
    """
    path = folder / RETIRED
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise KeysUnsafeError(f"The file {path} cannot be read: {error}.") from error
    if not isinstance(found, dict):
        raise KeysUnsafeError(f"The file {path} is not what `mitoyen keys` writes.")
    return found


def _retired(found: dict[str, Any], now: datetime) -> Retired:
    def kept(kind: str) -> list[dict[str, Any]]:
        return [row for row in found.get(kind, []) if datetime.fromisoformat(row["until"]) > now]

    def moment(name: str) -> datetime | None:
        return datetime.fromisoformat(found[name]) if name in found else None

    return Retired(
        tuple(import_public(row["jwk"]) for row in kept("operational")),
        tuple(row["kid"] for row in kept("root")),
        moment("changed_at"),
    )


def write_key(path: Path, key: Key) -> None:
    """Write a private key into a file of its own, for its owner alone.

    :raises FileExistsError: there is one; no key is ever written over another.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(private_jwk(key), file)
        file.flush()
        os.fsync(file.fileno())


def read_key(path: Path) -> Key:
    """Return the private key in the file.

    :raises KeysMissingError, KeysUnsafeError:
    """
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise KeysMissingError(
            f"The key file {path} is missing. `mitoyen setup` makes it for a new space; "
            "an existing one gets it back from its backup."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise KeysUnsafeError(f"The key file {path} cannot be read: {error}.") from error
    if mode & OTHERS:
        raise KeysUnsafeError(
            f"The key file {path} can be read by others (mode {stat.S_IMODE(mode):04o}). "
            f"Close it: chmod 600 {path}"
        )
    try:
        return import_private(json.loads(text))
    except (ValueError, TypeError, KeyError, FederationError) as error:
        raise KeysUnsafeError(f"The key file {path} holds no private Ed25519 key.") from error
