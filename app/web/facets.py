"""Filters as people read them: which stand together, what each value is called, how to undo one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import Flask, url_for
from flask_babel import gettext as _

from app.search.answers import Facet, Found, Option
from app.search.query import Query
from app.web import words
from app.web.access import account
from app.web.languages import language
from federation import vocabulary

#: Values of one facet shown before the rest folds away.
OPTIONS_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Group:
    """Facets under one heading."""

    heading: str
    facets: tuple[Facet, ...]


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter that is on, and the address of the same search without it."""

    name: str
    url: str


def panel(found: Found, without: Iterable[str] = ()) -> list[Group]:
    """Return the facets of ``found`` in the order of the page, without those that say nothing."""
    by_name = {facet.name: facet for facet in found.facets if facet.options}
    for name in without:
        by_name.pop(name, None)
    if account() is None:
        # A visitor sees no coworker rate, so nothing to filter by.
        by_name.pop("coworker_rate", None)
    groups = []
    for heading, names in _headings():
        facets = tuple(by_name[name] for name in names if name in by_name)
        if any(_says_something(facet, found) for facet in facets):
            groups.append(Group(heading, facets))
    return groups


def chips(found: Found, endpoint: str) -> list[Chip]:
    """Return one chip for each filter that is on."""
    labels = {(f.name, o.value): o.label for f in found.facets for o in f.options}
    return [
        Chip(
            value_name(name, value, labels.get((name, value), "")),
            address(endpoint, found.query.toggled(name, value)),
        )
        for name, value in found.query.filters
    ]


def address(endpoint: str, pairs: Iterable[tuple[str, str]]) -> str:
    """Return the page's address with these pairs, the only state there is.

    The front page is about this space, so there the scope goes without saying.
    """
    unsaid = "scope" if endpoint == "directory.show" else ""
    text = urlencode([pair for pair in pairs if pair[0] != unsaid])
    return url_for(endpoint) + (f"?{text}" if text else "")


def cleared(query: Query, endpoint: str) -> str:
    return address(endpoint, query.without_filters().to_args())


def option_name(facet: str, option: Option) -> str:
    """Return what a person reads beside one value of a facet."""
    return value_name(facet, option.value, option.label)


def value_name(facet: str, value: str, label: str = "") -> str:
    """Return what a person reads for ``value`` of a filter; ``label`` is what a facet calls it."""
    if facet == "domain":
        return domain_name(value)
    if facet == "speciality":
        return words.speciality(value, "" if label == value else label)
    if facet == "language":
        return words.language_name(value)
    if facet == "country":
        return words.country_name(value)
    if facet == "within":
        return str(_("Within %(km)s km", km=value))
    if facet in ("mode", "remote", "coworker_rate", "space"):
        return _fixed_names().get((facet, value), label or value)
    return label or value


def _fixed_names() -> dict[tuple[str, str], str]:
    return {
        ("mode", "paid"): _("Paid work"),
        ("mode", "exchange"): _("Swaps hours"),
        ("mode", "pro_bono"): _("Pro bono"),
        ("remote", "1"): _("Works remotely"),
        ("coworker_rate", "1"): _("Has a coworker rate"),
        ("space", "here"): _("This space"),
    }


def domain_name(code: str) -> str:
    """Return the name of a family of specialities in the page's language, or the code itself."""
    domain = vocabulary.domains().get(code)
    if domain is None:
        return code
    return words.printed(domain.labels.get(language()[:2], domain.labels["en"]))


def option_id(facet: str, value: str) -> str:
    """Return an id that stays the same from answer to answer, so that the focus stays too."""
    return f"{facet}-{re.sub(r'[^a-zA-Z0-9]', '_', value)}"


def register(app: Flask) -> None:
    """Teach the templates these words."""
    app.jinja_env.globals.update(
        option_name=option_name, option_id=option_id, OPTIONS_SHOWN=OPTIONS_SHOWN
    )


def _headings() -> list[tuple[str, tuple[str, ...]]]:
    return [
        (_("Field"), ("domain",)),
        (_("Service"), ("speciality",)),
        (_("Distance"), ("within",)),
        (_("Space"), ("space",)),
        (_("City"), ("city",)),
        (_("Country"), ("country",)),
        (_("Speaks"), ("language",)),
        (_("How"), ("remote", "coworker_rate")),
        (_("In return for"), ("mode",)),
    ]


def _says_something(facet: Facet, found: Found) -> bool:
    """False when every choice is what everybody in the answer has anyway."""
    return any(option.selected or option.count < found.total for option in facet.options)
