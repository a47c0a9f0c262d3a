"""Keeping the French catalogue in step with the texts of pages: ``make catalogue``.

English is what the code says; French is complete, or the check fails.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from babel.messages.frontend import CommandLineInterface
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent
TRANSLATIONS = ROOT / "app" / "translations"
CATALOGUE = TRANSLATIONS / "fr" / "LC_MESSAGES" / "messages.po"
OPTIONS = ["--no-fuzzy-matching", "--ignore-obsolete", "--ignore-pot-creation-date", "--no-wrap"]


def extract(folder: Path) -> Path:
    """Write all texts of pages into a template in ``folder`` and return its path."""
    template = folder / "messages.pot"
    _pybabel(
        "extract", "-F", str(ROOT / "pyproject.toml"), "-k", "lazy_gettext", "--no-location",
        "--sort-output", "--omit-header", "-o", str(template), str(ROOT),
    )  # fmt: skip
    return template


def update() -> None:
    """Bring the catalogue up to date and compile it; new texts come in untranslated."""
    with tempfile.TemporaryDirectory() as folder:
        template = extract(Path(folder))
        if CATALOGUE.exists():
            _pybabel("update", "-l", "fr", "-i", str(template), "-o", str(CATALOGUE), *OPTIONS)
        else:
            _pybabel("init", "-l", "fr", "-i", str(template), "-o", str(CATALOGUE), "--no-wrap")
    compile_all()


def compile_all() -> None:
    """Write the ``messages.mo`` that pages read; installing the package does it as well."""
    _pybabel("compile", "-d", str(TRANSLATIONS))


def missing() -> list[str]:
    """Return the texts without a French one, or that French still has and no page says."""
    with tempfile.TemporaryDirectory() as folder, extract(Path(folder)).open("rb") as template:
        said = {message.id: message for message in read_po(template) if message.id}
    with CATALOGUE.open("rb") as catalogue:
        french = {message.id: message for message in read_po(catalogue) if message.id}
    return [
        *(f"not in the catalogue: {text!r}" for text in said if text not in french),
        *(f"no page says it any more: {text!r}" for text in french if text not in said),
        *(f"not translated: {m.id!r}" for m in french.values() if not _complete(m) or m.fuzzy),
    ]


def _complete(message) -> bool:
    strings = message.string if isinstance(message.string, tuple) else (message.string,)
    return all(strings)


def _pybabel(*words: str) -> None:
    CommandLineInterface().run(["pybabel", "-q", *words])


def main() -> int:
    if "--check" not in sys.argv:
        update()
        return 0
    problems = missing()
    print("\n".join(problems) or "The French catalogue is complete.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
