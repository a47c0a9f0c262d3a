"""How people are shown in lists and on their pages: links, rates, marks, and why they match.

Templates read a :class:`~app.search.cards.Card`, of a member or of a neighbour's person alike.
What is here decides; what it looks like stands in ``templates/_people.html``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from flask import Flask, url_for

from app.search.answers import Hit, Reason, Span
from app.search.cards import Card, CardService
from app.web import words

#: Services named on a card; the profile has them all.
SERVICES_ON_A_CARD = 3

#: Reasons given for one person; more would be read by nobody.
REASONS = 3


def profile_url(card: Card) -> str:
    """Return where the whole profile stands."""
    if card.kind == "member":
        return url_for("profile.show", ref=card.ref)
    return url_for("profile.show_mirrored", peer_ref=card.space.ref, ref=card.ref)


def services_first(card: Card, why: Sequence[Reason] = ()) -> list[CardService]:
    """Return the card's services, those that the search asked for first."""
    codes = {reason.code for reason in why if reason.code}
    titles = {reason.found for reason in why if reason.field == "service"}
    asked = [one for one in card.services if one.title in titles or one.speciality in codes]
    return asked + [one for one in card.services if one not in asked]


def trades(services: Sequence[CardService]) -> list[str]:
    """Return what ``services`` are, in the page's words, each once and in their order."""
    named = (
        words.speciality(one.speciality, one.label) if one.speciality or one.label else one.title
        for one in services
    )
    return list(dict.fromkeys(named))


def reasons(hit: Hit) -> Sequence[Reason]:
    """Return why ``hit`` is in the answer, as far as anybody reads."""
    return hit.why[:REASONS]


def pieces(text: str, spans: Iterable[Span]) -> list[tuple[str, bool]]:
    """Cut ``text`` at ``spans`` (from, to): pairs of a piece and whether it is to be marked."""
    marked = {at for start, end in spans for at in range(start, end)}
    runs = groupby(range(len(text)), key=marked.__contains__)
    return [("".join(text[at] for at in run), is_marked) for is_marked, run in runs]


def works_remotely(card: Card) -> bool:
    return any(service.remote for service in card.services)


def by_nearness(hits: Iterable[Hit]) -> list[tuple[str, list[Hit]]]:
    """Group ``hits`` by how far away they are.

    Each group keeps the order of match, and the group of the very best match comes first.
    """
    groups: dict[str, list[Hit]] = {}
    for hit in hits:
        groups.setdefault(hit.group, []).append(hit)
    return list(groups.items())


def register(app: Flask) -> None:
    """Teach the templates these words."""
    app.jinja_env.filters.update(profile_url=profile_url, pieces=pieces)
    app.jinja_env.globals.update(
        services_first=services_first,
        trades=trades,
        reasons=reasons,
        works_remotely=works_remotely,
        by_nearness=by_nearness,
        SERVICES_ON_A_CARD=SERVICES_ON_A_CARD,
    )
