"""The demo from the first word on the terminal to the last."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from rich.console import Console

from app.demo.processes import PortTakenError, Processes, listens, refuse_taken
from app.demo.town import (
    DemoSpace,
    FoundingError,
    approve,
    found,
    has_approved,
    has_heard_from,
    knock,
    mirrored,
    sign_in_link,
    town,
    wait_until,
)

#: Seconds for a step that waits for another process: two workers and a slow machine.
STEP_SECONDS = 90

#: The lawyer of Nantes whom the demo's first search finds.
LAWYER = "claire.vasseur@le-palier.example"

NOTE_NANTES = "Bonjour Inès, c’est Youenn du Palier. On s’est croisés à Angers : on partage ?"
NOTE_BERLIN = (
    "Hallo aus dem Hinterhof! Wir suchen Leute, die uns in Frankreich helfen, "
    "und haben eine Steuerberaterin zu bieten. – Katrin"
)


class DemoError(Exception):
    """The demo cannot go on; the text says why and what to do."""


def show(folder: Path, first_port: int, reset: bool, console: Console) -> None:
    """Found the spaces if need be, run them, print where to go, and wait for Ctrl-C.

    :raises DemoError: in words for the visitor.
    """
    spaces = town(folder, first_port)
    try:
        with _alone_in(folder):
            _check_ports(spaces, folder, reset)
            if reset:
                _forget(spaces)
            _run(spaces, folder, console)
    except (FoundingError, PortTakenError, RuntimeError) as error:
        raise DemoError(str(error)) from error
    except OSError as error:
        raise DemoError(f"{error.filename or folder}: {error.strerror}") from error
    console.print("Closed. The data stays; `make demo` opens them again.")


def send_away(folder: Path, key: str) -> DemoSpace:
    """Let the open demo in ``folder`` close one space, and return when nobody answers there.

    :raises DemoError: no demo is open there, or the space stays.
    """
    space = _space_of_open_demo(folder, key)
    _wish(space).touch()
    if not wait_until(lambda: not listens(space.port), time.sleep, STEP_SECONDS):
        raise DemoError(f"{space.name} does not close; see the terminal of the demo")
    return space


def call_back(folder: Path, key: str) -> DemoSpace:
    """Let the open demo in ``folder`` open the space again, and return when it answers.

    :raises DemoError: no demo is open there, or the space does not answer.
    """
    space = _space_of_open_demo(folder, key)
    _wish(space).unlink(missing_ok=True)
    if not wait_until(lambda: listens(space.port), time.sleep, STEP_SECONDS):
        raise DemoError(f"{space.name} does not open; see the terminal of the demo")
    return space


def _space_of_open_demo(folder: Path, key: str) -> DemoSpace:
    mark = folder / "demo"
    if not mark.exists() or not _is_held(mark):
        raise DemoError(f"no demo is open in {folder}: start it in another terminal, `make demo`")
    first_port = int(mark.read_text().split(",")[0])
    return next(space for space in town(folder, first_port) if space.key == key)


def _is_held(mark: Path) -> bool:
    with mark.open("a") as looked_at:
        try:
            fcntl.flock(looked_at, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def _wish(space: DemoSpace) -> Path:
    """Return the file that stands for the visitor's wish that ``space`` be away."""
    return space.data / "away"


