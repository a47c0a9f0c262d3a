"""The ``mitoyen`` command: what an operator does from a shell."""

from __future__ import annotations

import click

from app.cli import (
    conformance,
    demo,
    invitations,
    keys,
    labels,
    mail,
    members,
    peers,
    proofs,
    search,
    space,
    static,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="mitoyen")
def main() -> None:
    """Run a coworking space's directory, and share it with the spaces you trust."""


for part in (
    demo,
    space,
    members,
    invitations,
    labels,
    mail,
    search,
    peers,
    keys,
    proofs,
    static,
    conformance,
):
    part.register(main)
