"""Commands that ask people to come in, and that say who runs the space."""

from __future__ import annotations

import click

from app.cli.context import Opened, opened, stop
from app.cli.members import members
from app.members import inviting, roles
from app.members.inviting import NotInvitedError
from app.members.roles import LastAdminError, NoAdminError
from app.models.account import ADMIN, MEMBER, account_of

#: Names that a dry run shows.
SHOWN = 40


def register(_main: click.Group) -> None:
    """Add these commands to the group ``members``."""
    members.add_command(invite)
    members.add_command(role)


@click.command()
@click.argument("address", required=False)
@click.option("--all", "everybody", is_flag=True, help="Everybody who was not invited yet.")
@click.option("--name", default="", help="The name of somebody who is in no list.")
@click.option("--dry-run", is_flag=True, help="Say who would get a letter, and send none.")
def invite(address: str | None, everybody: bool, name: str, dry_run: bool) -> None:
    """Invite one person by ADDRESS, or with --all everybody who was not invited yet.

    The worker sends the letters, one every two seconds; each holds a link that works once, for
    two weeks. Inviting ADDRESS again sends another letter, and the link before opens nothing.
    """
    if everybody == bool(address):
        stop(["Give an address, or --all: mitoyen members invite --help"])
    with opened() as here:
        if dry_run:
            _preview(here, address)
        elif address:
            _one(here, address, name)
        else:
            asked = inviting.invite_all(here.session, "command", here.now)
            click.echo(f"Letters on their way: {asked}.")


def _preview(here: Opened, address: str | None) -> None:
    found = list(here.session.scalars(inviting.uninvited()))
    if address:
        found = [one for one in found if one.email == address.strip().lower()]
    for one in found[:SHOWN]:
        click.echo(f"  {one.member.name if one.member else '(no name)'}  {one.email}")
    if len(found) > SHOWN:
        click.echo(f"  ... and {len(found) - SHOWN} more")
    click.echo(f"{len(found)} letters would go out. This was a dry run: none was sent.")


def _one(here: Opened, address: str, name: str) -> None:
    name = " ".join(name.split())[:120]
    bare = address.strip().lower()
    if "@" not in bare.strip("@") or any(letter.isspace() for letter in bare):
        stop([f"“{address}” is not an e-mail address."])
    if account_of(here.session, bare) is None and not name:
        stop([f"Nobody here has the address {bare}. Add --name for somebody new."])
    account = inviting.newcomer(here.session, name, bare, here.now)
    try:
        inviting.invite(here.session, account, "command", here.now)
    except NotInvitedError as error:
        here.session.rollback()
        stop(
            [
                "They came in before, and need no invitation."
                if error.reason == "in"
                else "The door is shut to this person: they left, or an admin decided so."
            ]
        )
    click.echo("The letter is on its way.")


@click.command()
@click.argument("address")
@click.argument("role", type=click.Choice([MEMBER, ADMIN]))
def role(address: str, role: str) -> None:
    """Make the person with ADDRESS an admin, or a member like all others."""
    with opened() as here:
        account = account_of(here.session, address)
        if account is None:
            stop([f"Nobody here has the address {address}."])
        change = roles.give if role == ADMIN else roles.take
        try:
            change(here.session, account, "command", here.now)
        except (LastAdminError, NoAdminError) as error:
            here.session.rollback()
            stop([f"Nothing was changed: {error}."])
    click.echo(f"{address} is {'an admin' if role == ADMIN else 'a member'} now.")
