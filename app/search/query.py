"""What somebody asked, as one value that a URL carries whole.

The rules, so that no URL can make a search expensive or break a page:

* words are text: control characters go, spaces collapse, and what is too long is cut;
* a filter that this version does not know is ignored, and so is an empty one;
* a known filter with an impossible value is refused in a :class:`QueryError` that says which;
* ``to_args`` gives the one canonical form, so that equal searches have equal URLs.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, Self

from app.models.member import MODES
from app.search.availability import DAYS
from app.search.cities import cities_called
from app.search.prices import Band

#: Characters of the question that are read; people type a sentence, not a page.
WORDS_CHARACTERS = 200
#: Words of the question that are read.
WORDS_COUNT = 24
#: Values that one filter may hold; more are ignored.
VALUES_PER_FILTER = 20
#: Characters that one value of a filter may have.
VALUE_CHARACTERS = 120
#: The last page that can be asked for; beyond it nobody reads.
LAST_PAGE = 500
#: Kilometres that the distance filter offers.
DISTANCES = (10, 50, 200)

Scope = Literal["here", "everywhere"]
Sort = Literal["match", "distance", "name"]
SCOPES: tuple[Scope, ...] = ("here", "everywhere")
SORTS: tuple[Sort, ...] = ("match", "distance", "name")

#: Filters that may hold several values, any of which is enough.
MANY = (
    "speciality",
    "domain",
    "space",
    "city",
    "country",
    "language",
    "mode",
    "price",
    "availability",
)
#: Filters that are either on (``1``) or absent.
SWITCHES = ("remote", "coworker_rate")


class QueryError(ValueError):
    """A filter holds a value that it cannot have; ``filter`` and ``value`` say which."""

    def __init__(self, filter_name: str, value: str) -> None:
        super().__init__(f"{filter_name} cannot be {value[:VALUE_CHARACTERS]!r}")
        self.filter = filter_name
        self.value = value[:VALUE_CHARACTERS]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One search: words, where to look, filters, order, page."""

    words: str = ""
    """What the person typed, cleaned; a space at its end says that the last word is complete."""

    scope: Scope = "everywhere"
    speciality: tuple[str, ...] = ()
    """Codes of the shared vocabulary, or codes that we do not know."""

    domain: tuple[str, ...] = ()
    space: tuple[str, ...] = ()
    """``here`` for this space, else references of peers."""

    city: tuple[str, ...] = ()
    country: tuple[str, ...] = ()
    """ISO 3166-1 alpha-2, upper case."""

    language: tuple[str, ...] = ()
    """Primary language subtags (BCP 47), lower case."""

    mode: tuple[str, ...] = ()
    price: tuple[str, ...] = ()
    """Bands of :mod:`app.search.prices`, such as ``EUR-hour-60``."""

    availability: tuple[str, ...] = ()
    """Days of the week, as codes of :data:`app.search.availability.DAYS`."""

    remote: bool = False
    coworker_rate: bool = False
    within: int | None = None
    """Kilometres from ``near``, one of :data:`DISTANCES`."""

    near: str = ""
    """The city from which distances are counted, as it was typed; empty for this space."""

    sort: Sort = "match"
    page: int = 1

    @classmethod
    def from_args(cls, args: Mapping[str, Any]) -> Self:
        """Read the arguments of a URL: a mapping with ``getlist``, or to lists of strings.

        :raises QueryError: a known filter with a value that it cannot have.
        """
        given = _lists(args, (field.name for field in fields(cls)))
        many = {name: _values(given[name]) for name in MANY}
        _all("mode", many, lambda mode: mode in MODES)
        _all("price", many, lambda band: Band.read(band) is not None)
        _all("availability", many, lambda day: day in DAYS)
        return cls(
            words=clean(next(iter(_lists(args, ("q",))["q"]), "")),
            scope=_one_of("scope", given["scope"], SCOPES, "everywhere"),
            sort=_one_of("sort", given["sort"], SORTS, "match"),
            within=_within(given["within"]),
            near=_near(given["near"]),
            page=_page(given["page"]),
            remote=_switch("remote", given["remote"]),
            coworker_rate=_switch("coworker_rate", given["coworker_rate"]),
            **many,
        )

    def to_args(self, **changes: Any) -> list[tuple[str, str]]:
        """Return the pairs of the canonical URL, with ``changes`` made first.

        Defaults are left out. Changing anything but the page leads to the first page.
        """
        if changes and "page" not in changes:
            changes["page"] = 1
        changed = replace(self, **changes) if changes else self
        pairs = [("q", changed.words)] if changed.words.strip() else []
        for field in fields(changed):
            value = getattr(changed, field.name)
            if field.name != "words" and value != field.default:
                pairs += [(field.name, text) for text in _texts(value)]
        return pairs

    def toggled(self, name: str, value: str) -> list[tuple[str, str]]:
        """Return the URL pairs with one value of a filter put on, or taken off if it was on."""
        if name in SWITCHES:
            return self.to_args(**{name: not getattr(self, name)})
        if name == "within":
            return self.to_args(within=None if self.within == int(value) else int(value))
        if name == "near":
            return self.to_args(near="" if self.near == value else value)
        held: tuple[str, ...] = getattr(self, name)
        kept = tuple(one for one in held if one != value)
        return self.to_args(**{name: kept if value in held else (*held, value)})

    @property
    def filters(self) -> tuple[tuple[str, str], ...]:
        """The values of all filters that are on, in a fixed order: one chip each."""
        on = [(name, value) for name in MANY for value in getattr(self, name)]
        on += [(name, "1") for name in SWITCHES if getattr(self, name)]
        on += [("within", str(self.within))] if self.within else []
        return tuple(on + ([("near", self.near)] if self.near else []))

    def without_filters(self) -> Query:
        """Return the same words, scope and order with nothing filtered."""
        return Query(words=self.words, scope=self.scope, sort=self.sort)


