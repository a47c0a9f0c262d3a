"""What a row makes of a member: written on the member's row, or on a sketch of it.

A plan sketches, to see whether neighbours could receive what the row makes of somebody; loading
writes. Both go through :func:`write`, so that they cannot differ.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime

from app.members.merge import FIELDS, Change, offer_of
from app.members.person import Offer
from app.models.consent import BY_LIST
from app.models.member import ME, Member, Service

#: What a list says of a service, by the names of the table's columns.
COLUMNS = tuple(field.name for field in fields(Offer))

#: What says who may see what.
CIRCLES = ("audience", "usual_audience", "block_audiences")


def write(member: Member, change: Change, now: datetime) -> None:
    """Change ``member`` as ``change`` says."""
    for column, value in change.values.items():
        setattr(member, column, value)
    if change.services is not None:
        offer(member, change.services)
    if change.back:
        member.left_at = None
    if change.left_at is not None:
        member.left_at = change.left_at
    if change.audience is not None:
        member.show_to(change.audience, now, by=BY_LIST, detail=change.source)
    elif change.services is not None or change.left_at is not None:
        member.settle(now, by=BY_LIST, detail=change.source)
    member.imported = change.imported
    member.updated_at = now


def sketch(member: Member | None, change: Change, now: datetime) -> Member:
    """Return somebody who is not saved and says what ``member`` will say after ``change``.

    :param member: None for somebody new.
    """
    drawn = Member(revision=0, created_at=now, audience=ME)
    if member is not None:
        for column in (*FIELDS, *CIRCLES, "consent_at", "left_at"):
            setattr(drawn, column, getattr(member, column))
        offer(drawn, tuple(offer_of(service) for service in member.services))
    write(drawn, change, now)
    return drawn


def offer(member: Member, offers: tuple[Offer, ...]) -> None:
    """Let ``member`` offer exactly ``offers``; a service that stays keeps its row."""
    kept = {service.ref: service for service in member.services}
    services = []
    for position, one in enumerate(offers):
        service = kept.get(one.ref) or Service(ref=one.ref)
        for column in COLUMNS:
            value = getattr(one, column)
            setattr(service, column, list(value) if isinstance(value, tuple) else value)
        service.position = position
        services.append(service)
    member.services = services
