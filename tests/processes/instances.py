"""Spaces as an operator runs them: real commands, real processes, real sockets."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

#: Seconds that a slow machine may take for anything here.
PATIENCE = 60


@dataclass(eq=False)
class Instance:
    """One space: its folder, its port, and the processes that this test started for it."""

    folder: Path
    name: str
    port: int
    door: int = 0
    """The port at which others find it, when that is not its own."""

    processes: list = field(default_factory=list)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.door or self.port}"

    @property
    def environment(self):
        kept = {key: value for key, value in os.environ.items() if not key.startswith("MITOYEN_")}
        return kept | {
            "MITOYEN_DATA": str(self.folder),
            "MITOYEN_DEVELOPMENT": "1",
            "MITOYEN_PORT": str(self.port),
            "MITOYEN_MAIL": "file",
        }

    def found(self, city, people):
        """Set the space up, with members as a list describes them."""
        self.command(
            "setup", "--name", self.name.capitalize(), "--city", city, "--country", "FR",
            "--url", self.url, "--latitude", "45.7", "--longitude", "4.8",
        )  # fmt: skip
        self.import_list(people)

    def import_list(self, people):
        """Load a list of members whose owners agreed to what it says."""
        file = self.folder / "people.jsonl"
        file.write_text("\n".join(json.dumps(line) for line in people))
        self.command("members", "import", str(file), "--publish")

    def command(self, *words):
        done = subprocess.run(
            [sys.executable, "-m", "app.cli", *words],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, f"{words}: {done.stderr or done.stdout}"
        return done.stdout

    def start(self, word):
        with (self.folder / f"{word}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "app.cli", word],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def kill(self, word):
        """End ``mitoyen run`` or ``worker``, with all that it started, as a power cut would."""
        (process,) = (each for each in self.processes if each.args[-1] == word)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self.processes.remove(process)

    def query(self, sql, *values):
        connection = sqlite3.connect(self.folder / "mitoyen.db", timeout=15)
        try:
            rows = connection.execute(sql, values).fetchall()
            connection.commit()
            return rows
        finally:
            connection.close()

    def held(self):
        return {name for (name,) in self.query("SELECT name FROM mirrored_profile")}

    def logs(self):
        return "\n".join(path.read_text() for path in self.folder.glob("*.log"))

    def stop(self):
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(true, *instances):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if true():
            return
        time.sleep(0.2)
    pytest.fail("it did not come about\n" + "\n".join(each.logs() for each in instances))


def listens(instance):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", instance.port)) == 0
