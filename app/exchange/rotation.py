"""Changing the keys a space signs with: new ones, announced ones, compromised ones.

Only files are changed here, one at a time and each in one step, so that a process that reads them
meanwhile always finds a complete set; of two that would change them at once, one waits. Private
halves never leave their file: of a key that was replaced only the public half is kept, for as long
as peers may meet what it signed.
"""

from __future__ import annotations

import fcntl
import json
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from app.exchange.identity import (
    KEY_FILES,
    NEXT_OPERATIONAL,
    NEXT_ROOT,
    OPERATIONAL,
    RETIRED,
    ROOT,
    Identity,
    KeysMissingError,
    KeysUnsafeError,
    read_key,
    read_retired,
    write_key,
)
from federation.envelope import moment
from federation.keys import Key, kid, new_key, public_jwk
from federation.limits import KEYS

#: How long a replaced key is still published: the longest life of an entity configuration.
PUBLISHED_AFTER = timedelta(days=30)

#: Peers refuse a plate with more than ``limits.KEYS`` keys, of which two are in use or announced.
MOST_RETIRED = KEYS - 2


class KeyChangeError(Exception):
    """A key cannot be changed like that; the text is a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One key as ``mitoyen keys list`` shows it; never its private half."""

    kid: str
    use: str
    """``root``, ``next root``, ``operational``, ``next operational``, ``retired`` or
    ``former root``."""


def listed(identity: Identity) -> list[Listed]:
    """Return all keys of the space that peers know or will know."""
    following = identity.next_operational
    return [
        Listed(identity.root_kid, "root"),
        Listed(identity.next_kid, "next root"),
        Listed(kid(identity.operational_key), "operational"),
        *([Listed(kid(following), "next operational")] if following is not None else []),
        *(Listed(kid(key), "retired") for key in identity.retired.operational),
        *(Listed(name, "former root") for name in identity.retired.root_kids),
    ]


def rotate(folder: Path, now: datetime) -> str:
    """Sign with the announced operational key from now on, and announce another; return its kid.

    The former one stays published for 30 days, so that nobody notices.

    :raises KeyChangeError: so often lately that peers would refuse so many keys.
    :raises KeysMissingError, KeysUnsafeError: the keys cannot be read.
    """
    with _alone(folder):
        return _rotate(folder, now)


def rotate_if_due(folder: Path, now: datetime, after: timedelta) -> str | None:
    """Rotate as :func:`rotate` does if the operational key is older than ``after``.

    Never while a key that was replaced is still published: peers may meet what it signed, and a
    second change would be under way before everybody has seen the first.

    :returns: the kid that signs from now on; ``None`` when nothing was due.
    """
    with _alone(folder):
        in_flight = bool(_valid(read_retired(folder), "operational", now))
        if in_flight or age(folder, now) < after:
            return None
        return _rotate(folder, now)


def age(folder: Path, now: datetime) -> timedelta:
    """Return for how long the operational key has been in use.

    :raises KeysMissingError, KeysUnsafeError: it cannot be read.
    """
    since = read_retired(folder).get("operational_since")
    if since is not None:
        return now - datetime.fromisoformat(since)
    read_key(folder / OPERATIONAL)
    # Never changed: its file is as old as the space.
    return now - datetime.fromtimestamp((folder / OPERATIONAL).stat().st_mtime, UTC)


def _rotate(folder: Path, now: datetime) -> str:
    former = read_key(folder / OPERATIONAL)
    announced = folder / NEXT_OPERATIONAL
    coming = read_key(announced) if announced.exists() else new_key()
    retired = read_retired(folder)
    until = (now + PUBLISHED_AFTER).isoformat()
    row = {"jwk": public_jwk(former), "until": until}
    rows = [*_valid(retired, "operational", now), row]
    if len(rows) > MOST_RETIRED:
        raise KeyChangeError(
            f"{len(rows) - 1} keys were replaced within {PUBLISHED_AFTER.days} days and are still "
            "published: wait, or revoke one of them."
        )
    retired["operational"] = rows
    _replace_operational(folder, coming, retired, now)
    return kid(coming)


def revoke(folder: Path, name: str, now: datetime) -> str:
    """Publish the operational key ``name`` no more, at once; return the kid that signs from now on.

    If it, or the one announced to follow it, is meant, both are made anew: they lay side by side.

    :raises KeyChangeError: no operational key of that thumbprint is published.
    """
    with _alone(folder):
        return _revoke(folder, name, now)


