"""The demo from the first word on the terminal to the last."""

from __future__ import annotations

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console

from app.demo.processes import PortTakenError, Processes
from app.demo.town import (
    DemoSpace,
    FoundingError,
    approve,
    found,
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
    if reset:
        _forget(folder)
    spaces = town(folder, first_port)
    _check_ports(spaces, folder)
    with Processes() as processes:
        try:
            found_missing(spaces, console)
            open_doors(spaces, processes, console)
            if not (folder / "neighbours").exists():
                befriend(spaces, console)
                (folder / "neighbours").touch()
            _print_doors(spaces, console)
            _watch(processes, console)
        except KeyboardInterrupt:
            console.print("\nClosing the three spaces ...")
        except (FoundingError, PortTakenError, RuntimeError) as error:
            raise DemoError(str(error)) from error
    console.print("Closed. The data stays; `make demo` opens them again.")


def _forget(folder: Path) -> None:
    """Remove an earlier demo, and only that: never a folder that is something else."""
    if folder.exists():
        if not (folder / "demo").exists():
            raise DemoError(f"{folder} is not a folder of this demo; it stays as it is")
        shutil.rmtree(folder)


def _check_ports(spaces: tuple[DemoSpace, ...], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    mark = folder / "demo"
    ports = ",".join(str(space.port) for space in spaces)
    if mark.exists() and (before := mark.read_text().strip()) != ports:
        raise DemoError(
            f"this town was founded on ports {before}, and a space keeps its address: "
            f"use --port {before.split(',')[0]}, or start over with RESET=1"
        )
    mark.write_text(ports + "\n")


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
            if not wait_until(lambda at=space: processes.answers(at), time.sleep, STEP_SECONDS):  # type: ignore[misc]  # a lambda's default has no type
                raise DemoError(f"{space.name} does not answer; see {processes.log_of(space)}")
    console.print("[green]✓[/] Three spaces are open, each with its worker")


def befriend(spaces: tuple[DemoSpace, ...], console: Console) -> None:
    lyon, nantes, berlin = spaces
    with console.status("Nantes and Berlin knock at Lyon ..."):
        knock(nantes, lyon, NOTE_NANTES)
        knock(berlin, lyon, NOTE_BERLIN)
        for guest in (nantes, berlin):
            if not wait_until(lambda g=guest: has_heard_from(lyon, g), time.sleep, STEP_SECONDS):  # type: ignore[misc]  # as above
                raise DemoError(f"the request of {guest.name} did not arrive at {lyon.name}")
        approve(lyon, nantes)
    with console.status("Lyon and Nantes exchange their signed profiles ..."):
        if not wait_until(
            lambda: bool(mirrored(lyon) and mirrored(nantes)), time.sleep, STEP_SECONDS
        ):
            raise DemoError("no profiles crossed between Lyon and Nantes; see the worker.log files")
    console.print(
        f"[green]✓[/] Lyon holds {mirrored(lyon)} profiles of Nantes, "
        f"Nantes {mirrored(nantes)} of Lyon; Berlin waits at Lyon's door"
    )


def _print_doors(spaces: tuple[DemoSpace, ...], console: Console) -> None:
    console.print()
    for space in spaces:
        console.print(f"[bold]{space.city}[/]  {space.name}  {space.url}", highlight=False)
        for role, email in (("admin ", space.admin), ("member", space.member)):
            link = sign_in_link(space, email)
            console.print(f"  {role}  {email}", highlight=False)
            console.print(f"          {link}", highlight=False, soft_wrap=True)
    console.print(
        "\nEach link lets one person in, once. As the member of Lyon, search for [bold]avocat[/]: "
        "nobody there is one,\nbut somebody in Nantes is. As the admin of Lyon, answer Berlin "
        "under Neighbours.\nCtrl-C closes everything."
    )


def _watch(processes: Processes, console: Console) -> None:
    while True:
        time.sleep(1)
        for name in processes.ended():
            console.print(f"[yellow]{name} ended; starting it again[/]")
            processes.revive(name)
