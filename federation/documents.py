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

from datetime import date, datetime, timedelta
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

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
    Refs,
    Subject,
    Thumbprint,
    Url,
    Words,
    as_tuple,
)
from federation.envelope import Claims, Dated, Document, require_audience, require_issuer
from federation.errors import (
    ExpiredError,
    WrongAudienceError,
)

#: Audiences that are not one space: anybody, and every approved peer.
PUBLIC, PEERS = "public", "peers"

View = Literal["public", "peers"]
Mode = Literal["paid", "exchange", "pro_bono"]
Unit = Literal["hour", "day", "fixed", "quote"]
Reason = Literal["withdrawn", "left", "moved", "moderated"]
StatedHalf = Literal["none", "requested", "approved", "suspended", "ended"]


class Translation(Claims):
    """Headline and biography of a profile in one further language."""

    lang: Language
    headline: Line = Field(default="", max_length=limits.HEADLINE_CHARACTERS)
    bio: Lines = Field(default="", max_length=limits.BIO_CHARACTERS)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.headline or self.bio):
            raise ValueError("a translation without a text")
        return self


class ServiceTranslation(Claims):
    """Title and description of a service in one further language."""

    lang: Language
    title: Line = Field(default="", max_length=limits.TITLE_CHARACTERS)
    description: Lines = Field(default="", max_length=limits.DESCRIPTION_CHARACTERS)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.title or self.description):
            raise ValueError("a translation without a text")
        return self


Translations = Annotated[tuple[Translation, ...], BeforeValidator(as_tuple)]
ServiceTranslations = Annotated[tuple[ServiceTranslation, ...], BeforeValidator(as_tuple)]


class Service(Claims):
    """One thing that a member can be asked for, and what it costs whom."""

    id: Ref
    """Unique among the member's services; ``{sub}#{id}`` names it everywhere."""

    category: Category = Field(default="", max_length=limits.CATEGORY_CHARACTERS)
    """A code of the shared vocabulary or of somebody's own; unknown codes are kept and shown."""

    label: Line = Field(default="", max_length=limits.LABEL_CHARACTERS)
    """The home space's own word for the category."""

    title: Name = Field(max_length=limits.TITLE_CHARACTERS)
    description: Lines = Field(default="", max_length=limits.DESCRIPTION_CHARACTERS)
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
    languages: Languages = Field(default=(), max_length=limits.LANGUAGES)
    """BCP 47; empty means all that the member speaks."""

    translations: ServiceTranslations = Field(default=(), max_length=limits.TRANSLATIONS)
    """The texts in further languages than the profile's ``locale``."""

    @model_validator(mode="after")
    def _money_has_a_currency(self) -> Self:
        if self.currency is None and (self.rate, self.coworker_rate) != (None, None):
            raise ValueError("a rate needs a currency")
        return self

    def rates_hold(self, day: date) -> bool:
        """Say whether the rates may still be shown on ``day``."""
        return self.valid_until is None or day <= self.valid_until


class Photo(Claims):
    """Where the member's photo is to be had, and by what it is known when it comes."""

    url: Url = Field(alias="url")  # and not "htu", as in an assertion
    """At the issuer's own origin, without query and fragment (checked by :class:`Profile`)."""

    digest: Digest
    """SHA-256 of the bytes."""

    type: Literal["image/jpeg", "image/png", "image/webp"]
    bytes: int = Field(ge=1, le=limits.PHOTO_BYTES)
    size: int = Field(ge=1, le=limits.PHOTO_EDGE)
    """Pixels of each edge of the square."""


Interest = Annotated[Name, Field(max_length=limits.INTEREST_CHARACTERS)]
Interests = Annotated[tuple[Interest, ...], BeforeValidator(as_tuple)]
Services = Annotated[tuple[Service, ...], BeforeValidator(as_tuple)]


