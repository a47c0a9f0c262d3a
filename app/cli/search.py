"""Commands about search: finding people from a shell, and keeping the index true."""

from __future__ import annotations

from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

from app.cli.context import opened, print_json, stop
from app.models.engine import reading
from app.models.scope import Reader
from app.search.answers import Found, Hit
from app.search.checking import check_sets
from app.search.find import find
from app.search.index import check, rebuild
from app.search.query import Query, clean
from app.search.telling import said, told
from federation.vocabulary import LANGUAGES

_NOBODY = {
    "fr": "Personne ne correspond.",
    "en": "Nobody fits.",
    "de": "Niemand passt.",
    "es": "Nadie encaja.",
}
_PERHAPS = {"fr": "Peut-être :", "en": "Perhaps:", "de": "Vielleicht:", "es": "Quizás:"}


@click.command("search")
@click.argument("words", nargs=-1, required=True)
@click.option("--scope", type=click.Choice(["here", "everywhere"]), default="everywhere")
@click.option(
    "--lang",
    "language",
    type=click.Choice(LANGUAGES),
    default="en",
    show_default=True,
    help="Language of the answer.",
)
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON, best first.")
def search(words: tuple[str, ...], scope: Any, language: str, limit: int, as_json: bool) -> None:
    """Find people by what they do, here and among neighbours."""
    query = Query(words=clean(" ".join(words)), scope=scope)
    if not query.words.strip():
        stop(["Say in a few words whom you are looking for."])
    with reading(), opened() as here:
        found = find(
            here.session, query, Reader.MEMBER, here.space, here.now, limit=limit, ranges=[language]
        )
    hits = (*found.hits, *found.perhaps)[:limit]
    if as_json:
        print_json(told(hit, language) | {"external_id": hit.card.external_id} for hit in hits)
    else:
        _print(found, hits, language)


@click.group("index")
def index() -> None:
    """Keep the search index true to the directory."""


@index.command("rebuild")
def rebuild_index() -> None:
    """Make the search index anew."""
    with opened() as here, Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("Reading people", total=None)
        count = rebuild(
            here.session, lambda done, total: bar.update(task, completed=done, total=total)
        )
    click.echo(f"The index holds {count} people.")


@index.command("check")
def check_index() -> None:
    """Compare all of the search index with the directory; exit code 1 when they differ."""
    with opened() as here:
        differences = check(here.session) or check_sets(here.session, everybody=True)
    if differences:
        shown = differences[:20]
        stop([*shown, f"{len(differences)} differences. Run: mitoyen index rebuild"])
    click.echo("The index is true to the directory.")


def _print(found: Found, hits: tuple[Hit, ...], language: str) -> None:
    if not found.hits:
        click.echo(_NOBODY[language])
    for place, hit in enumerate(hits):
        if place == len(found.hits):
            click.echo(f"\n{_PERHAPS[language]}")
        card = hit.card
        line = " – ".join(part for part in (card.name, card.profession or card.headline) if part)
        click.echo(f"{line} ({card.space.name}, {card.space.city})")
        for reason in hit.why:
            click.echo(f"    {said(reason, language)}")


def register(main: click.Group) -> None:
    """Add these commands to ``main``."""
    main.add_command(search)
    main.add_command(index)
