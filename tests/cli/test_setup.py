"""Founding a space: everything is checked first, and it happens once."""

from __future__ import annotations

import stat

import pytest
from sqlalchemy.orm import Session

from app.cli import serving
from app.exchange.identity import load_identity
from app.models.engine import open_engine
from app.models.feed import FeedState
from app.models.space import Space
from app.search import completions
from app.search.cities import City, find_city
from tests.cli.conftest import DOOR
from tests.databases import databases

PLACE = ("--latitude", "47.2", "--longitude", "-1.55")


def space_in(data):
    engine = open_engine(databases.of(data))
    with Session(engine) as session:
        space, feed = session.get(Space, 1), session.get(FeedState, 1)
        session.expunge_all()
    engine.dispose()
    return space, feed


def door(**changed):
    given = {"name": "Le Palier", "city": "Nantes", "country": "FR"}
    given = {**given, "url": "https://lepalier.example", **changed}
    return [word for key, value in given.items() for word in (f"--{key}", value)]


def test_all_that_is_wrong_is_said_at_once_and_nothing_is_written(shell):
    wrong = door(name=" ", country="XX", url="https://LePalier.example/", language="klingon")
    said = shell("setup", *wrong, "--latitude", "99", "--longitude", "0", ok=False).stderr
    for option in ("--name", "--country", "--url", "--language", "--latitude"):
        assert f"  - {option}" in said
    assert not shell.data.exists()


@pytest.mark.parametrize(
    "url",
    [
        "http://lepalier.example",
        "http://127.0.0.1:8101",
        "https://lepalier.example/",
        "https://user@lepalier.example",
        "https://lepalier.example:443",
        "lepalier.example",
    ],
)
def test_an_address_that_other_spaces_would_refuse_is_refused_here(shell, url):
    assert "--url" in shell("setup", *door(url=url), *PLACE, ok=False).stderr
    assert not shell.data.exists()


def test_plain_http_on_this_machine_is_for_development(shell):
    shell.environment["MITOYEN_DEVELOPMENT"] = "1"
    shell("setup", *door(url="http://127.0.0.1:8101"), *PLACE)
    assert space_in(shell.data)[0].url == "http://127.0.0.1:8101"


@pytest.mark.parametrize("place", [("--latitude", "47"), ("--latitude", "nan", "--longitude", "1")])
def test_a_place_is_two_numbers_on_the_globe(shell, place):
    assert "--latitude" in shell("setup", *DOOR, *place, ok=False).stderr


def test_a_city_that_we_do_not_know_asks_for_its_place(shell):
    said = shell("setup", *door(city="Trifouilly-les-Oies"), ok=False).stderr
    assert "give --latitude and --longitude as well" in said
    shell("setup", *door(city="Trifouilly-les-Oies"), *PLACE)


def test_missing_settings_are_listed_and_nothing_is_written(shell):
    shell.environment |= {"MITOYEN_MAIL": "smtp", "MITOYEN_MAIL_SENDER": ""}
    said = shell("setup", *DOOR, *PLACE, ok=False).stderr
    assert "smtp_host" in said
    assert "mail_sender" in said
    assert not shell.data.exists()


def test_a_space_is_founded_with_its_door_plate_keys_and_secret(shell):
    shell("setup", *door(country="fr", enamel="teal"), *PLACE)
    space, feed = space_in(shell.data)
    assert (space.name, space.city, space.country, space.url, space.enamel) == (
        "Le Palier",
        "Nantes",
        "FR",
        "https://lepalier.example",
        "teal",
    )
    assert (space.latitude, space.longitude, space.languages) == (47.2, -1.55, ["fr"])
    assert (len(feed.epoch), feed.seq) == (26, 0)
    assert load_identity(shell.data / "keys", space.url).entity_id == space.url


def test_only_the_owner_can_read_what_was_made(shell):
    shell.found()
    folders = {shell.data, shell.data / "keys"}
    secrets = {shell.data / "secret_key", *(shell.data / "keys").iterdir()}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}


def test_a_second_founding_is_refused_and_changes_nothing(shell):
    shell.found()
    before = {path: path.read_bytes() for path in shell.data.rglob("*.json")}
    epoch = space_in(shell.data)[1].epoch
    said = shell("setup", *door(name="Other"), *PLACE, ok=False).stderr
    assert "Le Palier (https://lepalier.example) is set up here already" in said
    assert {path: path.read_bytes() for path in shell.data.rglob("*.json")} == before
    assert (space_in(shell.data)[0].name, space_in(shell.data)[1].epoch) == ("Le Palier", epoch)


@pytest.mark.sqlite
def test_a_founding_that_was_interrupted_goes_on_with_the_keys_it_made(shell):
    shell.found()
    keys = (shell.data / "keys" / "root.json").read_bytes()
    (shell.data / "mitoyen.db").unlink()
    shell.found()
    assert (shell.data / "keys" / "root.json").read_bytes() == keys


def test_a_city_is_found_by_any_of_its_names_and_the_largest_wins(tmp_path):
    table = tmp_path / "cities.tsv"
    table.write_text(
        "DE\t48.1\t11.6\t1500000\tMunich\tMonaco di Baviera\tMünchen\n"
        "FR\t45.4\t4.4\t170000\tSaint-Étienne\n"
        "US\t37.2\t-93.3\t170000\tSpringfield\n"
        "US\t42.1\t-72.5\t155000\tSpringfield\n",
        encoding="utf-8",
    )
    assert find_city("munchen", "DE", table) == City("Munich", "DE", 48.1, 11.6, 1500000)
    assert find_city("saint etienne", "FR", table).people == 170000
    assert find_city("Springfield", "US", table).latitude == 37.2
    assert find_city("München", "FR", table) is None
    assert find_city("Munich", "DE", tmp_path / "none.tsv") is None


def test_a_directory_that_is_not_there_is_not_made_by_looking_into_it(shell):
    said = shell("members", "list", ok=False).stderr
    assert said == f"There is no directory {shell.data}. Start with: mitoyen setup --help\n"
    assert not shell.data.exists()


def test_a_file_in_the_place_of_the_directory_is_named(shell):
    shell.data.write_text("not a directory")
    assert str(shell.data) in shell("members", "list", ok=False).stderr
    assert str(shell.data) in shell("setup", *DOOR, *PLACE, ok=False).stderr


@pytest.mark.sqlite
def test_a_file_that_is_no_database_is_said_to_be_none(shell):
    shell.found()
    for leftover in shell.data.glob("mitoyen.db*"):
        leftover.write_bytes(b"not a database, but long enough to be looked at as one" * 100)
    for command in (("members", "list"), ("worker", "--once")):
        said = shell(*command, ok=False).stderr
        assert said.startswith("The database cannot be opened: file is not a database.")


def test_a_process_of_the_server_reads_the_vocabulary_before_anybody_comes(shell, monkeypatch):
    shell.found()
    for name, value in shell.environment.items():
        monkeypatch.setenv(name, value)
    completions._places.cache_clear()
    serving.application()
    assert completions._places.cache_info().currsize == 1
