"""The people of this space, and the services they offer.

A member is shown block by block, each to a circle of its own; see :meth:`Member.circle_of`. Name
and photo go as far as the widest block, and no block goes further than they do.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Numeric,
    String,
    Text,
    UniqueConstraint,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, Moment, Opaque, new_id
from app.models.consent import BY_MEMBER, DETAIL_CHARACTERS, Consent, standing
from app.models.translations import languages_in

if TYPE_CHECKING:
    from app.models.account import Account

#: Who may see a profile, from the narrowest circle to the widest.
ME, SPACE, NEIGHBOURS, WEB = "me", "space", "neighbours", "web"
AUDIENCES = (ME, SPACE, NEIGHBOURS, WEB)

#: The blocks of a profile that have a circle each. Services are blocks as well, each by itself.
NAME, WORDS, WORK, LANGUAGES, INTERESTS, AVAILABILITY = (
    "name",
    "words",
    "work",
    "languages",
    "interests",
    "availability",
)
#: Those that a member chooses for: name and photo go as far as the widest of them.
BLOCKS = (WORDS, WORK, LANGUAGES, INTERESTS, AVAILABILITY)

#: What each block says, by the names of columns and claims.
FIELDS_OF: Mapping[str, tuple[str, ...]] = {
    NAME: ("name", "photo"),
    WORDS: ("headline", "bio"),
    WORK: ("profession", "location"),
    LANGUAGES: ("languages",),
    INTERESTS: ("interests",),
    AVAILABILITY: ("availability",),
}

PAID, EXCHANGE, PRO_BONO = "paid", "exchange", "pro_bono"
MODES = (PAID, EXCHANGE, PRO_BONO)

HOUR, DAY, FIXED, QUOTE = "hour", "day", "fixed", "quote"
UNITS = (HOUR, DAY, FIXED, QUOTE)


#: The two doors of a profile: a quick question, and a request for a quote.
QUESTION, QUOTE_DOOR = "question", "quote"
DOORS = (QUESTION, QUOTE_DOOR)


class Member(Base):
    """Somebody who coworks here, as they present themselves."""

    __tablename__ = "member"
    __table_args__ = (
        CheckConstraint("audience IN ('me', 'space', 'neighbours', 'web')", name="audience"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ref: Mapped[str] = mapped_column(Opaque, unique=True, default=new_id)
    """Opaque and never reused; ``{space}/m/{ref}`` is the subject of what we sign."""

    external_id: Mapped[str | None] = mapped_column(String(120), unique=True)
    """The identifier in the list that the member was imported from, if there was one."""

    name: Mapped[str] = mapped_column(String(120))
    headline: Mapped[str] = mapped_column(String(160), default="")
    bio: Mapped[str] = mapped_column(Text, default="")
    profession: Mapped[str] = mapped_column(String(120), default="")
    location: Mapped[str] = mapped_column(String(120), default="")
    locale: Mapped[str] = mapped_column(String(12), default="")
    """The language these texts are written in (BCP 47)."""

    translations: Mapped[list[dict[str, str]]] = mapped_column(
        JSON, default=list, server_default="[]"
    )
    """``headline`` and ``bio`` in further languages, each with its ``lang``; a part of the block
    that these are in. See :mod:`app.models.translations`."""

    languages: Mapped[list[str]] = mapped_column(JSON, default=list)
    """What the member speaks (BCP 47), best first."""

    interests: Mapped[list[str]] = mapped_column(JSON, default=list)
    availability: Mapped[str] = mapped_column(String(160), default="")
    audience: Mapped[str] = mapped_column(String(10), default=ME)
    """How far the widest block goes, and name and photo with it: what is never gone beyond.
    Only the member themselves until they say otherwise."""

    usual_audience: Mapped[str] = mapped_column(String(10), default="")
    """Who may see a block for which nothing else is said; empty: as far as ``audience``."""

    block_audiences: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    """The circles of blocks that have one of their own."""

    consent_at: Mapped[datetime | None] = mapped_column(Moment)
    """When the member agreed to what is signed about them: the day of the consent log on which
    something first went as far as ``audience``; kept while nothing goes beyond this space."""

    revision: Mapped[int] = mapped_column(default=0)
    """Number of documents signed about this member so far; rises, never falls."""

    takes_questions: Mapped[bool] = mapped_column(default=True, server_default=true())
    takes_quotes: Mapped[bool] = mapped_column(default=True, server_default=true())
    """Which of the two doors there are at all."""

    closed_until: Mapped[date | None]
    """Both doors are closed before this day, and open again on it by themselves."""

    closed_word: Mapped[str] = mapped_column(String(160), default="", server_default="")
    """A word about why, shown beside the day."""

    photo: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """What is signed of the member's photo (digest, type, bytes, size); empty when there is none.
    The picture itself is a row of ``Photo``, which lists of people need not read."""

    left_at: Mapped[datetime | None] = mapped_column(Moment)
    """When the membership ended; a former member is shown to nobody."""

    hidden_at: Mapped[datetime | None] = mapped_column(Moment)
    """Since when an admin shows the profile to nobody but the member; the choice stays theirs."""

    confirmed_at: Mapped[datetime | None] = mapped_column(Moment)
    """When the member last said that all of it is still true; saving says so as well."""

    resting_at: Mapped[datetime | None] = mapped_column(Moment)
    """Since when nothing of it goes to other spaces, because the member did not answer whether it
    is still true; the choice stays theirs."""

    imported: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """What imported lists last said, as digests: so that a list never undoes a member's edit."""

    created_at: Mapped[datetime] = mapped_column(Moment)
    updated_at: Mapped[datetime] = mapped_column(Moment)

    services: Mapped[list[Service]] = relationship(
        back_populates="member", order_by="Service.position", cascade="all, delete-orphan"
    )
    account: Mapped[Account | None] = relationship(back_populates="member")
    consents: Mapped[list[Consent]] = relationship(
        order_by="Consent.id", cascade="all, delete-orphan", passive_deletes=True
    )
    """The log, the oldest line first; nothing in it is ever changed."""

    @property
    def doors(self) -> tuple[str, ...]:
        """The doors that there are, open or not: :data:`QUESTION` and :data:`QUOTE`."""
        # A member who was never saved has neither said yes nor no.
        chosen = ((QUESTION, self.takes_questions), (QUOTE_DOOR, self.takes_quotes))
        return tuple(door for door, taken in chosen if taken is not False)

    def closed_on(self, day: date) -> bool:
        """Say whether the doors are closed on ``day``; on ``closed_until`` they are open again."""
        return self.closed_until is not None and day < self.closed_until

    @property
    def listed_here(self) -> bool:
        """True when the other members of this space may see the profile."""
        return self.audience != ME and self._may_be_shown

    @property
    def listed_elsewhere(self) -> bool:
        """True when the member agreed to be found from other spaces, and may be just now."""
        return self._shared and self._may_be_shown and self.resting_at is None

    @property
    def true_at(self) -> datetime:
        """The day of the last word about the profile: it was changed, or confirmed."""
        return max(filter(None, (self.confirmed_at, self.updated_at)))

    @property
    def _shared(self) -> bool:
        return self.audience in (NEIGHBOURS, WEB)

    @property
    def on_the_web(self) -> bool:
        """True when visitors who are not signed in may see the profile."""
        return self.audience == WEB and self._may_be_shown

    @property
    def _may_be_shown(self) -> bool:
        return self.left_at is None and self.hidden_at is None

    @property
    def usual(self) -> str:
        """The circle of blocks for which the member said nothing else."""
        return narrower(self.usual_audience or self._widest, self._widest)

    @property
    def _widest(self) -> str:
        return self.audience or ME

    @property
    def further_languages(self) -> list[str]:
        """The languages of texts beside those in ``locale``, also of services."""
        services = (service.translations or () for service in self.services)
        return languages_in((self.translations or (), *services))

    def circle_of(self, block: str | Service) -> str:
        """Return who may see ``block``, one of :data:`FIELDS_OF` or a service of the member's."""
        if block == NAME:
            return self._widest
        own = block.audience if isinstance(block, Service) else self._own_circles.get(block)
        return narrower(own or self.usual, self._widest)

    @property
    def _own_circles(self) -> dict[str, str]:
        return self.block_audiences or {}

    def show_to(
        self, audience: str, now: datetime, *, by: str = BY_MEMBER, detail: str = ""
    ) -> None:
        """Show everything to ``audience``, but what is kept narrower to no more than before.

        :param by: whose word that is.
        :raises ValueError: not one of :data:`AUDIENCES`.
        """
        # To fewer people than the widest block: what is usual may go less far than that already.
        usual = narrower(self.usual, audience) if reaches(self._widest, audience) else audience
        self.present(
            usual,
            {
                block: narrower(circle, audience)
                for block, circle in self._own_circles.items()
                if block in BLOCKS
            },
            now,
            by=by,
            detail=detail,
            widest=audience,
        )

    def present(
        self,
        usual: str,
        blocks: Mapping[str, str],
        now: datetime,
        *,
        by: str = BY_MEMBER,
        detail: str = "",
        widest: str = WEB,
    ) -> None:
        """Choose who sees which block; services say it themselves, in ``Service.audience``.

        What goes to neighbours or the web for the first time is a new, dated consent; what does
        not any more takes it back. Both stand in the log.

        :param usual: the circle of every block that is not in ``blocks``.
        :param widest: what no service may go beyond.
        :raises ValueError: an unknown circle or block.
        """
        for circle in (usual, *blocks.values()):
            if circle not in AUDIENCES:
                raise ValueError(f"unknown audience {circle!r}")
        if unknown := set(blocks) - set(BLOCKS):
            raise ValueError(f"unknown blocks {sorted(unknown)}")
        self.usual_audience = usual
        self.block_audiences = {
            block: circle for block, circle in sorted(blocks.items()) if circle != usual
        }
        for service in self.services:
            own = narrower(service.audience, widest) if service.audience else ""
            service.audience = "" if own == usual else own
        self.audience = max(
            [self.block_audiences.get(block, usual) for block in BLOCKS]
            + [service.audience or usual for service in self.services],
            key=AUDIENCES.index,
        )
        self.write_consents(now, by=by, detail=detail)

    def settle(self, now: datetime, *, by: str = BY_MEMBER, detail: str = "") -> None:
        """Follow a change of the services or of the membership; nobody's circle changes."""
        self.present(self.usual, self._own_circles, now, by=by, detail=detail)

    def write_consents(self, now: datetime, *, by: str = BY_MEMBER, detail: str = "") -> None:
        """Write into the log in what it differs from who may see what now."""
        for circle in (NEIGHBOURS, WEB):
            agreed, shown = standing(self.consents, circle), self.blocks_shown_to(circle)
            for block in [one for one in agreed if one not in shown]:
                self._write_consent(now, circle, block, by, detail, given=False)
            for block in [one for one in shown if one not in agreed]:
                self._write_consent(now, circle, block, by, detail, given=True)
        if self.listed_elsewhere or self.hidden_at or (self._shared and self.resting_at):
            self.consent_at = standing(self.consents, self.audience).get(NAME, self.consent_at)

    def blocks_shown_to(self, circle: str) -> list[str]:
        """Return the blocks that ``circle`` may see, as the log of consents names them.

        An admin who hides somebody changes nothing about what that person agreed to.
        """
        if self.left_at is not None:
            return []
        shown = [block for block in (NAME, *BLOCKS) if reaches(self.circle_of(block), circle)]
        for service in self.services:
            if reaches(self.circle_of(service), circle):
                service.ref = service.ref or new_id()
                shown.append(f"service:{service.ref}")
        return shown

    def _write_consent(
        self, now: datetime, circle: str, block: str, by: str, detail: str, *, given: bool
    ) -> None:
        self.consents.append(
            Consent(
                at=now, circle=circle, block=block, given=given, said_by=by,
                detail=detail[:DETAIL_CHARACTERS],
            )
        )  # fmt: skip


