"""Memberships as Cobot's API (version 1) lists them: a JSON array.

Only the fields named here are read; addresses, telephone numbers, plans and bills are not.
``confirmed_at: null`` is somebody who asked and is not yet a member; a past ``canceled_to`` is
somebody who was one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from app.members.person import Draft, Person, Refused

#: Keys that a membership of version 1 always has, and other lists never have together.
MARKS = frozenset({"confirmed_at", "canceled_to", "plan"})


def recognised(given: Any) -> bool:
    """Tell whether ``given`` is an array of Cobot's memberships."""
    return (
        isinstance(given, Sequence)
        and bool(given)
        and all(isinstance(one, Mapping) and one.keys() >= MARKS for one in given)
    )


def read(given: Sequence[Mapping[str, Any]], today: date) -> Iterator[Person | Refused]:
    """Yield a person, or a refusal, for each membership; ``line`` counts entries from 1."""
    for place, membership in enumerate(given, 1):
        yield _person(place, membership, today)


def _person(place: int, membership: Mapping[str, Any], today: date) -> Person | Refused:
    draft = Draft()
    name = draft.name(_text(membership, "name"))
    user, address = _part(membership, "user"), _part(membership, "address")
    read = Person(
        line=place,
        name=name,
        email=draft.email(_text(membership, "email") or _text(user, "email")),
        external_id=draft.external_id(_text(membership, "id")),
        headline=draft.text("headline", _text(address, "company")),
        left_on=_left_on(membership, today, draft),
        remarks=tuple(draft.remarks),
    )
    confirmed = _day(membership, "confirmed_at", draft)
    if confirmed is None or confirmed > today:
        draft.problems.append("not yet confirmed as a member")
    return Refused(place, name, tuple(draft.problems)) if draft.problems else read


def _left_on(membership: Mapping[str, Any], today: date, draft: Draft) -> date | None:
    end = _day(membership, "canceled_to", draft)
    return end if end is not None and end < today else None


def _day(membership: Mapping[str, Any], key: str, draft: Draft) -> date | None:
    """Return the day of ``2012/04/12 12:00:00 +0000`` or ``2012/04/14``, in UTC."""
    text = _text(membership, key)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text.strip().replace("/", "-").replace(" +", "+"))
    except ValueError:
        draft.problems.append(f"{key} is not a date: {text[:40]}")
        return None
    return (moment.astimezone(UTC) if moment.tzinfo else moment).date()


def _part(membership: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = membership.get(key)
    return value if isinstance(value, Mapping) else {}


def _text(given: Mapping[str, Any], key: str) -> str:
    value = given.get(key)
    return value if isinstance(value, str) else ""
