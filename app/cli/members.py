"""Commands about members: load a list of them, list them, write them out."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress
from sqlalchemy.exc import OperationalError

from app.cli.context import Opened, notice_return, opened, print_json, stop
from app.exchange.identity import Identity, KeysMissingError, KeysUnsafeError, load_identity
from app.members import columns, export, reading
from app.members.load import load
from app.members.plan import Outcome, Plan, Verdict, plan
from app.models.member import Member

#: Rows of one kind that are shown one by one; all are in the answer for programs.
SHOWN = 40


def register(main: click.Group) -> None:
    """Add these commands to ``main``."""
    main.add_command(members)


@click.group()
def members() -> None:
    """The people of the space."""


@members.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option("--publish", is_flag=True, help="Agree to the audiences that the file asks for.")
@click.option("--map", "mapping", multiple=True, metavar="FIELD=COLUMN", help="Read a column as.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def import_(
    file: Path, dry_run: bool, publish: bool, mapping: tuple[str, ...], as_json: bool
) -> None:
    """Load a list of members: CSV or TSV, Cobot's memberships, or our own JSON Lines.

    Members who are not in the list stay as they are. Nobody becomes visible to more people,
    unless the list says so and you pass --publish.
    """
    chosen = _chosen(mapping)
    with opened() as here:
        try:
            listing = reading.read_file(file, here.now.date(), chosen)
        except reading.UnreadableFileError as error:
            stop([f"Nothing was changed. {error}"])
        identity = _identity(here)
        if not dry_run:
            notice_return(here)
        planned = plan(here.session, listing, identity, here.now, publish=publish)
        if not dry_run:
            _load(here, planned, identity, file.name)
    _report(file, planned, dry_run=dry_run, as_json=as_json)


def _chosen(mapping: Iterable[str]) -> dict[str, str]:
    chosen = {}
    for pair in mapping:
        field, sign, header = pair.partition("=")
        if not (sign and field.strip() and header.strip()):
            stop(
                [
                    f"--map {pair}: write it as FIELD=COLUMN, for example --map name=Nom.",
                    f"Fields: {', '.join(columns.FIELDS)}.",
                ]
            )
        chosen[field.strip()] = header.strip()
    return chosen


def _load(here: Opened, planned: Plan, identity: Identity, source: str) -> None:
    console = Console(stderr=True)
    with Progress(console=console, transient=True) if console.is_terminal else nullcontext() as bar:
        task = bar.add_task("Members", total=None) if bar else None

        def tell(done: int, total: int) -> None:
            if bar is not None and task is not None:
                bar.update(task, completed=done, total=total)

        try:
            load(here.session, planned, identity, here.now, source=source, progress=tell)
        except OperationalError as error:
            stop([f"Nothing was changed. The database cannot be written: {error.orig}"])


def _identity(here: Opened) -> Identity:
    settings = here.settings
    try:
        return load_identity(settings.key_folder, here.space.url, development=settings.development)
    except (KeysMissingError, KeysUnsafeError) as error:
        stop([f"Nothing was changed. {error}"])


def _report(file: Path, planned: Plan, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        answer = {"file": file.name, "dry_run": dry_run, **_as_object(planned)}
        click.echo(json.dumps(answer, ensure_ascii=False, indent=2))
        return
    click.echo("\n".join(_lines(file, planned, dry_run=dry_run)))


def _as_object(planned: Plan) -> dict[str, Any]:
    listing = planned.listing
    return {
        "format": listing.kind,
        "encoding": listing.encoding,
        "delimiter": listing.delimiter or None,
        "columns": listing.columns.mapped if listing.columns else None,
        "unmapped": listing.columns.unmapped if listing.columns else list(listing.ignored),
        "counts": planned.counts,
        "rows": [
            {
                "line": outcome.line,
                "name": outcome.name,
                "outcome": outcome.verdict.value,
                "changes": list(outcome.changes),
                "reasons": list(outcome.reasons),
                "remarks": list(outcome.remarks),
            }
            for outcome in planned.outcomes
        ],
    }


def _lines(file: Path, planned: Plan, *, dry_run: bool) -> Iterable[str]:
    yield f"{file.name}: {_read_as(planned)}"
    if planned.listing.columns:
        for field, header in planned.listing.columns.mapped.items():
            yield f"  “{header}” is read as {field}"
    for header in _unread(planned):
        yield f"  “{header}” is not read"
    for verdict in (Verdict.REFUSED, Verdict.CHANGED, Verdict.NEW):
        yield from _some([one for one in planned.outcomes if one.verdict is verdict], planned)
    yield from _remarks(planned)
    counted = ", ".join(f"{count} {verdict}" for verdict, count in planned.counts.items())
    yield f"{counted}." + (" This was a dry run: nothing was changed." if dry_run else "")


def _read_as(planned: Plan) -> str:
    listing = planned.listing
    kinds = {"table": "a table", "cobot": "Cobot's memberships", "jsonl": "JSON Lines"}
    between = f", {listing.delimiter} between cells" if listing.delimiter else ""
    return f"{kinds[listing.kind]} in {listing.encoding}{between}, {len(listing.rows)} rows"


def _unread(planned: Plan) -> list[str]:
    listing = planned.listing
    unmapped = listing.columns.unmapped if listing.columns else list(listing.ignored)
    return [header for header in unmapped if header]


def _some(outcomes: list[Outcome], planned: Plan) -> Iterable[str]:
    for outcome in outcomes[:SHOWN]:
        why = "; ".join(outcome.reasons or outcome.changes)
        place = f"{planned.listing.unit} {outcome.line}"
        name = outcome.name or "(no name)"
        yield f"  {outcome.verdict.value:9} {place}, {name}" + (f": {why}" if why else "")
    if len(outcomes) > SHOWN:
        rest = len(outcomes) - SHOWN
        yield f"  ... and {rest} more {outcomes[0].verdict.value} (--json shows all)"


def _remarks(planned: Plan) -> Iterable[str]:
    """Yield each remark once, with the number of rows it is about."""
    found = Counter(remark for outcome in planned.outcomes for remark in outcome.remarks)
    for remark, count in found.most_common(SHOWN):
        yield f"  note: {remark}" + (f" ({count} rows)" if count > 1 else "")


@members.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_(as_json: bool) -> None:
    """List the members of the space, and who may see each."""
    with opened() as here:
        rows = [_row(here, member) for member in export.current_members(here.session)]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(f"{row['name']:32}  {row['audience']:10}  {row['email'] or '-'}")
    click.echo(f"{len(rows)} members.")


def _row(here: Opened, member: Member) -> dict[str, Any]:
    return {
        "id": f"{here.space.url}/m/{member.ref}",
        "external_id": member.external_id,
        "name": member.name,
        "email": member.account.email if member.account else None,
        "audience": member.audience,
        "profession": member.profession,
        "services": [service.title for service in member.services],
    }


@members.command("export")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True), default="-")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["jsonl", "csv"]),
    help="Default: what the file's name ends in, else jsonl.",
)
def export_(file: Path, kind: str | None) -> None:
    """Write the members to FILE, or to standard output: everything a list can hold.

    The file holds e-mail addresses. JSON Lines import again to nothing changed; in CSV, cells
    that a spreadsheet would calculate begin with an apostrophe.
    """
    as_csv = (kind or file.suffix.removeprefix(".")) == "csv"
    with opened() as here:
        found = export.current_members(here.session)
        lines = list(export.as_csv(found) if as_csv else export.as_jsonl(here.session, found))
    # The mark tells spreadsheets that this is UTF-8.
    data = "".join(lines).encode("utf-8-sig" if as_csv else "utf-8")
    if str(file) == "-":
        sys.stdout.buffer.write(data)
        return
    try:
        file.write_bytes(data)
    except OSError as error:
        stop([f"{file} cannot be written: {error.strerror}"])
    click.echo(f"{len(found)} members written to {file}.", err=True)
