"""Commands about neighbours, and the worker that does what is due."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import structlog
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import worker as loop
from app.cli.context import Opened, opened, print_json, stop
from app.exchange import copies, outbox, peers, trial
from app.exchange.identity import (
    Identity,
    Keyholder,
    KeysMissingError,
    KeysUnsafeError,
    load_identity,
)
from app.exchange.jobs import Round
from app.exchange.rekeying import Schedule
from app.exchange.work import Outcome, perform, schedule_upkeep
from app.factory import create_app
from app.models.peer import Peer
from app.web import post
from config.settings import Settings, SettingsError
from federation.transport import HttpsTransport

ACTOR = "command"

#: The words of each half of a peering, as people say them.
_STANDS = {
    "none": "-",
    "requested": "waits for you",
    "approved": "approved",
    "suspended": "suspended",
    "ended": "ended",
    "blocked": "blocked",
    "key_hold": "new key: compare the words again",
}


def register(main: click.Group) -> None:
    """Add these commands to ``main``."""
    main.add_command(group)
    main.add_command(sync)
    main.add_command(work)


@click.group("peers")
def group() -> None:
    """The spaces you share your directory with."""


@group.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def list_peers(as_json: bool) -> None:
    """List the spaces you know, and where each peering stands."""
    with opened() as space:
        identity = identity_of(space)
        rows = [_row(space.session, peer, identity) for peer in _peers(space.session)]
    if as_json:
        print_json(rows)
        return
    if not rows:
        click.echo("You know no other space yet. Knock at a door: mitoyen peers knock URL")
    for row in rows:
        click.echo(f"{row['name'] or row['url']}  {row['url']}")
        click.echo(f"  you: {_STANDS[row['ours']]}   they: {_STANDS[row['theirs']]}")
        click.echo(f"  {row['profiles']} profiles, last heard {row['last_success_at'] or 'never'}")
        if row["problem"]:
            click.echo(f"  {row['problem']}")
        if row["ours"] in ("requested", "key_hold") and row["words"]:
            click.echo(f"  words to compare: {' '.join(row['words'])}")


@group.command()
@click.argument("url")
@click.option("--note", default="", help="A few words for their admin.")
def knock(url: str, note: str) -> None:
    """Ask the space at URL to be neighbours."""
    with opened() as space:
        identity = identity_of(space)
        try:
            peer = peers.knock(
                space.session, url, identity, _transport(space), note, space.now, ACTOR
            )
        except peers.PeeringError as error:
            stop([str(error)])
        space.session.flush()
        click.echo(f"You asked {peer.name} ({peer.url}) to be neighbours. Your six words:")
        click.echo(f"  {' '.join(peers.pair_code_of(peer, identity))}")
        click.echo("Their admin sees the same ones; compare them by telephone.")


@group.command()
@click.argument("url")
@click.option("--yes", is_flag=True, help="The six words were compared; do not ask.")
def approve(url: str, yes: bool) -> None:
    """Say yes to the space at URL, or to its new key, after comparing the six words."""
    with opened() as space:
        identity, peer = identity_of(space), _known(space, url)
        shown = peer.kid_to_compare
        if shown:
            click.echo(f"{peer.name} ({peer.url}) must see the same six words on its screen:")
            click.echo(f"  {' '.join(peers.pair_code_of(peer, identity))}")
        if not yes and not click.confirm("Did its admin read you these words by telephone?"):
            stop(["Nothing was approved."])
        # The question may have waited for hours: nobody else is kept waiting meanwhile.
        space.session.rollback()
        if peer.kid_to_compare != shown:
            stop(["Its key changed while the question waited. Compare the new words."])
        held = peer.ours == "key_hold"
        _decide(space, peer, peers.confirm_key if held else peers.approve)
        click.echo(f"Its new key is confirmed: {peer.name}." if held else f"Approved: {peer.name}.")


@group.command()
@click.argument("url")
def suspend(url: str) -> None:
    """Hide the people of the space at URL at once; kept for 30 days."""
    with opened() as space:
        peer = _known(space, url)
        _decide(space, peer, peers.suspend)
        click.echo(f"{peer.name} is suspended. Nobody here sees its people any more.")


@group.command()
@click.argument("url")
def resume(url: str) -> None:
    """Undo a suspension."""
    with opened() as space:
        peer = _known(space, url)
        _decide(space, peer, peers.resume)
        click.echo(f"{peer.name} is back.")


@group.command()
@click.argument("url")
def end(url: str) -> None:
    """End the peering; everything of the space at URL is deleted here."""
    with opened() as space:
        peer = _known(space, url)
        held = copies.count(space.session, peer)
        _decide(space, peer, peers.end)
        profiles = "1 profile" if held == 1 else f"{held} profiles"
        click.echo(f"Ended. Deleted here: {profiles} of {peer.name or peer.url}.")


@group.command("test")
@click.argument("url")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def try_out(url: str, as_json: bool) -> None:
    """Ask the space at URL everything that the exchange needs, and say which step fails."""
    with opened() as space:
        peer = _known(space, url)
        if peer.ours not in trial.TESTABLE:
            stop([f"You have not approved {peer.name or peer.url}."])
        steps = trial.perform(space.session, peer, _transport(space), identity_of(space), space.now)
    if as_json:
        print_json(asdict(step) for step in steps)
    else:
        for step in steps:
            click.echo(f"{step.verdict:8} {step.name}" + _why(step))
    if any(step.verdict == trial.FAILED for step in steps):
        stop([] if as_json else ["Something fails."])


def _why(step: trial.Step) -> str:
    said = ": ".join(filter(None, (step.code, step.detail)))
    return f": {said}" if said else ""


@click.command()
@click.argument("url", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def sync(url: str | None, as_json: bool) -> None:
    """Read all neighbours now, or the one at URL."""
    with opened() as space:
        chosen = [_known(space, url)] if url else list(_peers(space.session))
        round_ = Round(space.session, _transport(space), identity_of(space), space.now)
        rows = [row for peer in chosen for row in _sync(round_, peer, asked=bool(url))]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(f"{row['url']}: {row['told']}")
    if not rows:
        click.echo("There is no neighbour to read.")


@click.command("worker")
@click.option("--once", is_flag=True, help="Do what is due now, and end.")
def work(once: bool) -> None:
    """Do what is due: read neighbours, deliver, sign; until it is asked to end."""
    with opened() as space:
        identity, transport = identity_of(space), _transport(space)
        settings = space.settings
        keyholder = Keyholder(
            settings.key_folder, space.space.url, development=settings.development
        )
        engine = space.session.get_bind()
        _log_as(space.settings.log_format)
        heartbeat = space.settings.data / loop.HEARTBEAT
        schedule = Schedule(settings.key_folder, timedelta(days=settings.rotate_after))
    # Now that nobody holds the database: the application opens it by itself.
    mailer = post.mailer(_application(settings))
    if not once:
        loop.run(
            _sessions(engine), transport, keyholder, heartbeat, schedule=schedule, mailer=mailer
        )
        return
    now = datetime.now(UTC)
    with Session(engine) as session:
        schedule_upkeep(session, now)
        session.commit()
    heartbeat.touch()
    done = loop.run_round(
        _sessions(engine), transport, identity, now, schedule=schedule, mailer=mailer
    )
    click.echo(f"{len(done.outcomes)} jobs done")
    if done.broken:
        stop([f"{done.broken} jobs met a bug; the log has it"])


def _application(settings: Settings) -> Flask:
    """Return what writes the letters to members, or end the command with what it lacks."""
    try:
        return create_app(settings)
    except SettingsError as error:
        stop(["Mitoyen cannot start:", *(f"  - {problem}" for problem in error.problems)])


def identity_of(space: Opened) -> Identity:
    """Return the space's keys, or end the command with what is wrong with them."""
    try:
        return load_identity(
            space.settings.key_folder, space.space.url, development=space.settings.development
        )
    except (KeysMissingError, KeysUnsafeError) as error:
        stop([str(error)])