def _run(spaces: tuple[DemoSpace, ...], folder: Path, console: Console) -> None:
    befriended = folder / "neighbours"
    with Processes() as processes:
        try:
            for space in spaces:
                _wish(space).unlink(missing_ok=True)
            found_missing(spaces, console)
            open_doors(spaces, processes, console)
            if not befriended.exists():
                befriend(spaces, console)
                befriended.touch()
            _print_doors(spaces, console)
            _print_conversation(spaces, console)
            _print_moments(spaces, folder, console)
            _watch(spaces, processes, console)
        except KeyboardInterrupt:
            console.print("\nClosing the three spaces ...")


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold ``folder`` for this demo, so that a second one cannot start over under the first.

    :raises DemoError: another demo holds it, or it holds something that is not a demo.
    """
    mark = folder / "demo"
    if folder.exists() and not mark.exists() and any(folder.iterdir()):
        raise DemoError(
            f"{folder} holds other things than this demo and stays as it is: "
            "choose a folder that is empty, or not there yet"
        )
    folder.mkdir(parents=True, exist_ok=True)
    # The lock ends with the process, however that ends; the processes it starts do not inherit it.
    with mark.open("a") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DemoError(
                f"the demo in {folder} is open already, in another terminal; end it there first"
            ) from error
        yield


def _check_ports(spaces: tuple[DemoSpace, ...], folder: Path, reset: bool) -> None:
    """Compare the ports with those of the founding, and look whether they are free.

    :raises DemoError: the spaces were founded at other addresses.
    :raises PortTakenError: something listens on one of them.
    """
    mark = folder / "demo"
    ports = ",".join(str(space.port) for space in spaces)
    before = mark.read_text().strip()
    if before and before != ports and not reset:
        raise DemoError(
            f"this town was founded on ports {before}, and a space keeps its address: "
            f"use PORT={before.split(',')[0]}, or start over with RESET=1"
        )
    for space in spaces:
        refuse_taken(space.port)
    mark.write_text(ports + "\n")


def _forget(spaces: tuple[DemoSpace, ...]) -> None:
    """Remove the three spaces of an earlier demo, and only those."""
    for space in spaces:
        if space.data.exists():
            shutil.rmtree(space.data)
        (space.data.parent / "neighbours").unlink(missing_ok=True)


def found_missing(spaces: tuple[DemoSpace, ...], console: Console) -> None:
    missing = [space for space in spaces if not (space.data / "founded").exists()]
    if not missing:
        return
    names = ", ".join(f"{space.name} ({space.city})" for space in missing)
    with console.status(f"Founding {names}: keys, rooms, about 60 members each ..."):
        for space in missing:
            # Half a founding is worth nothing: begin this space again from the ground.
            shutil.rmtree(space.data, ignore_errors=True)
        with ThreadPoolExecutor() as pool:
            list(pool.map(found, missing))
        for space in missing:
            (space.data / "founded").touch()
    console.print(f"[green]✓[/] Founded {names}")


def open_doors(spaces: tuple[DemoSpace, ...], processes: Processes, console: Console) -> None:
    with console.status("Opening the doors ..."):
        for space in spaces:
            processes.start(space, "run")
        for space in spaces:
            processes.start(space, "worker")
        for space in spaces:
            if not wait_until(partial(processes.answers, space), time.sleep, STEP_SECONDS):
                raise DemoError(f"{space.name} does not answer; see {processes.log_of(space)}")
    console.print("[green]✓[/] Three spaces are open, each with its worker")


def befriend(spaces: tuple[DemoSpace, ...], console: Console) -> None:
    lyon, nantes, berlin = spaces
    # Ctrl-C may have interrupted an earlier time: what was said already is not said again.
    asking = [(nantes, NOTE_NANTES), (berlin, NOTE_BERLIN)]
    asking = [(guest, note) for guest, note in asking if not has_heard_from(lyon, guest)]
    with console.status("Nantes and Berlin knock at Lyon ..."):
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda one: knock(one[0], lyon, one[1]), asking))
        for guest in (nantes, berlin):
            if not wait_until(partial(has_heard_from, lyon, guest), time.sleep, STEP_SECONDS):
                raise DemoError(f"the request of {guest.name} did not arrive at {lyon.name}")
        if not has_approved(lyon, nantes):
            approve(lyon, nantes)
    with console.status("Lyon and Nantes exchange their signed profiles ..."):
        if not wait_until(
            lambda: bool(mirrored(lyon) and mirrored(nantes)), time.sleep, STEP_SECONDS
        ):
            raise DemoError("no profiles crossed between Lyon and Nantes; see the worker.log files")
    console.print(
        f"[green]✓[/] Lyon holds {mirrored(lyon)} profiles of Nantes, "
        f"Nantes {mirrored(nantes)} of Lyon"
    )
    console.print("[green]✓[/] Berlin waits at Lyon's door for an answer")


def _print_doors(spaces: tuple[DemoSpace, ...], console: Console) -> None:
    console.print()
    for space in spaces:
        console.print(f"[bold]{space.city}[/]  {space.name}  {space.url}", highlight=False)
        for role, email in (("admin ", space.admin), ("member", space.member)):
            link = sign_in_link(space, email)
            console.print(f"  {role}  {email}", highlight=False)
            console.print(f"          {link}", highlight=False, soft_wrap=True)
    console.print(
        "\nEach link lets one person in, once; `make demo` makes new ones.\n"
        "As the member of Lyon, search for [bold]avocat[/]: the lawyer you find is in Nantes.\n"
        "Members show not everything to everybody: as the member of a space, open its page "
        "[bold]/me/as/neighbour[/]\nand compare it with what visitors and members there get."
    )


def _print_conversation(spaces: tuple[DemoSpace, ...], console: Console) -> None:
    """Print how to go on where search ends: a question, its answer, and two addresses."""
    lyon, nantes, _ = spaces
    steps = (
        "As the member of Lyon, open the lawyer’s page (Claire Vasseur), type a question and send.",
        f"In another browser come in as Claire: {sign_in_link(nantes, LAWYER)}",
        f"Open {nantes.url}/introductions, answer, and press “Exchange e-mail addresses”.",
        f"In Lyon, {lyon.url}/introductions has the answer within seconds, and no address; press "
        "the same button there, and both addresses appear.",
        f"As Claire, close the doors for a while: {nantes.url}/me/doors. Or, when somebody asks "
        "again, “Pass it on”: Bastien decides whether the colleague learns anything.",
    )
    console.print("\nWhere search ends, a conversation begins:")
    for number, step in enumerate(steps, 1):
        console.print(f"  {number}. {step}", highlight=False, soft_wrap=True)


def _print_moments(spaces: tuple[DemoSpace, ...], folder: Path, console: Console) -> None:
    """Print two things to watch: a withdrawal with receipts, and a neighbour that goes away."""
    lyon, _, berlin = spaces
    program, data = os.path.relpath(sys.argv[0]), os.path.relpath(folder)
    away, back = (
        f"[bold]{program} demo {verb} berlin --data {data}[/]" for verb in ("away", "back")
    )
    found = f"{lyon.url}/search?q=Steuerberaterin&scope=everywhere"
    steps = (
        f"As the admins of Lyon and Berlin, open {lyon.url}/neighbours and "
        f"{berlin.url}/neighbours: both show the same six words. Let Lyon approve Berlin.",
        f"As the member of Lyon, open {lyon.url}/me, choose “Only me” and save: within seconds "
        "two of two spaces confirm that the profile is gone. Then show it to “Neighbours” again.",
        f"Let Berlin go away, in another terminal: {away}",
        "Choose “Only me” once more: one of two confirmed. Berlin is silent, and the page says "
        f"when its copy expires. {lyon.url}/neighbours says that it does not answer, and what to "
        f"do; its people stay, with the age of their copy: {found}",
        f"Let Berlin come back: {back}. It reads what it missed, and the second receipt arrives.",
    )
    console.print("\nTwo moments to watch, step by step:")
    for number, step in enumerate(steps, 1):
        console.print(f"  {number}. {step}", highlight=False, soft_wrap=True)
    console.print("Ctrl-C closes everything.")


def _watch(spaces: tuple[DemoSpace, ...], processes: Processes, console: Console) -> None:
    while True:
        time.sleep(1)
        follow_wishes(spaces, processes, console)
        for name in processes.ended():
            if processes.revive(name):
                console.print(f"[yellow]{name} ended; it was started again[/]")


def follow_wishes(spaces: tuple[DemoSpace, ...], processes: Processes, console: Console) -> None:
    """Close and open spaces as the visitor asked in another terminal."""
    for space in spaces:
        away = _wish(space).exists()
        if away and processes.is_open(space):
            processes.close(space)
            console.print(f"[yellow]{space.name} ({space.city}) went away[/]")
        elif not away and not processes.is_open(space):
            processes.open(space)
            console.print(f"[green]{space.name} ({space.city}) is back[/]")
