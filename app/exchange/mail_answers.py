"""An answer by mail: who it is from, which conversation it is for, and whether it is heard.

Each letter about a conversation has a ``Reply-To`` of its own, in which a token stands that nobody
can guess. The token is what is relied on: a ``From`` can be written by anybody. That both have to
agree keeps out whoever finds one of the letters forwarded, and their mail server's own judgement,
where the operator says whose that is (DMARC), whoever would forge the rest as well.

Nothing is ever sent from here. A mail that is refused ends as an exit code, and a sentence that the
mail server puts into the one notice that it sends by itself: a loop needs two who answer.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.exchange import conversations, mailed
from app.exchange.conversations import NoConversationError
from app.exchange.identity import Identity
from app.exchange.mailed import Mailed, UnreadableMailError
from app.models.conversation import SAY, Conversation, HeardMail, Message
from federation.limits import LETTER_CHARACTERS

#: Where the token stands in the operator's address for answers.
TOKEN = "{token}"  # noqa: S105  # not one itself

#: Bytes of the signature in a token: 128 bits.
_SIGNATURE = 16

#: Letters of one person within an hour, as on the page.
LETTERS, AN_HOUR = 60, timedelta(hours=1)

# sysexits.h; mail servers know what to make of each.
DATA_ERROR, NO_USER, UNAVAILABLE, LATER, NO_PERMISSION = 65, 67, 69, 75, 77


class MailRefusedError(Exception):
    """The mail is not heard; ``code`` is what the command ends with, the text is for the writer."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def token_of(conversation: Conversation, secret: str) -> str:
    """Return what stands in the address for answers in ``conversation``: 52 letters and digits."""
    ref = conversation.ref.lower()
    return ref + _signature(ref, secret)


def address_of(conversation: Conversation, pattern: str, secret: str) -> str:
    """Return the address for answers in ``conversation``; ``pattern`` has :data:`TOKEN` in it."""
    return pattern.replace(TOKEN, token_of(conversation, secret))


def hear(
    session: Session,
    raw: bytes,
    recipient: str,
    envelope_sender: str | None,
    pattern: str,
    secret: str,
    identity: Identity,
    now: datetime,
    *,
    judge: str = "",
) -> str:
    """Put what the mail ``raw`` says into the conversation of whoever wrote it; caller commits.

    :param recipient: the address it was delivered to, by the mail server's word.
    :param envelope_sender: whom the mail server would tell of a failure (RFC 5321); ``None`` when
        it does not say.
    :param judge: whose Authentication-Results are believed; empty for nobody's.
    :returns: what was done, in a word.
    :raises MailRefusedError: it is not heard, and why.
    """
    if envelope_sender is not None and envelope_sender.strip() in ("", "<>", "MAILER-DAEMON"):
        return "not heard: a notice of a mail server"
    try:
        mail = mailed.read(raw)
    except UnreadableMailError as error:
        raise MailRefusedError(
            DATA_ERROR, f"Your answer was not taken: {error}. Answer on the page of the letter."
        ) from error
    if mail.automatic:
        return "not heard: written by a program"
    conversation = _meant(session, recipient, pattern, secret)
    _require_writer(conversation, mail, judge)
    named = hashlib.sha256(f"{conversation.ref} {mail.digest}".encode()).hexdigest()
    if session.get(HeardMail, named) is not None:
        return "heard before"
    text = _require_text(conversation, mail)
    _require_patience(session, conversation, now)
    try:
        conversations.say(session, conversation, SAY, text, identity, now)
    except NoConversationError as error:
        raise MailRefusedError(
            UNAVAILABLE, "This conversation is over. Ask again on their page."
        ) from error
    session.add(HeardMail(digest=named, at=now))
    return "heard"


def _signature(ref: str, secret: str) -> str:
    made = hmac.new(secret.encode(), f"answer by mail {ref}".encode(), hashlib.sha256).digest()
    return base64.b32encode(made[:_SIGNATURE]).decode().rstrip("=").lower()


def _meant(session: Session, recipient: str, pattern: str, secret: str) -> Conversation:
    before, _token, after = pattern.lower().partition(TOKEN)
    shape = f"{re.escape(before)}([0-9a-z]{{26}})([a-z2-7]{{26}}){re.escape(after)}"
    given = re.fullmatch(shape, recipient.strip().strip("<>").lower())
    if given and hmac.compare_digest(_signature(given[1], secret), given[2]):
        ref = given[1].upper()
        found = session.scalars(select(Conversation).filter_by(ref=ref)).one_or_none()
        if found is not None:
            return found
    raise MailRefusedError(NO_USER, "There is no such address, or not any more.")


def _require_writer(conversation: Conversation, mail: Mailed, judge: str) -> None:
    account, member = conversation.member.account, conversation.member
    away = account is None or account.banned_at is not None or member.left_at is not None
    if account is None or away or mail.sender != account.email.lower():
        raise MailRefusedError(
            NO_PERMISSION,
            "Your answer was not taken: write from the address to which the letter came, "
            "or answer on its page.",
        )
    if mail.failed_dmarc(judge):
        raise MailRefusedError(
            NO_PERMISSION,
            "Your answer was not taken: your mail server did not vouch for it (DMARC). "
            "Answer on the page of the letter.",
        )


def _require_text(conversation: Conversation, mail: Mailed) -> str:
    """Return what is said, in which the writer's own address does not stand by accident."""
    account = conversation.member.account
    own = re.escape(account.email if account is not None else "")
    text = re.sub(own, "(…)", mail.text, flags=re.IGNORECASE) if own else mail.text
    if mail.dropped and text:
        text += "\n[…]"
    if not text:
        raise MailRefusedError(
            DATA_ERROR, "Your answer was not taken: nothing was found above the quoted letter."
        )
    if len(text) > LETTER_CHARACTERS:
        raise MailRefusedError(
            DATA_ERROR,
            f"Your answer was not taken: it has {len(text)} characters, {LETTER_CHARACTERS} fit.",
        )
    return text


def _require_patience(session: Session, conversation: Conversation, now: datetime) -> None:
    lately = (
        select(func.count(Message.id))
        .join(Message.conversation)
        .where(
            Conversation.member_id == conversation.member_id,
            Message.mine,
            Message.at > now - AN_HOUR,
        )
    )
    if (session.scalar(lately) or 0) >= LETTERS:
        raise MailRefusedError(LATER, "That is enough for an hour. It is tried again later.")
