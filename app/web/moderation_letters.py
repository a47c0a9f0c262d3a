"""To a member, what an admin decided and why; to an admin, that there is a report.

The letter to the admin names nobody and quotes nothing: mailboxes are read on telephones, in the
train. The link leads to the page, which asks who is there.
"""

from __future__ import annotations

from datetime import datetime

from flask import Flask, g, render_template, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.account import Account
from app.models.measure import BAN, HIDE, WARN, Measure
from app.models.report import Report
from app.web import mail
from app.web.access import may_come_in
from app.web.writing_desk import hand_over, writing_to


def tell_decision(app: Flask, session: Session, reference: str, now: datetime) -> str:
    """Tell a member what was decided about them, or that it was taken back.

    :raises NotNowError: the mail server took nothing; it waits.
    """
    taken = session.scalars(select(Measure).filter_by(ref=reference)).one_or_none()
    account = taken.member.account if taken is not None and taken.member is not None else None
    if taken is None or account is None:
        return "nobody to tell"
    with writing_to(app, session, account, now):
        subjects = {
            HIDE: _("Your page at %(space)s is hidden for now", space=g.space.name),
            WARN: _("A word from the people who run %(space)s", space=g.space.name),
            BAN: _("The door of %(space)s is shut to you", space=g.space.name),
        }
        subject = subjects[taken.kind]
        if taken.undone_at is not None:
            subject = _("Good news from %(space)s", space=g.space.name)
        body = render_template(
            "mail/measure.txt",
            measure=taken,
            name=taken.member.name if taken.member else "",
            link=g.space.url + url_for("my_data.show" if taken.kind == BAN else "my_profile.edit"),
        )
        return _send(session, account, subject, body)


def tell_report(app: Flask, session: Session, reference: str, now: datetime) -> str:
    """Tell an admin that there is a report.

    :param reference: of the report and of the admin, with a point between.
    :raises NotNowError: the mail server took nothing; it waits.
    """
    made, _point, whom = reference.partition(".")
    report = session.scalars(select(Report).filter_by(ref=made)).one_or_none()
    admin = session.scalars(select(Account).filter_by(ref=whom)).one_or_none()
    if report is None or report.closed_at is not None:
        return "nothing to tell"
    if admin is None or not admin.is_admin or not may_come_in(admin):
        return "nobody to tell"
    with writing_to(app, session, admin, now):
        subject = _("Somebody reported something at %(space)s", space=g.space.name)
        body = render_template(
            "mail/report.txt", link=g.space.url + url_for("reports.show", ref=report.ref)
        )
        return _send(session, admin, subject, body)


def _send(session: Session, account: Account, subject: str, body: str) -> str:
    letter = mail.letter(account.email, subject, body)
    hand_over(session, letter)
    return "told"
