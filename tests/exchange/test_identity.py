"""The key files of a space: closed to others, never overwritten, missing with a sentence."""

from __future__ import annotations

import json
import stat

import pytest

from app.exchange.identity import (
    KEY_FILES,
    NEXT_OPERATIONAL,
    KeysExistError,
    KeysMissingError,
    KeysUnsafeError,
    create_keys,
    load_identity,
)
from federation.keys import kid, public_jwk

URL = "https://lyon.example"


@pytest.fixture
def folder(tmp_path):
    create_keys(tmp_path / "keys")
    return tmp_path / "keys"


def test_keys_are_for_their_owner_alone(folder):
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == dict.fromkeys((*KEY_FILES, NEXT_OPERATIONAL), 0o600)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_keys_are_never_overwritten(folder):
    before = {name: (folder / name).read_text() for name in KEY_FILES}
    with pytest.raises(KeysExistError, match=r"root\.json"):
        create_keys(folder)
    assert {name: (folder / name).read_text() for name in KEY_FILES} == before


def test_even_one_key_that_is_there_stops_the_making_of_others(tmp_path):
    folder = tmp_path / "keys"
    folder.mkdir()
    (folder / "operational.json").write_text("mine")
    with pytest.raises(KeysExistError):
        create_keys(folder)
    assert [path.name for path in folder.iterdir()] == ["operational.json"]


def test_the_three_keys_are_three(folder):
    identity = load_identity(folder, URL)
    names = {identity.root_kid, identity.next_kid, kid(identity.operational_key)}
    assert (identity.space, len(names)) == (URL, 3)


@pytest.mark.parametrize("name", KEY_FILES)
def test_a_missing_key_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(KeysMissingError, match=name):
        load_identity(folder, URL)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_not_used(folder, mode):
    (folder / "root.json").chmod(mode)
    with pytest.raises(KeysUnsafeError, match="chmod 600"):
        load_identity(folder, URL)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '"key"', "null", "\x00"])
def test_a_file_that_holds_no_key_is_refused(folder, text):
    (folder / "root.json").write_text(text)
    with pytest.raises(KeysUnsafeError, match="no private Ed25519 key"):
        load_identity(folder, URL)


def test_a_public_key_in_place_of_a_private_one_is_refused(folder):
    public = public_jwk(load_identity(folder, URL).root_key)
    (folder / "root.json").write_text(json.dumps(public))
    with pytest.raises(KeysUnsafeError):
        load_identity(folder, URL)


def test_no_key_appears_when_an_identity_is_printed(folder):
    identity = load_identity(folder, URL)
    secret = json.loads((folder / "root.json").read_text())["d"]
    assert secret not in repr(identity)
    assert "Key" not in repr(identity)
