"""The documents two spaces exchange, as immutable values.

Nothing here signs, fetches, stores or knows the time. A document is built from our own directory
(:class:`pydantic.ValidationError`, a ``ValueError``, when it is not fit to be signed), or by
``from_claims`` from claims whose signature was already checked (:class:`DocumentError`); from
then on it can be trusted to be well formed. Whether it may be *believed* - is it by whom we
expect, for us, in time, newer - is the business of the ``require`` methods and of
:mod:`federation.replica`.

Names are spelled out in Python and short on the wire (``issuer``/``iss``, ``revision``/``rev``).
Moments are aware datetimes in UTC here, whole seconds since 1970 there (NumericDate, RFC 7519);
money is ``Decimal`` here, a string such as ``"45.50"`` there, so that no float is ever between.
Claims that are not known are ignored; claims at their default are not sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from federation import limits
from federation.claims import (
    Audience,
    Category,
    Currency,
    Day,
    Digest,
    Entity,
    Language,
    Languages,
    Line,
    Lines,
    Moment,
    Money,
    Name,
    Ref,
    Subject,
    Thumbprint,
    Url,
    Words,
    as_tuple,
)
from federation.errors import (
    DocumentError,
    ExpiredError,
    UnknownIssuerError,
    WrongAudienceError,
)

#: Audiences that are not one space: anybody, and every approved peer.
PUBLIC, PEERS = "public", "peers"

View = Literal["public", "peers"]
Mode = Literal["paid", "exchange", "pro_bono"]
Unit = Literal["hour", "day", "fixed", "quote"]
Reason = Literal["withdrawn", "left", "moved", "moderated"]
StatedHalf = Literal["approved", "suspended", "ended"]


class Claims(BaseModel):
    """Claims of a document, or of a part of one."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="ignore",
        allow_inf_nan=False,
        validate_by_name=True,
        validate_by_alias=True,
        validate_default=False,
    )


class Document(Claims):
    """What every signed document has: a type and somebody who signs it."""

    typ: ClassVar[str]
    """The ``typ`` of the JOSE header; nothing else is accepted where this document belongs."""

    max_bytes: ClassVar[int] = limits.JWS_BYTES
    """Characters of the whole compact JWS."""

    issuer: Entity = Field(alias="iss")

    def to_claims(self) -> dict[str, Any]:
        """Return the claims to be signed: plain JSON values, nothing at its default."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    @classmethod
    def from_claims(cls, claims: Mapping[str, Any]) -> Self:
        """Read verified claims; those that are not known are ignored, so that peers may grow.

        :raises DocumentError: naming the first claim that is missing or not what it must be.
        """
        wire = {name: value for name, value in claims.items() if name in cls._wire_names()}
        try:
            return cls.model_validate(wire)
        except ValidationError as error:
            raise DocumentError(_sentence(error)) from error

    @classmethod
    def _wire_names(cls) -> frozenset[str]:
        # A peer that writes "issuer" for "iss" has not written "iss".
        return frozenset(field.alias or name for name, field in cls.model_fields.items())


class Dated(Document):
    """A document with a beginning and an end, of which the second follows the first."""

    lifetime: ClassVar[timedelta]
    """The longest time from ``iat`` to ``exp``."""

    issued_at: Moment = Field(alias="iat")
    expires_at: Moment = Field(alias="exp")

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
        _require_issuer(self.issuer, issuer)


class Service(Claims):
    """One thing that a member can be asked for, and what it costs whom."""

    id: Ref
    """Unique among the member's services; ``{sub}#{id}`` names it everywhere."""

    category: Category = Field("", max_length=limits.CATEGORY_CHARACTERS)
    """A code of the shared vocabulary or of somebody's own; unknown codes are kept and shown."""

    label: Line = Field("", max_length=limits.LABEL_CHARACTERS)
    """The home space's own word for the category."""

    title: Name = Field(max_length=limits.TITLE_CHARACTERS)
    description: Lines = Field("", max_length=limits.DESCRIPTION_CHARACTERS)
    mode: Mode
    rate: Money | None = None
    """What everybody pays, in ``currency`` per ``unit``."""

    coworker_rate: Money | None = None
    """What members of neighbouring spaces pay."""

    currency: Currency | None = None
    """ISO 4217; there must be one when there is a rate."""

    unit: Unit = "hour"
    valid_until: Day | None = None
    """The last day on which the rates hold."""

    remote: bool = False
    languages: Languages = Field((), max_length=limits.LANGUAGES)
    """BCP 47; empty means all that the member speaks."""

    @model_validator(mode="after")
    def _money_has_a_currency(self) -> Self:
        if self.currency is None and (self.rate, self.coworker_rate) != (None, None):
            raise ValueError("a rate needs a currency")
        return self

    def rates_hold(self, day: date) -> bool:
        """Say whether the rates may still be shown on ``day``."""
        return self.valid_until is None or day <= self.valid_until