def _transport(space: Opened) -> HttpsTransport:
    return HttpsTransport(development=space.settings.development)


def _sessions(engine: Any) -> Callable[[], Session]:
    return lambda: Session(engine)


def _peers(session: Session) -> list[Peer]:
    return list(session.scalars(select(Peer).order_by(Peer.name, Peer.url)))


def _known(space: Opened, url: str) -> Peer:
    typed = url.strip().rstrip("/")
    peer = space.session.scalars(select(Peer).filter_by(url=typed)).one_or_none()
    if peer is None:
        known = [each.url for each in _peers(space.session)]
        stop([f"You know no space at {typed}.", *(f"  {each}" for each in known)])
    return peer


def _decide(
    space: Opened, peer: Peer, verb: Callable[[Session, Peer, Identity, datetime, str], None]
) -> None:
    try:
        verb(space.session, peer, identity_of(space), space.now, ACTOR)
    except peers.PeeringError as error:
        stop([str(error)])


def _row(session: Session, peer: Peer, identity: Identity) -> dict[str, Any]:
    return {
        "url": peer.url,
        "name": peer.name,
        "city": peer.city,
        "ours": peer.ours,
        "theirs": peer.theirs,
        "words": list(peers.pair_code_of(peer, identity)) if peer.kid_to_compare else [],
        "note": peer.their_note,
        "profiles": copies.count(session, peer),
        "roots_agree": peer.roots_agree,
        "last_success_at": _moment(peer.last_success_at),
        "next_pull_at": _moment(peer.next_pull_at),
        "problem": peer.last_error_text,
        "problem_code": peer.last_error,
    }


def _moment(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat(timespec="seconds")


def _sync(round_: Round, peer: Peer, *, asked: bool) -> list[dict[str, Any]]:
    """Pull one neighbour in this process and return one row to print, or none."""
    if peer.ours != "approved" or peer.theirs != "approved":
        if not asked:
            return []
        return [{"url": peer.url, "done": False, "told": "you are not neighbours (yet)"}]
    url, key = peer.url, str(peer.id)
    outbox.request(round_.session, outbox.PULL, key, round_.now, peer_id=peer.id)
    round_.session.commit()
    held = outbox.claim_one(round_.session, outbox.PULL, key, round_.now)
    if held is None:
        return [{"url": url, "done": True, "told": "a worker is reading it right now"}]
    outcome: Outcome = perform(round_, held)
    row = asdict(outcome)
    return [{"url": url, "done": row["done"], "told": row["told"]}]


def _log_as(form: str) -> None:
    last: Any = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            last,
        ],
        cache_logger_on_first_use=False,
    )
