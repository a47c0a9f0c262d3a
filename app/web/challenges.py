"""The challenges that browsers are given for passkeys: good in one browser, once, not for long.

Nothing is kept of a challenge that nobody answers, so that looking at the sign-in page writes
nothing: it carries, under our signature, for which browser and until when it is good. Of one that
was answered, rightly or not, a digest is kept until then.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, timedelta

from flask import current_app, g, session
from itsdangerous import BadSignature, URLSafeSerializer

from app.database import db
from app.models.passkey import spend

#: How long somebody may take to find their telephone (WebAuthn Level 3, section 15.1, gives five
#: to ten minutes).
LIFETIME = timedelta(minutes=10)

#: Cookie field: the secret of this browser to which its challenges are bound.
_BROWSER = "challenged"

#: What a challenge may be for.
ADDING, COMING_IN = "adding", "coming in"


class ChallengeError(Exception):
    """The challenge is not good; ``reason`` is ``foreign``, ``expired`` or ``answered``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def issue(purpose: str) -> bytes:
    """Return a challenge for the current browser, which gets a cookie if it has none."""
    if _BROWSER not in session:
        session[_BROWSER] = secrets.token_urlsafe(16)
    until = int((g.now + LIFETIME).timestamp())
    # Random too (section 13.4.3): two questions in one second differ.
    return _signer(purpose).dumps([_browser(), until, secrets.token_urlsafe(16)]).encode()


def redeem(challenge: bytes, purpose: str) -> None:
    """Use ``challenge`` up; the caller commits, also when the answer turns out to be wrong.

    :raises ChallengeError: not given to this browser for this purpose, too old, or used before.
    """
    try:
        browser, until, _random = _signer(purpose).loads(challenge)
    except BadSignature:
        raise ChallengeError("foreign") from None
    if not secrets.compare_digest(browser, _browser()):
        raise ChallengeError("foreign")
    expires_at = datetime.fromtimestamp(until, UTC)
    if expires_at <= g.now:
        raise ChallengeError("expired")
    if not spend(db.session(), challenge, expires_at):
        raise ChallengeError("answered")


def _browser() -> str:
    """Return by which challenges name the current browser; the page sees no secret."""
    return hashlib.sha256(session.get(_BROWSER, "").encode()).hexdigest()[:32]


def _signer(purpose: str) -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt=f"passkey, {purpose}")
