"""What the index keeps of somebody: all that is seen inside, and apart what visitors see if less.

Asks nothing of the database. It takes longer than writing it, so that a page of a neighbour's
profiles is worked out before anything is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from app.models.member import NAME, Member
from app.models.peer import MirroredProfile
from app.models.scope import Reader, goes_as_far
from app.models.space import Space
from app.search.cards import (
    Copy,
    Place,
    Standing,
    card_of_copy,
    card_of_member,
    copy_of,
    for_visitors,
    shows_all,
)
from app.search.rows import FACE, FRONT, MEMBER, MIRRORED, Row
from app.search.writing import Entry, entries_of, entry_of

#: A card says where a person coworks, which the index does not keep.
_NOWHERE = Standing(Place("", "", "", "", "", "", None, None), None, stale=False, unconfirmed=False)


@dataclass(frozen=True, slots=True)
class Presented:
    """What the index keeps of a neighbour's profile, worked out before anything is written."""

    whole: Entry
    open: bool
    """Visitors may see all of it."""

    front: Entry | None
    """What visitors may see when it is less; what they do not see must not answer them either."""


def presented(profile: MirroredProfile) -> Presented:
    """Return what the index keeps of ``profile``, a row of a table or of none yet.

    Asks nothing of the database, and takes longer than writing it.
    """
    return presented_copy(copy_of(profile), profile.public, profile.received_at.date())


def presented_copy(copy: Copy, public: bool, day: date) -> Presented:
    """Return what the index keeps of ``copy``, of which visitors may see something if ``public``.

    :param day: on which it came; rates that no longer held are not kept.
    """
    return presented_copies([(copy, public)], day)[0]


def presented_copies(copies: Sequence[tuple[Copy, bool]], day: date) -> list[Presented]:
    """Do for many copies what :func:`presented_copy` does for one."""
    cards = [card_of_copy(copy, day, _NOWHERE) for copy, _ in copies]
    wholes = entries_of(cards)
    found: list[Presented] = []
    for (copy, public), card, whole in zip(copies, cards, wholes, strict=True):
        open_ = public and shows_all(copy.document)
        front = None
        if public and not open_:
            front = entry_of(for_visitors(card, copy.document))
        found.append(Presented(whole, open_, front))
    return found


def of_member(member: Member) -> list[Row]:
    """Return what members see, and the face when visitors see some of it and not all."""
    # The index keeps nothing of the space: its name and city are read when somebody searches.
    nowhere = Space(url="", name="", city="", country="", enamel="")
    day = member.updated_at.date()
    inside, outside = (
        card_of_member(member, nowhere, day, reader) for reader in (Reader.MEMBER, Reader.VISITOR)
    )
    on_the_web = goes_as_far(member, NAME, Reader.VISITOR)
    open_ = on_the_web and inside == outside
    rows: list[Row] = [(MEMBER, member.id, None, member.ref, open_, entry_of(inside))]
    if on_the_web and not open_:
        rows.append((FACE, member.id, None, member.ref, True, entry_of(outside)))
    return rows


def of_mirrored(profile: MirroredProfile) -> list[Row]:
    """Return the whole row, and the front when visitors may know less."""
    said, owner, peer_id, subject = presented(profile), profile.id, profile.peer_id, profile.subject
    found: list[Row] = [(MIRRORED, owner, peer_id, subject, said.open, said.whole)]
    if said.front is not None:
        found.append((FRONT, owner, peer_id, subject, True, said.front))
    return found
