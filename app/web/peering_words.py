"""How neighbours, their health and what happens with them are said in words."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import g
from flask_babel import gettext as _
from flask_babel import ngettext

from app.exchange.peers import PeeringError
from app.models.peer import Peer
from app.web.troubles import CONTRADICTIONS
from app.web.words import ago, clock

#: Peers are read every hour: a copy this old is late, and one a day old has stopped.
LATE = timedelta(hours=3)
STOPPED = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Health:
    """How the exchange with a neighbour goes: a sign, and the words beside it."""

    state: str
    """``ok``, ``late``, ``down`` or empty, as the style sheet calls them."""

    icon: str
    words: str


def health(peer: Peer, now: datetime) -> Health:
    """Return how fresh our copy of an active neighbour is."""
    if peer.drop_waiting is not None:
        return Health("late", "pause", _("Waits for you"))
    if peer.last_success_at is None:
        if peer.failures:
            return Health("down", "alert", _("No answer yet"))
        return Health("", "clock", _("First copy on its way"))
    age = now - peer.last_success_at
    if age > STOPPED:
        return Health("down", "alert", _("No answer"))
    if age > LATE or peer.failures:
        return Health("late", "clock", _("Late"))
    if peer.last_error in CONTRADICTIONS:
        return Health("down", "alert", _("Contradicts itself"))
    if peer.roots_agree is False:
        return Health("late", "refresh", _("Copy differs"))
    return Health("ok", "check", _("Healthy"))


def compared(peer: Peer) -> str:
    """Return whether our copy is the list that ``peer`` signed, and since when, in words."""
    if peer.unconfirmed_since is not None:
        return str(
            _(
                "Our copy has not been confirmed since %(moment)s.",
                moment=clock(peer.unconfirmed_since),
            )
        )
    if peer.roots_agree:
        return str(
            _("Our copy is exactly its list, as of %(moment)s.", moment=ago(peer.last_success_at))
        )
    return str(_("Our copy was not compared with its list yet."))


def refusal(error: PeeringError) -> str:
    """Return why a knock or a decision is not possible, in the page's language."""
    sentences = {
        "not-an-address": _(
            "That is not the address of a space. Write it as https://lyon.example."
        ),
        "not-https": _("Neighbours are reached over https only: write https:// and the name."),
        "private-address": _("That address leads into a private network, where no space can be."),
        "own-address": _("That is your own address. Write your neighbour’s."),
        "unreachable": _("Nobody answers at that address. Is it spelled as they told you?"),
        "slow": _("Nobody answered in time. The space may be down: try again later."),
        "not-a-space": _("Something answers there, but it is not a space like yours."),
        "already-neighbours": _("You are neighbours already."),
        "asked-already": _("They have knocked at your door: answer their request on this page."),
        "not-allowed": _(
            "That is no longer possible: this neighbour stands otherwise now, as you see here."
        ),
    }
    return str(sentences.get(error.code, error))


def happened(code: str) -> str:
    """Return what a line of the journal is about; an unknown code speaks for itself."""
    sentences = {
        "space.changed": _("The space’s settings were changed"),
        "members.imported": _("A list of members was brought in"),
        "member.left-by-themselves": _("Somebody deleted everything about themselves"),
        "passkey.counter-back": _("A passkey counted backwards: there may be a copy of it"),
        "account.admin": _("Somebody became an admin"),
        "account.member": _("Somebody is no admin any more"),
        "account.invited": _("Somebody was invited"),
        "account.uninvited": _("An invitation was taken back"),
        "members.invited": _("Many were invited"),
        "person.hidden": _("Somebody was hidden"),
        "person.shown": _("Somebody is shown again"),
        "person.warned": _("Somebody was warned"),
        "person.banned": _("Somebody was shut out"),
        "person.unbanned": _("Somebody may come in again"),
        "report.closed": _("A report was looked at"),
        "space.restored": _("The space came back from a backup"),
        "keys.rotated": _("The signing key was changed"),
        "keys.rolled": _("The root key was changed to the announced one"),
        "keys.revoked": _("A signing key was withdrawn"),
        "keys.anew": _("A new root key was made, which nobody had been told of"),
        "peer.approved": _("Approved"),
        "peer.declined": _("Declined"),
        "peer.suspended": _("Suspended"),
        "peer.resumed": _("Resumed"),
        "peer.ended": _("Ended"),
        "peer.blocked": _("Blocked"),
        "peer.unblocked": _("Unblocked"),
        "peer.key-revoked": _("They withdrew a key, and what it had signed is gone"),
        "peer.key-confirmed": _("Its new key was confirmed"),
        "peer.drop-accepted": _("Agreed to many deletions at once"),
        "peer.said-approved": _("They said yes, or asked"),
        "peer.said-suspended": _("They paused the exchange"),
        "peer.said-ended": _("They ended it"),
        "peer.key-rolled": _("They changed to the key they had announced"),
        "key-hold": _("Their key changed without notice"),
        "photo-refused": _("Photos that cannot be shown"),
        "too-many-photos": _("More photos than are kept of one space"),
        "invalid-document": _("A document that cannot be read"),
        "unknown-type": _("A document of an unknown kind"),
        "bad-signature": _("A document with a wrong signature"),
        "unknown-checkpoint": _("They confirmed a list that we never signed"),
        "foreign-subject": _("A profile of somebody who is not theirs"),
        "equivocation": _("Two different texts under one number"),
        "stale-rev": _("An older text than the one we have"),
        "expired": _("A document past its date"),
        "wrong-audience": _("A document that was meant for somebody else"),
        "too-large": _("A document that is too large"),
        "rollback": _("An older list than the one we have"),
        "fork": _("Two different lists under one number"),
        "frozen": _("An old list, repeated"),
        "unknown-issuer": _("A document from a space we do not know"),
        "unreachable": _("No answer"),
        "name-unknown": _("A name that leads nowhere"),
        "bad-certificate": _("A certificate that is no good"),
        "malformed-answer": _("An answer that makes no sense"),
        "endless-feed": _("A list without end"),
        "too-many-withdrawals": _("More deletions than can be remembered"),
        "redirect-refused": _("An answer that leads elsewhere"),
        "forbidden-address": _("An address in a private network"),
        "key-unknown": _("A key that is not published"),
        "many-refusals": _("Many documents refused at once"),
        "drop-waits": _("Many deletions wait for an admin"),
        "roots-differ": _("Our copy is not what they say it is"),
        "reconciled": _("Our copy was compared with their list, person by person"),
        "index-differs": _("Their list of names is not the one that they signed"),
        "recalled": _("They told what they hold of our members"),
        "database": _("Our own computer could not store something"),
    }
    return str(sentences.get(code, code))


def soon(moment: datetime) -> str:
    """Return when something happens next: minutes, then the hour, then the day as well."""
    minutes = round((moment - g.now) / timedelta(minutes=1))
    if minutes < 1:
        return str(_("in a moment"))
    if minutes < 60:
        return str(ngettext("in %(num)s min", "in %(num)s min", minutes))
    return str(ngettext("in %(num)s hour", "in %(num)s hours", round(minutes / 60)))


def hex_groups(kid: str) -> list[str]:
    """Return a key's thumbprint (RFC 7638) as groups of four hexadecimal digits."""
    try:
        digest = base64.urlsafe_b64decode(kid + "=" * (-len(kid) % 4)).hex().upper()
    except (binascii.Error, ValueError):  # not a thumbprint: show nothing rather than guess
        return []
    return [digest[at : at + 4] for at in range(0, len(digest), 4)]
