"""The specialities that all spaces share: their codes, labels, everyday words and neighbours.

Spaces agree on the codes alone. A code is opaque: programs compare it and never take it apart,
and a code that we do not know is kept and shown by whoever received it. What people call a
speciality, in each language, stands in one TOML file per domain beside this module; how to
read and extend those files is told in ``docs/vocabulary.md``.

Nothing here searches, folds accents or stems: the words are given as people write them.

The rules of a file, refused with its name and the code at fault when they are broken:

* ``[domain]`` and each ``[code]`` have one line per language, ``Label: word, word, word``;
* a speciality names its ISCO-08 unit group, and may say ``regulated`` and ``near``;
* a code is used once in all files, and ``near`` names codes that exist;
* ``near`` holds both ways, though it is written at one end only;
* ``kinds`` lists, each in all languages at once, what most people of a speciality do only one of.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

#: The languages in which every speciality and every domain has a label and words.
LANGUAGES = ("fr", "en", "de", "es")

#: The table of a file that speaks of the whole domain; hence no speciality has this code.
DOMAIN_TABLE = "domain"

_KEYS = frozenset({*LANGUAGES, "isco08", "regulated", "near", "kinds"})


class VocabularyError(ValueError):
    """A vocabulary file breaks a rule; the sentence names the file, the code and the rule."""


@dataclass(frozen=True, slots=True)
class Speciality:
    """One kind of work, as a chip on a profile names it."""

    code: str
    domain: str
    isco08: str
    """The ISCO-08 unit group (four digits) to which most people who do this belong."""

    labels: Mapping[str, str]
    """The short name by language, complete for ``LANGUAGES``."""

    words: Mapping[str, tuple[str, ...]]
    """What people say when they look for it, by language; without the label."""

    near: tuple[str, ...]
    """Codes of specialities whose people can often help as well; always mutual."""

    regulated: bool
    """The title or the work is reserved by law in at least one country of the four languages."""

    kinds: tuple[tuple[str, ...], ...] = ()
    """Single words for one kind of the work each, in all languages together: who teaches music
    teaches the piano or the trumpet, and rarely both."""


@dataclass(frozen=True, slots=True)
class Domain:
    """A family of specialities: the first of the two levels in which people browse."""

    code: str
    labels: Mapping[str, str]
    words: Mapping[str, tuple[str, ...]]
    """Words that mean any speciality of the domain, such as "droit" for all of law."""

    specialities: tuple[str, ...]


def specialities() -> Mapping[str, Speciality]:
    """Every speciality by code: domains in alphabetical order, then as written in the file.

    :raises VocabularyError: a file breaks one of the rules above.
    """
    return _vocabulary()[1]


def domains() -> Mapping[str, Domain]:
    """Every domain by code, in alphabetical order.

    :raises VocabularyError: a file breaks one of the rules above.
    """
    return _vocabulary()[0]


def label(code: str, language: str) -> str | None:
    """The name of a speciality in ``language``, else in English; None for a code we do not know.

    :param language: a code of ``LANGUAGES``; a region is ignored ("fr_CA" and "fr-CA" are "fr").
    """
    speciality = specialities().get(code)
    if speciality is None:
        return None
    return speciality.labels.get(language[:2], speciality.labels["en"])


@cache
def _vocabulary() -> tuple[Mapping[str, Domain], Mapping[str, Speciality]]:
    """Both levels, read once in the life of the process."""
    return read(dict(_files()))


def read(texts: Mapping[str, str]) -> tuple[Mapping[str, Domain], Mapping[str, Speciality]]:
    """Domains and specialities from the text of each domain's file, by domain code.

    :raises VocabularyError: a text is no TOML, or breaks one of the rules above.
    """
    families: dict[str, Domain] = {}
    found: dict[str, Speciality] = {}
    for name, text in texts.items():
        domain, members = _domain(name, text)
        for code, speciality in members.items():
            if code in found:
                raise VocabularyError(f"{name}: {code} is already used by {found[code].domain}")
            found[code] = speciality
        families[name] = domain
    return MappingProxyType(families), MappingProxyType(_mutual(found))


def _files() -> Iterator[tuple[str, str]]:
    """The name without suffix and the text of each domain's file, by name."""
    for entry in sorted(files(__name__).iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".toml"):
            # Some editors put a byte order mark first, which is no TOML: "-sig" drops it.
            yield entry.name.removesuffix(".toml"), entry.read_text(encoding="utf-8-sig")


