"""A mail as anybody may have written it, read for the one thing that matters: what it says.

Nothing here knows people or the database. The bytes are measured before they are parsed, so that a
mail of a thousand parts within parts costs no more than a refusal; whatever a part claims about
itself (its charset, its type, its name) may be wrong, and no part but text is looked at.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import MessageError
from email.message import Message
from email.utils import getaddresses

from app.exchange.mail_text import of_html, without_quotes
from federation.text import plain

#: Bytes of a mail: an answer with a few pictures fits.
MOST_BYTES = 8 * 1024 * 1024

#: Lines that may begin a part, and parts that may hold others: readers of mail go through each
#: line once for every part that is open.
MOST_PARTS, MOST_BOUNDARIES = 400, 40

#: Bytes of the text of one part that are read.
TEXT_BYTES = 256 * 1024

#: Encodings that are none of texts, or cost more than their length.
_NO_CHARSETS = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs"}

#: Values of ``Precedence`` that programs send (RFC 3834 section 3.1.8 asks not to answer them).
_BULK = {"bulk", "junk", "list", "auto_reply"}


class UnreadableMailError(Exception):
    """The mail is too large, too nested, or no mail; the text says which."""


@dataclass(frozen=True, slots=True)
class Mailed:
    """What a mail says, and what it says about itself."""

    sender: str
    """The one address in ``From``, in small letters; empty when there is none, or several."""

    automatic: bool
    """A program wrote it: an absence note, a bounce, a list (RFC 3834)."""

    digest: str
    """Names the mail: by its Message-ID (RFC 5322 section 3.6.4), or by all of it."""

    text: str
    """What was written above the quoted letter, without a signature."""

    dropped: bool
    """There was something attached, and it is not part of ``text``."""

    verdicts: tuple[str, ...]
    """The values of ``Authentication-Results`` (RFC 8601), the topmost first."""

    def failed_dmarc(self, judge: str) -> bool:
        """Say whether the mail server called ``judge`` found the sender forged (RFC 7489).

        What other servers wrote is what anybody may write: only the topmost line of ``judge``
        counts, since a server adds its own above those that were there.
        """
        for verdict in self.verdicts:
            server, _semicolon, results = verdict.partition(";")
            if judge and server.split()[:1] == [judge]:
                return re.search(r"\bdmarc\s*=\s*fail\b", results, re.IGNORECASE) is not None
        return False


def read(raw: bytes) -> Mailed:
    """Return what the mail ``raw`` says.

    :raises UnreadableMailError: it is not read at all.
    """
    if len(raw) > MOST_BYTES:
        raise UnreadableMailError(f"it has more than {MOST_BYTES // 1024 // 1024} megabytes")
    if raw.count(b"\n--") > MOST_PARTS or raw.lower().count(b"boundary") > MOST_BOUNDARIES:
        raise UnreadableMailError("it has too many parts")
    try:
        mail = message_from_bytes(raw)
        parts = list(mail.walk())
        texts = [part for part in parts if _is_text(part)]
        text = _text(texts)
    except (MessageError, RecursionError, UnicodeError, ValueError, TypeError, KeyError) as error:
        raise UnreadableMailError("it is not a mail that can be read") from error
    named = _header(mail, "Message-ID").strip()
    return Mailed(
        sender=_sender(mail),
        automatic=_is_automatic(mail),
        digest=hashlib.sha256(named.encode() if named else raw).hexdigest(),
        text=plain(without_quotes(text), lines=True).strip(),
        dropped=any(not part.is_multipart() and not _is_text(part) for part in parts),
        verdicts=tuple(str(each) for each in mail.get_all("Authentication-Results", [])),
    )


def _is_text(part: Message) -> bool:
    whole = not part.is_multipart() and part.get_content_disposition() != "attachment"
    return whole and part.get_content_type() in ("text/plain", "text/html")


def _text(parts: list[Message]) -> str:
    """Return the text of the first plain part, or else of the first one in HTML."""
    for kind, reading in (("text/plain", str), ("text/html", of_html)):
        for part in parts:
            if part.get_content_type() == kind and (said := reading(_decoded(part)).strip()):
                return said
    return ""


def _decoded(part: Message) -> str:
    payload = part.get_payload(decode=True)
    given = payload[:TEXT_BYTES] if isinstance(payload, bytes) else b""
    charset = str(part.get_content_charset() or "utf-8")
    try:
        if charset.replace("-", "_") in _NO_CHARSETS:
            raise LookupError(charset)
        return given.decode(charset, "replace")
    except (LookupError, UnicodeError, ValueError):  # a name of no charset: a reader would guess
        return given.decode("utf-8", "replace")


def _sender(mail: Message) -> str:
    found = [address for _name, address in getaddresses([_header(mail, "From")]) if address]
    several = len(found) != 1 or len(mail.get_all("From", [])) != 1
    return "" if several else found[0].strip().lower()


def _is_automatic(mail: Message) -> bool:
    submitted = _header(mail, "Auto-Submitted").partition(";")[0].strip().lower()
    return bool(
        submitted not in ("", "no")
        or _header(mail, "Precedence").strip().lower() in _BULK
        or _header(mail, "X-Auto-Response-Suppress").strip()
        or mail.get("List-Id") is not None
        or _header(mail, "Return-Path").strip() == "<>"
        or mail.get_content_type() == "multipart/report"
    )


def _header(mail: Message, name: str) -> str:
    return str(mail.get(name, ""))
