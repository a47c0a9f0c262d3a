"""The three spaces of the demo: how they are founded, and how their first day goes.

Everything happens through the commands that a real space uses; nothing here knows a shortcut.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.demo.portraits import with_portraits
from app.models.account import ADMIN, account_of, issue_link
from app.models.engine import open_engine, reading
from app.models.peer import MirroredProfile, Peer
from app.models.space import Space
from federation.peering import Half

HERE = Path(__file__).resolve().parent

#: A visitor may read first and click later; these links live on this machine only.
LINK_LIFETIME = timedelta(hours=12)

#: Seconds one command of the founding may take before something is plainly wrong.
COMMAND_SECONDS = 180

#: Seconds between two looks at something that other processes are about to do.
POLL_SECONDS = 0.2

#: Street and sentence on the door plates; the streets are invented.
PLATES = {
    "lyon": (
        "4 montée des Navettes",
        "Un ancien atelier de tissage au fond de la cour, une grande table, le déjeuner du jeudi.",
    ),
    "nantes": (
        "12 quai des Voiliers",
        "Une ancienne voilerie au bord de la Loire, et de la soupe le jeudi.",
    ),
    "berlin": (
        "Remisenstraße 7",
        "Zweiter Hof, drei Treppen, ein langer Tisch und der beste Filterkaffee im Kiez.",
    ),
}


class FoundingError(Exception):
    """A command of the founding failed; the text says which, and what it printed."""


@dataclass(frozen=True, slots=True)
class DemoSpace:
    """One of the three spaces: what is on its door, and who opens it for the visitor."""

    key: str
    name: str
    city: str
    country: str
    language: str
    enamel: str
    admin: str
    member: str
    port: int
    data: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment in which this space's commands run."""
        ours = {
            "MITOYEN_DATA": str(self.data),
            "MITOYEN_DEVELOPMENT": "1",
            "MITOYEN_PORT": str(self.port),
            "MITOYEN_MAIL": "file",
        }
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith("MITOYEN_")
        }
        return {**kept, **ours}

    def session(self) -> Session:
        return Session(open_engine(f"sqlite:///{self.data / 'mitoyen.db'}"))


def town(folder: Path, first_port: int) -> tuple[DemoSpace, DemoSpace, DemoSpace]:
    """Return Lyon, Nantes and Berlin, with data under ``folder`` and ports from ``first_port``."""
    people = {
        "lyon": ("ines.morel@la-navette.example", "bastien.rey@la-navette.example"),
        "nantes": ("youenn.kerbrat@le-palier.example", "claire.vasseur@le-palier.example"),
        "berlin": ("katrin.vogel@hinterhof.example", "jonas.albrecht@hinterhof.example"),
    }
    doors = (
        ("lyon", "La Navette", "Lyon", "FR", "fr", "oxblood"),
        ("nantes", "Le Palier", "Nantes", "FR", "fr", "blue"),
        ("berlin", "Hinterhof", "Berlin", "DE", "de", "green"),
    )
    lyon, nantes, berlin = (
        DemoSpace(*door, *people[door[0]], first_port + place, folder / door[0])
        for place, door in enumerate(doors)
    )
    return lyon, nantes, berlin


def found(space: DemoSpace) -> None:
    """Set the space up and load its list of members, as an operator would.

    :raises FoundingError: a command failed.
    """
    command(
        space,
        "setup",
        *("--name", space.name, "--city", space.city, "--country", space.country),
        *("--url", space.url, "--language", space.language, "--enamel", space.enamel),
    )
    listed = with_portraits(HERE / f"{space.key}.jsonl", space.data)
    command(space, "members", "import", str(listed), "--publish")
    with space.session() as session:
        admin = account_of(session, space.admin)
        if admin is None:
            raise FoundingError(f"{space.admin} is not in the list of {space.name}")
        admin.role = ADMIN
        # What the admin would write on the door plate, under "Space settings".
        plate = session.get_one(Space, 1)
        plate.street, plate.line = PLATES[space.key]
        session.commit()


def knock(guest: DemoSpace, host: DemoSpace, note: str) -> None:
    """Let ``guest`` ask ``host`` to be neighbours."""
    command(guest, "peers", "knock", host.url, "--note", note)


def approve(host: DemoSpace, guest: DemoSpace) -> None:
    command(host, "peers", "approve", guest.url, "--yes")


def has_heard_from(host: DemoSpace, guest: DemoSpace) -> bool:
    """Tell whether the request of ``guest`` has arrived at ``host``."""
    with reading(), host.session() as session:
        asked = select(Peer.id).where(Peer.url == guest.url, Peer.theirs != Half.NONE)
        return session.scalar(asked) is not None


def has_approved(host: DemoSpace, guest: DemoSpace) -> bool:
    """Tell whether the admin of ``host`` said yes to ``guest``."""
    with reading(), host.session() as session:
        said = select(Peer.id).where(Peer.url == guest.url, Peer.ours == Half.APPROVED)
        return session.scalar(said) is not None


def mirrored(space: DemoSpace) -> int:
    """Return how many neighbours' profiles ``space`` holds."""
    with reading(), space.session() as session:
        return session.scalar(select(func.count(MirroredProfile.id))) or 0


def sign_in_link(space: DemoSpace, email: str) -> str:
    """Return a fresh link that lets ``email`` in, once."""
    with space.session() as session:
        account = account_of(session, email)
        if account is None:
            raise FoundingError(f"{email} has no account in {space.name}")
        secret = issue_link(session, account, datetime.now(UTC), LINK_LIFETIME)
        session.commit()
    return f"{space.url}/sign-in/{secret}"


def command(space: DemoSpace, *words: str) -> str:
    """Run one ``mitoyen`` command as ``space`` and return what it printed.

    :raises FoundingError: it failed or took too long.
    """
    try:
        done = subprocess.run(  # noqa: S603  # our own program, fixed words, no shell
            [sys.executable, "-m", "app.cli", *words],
            env=space.environment,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise FoundingError(f"{space.name}: `{' '.join(words[:2])}` took too long") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise FoundingError(f"{space.name}: `mitoyen {' '.join(words[:2])}` failed:\n{said}")
    return done.stdout


def wait_until(true: Callable[[], bool], wait: Callable[[float], None], seconds: float) -> bool:
    """Ask ``true`` until it holds, ``wait`` in between; return whether it came to hold in time."""
    for _ in range(max(1, int(seconds / POLL_SECONDS))):
        if true():
            return True
        wait(POLL_SECONDS)
    return true()