Interest = Annotated[Name, Field(max_length=limits.INTEREST_CHARACTERS)]
Interests = Annotated[tuple[Interest, ...], BeforeValidator(as_tuple)]
Services = Annotated[tuple[Service, ...], BeforeValidator(as_tuple)]


class Profile(Dated):
    """A member as their home space presents them to other spaces."""

    typ: ClassVar[str] = "cdf-profile+jwt"
    lifetime: ClassVar[timedelta] = limits.RECORD_LIFETIME

    subject: Subject = Field(alias="sub")
    """``{iss}/m/{ref}``; whose it is, is checked by whoever believes the document."""

    revision: int = Field(alias="rev", ge=1, lt=2**53)
    """Rises with every document about the subject, profiles and withdrawals alike."""

    audience: Audience = Field(alias="aud")
    """The member's consent: ``public``, ``peers``, or one entity identifier."""

    consent_at: Moment
    """When the member last chose this audience."""

    name: Name = Field(max_length=limits.NAME_CHARACTERS)
    headline: Line = Field("", max_length=limits.HEADLINE_CHARACTERS)
    bio: Lines = Field("", max_length=limits.BIO_CHARACTERS)
    locale: Language | Literal[""] = ""
    """The language in which the texts are written."""

    languages: Languages = Field((), max_length=limits.LANGUAGES)
    """What the member speaks, best first."""

    location: Line = Field("", max_length=limits.LINE_CHARACTERS)
    profession: Line = Field("", max_length=limits.LINE_CHARACTERS)
    interests: Interests = Field((), max_length=limits.INTERESTS)
    availability: Line = Field("", max_length=limits.LINE_CHARACTERS)
    services: Services = Field((), max_length=limits.SERVICES)
    web: Words = Field((), max_length=limits.WEB_FIELDS)
    """The claims that may be shown to visitors who are not signed in; unknown names do nothing."""

    @model_validator(mode="after")
    def _services_are_told_apart(self) -> Self:
        if len({service.id for service in self.services}) != len(self.services):
            raise ValueError("two services have the same id")
        return self


class Withdrawal(Dated):
    """The end of a profile: no personal data, kept until no copy of it can be valid."""

    typ: ClassVar[str] = "cdf-withdrawal+jwt"
    lifetime: ClassVar[timedelta] = limits.RECORD_LIFETIME

    subject: Subject = Field(alias="sub")
    revision: int = Field(alias="rev", ge=1, lt=2**53)
    reason: Reason


class Checkpoint(Dated):
    """A space's statement about the whole of a view: how many records, under which root."""

    typ: ClassVar[str] = "cdf-checkpoint+jwt"
    lifetime: ClassVar[timedelta] = limits.CHECKPOINT_LIFETIME

    view: View
    epoch: Name = Field(max_length=limits.EPOCH_CHARACTERS)
    seq: int = Field(ge=0, lt=2**53)
    """The last position in the feed that the root covers."""

    count: int = Field(ge=0, lt=2**53)
    root: Digest
    """Hexadecimal, see :func:`federation.tree.root`."""


class PeeringStatement(Dated):
    """One space's half of a peering, whole; a later one replaces it. Signed by the root key."""

    typ: ClassVar[str] = "cdf-peering+jwt"
    lifetime: ClassVar[timedelta] = limits.STATEMENT_LIFETIME

    audience: Entity = Field(alias="aud")
    n: int = Field(ge=1, lt=2**53)
    """Rises with every change of the half; see :func:`federation.peering.next_n`."""

    state: StatedHalf
    kid_seen: Thumbprint
    """The root key of the audience that the issuer's admin confirmed."""

    seen_n: int = Field(default=0, ge=0, lt=2**53)
    """The last counter of the audience's that the issuer holds; a smaller one asks for news."""

    scopes: Words = Field(("profiles",), max_length=limits.SCOPES)
    note: Lines = Field("", max_length=limits.NOTE_CHARACTERS)

    def require(self, issuer: str, audience: str, now: datetime) -> None:
        """Refuse a statement that is not by ``issuer`` to ``audience`` and valid at ``now``.

        :raises UnknownIssuerError, WrongAudienceError, ExpiredError:
        """
        self.require_issuer(issuer)
        _require_audience(self.audience, audience)
        self.require_now(now)


