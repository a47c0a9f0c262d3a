"""Running the demo's spaces as real processes, and ending every one of them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from app.demo.town import DemoSpace

#: The commands that a space runs.
WORDS = ("run", "worker")

#: Seconds a process gets to finish what it is doing before it is killed.
PATIENCE_SECONDS = 10


class PortTakenError(Exception):
    """Something else listens where a space of the demo should."""


@dataclass(slots=True)
class Processes:
    """The server and the worker of each space; leaving the ``with`` block ends them all."""

    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    started: dict[str, tuple[DemoSpace, str]] = field(default_factory=dict)

    def __enter__(self) -> Processes:
        # SIGHUP: somebody closed the terminal; the processes have sessions of their own and
        # would live on, with nobody left to end them.
        # SIGINT too: a shell that starts a command in the background tells it to ignore Ctrl-C.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _as_interrupt)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, space: DemoSpace, word: str) -> None:
        """Start ``mitoyen run`` or ``mitoyen worker`` for ``space``; its output goes to a file.

        :raises PortTakenError: the space's port is in use.
        """
        if word == "run":
            refuse_taken(space.port)
        name = f"{space.city} {word}"
        with (space.data / f"{word}.log").open("ab") as log:
            # A session of their own: Ctrl-C in the terminal reaches us alone, and we end them,
            # with whatever they started themselves: the server's processes are a group, too.
            self.running[name] = subprocess.Popen(  # noqa: S603  # our own program, no shell
                [sys.executable, "-m", "app.cli", word],
                env=space.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.started[name] = (space, word)

    def answers(self, space: DemoSpace) -> bool:
        """Tell whether the server of ``space`` accepts connections.

        :raises RuntimeError: it has ended; the text names its log.
        """
        process = self.running[f"{space.city} run"]
        if process.poll() is not None:
            raise RuntimeError(f"{space.name} did not start; see {self.log_of(space)}")
        return listens(space.port)

    def log_of(self, space: DemoSpace) -> Path:
        return space.data / "run.log"

    def ended(self) -> list[str]:
        """Return the names of processes that ended by themselves."""
        return [name for name, process in self.running.items() if process.poll() is not None]

    def revive(self, name: str) -> bool:
        """Start again what has ended; tell whether that was possible already.

        A server that was killed leaves the process behind that holds its port; it is ended first.
        """
        _end_group(self.running[name])
        try:
            self.start(*self.started[name])
        except PortTakenError:
            return False
        return True

    def close(self, space: DemoSpace) -> None:
        """Let ``space`` go off line: its server and its worker end, and are not revived."""
        for name in self._names(space):
            process = self.running.pop(name, None)
            if process is None:
                continue
            process.terminate()
            try:
                process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            _end_group(process)

    def open(self, space: DemoSpace) -> None:
        """Start the server and the worker of ``space``, as far as they do not run.

        :raises PortTakenError: its port is in use.
        """
        for name, word in zip(self._names(space), WORDS, strict=True):
            if name not in self.running:
                self.start(space, word)

    def is_open(self, space: DemoSpace) -> bool:
        """Tell whether a server or a worker of ``space`` is meant to run."""
        return any(name in self.running for name in self._names(space))

    @staticmethod
    def _names(space: DemoSpace) -> list[str]:
        return [f"{space.city} {word}" for word in WORDS]

    def stop(self) -> None:
        """Ask every process to finish; kill those that do not within the patience."""
        for process in self.running.values():
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + PATIENCE_SECONDS
        for process in self.running.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            _end_group(process)
        self.running.clear()


def refuse_taken(port: int) -> None:
    """Raise if something listens on ``port`` of this machine.

    :raises PortTakenError: in words for the visitor.
    """
    if listens(port):
        raise PortTakenError(
            f"port {port} is in use: end what listens there (an earlier demo that was killed?), or "
            f"choose other ports and another folder: make demo PORT={port + 100} DATA=demo-2"
        )


def _end_group(leader: subprocess.Popen[bytes]) -> None:
    """Kill what a process that has ended left behind."""
    try:
        os.killpg(leader.pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # it took everybody along, as it should


def listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _as_interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
