"""Letters to members: plain text, in the reader's language, handed over before the page answers."""

from __future__ import annotations

import smtplib
from collections.abc import Sequence

import structlog
from flask import current_app
from flask_mailman import EmailMessage
from flask_mailman.backends.file import ImproperlyConfigured

log = structlog.get_logger(__name__)


class MailNotSentError(Exception):
    """The mail server took nothing; trying again later may help."""


def letter(to: str, subject: str, text: str) -> EmailMessage:
    """Return a letter; a subject is one line, whatever the names in it contain."""
    return EmailMessage(
        " ".join(subject.split()), text, to=[to], headers={"Auto-Submitted": "auto-generated"}
    )


def send(letters: Sequence[EmailMessage]) -> None:
    """Hand ``letters`` over to the mail server.

    Without any letter the server is called all the same: whether it answers, and how long that
    takes, must not tell a stranger which addresses belong to members.

    :raises MailNotSentError: the server cannot be reached or refuses us.
    """
    try:
        connection = current_app.extensions["mailman"].get_connection()
        if current_app.config["MAIL_BACKEND"] == "smtp":
            connection.open()
        connection.send_messages(letters)
        connection.close()
    except smtplib.SMTPRecipientsRefused as error:
        # The server works; it does not know this reader. The operator can see why in the log.
        log.warning("mail.recipient_refused", problem=str(error))
    except (OSError, ImproperlyConfigured) as error:
        log.error("mail.not_sent", problem=str(error))
        raise MailNotSentError(str(error)) from error
