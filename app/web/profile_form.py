"""A member's profile as a form: what was typed is kept, right or wrong, with what to do about it.

The form reads and judges; it writes into a :class:`Member` only what can be read, so the same
code fills the stored member and the one that is only looked at in the preview.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any, Self

from flask_babel import gettext as _
from flask_babel import lazy_gettext, ngettext
from werkzeug.datastructures import MultiDict

from app.models.base import new_id
from app.models.member import (
    AUDIENCES,
    BLOCKS,
    HOUR,
    ME,
    MODES,
    PAID,
    QUOTE,
    UNITS,
    Member,
    Service,
)
from app.web import forms, specialities
from app.web.forms import Mistake
from app.web.who_sees import apart_in, circle_in
from app.web.words import language_name, money
from federation import limits

#: Currencies offered; one that came by import is kept as well.
CURRENCIES = ("EUR", "CHF", "GBP", "USD", "SEK", "DKK", "NOK", "PLN", "CZK", "CAD")

#: Characters of each field of one line.
LINES = {
    "name": limits.NAME_CHARACTERS,
    "profession": 120,
    "headline": limits.HEADLINE_CHARACTERS,
    "availability": limits.LINE_CHARACTERS,
    "location": 120,
}

#: What the fields are called on the page.
LABELS = {
    "name": lazy_gettext("Name"),
    "photo": lazy_gettext("Photo"),
    "profession": lazy_gettext("Profession"),
    "headline": lazy_gettext("One sentence about what you do"),
    "bio": lazy_gettext("More about you"),
    "locale": lazy_gettext("These texts are written in"),
    "languages": lazy_gettext("Languages you speak"),
    "interests": lazy_gettext("What you like to do with others"),
    "availability": lazy_gettext("When to find you"),
    "location": lazy_gettext("Where you work"),
    "audience": lazy_gettext("Who may see you"),
    "apart": lazy_gettext("Who sees what"),
    "services": lazy_gettext("Services"),
}
SERVICE_LABELS = {
    "title": lazy_gettext("What people can ask you for"),
    "speciality": lazy_gettext("Speciality"),
    "description": lazy_gettext("A few words more"),
    "mode": lazy_gettext("In return for"),
    "rate": lazy_gettext("Usual rate"),
    "coworker_rate": lazy_gettext("Coworker rate"),
    "currency": lazy_gettext("Currency"),
    "unit": lazy_gettext("Counted"),
    "valid_until": lazy_gettext("Rates hold until"),
    "remote": lazy_gettext("Remotely too"),
    "languages": lazy_gettext("Languages, if not all of yours"),
    "audience": lazy_gettext("Who may see this service"),
}

Errors = dict[str, str]


@dataclass(slots=True)
class ServiceForm:
    """One service as typed; ``errors`` maps a field to what to do about it."""

    ref: str = ""
    title: str = ""
    speciality: str = ""
    description: str = ""
    mode: str = PAID
    rate: str = ""
    coworker_rate: str = ""
    currency: str = "EUR"
    unit: str = HOUR
    valid_until: str = ""
    remote: bool = False
    languages: str = ""
    audience: str = ""
    """Empty: as for everything."""

    errors: Errors = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, service: Service, locale: str) -> Self:
        """Return the form of a stored service, its numbers written for ``locale``."""
        return cls(
            ref=service.ref,
            title=service.title,
            speciality=specialities.named(service.speciality, service.speciality_label),
            description=service.description,
            mode=service.mode,
            rate=forms.amount_as_typed(service.rate, locale),
            coworker_rate=forms.amount_as_typed(service.coworker_rate, locale),
            currency=service.currency,
            unit=service.unit,
            valid_until=service.valid_until.isoformat() if service.valid_until else "",
            remote=service.remote,
            languages=_names(service.languages),
            audience=service.audience,
        )

    @classmethod
    def read(cls, given: MultiDict[str, str], prefix: str) -> Self:
        """Read the service whose fields are called ``{prefix}-title`` and so on."""

        def text(name: str, otherwise: str = "") -> str:
            return forms.line(given.get(f"{prefix}-{name}", otherwise))

        return cls(
            ref=text("ref"),
            title=text("title"),
            speciality=text("speciality"),
            description=forms.paragraphs(given.get(f"{prefix}-description", "")),
            mode=_one_of(MODES, text("mode")),
            rate=text("rate"),
            coworker_rate=text("coworker_rate"),
            currency=text("currency", "EUR"),
            unit=_one_of(UNITS, text("unit")),
            valid_until=text("valid_until"),
            remote=f"{prefix}-remote" in given,
            languages=text("languages"),
            audience=circle_in(given, f"{prefix}-audience"),
        )

    def judge(self, today: date) -> None:
        """Fill ``errors``."""
        if not self.title:
            self.errors["title"] = _("Say in a few words what people can ask you for.")
        _shorten(self.errors, "title", self.title, limits.TITLE_CHARACTERS)
        _shorten(self.errors, "speciality", self.speciality, limits.LABEL_CHARACTERS)
        _shorten(self.errors, "description", self.description, limits.DESCRIPTION_CHARACTERS)
        self._judge_rates()
        _try(self.errors, "languages", forms.language_tags, self.languages)
        until = _try(self.errors, "valid_until", forms.day, self.valid_until)
        if until is not None and until < today:
            self.errors["valid_until"] = _(
                "This day has passed, so nobody would see your rates. "
                "Choose a later one, or leave it empty."
            )
        if not re.fullmatch(r"[A-Z]{3}", self.currency):
            self.errors["currency"] = _("Choose a currency.")

    def _judge_rates(self) -> None:
        usual = _try(self.errors, "rate", forms.amount, self.rate)
        coworkers = _try(self.errors, "coworker_rate", forms.amount, self.coworker_rate)
        if (usual or coworkers) and (self.mode != PAID or self.unit == QUOTE):
            name = "rate" if usual else "coworker_rate"
            self.errors[name] = (
                _("Help without money has no rate. Leave this empty, or choose “Money”.")
                if self.mode != PAID
                else _("A price on request has no rate yet. Leave this empty, or choose a unit.")
            )
        elif usual and coworkers and coworkers >= usual:
            self.errors["coworker_rate"] = _(
                "This is not lower than your usual %(rate)s. Lower it, or leave it empty.",
                rate=money(usual, self.currency if len(self.currency) == 3 else "EUR"),
            )

    def fill(self, service: Service) -> None:
        """Write into ``service`` what can be read; what cannot is left empty."""
        service.title = self.title[: limits.TITLE_CHARACTERS]
        service.description = self.description[: limits.DESCRIPTION_CHARACTERS]
        before = specialities.named(service.speciality or "", service.speciality_label or "")
        if self.speciality != before:
            # Unchanged text keeps its code, also one that this version does not know.
            text = self.speciality[: limits.LABEL_CHARACTERS]
            service.speciality, service.speciality_label = specialities.meant(text)
        service.mode, service.unit, service.currency = self.mode, self.unit, self.currency
        service.rate = None if "rate" in self.errors else _or(None, forms.amount, self.rate)
        service.coworker_rate = (
            None if "coworker_rate" in self.errors else _or(None, forms.amount, self.coworker_rate)
        )
        service.valid_until = _or(None, forms.day, self.valid_until)
        service.remote = self.remote
        service.languages = _or([], forms.language_tags, self.languages)
        service.audience = self.audience


@dataclass(slots=True)
class ProfileForm:
    """A profile as typed; ``errors`` maps a field's id to what to do about it."""

    name: str = ""
    profession: str = ""
    headline: str = ""
    bio: str = ""
    locale: str = ""
    languages: str = ""
    interests: str = ""
    availability: str = ""
    location: str = ""
    audience: str = ME
    apart: dict[str, str] = field(default_factory=dict)
    """The circles of blocks that have one of their own."""

    services: list[ServiceForm] = field(default_factory=list)
    errors: Errors = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, member: Member | None, locale: str) -> Self:
        """Return the form of ``member``; an empty one, in ``locale``, for somebody new."""
        if member is None:
            return cls(locale=locale, languages=_names([locale]))
        return cls(
            name=member.name,
            profession=member.profession,
            headline=member.headline,
            bio=member.bio,
            locale=member.locale or locale,
            languages=_names(member.languages),
            interests=", ".join(member.interests),
            availability=member.availability,
            location=member.location,
            audience=member.usual,
            apart=dict(member.block_audiences),
            services=[ServiceForm.of(service, locale) for service in member.services],
        )

    @classmethod
    def read(cls, given: MultiDict[str, str]) -> Self:
        """Read a submitted form; services come in the order of the fields called ``service``."""
        lines: dict[str, Any] = {name: forms.line(given.get(name, "")) for name in LINES}
        numbers = [number for number in given.getlist("service") if number.isdecimal()]
        return cls(
            **lines,
            bio=forms.paragraphs(given.get("bio", "")),
            locale=forms.line(given.get("locale", ""))[:12],
            languages=forms.line(given.get("languages", "")),
            interests=forms.line(given.get("interests", "").replace("\n", ",")),
            audience=_one_of(AUDIENCES, given.get("audience", "")),
            apart=apart_in(given),
            services=[
                ServiceForm.read(given, f"service-{number}")
                for number in numbers[: limits.SERVICES]
            ],
        )

    def judge(self, today: date) -> bool:
        """Fill ``errors`` and tell whether there are none."""
        self.errors.clear()
        if not self.name:
            self.errors["name"] = _("Enter the name by which people here know you.")
        for name, most in LINES.items():
            _shorten(self.errors, name, getattr(self, name), most)
        _shorten(self.errors, "bio", self.bio, limits.BIO_CHARACTERS)
        self._judge_lists()
        for number, service in enumerate(self.services):
            service.errors.clear()
            service.judge(today)
            for name, sentence in service.errors.items():
                self.errors[f"service-{number}-{name}"] = sentence
        return not self.errors

    def _judge_lists(self) -> None:
        languages = _try(self.errors, "languages", forms.language_tags, self.languages) or []
        interests = forms.listed(self.interests)
        for name, entries, most in (
            ("languages", languages, limits.LANGUAGES),
            ("interests", interests, limits.INTERESTS),
        ):
            if len(entries) > most:
                self.errors[name] = _("Keep the %(most)s that matter most.", most=most)
        for interest in interests:
            _shorten(self.errors, "interests", interest, limits.INTEREST_CHARACTERS)
        if self.locale and not forms.language_tag(self.locale):
            self.errors["locale"] = _("Choose the language of your texts.")

    def summary(self) -> list[tuple[str, str]]:
        """Return the id of each field with a mistake, and the sentence that names both."""
        found = []
        for id_, sentence in self.errors.items():
            label = LABELS.get(id_)
            if label is None:
                _service, number, name = id_.split("-", 2)
                label = _(
                    "Service %(num)s, %(field)s",
                    num=int(number) + 1,
                    field=SERVICE_LABELS[name],
                )
            found.append((id_, _("%(field)s: %(what)s", field=label, what=sentence)))
        return found

    def fill(self, member: Member, now: datetime) -> None:
        """Write into ``member`` what can be read."""
        for name, most in LINES.items():
            setattr(member, name, getattr(self, name)[:most])
        member.bio = self.bio[: limits.BIO_CHARACTERS]
        member.locale = self.locale
        member.languages = _or([], forms.language_tags, self.languages)[: limits.LANGUAGES]
        interests = forms.listed(self.interests)[: limits.INTERESTS]
        member.interests = [interest[: limits.INTEREST_CHARACTERS] for interest in interests]
        self._fill_services(member)
        member.present(self.audience, self.apart, now)

    @property
    def widest(self) -> str:
        """How far anything goes, and name and photo with it."""
        circles = [self.apart.get(block, self.audience) for block in BLOCKS]
        circles += [service.audience or self.audience for service in self.services]
        return max(circles, key=AUDIENCES.index)

    def _fill_services(self, member: Member) -> None:
        there = {service.ref: service for service in member.services}
        kept = []
        for position, form in enumerate(self.services):
            service = there.pop(form.ref, None) or Service(ref=new_id())
            form.fill(service)
            service.position = position
            kept.append(service)
        member.services = kept

    def add_service(self) -> None:
        """Put an empty service at the end, unless there are as many as a profile can hold."""
        if len(self.services) < limits.SERVICES:
            currency = self.services[-1].currency if self.services else "EUR"
            self.services.append(ServiceForm(currency=currency))

    def remove_service(self, number: int) -> None:
        """Take out the service at ``number``, if there is one."""
        if 0 <= number < len(self.services):
            del self.services[number]

    def move_service(self, number: int, by: int) -> None:
        """Move the service at ``number`` by ``by`` places; none moves over an edge."""
        if 0 <= number < len(self.services) and 0 <= number + by < len(self.services):
            self.services.insert(number + by, self.services.pop(number))

    def differences(self, other: Self) -> list[str]:
        """Return the names of the fields in which ``other`` says something else."""
        return [
            part.name
            for part in fields(self)
            if part.compare and getattr(self, part.name) != getattr(other, part.name)
        ]


def _names(tags: list[str]) -> str:
    """Return ``tags`` as names, or as they are where the name would not be understood again."""
    names = ((tag, language_name(tag)) for tag in tags)
    return ", ".join(name if forms.language_tag(name) == tag else tag for tag, name in names)


def _one_of(choices: tuple[str, ...], given: str) -> str:
    """Return ``given`` if it was offered, else the first choice."""
    return given if given in choices else choices[0]


def _shorten(errors: Errors, name: str, text: str, most: int) -> None:
    if (spare := len(text) - most) > 0:
        errors[name] = ngettext(
            "Shorten this by %(num)s character.", "Shorten this by %(num)s characters.", spare
        )


def _try(errors: Errors, name: str, read: Callable[[str], Any], text: str) -> Any:
    try:
        return read(text)
    except Mistake as mistake:
        errors[name] = str(mistake)
        return None


def _or(otherwise: Any, read: Callable[[str], Any], text: str) -> Any:
    try:
        return read(text)
    except Mistake:
        return otherwise
