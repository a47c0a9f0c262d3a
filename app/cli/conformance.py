"""The command that examines another space from outside; it needs no space of its own."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

import click

from app.cli.context import print_json, stop
from federation.conformance import conforms, examine
from federation.errors import ForbiddenAddressError
from federation.examination import Finding, Verdict
from federation.identifiers import EntityId
from federation.transport import HttpsTransport

_MARKS = {Verdict.PASSED: "ok     ", Verdict.FAILED: "FAILED ", Verdict.SKIPPED: "skipped"}


def register(main: click.Group) -> None:
    """Add this command to ``main``."""
    main.add_command(conformance)


@click.command()
@click.argument("url")
@click.option("--development", is_flag=True, help="Also plain http, on this machine alone.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def conformance(url: str, development: bool, as_json: bool) -> None:
    """Examine the space at URL by the protocol, as a stranger; exit code 1 when something fails.

    Reads all that it shows to anybody, and sends what it has to refuse; it keeps nothing of it.
    """
    try:
        address = EntityId.parse(url.strip().rstrip("/"), development=development)
    except ForbiddenAddressError as error:
        stop([f"That is not the address of a space, such as https://lyon.example: {error}."])
    findings = examine(HttpsTransport(development=development), address, datetime.now(UTC))
    if as_json:
        print_json(asdict(finding) for finding in findings)
    else:
        _report(address, findings)
    if not conforms(findings):
        raise click.exceptions.Exit(1)


def _report(address: str, findings: list[Finding]) -> None:
    click.echo(f"{address}, by federation/PROTOCOL.md, as a stranger:")
    for finding in findings:
        line = f"  {_MARKS[finding.verdict]} {finding.check:26} section {finding.section}"
        click.echo(line)
        if finding.said:
            # Part of the sentence may be theirs, and theirs may steer a terminal.
            click.echo(f"          {''.join(c if c.isprintable() else '?' for c in finding.said)}")
    counts = [f"{_count(findings, verdict)} {verdict.value}" for verdict in Verdict]
    click.echo(", ".join(counts))


def _count(findings: list[Finding], verdict: Verdict) -> int:
    return sum(finding.verdict is verdict for finding in findings)
