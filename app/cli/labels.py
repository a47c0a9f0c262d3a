"""Commands about the space's own words for specialities of the shared list."""

from __future__ import annotations

from pathlib import Path

import click

from app.cli.context import opened, stop
from app.cli.peers import identity_of
from app.members.own_labels import OwnLabelsError, adopt, read_labels
from federation import vocabulary


def register(main: click.Group) -> None:
    """Add these commands to ``main``."""
    main.add_command(labels)


@click.group()
def labels() -> None:
    """The space's own words for specialities of the shared list."""


@labels.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def import_(file: Path) -> None:
    """Take the words of FILE instead of those before: lines such as "Graphotrice" = "branding"."""
    try:
        given = read_labels(file.read_text(encoding="utf-8-sig"))
    except (OwnLabelsError, UnicodeDecodeError) as error:
        problems = error.problems if isinstance(error, OwnLabelsError) else ["It is not UTF-8."]
        stop(["Nothing was changed.", *(f"  - {problem}" for problem in problems)])
    with opened() as here:
        changed = adopt(here.session, here.space, given, identity_of(here), here.now)
    click.echo(f"The space has {len(given)} words of its own.")
    if changed:
        click.echo(f"Members whose service thereby has a shared speciality: {changed}.")


@labels.command("list")
def list_() -> None:
    """Print the words, in the form that import reads."""
    with opened() as here:
        for word, code in sorted((here.space.labels or {}).items()):
            name = vocabulary.label(code, "en") or "no longer in the shared list"
            quoted = word.replace("\\", "\\\\").replace('"', '\\"')
            click.echo(f'"{quoted}" = "{code}"  # {name}')
