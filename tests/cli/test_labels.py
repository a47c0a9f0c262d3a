"""``mitoyen labels``: the space's own words, from a file and back."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from app.cli import main
from tests import spaces
from tests.databases import databases


@pytest.fixture
def run(tmp_path, monkeypatch):
    folder = tmp_path / "lepalier"
    spaces.build(folder)
    monkeypatch.setenv("MITOYEN_DATA", str(folder))
    monkeypatch.setenv("MITOYEN_DATABASE", databases.of(folder))
    monkeypatch.setenv("MITOYEN_DEVELOPMENT", "1")
    return lambda *words: CliRunner().invoke(main, list(words))


def test_a_wrong_file_changes_nothing_and_every_mistake_is_said(run, tmp_path):
    file = tmp_path / "words.toml"
    file.write_text('"Dompteuse de tableurs" = "spreadsheets"')
    assert run("labels", "import", str(file)).exit_code == 0
    file.write_text('"A" = "nowhere"\n"Avocate" = "branding"')
    refused = run("labels", "import", str(file))
    assert refused.exit_code == 1
    assert refused.stderr.count("  - ") == 2
    file.write_bytes(b'"Ann\xe9e" = "branding"')
    assert "It is not UTF-8." in run("labels", "import", str(file)).stderr
    assert "Dompteuse" in run("labels", "list").stdout


def test_what_is_listed_can_be_imported_again(run, tmp_path):
    file = tmp_path / "words.toml"
    file.write_text("'The \"tamer\"' = \"spreadsheets\"\nFileuse = 'textile-design'")
    assert run("labels", "import", str(file)).stdout == "The space has 2 words of its own.\n"
    listed = run("labels", "list").stdout
    file.write_text(listed)
    assert run("labels", "import", str(file)).exit_code == 0
    assert run("labels", "list").stdout == listed
    assert '"Fileuse" = "textile-design"' in listed


def test_a_word_that_cannot_be_is_not_added_and_one_that_is_not_there_not_removed(run):
    run("labels", "add", "Fileuse", "textile-design")
    for words, said in [
        (("add", "Fileuse", "nowhere"), "no code 'nowhere'"),
        (("add", "Avocate", "branding"), "already means lawyer"),
        (("add", " ", "branding"), "is empty"),
        (("remove", "Fille"), "is no word of this space"),
    ]:
        refused = run("labels", *words)
        assert (refused.exit_code, said in refused.stderr) == (1, True), refused.stderr
    listed = '"Fileuse" = "textile-design"  # Textile design\n'
    assert run("labels", "list").stdout == listed


def test_one_word_is_added_changed_and_removed_and_the_others_stay(run):
    run("labels", "add", "Fileuse", "textile-design")
    run("labels", "add", "Graphotrice", "branding")
    assert "has 2 words" in run("labels", "add", "graphotrice", "illustration").stdout
    listed = run("labels", "list").stdout
    assert [line.split("  #")[0] for line in listed.splitlines()] == [
        '"Fileuse" = "textile-design"',
        '"graphotrice" = "illustration"',
    ]
    assert run("labels", "remove", "GRAPHOTRICE").stdout == "The space has 1 words of its own.\n"
    assert "raphotrice" not in run("labels", "list").stdout
