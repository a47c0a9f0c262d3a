"""What is written on the space's own door, as a form: kept as typed, with what to do about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Self

from babel import Locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext, ngettext
from werkzeug.datastructures import MultiDict

from app.models.countries import country_codes
from app.models.space import ENAMELS, Space
from app.search.cities import find_city
from app.search.text import fold
from app.web import forms
from app.web.words import language_name
from federation import limits
from federation.errors import ForbiddenAddressError
from federation.identifiers import origin

LABELS = {
    "name": lazy_gettext("Name of the space"),
    "city": lazy_gettext("City"),
    "country": lazy_gettext("Country"),
    "street": lazy_gettext("Street address"),
    "line": lazy_gettext("Your space in one sentence"),
    "enamel": lazy_gettext("Colour of your plaque"),
    "languages": lazy_gettext("Languages spoken here"),
    "contact": lazy_gettext("E-mail for other spaces"),
    "policy_url": lazy_gettext("Your rules for members’ data"),
}

#: Characters of each field, as the table has them.
MOST = {
    "name": 80,
    "city": 80,
    "street": 160,
    "line": 140,
    "contact": limits.CONTACT_CHARACTERS,
    "policy_url": 255,
}


@dataclass(slots=True)
class SpaceForm:
    """The door plate as typed; ``errors`` maps a field to what to do about it."""

    name: str = ""
    city: str = ""
    country: str = ""
    street: str = ""
    line: str = ""
    enamel: str = "blue"
    languages: str = ""
    contact: str = ""
    policy_url: str = ""
    errors: dict[str, str] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, space: Space) -> Self:
        """Return the form of what is stored."""
        return cls(
            **{name: getattr(space, name) for name in MOST},
            country=space.country,
            enamel=space.enamel,
            languages=", ".join(map(language_name, space.languages)),
        )

    @classmethod
    def read(cls, given: MultiDict[str, str]) -> Self:
        """Read a submitted form."""
        lines: dict[str, Any] = {name: forms.line(given.get(name, "")) for name in LABELS}
        if lines["enamel"] not in ENAMELS:
            lines["enamel"] = ENAMELS[0]
        return cls(**lines)

    def judge(self) -> bool:
        """Fill ``errors`` and tell whether there are none."""
        self.errors = {
            name: _("Enter this: neighbours see it.")
            for name in ("name", "city")
            if not getattr(self, name)
        }
        for name, most in MOST.items():
            if (spare := len(getattr(self, name)) - most) > 0:
                self.errors[name] = ngettext(
                    "Shorten this by %(num)s character.",
                    "Shorten this by %(num)s characters.",
                    spare,
                )
        if self.country not in country_codes():
            self.errors["country"] = _("Choose a country.")
        self._judge_languages()
        if self.contact and "@" not in self.contact.strip("@"):
            self.errors["contact"] = _("Enter an e-mail address such as name@example.org.")
        if self.policy_url and not _on_the_web(self.policy_url):
            self.errors["policy_url"] = _("Enter an address that begins with https://.")
        return not self.errors

    def _judge_languages(self) -> None:
        try:
            spoken = forms.language_tags(self.languages)
        except forms.Mistake as mistake:
            self.errors["languages"] = str(mistake)
            return
        if not spoken:
            self.errors["languages"] = _("Name at least one language.")
        if len(spoken) > limits.LANGUAGES:
            self.errors["languages"] = _(
                "Keep the %(most)s that matter most.", most=limits.LANGUAGES
            )

    def summary(self) -> list[tuple[str, str]]:
        """Return the id of each field with a mistake, and the sentence that names both."""
        return [
            (name, _("%(field)s: %(what)s", field=LABELS[name], what=sentence))
            for name, sentence in self.errors.items()
        ]

    def fill(self, space: Space) -> None:
        """Write into ``space``; a city that moved is looked up, so that distances stay true."""
        moved = (self.city, self.country) != (space.city, space.country)
        for name in ("country", "enamel", *MOST):
            setattr(space, name, getattr(self, name))
        space.languages = forms.language_tags(self.languages)
        if moved:
            found = find_city(self.city, self.country)
            space.latitude = found.latitude if found else None
            space.longitude = found.longitude if found else None


@lru_cache(maxsize=8)
def countries(language: str) -> list[tuple[str, str]]:
    """Return code and name of every country, by name in ``language``."""
    names = Locale.parse(language).territories
    return sorted(
        ((code, str(names.get(code, code))) for code in country_codes()),
        key=lambda country: fold(country[1]),
    )


def _on_the_web(address: str) -> bool:
    """Tell whether ``address`` can stand in our entity configuration, and be a link elsewhere."""
    if not address.startswith("https://") or not address.isascii() or " " in address:
        return False
    try:
        origin(address)
    except ForbiddenAddressError:
        return False
    return True
