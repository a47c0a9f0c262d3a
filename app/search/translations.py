"""A card in the languages that its reader reads: the one place that chooses.

Each text is chosen by itself, so that whoever wrote only their headline in English is introduced
in English and tells the rest in the language they wrote it in. What nobody wrote in the reader's
languages is shown as it was written first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from app.search.cards import Card, CardService
from app.search.versions import Version, best


def for_reader(card: Card, ranges: Sequence[str]) -> Card:
    """Return ``card`` with those texts that somebody who reads ``ranges`` reads best.

    :param ranges: language ranges (RFC 4647), the best first; none for what was written first.
    """
    if not ranges or not is_translated(card):
        return card
    base = written_first(card)
    headline, bio = (_chosen(base, base.translations, text, ranges) for text in ("short", "long"))
    services = tuple(_service_for(base, one, ranges) for one in base.services)
    if not headline and not bio and services == base.services:
        return base
    return replace(
        base,
        headline=headline.short if headline else base.headline,
        headline_lang=headline.lang if headline else "",
        bio=bio.long if bio else base.bio,
        bio_lang=bio.lang if bio else "",
        services=services,
        original=base,
    )


def _service_for(card: Card, service: CardService, ranges: Sequence[str]) -> CardService:
    title, rest = (
        _chosen(card, service.translations, text, ranges, service) for text in ("short", "long")
    )
    if not title and not rest:
        return service
    return replace(
        service,
        title=title.short if title else service.title,
        title_lang=title.lang if title else "",
        description=rest.long if rest else service.description,
        description_lang=rest.lang if rest else "",
    )


def _chosen(
    card: Card,
    held: Sequence[Version],
    text: str,
    ranges: Sequence[str],
    service: CardService | None = None,
) -> Version | None:
    """Return the version whose ``text`` is read best; ``None`` for what was written first."""
    there = {one.lang: one for one in held if getattr(one, text)}
    if service is None:
        first = card.headline if text == "short" else card.bio
    else:
        first = service.title if text == "short" else service.description
    tag = best(ranges, [*([card.locale] if first else []), *there])
    if first:
        return None if tag == card.locale else there.get(tag)
    # There is no such text in the original: any other is better than none.
    return there.get(tag) or next(iter(there.values()), None)


def written_first(card: Card) -> Card:
    """Return ``card`` as it was before anything was chosen."""
    return card.original or card


def is_translated(card: Card) -> bool:
    """Say whether anything of ``card`` is written in a further language."""
    return bool(card.translations) or any(one.translations for one in card.services)


def languages_of(card: Card) -> list[str]:
    """Return the languages in which there is some text, the one written first before others."""
    base = written_first(card)
    further = [one.lang for one in base.translations]
    further += [one.lang for service in base.services for one in service.translations]
    return list(dict.fromkeys([*filter(None, [base.locale]), *further]))


def in_further_languages(card: Card) -> Iterator[Card]:
    """Yield, for each further language, the card with what is written in it and nothing else."""
    if not is_translated(card):
        return
    base = written_first(card)
    for tag in languages_of(base):
        if tag != base.locale:
            own = _said(base.translations, tag)
            yield replace(
                base,
                locale=tag,
                headline=own.short,
                bio=own.long,
                translations=(),
                services=tuple(_service_in(one, tag) for one in base.services),
            )


def _service_in(service: CardService, tag: str) -> CardService:
    own = _said(service.translations, tag)
    return replace(service, title=own.short, description=own.long, label="", translations=())


def _said(held: Sequence[Version], tag: str) -> Version:
    return next((one for one in held if one.lang == tag), Version(tag, "", ""))
