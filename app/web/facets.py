"""Filters as people read them: which stand together, what each value is called, how to undo one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from babel.dates import get_day_names
from flask import Flask, url_for
from flask_babel import gettext as _

from app.models.member import HOUR
from app.search.answers import Facet, Found, Option
from app.search.availability import DAYS
from app.search.cities import City
from app.search.prices import Band
from app.search.query import Query
from app.web import words
from app.web.access import account
from app.web.languages import language
from federation import vocabulary

#: Values of one facet shown before the rest folds away.
OPTIONS_SHOWN = 8
#: Cities of the same name that are offered beside the one that was taken.
NAMESAKES = 4


@dataclass(frozen=True, slots=True)
class Group:
    """Facets under one heading."""

    heading: str
    facets: tuple[Facet, ...]
    origin: Origin | None = None
    """From where distances are counted, under the heading about distance."""


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter that is on, and the address of the same search without it."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Origin:
    """The city from which distances are counted."""

    typed: str
    """What stands in the field; empty for this space."""

    meant: str
    """Which city that is, empty for this space."""

    others: tuple[Chip, ...]
    """Other cities of that name, with the address of the same search from there."""


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
        origin = _origin(found) if "within" in names and "within" not in without else None
        if origin or any(_says_something(facet, found) for facet in facets):
            groups.append(Group(heading, facets, origin))
    return groups


def _origin(found: Found) -> Origin | None:
    """Return from where distances count; None where everybody is in one place anyway."""
    query = found.query
    places = next((facet.options for facet in found.facets if facet.name == "space"), ())
    if len(places) < 2 and not query.near and query.within is None:
        return None
    return Origin(
        query.near,
        city_name(found.origin) if found.origin else "",
        tuple(
            Chip(
                city_name(city),
                address("search.show", query.to_args(near=f"{city.name}, {city.country}")),
            )
            for city in found.namesakes[:NAMESAKES]
        ),
    )


def city_name(city: City) -> str:
    """Return a city with its country, as people tell it from others of its name."""
    return f"{city.name}, {words.country_name(city.country)}"


def chips(found: Found, endpoint: str) -> list[Chip]:
    """Return one chip for each filter that is on."""
    labels = {(f.name, o.value): o.label for f in found.facets for o in f.options}
    if found.origin and found.query.within:
        within = str(found.query.within)
        labels["within", within] = _(
            "Within %(km)s km of %(city)s", km=within, city=found.origin.name
        )
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
        return label if label != value and label else str(_("Within %(km)s km", km=value))
    if facet == "near":
        return str(_("Distances from %(city)s", city=value))
    if facet == "price":
        return price_name(value)
    if facet == "availability" and value in DAYS:
        return day_name(value)
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


def price_name(value: str) -> str:
    """Return a band of rates as people say it: from, to, and for how long's work."""
    band = Band.read(value)
    if band is None:
        return value
    low = words.money(band.least, band.currency)
    if band.below is None:
        per = _("%(low)s/h and more", low=low), _("%(low)s/day and more", low=low)
    else:
        high = words.money(band.below, band.currency)
        per = (
            _("%(low)s to %(high)s/h", low=low, high=high),
            _("%(low)s to %(high)s/day", low=low, high=high),
        )
        if not band.least:
            per = _("Under %(high)s/h", high=high), _("Under %(high)s/day", high=high)
    return str(per[0] if band.unit == HOUR else per[1])


def day_name(code: str) -> str:
    """Return the name of a day of the week in the page's language."""
    name = str(get_day_names("wide", locale=language())[DAYS.index(code)])
    return name[:1].upper() + name[1:]


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
        (_("Price"), ("price",)),
        (_("Can be found on"), ("availability",)),
    ]


def _says_something(facet: Facet, found: Found) -> bool:
    """False when every choice is what everybody in the answer has anyway."""
    return any(option.selected or option.count < found.total for option in facet.options)
