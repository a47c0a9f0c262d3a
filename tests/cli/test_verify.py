"""``mitoyen verify``: what a file proves, in words, on a machine that has no space."""

from __future__ import annotations

import json

import pytest
import time_machine
from click.testing import CliRunner

from app.cli import main
from federation import keys
from federation.limits import PROOF_BYTES
from tests.federation import samples
from tests.federation.test_proof import made


@pytest.fixture
def verify(tmp_path):
    def run(data, *options, days=0):
        file = tmp_path / "record.json"
        file.write_bytes(data)
        with time_machine.travel(samples.NOW + days * samples.DAY, tick=False):
            words = ["verify", str(file), *options]
            return CliRunner().invoke(main, words, catch_exceptions=False)

    return run


@pytest.mark.parametrize(
    ("data", "options", "code"),
    [
        (b"", (), "invalid-document"),
        (b"\xff" * (PROOF_BYTES + 1), (), "too-large"),
        (made().to_bytes().replace(b'"index":', b'"index":1'), (), "not-included"),
        (made().to_bytes(), ("--key", "k" * 43), "key-hold"),
    ],
)
def test_a_file_that_proves_nothing_ends_with_1_and_says_why(verify, data, options, code):
    told = verify(data, *options)
    assert (told.exit_code, told.stdout) == (1, "")
    assert told.stderr.startswith(f"Nothing is proved ({code}): ")
    row = json.loads(verify(data, *options, "--json").stdout)
    assert (row["proved"], row["code"]) == (False, code)


def test_a_proof_is_told_in_words(verify):
    told = verify(made().to_bytes())
    assert told.exit_code == 0
    assert told.stdout == (
        "Proved: on 2026-11-24 at 09:30 UTC, Le Palier (https://lyon.example) stated that\n"
        "  Aïcha Benali, https://lyon.example/m/01AICHA\n"
        "is its member, with exactly this profile: revision 1, signed on\n"
        "2026-11-24, one of 13 that it shared with neighbouring spaces.\n"
        f"Root key of the space: {keys.kid(samples.ROOT)}\n"
        "Anybody can make a key. Compare it with one from the space itself (--key).\n"
    )


def test_with_the_key_that_one_knows_nothing_is_left_to_compare(verify):
    told = verify(made().to_bytes(), "--key", keys.kid(samples.ROOT))
    assert told.stdout.endswith("That is the key you named.\n")


def test_an_old_proof_says_that_it_is_old(verify):
    told = verify(made().to_bytes(), days=500)
    assert told.exit_code == 0
    assert "Today it may be otherwise" in told.stdout
    assert not json.loads(verify(made().to_bytes(), "--json", days=500).stdout)["current"]