def _domain(name: str, text: str) -> tuple[Domain, dict[str, Speciality]]:
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise VocabularyError(f"{name}: {error}") from error
    head = tables.pop(DOMAIN_TABLE, None)
    if not isinstance(head, dict):
        raise VocabularyError(f"{name}: the table [{DOMAIN_TABLE}] is missing")
    members = {code: _speciality(name, code, table) for code, table in tables.items()}
    labels, words = _names(f"{name}: {DOMAIN_TABLE}", head, frozenset(LANGUAGES))
    return Domain(name, labels, words, tuple(members)), members


def _speciality(domain: str, code: str, table: Any) -> Speciality:
    where = f"{domain}: {code}"
    if not isinstance(table, dict):
        raise VocabularyError(f"{where} stands outside of a [code] table")
    labels, words = _names(where, table, _KEYS)
    return Speciality(
        code=code,
        domain=domain,
        isco08=_text(where, table, "isco08"),
        labels=labels,
        words=words,
        near=_listed(_text(where, {"near": "", **table}, "near")),
        regulated=_regulated(where, table),
        kinds=_kinds(where, table),
    )


def _regulated(where: str, table: dict[str, Any]) -> bool:
    regulated = table.get("regulated", False)
    if not isinstance(regulated, bool):
        raise VocabularyError(f"{where}: regulated is neither true nor false")
    return regulated


def _kinds(where: str, table: dict[str, Any]) -> tuple[tuple[str, ...], ...]:
    kinds = table.get("kinds", [])
    if not isinstance(kinds, list) or not all(isinstance(kind, str) for kind in kinds):
        raise VocabularyError(f"{where}: kinds is no list of words in quotes")
    listed = tuple(_listed(kind) for kind in kinds)
    if not all(listed) or any(" " in word for kind in listed for word in kind):
        raise VocabularyError(f"{where}: a kind is empty, or not of single words")
    return listed


def _names(
    where: str, table: dict[str, Any], known: frozenset[str]
) -> tuple[Mapping[str, str], Mapping[str, tuple[str, ...]]]:
    """The labels and the words of a table whose lines are all among ``known``."""
    if strangers := sorted(table.keys() - known):
        raise VocabularyError(f"{where} has unknown lines: {', '.join(strangers)}")
    labels: dict[str, str] = {}
    words: dict[str, tuple[str, ...]] = {}
    for language in LANGUAGES:
        name, colon, rest = _text(where, table, language).partition(":")
        if not (name.strip() and colon and rest.strip()):
            raise VocabularyError(f'{where}: {language} is not of the form "Label: word, word"')
        labels[language] = name.strip()
        words[language] = _listed(rest)
    return MappingProxyType(labels), MappingProxyType(words)


def _text(where: str, table: dict[str, Any], key: str) -> str:
    text = table.get(key)
    if not isinstance(text, str):
        raise VocabularyError(f"{where}: the line {key} is missing or not in quotes")
    return text


def _listed(text: str) -> tuple[str, ...]:
    """The entries between commas; a comma at the end of a line is forgiven."""
    return tuple(entry for part in text.split(",") if (entry := " ".join(part.split())))


def _mutual(found: Mapping[str, Speciality]) -> dict[str, Speciality]:
    """The specialities with each ``near`` link present at both of its ends."""
    links: dict[str, list[str]] = {code: [] for code in found}
    for code, speciality in found.items():
        for other in speciality.near:
            if other not in found or other == code:
                raise VocabularyError(f"{speciality.domain}: {code} cannot be near {other}")
            links[code].append(other)
            links[other].append(code)
    return {
        code: replace(speciality, near=tuple(dict.fromkeys(links[code])))
        for code, speciality in found.items()
    }
