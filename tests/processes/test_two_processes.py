"""Two spaces as an operator runs them: real commands, real processes, real sockets."""

from __future__ import annotations

import json
import os
import signal

import pytest

from tests.processes.instances import PATIENCE, Instance, free_port, listens, until

pytestmark = pytest.mark.socket


@pytest.fixture
def town(tmp_path):
    """Lyon and Nantes, founded and open; nobody works yet."""
    founded = []
    for name, city in (("lyon", "Lyon"), ("nantes", "Nantes")):
        each = Instance(tmp_path / name, name, free_port())
        people = [
            {
                "name": f"{name} {number}",
                "email": f"p{number}@{name}.example",
                "external_id": f"{name}-{number}",
                "audience": "neighbours",
                "languages": ["fr"],
            }
            for number in range(20)
        ]
        each.found(city, people)
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