class Profile(Dated):
    """A member as their home space presents them to other spaces."""

    typ: ClassVar[str] = "cdf-profile+jwt"
    lifetime: ClassVar[timedelta] = limits.RECORD_LIFETIME

    subject: Subject
    """``{iss}/m/{ref}``; whose it is, is checked by whoever believes the document."""

    revision: int = Field(ge=1, lt=2**53)
    """Rises with every document about the subject, profiles and withdrawals alike."""

    audience: Audience
    """The member's consent: ``public``, ``peers``, or one entity identifier."""

    consent_at: Moment
    """When the member last chose this audience."""

    name: Name = Field(max_length=limits.NAME_CHARACTERS)
    headline: Line = Field(default="", max_length=limits.HEADLINE_CHARACTERS)
    bio: Lines = Field(default="", max_length=limits.BIO_CHARACTERS)
    locale: Language | Literal[""] = ""
    """The language in which the texts are written."""

    languages: Languages = Field(default=(), max_length=limits.LANGUAGES)
    """What the member speaks, best first."""

    location: Line = Field(default="", max_length=limits.LINE_CHARACTERS)
    profession: Line = Field(default="", max_length=limits.LINE_CHARACTERS)
    interests: Interests = Field(default=(), max_length=limits.INTERESTS)
    availability: Line = Field(default="", max_length=limits.LINE_CHARACTERS)
    services: Services = Field(default=(), max_length=limits.SERVICES)
    doors: Words = Field(default=("question", "quote"), max_length=limits.DOORS)
    """What the member may be asked for at all; unknown words do nothing."""

    closed_until: Day | None = None
    """The doors are closed before this day, and open again on it; the profile stays."""

    closed_word: Line = Field(default="", max_length=limits.LINE_CHARACTERS)
    """A word about why."""

    photo: Photo | None = None
    web: Words = Field(default=(), max_length=limits.WEB_FIELDS)
    """The claims that may be shown to visitors who are not signed in; unknown names do nothing."""

    web_services: Refs = Field(default=(), max_length=limits.SERVICES)
    """The ``id`` of services that such visitors may see although ``web`` does not say
    ``services``; unknown ones do nothing. Who does not know this claim shows them none."""

    translations: Translations = Field(default=(), max_length=limits.TRANSLATIONS)
    """Headline and biography in further languages than ``locale``; shown where these are."""

    @model_validator(mode="after")
    def _one_text_in_each_language(self) -> Self:
        everything: list[tuple[Translation, ...] | tuple[ServiceTranslation, ...]]
        everything = [self.translations, *(one.translations for one in self.services)]
        for further in everything:
            if further:
                # Tags differ in more than capitals (RFC 5646 section 2.1.1).
                tags = [one.lang.lower() for one in further]
                if len({self.locale.lower(), *tags}) != len(tags) + 1:
                    raise ValueError("two texts in one language")
        return self

    @model_validator(mode="after")
    def _services_are_told_apart(self) -> Self:
        if len({service.id for service in self.services}) != len(self.services):
            raise ValueError("two services have the same id")
        return self

    @model_validator(mode="after")
    def _photo_is_at_home(self) -> Self:
        # Or a member's space could make every other one call whomever it names.
        at_home = f"{self.issuer.origin}/"
        if self.photo and (not self.photo.url.startswith(at_home) or set("?#") & {*self.photo.url}):
            raise ValueError(f"the photo is not at {self.issuer.origin}")
        return self


class Withdrawal(Dated):
    """The end of a profile: no personal data, kept until no copy of it can be valid."""

    typ: ClassVar[str] = "cdf-withdrawal+jwt"
    lifetime: ClassVar[timedelta] = limits.RECORD_LIFETIME

    subject: Subject
    revision: int = Field(ge=1, lt=2**53)
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

    audience: Entity
    n: int = Field(ge=1, lt=2**53)
    """Rises with every change of the half; see :func:`federation.peering.next_n`."""

    state: StatedHalf
    kid_seen: Thumbprint
    """The root key of the audience that the issuer's admin confirmed."""

    seen_n: int = Field(default=0, ge=0, lt=2**53)
    """The last counter of the audience's that the issuer holds; a smaller one asks for news."""

    scopes: Words = Field(default=("profiles",), max_length=limits.SCOPES)
    note: Lines = Field(default="", max_length=limits.NOTE_CHARACTERS)

    def require(self, issuer: str, audience: str, now: datetime) -> None:
        """Refuse a statement that is not by ``issuer`` to ``audience`` and valid at ``now``.

        :raises UnknownIssuerError, WrongAudienceError, ExpiredError:
        """
        self.require_issuer(issuer)
        require_audience(self.audience, audience)
        self.require_now(now)


class Notice(Document):
    """ "Something changed": no content, so that neither loss nor replay does harm."""

    typ: ClassVar[str] = "cdf-notify+jwt"

    audience: Entity
    epoch: Name = Field(max_length=limits.EPOCH_CHARACTERS)
    seq: int = Field(ge=0, lt=2**53)

    def require(self, issuer: str, audience: str) -> None:
        """Refuse a notice that is not by ``issuer`` to ``audience``.

        :raises UnknownIssuerError, WrongAudienceError:
        """
        require_issuer(self.issuer, issuer)
        require_audience(self.audience, audience)


class Ack(Document):
    """ "My copy of your view equals this root": the receipt for every withdrawal up to ``seq``."""

    typ: ClassVar[str] = "cdf-ack+jwt"

    audience: Entity
    view: View
    epoch: Name = Field(max_length=limits.EPOCH_CHARACTERS)
    seq: int = Field(ge=0, lt=2**53)
    count: int = Field(ge=0, lt=2**53)
    root: Digest
    issued_at: Moment

    def require(self, issuer: str, audience: str, now: datetime) -> None:
        """Refuse an acknowledgement that is not by ``issuer`` to ``audience``, or from tomorrow.

        :raises UnknownIssuerError, WrongAudienceError, ExpiredError:
        """
        require_issuer(self.issuer, issuer)
        require_audience(self.audience, audience)
        if self.issued_at > now + limits.CLOCK_SKEW:
            raise ExpiredError(f"dated {self.issued_at:%Y-%m-%d %H:%M}, which is yet to come")


class Assertion(Dated):
    """Who makes one request (RFC 7523 as bearer token, ``htm`` and ``htu`` of RFC 9449)."""

    typ: ClassVar[str] = "cdf-auth+jwt"
    lifetime: ClassVar[timedelta] = limits.ASSERTION_LIFETIME

    subject: Entity
    audience: Entity
    jti: Ref
    method: Literal["GET", "POST"]
    url: Url
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
        require_issuer(self.subject, issuer)
        require_audience(self.audience, audience)
        if (self.method, self.url) != (method, url.partition("?")[0]):
            raise WrongAudienceError("made for another request")
        self.require_now(now)


#: What a feed may hold, by ``typ``.
RECORDS: tuple[type[Profile], type[Withdrawal]] = (Profile, Withdrawal)
