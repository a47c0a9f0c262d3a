"""What people type, read the way they write: numbers, days, lists, names of languages.

A reading either returns a value or raises :class:`Mistake` with a sentence that says what to do.
Nothing here keeps what was typed; the forms do, so that they can show it again.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from babel import Locale
from flask_babel import gettext as _

from app.search.text import fold
from federation import limits
from federation.text import plain

#: Signs that may stand around a number.
_AROUND_NUMBERS = re.compile(r"[\s\u00a0\u202f'’€$£]|(?:EUR|CHF|USD|GBP)", re.IGNORECASE)

#: The languages in whose words a language may be named, the commonest first.
_NAMING = ("en", "fr", "de", "es", "it", "pt", "nl")

#: A language tag as BCP 47 writes it: ``fr``, ``pt-BR``, ``zh-Hant``.
_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")


class Mistake(ValueError):  # noqa: N818  # a person's, not the program's
    """What was typed cannot be read; the text says what to do instead."""


def line(text: str) -> str:
    """Return ``text`` as one clean line: composed letters, no control or direction signs."""
    return " ".join(plain(text).split())


def paragraphs(text: str) -> str:
    """Return ``text`` clean, with its line breaks."""
    return plain(text.replace("\t", " "), lines=True)


def amount(text: str) -> Decimal | None:
    """Read an amount of money in French or English notation; ``None`` when nothing is typed.

    The last comma or point is the decimal one unless three digits follow it: nobody has a rate
    of 1.200 euros and a fraction.

    :raises Mistake: not a positive number that fits.
    """
    bare = _AROUND_NUMBERS.sub("", text)
    if not bare:
        return None
    whole, sign, cents = bare, "", ""
    if match := re.fullmatch(r"(.*)([.,])(\d{1,2})", bare):
        whole, sign, cents = match.groups()
    digits = re.fullmatch(r"\d{1,3}([.,])?(?:\d{3}\1?)*|\d+", whole)
    if not digits or (sign and sign in whole) or not re.sub(r"[.,]", "", whole).isascii():
        raise Mistake(_("Enter a number such as 65 or 65,50."))
    return _bounded(re.sub(r"[.,]", "", whole) + "." + (cents or "0"))


def _bounded(number: str) -> Decimal:
    try:
        value = Decimal(number)
    except InvalidOperation:
        raise Mistake(_("Enter a number such as 65 or 65,50.")) from None
    if not 0 < value < 10**limits.MONEY_DIGITS:
        raise Mistake(_("Enter an amount above zero that people will believe."))
    return value.quantize(Decimal("0.01"))


def amount_as_typed(value: Decimal | None, locale: str) -> str:
    """Return ``value`` as somebody who reads ``locale`` would type it."""
    if value is None:
        return ""
    text = f"{value:.2f}".removesuffix(".00")
    return text if locale == "en" else text.replace(".", ",")


def day(text: str) -> date | None:
    """Read a day as browsers send it (ISO 8601), or as people write it, the day first.

    :raises Mistake: no such day.
    """
    if not text.strip():
        return None
    parts = re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", text.strip())
    numbers = tuple(map(int, parts.groups())) if parts else _day_first(text)
    try:
        return date(*numbers)
    except (TypeError, ValueError):
        raise Mistake(_("Enter a day such as 31/12/2027.")) from None


def _day_first(text: str) -> tuple[int, ...]:
    parts = re.fullmatch(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})", text.strip())
    return tuple(int(part) for part in reversed(parts.groups())) if parts else ()


def listed(text: str) -> list[str]:
    """Return the entries between commas, semicolons or line ends, each once."""
    found: dict[str, str] = {}
    for entry in re.split(r"[,;\n]", text):
        if clean := line(entry):
            found.setdefault(fold(clean), clean)
    return list(found.values())


def language_tags(text: str) -> list[str]:
    """Read a list of languages, by name or by tag (BCP 47), as tags.

    :raises Mistake: naming those that are no language we know.
    """
    tags = [(entry, language_tag(entry)) for entry in listed(text)]
    unknown = [entry for entry, tag in tags if not tag]
    if unknown:
        raise Mistake(
            _(
                "We do not know %(names)s. Write the language's name in English or French, "
                "or its code such as fr.",
                names=", ".join(unknown),
            )
        )
    return list(dict.fromkeys(tag for _entry, tag in tags))


def language_tag(name: str) -> str:
    """Return the tag of a language that people call ``name``; empty when we do not know it."""
    known = _language_names()
    if found := known.get(fold(name)):
        return found
    if _TAG.fullmatch(name) and name.split("-")[0].lower() in known.values():
        return name.split("-")[0].lower() + name[len(name.split("-")[0]) :]
    return ""


@lru_cache(maxsize=1)
def _language_names() -> dict[str, str]:
    names: dict[str, str] = {}
    for naming in _NAMING:
        for code, name in Locale.parse(naming).languages.items():
            if "_" not in code:
                names.setdefault(fold(name), code)
    return names
