"""One member as a list describes them, whatever file the list came in.

Nothing here knows files or the database. A row is read into a :class:`Draft`, which collects
everything that is wrong with it; it becomes a :class:`Person`, or a :class:`Refused` that names
all reasons in words.

* No name, or an address that is none: the row is refused.
* A text that is too long is shortened, and a remark says so: a long headline is no reason to
  leave somebody out.
* Postal addresses, telephone numbers and whatever else we have no field for are never kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from app.members.portraits import from_text
from app.members.texts import folded, one_line, paragraphs, shortened
from app.members.tongues import tag
from app.models.member import AUDIENCES, HOUR, PAID
from app.models.translations import MOST, alike

#: Characters of each text, as the tables keep them and the protocol's 16 KiB allow.
LIMITS = {
    "name": 120,
    "headline": 160,
    "bio": 4000,
    "profession": 120,
    "location": 120,
    "availability": 160,
}
EMAIL_CHARACTERS = 254
EXTERNAL_ID_CHARACTERS = 120
INTERESTS = 30
INTEREST_CHARACTERS = 60
LANGUAGES = 20

_EMAIL = re.compile(r"[^\s@<>(),;:\"\\\[\]]+@[^\s@<>(),;:\"\\\[\]]+\.[^\s@<>(),;:\"\\\[\].]{2,}")


@dataclass(frozen=True, slots=True)
class Offer:
    """One service as a list describes it; the fields are those of ``Service``."""

    ref: str
    title: str
    description: str = ""
    speciality: str = ""
    speciality_label: str = ""
    mode: str = PAID
    rate: Decimal | None = None
    coworker_rate: Decimal | None = None
    currency: str = "EUR"
    unit: str = HOUR
    valid_until: date | None = None
    remote: bool = False
    languages: tuple[str, ...] = ()
    translations: tuple[Mapping[str, str], ...] = ()
    """Title and description in further languages; see :mod:`app.models.translations`."""

    audience: str = ""
    """Its own circle, when it has one; says nothing about what the service is."""


@dataclass(frozen=True, slots=True)
class Person:
    """A row that can be taken in; an empty field means that the list says nothing about it."""

    line: int
    name: str
    email: str = ""
    external_id: str = ""
    headline: str = ""
    bio: str = ""
    profession: str = ""
    location: str = ""
    locale: str = ""
    translations: tuple[Mapping[str, str], ...] = ()
    """Headline and biography in further languages than ``locale``."""

    availability: str = ""
    languages: tuple[str, ...] = ()
    interests: tuple[str, ...] = ()
    services: tuple[Offer, ...] = ()
    """All services, as a source that knows services lists them."""

    skills: tuple[Offer, ...] = ()
    """Services named by a word in a column: they are added, never taken away."""

    photo: bytes = b""
    """A picture, as it came."""

    audience: str = ""
    apart: Mapping[str, str] = field(default_factory=dict)
    """The circles of blocks and services that are not ``audience``; see ``circles``."""

    left_on: date | None = None
    """The day on which the membership ended; such a person is a former member."""

    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that cannot be taken in, and why; the others are not touched by it."""

    line: int
    name: str
    reasons: tuple[str, ...]


