"""Which column of a table is which field, whatever language its header is in.

A header that we do not know is left alone, and the operator is told its name; ``--map`` says
otherwise. The first column of a kind wins, the second is named among those not used. Headline and
biography may have columns in further languages: ``headline (en)``, ``Présentation [allemand]``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.members.texts import folded, one_line
from app.members.tongues import tag
from app.models.translations import TEXTS

#: Headers by field, as people and programs write them; compared without accents and case.
HEADERS: Mapping[str, tuple[str, ...]] = {
    "name": (
        "name", "full name", "fullname", "member name", "member", "display name", "contact name",
        "nom complet", "nom et prénom", "prénom et nom", "nom prénom", "membre", "coworker",
        "vollständiger name", "mitglied", "nombre completo", "nombre y apellidos", "miembro",
    ),
    "first_name": (
        "first name", "firstname", "given name", "forename", "prénom", "vorname", "nombre de pila",
    ),
    "last_name": (
        "last name", "lastname", "surname", "family name", "nom de famille", "nachname",
        "familienname", "apellido", "apellidos",
    ),
    "family": ("nom", "nombre"),
    "email": (
        "email", "e-mail", "mail", "email address", "e-mail address", "courriel", "adresse mail",
        "adresse email", "adresse e-mail", "adresse électronique", "mél", "e-mail-adresse",
        "emailadresse", "correo", "correo electrónico", "contact email",
    ),
    "external_id": (
        "external id", "external_id", "id", "member id", "membership id", "unique id", "uniqueid",
        "identifiant", "identifiant externe", "numéro de membre", "n° membre", "mitgliedsnummer",
        "identificador", "número de socio", "customer number",
    ),
    "company": (
        "company", "company name", "organisation", "organization", "business", "entreprise",
        "société", "structure", "raison sociale", "firma", "unternehmen", "empresa", "compañía",
    ),
    "profession": (
        "profession", "job", "job title", "position", "occupation", "role", "trade", "métier",
        "fonction", "poste", "activité", "beruf", "tätigkeit", "profesión", "oficio", "puesto",
        "cargo", "title",
    ),
    "headline": (
        "headline", "tagline", "one line", "accroche", "slogan", "en une phrase", "kurztext",
        "titular", "lema",
    ),
    "bio": (
        "bio", "biography", "about", "about me", "description", "profile summary",
        "profilesummary", "biographie", "à propos", "présentation", "über mich", "beschreibung",
        "biografía", "biografie", "sobre mí", "descripción", "presentación",
    ),
    "location": (
        "location", "city", "town", "place", "ville", "lieu", "commune", "localité", "ort",
        "stadt", "standort", "ciudad", "localidad", "lugar",
    ),
    "skills": (
        "skills", "skill", "services", "specialities", "specialties", "expertise", "tags",
        "profile tags", "profiletags", "compétences", "compétence", "savoir-faire", "spécialités",
        "prestations", "fähigkeiten", "kompetenzen", "kenntnisse", "leistungen",
        "habilidades", "competencias", "servicios", "especialidades",
    ),
    "languages": (
        "languages", "language", "spoken languages", "langues", "langue", "langues parlées",
        "sprachen", "sprache", "idiomas", "idioma", "lenguas",
    ),
    "interests": (
        "interests", "interest", "hobbies", "centres d'intérêt", "intérêts", "loisirs",
        "interessen", "hobbys", "intereses", "aficiones",
    ),
    "availability": (
        "availability", "available", "disponibilité", "disponibilités", "verfügbarkeit",
        "disponibilidad",
    ),
    "locale": ("locale", "profile language", "langue du profil", "profilsprache"),
    "audience": ("audience", "visibility", "visible to", "visibilité", "sichtbarkeit",
                 "visibilidad"),
    "active": ("active", "is active", "actif", "aktiv", "activo"),
}  # fmt: skip

#: What an operator may name with ``--map``.
FIELDS = tuple(field for field in HEADERS if field != "family")

#: A header, and behind it the language of the texts in its column.
_IN_A_LANGUAGE = re.compile(r"(.+?)\s*[(\[]\s*([^()\[\]]+?)\s*[)\]]")

_FIELD_OF = {folded(header): field for field, headers in HEADERS.items() for header in headers}


class MappingError(Exception):
    """The columns cannot be understood; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each field stands in a row."""

    headers: tuple[str, ...]
    places: Mapping[str, int]
    """Position of the column by field."""

    versions: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Position of the columns of texts in further languages, by field and tag (BCP 47)."""

    @property
    def mapped(self) -> dict[str, str]:
        """Return the header by field, in the order of the columns."""
        further = {f"{name} ({lang})": place for (name, lang), place in self.versions.items()}
        by_place = sorted({**self.places, **further}.items(), key=lambda pair: pair[1])
        return {name: self.headers[place] for name, place in by_place}

    @property
    def unmapped(self) -> list[str]:
        """Return the headers whose cells are not read."""
        used = {*self.places.values(), *self.versions.values()}
        return [header for place, header in enumerate(self.headers) if place not in used]

    def cell(self, row: Sequence[str], name: str) -> str:
        """Return what ``row`` says about the field called ``name``; empty when nothing."""
        return _at(row, self.places.get(name))

    def cells(self, row: Sequence[str]) -> dict[str, dict[str, str]]:
        """Return what ``row`` says in further languages: texts by field, by tag."""
        found: dict[str, dict[str, str]] = {}
        for (name, lang), place in self.versions.items():
            found.setdefault(lang, {})[name] = _at(row, place)
        return found


