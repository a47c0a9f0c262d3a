"""What a mail server hands over on standard input, and what it is told by the exit code."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from app.cli import main

TO = "reply+x@lepalier.example"


def receive(shell, raw, *words):
    given = ("mail", "receive", "--recipient", TO, *words)
    return CliRunner().invoke(main, given, input=raw, env=shell.environment)


@pytest.fixture
def founded(shell):
    shell.found()
    shell.environment["MITOYEN_REPLY_ADDRESS"] = "reply+{token}@lepalier.example"
    return shell


def test_where_answers_by_mail_are_not_switched_on_none_is_taken(founded):
    del founded.environment["MITOYEN_REPLY_ADDRESS"]
    answer = receive(founded, b"From: a@x.example\n\nHello")
    assert answer.exit_code == 69
    assert "not switched on" in answer.output


def test_an_address_that_is_none_is_refused_with_the_code_that_mail_servers_know(founded):
    answer = receive(founded, b"From: a@x.example\n\nHello")
    assert (answer.exit_code, answer.output) == (67, "There is no such address, or not any more.\n")


def test_what_is_too_large_is_refused_with_another(founded):
    assert receive(founded, b"a" * 50_000_000).exit_code == 65


def test_a_notice_of_a_mail_server_ends_well_and_is_answered_by_nothing(founded):
    answer = receive(founded, b"From: a@x.example\n\nNo such user", "--sender", "")
    assert answer.exit_code == 0


@pytest.mark.parametrize(
    "address", ["reply@x.example", "{token}", "{token}{token}@x.example", "a\n{token}@x.example",
                "much-too-long+{token}@x.example", "{token}@X y.example"],
)  # fmt: skip
def test_an_address_for_answers_without_a_place_for_the_token_is_a_problem(founded, address):
    founded.environment["MITOYEN_REPLY_ADDRESS"] = address
    answer = receive(founded, b"")
    assert answer.exit_code == 1
    assert "reply_address" in answer.output
