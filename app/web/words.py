"""How values become words on a page: money, dates, distances, specialities, languages."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency
from flask import Flask, g
from flask_babel import format_date, format_datetime, format_decimal, get_locale, ngettext
from flask_babel import gettext as _

from federation import vocabulary


def money(amount: Decimal | str | int | None, currency: str) -> str:
    """Return ``amount`` as people write it: no cents when there are none."""
    if amount is None:
        return ""
    value = Decimal(amount)
    locale = Locale.parse(str(get_locale() or "en"))
    if value % 1:
        return str(format_currency(value, currency, locale=locale))
    pattern = locale.currency_formats["standard"].pattern.replace("0.00", "0")
    return str(
        format_currency(value, currency, format=pattern, locale=locale, currency_digits=False)
    )


def rate(amount: Decimal | str | None, currency: str, unit: str) -> str:
    """Return a rate with its unit, e.g. ``70 €/h``; empty when there is none to say."""
    if amount is None:
        return ""
    price = money(amount, currency)
    if unit == "hour":
        return str(_("%(price)s/h", price=price))
    if unit == "day":
        return str(_("%(price)s/day", price=price))
    if unit == "fixed":
        return str(_("%(price)s fixed", price=price))
    return price


def speciality(code: str, label: str = "") -> str:
    """Return the name of a speciality in the page's language; an unknown code speaks for itself."""
    return label or printed(vocabulary.label(code, str(get_locale() or "en")) or code)


def printed(text: str) -> str:
    """Return a word of the shared vocabulary as pages print it: its files are typed with '."""
    return text.replace("'", "’")


def language_name(tag: str, *, within: bool = False) -> str:
    """Return the name of a language (BCP 47) in the page's language, or the tag itself.

    :param within: inside a sentence, where French writes it small.
    """
    try:
        name = Locale.parse(tag, sep="-").get_display_name(str(get_locale() or "en"))
    except (UnknownLocaleError, ValueError):
        return tag
    if not name or within:
        return name or tag
    return name[:1].upper() + name[1:]


def country_name(code: str) -> str:
    """Return the name of a country (ISO 3166-1 alpha-2), or the code itself."""
    locale = Locale.parse(str(get_locale() or "en"))
    return str(locale.territories.get(code, code))


def distance(km: float | None) -> str:
    """Return a distance for people: nobody needs metres between cities."""
    if km is None:
        return ""
    return str(_("%(km)s km away", km=format_decimal(round(km))))


def ago(moment: datetime | None) -> str:
    """Return how fresh something is: minutes, then today, then the date."""
    if moment is None:
        return str(_("never"))
    now: datetime = g.get("now") or datetime.now(UTC)
    minutes = int((now - moment) / timedelta(minutes=1))
    if minutes < 1:
        return str(_("just now"))
    if minutes < 60:
        return str(ngettext("%(num)s min ago", "%(num)s min ago", minutes))
    if minutes < 24 * 60:
        return str(ngettext("%(num)s hour ago", "%(num)s hours ago", minutes // 60))
    return str(format_datetime(moment, "d MMM y, HH:mm"))


def clock(moment: datetime) -> str:
    """Return when something happened: the time of day, and the day unless it is today."""
    now: datetime = g.get("now") or datetime.now(UTC)
    today = moment.date() == now.date()
    return str(format_datetime(moment, "HH:mm" if today else "d MMM y, HH:mm"))


def day(moment: datetime | date | None) -> str:
    """Return the day in words; in French the first of a month is *1er*, which CLDR leaves out."""
    if moment is None:
        return ""
    told = str(format_date(moment, "d MMMM y"))
    french = str(get_locale()) == "fr"
    return told.replace("1 ", "1er ", 1) if french and moment.day == 1 else told


def initials(name: str) -> str:
    """Return one or two letters that stand for a person without a photo."""
    words = name.split()
    letters = [words[0][0], words[-1][0]] if len(words) > 1 else [name[:1]]
    return "".join(letters).upper()


def register(app: Flask) -> None:
    """Teach the templates these words."""
    app.jinja_env.filters.update(
        money=money,
        printed=printed,
        speciality=speciality,
        language_name=language_name,
        country_name=country_name,
        distance=distance,
        ago=ago,
        clock=clock,
        day=day,
        initials=initials,
    )
    app.jinja_env.globals.update(rate=rate)