@dataclass(slots=True)
class Draft:
    """A row being read: what is wrong with it, and what was changed to make it fit."""

    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def name(self, text: str) -> str:
        """Return the name, which a member must have."""
        name = one_line(text)
        if not name:
            self.problems.append("there is no name")
        elif len(name) > LIMITS["name"]:
            self.problems.append(f"the name has {len(name)} characters, more than {LIMITS['name']}")
        return name

    def email(self, text: str) -> str:
        """Return the address in lower case; empty when there is none."""
        email = one_line(text).removeprefix("mailto:").lower()
        if email and (len(email) > EMAIL_CHARACTERS or not _EMAIL.fullmatch(email)):
            self.problems.append(f"“{shortened(email, 60)}” is not an e-mail address")
        return email

    def external_id(self, text: str) -> str:
        """Return the list's own identifier of the member."""
        ref = one_line(text)
        if len(ref) > EXTERNAL_ID_CHARACTERS:
            self.problems.append(f"external_id has more than {EXTERNAL_ID_CHARACTERS} characters")
        return ref

    def text(self, key: str, text: str) -> str:
        """Return the text of field ``key``, no longer than its limit."""
        return self.fit(key, _plain(key, text), LIMITS[key])

    def fit(self, what: str, text: str, limit: int) -> str:
        """Return ``text`` in at most ``limit`` characters, with a remark when it was longer."""
        if len(text) > limit:
            self.remarks.append(f"{what} shortened from {len(text)} to {limit} characters")
        return shortened(text, limit)

    def locale(self, text: str) -> str:
        """Return the language of the texts; a word that names none is left out with a remark."""
        return next(iter(self.languages([text])), "")

    def translations(
        self, given: Any, limits: Mapping[str, int], where: str = ""
    ) -> tuple[Mapping[str, str], ...]:
        """Return texts in further languages: ``[{"lang": "en", "headline": ...}, ...]``.

        :param limits: characters of each text, by its name.
        :param where: of what they are, for problems and remarks; empty for the profile.
        """
        of = f" of {where}" if where else ""
        if given is None:
            return ()
        if not isinstance(given, list) or not all(isinstance(one, Mapping) for one in given):
            self.problems.append(f"translations{of} are not a list of objects")
            return ()
        found: list[Mapping[str, str]] = []
        for one in given:
            if not all(isinstance(one.get(name, ""), str) for name in ("lang", *limits)):
                self.problems.append(f"translations{of} have a language or a text that is no text")
                return ()
            lang = self.locale(one.get("lang", ""))
            texts = {
                name: self.fit(f"{name}{of} in {lang}", _plain(name, one.get(name, "")), limit)
                for name, limit in limits.items()
            }
            said = {name: text for name, text in texts.items() if text}
            if not lang or not said:
                continue
            if any(alike(lang, other["lang"]) for other in found):
                self.remarks.append(f"only the first translation{of} into {lang} is kept")
            elif len(found) == MOST:
                self.remarks.append(f"only the first {MOST} translations{of} are kept")
            else:
                found.append({"lang": lang} | said)
        return tuple(found)

    def languages(self, words: Iterable[str]) -> tuple[str, ...]:
        """Return tags (BCP 47) for languages given as tags or by name, in order, each once."""
        found = []
        for word in (one_line(word) for word in words):
            if word and (known := tag(word)):
                found.append(known)
            elif word:
                self.remarks.append(f"“{shortened(word, 40)}” is no language that we know")
        return tuple(dict.fromkeys(found))[:LANGUAGES]

    def interests(self, words: Iterable[str]) -> tuple[str, ...]:
        """Return interests, each once whatever its accents and case."""
        found: dict[str, str] = {}
        for word in words:
            plain = one_line(word)
            if plain:
                found.setdefault(folded(plain) or plain, shortened(plain, INTEREST_CHARACTERS))
        if len(found) > INTERESTS:
            self.remarks.append(f"only the first {INTERESTS} of {len(found)} interests are kept")
        return tuple(found.values())[:INTERESTS]

    def photo(self, text: str) -> bytes:
        """Return the picture, which is left out with a remark when it is none at all."""
        try:
            return from_text("".join(text.split()))
        except ValueError as error:
            self.remarks.append(str(error))
            return b""

    def audience(self, text: str) -> str:
        """Return the audience that the list asks for; empty when it does not say."""
        audience = one_line(text).lower()
        if audience and audience not in AUDIENCES:
            self.problems.append(
                f"audience is “{shortened(audience, 40)}”; it can be {', '.join(AUDIENCES)}"
            )
        return audience


def _plain(key: str, text: str) -> str:
    """Return the text of field ``key``: paragraphs where they are usual, else one line."""
    return paragraphs(text) if key in ("bio", "description") else one_line(text)
