"""Commands about the keys that the space signs with, and about coming back from a backup."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import click
from sqlalchemy import select

from app.cli.context import Opened, notice_return, opened, print_json, stop
from app.cli.peers import ACTOR, identity_of
from app.exchange import awaiting, peers, rekeying, restoring, rotation
from app.exchange.identity import KeysMissingError, KeysUnsafeError
from app.models.journal import note
from app.models.peer import Peer


def register(main: click.Group) -> None:
    """Add these commands to ``main``."""
    main.add_command(group)
    main.add_command(restored)


@click.group("keys")
def group() -> None:
    """The keys that this space signs with."""


@group.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def list_keys(as_json: bool) -> None:
    """List the thumbprints of all keys, and what each is for."""
    with opened() as space:
        rows = rotation.listed(identity_of(space))
    if as_json:
        print_json([{"kid": row.kid, "use": row.use} for row in rows])
        return
    for row in rows:
        click.echo(f"{row.kid}  {row.use}")


@group.command()
@click.option("--root", is_flag=True, help="Let the announced root key take its place instead.")
@click.option("--older-than", "days", type=int, help="Only if it is older; for cron.")
def rotate(root: bool, days: int | None) -> None:
    """Sign with the announced key from now on, and announce another one."""
    with opened() as space:
        young = days is not None and _age(space) < timedelta(days=days)
        if young:
            click.echo("The key is younger than that: nothing to do.")
            return
        change = rotation.roll_root if root else rotation.rotate
        signed = _changed(space, change, "keys.rolled" if root else "keys.rotated")
    if root:
        click.echo("Neighbours take the new root key by themselves, within a week.")
    else:
        click.echo(f"{signed} documents signed again. The former key is published for 30 days.")


@group.command()
@click.argument("kid")
def revoke(kid: str) -> None:
    """Stop publishing the operational key KID at once: neighbours drop what it signed."""
    with opened() as space:
        signed = _changed(
            space, lambda folder, now: rotation.revoke(folder, kid, now), "keys.revoked", kid
        )
    click.echo(f"Revoked: {kid}. {signed} documents signed again, neighbours are being told.")


@group.command()
@click.option("--yes", is_flag=True, help="Both root keys are lost; do not ask.")
def anew(yes: bool) -> None:
    """Make a new root key, when it and the announced one are lost for good.

    Neighbours stop the exchange until each of their admins has compared the new words with you.
    """
    with opened() as space:
        if not yes and not click.confirm("Are both root keys lost, and in no backup either?"):
            stop(["Nothing was changed."])
        space.session.rollback()
        _changed(space, rotation.found_root_anew, "keys.anew")
        identity = identity_of(space)
        approved = select(Peer).where(Peer.ours == "approved").order_by(Peer.name, Peer.url)
        to_call = [
            f"  {peer.name or peer.url}: {' '.join(peers.pair_code_of(peer, identity))}"
            for peer in space.session.scalars(approved)
        ]
    click.echo("No neighbour believes this key before its admin has compared the new words. Call:")
    click.echo("\n".join(to_call))


@group.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(file: Path) -> None:
    """Write the keys into the new archive FILE, which only you can read."""
    with opened() as space:
        identity_of(space)
        try:
            count = rotation.backup(space.settings.key_folder, file)
        except OSError as error:
            stop([f"{file}: {error.strerror}"])
    click.echo(f"{count} files in {file}. Whoever has it can speak for your space.")


@click.command()
@click.option("--yes", is_flag=True, help="The data did come from a backup; do not ask.")
def restored(yes: bool) -> None:
    """Tell neighbours that this space came back from a backup: they read it anew."""
    with opened() as space:
        identity_of(space)
        if not yes and not click.confirm("Did you put back an older copy of the database?"):
            stop(["Nothing was changed."])
        space.session.rollback()
        published = restoring.begin_again(space.session, space.now, actor=ACTOR)
        asked = len(awaiting.awaited(space.session))
        space.session.commit()
        restoring.remember(space.session, space.settings.data / restoring.POSITION)
    click.echo(f"Neighbours read {published} profiles anew. {asked} neighbours are asked what this")
    click.echo(
        "space signed after the backup was made: somebody may have taken their profile back."
    )
    click.echo("Until all have told, nothing that was signed before is signed again by itself;")
    click.echo("`mitoyen doctor` says who is awaited.")


def _age(space: Opened) -> timedelta:
    try:
        return rotation.age(space.settings.key_folder, space.now)
    except (KeysMissingError, KeysUnsafeError) as error:
        stop([str(error)])


def _changed(
    space: Opened, change: Callable[[Path, datetime], str], code: str, about: str = ""
) -> int:
    """Change a key, sign anew what has to be, tell the neighbours; return how much was signed."""
    session = space.session
    notice_return(space)
    try:
        fresh = change(space.settings.key_folder, space.now)
    except rotation.KeyChangeError as error:
        stop([str(error)])
    except (KeysMissingError, KeysUnsafeError) as error:
        stop([str(error)])
    click.echo(f"In use from now on: {fresh}")
    note(session, space.now, "decision", code, actor=ACTOR, detail=about or fresh)
    return rekeying.follow(session, identity_of(space), space.now)
