"""The command that checks a signed record, anywhere: it needs no space, no database, no network."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, BinaryIO

import click

from federation import proof
from federation.errors import FederationError
from federation.limits import PROOF_BYTES
from federation.proof import Proof, Proved


def register(main: click.Group) -> None:
    """Add this command to ``main``."""
    main.add_command(verify)


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option("--key", "root_kid", help="The space's root key, as its admin told you.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def verify(file: BinaryIO, root_kid: str | None, as_json: bool) -> None:
    """Check a signed record in FILE, and say what it proves; exit code 1 when nothing."""
    now = datetime.now(UTC)
    try:
        # One byte past the limit: a larger file is refused without reading it.
        read = Proof.from_bytes(file.read(PROOF_BYTES + 1))
        found = proof.verify(read, now, root_kid=root_kid)
    except FederationError as error:
        _refuse(error, as_json)
    else:
        _tell(_row(found, root_kid, now), as_json)


def _refuse(error: FederationError, as_json: bool) -> None:
    if as_json:
        _print({"proved": False, "code": error.code, "why": str(error)})
    else:
        click.echo(f"Nothing is proved ({error.code}): {error}.", err=True)
    raise click.exceptions.Exit(1)


def _row(found: Proved, root_kid: str | None, now: datetime) -> dict[str, Any]:
    return {
        "proved": True,
        "space": found.space.entity_id,
        "space_name": found.space.organization_name,
        "subject": found.profile.subject,
        "name": found.profile.name,
        "revision": found.profile.revision,
        "signed_at": found.profile.issued_at.isoformat(),
        "good_until": found.profile.expires_at.isoformat(),
        "stated_at": found.checkpoint.issued_at.isoformat(),
        "view": found.checkpoint.view,
        "count": found.checkpoint.count,
        "root_key": found.space.root_kid,
        "root_key_compared": root_kid is not None,
        "current": found.current(now),
    }


def _tell(row: dict[str, Any], as_json: bool) -> None:
    if as_json:
        _print(row)
        return
    day = "{:.10} at {:.5} UTC".format(*row["stated_at"].split("T"))
    view = "anybody" if row["view"] == "public" else "neighbouring spaces"
    click.echo(f"Proved: on {day}, {row['space_name']} ({row['space']}) stated that")
    click.echo(f"  {row['name']}, {row['subject']}")
    click.echo(f"is its member, with exactly this profile: revision {row['revision']}, signed on")
    click.echo(f"{row['signed_at']:.10}, one of {row['count']} that it shared with {view}.")
    if not row["current"]:
        click.echo("This was so then. Today it may be otherwise: the statement has expired.")
    click.echo(f"Root key of the space: {row['root_key']}")
    if row["root_key_compared"]:
        click.echo("That is the key you named.")
    else:
        click.echo("Anybody can make a key. Compare it with one from the space itself (--key).")


def _print(row: dict[str, Any]) -> None:
    click.echo(json.dumps(row, ensure_ascii=False, indent=2))
