"""The way to a provider and back: the authorization code flow with PKCE.

OpenID Connect Core 1.0 section 3.1, RFC 7636 (S256 only), RFC 9207, and RFC 9700 for what others
try in between. The caller keeps ``state``, nonce and verifier, each good for one way.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from authlib.oauth2.base import OAuth2Error
from authlib.oauth2.client import OAuth2Client

from app.models.provider import Departure, Way
from app.providers import id_tokens
from app.providers.id_tokens import Expected
from app.providers.line import Line
from app.providers.provider import RefusedError, SilentError, Vouched
from app.providers.published import Metadata, Published
from federation import strict_json
from federation.errors import FederationError

#: Bytes of an answer with tokens, and of what a provider says about a person.
TOKENS_BYTES = 256 * 1024
PERSON_BYTES = 256 * 1024

#: Characters of an authorization code; the longest that we know of have 2,000.
CODE_CHARACTERS = 4096

#: Characters of an access token.
ACCESS_CHARACTERS = 64 * 1024


def address_there(
    published: Published,
    departure: Departure,
    redirect_uri: str,
    now: datetime,
    max_age: timedelta | None = None,
) -> str:
    """Return where the browser goes (section 3.1.2.1).

    :param max_age: how recently the person must have shown the provider who they are.
    :raises SilentError: the provider cannot be reached.
    """
    more = {} if max_age is None else {"max_age": int(max_age.total_seconds())}
    url, _state = _client(
        published, published.metadata(now), redirect_uri
    ).create_authorization_url(
        published.metadata(now).authorization_endpoint,
        state=departure.state,
        code_verifier=departure.verifier,
        nonce=departure.nonce,
        **more,
    )
    return str(url)


def require_issuer(published: Published, answer: Mapping[str, str], now: datetime) -> None:
    """Refuse an answer of one provider that is presented as another's (RFC 9207 section 2.4).

    :raises RefusedError: it names another issuer, or none although this one always does.
    :raises SilentError: the provider cannot be reached.
    """
    named = answer.get("iss")
    if named is None and not published.metadata(now).names_itself:
        return
    if named != published.provider.issuer:
        raise RefusedError("iss", "the answer is another provider's, or does not say whose")


def vouched(published: Published, code: str, way: Way, redirect_uri: str, now: datetime) -> Vouched:
    """Return whom the provider vouches for, in exchange for ``code``.

    :raises RefusedError: its answer is not to be believed.
    :raises SilentError: there was none.
    """
    if not 0 < len(code) <= CODE_CHARACTERS:
        raise RefusedError("code", "no authorization code")
    access, token = _tokens(published, code, way, redirect_uri, now)
    claims = id_tokens.verify(token, published, Expected(way.nonce, access), now)
    return _person(published, _with_userinfo(published, claims, access, now), now)


def _client(published: Published, metadata: Metadata, redirect_uri: str) -> OAuth2Client:
    provider = published.provider
    client = OAuth2Client(
        Line(published.transport, TOKENS_BYTES),
        client_id=provider.client_id,
        client_secret=provider.client_secret or None,
        token_endpoint_auth_method=_authentication(bool(provider.client_secret), metadata),
        scope=" ".join(provider.scopes),
        redirect_uri=redirect_uri,
        code_challenge_method="S256",
    )
    client.register_client_auth_method(("client_secret_basic", _basic))
    return client


def _authentication(secret: bool, metadata: Metadata) -> str:
    if not secret:
        return "none"
    offered = metadata.client_authentication
    post_alone = "client_secret_post" in offered and "client_secret_basic" not in offered
    return "client_secret_post" if post_alone else "client_secret_basic"


def _basic(client: Any, _method: str, uri: str, headers: dict[str, str], body: str) -> Any:
    """Encode both parts before they are joined (RFC 6749 section 2.3.1)."""
    # A space as %20, which all decoders of forms read, and not as +, which some leave.
    joined = ":".join(quote(part, safe="") for part in (client.client_id, client.client_secret))
    headers["Authorization"] = "Basic " + b64encode(joined.encode("ascii")).decode()
    return uri, headers, body


def _tokens(
    published: Published, code: str, way: Way, redirect_uri: str, now: datetime
) -> tuple[str, str]:
    metadata = published.metadata(now)
    try:
        answer = _client(published, metadata, redirect_uri).fetch_token(
            metadata.token_endpoint,
            grant_type="authorization_code",
            code=code,
            code_verifier=way.verifier,
            redirect_uri=redirect_uri,
        )
    except OAuth2Error as error:
        raise RefusedError("token", f"{error.error}"[:80]) from error
    access, token = answer.get("access_token"), answer.get("id_token")
    if not isinstance(access, str) or not isinstance(token, str):
        raise RefusedError("token", "no ID token, or no access token")
    if not access.isascii() or not access.isprintable() or len(access) > ACCESS_CHARACTERS:
        raise RefusedError("token", "an access token of other characters, or too long")
    return access, token


def _with_userinfo(
    published: Published, claims: dict[str, Any], access: str, now: datetime
) -> dict[str, Any]:
    """Return ``claims``, completed by what the provider says about the person elsewhere."""
    wanted = {"email"} if "email" in published.provider.scopes else set()
    if published.provider.membership_claim:
        wanted.add(published.provider.membership_claim)
    address = published.metadata(now).userinfo_endpoint
    if not address or wanted <= claims.keys():
        return claims
    try:
        answer = published.transport.get(
            address,
            max_bytes=PERSON_BYTES,
            headers={"Accept": "application/json", "Authorization": f"Bearer {access}"},
        )
        if answer.status != 200:
            raise SilentError("silent", f"{address} answered {answer.status}")
        said = strict_json.loads_object(answer.body, max_bytes=PERSON_BYTES)
    except FederationError as error:
        raise SilentError("silent", f"{address}: {error}") from error
    # Core section 5.3.2: else it could be about somebody else.
    if said.get("sub") != claims["sub"]:
        raise RefusedError("userinfo.sub", "it is about somebody else")
    # An address and whether it is confirmed are said by one and the same document.
    if "email" not in claims:
        claims = {name: value for name, value in claims.items() if name != "email_verified"}
    else:
        said.pop("email_verified", None)
    return said | claims


def _person(published: Published, claims: Mapping[str, Any], now: datetime) -> Vouched:
    provider = published.provider
    email, membership = claims.get("email"), claims.get(provider.membership_claim)
    # "true" is no confirmation, nor is 1: section 5.1 says boolean.
    confirmed = provider.confirmed_addresses and claims.get("email_verified") is True
    number = isinstance(membership, int) and not isinstance(membership, bool)
    return Vouched(
        issuer=provider.issuer,
        subject=claims["sub"],
        email=email if isinstance(email, str) and confirmed else "",
        unconfirmed=bool(email) and not confirmed,
        membership=str(membership)
        if provider.membership_claim and (number or isinstance(membership, str))
        else "",
        proved_at=id_tokens.proved_at(dict(claims), now),
    )
