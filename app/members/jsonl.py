"""Our own format, JSON Lines: one member a line.

The keys are the claims of a profile (``federation/PROTOCOL.md``), and ``external_id``, ``email``,
``audience``, and ``audiences`` for the blocks that have a circle of their own, as a service has its
``audience``. Only ``name`` must be there. Keys that we do not know are ignored and reported once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NoReturn

from app.members import circles, services
from app.members.person import LIMITS, Draft, Person, Refused
from app.members.texts import parts
from app.models.translations import TEXTS

KEYS = (
    "external_id",
    "email",
    "name",
    "headline",
    "bio",
    "locale",
    "translations",
    "languages",
    "profession",
    "location",
    "interests",
    "availability",
    "services",
    "photo",
    "audience",
    "audiences",
)
#: Claims of a signed profile that mean nothing in a list.
SIGNED = ("iss", "sub", "rev", "iat", "exp", "aud", "consent_at", "web", "updated_at")


class CutShortError(Exception):
    """The last line stops in the middle; ``line`` is its number."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


def read(text: str, unknown: set[str]) -> Iterator[Person | Refused]:
    """Yield a person, or a refusal, for each line that is not empty.

    :param unknown: receives the keys that were ignored.
    :raises CutShortError: the last line is not complete.
    """
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            given = parse(line)
        except ValueError as error:
            if number == len(lines):
                raise CutShortError(number) from error
            yield Refused(number, "", (f"the line is not JSON: {error}",))
            continue
        if isinstance(given, Mapping):
            unknown.update(given.keys() - {*KEYS, *SIGNED})
            yield person(number, given)
        else:
            yield Refused(number, "", ("the line is not a JSON object ({...})",))


def parse(text: str) -> Any:
    """Return the JSON value in ``text``, with fractions as exact decimals.

    :raises ValueError: not JSON, or nested so deeply that it is an attack.
    """
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def person(line: int, given: Mapping[str, Any]) -> Person | Refused:
    """Return the member that ``given`` describes, or why it cannot be one."""
    draft = Draft()
    name = draft.name(_text(given, "name", draft))
    offers = services.offers(given.get("services"), draft)
    audience = draft.audience(_text(given, "audience", draft))
    read = Person(
        line=line,
        name=name,
        email=draft.email(_text(given, "email", draft)),
        external_id=draft.external_id(_text(given, "external_id", draft)),
        headline=draft.text("headline", _text(given, "headline", draft)),
        bio=draft.text("bio", _text(given, "bio", draft)),
        profession=draft.text("profession", _text(given, "profession", draft)),
        location=draft.text("location", _place(given, draft)),
        locale=draft.locale(_text(given, "locale", draft)),
        translations=draft.translations(
            given.get("translations"), {name: LIMITS[name] for name in TEXTS}
        ),
        availability=draft.text("availability", _text(given, "availability", draft)),
        languages=draft.languages(_words(given, "languages", draft)),
        interests=draft.interests(_words(given, "interests", draft)),
        services=offers,
        photo=draft.photo(_text(given, "photo", draft)),
        audience=audience,
        apart=circles.said(
            audience, circles.apart_in(given.get("audiences"), draft), offers, draft
        ),
        remarks=tuple(draft.remarks),
    )
    return Refused(line, name, tuple(draft.problems)) if draft.problems else read


def _no_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number in JSON")


def _text(given: Mapping[str, Any], key: str, draft: Draft) -> str:
    value = given.get(key)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if key == "external_id" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    draft.problems.append(f"{key} is not text")
    return ""


def _place(given: Mapping[str, Any], draft: Draft) -> str:
    """Return the location; an object with a city is as good as its name."""
    value = given.get("location")
    if isinstance(value, Mapping):
        return _text(value, "city" if value.get("city") else "name", draft)
    return _text(given, "location", draft)


def _words(given: Mapping[str, Any], key: str, draft: Draft) -> tuple[str, ...]:
    value = given.get(key)
    if value is None:
        return ()
    if isinstance(value, str):
        return parts(value)
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        draft.problems.append(f"{key} is not a list of texts")
        return ()
    return tuple(value)