def _at(row: Sequence[str], place: int | None) -> str:
    return row[place] if place is not None and place < len(row) else ""


def known(header: Sequence[str]) -> int:
    """Return how many cells of ``header`` are names that we know."""
    return len({_FIELD_OF[name] for cell in header if (name := folded(cell)) in _FIELD_OF})


def understand(header: Sequence[str], chosen: Mapping[str, str]) -> Columns:
    """Return where the fields stand.

    :param chosen: header by field, as the operator says; it wins over the names we know.
    :raises MappingError: a choice that fits nothing, or no column with a name.
    """
    headers = tuple(one_line(cell) for cell in header)
    places = _chosen(headers, chosen)
    for place, text in enumerate(headers):
        field = _FIELD_OF.get(folded(text))
        if field and place not in places.values():
            places.setdefault(field, place)
    _settle_family(places)
    if not {"name", "first_name", "last_name"} & places.keys():
        raise MappingError(
            "No column holds the members' names. The columns are: "
            + ", ".join(f"“{text}”" for text in headers if text)
            + '. Say which it is, for example --map "name='
            + (next(filter(None, headers), "Column"))
            + '".'
        )
    return Columns(headers, places, _versions(headers, places))


def _versions(headers: Sequence[str], places: Mapping[str, int]) -> dict[tuple[str, str], int]:
    """Return where texts in further languages stand: by headers that name field and language."""
    found: dict[tuple[str, str], int] = {}
    for place, text in enumerate(headers):
        said = _IN_A_LANGUAGE.fullmatch(text)
        if said is None or place in places.values():
            continue
        name, lang = _FIELD_OF.get(folded(said[1]), ""), tag(said[2])
        if name in TEXTS and lang:
            found.setdefault((name, lang), place)
    return found


def _chosen(headers: tuple[str, ...], chosen: Mapping[str, str]) -> dict[str, int]:
    places: dict[str, int] = {}
    by_name = {folded(text) or text: place for place, text in reversed(list(enumerate(headers)))}
    for name, header in chosen.items():
        if name not in FIELDS:
            raise MappingError(f"--map: there is no field “{name}”. Fields: {', '.join(FIELDS)}.")
        place = by_name.get(folded(header) or header)
        if place is None:
            raise MappingError(
                f"--map: there is no column “{header}”. The columns are: "
                + ", ".join(f"“{text}”" for text in headers if text)
            )
        places[name] = place
    return places


def _settle_family(places: dict[str, int]) -> None:
    """Decide what "Nom" means: the family name beside a first name, else the whole name."""
    place = places.pop("family", None)
    if place is not None:
        places.setdefault("last_name" if "first_name" in places else "name", place)
