"""Letters to members: plain text, in the reader's language, handed over to the mail server.

The worker waits until it has them. The page that asks for a sign-in link does not: see
:func:`send_behind`.
"""

from __future__ import annotations

import smtplib
import ssl
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import structlog
from flask import current_app
from flask_mailman import EmailMessage
from flask_mailman.backends.file import ImproperlyConfigured
from flask_mailman.backends.smtp import EmailBackend

log = structlog.get_logger(__name__)


class MailNotSentError(Exception):
    """The mail server took nothing; trying again later may help."""


class VerifiedSmtp(EmailBackend):  # type: ignore[misc]  # the library has no types
    """Sends by SMTP; after STARTTLS the server has to prove its name.

    Flask-Mailman leaves that out (so does smtplib unless a context is given): whoever sat between
    us and the mail server could read our password and every sign-in link.
    """

    connection: smtplib.SMTP | None

    def open(self) -> bool:
        """Connect, encrypt and log in; ``False`` when that was done before.

        :raises OSError: no connection, no trust, or the wrong password.
        """
        if self.connection or not self.use_tls:
            return bool(super().open())
        server = smtplib.SMTP(self.host, self.port, timeout=self.timeout)
        try:
            server.starttls(context=ssl.create_default_context())
            if self.username and self.password:
                server.login(self.username, self.password)
        except OSError:
            server.close()
            raise
        self.connection = server
        return True


def letter(
    to: str, subject: str, text: str, headers: Mapping[str, str] | None = None
) -> EmailMessage:
    """Return a letter; a subject is one line, whatever the names in it contain."""
    return EmailMessage(
        " ".join(subject.split()),
        text,
        to=[to],
        headers={"Auto-Submitted": "auto-generated", **(headers or {})},
    )


def send(letters: Sequence[EmailMessage]) -> None:
    """Hand ``letters`` over to the mail server.

    :raises MailNotSentError: the server cannot be reached or refuses us.
    """
    _deliver(_connection(), letters)


def send_behind(letters: Sequence[EmailMessage]) -> threading.Thread | None:
    """Call the mail server, and hand ``letters`` over while the page answers already.

    Without any letter the server is called all the same, and what it takes to hand one over is
    waited for by nobody: neither whether it answers nor how long that lasts may tell a stranger
    which addresses belong to members. What goes wrong afterwards is in the log.

    :returns: the thread that hands them over; none where that takes no time, as into a folder.
    :raises MailNotSentError: the server cannot be reached or refuses us.
    """
    connection = _connection()
    if current_app.config["MAIL_BACKEND"] != "smtp":
        _deliver(connection, letters)
        return None
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # Flask's own advice

    def deliver() -> None:
        with app.app_context(), suppress(MailNotSentError):
            _deliver(connection, letters)

    # For nobody, too: what starting a thread takes is the same then.
    thread = threading.Thread(target=deliver, name="letter")
    thread.start()
    return thread


def _connection() -> Any:
    """Return a connection to the mail server, which answers.

    :raises MailNotSentError: it does not, or refuses us.
    """
    by_smtp = current_app.config["MAIL_BACKEND"] == "smtp"
    try:
        connection = current_app.extensions["mailman"].get_connection(
            backend=VerifiedSmtp if by_smtp else None
        )
        if by_smtp:
            connection.open()
    except (OSError, ImproperlyConfigured) as error:
        log.error("mail.not_sent", problem=str(error))
        raise MailNotSentError(str(error)) from error
    return connection


def _deliver(connection: Any, letters: Sequence[EmailMessage]) -> None:
    try:
        connection.send_messages(letters)
        connection.close()
    except smtplib.SMTPRecipientsRefused as error:
        # The server works; it does not know this reader. The operator can see why in the log.
        log.warning("mail.recipient_refused", problem=str(error))
    except (OSError, ImproperlyConfigured) as error:
        log.error("mail.not_sent", problem=str(error))
        raise MailNotSentError(str(error)) from error
