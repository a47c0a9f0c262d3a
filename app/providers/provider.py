"""A provider as the operator describes it, whom it vouches for, and what can go wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


class ProviderError(Exception):
    """Nobody comes in this way; ``code`` is for the journal and for tests, and never changes."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class SilentError(ProviderError):
    """No usable answer came; later one may."""


class RefusedError(ProviderError):
    """An answer came, and is not to be believed."""


@dataclass(frozen=True, slots=True)
class Provider:
    """Who is asked, and as whom we ask."""

    key: str
    name: str
    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    scopes: tuple[str, ...] = ("openid", "email")
    membership_claim: str = ""
    confirmed_addresses: bool = True


@dataclass(frozen=True, slots=True)
class Vouched:
    """Whom a provider vouches for, and what of it may be relied on."""

    issuer: str
    subject: str
    email: str = ""
    """An address that the provider says is confirmed; empty otherwise."""

    unconfirmed: bool = False
    """There was an address, which nobody confirmed."""

    membership: str = ""
    """The imported membership id; empty when the provider says none."""

    proved_at: datetime | None = None
    """When they showed the provider who they are; ``None`` when it does not say."""
