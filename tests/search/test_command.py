"""``mitoyen search`` and ``mitoyen index``: what an operator reads, and what programs do."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from sqlalchemy.orm import Session

from app.cli import main
from app.models.engine import open_engine
from app.models.member import Member
from app.search.index import index_member
from tests import spaces
from tests.databases import databases
from tests.search.town import service


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Type a command in a space where Aïcha, a lawyer, coworks."""
    folder = tmp_path / "lepalier"
    spaces.build(folder)
    engine = open_engine(databases.of(folder))
    now = datetime.now(UTC)
    with Session(engine) as session:
        aicha = Member(
            name="Aïcha",
            external_id="7",
            audience="space",
            services=[service("Relecture de contrats", "contract-law")],
            created_at=now,
            updated_at=now,
        )
        session.add(aicha)
        index_member(session, aicha)
        session.commit()
    engine.dispose()
    monkeypatch.setenv("MITOYEN_DATA", str(folder))
    monkeypatch.setenv("MITOYEN_DATABASE", databases.of(folder))
    monkeypatch.setenv("MITOYEN_DEVELOPMENT", "1")
    return lambda *words: CliRunner().invoke(main, list(words))


def test_nothing_to_look_for_is_said(run):
    answer = run("search", "  ")
    assert (answer.exit_code, answer.stderr) == (
        1,
        "Say in a few words whom you are looking for.\n",
    )


def test_programs_get_people_best_first_with_reasons(run):
    (hit,) = json.loads(run("search", "contrat", "--json", "--lang", "fr").stdout)
    told = "id external_id name profession headline lang translations services space city "
    told += "distance_km score confident why"
    assert hit.keys() == set(told.split())
    assert (hit["external_id"], hit["name"], hit["space"]) == ("7", "Aïcha", "Le Palier")
    assert hit["id"].startswith("https://lepalier.example/m/")
    assert (hit["confident"], hit["why"]) == (
        True,
        ["« contrat » dans le service: Relecture de contrats"],
    )


def test_nobody_is_an_empty_list_for_programs_and_a_sentence_for_people(run):
    assert json.loads(run("search", "plombier", "--json").stdout) == []
    assert run("search", "plombier", "--lang", "fr").stdout == "Personne ne correspond.\n"


def test_a_language_that_answers_are_not_written_in_is_refused(run):
    answer = run("search", "contrat", "--lang", "xx")
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert "'xx' is not one of" in answer.stderr


@pytest.mark.parametrize(
    "words",
    ['" OR *', "%_%", "\x01\x1f\x7favocat", "\u202eavocat", "🧑‍⚖️", "x" * 10_000, "mot " * 500],
    ids=["operators", "wildcards", "control signs", "right to left", "emoji", "long", "many"],
)
def test_no_words_break_the_command(run, words):
    answer = run("search", words, "--json")
    assert (answer.exit_code, isinstance(json.loads(answer.stdout), list)) == (0, True)


def test_the_index_is_rebuilt_and_found_true(run):
    assert run("index", "rebuild").stdout == "The index holds 1 people.\n"
    assert run("index", "check").stdout == "The index is true to the directory.\n"
