"""What a row of a list changes about a member, and what it leaves alone. Pure.

For each member we keep what lists last said (``Member.imported``). Hence:

* an empty field of the list changes nothing;
* what the list said already last time changes nothing, whatever the member made of it since;
* a new word of the list replaces what an earlier list said, and fills what is empty;
* what the member wrote themselves stays, and the operator is told;
* skills are added once each; one that the member removed does not come back;
* the audience is widened only with ``publish``, never beyond what the member chose themselves,
  and narrowed when the list newly says so; a list that names no blocks widens none that the member
  keeps narrower than the widest;
* somebody who comes back after leaving is seen by nobody until they, or list and operator, say so.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, time
from typing import Any

from app.exchange.pictures import Picture
from app.members import portraits
from app.members.circles import (
    HIDDEN,
    Circles,
    carried,
    circles_of,
    everything_to,
    hear,
    keys_of,
)
from app.members.person import Offer, Person
from app.members.skills import SERVICES
from app.members.texts import folded
from app.models.member import Member

#: Fields that a list may give and a member may edit.
FIELDS = (
    "name",
    "headline",
    "bio",
    "profession",
    "location",
    "locale",
    "translations",
    "availability",
    "languages",
    "interests",
)

#: What a list says of a service, by the names of the table's columns; who sees it is said apart.
OFFERED = tuple(part.name for part in fields(Offer) if part.name != "audience")


@dataclass(slots=True)
class Change:
    """What is to be written about one member; nothing is, while ``names`` is empty."""

    values: dict[str, Any] = field(default_factory=dict)
    """New value by column."""

    services: tuple[Offer, ...] | None = None
    """All services, in order; None leaves them as they are."""

    photo: Picture | None = None
    """The photo to show; None leaves it as it is."""

    circles: Circles | None = None
    """Who sees what; None leaves it as it is."""

    audience: str | None = None
    """How far the widest of ``circles`` goes."""

    source: str = ""
    """Which list it is, for the log of consents."""

    left_at: datetime | None = None
    back: bool = False
    """True when a former member is one again."""

    imported: dict[str, Any] = field(default_factory=dict)
    """What lists have said, to be kept for the next time."""

    names: list[str] = field(default_factory=list)
    """What changes, in the operator's words."""

    remarks: list[str] = field(default_factory=list)


def changes(person: Person, member: Member | None, *, publish: bool) -> Change:
    """Return what ``person`` changes about ``member``, or makes of somebody new."""
    change = Change(imported=dict(member.imported) if member else {})
    if person.left_on is not None:
        _leave(person, member, change)
        return change
    _fields(person, member, change)
    _services(person, member, change)
    _skills(person, member, change)
    _photo(person, member, change)
    _audience(person, member, change, publish=publish)
    return change


def offer_of(service: Any) -> Offer:
    """Return a service of the directory as a list would describe it."""
    values = {column: getattr(service, column) for column in OFFERED}
    several = {name: tuple(values[name] or ()) for name in ("languages", "translations")}
    return Offer(**{**values, **several})


def _leave(person: Person, member: Member | None, change: Change) -> None:
    if member is not None and member.left_at is None and person.left_on is not None:
        change.left_at = datetime.combine(person.left_on, time.min, UTC)
        change.names.append("membership ended")


def _fields(person: Person, member: Member | None, change: Change) -> None:
    ref = person.external_id
    if ref and (member is None or member.external_id != ref):
        change.values["external_id"] = ref
        change.names.append("external_id")
    for key in FIELDS:
        new = _plain(getattr(person, key))
        current = getattr(member, key) if member else type(new)()
        if key == "translations" and _by_language(new) == _by_language(current):
            # A table has the columns of everybody's languages, in one order for all.
            continue
        if _list_wins(key, new, current, change):
            change.values[key] = new
            change.names.append(key)


def _by_language(versions: Iterable[Mapping[str, str]]) -> list[Mapping[str, str]]:
    return sorted(versions, key=lambda one: one["lang"])


