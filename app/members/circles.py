"""Who may see which block, as a list says it and as the member has it. Pure.

A list says one circle for everything (``audience``), and our own format also which blocks
(``audiences``) and which services have a circle of their own. Nothing here widens what is kept
narrower, unless the list names the block itself, and the operator may publish.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.members.person import Draft, Offer
from app.members.texts import folded, one_line, shortened
from app.models.member import AUDIENCES, BLOCKS, ME, Member, narrower, reaches

_SERVICE = "service:"


@dataclass(frozen=True, slots=True)
class Circles:
    """One circle for everything, and those of the blocks that have another."""

    usual: str
    apart: Mapping[str, str] = field(default_factory=dict)
    """Circle by block, or by :func:`service_key`."""

    def of(self, key: str) -> str:
        return self.apart.get(key, self.usual)

    def widest(self, keys: Iterable[str]) -> str:
        """Return how far the widest of ``keys`` goes, and name and photo with it."""
        return max(map(self.of, keys), key=AUDIENCES.index)

    @property
    def blocks(self) -> dict[str, str]:
        return {key: circle for key, circle in self.apart.items() if key in BLOCKS}


def service_key(ref: str) -> str:
    """Return what stands for a service among the blocks."""
    return f"{_SERVICE}{ref}"


def keys_of(offers: Sequence[Any]) -> tuple[str, ...]:
    """Return every block of somebody who has these services, or offers them."""
    return (*BLOCKS, *(service_key(one.ref) for one in offers))


def circles_of(member: Member) -> Circles:
    """Return who sees what of ``member``, whose membership has not ended."""
    usual = member.usual
    found = {block: member.circle_of(block) for block in BLOCKS}
    found |= {service_key(one.ref): member.circle_of(one) for one in member.services}
    return Circles(usual, {key: circle for key, circle in found.items() if circle != usual})


def apart_in(given: Any, draft: Draft) -> dict[str, str]:
    """Return the circles of blocks in ``audiences``, an object such as ``{"words": "space"}``."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        draft.problems.append('audiences is not an object such as {"words": "space"}')
        return {}
    found = {}
    for block, value in given.items():
        circle = one_line(value).lower() if isinstance(value, str) else None
        if block not in BLOCKS:
            draft.problems.append(
                f"audiences names “{shortened(one_line(block), 40)}”, which is no block; "
                f"there are {', '.join(BLOCKS)}"
            )
        elif circle in AUDIENCES:
            found[block] = circle
        elif value is not None:
            draft.problems.append(
                f"audiences has {block} “{shortened(one_line(str(value)), 40)}”; "
                f"it can be {', '.join(AUDIENCES)}"
            )
    return found


def said(
    audience: str, blocks: Mapping[str, str], offers: Sequence[Offer], draft: Draft
) -> dict[str, str]:
    """Return the circles of blocks and services that differ from ``audience``.

    Without ``audience`` nobody knows who sees all the others: such a row is refused.
    """
    apart = {**blocks, **{service_key(one.ref): one.audience for one in offers if one.audience}}
    if apart and not audience:
        draft.problems.append(
            "some blocks or services have an audience of their own, and the row has none for all "
            f"the others: give it an audience, one of {', '.join(AUDIENCES)}"
        )
    return {key: circle for key, circle in apart.items() if circle != audience}


def carried(before: Circles, member: Member | None, offers: Sequence[Any]) -> Circles:
    """Return ``before`` for somebody who offers ``offers`` from now on.

    Lists often number services by their place. One that moved to another place is no more shown
    than under its old number.
    """
    titles: dict[str, str] = {}
    for one in member.services if member is not None else ():
        title, circle = folded(one.title), before.of(service_key(one.ref))
        titles[title] = narrower(circle, titles.get(title, circle))
    found = dict(before.blocks)
    for one in offers:
        circle = before.of(service_key(one.ref))
        found[service_key(one.ref)] = narrower(circle, titles.get(folded(one.title), circle))
    return Circles(
        before.usual, {key: circle for key, circle in found.items() if circle != before.usual}
    )


@dataclass(frozen=True, slots=True)
class Heard:
    """Who sees what after a list was heard."""

    circles: Circles
    held: tuple[str, ...] = ()
    """Blocks that the list would show to more people, and that stay as they are."""


def hear(
    wish: Circles, before: Circles, keys: Sequence[str], *, widen: bool, narrow: bool
) -> Heard:
    """Return who sees which of ``keys`` after ``wish``; it widens and narrows only if it may."""

    def heard(wanted: str, current: str) -> str:
        if reaches(current, wanted):
            return wanted if narrow else current
        return wanted if widen else current

    found = {key: heard(wish.of(key), before.of(key)) for key in keys}
    held = tuple(key for key in keys if not reaches(found[key], wish.of(key)))
    widest = max(found.values(), key=AUDIENCES.index)
    usual = narrower(heard(wish.usual, before.usual), widest)
    return Heard(
        Circles(usual, {key: circle for key, circle in found.items() if circle != usual}), held
    )


def everything_to(audience: str, kept: Circles, keys: Sequence[str]) -> Circles:
    """Return what a list wishes that says ``audience`` and nothing of single blocks.

    What goes as far as anything goes with it; what is kept narrower than that goes no further.
    """
    widest = kept.widest(keys)

    def moved(circle: str) -> str:
        return audience if circle == widest else narrower(circle, audience)

    return Circles(moved(kept.usual), {key: moved(kept.of(key)) for key in keys})


#: Whom nobody but they themselves sees.
HIDDEN = Circles(ME)