class Notice(Document):
    """ "Something changed": no content, so that neither loss nor replay does harm."""

    typ: ClassVar[str] = "cdf-notify+jwt"

    audience: Entity = Field(alias="aud")
    epoch: Name = Field(max_length=limits.EPOCH_CHARACTERS)
    seq: int = Field(ge=0, lt=2**53)

    def require(self, issuer: str, audience: str) -> None:
        """Refuse a notice that is not by ``issuer`` to ``audience``.

        :raises UnknownIssuerError, WrongAudienceError:
        """
        _require_issuer(self.issuer, issuer)
        _require_audience(self.audience, audience)


class Ack(Document):
    """ "My copy of your view equals this root": the receipt for every withdrawal up to ``seq``."""

    typ: ClassVar[str] = "cdf-ack+jwt"

    audience: Entity = Field(alias="aud")
    view: View
    epoch: Name = Field(max_length=limits.EPOCH_CHARACTERS)
    seq: int = Field(ge=0, lt=2**53)
    count: int = Field(ge=0, lt=2**53)
    root: Digest
    issued_at: Moment = Field(alias="iat")

    def require(self, issuer: str, audience: str, now: datetime) -> None:
        """Refuse an acknowledgement that is not by ``issuer`` to ``audience``, or from tomorrow.

        :raises UnknownIssuerError, WrongAudienceError, ExpiredError:
        """
        _require_issuer(self.issuer, issuer)
        _require_audience(self.audience, audience)
        if self.issued_at > now + limits.CLOCK_SKEW:
            raise ExpiredError(f"dated {self.issued_at:%Y-%m-%d %H:%M}, which is yet to come")


class Assertion(Dated):
    """Who makes one request (RFC 7523 as bearer token, ``htm`` and ``htu`` of RFC 9449)."""

    typ: ClassVar[str] = "cdf-auth+jwt"
    lifetime: ClassVar[timedelta] = limits.ASSERTION_LIFETIME

    subject: Entity = Field(alias="sub")
    audience: Entity = Field(alias="aud")
    jti: Ref
    method: Literal["GET", "POST"] = Field(alias="htm")
    url: Url = Field(alias="htu")
    """The URL that is called, without query and fragment."""

    @classmethod
    def of(cls, issuer: str, audience: str, method: str, url: str, jti: str, now: datetime) -> Self:
        """Return the assertion for one request of ``issuer`` to ``audience``.

        :param url: may carry a query; it is not covered.
        :param jti: never used before, e.g. ``secrets.token_urlsafe(16)``.
        """
        return cls.model_validate(
            {
                "iss": issuer,
                "sub": issuer,
                "aud": audience,
                "iat": now,
                "exp": now + limits.ASSERTION_LIFETIME,
                "jti": jti,
                "htm": method,
                "htu": url.partition("?")[0],
            }
        )

    def require(self, issuer: str, audience: str, method: str, url: str, now: datetime) -> None:
        """Refuse an assertion for any other request; the caller remembers ``jti`` until ``exp``.

        :raises UnknownIssuerError, WrongAudienceError, ExpiredError:
        """
        self.require_issuer(issuer)
        _require_issuer(self.subject, issuer)
        _require_audience(self.audience, audience)
        if (self.method, self.url) != (method, url.partition("?")[0]):
            raise WrongAudienceError("made for another request")
        self.require_now(now)


#: What a feed may hold, by ``typ``.
RECORDS: tuple[type[Profile], type[Withdrawal]] = (Profile, Withdrawal)


def moment(value: datetime) -> datetime:
    """Return ``value`` as documents carry it: UTC, whole seconds, the rest cut off."""
    return value.astimezone(UTC).replace(microsecond=0)


def _require_issuer(issuer: str, expected: str) -> None:
    if issuer != expected:
        raise UnknownIssuerError(f"by {issuer}, where {expected} was expected")


def _require_audience(audience: str, expected: str) -> None:
    if audience != expected:
        raise WrongAudienceError(f"meant for {audience}")


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]
