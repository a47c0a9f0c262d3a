"""Commands about the space itself: found it, let its first admin in, serve it, examine it."""

from __future__ import annotations

from datetime import UTC, datetime

import click
from granian import Granian
from granian.constants import Interfaces

from app.cli import doctor
from app.cli.context import Opened, load_settings, opened, print_json, session_on, stop
from app.cli.finding import PROBLEM
from app.cli.founding import DoorPlate, DoorPlateError, found
from app.exchange.identity import KeysExistError
from app.models.account import ADMIN, MEMBER, Account, account_of, issue_link
from app.models.journal import note
from app.models.member import Member
from app.models.space import ENAMELS, Space
from app.search.index import index_member
from config.settings import Settings, SettingsError

#: Threads that answer requests, per process; a page waits mostly for the database.
THREADS = 4


def register(main: click.Group) -> None:
    """Add these commands to ``main``."""
    for command in (setup, link, run, examine):
        main.add_command(command)


@click.command()
@click.option("--name", required=True, help="What is written on the door.")
@click.option("--city", required=True)
@click.option("--country", required=True, help="Two letters, e.g. FR (ISO 3166-1).")
@click.option("--url", required=True, help="Public address, e.g. https://lyon.example; for ever.")
@click.option("--latitude", type=float, help="Degrees; found from the city otherwise.")
@click.option("--longitude", type=float, help="Degrees; found from the city otherwise.")
@click.option("--language", "languages", multiple=True, help="Of its pages, the first by default.")
@click.option("--enamel", type=click.Choice(ENAMELS), default="blue", help="Colour of the plaque.")
@click.option("--data", type=click.Path(file_okay=False), help="Instead of MITOYEN_DATA.")
def setup(
    name: str,
    city: str,
    country: str,
    url: str,
    latitude: float | None,
    longitude: float | None,
    languages: tuple[str, ...],
    enamel: str,
    data: str | None,
) -> None:
    """Found a space: its data directory, database, keys and door plate."""
    settings = _settings(data)
    try:
        plate = DoorPlate.checked(
            name=name,
            city=city,
            country=country,
            url=url,
            latitude=latitude,
            longitude=longitude,
            languages=languages,
            enamel=enamel,
            development=settings.development,
        )
    except DoorPlateError as error:
        stop(["Nothing was set up:", *(f"  - {problem}" for problem in error.problems)])
    space = _found(settings, plate)
    click.echo(f"{space} is set up in {settings.data}. Next:")
    click.echo("  mitoyen link YOU@EXAMPLE.ORG --admin     a sign-in link for the first admin")
    click.echo("  mitoyen members import FILE --dry-run    what a list of members would do")
    click.echo("  mitoyen run                              serve its pages")
    click.echo("  mitoyen worker                           exchange with neighbours")


def _settings(data: str | None) -> Settings:
    if data is None:
        return load_settings()
    try:
        return Settings.load(data=data)
    except SettingsError as error:
        stop(["Mitoyen cannot start:", *(f"  - {problem}" for problem in error.problems)])


def _found(settings: Settings, plate: DoorPlate) -> str:
    try:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        stop([f"The directory {settings.data} cannot be made: {error.strerror}"])
    with session_on(settings) as session:
        known = session.get(Space, 1)
        if known is not None:
            stop(
                [
                    f"{known.name} ({known.url}) is set up here already; nothing was changed.",
                    "An admin changes its door plate on its own pages; its address stays.",
                ]
            )
        try:
            space = found(session, settings, plate, datetime.now(UTC))
        except (KeysExistError, OSError) as error:
            stop([f"Nothing was set up: {error}"])
        name = space.name
        session.commit()
    return name


@click.command()
@click.argument("email")
@click.option("--admin", is_flag=True, help="Make this person an admin.")
@click.option("--name", default="", help="Name of somebody who is not a member yet.")
def link(email: str, admin: bool, name: str) -> None:
    """Print a sign-in link that works once, for a few minutes.

    This is how the first admin comes in; afterwards people ask for their links by mail.
    """
    address = email.strip().lower()
    if "@" not in address.strip("@") or any(letter.isspace() for letter in address):
        stop([f"“{email}” is not an e-mail address."])
    with opened() as here:
        account = account_of(here.session, address)
        if account is None:
            if not (admin or name):
                stop(
                    [
                        f"Nobody here has the address {address}.",
                        "Add --admin for somebody who runs the space, or --name for a new member.",
                    ]
                )
            account = Account(email=address, role=MEMBER, created_at=here.now)
            here.session.add(account)
        here.session.flush()
        if name and account.member is None:
            account.member = _new_member(here, name)
        if admin and not account.is_admin:
            account.role = ADMIN
            note(
                here.session,
                here.now,
                "decision",
                "account.admin",
                actor="command",
                detail=f"Account {account.ref} was made an admin from the shell.",
            )
        secret = issue_link(here.session, account, here.now)
        url = f"{here.space.url}/sign-in/{secret}"
    click.echo("This link lets its reader in once, within 15 minutes:", err=True)
    click.echo(url)


def _new_member(here: Opened, name: str) -> Member:
    """Return somebody new, whom nobody but themselves sees yet."""
    member = Member(name=" ".join(name.split())[:120], created_at=here.now, updated_at=here.now)
    here.session.add(member)
    here.session.flush()
    index_member(here.session, member)
    return member


@click.command()
def run() -> None:
    """Serve the pages of the space."""
    settings = load_settings()
    missing = doctor.missing_to_serve(settings)
    if missing:
        stop(["Mitoyen cannot serve this space:", *(f"  - {problem}" for problem in missing)])
    click.echo(f"Serving on http://{settings.listen}:{settings.port} (Ctrl-C ends it)", err=True)
    Granian(
        "app.cli.serving:application",
        factory=True,
        address=settings.listen,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=settings.workers,
        blocking_threads=THREADS,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
    ).serve()


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option(
    "--whole-index",
    is_flag=True,
    help="Compare every set of the search index with the people in it, not a sample of people.",
)
def examine(as_json: bool, whole_index: bool) -> None:
    """Examine the space, and say what is wrong and what to do; exit code 1 on a problem."""
    findings = doctor.examine(datetime.now(UTC), whole_index=whole_index)
    if as_json:
        print_json(finding.as_row() for finding in findings)
    else:
        for finding in findings:
            click.echo(finding.as_line())
    if any(finding.level == PROBLEM for finding in findings):
        raise click.exceptions.Exit(1)