class Service(Base):
    """One thing a member can be asked for, and what it costs whom."""

    __tablename__ = "service"
    __table_args__ = (
        UniqueConstraint("member_id", "ref"),
        CheckConstraint("mode IN ('paid', 'exchange', 'pro_bono')", name="mode"),
        CheckConstraint("unit IN ('hour', 'day', 'fixed', 'quote')", name="unit"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id", ondelete="CASCADE"), index=True)
    ref: Mapped[str] = mapped_column(String(26), default=new_id)
    """The part behind ``#`` in the service's identifier; unique for the member."""

    position: Mapped[int] = mapped_column(default=0)
    title: Mapped[str] = mapped_column(String(120))
    description: Mapped[str] = mapped_column(Text, default="")
    speciality: Mapped[str] = mapped_column(String(60), default="", index=True)
    """A code of the shared vocabulary, or one that we do not know; empty when none fits."""

    speciality_label: Mapped[str] = mapped_column(String(80), default="")
    """This space's own word for the speciality, when the shared list has none as good."""

    mode: Mapped[str] = mapped_column(String(8), default=PAID)
    rate: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    """What everybody pays, in ``currency`` per ``unit``."""

    coworker_rate: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    """What members of this and of neighbouring spaces pay."""

    currency: Mapped[str] = mapped_column(String(3), default="EUR")
    """ISO 4217."""

    unit: Mapped[str] = mapped_column(String(5), default=HOUR)
    valid_until: Mapped[date | None]
    """The last day on which the rates hold; afterwards they are not shown."""

    remote: Mapped[bool] = mapped_column(default=False)
    audience: Mapped[str] = mapped_column(String(10), default="")
    """Who may see this service; empty: as the member's ``usual_audience`` says."""

    languages: Mapped[list[str]] = mapped_column(JSON, default=list)
    """Languages this service is given in (BCP 47); empty means all that the member speaks."""

    translations: Mapped[list[dict[str, str]]] = mapped_column(
        JSON, default=list, server_default="[]"
    )
    """``title`` and ``description`` in further languages, seen by whoever sees the service."""

    member: Mapped[Member] = relationship(back_populates="services")


def reaches(audience: str, circle: str) -> bool:
    """Tell whether what is shown to ``audience`` is shown to ``circle``."""
    return AUDIENCES.index(audience) >= AUDIENCES.index(circle)


def narrower(one: str, other: str) -> str:
    """Return the smaller of two circles."""
    return min(one, other, key=AUDIENCES.index)
