"""The way to another space's door: is that an address, and does a space answer there?

Everything that can be wrong ends as a sentence for the admin who typed the address, and a code for
programs. Nothing is remembered here.
"""

from __future__ import annotations

from datetime import datetime

from app.exchange.identity import Identity
from federation import client
from federation.entity import EntityConfiguration
from federation.errors import (
    FederationError,
    ForbiddenAddressError,
    UnknownIssuerError,
    UnreachableError,
)
from federation.identifiers import EntityId
from federation.transport import Transport


class PeeringError(Exception):
    """A step of a peering that cannot be taken; the text is a sentence for the admin.

    ``code`` is for programs: ``not-an-address``, ``not-https``, ``private-address``,
    ``own-address``, ``unreachable``, ``slow``, ``not-a-space``, ``already-neighbours``,
    ``asked-already`` or ``not-allowed``.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def address_of(url: str, identity: Identity) -> EntityId:
    """Return the address an admin typed.

    :raises PeeringError: saying what is wrong with it.
    """
    typed = url.strip().rstrip("/")
    try:
        address = EntityId.parse(typed, development=identity.development)
    except ForbiddenAddressError as error:
        if typed.lower().startswith("http://"):
            raise PeeringError(
                "not-https",
                "Neighbours are reached over https only: the address begins with https://.",
            ) from error
        code = "private-address" if "machine itself" in str(error) else "not-an-address"
        raise PeeringError(
            code, f"That is not the address of a space, such as https://lyon.example: {error}."
        ) from error
    if address == identity.entity_id:
        raise PeeringError("own-address", "That is your own address.")
    return address


def visit(address: EntityId, transport: Transport, now: datetime) -> EntityConfiguration:
    """Return what is written on the door at ``address``, with whatever key it is signed.

    :raises PeeringError: nobody answers, or not as a space does.
    """
    try:
        return client.read_entity(transport, address, now, pinned_kid=None)
    except ForbiddenAddressError as error:
        raise PeeringError(
            "private-address",
            "That address leads into a private network, where no other space can be.",
        ) from error
    except UnreachableError as error:
        if "within" in str(error):
            raise PeeringError(
                "slow", "Nobody answered in time. The space may be down: try again later."
            ) from error
        raise PeeringError(
            "unreachable", "Nobody answers at that address. Is it spelled as they told you?"
        ) from error
    except UnknownIssuerError as error:
        raise PeeringError(
            "not-a-space", "What answers there says it is another space. Use its own address."
        ) from error
    except FederationError as error:
        raise PeeringError(
            "not-a-space", f"Something answers there, but it is not a space like yours: {error}."
        ) from error
