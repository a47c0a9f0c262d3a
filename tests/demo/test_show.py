"""The demo's care for what is on the visitor's machine: folders, ports, processes."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys

import pytest
from rich.console import Console

from app.demo.processes import PortTakenError, Processes
from app.demo.show import DemoError, show
from app.demo.town import town

#: Starts a child that would live for a minute, says its number, and waits; SIGTERM ends it alone.
LEADER = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""

#: Holds the file it is given, says so, and waits for the end of its input.
HOLDER = """
import fcntl, sys
with open(sys.argv[1]) as held:
    fcntl.flock(held, fcntl.LOCK_EX)
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def quiet():
    return Console(quiet=True)


@pytest.fixture
def taken():
    """A port of this machine on which something listens."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


def files_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("reset", [False, True])
def test_a_folder_with_other_things_stays_as_it_is(tmp_path, quiet, reset):
    (tmp_path / "lyon").mkdir()
    (tmp_path / "lyon" / "holiday.jpg").write_bytes(b"a photograph")
    with pytest.raises(DemoError, match="holds other things than this demo"):
        show(tmp_path, 9301, reset, quiet)
    assert files_in(tmp_path) == ["lyon", "lyon/holiday.jpg"]


@pytest.mark.socket
def test_starting_over_forgets_nothing_while_the_ports_are_in_use(tmp_path, quiet, taken):
    (tmp_path / "demo").write_text(f"{taken},{taken + 1},{taken + 2}\n")
    (tmp_path / "lyon").mkdir()
    with pytest.raises(DemoError, match=f"port {taken} is in use"):
        show(tmp_path, taken, True, quiet)
    assert files_in(tmp_path) == ["demo", "lyon"]


def test_a_second_demo_in_the_same_folder_is_refused(tmp_path, quiet):
    (tmp_path / "demo").write_text("9301,9302,9303\n")
    first = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "demo")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with first:
        first.stdout.readline()
        with pytest.raises(DemoError, match="is open already, in another terminal"):
            show(tmp_path, 9301, True, quiet)
        first.stdin.close()
    assert files_in(tmp_path) == ["demo"]


def test_other_ports_than_those_of_the_founding_are_refused(tmp_path, quiet):
    (tmp_path / "demo").write_text("9301,9302,9303\n")
    with pytest.raises(DemoError, match="use PORT=9301, or start over with RESET=1"):
        show(tmp_path, 9304, False, quiet)


def test_what_a_killed_process_left_behind_is_ended(tmp_path):
    processes = Processes()
    leader = subprocess.Popen(
        [sys.executable, "-c", LEADER], stdout=subprocess.PIPE, start_new_session=True
    )
    left = leader.stdout.readline().strip().decode()
    leader.send_signal(signal.SIGKILL)
    leader.wait()
    processes.running["Lyon run"] = leader
    processes.stop()
    # The pipe ends when nobody holds it any more: the child held it, too.
    assert (left.isdigit(), leader.stdout.read()) == (True, b"")
    leader.stdout.close()


@pytest.mark.socket
def test_a_server_whose_port_is_still_held_is_started_later_and_ends_nothing(tmp_path, taken):
    lyon = town(tmp_path, taken)[0]
    processes = Processes()
    ended = subprocess.Popen([sys.executable, "-c", ""], start_new_session=True)
    ended.wait()
    processes.running["Lyon run"] = ended
    processes.started["Lyon run"] = (lyon, "run")
    assert processes.revive("Lyon run") is False
    with pytest.raises(PortTakenError, match=f"port {taken} is in use"):
        processes.start(lyon, "run")


def test_ctrl_c_ends_a_demo_that_a_script_started_in_the_background():
    ours = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in ours}
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with pytest.raises(KeyboardInterrupt), Processes():
            signal.raise_signal(signal.SIGINT)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
