"""A letter to somebody as it was typed: kept, judged, and read out of a request."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask import request
from flask_babel import gettext as _
from flask_babel import ngettext

from app.exchange.conversations import QUESTION, QUOTE
from app.search.cards import Card
from app.web import forms
from federation import limits


@dataclass(slots=True)
class Letter:
    """What was typed, kept as it was."""

    kind: str = QUESTION
    text: str = ""
    service: str = ""
    timing: str = ""
    budget: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def most(self) -> int:
        """Return how many characters the text may have."""
        return limits.QUESTION_CHARACTERS if self.kind == QUESTION else limits.LETTER_CHARACTERS

    @classmethod
    def read(cls, card: Card) -> Letter:
        """Read what the request brings for the person on ``card``."""
        given = request.form
        only = card.services[0].ref if len(card.services) == 1 else ""
        return cls(
            QUOTE if given.get("kind") == QUOTE else QUESTION,
            forms.paragraphs(given.get("text", "")).strip(),
            only or given.get("service", ""),
            forms.line(given.get("timing", "")),
            forms.line(given.get("budget", "")),
        )

    @property
    def whole(self) -> str:
        """Return all of it as one text: a conversation that goes on has no fields for the rest."""
        lines = [self.text]
        if self.timing:
            lines.append(_("When: %(when)s", when=self.timing))
        if self.budget:
            lines.append(_("Budget: %(budget)s", budget=self.budget))
        return "\n".join(lines)

    def judge(self, card: Card) -> bool:
        """Say whether it can be sent to whom ``card`` shows; otherwise ``errors`` says why not."""
        if not self.text:
            self.errors["text"] = _("Write what you need, in a sentence or two.")
        elif len(self.text) > self.most:
            self.errors["text"] = _(
                "That is %(count)s characters; %(most)s fit.", count=len(self.text), most=self.most
            )
        for name in ("timing", "budget"):
            if len(getattr(self, name)) > limits.LINE_CHARACTERS:
                self.errors[name] = _("Keep it to one line.")
        if len(self.whole) > limits.LETTER_CHARACTERS and "text" not in self.errors:
            self.errors["text"] = _(
                "That is %(count)s characters; %(most)s fit.",
                count=len(self.whole),
                most=limits.LETTER_CHARACTERS,
            )
        if self.kind not in card.doors:
            self.errors["text"] = _("%(name)s does not take that.", name=card.name)
        if self.service not in {one.ref for one in card.services}:
            self.errors["service"] = _("Choose what it is about.")
        return not self.errors


def too_long(spare: int) -> str:
    """Say what to do about a text that has ``spare`` characters too many."""
    return str(
        ngettext("Shorten this by %(num)s character.", "Shorten this by %(num)s characters.", spare)
    )
