"""What a row makes of a member: written on the member's row, or on a sketch of it.

A plan sketches, to see whether neighbours could receive what the row makes of somebody; loading
writes. Both go through :func:`write`, so that they cannot differ.
"""

from __future__ import annotations

from datetime import datetime

from app.members.circles import service_key
from app.members.merge import FIELDS, OFFERED, Change, offer_of
from app.members.person import Offer
from app.models.consent import BY_LIST
from app.models.member import ME, Member, Service

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
    if change.circles is not None:
        for service in member.services:
            service.audience = change.circles.of(service_key(service.ref))
        usual, blocks = change.circles.usual, change.circles.blocks
        member.present(usual, blocks, now, by=BY_LIST, detail=change.source)
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
        for service, own in zip(drawn.services, member.services, strict=True):
            service.audience = own.audience
    write(drawn, change, now)
    return drawn


def offer(member: Member, offers: tuple[Offer, ...]) -> None:
    """Let ``member`` offer exactly ``offers``; a service that stays keeps its row."""
    kept = {service.ref: service for service in member.services}
    services = []
    for position, one in enumerate(offers):
        service = kept.get(one.ref) or Service(ref=one.ref)
        for column in OFFERED:
            value = getattr(one, column)
            setattr(service, column, list(value) if isinstance(value, tuple) else value)
        service.position = position
        services.append(service)
    member.services = services
