"""What the mail server hands over: answers to letters, one mail on standard input at a time."""

from __future__ import annotations

import sys
from typing import NoReturn

import click

from app.cli.context import opened
from app.cli.peers import identity_of
from app.exchange import mail_answers
from app.exchange.mail_answers import UNAVAILABLE, MailRefusedError
from app.exchange.mailed import MOST_BYTES


def register(main: click.Group) -> None:
    """Add these commands to ``main``."""
    main.add_command(mail)


@click.group()
def mail() -> None:
    """Answers to letters, as the mail server hands them over."""


@mail.command()
@click.option("--recipient", required=True, help="The address that the mail was delivered to.")
@click.option(
    "--sender", default=None, help="The envelope's sender; empty for a notice of a mail server."
)
def receive(recipient: str, sender: str | None) -> None:
    """Put the answer on standard input into its conversation.

    Ends with 0 when it was heard, or is to be forgotten: a notice, an absence note, one that came
    before. Else with a code of sysexits.h, and a sentence on standard error for the notice that the
    mail server sends: 65 cannot be read, 67 no such address, 69 the conversation is over, 75 try
    again later, 77 not from the person who was written to. Nothing is sent from here.
    """
    # One byte more than is read: what is larger is refused, not shortened.
    raw = sys.stdin.buffer.read(MOST_BYTES + 1)
    with opened() as here:
        if not here.settings.reply_address:
            _refuse(MailRefusedError(UNAVAILABLE, "Answers by mail are not switched on here."))
        try:
            told = mail_answers.hear(
                here.session,
                raw,
                recipient,
                sender,
                here.settings.reply_address,
                here.settings.session_secret(),
                identity_of(here),
                here.now,
                judge=here.settings.mail_judge,
            )
        except MailRefusedError as error:
            here.session.rollback()
            _refuse(error)
    click.echo(told)


def _refuse(error: MailRefusedError) -> NoReturn:
    click.echo(str(error), err=True)
    sys.exit(error.code)
