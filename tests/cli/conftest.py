"""An operator's shell: commands run in this process, on a data directory of their own."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import main
from tests.databases import databases

DOOR = (
    *("--name", "Le Palier", "--city", "Nantes", "--country", "FR"),
    *("--url", "https://lepalier.example"),
)


@dataclass
class Shell:
    """Runs ``mitoyen`` with the environment that the test gives."""

    data: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __call__(self, *words: str, ok: bool = True) -> Result:
        result = CliRunner().invoke(main, words, env=self.environment, catch_exceptions=False)
        assert (result.exit_code == 0) is ok, result.output
        return result

    def found(self) -> None:
        self("setup", *DOOR, "--latitude", "47.2", "--longitude", "-1.55")


@pytest.fixture
def shell(tmp_path, monkeypatch):
    monkeypatch.delenv("MITOYEN_CONFIG", raising=False)
    data = tmp_path / "data"
    environment = {
        "MITOYEN_DATA": str(data),
        "MITOYEN_MAIL": "file",
        "MITOYEN_MAIL_SENDER": "hello@lepalier.example",
    }
    if databases.server is not None:
        environment["MITOYEN_DATABASE"] = databases.of(data)
    return Shell(data, environment)
