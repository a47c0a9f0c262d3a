"""What every signed document has in common: who signs it, for whom, from when until when.

The frame of :mod:`federation.documents`. Names are spelled out in Python and short on the wire
(``issuer``/``iss``, ``revision``/``rev``). Claims that are not known are ignored, so that peers
may grow; claims at their default are not sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from federation import limits
from federation.claims import Entity, Moment
from federation.errors import (
    DocumentError,
    ExpiredError,
    UnknownIssuerError,
    WrongAudienceError,
)

#: What is spelled out here and abbreviated on the wire (RFC 7519, RFC 9449).
WIRE_NAMES = {
    "issuer": "iss",
    "subject": "sub",
    "audience": "aud",
    "issued_at": "iat",
    "expires_at": "exp",
    "revision": "rev",
    "method": "htm",
    "url": "htu",
}


def wire_name(name: str) -> str:
    """Return what the field ``name`` is called in JSON."""
    return WIRE_NAMES.get(name, name)


class Claims(BaseModel):
    """Claims of a document, or of a part of one."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="ignore",
        allow_inf_nan=False,
        validate_by_name=True,
        validate_by_alias=True,
        alias_generator=wire_name,
    )


class Document(Claims):
    """What every signed document has: a type and somebody who signs it."""

    typ: ClassVar[str]
    """The ``typ`` of the JOSE header; nothing else is accepted where this document belongs."""

    max_bytes: ClassVar[int] = limits.JWS_BYTES
    """Characters of the whole compact JWS."""

    issuer: Entity

    def to_claims(self) -> dict[str, Any]:
        """Return the claims to be signed: plain JSON values, nothing at its default."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    @classmethod
    def from_claims(cls, claims: Mapping[str, Any]) -> Self:
        """Read verified claims; those that are not known are ignored, so that peers may grow.

        :raises DocumentError: naming the first claim that is missing or not what it must be.
        """
        known = _wire_names(cls)
        wire = {name: value for name, value in claims.items() if name in known}
        try:
            return cls.model_validate(wire)
        except ValidationError as error:
            raise DocumentError(_sentence(error)) from error


class Dated(Document):
    """A document with a beginning and an end, of which the second follows the first."""

    lifetime: ClassVar[timedelta]
    """The longest time from ``iat`` to ``exp``."""

    issued_at: Moment
    expires_at: Moment

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.issued_at < self.expires_at <= self.issued_at + self.lifetime:
            raise ValueError(f"exp must follow iat by at most {self.lifetime}")
        return self

    def require_now(self, now: datetime) -> None:
        """Refuse a document whose time has passed, or has not come.

        :raises ExpiredError: ``exp`` is not after ``now``, or ``iat`` is ahead of it by more than
            ``limits.CLOCK_SKEW``.
        """
        if self.issued_at > now + limits.CLOCK_SKEW:
            raise ExpiredError(f"dated {self.issued_at:%Y-%m-%d %H:%M}, which is yet to come")
        if self.expires_at <= now:
            raise ExpiredError(f"expired on {self.expires_at:%Y-%m-%d %H:%M}")

    def require_issuer(self, issuer: str) -> None:
        """Refuse a document that is not by ``issuer``.

        :raises UnknownIssuerError: signed with the right key and the wrong name.
        """
        require_issuer(self.issuer, issuer)


@cache
def _wire_names(kind: type[Document]) -> frozenset[str]:
    # A peer that writes "issuer" for "iss" has not written "iss".
    return frozenset(wire_name(name) for name in kind.model_fields)


def moment(value: datetime) -> datetime:
    """Return ``value`` as documents carry it: UTC, whole seconds, the rest cut off."""
    return value.astimezone(UTC).replace(microsecond=0)


def require_issuer(issuer: str, expected: str) -> None:
    if issuer != expected:
        raise UnknownIssuerError(f"by {issuer}, where {expected} was expected")


def require_audience(audience: str, expected: str) -> None:
    if audience != expected:
        raise WrongAudienceError(f"meant for {audience}")


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]
