"""The command that shows a newcomer three spaces at once, and lets one of them go away."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from app.cli.context import stop
from app.demo.show import DemoError, call_back, send_away, show

_FOLDER = click.option(
    "--data",
    default="demo-data",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the three spaces; kept until you start over.",
)

_SPACE = click.argument("space", type=click.Choice(["lyon", "nantes", "berlin"]))


def register(main: click.Group) -> None:
    """Add these commands to ``main``."""
    main.add_command(demo)


@click.group(invoke_without_command=True)
@click.option(
    "--port",
    default=8101,
    show_default=True,
    type=click.IntRange(1024, 65533),
    help="First of three ports on loopback.",
)
@_FOLDER
@click.option("--reset", is_flag=True, help="Start over: forget the three spaces first.")
@click.pass_context
def demo(context: click.Context, port: int, data: Path, reset: bool) -> None:
    """Start Lyon, Nantes and Berlin on this machine and print how to walk in."""
    if context.invoked_subcommand is not None:
        return
    try:
        show(data.resolve(), port, reset, Console())
    except DemoError as error:
        stop([str(error)])


@demo.command()
@_SPACE
@_FOLDER
def away(space: str, data: Path) -> None:
    """Let SPACE go off line, while the demo is open in another terminal."""
    try:
        gone = send_away(data.resolve(), space)
    except DemoError as error:
        stop([str(error)])
    click.echo(f"{gone.name} went away: nobody answers at {gone.url}.")
    click.echo("Its neighbours keep its people, with their age, and go on trying.")


@demo.command()
@_SPACE
@_FOLDER
def back(space: str, data: Path) -> None:
    """Let SPACE come back."""
    try:
        here = call_back(data.resolve(), space)
    except DemoError as error:
        stop([str(error)])
    click.echo(f"{here.name} is back at {here.url}, reads its neighbours and confirms.")
