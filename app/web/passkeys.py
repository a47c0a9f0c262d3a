"""Passkeys: coming in with a finger, a face or a key, without waiting for a letter.

They come beside the link and the six digits, never instead of them: who has lost the telephone, or
whose browser runs no script, uses those. A browser takes part only by its script
(``static/js/passkeys.js``), which fills the hidden field of a plain form.
"""

from __future__ import annotations

from flask import Blueprint, Response, abort, flash, g, jsonify, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from app.database import db
from app.members import locks
from app.models import passkey
from app.models.account import Account
from app.models.journal import note
from app.models.passkey import NAME_CHARACTERS, PASSKEYS, CounterBackError, Passkey
from app.web import ceremonies, challenges, rates
from app.web.access import anyone, freshly, may_come_in, members, signed_in
from app.web.ceremonies import Answer, CeremonyError, Party
from app.web.challenges import ChallengeError
from app.web.pages import page
from app.web.sign_in import come_in
from app.web.sign_ins import browser_name

bp = Blueprint("passkeys", __name__)

#: A whole space may share one network, and come in on one morning.
PER_NETWORK = "300 per hour"

#: Milliseconds that browsers let people take; what they answer is still in time then.
PATIENCE = int(challenges.LIFETIME.total_seconds() * 1000) - 30_000


class NotLetInError(Exception):
    """Nobody comes in with this answer; ``late`` when trying once more may do."""

    def __init__(self, *, late: bool = False) -> None:
        super().__init__()
        self.late = late


@bp.app_template_global()
def passkeys_possible() -> bool:
    """Tell whether browsers can have passkeys for this space, which takes a name."""
    return _party() is not None


@bp.app_template_global()
def my_passkeys() -> list[Passkey]:
    return list(passkey.passkeys(db.session(), signed_in()))


@bp.get("/sign-in/passkey")
@anyone
def show_question() -> Response:
    """Give a browser what it needs to ask its owner which passkey they come with."""
    challenge = challenges.issue(challenges.COMING_IN)
    return _unkept(ceremonies.ask_who(_here(), challenge, PATIENCE))


@bp.post("/sign-in/passkey")
@anyone
def enter() -> AnyResponse:
    rates.count("passkey", rates.network(), PER_NETWORK)
    wanted = request.form.get("next", "")
    try:
        guest = _guest(_here(), request.form.get("answer", ""))
    except NotLetInError as refused:
        # The challenge is used up all the same, and what was noted stays noted.
        db.session.commit()
        answer = page("passkeys/refused.html", status=422, late=refused.late, wanted=wanted)
        answer.headers["Cache-Control"] = "no-store"
        return answer
    return come_in(guest, wanted)


@bp.get("/me/passkeys/new")
@members
@freshly
def show_new() -> Response:
    return _form(str(browser_name(request.user_agent.string))[:NAME_CHARACTERS])


@bp.get("/me/passkeys/question")
@members
@freshly
def show_new_question() -> Response:
    """Give a browser what it needs to make a passkey for whoever is signed in."""
    mine, person = passkey.passkeys(db.session(), signed_in()), signed_in()
    options = ceremonies.ask_for_new(
        _here(),
        person.ref,
        # Their name or the space's, never their address: authenticators keep and show it.
        person.member.name if person.member else g.space.name,
        challenges.issue(challenges.ADDING),
        [one.credential_id for one in mine],
        PATIENCE,
    )
    return _unkept(options)


@bp.post("/me/passkeys")
@members
@freshly
def create() -> AnyResponse:
    name = " ".join(request.form.get("name", "").split())
    if not 0 < len(name) <= NAME_CHARACTERS:
        problem = _("Give it a name of 1 to %(most)s characters.", most=NAME_CHARACTERS)
        return _form(name, problem, field="name")
    if len(passkey.passkeys(db.session(), signed_in())) >= PASSKEYS:
        return _form(name, _("You have %(most)s passkeys: remove one first.", most=PASSKEYS))
    try:
        made = _made(_here(), request.form.get("answer", ""))
    except (ChallengeError, CeremonyError):
        db.session.commit()
        return _form(name, _("The browser’s answer is no good, or came too late. Try once more."))
    added = Passkey(
        account=signed_in(),
        name=name,
        credential_id=made.credential_id,
        public_key=made.public_key,
        counter=made.counter,
        synced=made.synced,
        added_at=g.now,
    )
    db.session.add(added)
    db.session.flush()
    locks.tell(db.session(), signed_in(), locks.PASSKEY_ADDED, g.now, added.ref)
    db.session.commit()
    flash(_("Added: next time, “%(name)s” lets you in.", name=name))
    return redirect(url_for("sign_ins.show"), 303)


@bp.post("/me/passkeys/<ref>/removal")
@members
@freshly
def create_removal(ref: str) -> AnyResponse:
    if passkey.remove(db.session(), signed_in(), ref):
        locks.tell(db.session(), signed_in(), locks.PASSKEY_REMOVED, g.now)
        flash(_("Removed: it opens nothing here any more. You can delete it on your device, too."))
    else:
        flash(_("That passkey was removed already."))
    db.session.commit()
    return redirect(url_for("sign_ins.show"), 303)


def _guest(here: Party, text: str) -> Account:
    """Return whom the browser's answer lets in.

    Whoever asks learns nothing of why it does not, and so nothing of who has passkeys here.

    :raises NotLetInError:
    """
    session = db.session()
    try:
        answer = ceremonies.read_who(text)
        challenges.redeem(answer.challenge, challenges.COMING_IN)
        found = passkey.passkey_of(session, answer.credential_id)
        if found is None or not may_come_in(found.account):
            raise NotLetInError
        counter = ceremonies.verify_who(here, answer, found)
    except ChallengeError as error:
        raise NotLetInError(late=True) from error
    except CeremonyError as error:
        raise NotLetInError from error
    _use(session, found, counter)
    return found.account


def _use(session: Session, found: Passkey, counter: int) -> None:
    try:
        found.use(counter, g.now)
    except CounterBackError as error:
        detail = f"{error}: somebody may have copied the passkey"
        note(session, g.now, "refusal", "passkey.counter-back", subject=found.ref, detail=detail)
        raise NotLetInError from error


def _made(here: Party, text: str) -> ceremonies.Fresh:
    """Return the passkey that the browser made.

    :raises ChallengeError, CeremonyError: it is not to be believed, or somebody has it already.
    """
    answer: Answer = ceremonies.read_new(text)
    challenges.redeem(answer.challenge, challenges.ADDING)
    made = ceremonies.verify_new(here, answer)
    if passkey.passkey_of(db.session(), made.credential_id) is not None:
        # Section 7.1, step 26: else whoever copied an identifier could shut its owner out.
        raise CeremonyError("a passkey that is known already")
    return made


def _party() -> Party | None:
    return ceremonies.party(g.space.url, g.space.name) if g.space else None


def _here() -> Party:
    return _party() or abort(404)


def _form(name: str, problem: str = "", field: str = "add") -> Response:
    _here()
    return page(
        "passkeys/new.html",
        status=422 if problem else 200,
        name=name,
        most=NAME_CHARACTERS,
        problem=problem,
        field=field,
    )


def _unkept(options: dict[str, object]) -> Response:
    answer = jsonify(options)
    answer.headers["Cache-Control"] = "no-store"
    return answer
