"""Commands about the space's own words for specialities of the shared list."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from app.cli.context import opened, stop
from app.cli.peers import identity_of
from app.members.own_labels import (
    OwnLabelsError,
    adopt,
    read_labels,
    with_word,
    without_word,
)
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

    def read(_before: dict[str, str]) -> dict[str, str]:
        try:
            return read_labels(file.read_text(encoding="utf-8-sig"))
        except UnicodeDecodeError as error:
            raise OwnLabelsError(["It is not UTF-8."]) from error

    _change(read)


@labels.command("add")
@click.argument("word")
@click.argument("code")
def add(word: str, code: str) -> None:
    """Let WORD stand for the shared CODE, beside the words there are."""
    _change(lambda before: with_word(before, word, code))


@labels.command("remove")
@click.argument("word")
def remove(word: str) -> None:
    """Forget WORD; members who got a shared speciality by it keep it."""
    _change(lambda before: without_word(before, word))


def _change(changed: Callable[[dict[str, str]], dict[str, str]]) -> None:
    with opened() as here:
        try:
            given = changed(here.space.labels or {})
        except OwnLabelsError as error:
            stop(["Nothing was changed.", *(f"  - {problem}" for problem in error.problems)])
        coded = adopt(here.session, here.space, given, identity_of(here), here.now)
    click.echo(f"The space has {len(given)} words of its own.")
    if coded:
        click.echo(f"Members whose service thereby has a shared speciality: {coded}.")


@labels.command("list")
def list_() -> None:
    """Print the words, in the form that import reads."""
    with opened() as here:
        for word, code in sorted((here.space.labels or {}).items()):
            name = vocabulary.label(code, "en") or "no longer in the shared list"
            quoted = word.replace("\\", "\\\\").replace('"', '\\"')
            click.echo(f'"{quoted}" = "{code}"  # {name}')
