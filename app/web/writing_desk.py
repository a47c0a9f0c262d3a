"""Where letters are written that no request asks for: the worker's place in front of a template."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from flask import Flask, g
from flask_babel import force_locale
from flask_mailman import EmailMessage
from sqlalchemy.orm import Session

from app.exchange.outbox import NotNowError
from app.models.account import Account
from app.models.space import Space
from app.web import mail
from app.web.languages import LANGUAGES


@contextmanager
def writing_to(app: Flask, session: Session, account: Account, now: datetime) -> Iterator[None]:
    """Let what is rendered inside speak the language of ``account``, as the space at ``now``."""
    here = session.get_one(Space, 1)
    with app.test_request_context(base_url=here.url):
        g.space, g.now = here, now
        with force_locale(reading_language(account, here)):
            yield


def hand_over(session: Session, letter: EmailMessage) -> None:
    """Give ``letter`` to the mail server; nobody waits for our turn to write while it answers.

    :raises NotNowError: it took nothing; the letter waits.
    """
    session.commit()
    try:
        mail.send([letter])
    except mail.MailNotSentError as error:
        raise NotNowError(str(error)) from error


def reading_language(account: Account, here: Space) -> str:
    """Return what ``account`` reads: as they chose, as their texts are written, as the space."""
    written = account.member.locale if account.member is not None else ""
    wishes = (account.locale, written.partition("-")[0], *here.languages)
    return next((wish for wish in wishes if wish in LANGUAGES), "en")
