"""Two spaces as an operator runs them: real commands, real processes, real sockets."""

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

pytestmark = pytest.mark.socket

#: Seconds that a slow machine may take for anything here.
PATIENCE = 60


@dataclass
class Instance:
    """One space: its folder, its port, and the processes that this test started for it."""

    folder: Path
    name: str
    port: int
    processes: list = field(default_factory=list)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self):
        kept = {key: value for key, value in os.environ.items() if not key.startswith("MITOYEN_")}
        return kept | {
            "MITOYEN_DATA": str(self.folder),
            "MITOYEN_DEVELOPMENT": "1",
            "MITOYEN_PORT": str(self.port),
            "MITOYEN_MAIL": "file",
        }

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


@pytest.fixture
def town(tmp_path):
    """Lyon and Nantes, founded and open; nobody works yet."""
    founded = []
    for name, city in (("lyon", "Lyon"), ("nantes", "Nantes")):
        each = Instance(tmp_path / name, name, free_port())
        each.command(
            "setup", "--name", name.capitalize(), "--city", city, "--country", "FR",
            "--url", each.url, "--latitude", "45.7", "--longitude", "4.8",
        )  # fmt: skip
        people = each.folder / "people.jsonl"
        lines = [
            {
                "name": f"{name} {number}",
                "email": f"p{number}@{name}.example",
                "external_id": f"{name}-{number}",
                "audience": "neighbours",
                "languages": ["fr"],
            }
            for number in range(20)
        ]
        people.write_text("\n".join(json.dumps(line) for line in lines))
        each.command("members", "import", str(people), "--publish")
        founded.append(each)
    for each in founded:
        each.start("run")
    for each in founded:
        until(lambda each=each: listens(each), each)
    yield founded
    for each in founded:
        each.stop()


def test_two_spaces_meet_over_real_sockets_and_a_killed_worker_loses_nothing(town):
    lyon, nantes = town
    lyon.start("worker")
    worker = nantes.start("worker")
    lyon.command("peers", "knock", nantes.url, "--note", "Bonjour")
    until(lambda: nantes.query("SELECT 1 FROM peer WHERE theirs = 'approved'"), *town)
    assert (lyon.held(), nantes.held()) == (set(), set())

    nantes.command("peers", "approve", lyon.url, "--yes")
    everybody = {f"nantes {number}" for number in range(20)}
    until(lambda: lyon.held() == everybody, *town)
    until(lambda: len(nantes.held()) == 20, *town)

    # Killed in the middle of a job: Lyon's server answers nobody, so the pull hangs in the network.
    server = lyon.processes[0]
    os.killpg(server.pid, signal.SIGSTOP)
    nantes.query("DELETE FROM mirrored_profile WHERE name = 'lyon 3'")
    nantes.query("UPDATE peer SET cursor = '', feed_etag = ''")
    nantes.query("UPDATE job SET due_at = '2020-01-01 00:00:00.000000' WHERE kind = 'pull'")
    leased = "SELECT 1 FROM job WHERE kind = 'pull' AND leased_until IS NOT NULL"
    until(lambda: nantes.query(leased), *town)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    os.killpg(server.pid, signal.SIGCONT)
    assert nantes.query(leased) == [(1,)]

    # Another worker leaves the job alone while the lease lasts, and takes it when it has run out.
    nantes.query(
        "UPDATE job SET leased_until = datetime('now', '+3 seconds') || '.000000' "
        "WHERE kind = 'pull'"
    )
    nantes.start("worker")
    until(lambda: "lyon 3" in nantes.held(), *town)

    # A second worker beside it, asked to end, finishes and ends by itself.
    second = nantes.start("worker")
    until(lambda: nantes.logs().count("worker started") == 3, nantes)
    second.terminate()
    assert second.wait(PATIENCE) == 0

    rows = json.loads(lyon.command("sync", "--json"))
    assert [row["url"] for row in rows] == [nantes.url]
    lyon.command("peers", "end", nantes.url)
    assert lyon.held() == set()
    until(lambda: nantes.held() == set(), *town)