def _revoke(folder: Path, name: str, now: datetime) -> str:
    current = read_key(folder / OPERATIONAL)
    announced = folder / NEXT_OPERATIONAL
    in_use = [kid(current), *([kid(read_key(announced))] if announced.exists() else [])]
    retired = read_retired(folder)
    rows = _valid(retired, "operational", now)
    kept = [row for row in rows if row["jwk"]["kid"] != name]
    if name in (kid(read_key(folder / ROOT)), kid(read_key(folder / NEXT_ROOT))):
        raise KeyChangeError("That is a root key. It is replaced with: mitoyen keys rotate --root")
    if name not in in_use and len(kept) == len(rows):
        raise KeyChangeError(f"No operational key {name} is published.")
    retired["operational"] = kept
    if name not in in_use:
        _write_retired(folder, retired | {"changed_at": moment(now).isoformat()})
        return kid(current)
    fresh = new_key()
    _replace_operational(folder, fresh, retired, now)
    return kid(fresh)


def roll_root(folder: Path, now: datetime) -> str:
    """Let the announced root key take its place, and announce another; return its kid.

    Neighbours that confirmed the former one take the new one by themselves within a week.
    """
    with _alone(folder):
        former, coming = read_key(folder / ROOT), read_key(folder / NEXT_ROOT)
        retired = read_retired(folder)
        row = {"kid": kid(former), "until": (now + PUBLISHED_AFTER).isoformat()}
        retired["root"] = [*_valid(retired, "root", now), row]
        _write_retired(folder, retired | {"changed_at": moment(now).isoformat()})
        # The new one is in two files for a moment, and in none never.
        _replace(folder / ROOT, coming)
        _replace(folder / NEXT_ROOT, new_key())
        return kid(coming)


def found_root_anew(folder: Path, now: datetime) -> str:
    """Make a new root key where it and the announced one are lost; return its kid.

    Nobody announced it: neighbours hold everything still until their admins have compared the new
    words. Operational keys stay where they can be read, and are made anew where not.
    """
    with _alone(folder):
        retired = read_retired(folder)
        # No neighbour may take the old root key for ours any more: whoever has it is not we.
        retired.pop("root", None)
        changed = moment(now).isoformat()
        _write_retired(folder, retired | {"changed_at": changed})
        root = new_key()
        for name, key in ((NEXT_ROOT, new_key()), (ROOT, root)):
            _replace(folder / name, key)
        if not _readable(folder / OPERATIONAL):
            _replace_operational(folder, new_key(), retired, now)
        elif not _readable(folder / NEXT_OPERATIONAL):
            _replace(folder / NEXT_OPERATIONAL, new_key())
        return kid(root)


def _readable(path: Path) -> bool:
    try:
        read_key(path)
    except (KeysMissingError, KeysUnsafeError):
        # Which of the two does not matter: a key that others could read is lost as well.
        return False
    return True


def backup(folder: Path, file: Path) -> int:
    """Write the key files into a new archive that only its owner can read; return how many.

    :raises FileExistsError: nothing is ever written over.
    """
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    names = [name for name in (*KEY_FILES, NEXT_OPERATIONAL, RETIRED) if (folder / name).exists()]
    with os.fdopen(descriptor, "wb") as raw, tarfile.open(fileobj=raw, mode="w:gz") as archive:
        for name in names:
            archive.add(folder / name, arcname=f"keys/{name}")
    return len(names)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder, so that a command and a worker never change keys at once."""
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def _replace_operational(folder: Path, coming: Key, retired: dict[str, Any], now: datetime) -> None:
    changed = moment(now).isoformat()
    _write_retired(folder, retired | {"operational_since": changed, "changed_at": changed})
    _replace(folder / OPERATIONAL, coming)
    _replace(folder / NEXT_OPERATIONAL, new_key())


def _replace(path: Path, key: Key) -> None:
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    write_key(fresh, key)
    fresh.replace(path)


def _valid(retired: dict[str, Any], kind: str, now: datetime) -> list[dict[str, Any]]:
    rows = retired.get(kind, [])
    return [row for row in rows if datetime.fromisoformat(row["until"]) > now]


def _write_retired(folder: Path, retired: dict[str, Any]) -> None:
    fresh = folder / f"{RETIRED}.new"
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(retired, file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(folder / RETIRED)
