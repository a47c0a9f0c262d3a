"""The demo's care for what is on the visitor's machine: folders, ports, processes."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys

import pytest
from rich.console import Console

from app.demo.processes import PortTakenError, Processes
from app.demo.show import DemoError, call_back, follow_wishes, send_away, show
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


# --- a space that goes away while the demo is open


@pytest.mark.parametrize("ask", [send_away, call_back])
def test_a_demo_that_is_not_open_has_nobody_to_send_away(tmp_path, ask):
    with pytest.raises(DemoError, match="no demo is open"):
        ask(tmp_path, "berlin")
    (tmp_path / "demo").write_text("9301,9302,9303\n")
    with pytest.raises(DemoError, match="no demo is open"):
        ask(tmp_path, "berlin")
    assert files_in(tmp_path) == ["demo"]


class Door:
    """Plays the processes of the demo: which spaces are open, and in what order that changed."""

    def __init__(self, *spaces):
        self.spaces, self.told = set(spaces), []

    def is_open(self, space):
        return space.key in self.spaces

    def open(self, space):
        self.spaces.add(space.key)
        self.told.append(f"open {space.key}")

    def close(self, space):
        self.spaces.discard(space.key)
        self.told.append(f"close {space.key}")


def test_a_wish_is_followed_once_and_the_other_spaces_stay_as_they_are(tmp_path, quiet):
    spaces = town(tmp_path, 9301)
    for space in spaces:
        space.data.mkdir()
    doors = Door("lyon", "nantes", "berlin")
    follow_wishes(spaces, doors, quiet)
    assert doors.told == []
    (tmp_path / "berlin" / "away").touch()
    for _ in range(2):
        follow_wishes(spaces, doors, quiet)
    assert doors.told == ["close berlin"]
    (tmp_path / "berlin" / "away").unlink()
    for _ in range(2):
        follow_wishes(spaces, doors, quiet)
    assert doors.told == ["close berlin", "open berlin"]


def test_a_space_that_goes_away_takes_both_processes_along_and_is_not_revived(tmp_path):
    lyon = town(tmp_path, 9301)[0]
    processes = Processes()
    for word in ("run", "worker"):
        processes.running[f"Lyon {word}"] = subprocess.Popen(
            [sys.executable, "-c", LEADER], stdout=subprocess.PIPE, start_new_session=True
        )
    leaders = list(processes.running.values())
    for leader in leaders:
        leader.stdout.readline()
    processes.close(lyon)
    assert all(leader.returncode is not None for leader in leaders)
    # The pipes end when nobody holds them any more: the children held them, too.
    assert [leader.stdout.read() for leader in leaders] == [b"", b""]
    assert (processes.is_open(lyon), processes.ended()) == (False, [])
    for leader in leaders:
        leader.stdout.close()
