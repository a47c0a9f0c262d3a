"""The command that writes the space as plain files, for any web server to show."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

import click

from app.cli.context import notice_return, opened, stop
from app.cli.peers import identity_of
from app.exchange import restoring, static
from federation.errors import FederationError

#: How long pages of an earlier state are left for whoever is in the middle of reading them.
KEPT = timedelta(days=1)


def register(main: click.Group) -> None:
    """Add this command to ``main``."""
    main.add_command(publish)


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
def publish(directory: Path) -> None:
    """Write what anybody may read into DIRECTORY, as files for any web server.

    Serve DIRECTORY at the space's address and write it again at least every week: what vouches
    for the whole expires after seven days.
    """
    with opened() as here:
        notice_return(here)
        try:
            made = static.files(here.session, here.space, identity_of(here), here.now)
        except FederationError as error:
            stop([f"Nothing was written: {error}"])
        # What was signed must be remembered before it can be read by anybody.
        here.session.commit()
        restoring.remember(here.session, here.settings.data / restoring.POSITION)
        try:
            _write(directory, made)
            _sweep(directory / static.FOLDER, made, here.now)
        except OSError as error:
            stop([f"Not everything was written: {error}"])
        url, mixed = here.space.url, static.mixed(here.session, here.now)
    click.echo(f"{len(made)} files are in {directory}. Serve them at {url}/")
    if mixed:
        people = "1 person shows" if mixed == 1 else f"{mixed} people show"
        click.echo(
            f"{people} some things on the web and others to neighbours alone, and cannot be in "
            "files, which everybody reads: their page says so to them."
        )


def _write(directory: Path, made: dict[str, bytes]) -> None:
    for name, content in made.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # Whole or not at all: nobody reads half a page.
        half = path.with_name(f"{path.name}.new")
        half.write_bytes(content)
        os.replace(half, path)


def _sweep(folder: Path, made: dict[str, bytes], now: datetime) -> None:
    """Delete the pages of states that nobody can still be reading, and photos taken back."""
    for path in folder.glob("feed-*.json"):
        age = now.timestamp() - path.stat().st_mtime
        if f"{static.FOLDER}/{path.name}" not in made and age > KEPT.total_seconds():
            path.unlink()
    # Nobody is in the middle of a photo that was taken back.
    for path in (folder / "photo").glob("*"):
        if f"{static.FOLDER}/photo/{path.name}" not in made:
            path.unlink()
