"""This space itself: what is written on its door."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, Numeric, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Moment

#: The five colours a plaque may have.
ENAMELS = ("blue", "green", "oxblood", "teal", "slate")


class Space(Base):
    """The one row that says who we are; there is none before the space is set up."""

    __tablename__ = "space"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    url: Mapped[str] = mapped_column(String(255))
    """The entity identifier, e.g. ``https://lyon.example``: our name for peers, never changed."""

    name: Mapped[str] = mapped_column(String(80))
    city: Mapped[str] = mapped_column(String(80))
    country: Mapped[str] = mapped_column(String(2))
    """ISO 3166-1 alpha-2, upper case."""

    latitude: Mapped[float | None] = mapped_column(Numeric(8, 5, asdecimal=False))
    longitude: Mapped[float | None] = mapped_column(Numeric(8, 5, asdecimal=False))
    street: Mapped[str] = mapped_column(String(160), default="")
    line: Mapped[str] = mapped_column(String(140), default="")
    """The space in one sentence."""

    enamel: Mapped[str] = mapped_column(String(8), default="blue")
    languages: Mapped[list[str]] = mapped_column(JSON, default=list)
    """BCP 47 tags, the language of its pages by default first."""

    labels: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    """The space's own words for specialities: the code of the shared vocabulary by the word."""

    contact: Mapped[str] = mapped_column(String(254), default="")
    """Where an operator of another space may write; empty when the space prefers not to say."""

    policy_url: Mapped[str] = mapped_column(String(255), default="")
    created_at: Mapped[datetime] = mapped_column(Moment)