def _list_wins(key: str, new: Any, current: Any, change: Change) -> bool:
    """Tell whether the list's word for ``key`` is to be taken; remember it if so."""
    last = change.imported.get(key)
    if not new or new == current or _digest(new) == last:
        return False
    if current and _digest(current) != last:
        change.remarks.append(f"{key} is kept as the member wrote it")
        return False
    change.imported[key] = _digest(new)
    return True


def _services(person: Person, member: Member | None, change: Change) -> None:
    current = _current(member)
    if _list_wins("services", _rows(person.services), _rows(current), change):
        change.services = person.services
        change.names.append("services")


def _skills(person: Person, member: Member | None, change: Change) -> None:
    current = change.services if change.services is not None else _current(member)
    brought = list(change.imported.get("skills", []))
    known = {*brought, *(folded(offer.title) for offer in current)}
    added = [offer for offer in person.skills if folded(offer.title) not in known]
    added = added[: max(SERVICES - len(current), 0)]
    if not added:
        return
    # Still as lists left them: then a later list may replace them all.
    if not current or _digest(_rows(current)) == change.imported.get("services"):
        change.imported["services"] = _digest(_rows([*current, *added]))
    change.services = (*current, *added)
    change.imported["skills"] = brought + [folded(offer.title) for offer in added]
    change.names.append("skills")


def _photo(person: Person, member: Member | None, change: Change) -> None:
    current = (member.photo or {}).get("digest", "") if member else ""
    change.photo = portraits.brought(person.photo, current, change.imported, change.remarks)
    if change.photo is not None:
        change.names.append("photo")


def _audience(person: Person, member: Member | None, change: Change, *, publish: bool) -> None:
    gone = member is not None and member.left_at is not None
    if gone:
        change.back = True
        change.names.append("a member again")
    offers = change.services if change.services is not None else _current(member)
    keys = keys_of(offers)
    kept = HIDDEN if member is None else circles_of(member)
    before = HIDDEN if gone else kept
    chosen = member is not None and not gone and before != _left_by_lists(change)
    stands = after = carried(before, member, offers)
    if person.audience:
        wish = (
            Circles(person.audience, person.apart)
            if person.apart
            else everything_to(person.audience, kept, keys)
        )
        said_before = change.imported.get("audience_said") == _said(person)
        heard = hear(
            wish, stands, keys, widen=publish and not chosen, narrow=not (chosen and said_before)
        )
        after = heard.circles
        if heard.held:
            change.remarks.append(_held(person, stands.widest(keys), heard.held, chosen=chosen))
    if member is None or change.back or after != before:
        change.circles, change.audience = after, after.widest(keys)
    if change.circles is not None and (after != stands or not chosen):
        change.imported["audience"] = after.usual
        change.imported["apart"] = dict(after.apart)
    if member is not None and after != stands:
        change.names.append("audience")
        change.imported["audience_said"] = _said(person)


def _left_by_lists(change: Change) -> Circles:
    """Return who saw what when a list last said so; if it is so now, nobody chose it since."""
    return Circles(change.imported.get("audience", ""), change.imported.get("apart", {}))


def _said(person: Person) -> str:
    """Return what tells one word of a list about audiences from another."""
    if not person.apart:
        return person.audience
    return _digest([person.audience, sorted(person.apart.items())])


def _held(person: Person, before: str, held: Sequence[str], *, chosen: bool) -> str:
    """Return the remark about blocks that the list would show to more people."""
    if not person.apart:
        return (
            f"audience stays “{before}”: the member chose it"
            if chosen
            else f"audience “{person.audience}” needs --publish; until then it is “{before}”"
        )
    why = "the member chose it" if chosen else "more needs --publish"
    return f"who sees {', '.join(held)} stays as it is: {why}"


def _current(member: Member | None) -> tuple[Offer, ...]:
    return tuple(offer_of(service) for service in member.services) if member else ()


def _rows(offers: Iterable[Offer]) -> list[list[Any]]:
    return [[_plain(getattr(offer, column)) for column in _said_by(offer)] for offer in offers]


def _said_by(offer: Offer) -> Iterator[str]:
    """Yield the columns of ``offer``; a list of before we knew translations had none of them."""
    return (name for name in OFFERED if name != "translations" or offer.translations)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _digest(value: str | Sequence[Any] | Mapping[str, Any]) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
