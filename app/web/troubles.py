"""What can be wrong with a neighbour, in words, and what its admin or ours can do about each.

The same words stand beside a neighbour on the page and in the report of a test. Codes are those of
:mod:`federation.errors`; one that is not known here is said as the program said it.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _

from app.models.peer import Peer

#: What a neighbour signed against itself; the journal keeps the documents.
CONTRADICTIONS = ("fork", "rollback", "frozen")


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong, what to do, and whether the journal has the documents that prove it."""

    said: str
    to_do: str = ""
    evidence: bool = False


def of(peer: Peer) -> Trouble | None:
    """Return what is wrong with the exchange with ``peer``; ``None`` when nothing is."""
    if peer.failures or peer.last_error in CONTRADICTIONS:
        if not peer.last_error:
            return None
        found = meaning(peer.last_error, peer.last_error_text)
        return Trouble(found.said, found.to_do, peer.last_error in CONTRADICTIONS)
    if peer.roots_agree is False and peer.drop_waiting is None:
        found = meaning("roots-differ")
        return Trouble(found.said, found.to_do, True)
    return None


def meaning(code: str, otherwise: str = "") -> Trouble:
    """Return what ``code`` means for an admin; ``otherwise`` when we have no better words."""
    known = {**_on_the_way(), **_at_the_door(), **_in_the_list(), **_here()}
    said, to_do = known.get(code, (otherwise or code, ""))
    return Trouble(str(said), str(to_do))


def _on_the_way() -> dict[str, tuple[str, str]]:
    return {
        "unreachable": (
            _("It does not answer. We go on trying."),
            _("Its copy stays here, with its age. If it lasts, call the people who run it."),
        ),
        "slow": (
            _("It answers so slowly that we go on with the others first."),
            _("We go on trying. If it lasts, tell the people who run it."),
        ),
        "name-unknown": (
            _("Its name leads nowhere."),
            _("Perhaps its domain has run out: call the people who run it."),
        ),
        "bad-certificate": (
            _("What answers there cannot prove that it is this space: its certificate is no good."),
            _("Perhaps it has run out. Tell the people who run it to renew it."),
        ),
        "forbidden-address": (
            _("Its name leads into a private network, so we do not go there."),
            _("Tell the people who run it: their name has to lead to a public address."),
        ),
        "redirect-refused": (
            _("It sends us to another address, which we do not follow."),
            _("Tell the people who run it: the space has to answer at its own address."),
        ),
        "rate-limited": (
            _("It asks us to wait a little."),
            _("Nothing to do: we wait as long as it asks for."),
        ),
    }


def _at_the_door() -> dict[str, tuple[str, str]]:
    return {
        "malformed-answer": (
            _("Something answers there, but not as a space does."),
            _("Perhaps it is being repaired. If it lasts, tell the people who run it."),
        ),
        "key-hold": (
            _("Its root key is not the one you compared, and was never announced."),
            _("Call them and ask why. If it is really them, compare the new words."),
        ),
        "unsupported-version": (
            _("It speaks a version that we do not understand."),
            _("One of you has to update: ask them which version they run."),
        ),
        "key-unknown": (
            _("It signs with a key that it does not publish."),
            _("Sync now reads its keys again. If it stays, tell the people who run it."),
        ),
        "not-peered": (
            _("It says that we are not neighbours."),
            _("Ask the people who run it whether they approved you, and your present key."),
        ),
        "unknown-issuer": (
            _("It does not know us. Perhaps it lost its data."),
            _("We knock again by ourselves. Ask the people who run it to approve you once more."),
        ),
        "suspended": (
            _("It has paused the exchange with us."),
            _("Its people come back by themselves when it goes on."),
        ),
        "wrong-audience": (
            _("It takes what we say as meant for somebody else."),
            _("Ask the people who run it whether its address has changed."),
        ),
        "expired": (
            _("It finds what we send out of date, or we what it sends."),
            _("One of the two clocks is wrong: compare the time with them."),
        ),
    }


def _in_the_list() -> dict[str, tuple[str, str]]:
    ask_them = _("Show them the two documents in the journal and ask how that could happen.")
    return {
        "bad-signature": (
            _("A document of it has a signature that is not its own."),
            _("It was left out; nothing to do here. If it stays, tell the people who run it."),
        ),
        "invalid-document": (
            _("A document of it cannot be read."),
            _("It was left out; nothing to do here. If it stays, tell the people who run it."),
        ),
        "fork": (_("It signed two different lists under one number."), ask_them),
        "rollback": (
            _("It shows an older list than one it signed before."),
            _(
                "Perhaps it was restored from a backup, and its admin has to say so there. "
                "The two documents are in the journal."
            ),
        ),
        "frozen": (
            _("Nothing newer than a week can be had from it: somebody may be holding news back."),
            _(
                "Ask them whether their worker runs. If it does, somebody stands between you: "
                "the last document that came is in the journal."
            ),
        ),
        "roots-differ": (
            _("Our copy is not the list that it signed: profiles are missing, or are too many."),
            _(
                "Sync now compares again. If it stays, it leaves something out of what it sends: "
                "ask them, with the document in the journal."
            ),
        ),
        "too-large": (
            _("It sends more than spaces have agreed on."),
            _("Tell the people who run it."),
        ),
        "endless-feed": (
            _("Its list has no end, or leads in circles."),
            _("What we have stays. Ask the people who run it what happened, or suspend it."),
        ),
    }


def _here() -> dict[str, tuple[str, str]]:
    full = _("Make room on the disk of this space, or ask whoever runs its computer.")
    return {
        "database": (
            _("Our own computer could not store what came: its disk may be full."),
            full,
        ),
        "disk-full": (_("Our own disk is full, so nothing could be stored."), full),
    }
