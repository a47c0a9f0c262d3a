"""The people of this space, and the services they offer."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Numeric, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.models.base import Base, Moment, Opaque, new_id

if TYPE_CHECKING:
    from app.models.account import Account

#: Who may see a profile, from the narrowest circle to the widest.
ME, SPACE, NEIGHBOURS, WEB = "me", "space", "neighbours", "web"
AUDIENCES = (ME, SPACE, NEIGHBOURS, WEB)

PAID, EXCHANGE, PRO_BONO = "paid", "exchange", "pro_bono"
MODES = (PAID, EXCHANGE, PRO_BONO)

HOUR, DAY, FIXED, QUOTE = "hour", "day", "fixed", "quote"
UNITS = (HOUR, DAY, FIXED, QUOTE)


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

    languages: Mapped[list[str]] = mapped_column(JSON, default=list)
    """What the member speaks (BCP 47), best first."""

    interests: Mapped[list[str]] = mapped_column(JSON, default=list)
    availability: Mapped[str] = mapped_column(String(160), default="")
    audience: Mapped[str] = mapped_column(String(10), default=ME)
    """Who may see the profile; only the member themselves until they say otherwise."""

    consent_at: Mapped[datetime | None] = mapped_column(Moment)
    """When the member last chose to be seen by neighbours or the web."""

    revision: Mapped[int] = mapped_column(default=0)
    """Number of documents signed about this member so far; rises, never falls."""

    photo: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """What is signed of the member's photo (digest, type, bytes, size); empty when there is none.
    The picture itself is a row of ``Photo``, which lists of people need not read."""

    left_at: Mapped[datetime | None] = mapped_column(Moment)
    """When the membership ended; a former member is shown to nobody."""

    hidden_at: Mapped[datetime | None] = mapped_column(Moment)
    """Since when an admin shows the profile to nobody but the member; the choice stays theirs."""

    imported: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """What imported lists last said, as digests: so that a list never undoes a member's edit."""

    created_at: Mapped[datetime] = mapped_column(Moment)
    updated_at: Mapped[datetime] = mapped_column(Moment)

    services: Mapped[list[Service]] = relationship(
        back_populates="member", order_by="Service.position", cascade="all, delete-orphan"
    )
    account: Mapped[Account | None] = relationship(back_populates="member")

    @property
    def listed_here(self) -> bool:
        """True when the other members of this space may see the profile."""
        return self.audience != ME and self.left_at is None

    @property
    def listed_elsewhere(self) -> bool:
        """True when the member agreed to be found from other spaces."""
        return self.audience in (NEIGHBOURS, WEB) and self.left_at is None

    @property
    def on_the_web(self) -> bool:
        """True when visitors who are not signed in may see the profile."""
        return self.audience == WEB and self.left_at is None

    def show_to(self, audience: str, now: datetime) -> None:
        """Choose who sees the profile; a wider circle is a new, dated consent.

        :raises ValueError: not one of :data:`AUDIENCES`.
        """
        if audience not in AUDIENCES:
            raise ValueError(f"unknown audience {audience!r}")
        if audience in (NEIGHBOURS, WEB) and audience != self.audience:
            self.consent_at = now
        self.audience = audience


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
    languages: Mapped[list[str]] = mapped_column(JSON, default=list)
    """Languages this service is given in (BCP 47); empty means all that the member speaks."""

    member: Mapped[Member] = relationship(back_populates="services")
