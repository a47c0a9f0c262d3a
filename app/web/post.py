"""All letters that the worker sends, by what their jobs' keys begin with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Flask
from sqlalchemy.orm import Session

from app.exchange import still_true as asking
from app.members import inviting, locks, moderation, reporting
from app.web import invitation_letters, letters, lock_letters, moderation_letters, still_true

#: A letter's name to what writes it; the rest of the key says which one.
WRITERS: dict[str, Callable[[Flask, Session, str, datetime], str]] = {
    inviting.LETTER: invitation_letters.send,
    locks.LETTER: lock_letters.send,
    moderation.LETTER: moderation_letters.tell_decision,
    asking.QUESTION: still_true.ask,
    asking.FAREWELL: still_true.tell_rest,
    reporting.LETTER: moderation_letters.tell_report,
}


def mailer(app: Flask) -> Callable[[Session, str, datetime], str]:
    """Return what sends the letter with this key, for the worker."""
    about_conversations = letters.mailer(app)

    def send(session: Session, key: str, now: datetime) -> str:
        name, _slash, reference = key.partition("/")
        if name in WRITERS:
            return WRITERS[name](app, session, reference, now)
        # The other keys are the references of conversations, which hold no slash.
        return about_conversations(session, key, now)

    return send
