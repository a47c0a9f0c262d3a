"""Commands about search: finding people from a shell, and keeping the index true."""

from __future__ import annotations

from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

from app.cli.context import opened, print_json, stop
from app.models.engine import reading
from app.models.scope import Reader
from app.search.answers import Found, Hit, Reason
from app.search.find import find
from app.search.index import check, rebuild
from app.search.lexicon import label_of
from app.search.query import Query, clean
from federation.vocabulary import LANGUAGES

#: How a reason is said, by language; ``{said}`` is the person's word, ``{found}`` the profile's.
_REASONS = {
    "fr": {
        "word": "« {said} » dans {field}: {found}",
        "prefix": "« {said}… » = {label}: {found}",
        "typo": "« {said} » lu comme {label}: {found}",
        "synonym": "« {said} » = {label}: {found}",
        "near": "proche de « {said} »: {found}",
        "domain": "« {said} » comprend {label}: {found}",
    },
    "en": {
        "word": '"{said}" in the {field}: {found}',
        "prefix": '"{said}…" = {label}: {found}',
        "typo": '"{said}" read as {label}: {found}',
        "synonym": '"{said}" = {label}: {found}',
        "near": 'close to "{said}": {found}',
        "domain": '"{said}" includes {label}: {found}',
    },
    "de": {
        "word": "„{said}“ in {field}: {found}",
        "prefix": "„{said}…“ = {label}: {found}",
        "typo": "„{said}“ gelesen als {label}: {found}",
        "synonym": "„{said}“ = {label}: {found}",
        "near": "verwandt mit „{said}“: {found}",
        "domain": "„{said}“ umfasst {label}: {found}",
    },
    "es": {
        "word": "«{said}» en {field}: {found}",
        "prefix": "«{said}…» = {label}: {found}",
        "typo": "«{said}» leído como {label}: {found}",
        "synonym": "«{said}» = {label}: {found}",
        "near": "cercano a «{said}»: {found}",
        "domain": "«{said}» incluye {label}: {found}",
    },
}
_FIELDS = {
    "fr": {
        "service": "le service",
        "profession": "le métier",
        "headline": "la présentation",
        "name": "le nom",
        "interests": "les affinités",
        "bio": "le texte",
        "place": "le lieu",
        "languages": "les langues",
    },
    "en": {"interests": "interests", "bio": "text"},
    "de": {
        "service": "der Leistung",
        "profession": "dem Beruf",
        "headline": "der Vorstellung",
        "name": "dem Namen",
        "interests": "den Interessen",
        "bio": "dem Text",
        "place": "dem Ort",
        "languages": "den Sprachen",
    },
    "es": {
        "service": "el servicio",
        "profession": "la profesión",
        "headline": "la presentación",
        "name": "el nombre",
        "interests": "las afinidades",
        "bio": "el texto",
        "place": "el lugar",
        "languages": "los idiomas",
    },
}
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
        found = find(here.session, query, Reader.MEMBER, here.space, here.now, limit=limit)
    hits = (*found.hits, *found.perhaps)[:limit]
    if as_json:
        print_json(_as_json(hit, language) for hit in hits)
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
    """Compare the search index with the directory; exit code 1 when they differ."""
    with opened() as here:
        differences = check(here.session)
    if differences:
        shown = differences[:20]
        stop([*shown, f"{len(differences)} differences. Run: mitoyen index rebuild"])
    click.echo("The index is true to the directory.")


def _as_json(hit: Hit, language: str) -> dict[str, Any]:
    return {
        "id": hit.card.subject,
        "external_id": hit.card.external_id,
        "name": hit.card.name,
        "space": hit.card.space.name,
        "score": hit.score,
        "confident": hit.confident,
        "why": [_said(reason, language) for reason in hit.why],
    }


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
            click.echo(f"    {_said(reason, language)}")


def _said(reason: Reason, language: str) -> str:
    """Return ``reason`` as one line in ``language``."""
    field = _FIELDS[language].get(reason.field, reason.field)
    label = label_of(reason.code, language) if reason.code else reason.found
    form = _REASONS[language]["word" if not reason.code and reason.how != "near" else reason.how]
    return form.format(said=reason.said, found=reason.found, field=field, label=label)


def register(main: click.Group) -> None:
    """Add these commands to ``main``."""
    main.add_command(search)
    main.add_command(index)
