"""Who this space is to its peers: the keys it signs with, and the files they live in.

Three files in one folder, each a private JWK that only its owner may read: ``root.json`` signs
what other admins confirm, ``next_root.json`` is the key announced to follow it, and
``operational.json`` signs everything else. A key file is never overwritten, and one that others
can read is never used: whoever reads it can speak in the space's name.
"""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from federation.errors import FederationError
from federation.identifiers import EntityId
from federation.keys import Key, import_private, kid, new_key, private_jwk

ROOT, NEXT_ROOT, OPERATIONAL = "root.json", "next_root.json", "operational.json"
KEY_FILES = (ROOT, NEXT_ROOT, OPERATIONAL)

#: Bits that let the group or anybody else at a key.
OTHERS = stat.S_IRWXG | stat.S_IRWXO


class KeysMissingError(Exception):
    """A key file is not there: the space was never set up, or its keys were lost."""


class KeysUnsafeError(Exception):
    """A key file cannot be trusted: others can read it, or it holds no key."""


class KeysExistError(Exception):
    """There are keys already; replacing them would make the space a stranger to its peers."""


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


def create_keys(folder: Path) -> None:
    """Make the three keys in ``folder``, which is created for its owner alone.

    :raises KeysExistError: one of the files is there already; none is touched.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    there = [name for name in KEY_FILES if (folder / name).exists()]
    if there:
        raise KeysExistError(f"{folder} already holds {', '.join(there)}")
    for name in KEY_FILES:
        _write(folder / name, new_key())


def load_identity(folder: Path, url: str, *, development: bool = False) -> Identity:
    """Read the keys of the space at ``url``.

    :raises KeysMissingError: a file is missing.
    :raises KeysUnsafeError: others can read one, or it holds no private Ed25519 key.
    """
    root, following, operational = (_read(folder / name) for name in KEY_FILES)
    return Identity(url, root, operational, kid(following), development)


def _write(path: Path, key: Key) -> None:
    # O_EXCL: even if two set-ups run at once, no key is ever written over another.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(private_jwk(key), file)
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path) -> Key:
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
