"""Texts of a profile or of a service in further languages than the one they were written in.

A version is a mapping of ``lang`` (BCP 47) and texts, as it is stored and as it is signed. What
was written first stays in the columns of its own; a version in that language is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

#: What a version says, of a profile and of a service.
TEXTS = ("headline", "bio")
SERVICE_TEXTS = ("title", "description")

#: Further languages that a profile can have.
MOST = 4


def alike(one: str, other: str) -> bool:
    """Say whether two tags are the same; capitals make no difference (RFC 5646, 2.1.1)."""
    return one.lower() == other.lower()


def version(held: Iterable[Mapping[str, str]], lang: str) -> Mapping[str, str]:
    """Return the version in ``lang``; empty when there is none."""
    return next((one for one in held if alike(one["lang"], lang)), {})


def besides(held: Iterable[Mapping[str, str]], lang: str) -> list[Mapping[str, str]]:
    """Return the versions in other languages than ``lang``."""
    return [one for one in held if not alike(one["lang"], lang)]


def languages_in(several: Iterable[Iterable[Mapping[str, str]]]) -> list[str]:
    """Return the languages of all versions in ``several`` lists of them, each once."""
    return list(dict.fromkeys(one["lang"] for held in several for one in held))


def replaced(
    held: Sequence[Mapping[str, str]], lang: str, texts: Mapping[str, str]
) -> list[dict[str, str]]:
    """Return ``held`` with ``texts`` as its version in ``lang``, in the place of an earlier one.

    Of empty texts nothing is kept, and of a version without any neither.
    """
    said = {name: text for name, text in texts.items() if text}
    new = [{"lang": lang} | said] if said else []
    places = [at for at, one in enumerate(held) if alike(one["lang"], lang)]
    at = places[0] if places else len(held)
    kept = [dict(one) for one in held]
    return [*kept[:at], *new, *kept[at + len(places) :]]