def clean(text: str) -> str:
    """Return ``text`` in NFC on one line, without control characters, cut to our limits."""
    head = text[: WORDS_CHARACTERS * 4]
    shown = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in head)
    words = unicodedata.normalize("NFC", shown).split()[:WORDS_COUNT]
    line = " ".join(words)[:WORDS_CHARACTERS]
    # The space after the last word says that it is finished: no longer a prefix.
    return line + " " if line and shown.endswith(" ") and len(line) < WORDS_CHARACTERS else line


def _lists(args: Mapping[str, Any], names: Iterable[str]) -> dict[str, Sequence[str]]:
    getlist = getattr(args, "getlist", None)
    if getlist is not None:
        return {name: getlist(name) for name in names}
    found = {name: args.get(name, ()) for name in names}
    return {name: [value] if isinstance(value, str) else value for name, value in found.items()}


def _values(given: Sequence[str]) -> tuple[str, ...]:
    cleaned = (clean(value[:VALUE_CHARACTERS]).strip() for value in given)
    return tuple(dict.fromkeys(value for value in cleaned if value))[:VALUES_PER_FILTER]


def _all(name: str, given: Mapping[str, Sequence[str]], possible: Callable[[str], bool]) -> None:
    for value in given[name]:
        if not possible(value):
            raise QueryError(name, value)


def _one_of(name: str, given: Sequence[str], choices: tuple[Any, ...], default: Any) -> Any:
    value = given[0] if given and given[0] else default
    if value not in choices:
        raise QueryError(name, value)
    return value


def _switch(name: str, given: Sequence[str]) -> bool:
    value = given[0] if given else ""
    if value not in ("", "0", "1", "on"):
        raise QueryError(name, value)
    return value in ("1", "on")


def _within(given: Sequence[str]) -> int | None:
    value = given[0] if given else ""
    if not value:
        return None
    if value not in map(str, DISTANCES):
        raise QueryError("within", value)
    return int(value)


def _near(given: Sequence[str]) -> str:
    value = clean(given[0][:VALUE_CHARACTERS]).strip() if given else ""
    if value and not cities_called(value):
        raise QueryError("near", value)
    return value


def _page(given: Sequence[str]) -> int:
    value = given[0] if given and given[0] else "1"
    # Ten digits are more than any page; int() refuses thousands of them, slowly.
    if not (value.isascii() and value.isdigit() and len(value) <= 10 and int(value) >= 1):
        raise QueryError("page", value)
    return min(int(value), LAST_PAGE)


def _texts(value: Any) -> list[str]:
    if isinstance(value, tuple):
        return list(value)
    return ["1"] if value is True else [str(value)]
