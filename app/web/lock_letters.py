"""To somebody, that their door opens otherwise than before: "this was done; if it was not you, …".

No secret is in such a letter, and no link does anything by itself: whoever reads it in a stolen
mailbox learns the name of a telephone.
"""

from __future__ import annotations

from datetime import datetime

from flask import Flask, g, render_template, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.members import locks
from app.members.locks import Change
from app.models.account import Account
from app.models.passkey import Passkey
from app.models.provider import ProviderIdentity
from app.web import mail
from app.web.access import may_come_in
from app.web.providers import provider_name
from app.web.writing_desk import hand_over, writing_to

#: Changes about which one talks to people, since no setting of one's own undoes them.
OF_THE_SPACE = (locks.ADMIN_GIVEN, locks.ADMIN_TAKEN)


def send(app: Flask, session: Session, reference: str, now: datetime) -> str:
    """Send the letter about one change, and commit.

    :returns: what was done, in a word.
    :raises NotNowError: the mail server took nothing; it waits.
    """
    change = Change.read(reference)
    account = session.scalars(select(Account).filter_by(ref=change.account)).one_or_none()
    if account is None or not may_come_in(account):
        return "nobody to tell"
    with writing_to(app, session, account, now):
        body = render_template(
            "mail/lock.txt",
            change=change,
            of_the_space=change.what in OF_THE_SPACE,
            name=account.member.name if account.member else "",
            done=_done(session, change),
            link=g.space.url + url_for("sign_ins.show"),
        )
        letter = mail.letter(account.email, _subject(change), body)
        hand_over(session, letter)
    return "told"


def _subject(change: Change) -> str:
    subjects = {
        locks.PASSKEY_ADDED: _("A new passkey for %(space)s", space=g.space.name),
        locks.PASSKEY_REMOVED: _("A passkey less for %(space)s", space=g.space.name),
        locks.LINKED: _("Another way into %(space)s", space=g.space.name),
        locks.UNLINKED: _("A way less into %(space)s", space=g.space.name),
        locks.ADMIN_GIVEN: _("You are an admin of %(space)s", space=g.space.name),
        locks.ADMIN_TAKEN: _("You are no admin of %(space)s any more", space=g.space.name),
    }
    return str(subjects[change.what])


def _done(session: Session, change: Change) -> str:
    """Return what was done, as a sentence."""
    if change.what == locks.PASSKEY_ADDED:
        name = session.scalar(select(Passkey.name).filter_by(ref=change.about))
        if name is not None:
            return str(_("The passkey “%(name)s” was added: it lets you in.", name=name))
        return str(_("A passkey was added, and removed since."))
    if change.what in (locks.LINKED, locks.UNLINKED):
        row = select(ProviderIdentity.issuer).filter_by(ref=change.about)
        elsewhere = provider_name(session.scalar(row) or "")
        if change.what == locks.LINKED:
            return str(_("An account at %(name)s was linked: it lets you in.", name=elsewhere))
        return str(
            _("An account at %(name)s was unlinked: it lets you in no more.", name=elsewhere)
        )
    sentences = {
        locks.PASSKEY_REMOVED: _("A passkey was removed: it lets you in no more."),
        locks.ADMIN_GIVEN: _(
            "You help to run %(space)s now: who is a member, who is a neighbour, and what is "
            "reported.",
            space=g.space.name,
        ),
        locks.ADMIN_TAKEN: _(
            "You are a member like all others now. Thank you for having kept the keys."
        ),
    }
    return str(sentences[change.what])
