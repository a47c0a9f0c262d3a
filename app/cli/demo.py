"""The command that shows a newcomer three spaces at once."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from app.cli.context import stop
from app.demo.show import DemoError, show


def register(main: click.Group) -> None:
    """Add this command to ``main``."""
    main.add_command(demo)


@click.command()
@click.option(
    "--port",
    default=8101,
    show_default=True,
    type=click.IntRange(1024, 65533),
    help="First of three ports on loopback.",
)
@click.option(
    "--data",
    default="demo-data",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the three spaces; kept until you start over.",
)
@click.option("--reset", is_flag=True, help="Start over: forget the three spaces first.")
def demo(port: int, data: Path, reset: bool) -> None:
    """Start Lyon, Nantes and Berlin on this machine and print how to walk in."""
    try:
        show(data.resolve(), port, reset, Console())
    except DemoError as error:
        stop([str(error)])
