"""The commands about neighbours, as an operator types them."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from app.cli import main
from app.exchange import peers
from federation.transport import HttpsTransport
from tests.spaces import SECRET


@pytest.fixture
def run(neighbours, monkeypatch):
    """Type a command in the shell of Lyon."""
    network = neighbours.network
    monkeypatch.setattr(HttpsTransport, "get", lambda _, url, **given: network.get(url, **given))
    monkeypatch.setattr(
        HttpsTransport, "post", lambda _, url, body, **given: network.post(url, body, **given)
    )
    environment = {
        "MITOYEN_DATA": str(neighbours.folder / "lyon"),
        "MITOYEN_SECRET_KEY": SECRET,
        "MITOYEN_MAIL": "console",
    }

    def type_in(*words, **given):
        return CliRunner().invoke(main, words, env=environment, **given)

    return type_in


def test_the_list_says_where_each_peering_stands(run):
    told = run("peers", "list").output
    assert "Nantes  https://nantes.example" in told
    assert "you: approved   they: approved" in told


def test_the_list_can_be_read_by_programs(run):
    (row,) = json.loads(run("peers", "list", "--json").output)
    expected = {"url": "https://nantes.example", "ours": "approved", "theirs": "approved"}
    assert {key: row[key] for key in expected} == expected
    assert (row["profiles"], row["roots_agree"], len(row["words"])) == (1, True, 6)


def test_a_knock_that_is_refused_ends_with_a_sentence(run):
    done = run("peers", "knock", "http://paris.example")
    assert done.exit_code == 1
    assert "https" in done.stderr


def test_a_space_that_we_do_not_know_is_said_with_those_we_know(run):
    done = run("peers", "suspend", "https://paris.example")
    assert done.exit_code == 1
    assert "https://nantes.example" in done.stderr


def test_suspend_resume_and_end_say_what_they_do(run, neighbours):
    assert "Nobody here sees its people" in run("peers", "suspend", "https://nantes.example").output
    assert neighbours.seen("lyon") == set()
    assert "is back" in run("peers", "resume", "https://nantes.example").output
    assert neighbours.seen("lyon") == {"Claire Vasseur"}
    assert "1 profile of Nantes" in run("peers", "end", "https://nantes.example").output
    assert neighbours.held("lyon") == set()
    assert run("peers", "resume", "https://nantes.example").exit_code == 1


def test_approving_asks_whether_the_words_were_compared(run, neighbours):
    neighbours.build("berlin")
    neighbours.knock("berlin", "lyon")
    neighbours.work()
    refused = run("peers", "approve", "https://berlin.example", input="n\n")
    assert refused.exit_code == 1
    assert neighbours.stands("lyon", "berlin")[0] == "requested"
    with neighbours.at("berlin") as session:
        peer = neighbours.peer_in(session, "lyon")
        words = " ".join(peers.pair_code_of(peer, neighbours.identity("berlin")))
    assert words in refused.output
    assert run("peers", "approve", "https://berlin.example", input="y\n").exit_code == 0
    assert neighbours.stands("lyon", "berlin") == ("approved", "approved")


def test_approving_what_nobody_asked_for_is_refused(run):
    done = run("peers", "approve", "https://nantes.example", "--yes")
    assert done.exit_code == 1
    assert "You cannot approve Nantes" in done.stderr


def test_sync_says_what_changed(run, neighbours):
    neighbours.publish("nantes", "Gwen Le Bihan")
    assert run("sync").output == "https://nantes.example: 1 taken in\n"
    (row,) = json.loads(run("sync", "https://nantes.example", "--json").output)
    assert row == {"url": "https://nantes.example", "done": True, "told": "nothing new"}


def test_sync_with_a_neighbour_that_is_away_says_so_and_ends_well(run, neighbours):
    neighbours.cut("nantes")
    (row,) = json.loads(run("sync", "--json").output)
    assert (row["done"], "no answer" in row["told"]) == (False, True)


def test_the_worker_can_be_asked_for_one_round(run, neighbours):
    neighbours.publish("lyon", "Bastien Rey")
    done = run("worker", "--once")
    assert done.exit_code == 0, done.output
    assert (neighbours.folder / "lyon" / "worker.alive").exists()


def test_keys_that_others_can_read_stop_every_command(run, neighbours):
    (neighbours.folder / "lyon" / "keys" / "root.json").chmod(0o644)
    done = run("sync")
    assert done.exit_code == 1
    assert "chmod 600" in done.stderr


def test_a_held_key_is_confirmed_by_its_new_words(run, neighbours):
    neighbours.new_root_key("nantes")
    neighbours.later(days=8)
    neighbours.work_at("lyon")
    with neighbours.at("lyon") as session:
        peer = neighbours.peer_in(session, "nantes")
        words = " ".join(peers.pair_code_of(peer, neighbours.identity("lyon")))
    assert f"words to compare: {words}" in run("peers", "list").output
    refused = run("peers", "approve", "https://nantes.example", input="n\n")
    assert (refused.exit_code, words in refused.output) == (1, True)
    assert neighbours.stands("lyon", "nantes")[0] == "key_hold"
    done = run("peers", "approve", "https://nantes.example", input="y\n")
    assert "Its new key is confirmed: Nantes." in done.output
    assert neighbours.stands("lyon", "nantes")[0] == "approved"


def test_a_test_in_the_terminal_names_the_step_that_fails(run, neighbours):
    passed = run("peers", "test", "https://nantes.example")
    assert (passed.exit_code, passed.output.count("passed")) == (0, 11)
    neighbours.cut("nantes")
    failed = run("peers", "test", "https://nantes.example")
    assert failed.exit_code == 1
    assert "failed   connection: unreachable: no answer" in failed.output
    rows = json.loads(run("peers", "test", "https://nantes.example", "--json").stdout)
    assert [row["name"] for row in rows if row["verdict"] == "failed"] == ["connection"]


def test_a_space_that_was_not_approved_is_not_tested(run, neighbours):
    run("peers", "end", "https://nantes.example")
    assert "have not approved" in run("peers", "test", "https://nantes.example").stderr
