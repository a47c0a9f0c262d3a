"""Services as our own format writes them, read liberally: ``[{"title": ..., "rate": ...}, ...]``.

Numbers may be numbers or text, in French or English notation; whatever is missing has a default.
What makes no sense (a rate that is a list, a currency of five letters) refuses the row.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from app.members.person import Draft, Offer
from app.members.skills import SERVICES, TITLE_CHARACTERS, code_of
from app.members.texts import folded, one_line, paragraphs, parts
from app.models.member import (
    AUDIENCES,
    DAY,
    EXCHANGE,
    FIXED,
    HOUR,
    MODES,
    PAID,
    PRO_BONO,
    QUOTE,
    UNITS,
)
from federation import vocabulary

DESCRIPTION_CHARACTERS = 2000
CODE_CHARACTERS = 60
LABEL_CHARACTERS = 80

#: The largest amount that the tables keep.
AMOUNT = Decimal("99999999.99")

MODE_WORDS = {
    "probono": PRO_BONO,
    "volunteer": PRO_BONO,
    "barter": EXCHANGE,
    "swap": EXCHANGE,
    "echange": EXCHANGE,
}
UNIT_WORDS = {
    "h": HOUR,
    "hr": HOUR,
    "hourly": HOUR,
    "heure": HOUR,
    "stunde": HOUR,
    "hora": HOUR,
    "d": DAY,
    "daily": DAY,
    "jour": DAY,
    "tag": DAY,
    "dia": DAY,
    "project": FIXED,
    "flat": FIXED,
    "forfait": FIXED,
    "devis": QUOTE,
}
YES = {"true", "yes", "y", "1", "oui", "ja", "si", "x"}
NO = {"false", "no", "n", "0", "non", "nein", ""}

_REF = re.compile(r"[A-Za-z0-9_-]{1,26}")


def offers(given: Any, draft: Draft) -> tuple[Offer, ...]:
    """Return the services in ``given``, an array of objects or of titles; None is no services."""
    if given is None:
        return ()
    if not isinstance(given, Sequence) or isinstance(given, str):
        draft.problems.append("services is not a list")
        return ()
    if len(given) > SERVICES:
        draft.remarks.append(f"only the first {SERVICES} of {len(given)} services are kept")
    found = [_offer(place, one, draft) for place, one in enumerate(given[:SERVICES], 1)]
    return _with_own_refs([offer for offer in found if offer is not None])


def yes_or_no(value: Any) -> bool | None:
    """Return what ``value`` says in one of our languages; None when it says neither."""
    if value is None or isinstance(value, bool):
        return bool(value)
    word = folded(str(value))
    return True if word in YES else False if word in NO else None


def _offer(place: int, given: Any, draft: Draft) -> Offer | None:
    if isinstance(given, str):
        given = {"title": given, "category": code_of(given)}
    if not isinstance(given, Mapping):
        draft.problems.append(f"service {place} is not an object")
        return None
    return _Reading(f"service {place}", place, given, draft).offer()


class _Reading:
    """One service being read; problems are said with its place in the list."""

    def __init__(self, where: str, place: int, given: Mapping[str, Any], draft: Draft) -> None:
        self.where = where
        self.place = place
        self.given = given
        self.draft = draft

    def offer(self) -> Offer | None:
        code = self._text("category", CODE_CHARACTERS)
        label = self._text("label", LABEL_CHARACTERS)
        title = self._text("title", TITLE_CHARACTERS) or label or vocabulary.label(code, "en") or ""
        if not title:
            self._wrong("has no title")
            return None
        rate = self._amount("rate")
        return Offer(
            ref=self._ref(),
            title=title,
            description=self._text("description", DESCRIPTION_CHARACTERS, paragraphs),
            speciality=code,
            speciality_label=label,
            mode=self._one_of("mode", MODES, MODE_WORDS) or PAID,
            rate=rate,
            coworker_rate=self._amount("coworker_rate"),
            currency=self._currency(),
            unit=self._one_of("unit", UNITS, UNIT_WORDS) or (QUOTE if rate is None else HOUR),
            valid_until=self._day("valid_until"),
            remote=self._yes("remote"),
            languages=self._languages(),
            translations=self.draft.translations(
                self.given.get("translations"),
                {"title": TITLE_CHARACTERS, "description": DESCRIPTION_CHARACTERS},
                self.where,
            ),
            audience=self._one_of("audience", AUDIENCES, {}),
        )

    def _ref(self) -> str:
        """Return the part behind ``#`` of the identifier, or one that the place gives."""
        value = self.given.get("id")
        ref = str(value).rpartition("#")[2].strip() if isinstance(value, str | int) else ""
        if not ref:
            return f"s{self.place}"
        return ref if _REF.fullmatch(ref) else f"h{hashlib.sha256(ref.encode()).hexdigest()[:12]}"

    def _text(self, key: str, limit: int, plain: Any = one_line) -> str:
        value = self.given.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            self._wrong(f"has a {key} that is not text")
            return ""
        text: str = plain(value)
        return self.draft.fit(f"{key} of {self.where}", text, limit)

    def _one_of(self, key: str, known: Sequence[str], words: Mapping[str, str]) -> str:
        text = self._text(key, CODE_CHARACTERS).lower().replace("-", "_").replace(" ", "_")
        if not text or text in known:
            return text
        found = words.get(folded(text.replace("_", "")))
        if found is None:
            self._wrong(f"has {key} “{text}”; it can be {', '.join(known)}")
        return found or ""

    def _amount(self, key: str) -> Decimal | None:
        value = self.given.get(key)
        if value is None or value == "":
            return None
        amount = _amount(value)
        if amount is None or not 0 <= amount <= AMOUNT:
            self._wrong(f"has a {key} that is not an amount of money: {str(value)[:40]}")
            return None
        return amount.quantize(Decimal("0.01"))

    def _currency(self) -> str:
        code = self._text("currency", CODE_CHARACTERS).upper()
        code = {"€": "EUR", "$": "USD", "£": "GBP"}.get(code, code) or "EUR"
        if not re.fullmatch("[A-Z]{3}", code):
            self._wrong(f"has currency “{code}”, not a code of three letters such as EUR")
        return code

    def _day(self, key: str) -> date | None:
        text = self._text(key, CODE_CHARACTERS)
        if not text:
            return None
        try:
            return date.fromisoformat(text[:10])
        except ValueError:
            self._wrong(f"has {key} “{text}”, not a date such as 2027-06-30")
            return None

    def _yes(self, key: str) -> bool:
        answer = yes_or_no(self.given.get(key))
        if answer is None:
            self._wrong(f"has {key} that is neither true nor false")
        return bool(answer)

    def _languages(self) -> tuple[str, ...]:
        value = self.given.get("languages")
        words = parts(value) if isinstance(value, str) else value or []
        if not isinstance(words, Sequence) or not all(isinstance(word, str) for word in words):
            self._wrong("has languages that are not a list of texts")
            return ()
        return self.draft.languages(words)

    def _wrong(self, what: str) -> None:
        self.draft.problems.append(f"{self.where} {what}")


def _amount(value: Any) -> Decimal | None:
    if not isinstance(value, int | float | Decimal | str):
        return None
    text = re.sub(r"[\s€$£'’]|EUR|USD|GBP|CHF", "", str(value))
    if "," in text:
        # The last sign separates cents: "1.250,50" and "1,250.50" are the same amount.
        cents, thousands = (",", ".") if text.rfind(",") > text.rfind(".") else (".", ",")
        text = text.replace(thousands, "").replace(cents, ".")
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def _with_own_refs(found: list[Offer]) -> tuple[Offer, ...]:
    """Give a service whose identifier another one has already the identifier of its place."""
    taken: set[str] = set()
    own = []
    for place, offer in enumerate(found, 1):
        ref = offer.ref if offer.ref not in taken else f"s{place}-again"
        taken.add(ref)
        own.append(offer if ref == offer.ref else replace(offer, ref=ref))
    return tuple(own)
