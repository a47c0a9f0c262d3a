"""The demo from the first word on the terminal to the last."""

from __future__ import annotations

import fcntl
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from rich.console import Console

from app.demo.processes import PortTakenError, Processes, refuse_taken
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


def _run(spaces: tuple[DemoSpace, ...], folder: Path, console: Console) -> None:
    befriended = folder / "neighbours"
    with Processes() as processes:
        try:
            found_missing(spaces, console)
            open_doors(spaces, processes, console)
            if not befriended.exists():
                befriend(spaces, console)
                befriended.touch()
            _print_doors(spaces, console)
            _watch(processes, console)
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
        "As the admin of Lyon, answer Berlin under Neighbours.\n"
        "Ctrl-C closes everything."
    )


def _watch(processes: Processes, console: Console) -> None:
    while True:
        time.sleep(1)
        for name in processes.ended():
            if processes.revive(name):
                console.print(f"[yellow]{name} ended; it was started again[/]")
