"""How a member of one space writes to a member of another, without either address.

An introduction opens a conversation; replies continue it, in both directions. Both are signed by
the space of whoever writes, which vouches that the person is its member; what they say is text.
A conversation is named by the space that opened it and an identifier of that space's choice.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from federation import limits
from federation.claims import Day, Entity, Language, Line, Lines, Name, Ref, Subject
from federation.envelope import Claims, Dated, require_audience
from federation.errors import ForeignSubjectError
from federation.identifiers import owns

Kind = Literal["question", "quote"]
Act = Literal["message", "decline", "share", "address", "close"]


#: The moment from which seconds number replies; they fit into ``n`` until 2088.
NUMBERED_FROM = datetime(2020, 1, 1, tzinfo=UTC)


class Sender(Claims):
    """Who writes, as their space introduces them; no address, and nothing that finds one."""

    sub: Subject
    """One of the issuer's members; it need not be published."""

    name: Name = Field(max_length=limits.NAME_CHARACTERS)
    headline: Line = Field(default="", max_length=limits.HEADLINE_CHARACTERS)
    locale: Language | Literal[""] = ""


class Passed(Claims):
    """Who was asked before, and proposed that the request go to whom it reaches now."""

    sub: Subject
    """A member of any space; the issuer says that they proposed it, and nobody else does."""

    name: Name = Field(max_length=limits.NAME_CHARACTERS)


class Introduction(Dated):
    """The first words to somebody who did not write yet: a question, or a request for a quote."""

    typ: ClassVar[str] = "cdf-intro+jwt"
    lifetime: ClassVar[timedelta] = limits.INTRODUCTION_LIFETIME

    audience: Entity
    subject: Subject
    """Who is asked: one of the audience's members."""

    id: Ref
    """Names the conversation at the issuer; never used for another."""

    kind: Kind
    service: Ref | Literal[""] = ""
    """The service that it is about, by its ``id``."""

    text: Lines = Field(min_length=1, max_length=limits.LETTER_CHARACTERS)
    when: Line = Field(default="", max_length=limits.LINE_CHARACTERS)
    budget: Line = Field(default="", max_length=limits.LINE_CHARACTERS)
    sender: Sender
    passed_by: Passed | None = None
    """The sender was told by this person to ask; ``None`` when they came by themselves."""

    @model_validator(mode="after")
    def _a_question_is_short(self) -> Self:
        if self.kind == "question" and len(self.text) > limits.QUESTION_CHARACTERS:
            raise ValueError(f"a question has at most {limits.QUESTION_CHARACTERS} characters")
        return self

    def require(self, issuer: str, audience: str, now: datetime) -> None:
        """Refuse what is not by ``issuer`` to ``audience`` now, about the members of each.

        :raises UnknownIssuerError, WrongAudienceError, ExpiredError, ForeignSubjectError:
        """
        _require(self, issuer, audience, now)
        if not owns(audience, self.subject):
            raise ForeignSubjectError(f"{self.subject} is no member of {audience}")
        if not owns(issuer, self.sender.sub):
            raise ForeignSubjectError(f"{issuer} may not write for {self.sender.sub}")


class Reply(Dated):
    """The next words, or the next step, of a conversation that an introduction opened."""

    typ: ClassVar[str] = "cdf-intro-reply+jwt"
    lifetime: ClassVar[timedelta] = limits.INTRODUCTION_LIFETIME

    audience: Entity
    opened_by: Entity
    """The issuer or the audience: whose ``id`` it is."""

    id: Ref
    n: int = Field(ge=1, lt=2**31)
    """Rises with the issuer's replies in this conversation, so that repetition does no harm; see
    :func:`next_number`."""

    act: Act
    """``share`` agrees to exchange addresses; ``address`` tells one, once both have agreed."""

    text: Lines = Field(default="", max_length=limits.LETTER_CHARACTERS)
    email: Line = Field(default="", max_length=limits.EMAIL_CHARACTERS)
    until: Day | None = None
    """With ``decline``: the day from which the person can be asked again."""

    pass_to: Subject | Literal[""] = ""
    """With ``decline``: a member, of any space, whom the person proposes to ask instead."""

    @model_validator(mode="after")
    def _says_what_it_does(self) -> Self:
        if (self.act == "address") != bool(self.email):
            raise ValueError("an address comes with the act that tells it, and with no other")
        if self.act == "message" and not self.text:
            raise ValueError("a message has a text")
        if self.act != "decline" and (self.until is not None or self.pass_to):
            raise ValueError("when and whom to ask instead come with a decline")
        if self.opened_by not in (self.issuer, self.audience):
            raise ValueError("a conversation was opened by one of its two spaces")
        return self

    def require(self, issuer: str, audience: str, now: datetime) -> None:
        """Refuse what is not by ``issuer`` to ``audience`` now.

        :raises UnknownIssuerError, WrongAudienceError, ExpiredError:
        """
        _require(self, issuer, audience, now)


def next_number(last: int, now: datetime) -> int:
    """Return the number of the reply that follows number ``last`` of the same issuer.

    A space whose database was restored has forgotten what it numbered since; the clock has not.
    Counting on from what it remembers would use a number again, and the reply would be lost.
    """
    return max(last + 1, int((now - NUMBERED_FROM).total_seconds()))


def _require(document: Introduction | Reply, issuer: str, audience: str, now: datetime) -> None:
    document.require_issuer(issuer)
    require_audience(document.audience, audience)
    document.require_now(now)


#: What ``POST intro`` takes, by ``typ``.
LETTERS: tuple[type[Introduction], type[Reply]] = (Introduction, Reply)
