"""The letter that asks somebody to come in: sent by the worker, once.

Before it is handed over, that it is being handed over is committed; afterwards, that it went. A
mail server that takes nothing is asked again later. A worker that is killed in between leaves
open which of the two it was: then no second letter goes out, and the admins' page says so.
"""

from __future__ import annotations

from datetime import datetime

from flask import Flask, g, render_template, url_for
from flask_babel import gettext as _
from flask_mailman import EmailMessage
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.exchange.outbox import NotNowError
from app.models.account import SignInLink, issue_link, link_digest
from app.models.invitation import INVITATION_LIFETIME, Invitation
from app.web import mail
from app.web.access import may_come_in
from app.web.writing_desk import writing_to


def send(app: Flask, session: Session, reference: str, now: datetime) -> str:
    """Send the letter of one invitation, and commit.

    :returns: what was done, in a word.
    :raises NotNowError: the mail server took nothing; it waits.
    """
    asked = session.scalars(select(Invitation).filter_by(ref=reference)).one_or_none()
    if asked is None or asked.account.came_at is not None or not may_come_in(asked.account):
        return "nobody to ask"
    if asked.handed_at is not None:
        return "handed over before"
    secret = issue_link(session, asked.account, now, INVITATION_LIFETIME)
    with writing_to(app, session, asked.account, now):
        letter = _letter(asked, secret)
        asked.digest, asked.handed_at = link_digest(secret), now
        session.commit()
        try:
            mail.send([letter])
        except mail.MailNotSentError as error:
            _note(session, reference, handed_at=None, digest="")
            session.execute(delete(SignInLink).filter_by(digest=link_digest(secret)))
            session.commit()
            raise NotNowError(str(error)) from error
    _note(session, reference, sent_at=now)
    session.commit()
    return "asked"


def _letter(asked: Invitation, secret: str) -> EmailMessage:
    path = url_for("sign_in.open", secret=secret, next=url_for("first_steps.edit"))
    member = asked.account.member
    body = render_template(
        "mail/invitation.txt",
        name=member.name if member else "",
        link=g.space.url + path,
        until=(g.now + INVITATION_LIFETIME).date(),
    )
    subject = _("Come in: your page at %(space)s", space=g.space.name)
    return mail.letter(asked.account.email, subject, body)


def _note(session: Session, reference: str, **columns: datetime | str | None) -> None:
    """Write it down, unless the invitation was taken back meanwhile."""
    session.execute(
        update(Invitation)
        .where(Invitation.ref == reference)
        .values(**columns)
        .execution_options(synchronize_session=False)
    )
