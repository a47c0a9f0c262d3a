"""An answer told outside of pages: each hit as JSON, each reason as a line in four languages."""

from __future__ import annotations

from typing import Any

from app.search.answers import Hit, Reason
from app.search.cards import Card
from app.search.lexicon import label_of
from app.search.translations import in_further_languages, written_first

#: How a reason is said, by language; ``{said}`` is the person's word, ``{found}`` the profile's.
_REASONS = {
    "fr": {
        "word": "« {said} » dans {field}: {found}",
        "prefix": "« {said}… » = {label}: {found}",
        "typo": "« {said} » lu comme {label}: {found}",
        "synonym": "« {said} » = {label}: {found}",
        "near": "proche de « {said} »: {found}",
        "domain": "« {said} » comprend {label}: {found}",
    },
    "en": {
        "word": '"{said}" in the {field}: {found}',
        "prefix": '"{said}…" = {label}: {found}',
        "typo": '"{said}" read as {label}: {found}',
        "synonym": '"{said}" = {label}: {found}',
        "near": 'close to "{said}": {found}',
        "domain": '"{said}" includes {label}: {found}',
    },
    "de": {
        "word": "„{said}“ in {field}: {found}",
        "prefix": "„{said}…“ = {label}: {found}",
        "typo": "„{said}“ gelesen als {label}: {found}",
        "synonym": "„{said}“ = {label}: {found}",
        "near": "verwandt mit „{said}“: {found}",
        "domain": "„{said}“ umfasst {label}: {found}",
    },
    "es": {
        "word": "«{said}» en {field}: {found}",
        "prefix": "«{said}…» = {label}: {found}",
        "typo": "«{said}» leído como {label}: {found}",
        "synonym": "«{said}» = {label}: {found}",
        "near": "cercano a «{said}»: {found}",
        "domain": "«{said}» incluye {label}: {found}",
    },
}
_FIELDS = {
    "fr": {
        "service": "le service",
        "profession": "le métier",
        "headline": "la présentation",
        "name": "le nom",
        "interests": "les affinités",
        "bio": "le texte",
        "place": "le lieu",
        "languages": "les langues",
    },
    "en": {"interests": "interests", "bio": "text"},
    "de": {
        "service": "der Leistung",
        "profession": "dem Beruf",
        "headline": "der Vorstellung",
        "name": "dem Namen",
        "interests": "den Interessen",
        "bio": "dem Text",
        "place": "dem Ort",
        "languages": "den Sprachen",
    },
    "es": {
        "service": "el servicio",
        "profession": "la profesión",
        "headline": "la presentación",
        "name": "el nombre",
        "interests": "las afinidades",
        "bio": "el texto",
        "place": "el lugar",
        "languages": "los idiomas",
    },
}


def told(hit: Hit, language: str) -> dict[str, Any]:
    """Return what programs are told of a hit: plain JSON values.

    ``lang`` is the language of the headline, and ``translations`` has it in the others; with each
    service it is the same about its title.

    :param language: of the reasons, one of the shared vocabulary's.
    """
    card = hit.card
    return {
        "id": card.subject,
        "name": card.name,
        "profession": card.profession,
        "headline": card.headline,
        "lang": card.headline_lang or card.locale,
        "translations": [
            {"lang": one.headline_lang or one.locale, "headline": one.headline}
            for one in (written_first(card), *in_further_languages(card))
            if one.headline and one.headline != card.headline
        ],
        "services": [_service(hit.card, place) for place in range(len(card.services))],
        "space": card.space.name,
        "city": card.space.city,
        "distance_km": None if hit.distance_km is None else round(hit.distance_km, 1),
        "score": hit.score,
        "confident": hit.confident,
        "why": [said(reason, language) for reason in hit.why],
    }


def _service(card: Card, place: int) -> dict[str, Any]:
    """Return the title of the service at ``place``, with its language, and that in others."""
    shown, base = card.services[place], written_first(card)
    first = base.services[place]
    titles = [(base.locale, first.title), *((one.lang, one.short) for one in first.translations)]
    return {
        "title": shown.title,
        "lang": shown.title_lang or card.locale,
        "translations": [
            {"lang": lang, "title": title}
            for lang, title in titles
            if title and title != shown.title
        ],
    }


def said(reason: Reason, language: str) -> str:
    """Return ``reason`` as one line in ``language``."""
    field = _FIELDS[language].get(reason.field, reason.field)
    label = label_of(reason.code, language) if reason.code else reason.found
    form = _REASONS[language]["word" if not reason.code and reason.how != "near" else reason.how]
    found = f"{reason.found} [{reason.lang}]" if reason.unshown else reason.found
    return form.format(said=reason.said, found=found, field=field, label=label)
