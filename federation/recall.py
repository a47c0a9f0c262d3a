"""A space comes back from a backup: what it signed afterwards is held by its neighbours.

Documents speak for themselves: whatever a neighbour shows, our own signature is on it or it is
nothing. So a neighbour can withhold what it holds, or show what is old; it can invent nothing.

No clock, no network, no database, no signatures: the caller verifies each document with its own
keys, passes ``now``, and carries out what is decided here. The rules, in their order:

1. the document is by us, about one of our members, and not from tomorrow;
2. an older revision than ours, or the very document that we have, says nothing new;
3. a withdrawal is taken as it was signed: it only takes away;
4. a profile that has expired says nothing any more;
5. a profile of somebody whom our directory does not know any more is withdrawn: nobody could
   change it, or take it back;
6. so is one whose member has chosen since the return not to be shown;
7. where our own word is the later one, it is said again above the revision that was found;
8. any other profile is taken as it was signed: the member's edits come home.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from federation.documents import PEERS, PUBLIC, Profile, Withdrawal
from federation.errors import ExpiredError, ForeignSubjectError
from federation.identifiers import owns
from federation.limits import CLOCK_SKEW


class Finding(StrEnum):
    """What a document of our own, shown by a neighbour, asks of us."""

    NOTHING = "nothing"
    """We know as much, or more."""

    TAKE = "take"
    """Publish it exactly as it was signed: the same bytes, so that roots agree."""

    WITHDRAW = "withdraw"
    """Sign a withdrawal above its revision."""

    REPEAT = "repeat"
    """Sign what our own feed says once more, above its revision."""


@dataclass(frozen=True, slots=True)
class Ours:
    """The document about one subject that our own feed has."""

    rev: int
    digest: str
    """SHA-256 of its JWS, hexadecimal."""

    signed_at: datetime


def judge(
    document: Profile | Withdrawal,
    digest: str,
    ours: Ours | None,
    *,
    known: bool,
    hidden: bool,
    entity_id: str,
    now: datetime,
) -> Finding:
    """Say what ``document``, which one of our own keys signed, asks of us.

    :param digest: SHA-256 of the JWS it was read from, hexadecimal.
    :param ours: what our feed has about the subject, if anything.
    :param known: our directory has a member of that name.
    :param hidden: who, since the return, has chosen not to be shown to neighbours.
    :raises UnknownIssuerError: our signature, and somebody else's name.
    :raises ForeignSubjectError: about somebody else's member.
    :raises ExpiredError: dated ahead of us.
    """
    document.require_issuer(entity_id)
    if not owns(entity_id, document.subject):
        raise ForeignSubjectError(f"{entity_id} may not speak for {document.subject}")
    if document.issued_at > now + CLOCK_SKEW:
        raise ExpiredError(f"dated {document.issued_at:%Y-%m-%d %H:%M}, which is yet to come")
    if ours is not None and (document.revision < ours.rev or digest == ours.digest):
        return Finding.NOTHING
    if isinstance(document, Withdrawal):
        return Finding.TAKE
    if document.expires_at <= now or document.audience not in (PUBLIC, PEERS):
        return Finding.NOTHING
    if not known or hidden:
        return Finding.WITHDRAW
    if ours is not None and ours.signed_at > document.issued_at:
        return Finding.REPEAT
    return Finding.TAKE
